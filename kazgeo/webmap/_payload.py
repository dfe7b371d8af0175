"""The page's data: geometry once, columns once, themes that point at them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from kazgeo.locale import Speaker
from kazgeo.messages import Message
from kazgeo.webmap._geometry import ShapePool, encode
from kazgeo.webmap._words import words
from kazgeo.widths import CASING_COLOR, CASING_PT, MISSING_WIDTH_PT, line_widths, needs_casing

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from kazgeo.style import Backdrop, Theme, TooltipField

__all__ = ["payload"]

_PX_PER_PT = 96 / 72
_DASHES = ("8 4", "2 3", "10 4 2 4", "4 2")
_LEAST_RADIUS_PX = 2.5
_LARGEST_RADIUS_PX = 15.0
#: Above this many points the largest circle shrinks, so that a dense map stays readable.
_MANY_POINTS = 1_500

_LANGUAGE_ENDING = re.compile(r"[_ .-]?(en|ru|kk|kz)$", re.I)
#: Leftovers around a year taken out of a title: "GRP, 2009", "ВРП (2009 г.)", "ЖӨӨ, 2009 ж."
_YEAR_WORD = r"(?:\s*(?:г|ж|гг|жж)\.?(?!\w))?"


def payload(themes: Sequence[Theme], backdrop: Backdrop | None, speaker: Speaker) -> dict[str, Any]:
    """Return everything the script draws, as plain JSON data in the reader's language."""
    writer = _Writer(speaker)
    made = [writer.theme(t) for t in themes]
    back = writer.backdrop(backdrop)
    if "outline" not in back:
        polygons = [t["shape"] for t in made if t["kind"] == "polygon"]
        if polygons:
            back["outline"] = polygons[0]
    return {
        "language": speaker.language,
        "words": words(speaker),
        "groups": _groups(themes, made),
        "themes": made,
        "shapes": [writer.shape(i) for i in range(len(writer.pool.shapes))],
        "columns": writer.columns,
        "backdrop": back,
        "bounds": _bounds(writer.pool, {t["shape"] for t in made}),
    }


@dataclass
class _Writer:
    speaker: Speaker
    pool: ShapePool = field(default_factory=ShapePool)
    columns: list[list[Any]] = field(default_factory=list)
    _known: dict[str, int] = field(default_factory=dict)
    _names: dict[int, list[int]] = field(default_factory=dict)

    def column(self, values: list[Any]) -> int:
        """Return the number of a column, kept once however many themes show it."""
        key = json.dumps(values, ensure_ascii=False)
        if key not in self._known:
            self._known[key] = len(self.columns)
            self.columns.append(values)
        return self._known[key]

    def shape(self, number: int) -> dict[str, Any]:
        """Return one geometry with the names that the search box knows."""
        shape = self.pool.shapes[number]
        names = self._names.get(number, [])
        return {"kind": shape.kind, "units": shape.coordinates, "order": shape.order, "names": names}

    def theme(self, theme: Theme) -> dict[str, Any]:
        """Return one theme: its classes by unit, its legend, what its tooltip tells."""
        number = self.pool.add(theme.data)
        shape = self.pool.shapes[number]
        data = theme.data.loc[shape.index]
        style, say = theme.style, self.speaker.translate
        codes = style.codes(data[style.column])
        names = self._name_columns(theme, data, number)
        fields = [self._field(f, data) for f in theme.fields if f.column != style.column]
        drawn: list[Any]
        if style.kind == "categorical":
            labels = style.labels(self.speaker)
            drawn = [labels[c] if c >= 0 else None for c in codes]
        else:
            drawn = _numbers(data[style.column], style.decimals)
        point = shape.kind == "point"
        radius = _radii(theme, data) if point else None
        order = None
        if shape.kind != "polygon":
            order = self.column(_drawing_order(theme, codes, radius))
        return {
            "id": theme.id,
            "title": theme.title,
            "kind": shape.kind,
            "shape": number,
            "codes": self.column(codes.tolist()),
            "colors": [c.color for c in style.classes],
            "missing_color": style.missing_color,
            "names": names,
            "radius": None if radius is None else self.column([round(float(r), 1) for r in radius]),
            "order": order,
            "line": _line(theme, bool((codes < 0).any())) if shape.kind == "line" else None,
            "value": {
                "label": say(style.title),
                "unit": say(style.unit) if style.unit else "",
                "decimals": style.decimals,
                "column": self.column(drawn),
                "missing": say(style.missing_label),
            },
            "fields": fields,
            "legend": self._legend(theme, data, codes, shape.placed),
        }

    def _name_columns(self, theme: Theme, data: pd.DataFrame, number: int) -> int | None:
        if theme.name_column is None and self.pool.shapes[number].kind == "line":
            return None  # lines are numbered, not named: nobody asks for edge 217
        labels = [str(i) for i in data.index]
        shown = labels
        known = self._names.setdefault(number, [])
        if theme.name_column is not None:
            shown = [
                label if text is None else str(text)
                for label, text in zip(labels, _plain(data[theme.name_column]), strict=True)
            ]
        found = self.column(shown)
        siblings = [self.column(_texts(data[c])) for c in _siblings(theme.name_column, data.columns)]
        for column in [found, *siblings, self.column(labels)]:
            if column not in known:
                known.append(column)
        return found

    def _field(self, told: TooltipField, data: pd.DataFrame) -> dict[str, Any]:
        say, values = self.speaker.translate, data[told.column]
        terms = {str(code): say(label) for code, label in told.terms}
        column = _values(values, told.decimals, {True: say("yes"), False: say("no")})
        if terms:
            column = [None if v is None else terms.get(str(v), v) for v in _plain(values)]
            column = [v if v is None or isinstance(v, (int, float)) else str(v) for v in column]
        return {
            "label": say(told.label),
            "unit": say(told.unit) if told.unit else "",
            "decimals": told.decimals,
            "column": self.column(column),
        }

    def _legend(
        self, theme: Theme, data: pd.DataFrame, codes: NDArray[np.int64], placed: NDArray[np.bool_]
    ) -> dict[str, Any]:
        style, speaker = theme.style, self.speaker
        empty = data[style.column].isna().to_numpy()
        missing = int((placed & (codes < 0) & empty).sum())
        outside = int((placed & (codes < 0) & ~empty).sum())
        rows = [
            {"color": c.color, "label": label,
             "count": speaker.number(int((placed & (codes == i)).sum())) if style.counted else ""}
            for i, (c, label) in enumerate(zip(style.classes, style.labels(speaker), strict=True))
        ]  # fmt: skip
        unplaced = int((~placed).sum())
        return {
            "title": speaker.translate(style.title),
            "unit": speaker.translate(style.unit) if style.unit else "",
            "rows": rows,
            "missing": {"label": speaker.translate(style.missing_label), "count": speaker.number(missing)},
            "outside": {"label": speaker.translate("outside the classes"), "count": speaker.number(outside)}
            if outside
            else None,
            "unplaced": speaker.say(Message("{n} without a place on the map", {"n": unplaced})) if unplaced else "",
            "note": theme.note,
            "sizes": self._size_legend(theme, data),
        }

    def _size_legend(self, theme: Theme, data: pd.DataFrame) -> dict[str, Any] | None:
        if theme.size_column is None:
            return None
        sizes = _floats(data[theme.size_column])
        largest = float(np.nanmax(sizes, initial=0.0))
        if largest <= 0:
            return None
        told = next((f for f in theme.fields if f.column == theme.size_column), None)
        say, decimals = self.speaker.translate, told.decimals if told else 0
        limit = _largest_radius(len(data))
        # everything up to here is drawn with the smallest circle that can be seen
        least = _round_number(largest * (_LEAST_RADIUS_PX / limit) ** 2)
        top = _round_number(largest)
        steps = sorted({least, _round_number(math.sqrt(least * top)), top})
        return {
            "label": say(told.label if told else theme.size_column),
            "unit": say(told.unit) if told and told.unit else "",
            "rows": [
                {
                    "radius": round(_radius(v, largest, limit), 1),
                    "label": ("≤ " if v == least else "") + self.speaker.number(v, decimals),
                }
                for v in steps
            ],
        }

    def backdrop(self, backdrop: Backdrop | None) -> dict[str, Any]:
        """Return the numbers of the backdrop's shapes and the cities' names."""
        out: dict[str, Any] = {}
        for name in ("neighbours", "water", "outline", "roads"):
            data = getattr(backdrop, name, None)
            if data is not None and len(data):
                out[name] = self.pool.add(data)
        cities = getattr(backdrop, "cities", None)
        if backdrop is not None and cities is not None and len(cities):
            if "population" in cities.columns:
                cities = cities.sort_values("population", ascending=False, kind="stable")
            places = [encode(p) for p in cities.geometry.to_crs(4326)]
            names = _texts(cities[backdrop.city_name])
            out["cities"] = [[name, *xy] for name, xy in zip(names, places, strict=True) if xy and name]
        return out


def _groups(themes: Sequence[Theme], made: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the entries of the list of maps: one theme, or several that a slider runs through."""
    by_prefix: dict[str, list[int]] = {}
    for i, theme in enumerate(themes):
        prefix, colon, _ = theme.id.partition(":")
        by_prefix.setdefault(f"{prefix}:" if colon else theme.id, []).append(i)
    groups: list[dict[str, Any]] = []
    for prefix, members in by_prefix.items():
        if len(members) == 1:
            groups.append({"title": themes[members[0]].title, "themes": members, "steps": []})
            continue
        steps = {i: themes[i].id[len(prefix) :] for i in members}
        if all(re.fullmatch(r"-?\d+", s) for s in steps.values()):
            members.sort(key=lambda i: int(steps[i]))
        titles = {_without(themes[i].title, steps[i]) for i in members}
        title = titles.pop() if len(titles) == 1 else themes[members[-1]].title
        groups.append({"title": title, "themes": members, "steps": [steps[i] for i in members]})
    for group in groups:
        group["kind"] = made[group["themes"][0]]["kind"]
    return groups


def _without(title: str, step: str) -> str:
    """Return a title without the step that the slider shows.

    Examples
    --------
    >>> _without("GRP per head, 2009", "2009"), _without("ВРП (2009 г.)", "2009"), _without("Gini", "2009")
    ('GRP per head', 'ВРП', 'Gini')
    """
    cut = re.sub(rf"[\s,;:–—-]*\(?\b{re.escape(step)}\b{_YEAR_WORD}\)?", "", title).strip(" ,;:–—-")
    return cut or title


def _bounds(pool: ShapePool, numbers: Iterable[int]) -> list[float]:
    boxes = np.array([pool.shapes[n].bounds for n in numbers])
    return [round(float(b), 4) for b in (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0))]


def _siblings(name: str | None, columns: Iterable[object]) -> list[str]:
    """Return the other columns that hold the same name in another language: ``name_ru`` for ``name_kk``."""
    if name is None:
        return []
    stem = _LANGUAGE_ENDING.sub("", name).casefold()
    texts = [c for c in columns if isinstance(c, str) and c != name and c != "geometry"]
    return [c for c in texts if _LANGUAGE_ENDING.sub("", c).casefold() == stem]


def _plain(values: pd.Series) -> list[Any]:
    return [None if missing else v for v, missing in zip(values.tolist(), values.isna(), strict=True)]


def _texts(values: pd.Series) -> list[Any]:
    return [None if v is None else str(v) for v in _plain(values)]


def _floats(values: pd.Series) -> NDArray[np.float64]:
    floats: NDArray[np.float64] = values.to_numpy(dtype=float, na_value=np.nan)
    return floats


def _number(value: float, decimals: int) -> float | int | str | None:
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    rounded = round(value, decimals)
    return int(rounded) if rounded == int(rounded) else rounded


def _numbers(values: pd.Series, decimals: int) -> list[Any]:
    return [_number(float(v), decimals) for v in _floats(values)]


def _values(values: pd.Series, decimals: int, truth: dict[bool, str]) -> list[Any]:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if is_numeric_dtype(values.dtype) and not is_bool_dtype(values.dtype):
        return _numbers(values, decimals)

    def plain(value: Any) -> Any:
        if isinstance(value, (bool, np.bool_)):
            return truth[bool(value)]
        if isinstance(value, (int, float, np.number)):
            return _number(float(value), decimals)
        return None if value is None else str(value)

    return [plain(v) for v in _plain(values)]


def _largest_radius(n: int) -> float:
    return _LARGEST_RADIUS_PX if n <= _MANY_POINTS else max(7.0, _LARGEST_RADIUS_PX * math.sqrt(_MANY_POINTS / n))


def _radius(value: float, largest: float, limit: float) -> float:
    return max(_LEAST_RADIUS_PX, limit * math.sqrt(value / largest)) if value > 0 else _LEAST_RADIUS_PX


def _radii(theme: Theme, data: pd.DataFrame) -> list[float]:
    """Return radii in pixels: the circle's area follows the size, never smaller than can be seen."""
    if theme.size_column is None:
        return [5.0 if len(data) <= 500 else 4.0 if len(data) <= 2_000 else 3.0] * len(data)
    sizes = _floats(data[theme.size_column])
    largest = float(np.nanmax(sizes, initial=0.0))
    return [_radius(v, largest, _largest_radius(len(data))) for v in sizes]


def _round_number(value: float) -> float:
    """Return the largest 1, 2 or 5 times a power of ten that is not above the value.

    Examples
    --------
    >>> [_round_number(v) for v in (1999.0, 26.0, 0.7)]
    [1000.0, 20.0, 0.5]
    """
    power = 10.0 ** math.floor(math.log10(value))
    return max(m * power for m in (1, 2, 5) if m * power <= value * (1 + 1e-12))


def _line(theme: Theme, missing: bool) -> dict[str, Any]:
    """Return how lines are drawn: widths in pixels and dashes by class, the missing class last, and the casing."""
    classes = theme.style.classes
    dashes = iter(_DASHES * len(classes))
    colors = [c.color for c in classes] + [theme.style.missing_color] * missing
    widths = [*line_widths(theme.style.kind, len(classes)), MISSING_WIDTH_PT]
    return {
        "widths": [round(w * _PX_PER_PT, 2) for w in widths],
        "dashes": [*(next(dashes) if c.hatch else "" for c in classes), _DASHES[-1]],
        "casing": {"color": CASING_COLOR, "more": round(CASING_PT * _PX_PER_PT, 2)} if needs_casing(colors) else None,
    }


def _drawing_order(theme: Theme, codes: NDArray[np.int64], radius: Sequence[float] | None) -> list[int]:
    """Return the drawing order, missing first.

    Points: large before small, frequent categories before rare ones. Lines: thin before wide.
    """
    if radius is None:
        widths = np.array([*line_widths(theme.style.kind, len(theme.style.classes)), 0.0])
        found: list[int] = np.argsort(widths[codes], kind="stable").tolist()
        return found
    counts = np.bincount(codes[codes >= 0], minlength=len(theme.style.classes))
    rarity = np.where(codes >= 0, counts[codes], 0) if theme.style.kind == "categorical" else codes * 0
    keys = zip((codes >= 0).tolist(), [-r for r in radius], (-rarity).tolist(), range(len(codes)), strict=True)
    return [key[-1] for key in sorted(keys)]
