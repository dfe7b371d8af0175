"""Carry a panel across reforms of boundaries, so that a series is comparable over years."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kazgeo import kato
from kazgeo.errors import InputError, listing, unknown
from kazgeo.indicators.panel import Indicator, check
from kazgeo.io import Source, read_table
from kazgeo.parsing import parse_numbers

__all__ = ["Harmonised", "harmonise", "read_reforms", "successors"]

#: Year from which a set of codes makes up a whole, and each one's share of the whole's weight (NaN: unknown).
_Stage = tuple[int, dict[str, float]]


@dataclass(frozen=True)
class Harmonised:
    """A panel in the boundaries of one year, and what was done to get there.

    Parameters
    ----------
    panel : DataFrame
        MultiIndex (region, year), one column per indicator.
    vintage : int
        The boundaries are those in force at the end of this year.
    merged : DataFrame
        One row per figure that was put together: region, year, indicator, parts, rule.
    missing : DataFrame
        One row per figure that could not be: region, year, indicator, reason. It is NaN in the panel.
    """

    panel: pd.DataFrame
    vintage: int
    merged: pd.DataFrame
    missing: pd.DataFrame


def read_reforms(source: Source | str | Path) -> pd.DataFrame:
    """Return the table of reforms: date, old code, new code; one row per pair.

    Raises
    ------
    InputError
        When a column is missing, a date isn't one, or a code isn't KATO.
    """
    table = read_table(source)
    for column in ("date", "old", "new"):
        if column not in table.columns:
            raise unknown("column", column, table.columns, f"a column of {source}")
    dates = pd.to_datetime(table["date"], errors="coerce", format="ISO8601")
    if dates.isna().any():
        raise InputError(f"{source}: not a date (wanted YYYY-MM-DD): {listing(table['date'][dates.isna()])}")
    for column in ("old", "new"):
        table[column] = kato.check(table[column], f"column {column} of {source}")
    if "share" in table.columns:
        table["share"] = parse_numbers(table["share"])
    return table.assign(date=dates).sort_values(["date", "old", "new"], ignore_index=True)


def successors(reforms: pd.DataFrame, vintage: int) -> dict[str, str]:
    """Return the code in the boundaries of ``vintage`` for every code that came later.

    Examples
    --------
    >>> table = pd.DataFrame({"date": pd.to_datetime(["2018-06-19"] * 2 + ["2022-06-08"] * 2),
    ...     "old": ["51", "51", "63", "63"], "new": ["61", "79", "63", "10"]})
    >>> successors(table, 2009)
    {'10': '63', '61': '51', '79': '51'}
    >>> successors(table, 2018)
    {'10': '63'}
    >>> successors(table, 2024)
    {}
    """
    later = reforms[reforms["date"].dt.year > vintage].sort_values("date", ascending=False)
    back: dict[str, str] = {}
    for old, new in zip(later["old"], later["new"], strict=True):
        if old == new:
            continue
        back[new] = old
        for code, found in list(back.items()):
            if found == new:
                back[code] = old
    return dict(sorted(back.items()))


def harmonise(
    panel: pd.DataFrame,
    vintage: int,
    *,
    reforms: pd.DataFrame,
    metadata: Mapping[str, Indicator],
) -> Harmonised:
    """Return the panel in the boundaries in force at the end of one year.

    Assumption: reforms nest: a later region lies wholly in an earlier one, so parts can be put together exactly
    and a whole is never divided. Counts are summed; rates and per-head values are averaged with the weight that
    their metadata names, x = sum(w x) / sum(w). Where the weight of a part isn't published for a year, the part's
    share at the reform (column ``share`` of the reforms) stands in, and that is told. A figure one of whose parts
    is missing stays missing; so does one of a code that outlived its reform (630000000 without 100000000) more than
    a year later, because nothing tells whether it is the whole or what remained of it.

    Parameters
    ----------
    panel : DataFrame
        Indexed by (region, year), codes as published for each year.
    vintage : int
        Year whose boundaries are wanted, for instance 2009.
    reforms : DataFrame
        date, old, new and, if known, share: the part's share of the whole's weight (``read_reforms``).
    metadata : mapping
        Indicator name to ``Indicator``; tells sum or mean and the weight.

    Returns
    -------
    Harmonised

    Raises
    ------
    InputError
        When a whole stands beside its parts (double count), when figures exist only for a whole that the vintage
        wants divided, or when an indicator has no metadata or no weight.

    Examples
    --------
    >>> from kazgeo.messages import Names
    >>> at = pd.MultiIndex.from_tuples(
    ...     [("510000000", 2017), ("610000000", 2018), ("790000000", 2018)], names=["region", "year"])
    >>> figures = pd.DataFrame({"population": [3.0, 2.0, 1.0], "income": [10.0, 6.0, 30.0]}, index=at)
    >>> table = pd.DataFrame({"date": pd.to_datetime(["2018-06-19"] * 2), "old": ["510000000"] * 2,
    ...     "new": ["610000000", "790000000"]})
    >>> about = {"population": Indicator("population", Names("population"), aggregation="sum"),
    ...     "income": Indicator("income", Names("income"), aggregation="mean", weight="population")}
    >>> done = harmonise(figures, 2009, reforms=table, metadata=about)
    >>> done.panel.loc["510000000"].values.tolist()
    [[3.0, 10.0], [3.0, 14.0]]
    >>> len(done.merged), len(done.missing)
    (2, 0)
    >>> harmonise(figures, 2018, reforms=table, metadata=about)
    Traceback (most recent call last):
    kazgeo.errors.InputError: figures for 510000000 (2017) can't be divided among its successors 610000000, 790000000;
    choose a vintage before 2018 or leave these figures out
    """
    check(panel)
    _known(panel, metadata)
    back = successors(reforms, vintage)
    _nothing_to_divide(panel, reforms, vintage)
    region = panel.index.get_level_values("region").astype(str)
    whole = pd.Index([back.get(code, code) for code in region])
    touched = whole.isin(set(back.values()))
    frames, merged, missing = [panel[~touched]], [], []
    columns: dict[str, pd.Series] = {}
    for name in panel.columns:
        done, told, lost = _put_together(panel[touched], whole[touched], name, reforms, vintage, metadata[name])
        columns[name] = done
        merged += told
        missing += lost
    if columns:
        frames.append(pd.DataFrame(columns).rename_axis(["region", "year"]))
    out = pd.concat([f for f in frames if len(f)] or [panel]).sort_index()[list(panel.columns)]
    told_frame = pd.DataFrame(merged, columns=["region", "year", "indicator", "parts", "rule"])
    lost_frame = pd.DataFrame(missing, columns=["region", "year", "indicator", "reason"])
    return Harmonised(out, vintage, told_frame, lost_frame)


def _known(panel: pd.DataFrame, metadata: Mapping[str, Indicator]) -> None:
    """Refuse indicators whose parts can't be put together."""
    for name in panel.columns:
        if name not in metadata:
            raise unknown("indicator", str(name), metadata, "described in the metadata (sum or mean, weight)")
        about = metadata[name]
        if about.aggregation == "mean" and about.weight not in panel.columns:
            raise InputError(
                f"indicator '{name}' is averaged with weight '{about.weight}', which is not a column of the panel; "
                "add it, or name another weight in the metadata"
            )


def _nothing_to_divide(panel: pd.DataFrame, reforms: pd.DataFrame, vintage: int) -> None:
    """Refuse figures of a whole that no longer exists at the vintage, indicator by indicator.

    A code that outlived its reform means the whole up to the year of the reform, unless the other parts have
    figures of their own in that year.
    """
    regions = panel.index.get_level_values("region").astype(str)
    years = panel.index.get_level_values("year")
    gone = reforms[reforms["date"].dt.year <= vintage]
    for (date, old), group in gone.groupby(["date", "old"]):
        new = sorted(group["new"])
        others = regions.isin([n for n in new if n != old])
        refused: dict[str, set[int]] = {}
        beside: set[int] = set()
        for name in panel.columns:
            have = panel[name].notna().to_numpy()
            parts = set(years[others & have])
            here = set(years[(regions == old) & have])
            refused[name] = {y for y in here if y <= date.year and y not in parts} if old in new else here
            beside |= refused[name] & parts
        wrong = sorted(set().union(*refused.values()))
        if not wrong:
            continue
        concerned = [name for name, found in refused.items() if found]
        which = f"; {listing(concerned)}" if len(concerned) < len(panel.columns) else ""
        more = f"; for {_years(beside)} its successors have figures of their own" if beside else ""
        raise InputError(
            f"figures for {old} ({_years(wrong)}{which}) can't be divided among its successors {', '.join(new)}; "
            f"choose a vintage before {date.year} or leave these figures out{more}"
        )


def _years(years: Iterable[int]) -> str:
    found = sorted({int(y) for y in years})
    return str(found[0]) if len(found) == 1 else f"{found[0]}–{found[-1]}"


def _put_together(
    panel: pd.DataFrame, whole: pd.Index, name: str, reforms: pd.DataFrame, vintage: int, about: Indicator
) -> tuple[pd.Series, list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Return one indicator for the wholes of every year, what was merged and what is missing."""
    values: dict[tuple[str, int], float] = {}
    merged: list[tuple[object, ...]] = []
    missing: list[tuple[object, ...]] = []
    table = panel.assign(_whole=whole).reset_index()
    expected = _expected_parts(reforms, vintage)
    for (code, year), rows in table.groupby(["_whole", "year"], sort=True):
        some = rows[rows[name].notna()]
        found = set(some["region"])
        parts = _parts_of(code, int(year), found, expected[code], name)
        if parts is None:
            values[code, int(year)] = np.nan
            if found:
                want = sorted(_current(expected[code], int(year)))
                missing.append((code, year, name, f"figures only for {', '.join(sorted(found))} of {', '.join(want)}"))
            continue
        if len(parts) == 1:
            values[code, int(year)] = float(some.set_index("region").loc[next(iter(parts)), name])
            continue
        figure, rule = _aggregate(some, name, about, parts)
        values[code, int(year)] = figure
        if figure == figure:
            merged.append((code, year, name, "+".join(sorted(parts)), rule))
        else:
            missing.append((code, year, name, f"weight {about.weight} missing for a part"))
    at = pd.MultiIndex.from_tuples(list(values), names=["region", "year"]) if values else panel.index[:0]
    return pd.Series(list(values.values()), index=at, dtype=float), merged, missing


def _expected_parts(reforms: pd.DataFrame, vintage: int) -> dict[str, list[_Stage]]:
    """Return for every whole the codes that make it up and their shares, by the year from which they do."""
    out: dict[str, list[_Stage]] = {}
    for whole in set(successors(reforms, vintage).values()):
        current = {whole: 1.0}
        stages: list[_Stage] = [(0, current)]
        for date, group in reforms[reforms["date"].dt.year > vintage].groupby("date"):
            for old, rows in group.groupby("old"):
                if old in current:
                    share = rows["share"] if "share" in rows.columns else pd.Series(np.nan, index=rows.index)
                    parts = {new: current[old] * s for new, s in zip(rows["new"], share, strict=True)}
                    current = {code: s for code, s in current.items() if code != old} | parts
                    stages.append((date.year, current))
        out[whole] = stages
    return out


def _current(stages: list[_Stage], year: int) -> dict[str, float]:
    return [codes for start, codes in stages if start <= year][-1]


def _parts_of(whole: str, year: int, found: set[str], stages: list[_Stage], name: str) -> dict[str, float] | None:
    """Return the codes that make up the whole and their shares, None when they are incomplete; refuse a double count.

    The bureau back-casts (new codes before the reform) and lags (old codes in the year of the reform), so any
    complete stage is taken, except an old code that outlived its reform by more than that year.
    """
    complete = [(start, codes) for start, codes in stages if codes.keys() == found]
    if complete:
        start, codes = complete[0]
        outlived = [s for s, c in stages if s > start and s < year and codes != c and whole in codes and whole in c]
        return None if outlived else codes
    if whole in found and not any(whole in codes for _, codes in stages[1:]):
        raise InputError(
            f"indicator '{name}', {year}: the whole {whole} stands beside its parts "
            f"{', '.join(sorted(found - {whole}))}, which would count twice; keep one of them"
        )
    return None


def _aggregate(rows: pd.DataFrame, name: str, about: Indicator, shares: dict[str, float]) -> tuple[float, str]:
    """Return the sum or the weighted mean, and the rule in words (NaN when a weight can't be known)."""
    if about.aggregation == "sum":
        return float(rows[name].sum()), "sum"
    weight, rule = rows[about.weight], f"mean weighted by {about.weight}"
    if weight.isna().any():
        weight, rule = rows["region"].map(shares), f"mean weighted by the parts' share of {about.weight} at the reform"
    if weight.isna().any() or not weight.sum() > 0:
        return float("nan"), rule
    return float((rows[name] * weight).sum() / weight.sum()), rule
