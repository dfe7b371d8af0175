"""The panel: a table indexed by region and year, one numeric column per indicator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from kazgeo import kato
from kazgeo.errors import InputError, listing, unknown
from kazgeo.indicators import wide
from kazgeo.io import Source, read_table
from kazgeo.messages import Names
from kazgeo.parsing import clean_name, match_names, parse_numbers, parse_year

__all__ = ["Indicator", "check", "rate", "read", "read_metadata", "to_long"]

_REGION_NAMES = ("region", "kato", "code", "регион", "область")
_YEAR_NAMES = ("year", "год", "жыл")
_COUNTRY_NAMES = (
    "республика казахстан",
    "казахстан",
    "қазақстан республикасы",
    "қазақстан",
    "republic of kazakhstan",
    "kazakhstan",
)


@dataclass(frozen=True)
class Indicator:
    """What a column of figures means.

    Parameters
    ----------
    name : str
        ASCII identifier, the column's name.
    labels : Names
        Label in three languages.
    unit : str
        English unit.
    direction : {"more is better", "more is worse", "neutral"}
        Which way is good.
    aggregation : {"sum", "mean"}
        How parts make a whole: counts are summed, rates and per-head values averaged.
    weight : str
        Indicator that weighs a mean; empty for sums.
    source : str
        Who published the figures.
    """

    name: str
    labels: Names
    unit: str = ""
    direction: Literal["more is better", "more is worse", "neutral"] = "neutral"
    aggregation: Literal["sum", "mean"] = "mean"
    weight: str = ""
    source: str = ""


def read_metadata(source: Source | str | Path) -> dict[str, Indicator]:
    """Return the meaning of indicators from a table with one row per indicator.

    Raises
    ------
    InputError
        When a column is missing or a direction or aggregation is none of the known ones.
    """
    table = read_table(source).fillna("")
    for column in ("indicator", "direction", "aggregation"):
        if column not in table.columns:
            raise unknown("column", column, table.columns, f"a column of {source}")
    for column, choices in (
        ("direction", ("more is better", "more is worse", "neutral")),
        ("aggregation", ("sum", "mean")),
    ):
        for value in table[column].unique():
            if value not in choices:
                raise unknown(column, value, choices, f"known (in {source})")
    out = {}
    for row in table.to_dict("records"):
        labels = Names(*(row.get(f"label_{lang}") or "" for lang in ("en", "ru", "kk")))
        out[row["indicator"]] = Indicator(
            row["indicator"],
            labels if labels.en else Names(row["indicator"]),
            row.get("unit", ""),
            row["direction"],
            row["aggregation"],
            row.get("weight", ""),
            row.get("source", ""),
        )
    return out


def check(panel: pd.DataFrame, name: str = "indicators") -> None:
    """Raise one error that lists every fault of a panel; return nothing when there is none.

    Raises
    ------
    InputError
        Wrong index, repeated region-year pairs with their keys, columns that are not numbers, infinite values.

    Examples
    --------
    >>> at = pd.MultiIndex.from_tuples([("a", 2019), ("a", 2020)], names=["region", "year"])
    >>> check(pd.DataFrame({"income": [1.0, np.nan]}, index=at))
    >>> check(pd.DataFrame({"income": ["1", "2"]}, index=at))
    Traceback (most recent call last):
    kazgeo.errors.InputError: indicators: columns are not numbers: 'income'
    >>> check(pd.DataFrame({"income": [1.0]}, index=["a"]))
    Traceback (most recent call last):
    kazgeo.errors.InputError: indicators: the index must be (region, year); got one level named None
    """
    if panel.index.nlevels != 2 or list(panel.index.names) != ["region", "year"]:
        got = panel.index.names if panel.index.nlevels > 1 else f"one level named {panel.index.name}"
        raise InputError(f"{name}: the index must be (region, year); got {got}")
    found = []
    twice = panel.index[panel.index.duplicated()].unique()
    if len(twice):
        found.append(f"region and year are given more than once: {listing(twice.tolist())}")
    words = [c for c in panel.columns if panel[c].dtype.kind not in "iuf"]
    if words:
        found.append(f"columns are not numbers: {listing(words)}")
    endless = [c for c in panel.columns if c not in words and np.isinf(panel[c].to_numpy(dtype=float)).any()]
    if endless:
        found.append(f"columns have infinite values: {listing(endless)}")
    if found:
        raise InputError(f"{name}: " + "; ".join(found))


def read(
    source: Source | str | Path,
    *,
    indicator: str | None = None,
    names: pd.DataFrame | None = None,
    block: str | None = None,
) -> pd.DataFrame:
    """Return a panel from a long or a wide table, CSV, Excel or Parquet, as the bureau writes it.

    Assumption: a long table has columns region (or kato), year and either indicator and value, or one column per
    indicator. A wide table has years in a heading row and regions in the first column; rows above the heading are
    titles, rows without a figure are headings. Quarters, half-years and months are not years and are left out.

    Parameters
    ----------
    source : Source, str or Path
        ``file`` or ``file|layer=SHEET``.
    indicator : str, optional
        Name of the one indicator of a wide table (default "value").
    names : DataFrame, optional
        Indexed by code with columns of names: region names are then turned into codes, the country's name into
        000000000.
    block : str, optional
        Title of the block wanted, where a sheet repeats the regions in blocks one below another (all, urban, rural).

    Returns
    -------
    DataFrame
        MultiIndex (region, year), one float column per indicator, sorted.

    Raises
    ------
    InputError
        Unreadable file, cells that are no numbers, several blocks and none named, repeated keys (all listed).
    """
    src = source if isinstance(source, Source) else Source.parse(source)
    cells = _cells(Source(src.path, src.layer))
    columns = {str(c).strip().lower(): i for i, c in cells.iloc[0].items()} if len(cells) else {}
    region = next((columns[c] for c in _REGION_NAMES if c in columns), None)
    year = next((columns[c] for c in _YEAR_NAMES if c in columns), None)
    if region is not None and year is not None:
        long = _from_long(_headed(cells, {region: "region", year: "year"}, str(source)), str(source))
    else:
        long = wide.read_wide(cells, indicator or "value", block, str(source))
    if names is not None:
        long["region"] = _codes(long["region"], names)
    elif long["region"].map(_looks_like_kato).mean() > 0.5:  # one bad code among good ones is a typing error
        long["region"] = kato.check(long["region"], f"regions of {source}")
    return _pivot(long, str(source))


def _cells(source: Source) -> pd.DataFrame:
    """Return the table as cells, heading included, without empty rows."""
    if source.path.suffix.lower() == ".parquet":
        table = read_table(source)
        return pd.DataFrame([list(table.columns), *table.to_numpy(dtype=object).tolist()], dtype=object)
    return read_table(source, text=True).dropna(how="all").reset_index(drop=True)


def _headed(cells: pd.DataFrame, renamed: dict[Any, str], where: str) -> pd.DataFrame:
    """Return the rows below the heading as a table; region and year under their English names."""
    used = [c for c in cells.columns if cells[c].notna().any()]
    nameless = [i for i, c in enumerate(used, 1) if pd.isna(cells.loc[0, c])]
    if nameless:
        raise InputError(
            f"{where}: columns without a heading: {listing(nameless)} (counted from 1); name or remove them"
        )
    heading = [renamed.get(c, str(cells.loc[0, c]).strip()) for c in used]
    twice = sorted({h for h in heading if heading.count(h) > 1})
    if twice:
        raise InputError(f"{where}: columns are given more than once: {listing(twice)}")
    body = cells.iloc[1:][used]
    if not len(body):
        raise InputError(f"{where}: no row below the heading")
    if body[body.columns[heading.index("region")]].isna().any():
        raise InputError(f"{where}: the column of regions has empty cells")
    return body.set_axis(heading, axis=1)


def _codes(regions: pd.Series, names: pd.DataFrame) -> Any:
    """Return the code of every region named."""
    text = [c for c in names.columns if names[c].map(lambda v: isinstance(v, str)).any()]
    country = regions.map(clean_name).isin(_COUNTRY_NAMES)
    codes = regions.where(~country, kato.COUNTRY_CODE).astype(object)
    codes[~country] = match_names(regions[~country], names, text).to_numpy()
    return codes.to_numpy()


def _looks_like_kato(value: object) -> bool:
    text = "".join(str(value).split())
    return text.isdigit() and 8 <= len(text) <= 9


def _from_long(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return columns region, year, indicator, value of a long table."""
    years = table["year"].map(parse_year)
    if years.isna().any():
        raise InputError(f"{where}: not a year: {listing(table['year'][years.isna()].unique())}")
    table = table.assign(year=years.astype(int))
    if {"indicator", "value"} <= set(table.columns):
        out = table[["region", "year", "indicator", "value"]].copy()
        out["value"] = parse_numbers(out["value"])
        return out
    skip = {"region", "year", "name", "unit", "source", "note"}
    pieces = []
    for column in table.columns:
        if column not in skip and not str(column).startswith("name_"):
            values = parse_numbers(table[column])
            pieces.append(table[["region", "year"]].assign(indicator=str(column), value=values))
    if not pieces:
        raise InputError(f"{where}: no column of figures beside region and year")
    return pd.concat(pieces, ignore_index=True)


def _pivot(long: pd.DataFrame, where: str) -> pd.DataFrame:
    keys = ["region", "year", "indicator"]
    twice = long[long.duplicated(keys, keep=False)]
    if len(twice):
        shown = sorted({tuple(map(str, k)) for k in twice[keys].itertuples(index=False)})
        raise InputError(
            f"{where}: {len(shown)} keys are given more than once (region, year, indicator): {listing(shown)}"
        )
    panel = long.set_index(keys)["value"].unstack("indicator").sort_index()
    panel.columns.name = None
    return panel.astype(float)


def to_long(panel: pd.DataFrame) -> pd.DataFrame:
    """Return columns region, year, indicator, value; missing figures left out.

    Examples
    --------
    >>> at = pd.MultiIndex.from_tuples([("a", 2019), ("a", 2020)], names=["region", "year"])
    >>> to_long(pd.DataFrame({"income": [1.0, np.nan]}, index=at)).values.tolist()
    [['a', 2019, 'income', 1.0]]
    """
    long = panel.rename_axis(columns="indicator").stack().rename("value").dropna().reset_index()
    return long[["region", "year", "indicator", "value"]]


def rate(panel: pd.DataFrame, numerator: str, denominator: str, *, per: float = 1.0) -> pd.Series:
    """Return ``per * numerator / denominator`` for every region and year.

    Assumption: both columns describe the same region and year; where either is missing, or the denominator is not
    positive, the rate is missing.

    Parameters
    ----------
    panel : DataFrame
        Indexed by (region, year).
    numerator, denominator : str
        Columns, for instance doctors and population.
    per : float
        10 000 gives a rate per 10 000.

    Raises
    ------
    InputError
        When a column is missing or ``per`` isn't positive.

    Examples
    --------
    >>> at = pd.MultiIndex.from_tuples([("a", 2019), ("b", 2019)], names=["region", "year"])
    >>> frame = pd.DataFrame({"doctors": [30.0, 5.0], "population": [10_000.0, np.nan]}, index=at)
    >>> rate(frame, "doctors", "population", per=10_000).tolist()
    [30.0, nan]
    >>> rate(frame.iloc[:0], "doctors", "population").tolist()
    []
    """
    for column in (numerator, denominator):
        if column not in panel.columns:
            raise unknown("indicator", column, panel.columns, "a column of the panel")
    if not per > 0:
        raise InputError(f"per must be positive; got {per}")
    base = panel[denominator].where(panel[denominator] > 0)
    return (per * panel[numerator] / base).rename(f"{numerator}_per_{denominator}")
