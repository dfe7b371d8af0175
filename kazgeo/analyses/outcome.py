"""What every analysis of the catalogue returns: layer, tables, numbers, findings, and how to show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from kazgeo.errors import InputError
from kazgeo.locale import speaker
from kazgeo.messages import Message, Names, Num
from kazgeo.style import Chart, Raster, Style, Theme, TooltipField

if TYPE_CHECKING:
    import geopandas

__all__ = ["Outcome", "name_column", "names_of", "no_drops", "share", "told", "top"]


def no_drops() -> pd.DataFrame:
    """Return the empty table of dropped units."""
    return pd.DataFrame({"unit": pd.Series(dtype=object), "reason": pd.Series(dtype=object)})


@dataclass(frozen=True, eq=False)
class Outcome:
    """The result of one analysis.

    Parameters
    ----------
    findings : tuple of Message
        What was found, in plain sentences, the most important first.
    layer : GeoDataFrame or None
        Main map layer: the input's columns and the result's.
    panel : DataFrame or None
        A panel that later analyses read.
    tables : mapping
        Name to DataFrame.
    numbers : mapping
        Name to number, for models and closing tables.
    style : Style or None
        How the layer is drawn.
    by_year : tuple of (year, Style)
        Styles of the same layer by year, with common breaks, for a slider.
    fields : tuple of TooltipField
        What a tooltip tells besides.
    charts : tuple of Chart
        Figures to be drawn.
    dropped : DataFrame
        Columns unit, reason: every unit without a result.
    seed : int or None
        Of a stochastic analysis.
    size_column : str or None
        Column that sizes point symbols.
    rasters : mapping
        Name to Raster.
    files : mapping
        File name to content, for analyses that make a page or a picture.
    """

    findings: tuple[Message, ...]
    layer: geopandas.GeoDataFrame | None = None
    panel: pd.DataFrame | None = None
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    style: Style | None = None
    by_year: tuple[tuple[int, Style], ...] = ()
    fields: tuple[TooltipField, ...] = ()
    charts: tuple[Chart, ...] = ()
    dropped: pd.DataFrame = field(default_factory=no_drops)
    seed: int | None = None
    size_column: str | None = None
    rasters: Mapping[str, Raster] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    def to_frame(self) -> pd.DataFrame:
        """Return the main result as a table: the layer without shapes, else the panel, else the first table."""
        if self.layer is not None:
            return pd.DataFrame(self.layer.drop(columns=self.layer.geometry.name))
        if self.panel is not None:
            return self.panel
        return next(iter(self.tables.values()), pd.DataFrame())

    def summary(self, language: str = "en") -> str:
        """Return the findings as text, one sentence a line."""
        say = speaker(language).say
        return "\n".join(say(m) for m in self.findings)

    def theme(self, id_: str, title: str, language: str = "en", *, note: str | None = None) -> Theme:
        """Return the layer as one theme of a map.

        Raises
        ------
        InputError
            When there is no layer to draw.
        """
        if self.layer is None or self.style is None:
            raise InputError("this result has no map layer to draw")
        if note is None:
            note = speaker(language).say(self.findings[0]) if self.findings else ""
        column = name_column(self.layer, language)
        return Theme(id_, title, self.layer, self.style, column, self.fields, note, self.size_column)

    def themes(self, id_: str, title: str, language: str = "en") -> list[Theme]:
        """Return the theme, or one per year where the result has years."""
        one = self.theme(id_, title, language)
        if len(self.by_year) < 2:
            return [one]
        return [replace(one, id=f"{id_}:{year}", style=style) for year, style in self.by_year]

    def plot(self, title: str = "", language: str = "en") -> Any:
        """Return a print map (a matplotlib Figure)."""
        from kazgeo.plots import print_map

        return print_map(self.theme("map", title, language), language=language)

    def explore(self, title: str = "", language: str = "en") -> Any:
        """Return a web map (a folium Map)."""
        from kazgeo.webmap import build

        return build(self.themes("map", title, language), title=title, language=language)


def name_column(layer: pd.DataFrame, language: str) -> str | None:
    """Return the column of names in the language, else in another one, else None.

    Examples
    --------
    >>> name_column(pd.DataFrame(columns=["name_en", "name_kk"]), "kk")
    'name_kk'
    >>> name_column(pd.DataFrame(columns=["ADM1_RU", "ADM2_RU"]), "ru")
    'ADM2_RU'
    >>> name_column(pd.DataFrame(columns=["x"]), "ru") is None
    True
    """
    columns = {str(c).lower(): c for c in layer.columns}
    for lang in dict.fromkeys((language, "en", "ru", "kk")):
        for pattern in ("name_{}", "adm2_{}", "adm1_{}", "adm0_{}"):
            if pattern.format(lang) in columns:
                return str(columns[pattern.format(lang)])
    return str(columns["name"]) if "name" in columns else None


def names_of(layer: pd.DataFrame) -> dict[Any, Names]:
    """Return the names of all units in three languages; where one is missing another stands in, at last the id.

    Examples
    --------
    >>> table = pd.DataFrame({"name": ["Ақсу", None], "name_ru": ["Аксу", None]}, index=["a", "b"])
    >>> names_of(table)["a"]
    Names(en='Ақсу', ru='Аксу', kk='')
    >>> names_of(table)["b"].en
    'b'
    """
    columns = {lang: name_column(layer, lang) for lang in ("en", "ru", "kk")}
    exact = {lang: c for lang, c in columns.items() if c is not None and c.lower().endswith(f"_{lang}")}
    plain = next((c for c in layer.columns if str(c).lower() == "name"), None)
    order = [exact.get("en"), plain, exact.get("ru"), exact.get("kk")]

    def text(unit: Any, column: Any) -> str:
        value = layer.at[unit, column] if column is not None else None
        return value.strip() if isinstance(value, str) else ""

    def one(unit: Any) -> Names:
        first = next((t for t in (text(unit, c) for c in order) if t), str(unit))
        return Names(first, text(unit, exact.get("ru")), text(unit, exact.get("kk")))

    return {unit: one(unit) for unit in layer.index}


def told(dropped: pd.DataFrame) -> tuple[Message, ...]:
    """Return one sentence per reason for which units were dropped; up to five units are named by their id."""
    out = []
    for reason, rows in dropped.groupby("reason", sort=True):
        values = {"n": len(rows), "reason": Message(str(reason))}
        if len(rows) <= 5:
            units = tuple(str(u) for u in rows["unit"])
            out.append(Message("Without a result: {n} ({reason}): {units}.", {**values, "units": units}))
        else:
            out.append(Message("Without a result: {n} ({reason}).", values))
    return tuple(out)


def share(part: float, whole: float) -> Num:
    """Return a share in percent."""
    return Num(100 * part / whole if whole else float("nan"), 1, "%")


def minutes_told(value: float) -> Num:
    """Return a limit in minutes with as many digits as it was given, two at most.

    Examples
    --------
    >>> [minutes_told(v).decimals for v in (60.0, 8.2, 12.36, 200 / 3)]
    [0, 1, 2, 2]
    """
    digits = next((d for d in (0, 1) if round(value, d) == round(value, 2)), 2)
    return Num(value, digits, "min")


def top(values: pd.Series, names: Mapping[Any, Names], count: int = 5) -> pd.Series:
    """Return the largest values, each name once: a place listed twice in a gazetteer is one place to a reader."""
    ranked = values.dropna().sort_values(ascending=False, kind="stable")
    seen: set[str] = set()
    chosen = []
    for unit in ranked.index:
        if names[unit].en not in seen:
            seen.add(names[unit].en)
            chosen.append(unit)
        if len(chosen) == count:
            break
    return ranked.loc[chosen]
