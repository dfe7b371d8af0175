"""What analyses of travel times between places share: the times, reasons in a planner's words, classes of amounts."""

from __future__ import annotations

import math
from decimal import ROUND_DOWN, Context
from typing import TYPE_CHECKING, Any

from kazgeo.messages import mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from kazgeo.accessibility import TravelTimes
    from kazgeo.choices import Travel
    from kazgeo.messages import Message, Num
    from kazgeo.network import Attached
    from kazgeo.progress import Progress
    from kazgeo.style import Style

__all__ = [
    "AMOUNT_COLORS", "NONE_NEAR_REASON", "NO_FACILITY_REASON", "amount_style", "facilities_left_out", "figure",
    "means_by", "places_with", "refuse_empty", "refuse_nobody", "refuse_rows", "sizes", "times_between", "unheard",
    "weighted_mean",
]  # fmt: skip

#: Pale to dark where more is better (ColorBrewer YlGnBu), safe for the colour-blind.
AMOUNT_COLORS = ("#ffffcc", "#a1dab4", "#41b6c4", "#2c7fb8", "#253494")
#: Rows of a long table that are written at most.
MOST_ROWS = 20_000_000

NO_FACILITY_REASON = mark("no facility can be reached by road")
NONE_NEAR_REASON = mark("no facility within the limit")
NO_SETTLEMENT_REASON = mark("facility that no settlement can reach")
FACILITY_OFF_REASON = mark("facility farther from every road than the limit")
FACILITY_NOWHERE_REASON = mark("facility without a place on the map")
FACILITY_UNKNOWN_REASON = mark("facility of unknown size")
FACILITY_NOTHING_REASON = mark("facility of size 0")


def refuse_empty(who: str, facilities: Any) -> None:
    """Refuse a layer of facilities without a feature."""
    from kazgeo.errors import InputError

    if not len(facilities):
        raise InputError(f"{who}: the layer of facilities has no feature")


def refuse_rows(who: str, rows: int) -> None:
    """Refuse a long table that no program would open.

    Examples
    --------
    >>> refuse_rows("travel_time_matrix", 30_000_000)
    Traceback (most recent call last):
    kazgeo.errors.InputError: travel_time_matrix: the table would have 30,000,000 rows (about 3.0 GB); at most
    20,000,000 are written: set limit_min, or lower it, or take fewer places
    """
    from kazgeo.errors import InputError

    if rows > MOST_ROWS:
        raise InputError(
            f"{who}: the table would have {rows:,} rows (about {rows * 100 / 1e9:.1f} GB); at most {MOST_ROWS:,} are"
            " written: set limit_min, or lower it, or take fewer places"
        )


def times_between(
    tied: Attached, there: Attached, travel: Travel | str, limit_min: float | None, progress: Progress
) -> TravelTimes:
    """Return travel times with the settlements as origins, whichever way people travel."""
    from kazgeo.accessibility import travel_times

    progress(0.0, "travel times")
    limit_s = None if limit_min is None else 60.0 * limit_min
    if str(travel) == "from":
        return travel_times(there, tied, limit_s=limit_s, progress=progress).transposed
    return travel_times(tied, there, limit_s=limit_s, progress=progress)


def facilities_left_out(there: Attached, reached: pd.Series, amount: pd.Series | None = None) -> pd.DataFrame:
    """Return the facilities that take no part, each with its first reason; ``reached`` on their ids."""
    import pandas as pd

    reason = pd.Series("", index=there.ids, dtype=object)
    reason[~reached] = NO_SETTLEMENT_REASON
    if amount is not None:
        reason[amount == 0] = FACILITY_NOTHING_REASON
        reason[amount.isna()] = FACILITY_UNKNOWN_REASON
    reason[~there.tied & ~reached] = FACILITY_OFF_REASON  # one that serves its own spot does take part
    reason[there.distance_m.isna()] = FACILITY_NOWHERE_REASON
    lost = reason[reason != ""]
    return pd.DataFrame({"unit": lost.index.astype(object), "reason": lost.to_numpy()}, dtype=object)


def refuse_nobody(who: str, people: pd.Series, column: str) -> None:
    """Refuse settlements of which none is known to have people."""
    from kazgeo.errors import InputError

    if not (people > 0).any():
        raise InputError(f"{who}: population '{column}' is above 0 in no settlement; choose another column")


def sizes(who: str, facilities: Any, column: str | None) -> pd.Series:
    """Return a column of amounts of facilities, 1 each without a column; negative ones, or none above 0, are refused.

    Examples
    --------
    >>> import pandas as pd
    >>> sizes("opportunities", pd.DataFrame({"beds": [5, None]}), "beds").tolist()
    [5.0, nan]
    >>> sizes("opportunities", pd.DataFrame({"beds": [0, None]}), "beds")
    Traceback (most recent call last):
    kazgeo.errors.InputError: opportunities: no facility has more than 0 in column 'beds'; choose another column
    """
    import pandas as pd

    from kazgeo.analyses.columns import numeric
    from kazgeo.errors import InputError, listing

    if column is None:
        return pd.Series(1.0, index=facilities.index)
    size = numeric(facilities, column)
    if (size < 0).any():
        raise InputError(f"{who}: '{column}' must be at least 0; negative at {listing(size.index[size < 0])}")
    if not (size > 0).any():
        raise InputError(f"{who}: no facility has more than 0 in column '{column}'; choose another column")
    return size


def weighted_mean(values: pd.Series, people: pd.Series | None) -> float:
    """Return the mean by people, or the plain one; units without a value or a number of people take no part.

    Examples
    --------
    >>> import pandas as pd
    >>> weighted_mean(pd.Series([1.0, 4.0, None]), pd.Series([2.0, 1.0, 9.0]))
    2.0
    >>> weighted_mean(pd.Series([1.0, 4.0, None]), None), weighted_mean(pd.Series([], dtype=float), None)
    (2.5, nan)
    """
    if people is None:
        return float(values.mean())
    weight = people[values.notna()].fillna(0.0)
    return float((values * weight).sum() / weight.sum()) if weight.sum() > 0 else float("nan")


def means_by(values: pd.Series, people: pd.Series | None, region: pd.Series) -> pd.Series:
    """Return ``weighted_mean`` of every region."""
    import pandas as pd

    groups = values.groupby(region, sort=True)
    means = {one: weighted_mean(part, None if people is None else people[part.index]) for one, part in groups}
    return pd.Series(means, dtype=float).rename_axis("region")


def unheard(people: pd.Series | None, n: int) -> tuple[Message, ...]:
    """Say how many settlements of unknown population don't count in what is weighted by people."""
    from kazgeo.messages import Message

    unknown = 0 if people is None else int(people.isna().sum())
    template = "Settlements of unknown population: {n} of {total}; they don't count in figures per people."
    return (Message(template, {"n": unknown, "total": n}),) if unknown else ()


def places_with(values: pd.Series, names: Any, unit: str = "", *, least: bool = False) -> tuple[Message, ...]:
    """Return the five places of the largest values (or the least), "Aral 12"."""
    from kazgeo.analyses.outcome import top
    from kazgeo.messages import Message

    ranked = top(-values if least else values, names)
    return tuple(
        Message("{name} {value}", {"name": names[i], "value": figure(float(values[i]), unit)}) for i in ranked.index
    )


def figure(value: float, unit: str = "") -> Num:
    """Return a number to be written with two or three figures.

    Examples
    --------
    >>> [str(figure(v).decimals) for v in (0.0, 0.0123, 0.5, 1.0, 12.345, 678.9, float("nan"))]
    ['0', '3', '2', '2', '1', '0', '0']
    """
    from kazgeo.messages import Num

    if not (math.isfinite(value) and value):
        return Num(value, 0, unit)
    return Num(value, min(max(0, 2 - math.floor(math.log10(abs(value)))), 9) - (abs(value) < 1), unit)


def amount_style(
    column: str, title: str, values: pd.Series, *, unit: str = "", colors: Sequence[str] = AMOUNT_COLORS,
    missing: str = "no data",
) -> Style:  # fmt: skip
    """Return classes of amounts of at least 0 with limits of two figures; places that have nothing are a class apart.

    ``missing`` says why others have no amount.

    Examples
    --------
    >>> import pandas as pd
    >>> from kazgeo.locale import speaker
    >>> some = pd.Series([0.0, 0.0, 12.0, 130.0, 1234.0, 5678.0, 91011.0, None])
    >>> amount_style("x", "x", some).labels(speaker("en"))
    ['0', '10 – 130', '130 – 1,200', '1,200 – 5,700', '≥ 5,700']
    >>> amount_style("x", "x", some * 0).labels(speaker("en"))
    ['≥ 0']
    """
    from dataclasses import replace

    from kazgeo.style import graduated, shades

    some = values[values > 0]
    parts = len(colors) - int((values == 0).any())
    inner = [_figures(float(some.quantile(k / parts)), 2) for k in range(1, parts)] if len(some) else []
    least = [_floor(float(some.min()))] if len(some) and (values == 0).any() else []
    rising = sorted({v for v in (*least, *inner) if v > 0})
    limits = [0.0, *rising, math.inf]
    digits = max((_digits(v) for v in rising), default=0)
    made = graduated(column, title, limits, shades(colors, len(limits) - 1), unit=unit, decimals=digits)
    first, *others = made.classes
    if least and not (some < first.upper).any():  # who has nothing is alone in it
        first = replace(first, label="0")
    return replace(made, classes=(first, *others), missing_label=missing)


def _figures(value: float, figures: int) -> float:
    """Return a number rounded to so many figures."""
    return float(f"{value:.{figures - 1}e}") if value else 0.0


def _floor(value: float) -> float:
    """Return the largest number of one figure that is not above a number.

    Examples
    --------
    >>> _floor(0.0379), _floor(30.0), _floor(499999999.9999999), _floor(5e-324)
    (0.03, 30.0, 400000000.0, 5e-324)
    """
    return float(Context(prec=1, rounding=ROUND_DOWN).create_decimal(repr(value)))


def _digits(value: float) -> int:
    """Return decimals that show two figures of a number, none where they are 0."""
    for digits in range(12):
        if abs(value - round(value, digits)) <= 1e-9 * value:
            return digits
    return 12
