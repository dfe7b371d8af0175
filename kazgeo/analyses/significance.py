"""What analyses of tested units have in common: the values, the sentences about significance, the styles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kazgeo.choices import Correction

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.autocorrelation.significance import LocalInference
    from kazgeo.messages import Message, Num
    from kazgeo.style import TooltipField
    from kazgeo.weights import Weights

__all__ = [
    "TESTS",
    "counted",
    "few",
    "lisa_style",
    "more_than",
    "percent",
    "renamed",
    "significance",
    "spot_style",
    "structure",
    "table_of",
    "tests",
    "values_of",
]

#: Columns of every local test.
TESTS = ("p", "p_adjusted")


def values_of(units: pd.DataFrame, column: str, logarithm: bool) -> pd.Series:
    """Return the column as numbers, its natural logarithm when asked for."""
    import numpy as np

    from kazgeo.analyses.columns import numeric
    from kazgeo.errors import InputError, listing

    values = numeric(units, column, "indicator")
    if not logarithm:
        return values
    bad = values.index[values <= 0]
    if len(bad):
        raise InputError(f"the logarithm wants values above 0; '{column}' is not in {len(bad)} units: {listing(bad)}")
    return np.log(values)


def table_of(units: pd.DataFrame, columns: tuple[str, ...], logarithm: bool) -> pd.DataFrame:
    """Return the columns as numbers, their natural logarithms when asked for."""
    import pandas as pd

    from kazgeo.errors import InputError

    if not columns:
        raise InputError("name at least one column in indicators")
    return pd.DataFrame({name: values_of(units, name, logarithm) for name in columns}, index=units.index)


@contextmanager
def renamed(**names: str) -> Iterator[None]:
    """Let errors of a method name the parameters that the user has before them.

    Examples
    --------
    >>> from kazgeo.errors import InputError
    >>> with renamed(n_regions="zones"):
    ...     raise InputError("n_regions must not exceed 16; got 50")
    Traceback (most recent call last):
    kazgeo.errors.InputError: zones must not exceed 16; got 50
    """
    from kazgeo.errors import InputError

    try:
        yield
    except InputError as error:
        words = re.compile(rf"\b({'|'.join(names)})\b")
        raise InputError(words.sub(lambda found: names[found[0]], str(error))) from None


def percent(level: float) -> Num:
    """Return a level in per cent with the digits it needs: 0.1 % is not 0 %.

    Examples
    --------
    >>> percent(0.05).decimals, percent(0.025).decimals, percent(0.0001).decimals
    (0, 1, 2)
    """
    from kazgeo.messages import Num

    value = 100 * level
    return Num(value, next((d for d in range(4) if abs(value - round(value, d)) < 1e-9), 4), "%")


def more_than(units: list[Any], names: Mapping[Any, Any], count: int = 8) -> tuple[Any, ...]:
    """Return the first names, and how many more there are."""
    from kazgeo.messages import Message

    told = tuple(names[unit] for unit in units[:count])
    rest = len(units) - len(told)
    return (*told, Message("{n} more", {"n": rest})) if rest > 0 else told


def structure(weights: Weights) -> list[Message]:
    """Say what the map's graph looks like where it matters."""
    from kazgeo.messages import Message

    parts = weights.n_components - len(weights.isolates)  # units without a neighbour are told as such
    return [Message("Unconnected parts of the map: {n}.", {"n": parts})] if parts > 1 else []


def few(used: int) -> list[Message]:
    """Say it when fewer than 30 units have values."""
    from kazgeo.messages import Message

    if used >= 30:
        return []
    return [Message("With fewer than 30 units only very strong patterns can be told from chance.")]


def counted(label: pd.Series, *kinds: str) -> dict[str, pd.Index]:
    """Return the units of every kind."""
    return {kind: label.index[label == kind] for kind in kinds}


def significance(
    done: LocalInference, found: Mapping[str, pd.Index], units: pd.DataFrame, weights: Weights
) -> list[Message]:
    """Say what is left after the correction, what there was before, and whether the draws could show it.

    Units of a kind that are neighbours make one spot.
    """
    from kazgeo.analyses.outcome import names_of
    from kazgeo.messages import Message, Num, Term

    some_only = bool((done.label == "not tested").any())
    unit = Message("of {n} tested units" if some_only else "of {n} units", {"n": done.n_tests})
    values = {
        "n": done.n_significant,
        "total": unit,
        "alpha": percent(done.alpha),
        "before": done.n_significant_unadjusted,
    }
    plain = done.correction is Correction.NONE
    if done.n_significant:
        listed = tuple(
            Message(
                "{kind}: {n} (connected groups: {spots})",
                {"kind": Term(kind), "n": len(some), "spots": weights.subset(some).n_components},
            )
            for kind, some in found.items()
            if len(some)
        )
        some = "Significant at {alpha} after the correction: {n} {total} ({before} before it): {kinds}."
        if plain:
            some = "Significant at {alpha}, not corrected for many tests: {n} {total}: {kinds}."
        out = [Message(some, values | {"kinds": listed})]
    else:
        none = "Significant at {alpha} after the correction: none {total}; without it: {before}."
        if plain:
            none = "Significant at {alpha}, not corrected for many tests: none {total}."
        out = [Message(none, values)]
    lowest = done.p.dropna().sort_values().head(3)
    names = names_of(units)
    if len(lowest) and not done.n_significant:
        listed = tuple(Message("{name} (p {p})", {"name": names[i], "p": Num(float(v), 4)}) for i, v in lowest.items())
        out.append(Message("Nearest to it: {units}.", {"units": listed}))
    if done.cannot_pass:
        out.append(
            Message(
                "With {m} draws the smallest p is {p}, which can't pass the correction; take more draws.",
                {"m": done.permutations, "p": Num(done.smallest_p, 6)},
            )
        )
    if done.count_error >= 1:
        out.append(
            Message(
                "With other random draws the number of significant units moves by about {error}.",
                {"error": Num(done.count_error, 0)},
            )
        )
    return out + few(int((~done.label.isin(["isolate", "undefined"])).sum()))


def tests(done: LocalInference) -> tuple[TooltipField, ...]:
    """Return the p-values that a tooltip tells; the corrected one only where there was a correction."""
    from kazgeo.style import TooltipField

    drawn, computed = TooltipField("p", "p by permutation", "", 4), TooltipField("p", "exact p", "", 4)
    plain = drawn if done.permutations else computed
    if done.correction is Correction.NONE:
        return (plain,)
    return (plain, TooltipField("p_adjusted", "p after correction", "", 4))


def lisa_style(title: str) -> Any:
    """Return the style of clusters of like values and of outliers."""
    from kazgeo.style import categorical

    return categorical(
        "cluster",
        title,
        [
            ("high-high", "high-high", "#b2182b"),
            ("low-low", "low-low", "#2166ac", "///"),
            ("high-low", "high-low", "#f4a582", "..."),
            ("low-high", "low-high", "#92c5de", "xxx"),
            ("not significant", "not significant", "#f0f0f0"),
            ("isolate", "no neighbour", "#999999"),
            ("undefined", "no value", "#bdbdbd"),
        ],
    )


def spot_style() -> Any:
    """Return the style of hot and cold spots at three levels."""
    from kazgeo.style import categorical

    return categorical(
        "hot_spot",
        "hot and cold spots (Gi*)",
        [
            ("hot-99", "hot spot, 99 %", "#b2182b"),
            ("hot-95", "hot spot, 95 %", "#ef8a62"),
            ("hot-90", "hot spot, 90 %", "#fddbc7", ".."),
            ("not significant", "not significant", "#f0f0f0"),
            ("cold-90", "cold spot, 90 %", "#d1e5f0", "//"),
            ("cold-95", "cold spot, 95 %", "#67a9cf", "//"),
            ("cold-99", "cold spot, 99 %", "#2166ac", "//"),
            ("isolate", "no neighbour", "#999999"),
            ("undefined", "no value", "#bdbdbd"),
        ],
    )
