"""Wide tables: years in a heading row, regions below, sometimes several blocks one below another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from kazgeo.errors import InputError, listing, unknown
from kazgeo.parsing import clean_name, parse_numbers, parse_year

__all__ = ["read_wide"]

_WHOLE_YEAR = {"year", "год", "жыл"}
_PART_OF_YEAR = re.compile(r"квартал|quarter|тоқсан|полугоди|half|жартыжыл|месяц|month|ай(?:лар)?ы?$")


@dataclass
class _Block:
    """Rows of figures under one title: row label, year to figure."""

    title: str
    rows: list[tuple[str, dict[int, Any]]] = field(default_factory=list)
    keys: set[tuple[str, int]] = field(default_factory=set)


def read_wide(cells: pd.DataFrame, indicator: str, block: str | None, where: str) -> pd.DataFrame:
    """Return columns region, year, indicator, value of a table whose heading rows must be found.

    Parameters
    ----------
    cells : DataFrame
        All cells, titles and headings included.
    indicator : str
        Name of what is counted.
    block : str, optional
        Title of the block wanted, where there are several.
    where : str
        Name of the file for messages.

    Raises
    ------
    InputError
        No heading of years, years of quarters only, several blocks and none named, cells that are no numbers.

    Examples
    --------
    >>> cells = pd.DataFrame([["Schools", None], [None, "2019/20 1)"], ["Абай", "-"], ["Астана2)", "1 024"]])
    >>> read_wide(cells, "schools", None, "a file").values.tolist()
    [['Абай', 2019, 'schools', nan], ['Астана2)', 2019, 'schools', 1024.0]]
    """
    headings = _headings(cells)
    if not headings:
        raise InputError(f"{where}: wanted columns region and year, or a heading row of years; found neither")
    columns = {h: _whole_years(cells, h, where) for h in headings}
    twice = {y for years in columns.values() for y in years.values() if list(years.values()).count(y) > 1}
    if twice:
        raise InputError(f"{where}: a heading names a year more than once: {listing(sorted(twice))}")
    found = [b for b in _blocks(cells, columns) if b.rows]
    titles = [b.title for b in found]
    if block is not None:
        chosen = [b for b in found if clean_name(b.title) == clean_name(block)]
        if not chosen:
            raise unknown("block", block, [t for t in titles if t], f"a block of {where}")
        found = chosen
    if len(found) > 1:
        raise InputError(
            f"{where}: the regions are repeated in {len(found)} blocks ({listing(titles)}); say which with block=..."
        )
    return _long(found[0].rows if found else [], indicator, where)


def _long(rows: list[tuple[str, dict[int, Any]]], indicator: str, where: str) -> pd.DataFrame:
    flat = [(region, year, value) for region, figures in rows for year, value in figures.items()]
    if not flat:
        raise InputError(f"{where}: no row of figures below the heading of years")
    out = pd.DataFrame(flat, columns=["region", "year", "value"])
    cells = pd.Series(out["value"].to_list(), index=[f"{r}, {y}" for r, y, _ in flat], name=indicator, dtype=object)
    return out.assign(indicator=indicator, value=parse_numbers(cells).to_numpy())[
        ["region", "year", "indicator", "value"]
    ]


def _headings(cells: pd.DataFrame) -> list[int]:
    """Return the rows that are headings of years.

    The row with most years is one; so is any other with at least half as many and the same first cell. A row of
    figures that happen to look like years has a region's name there.
    """
    if not len(cells):
        return []
    years = cells.map(parse_year)
    count = years.notna().sum(axis=1)
    if count.max() < 1:
        return []
    best = int(count.idxmax())
    first = cells[cells.columns[0]].map(clean_name)
    return [
        int(row)
        for row in cells.index[(count >= max(1, count[best] / 2)) & (first == first[best])]
        if years.loc[row].dropna().is_monotonic_increasing
    ] or [best]


def _whole_years(cells: pd.DataFrame, heading: int, where: str) -> dict[Any, int]:
    """Return column to year; where a second heading row names quarters, only its column "year" counts."""
    years = cells.loc[heading].map(parse_year)
    direct = {c: int(y) for c, y in years.items() if y is not None and y == y}
    words = _second_heading(cells, heading)
    if words is None:
        return direct
    spread = years.astype(float).ffill()
    whole = {c: int(spread[c]) for c in cells.columns if words[c] in _WHOLE_YEAR and spread[c] == spread[c]}
    if whole:
        return whole
    parts = [c for c in cells.columns if _PART_OF_YEAR.search(words[c])]
    if parts:
        rest = {c: y for c, y in direct.items() if c not in parts}
        if not rest:
            raise InputError(
                f"{where}: the figures are by parts of a year ({words[parts[0]]}), none is of a whole year"
            )
        return rest
    several = [int(y) for y, n in spread[words != ""].value_counts().items() if n > 1]
    if several:
        raise InputError(
            f"{where}: {several[0]} stands over several columns ({listing(words[words != ''].unique())}); "
            "leave one column for each year"
        )
    return direct


def _second_heading(cells: pd.DataFrame, heading: int) -> pd.Series | None:
    """Return the words of the row below the heading, None when that is a row of figures."""
    if heading + 1 not in cells.index:
        return None
    below = cells.loc[heading + 1]
    words = below.map(clean_name)
    telling = words.isin(_WHOLE_YEAR) | words.map(lambda w: bool(_PART_OF_YEAR.search(w)))
    nameless = words.iloc[0] == "" and (words != "").sum() > 1 and not words.str.contains(r"\d").any()
    return words if telling.iloc[1:].any() or nameless else None


def _blocks(cells: pd.DataFrame, headings: dict[int, dict[Any, int]]) -> Iterator[_Block]:
    """Yield the blocks; a new one starts where, after a title or a heading, a region and year come again."""
    columns: dict[Any, int] = {}
    current, title, parted = _Block(""), "", False
    skip = {h + 1 for h in headings if _second_heading(cells, h) is not None}
    for row, values in cells.iterrows():
        if row in headings:
            columns, parted = headings[row], True
            continue
        label = values.iloc[0]
        if row in skip or label is None or label != label:
            continue
        figures = {year: values[c] for c, year in columns.items() if values[c] is not None and values[c] == values[c]}
        if not figures:
            title, parted = str(label).strip(), True
            continue
        keys = {(clean_name(label), year) for year in figures}
        if not current.rows:
            current.title = title
        elif parted and keys & current.keys:
            yield current
            current = _Block(title)
        current.rows.append((str(label), figures))
        current.keys |= keys
        parted = False
    yield current
