"""Layers as they look in QGIS become one web map: names, colours and classes are those of the layer tree."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kazgeo.errors import InputError, unknown
from kazgeo.io import Source, read_vector
from kazgeo.locale import Speaker, speaker
from kazgeo.messages import Message
from kazgeo.progress import Progress
from kazgeo.style import MISSING_COLOR, Style, StyleClass, Theme, TooltipField

if TYPE_CHECKING:
    import folium
    import geopandas
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["export"]

_KINDS = ("categorical", "graduated", "single")
_MIDNIGHT = "T00:00:00.000"
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def export(job: Mapping[str, Any], progress: Progress) -> tuple[Path, list[str]]:
    """Make one web map of layers as QGIS shows them.

    Assumption: labels, aliases and titles are in the reader's language already and go through unchanged. Several
    points of one feature become that many.

    Parameters
    ----------
    job : mapping
        ``title``, ``language``, ``target`` (an .html file), ``sources`` and ``layers``: each with ``file``, ``layer``
        or None, ``count`` (features that it must have; optional), ``title``, ``visible`` and ``style``
        as ``kazgeo_qgis.renderers.read`` returns it.
    progress : callable
        Reporter.

    Returns
    -------
    Path
        The page.
    list of str
        What was left out, in the reader's language.

    Raises
    ------
    InputError
        Whatever is wrong with the job or its layers; no page is written then.
    """
    from kazgeo.webmap import save

    speech = speaker(str(job.get("language") or "en"))
    target = Path(str(_wanted(job, "target", "job")))
    if target.suffix.lower() not in {".html", ".htm"}:
        raise InputError(f"target must be a file whose name ends in .html; got '{target.name}'")
    if not target.parent.is_dir():
        raise InputError(f"target: the folder '{target.parent}' does not exist; choose another")
    # the first theme is what the page opens with; sorting keeps the order of the layer tree otherwise
    layers = sorted(job.get("layers") or (), key=lambda one: not one.get("visible", True))
    if not layers:
        raise InputError("layers is empty; choose at least one layer for the web map")
    themes: list[Theme] = []
    said: list[str] = []
    for place, one in enumerate(layers):
        progress(0.6 * place / len(layers), "reading")
        theme, told = _theme(f"t{place + 1}", one, speech)
        said += [speech.say(message) for message in told]
        themes += [theme] if theme is not None else []
    if not themes:
        raise InputError("nothing to draw: no layer has a feature that is shown; " + " ".join(said))
    progress(0.6, "drawing")
    page = _page(job, themes, speech.language, said)
    progress(0.9, "writing")
    save(page, target)
    progress(1.0, "done")
    return target, said


def _page(job: Mapping[str, Any], themes: Sequence[Theme], language: str, said: list[str]) -> folium.Map:
    from kazgeo.webmap import build

    title = str(job.get("title") or "").strip() or themes[0].title
    sources = [str(s) for s in job.get("sources") or ()]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            page = build(themes, title=title, language=language, sources=sources)
        except InputError as error:
            raise InputError(_named(str(error), themes)) from error
    said += [_named(str(w.message), themes) for w in caught if w.category is UserWarning]
    return page


def _theme(ident: str, one: Mapping[str, Any], speech: Speaker) -> tuple[Theme | None, list[Message]]:
    """Return a layer as a theme, None when nothing of it is shown, and what was left out."""
    file = str(_wanted(one, "file", "layer"))
    title = str(one.get("title") or one.get("layer") or Path(file).stem)
    where = f"layer '{title}'"
    look = _wanted(one, "style", where)
    if not isinstance(look, Mapping):
        raise InputError(f"{where}: style must be a JSON object; got {type(look).__name__}")
    data = read_vector(Source(Path(file), one.get("layer")))
    count = one.get("count")
    if count is not None and int(count) != len(data):
        raise InputError(f"{title}: QGIS has {count} features, {len(data)} arrived; save the layer and try again")
    told: list[Message] = []
    data = _placed(data, title, told)
    style, data = _style(look, data, where, speech)
    data, style = _shown(data, style, look, title, told)
    if len(data) == 0:
        return None, [*told, Message("{layer}: no feature is shown, the layer is left out.", {"layer": title})]
    there = set(data.columns)
    fields = [f for f in look.get("fields") or () if f.get("column") in there]
    lost = [str(f.get("column")) for f in look.get("fields") or () if f.get("column") not in there]
    name, size = look.get("name_column"), look.get("size_column")
    lost += [str(c) for c in (name, size) if c is not None and c not in there]
    if lost:
        words = "{layer}: fields that the file does not have, left out: {columns}."
        told.append(Message(words, {"layer": title, "columns": tuple(dict.fromkeys(lost))}))
    tips = tuple(_tip(f, data[f["column"]]) for f in fields)
    name, size = name if name in there else None, size if size in there else None
    return Theme(ident, title, data, style, name, tips, size_column=size), told


def _placed(data: geopandas.GeoDataFrame, title: str, told: list[Message]) -> geopandas.GeoDataFrame:
    from kazgeo.crs import has_place

    there = has_place(data.geometry.to_numpy())
    lost = int((~there).sum())
    if lost:
        told.append(Message("{layer}: features without a geometry, left out: {n}.", {"layer": title, "n": lost}))
    data = data[there]
    several = data.geometry.geom_type == "MultiPoint"
    return data.explode(ignore_index=True) if several.any() else data


def _shown(
    data: geopandas.GeoDataFrame, style: Style, look: Mapping[str, Any], title: str, told: list[Message]
) -> tuple[geopandas.GeoDataFrame, Style]:
    """Leave out what QGIS does not draw: classes switched off, and values in no class."""
    import numpy as np

    codes = style.codes(data[style.column])
    hidden = [bool(c.get("hidden")) for c in look["classes"]]
    hidden += [False] * (len(style.classes) - len(hidden))
    off: NDArray[np.bool_] = np.isin(codes, np.flatnonzero(hidden))
    rest: NDArray[np.bool_] = (codes < 0) & bool(look.get("missing_hidden"))
    for lost, words in (
        (off, "{layer}: features of classes that are switched off in QGIS, left out: {n}."),
        (rest, "{layer}: features in no class that QGIS draws, left out: {n}."),
    ):
        if lost.any():
            told.append(Message(words, {"layer": title, "n": int(lost.sum())}))
    kept = tuple(c for c, h in zip(style.classes, hidden, strict=True) if not h)
    return data[~(off | rest)], replace(style, classes=kept)


# --- styles ---------------------------------------------------------------------------------------------


class _AsIs(str):
    """A text in the reader's language that no catalogue translates, even when it is spelt like a msgid."""

    __slots__ = ()

    def __hash__(self) -> int:
        return ~super().__hash__()  # found in no dictionary of plain texts


class _AsShown(Style):
    """A style whose classes are called what QGIS calls them, ranges included."""

    def labels(self, speaker: Speaker) -> list[str]:
        """Return the labels as they are; a range without one gets its interval."""
        intervals = super().labels(speaker) if self.kind == "graduated" else [""] * len(self.classes)
        return [speaker.translate(c.label) or interval for c, interval in zip(self.classes, intervals, strict=True)]


def _style(
    look: Mapping[str, Any], data: geopandas.GeoDataFrame, where: str, speech: Speaker
) -> tuple[Style, geopandas.GeoDataFrame]:
    """Return the style, and the data with the column it draws."""
    kind = look.get("kind")
    if kind not in _KINDS:
        raise unknown("style.kind", str(kind), _KINDS, f"a kind of style ({where})")
    given = look.get("classes") or ()
    if not given:
        raise InputError(f"{where}: style.classes is empty; classify the layer first")
    classes = [_class(c, place, where) for place, c in enumerate(given)]
    missing_color = _color(look.get("missing_color") or MISSING_COLOR, "missing_color", where)
    missing = look.get("missing_label")
    column = look.get("column")
    if kind != "single" and column not in data.columns:
        names = [str(c) for c in data.columns if c != data.geometry.name]
        raise unknown("column", str(column), names, f"a column of {where}")
    if kind == "graduated":
        _check_numbers(data[column], where)
        limits = [(_limit(g, "lower", -math.inf, where), _limit(g, "upper", math.inf, where)) for g in given]
        classes = [replace(c, lower=a, upper=b) for c, (a, b) in zip(classes, limits, strict=True)]
        drawn = str(column)
    else:
        drawn = next(name for name in _fresh("class") if name not in data.columns)
        codes = ["0"] * len(data) if kind == "single" else _coded(data[column], given)
        if kind == "categorical" and not missing and not look.get("missing_hidden"):
            # QGIS draws them like missing values, without a word of its own
            other = [code is None and known for code, known in zip(codes, data[column].notna(), strict=True)]
            if any(other):
                codes = [str(len(classes)) if o else code for o, code in zip(other, codes, strict=True)]
                classes.append(StyleClass(missing_color, _AsIs(speech.translate("outside the classes"))))
        classes = [replace(c, value=str(place)) for place, c in enumerate(classes)]
        data = data.assign(**{drawn: codes})
    return _AsShown(
        drawn,
        _AsIs(str(look.get("title") or column or "") if kind != "single" else " "),
        "graduated" if kind == "graduated" else "categorical",
        tuple(classes),
        unit=_AsIs(look.get("unit") or ""),
        decimals=int(look.get("decimals") or 0),
        missing_label=_AsIs(missing) if missing else "no data",
        missing_color=missing_color,
    ), data


def _check_numbers(values: pd.Series, where: str) -> None:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if not is_numeric_dtype(values.dtype) or is_bool_dtype(values.dtype):
        raise InputError(f"{where}: column '{values.name}' must be numbers for ranges; got {values.dtype}; convert it")


def _class(given: Mapping[str, Any], place: int, where: str) -> StyleClass:
    color = _color(given.get("color"), f"color of class {place + 1}", where)
    value = given.get("value")
    named = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")
    return StyleClass(color=color, label=_AsIs(given.get("label") or named))


def _color(text: object, what: str, where: str) -> str:
    if not isinstance(text, str) or not _COLOR.fullmatch(text):
        raise InputError(f"{where}: {what} must be written #rrggbb; got {text!r}")
    return text.lower()


def _limit(given: Mapping[str, Any], end: str, open_: float, where: str) -> float:
    value = given.get(end)
    if value is None:
        return open_
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{where}: {end} of a class must be a number or null; got {value!r}")
    return float(value)


def _coded(values: pd.Series, given: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """Return the number of every value's class as text, None in no class; as in QGIS the last class that has it."""
    place_of: dict[str, str] = {}
    for place, one in enumerate(given):
        value = one.get("value")
        for text in value if isinstance(value, list | tuple) else [value]:
            place_of[_text(text).removesuffix(_MIDNIGHT)] = str(place)
    missing = values.isna()
    return [None if m else place_of.get(_text(v)) for v, m in zip(values.tolist(), missing, strict=True)]


def _text(value: object) -> str:
    """Return a value as the plugin writes those of categories; midnight is the day.

    Examples
    --------
    >>> import pandas as pd
    >>> _text(3.0), _text(2.5), _text(True), _text("high-high"), _text(pd.Timestamp("2020-01-02 03:04"))
    ('3', '2.5', 'true', 'high-high', '2020-01-02T03:04:00.000')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(timespec="milliseconds").removesuffix(_MIDNIGHT)
    return str(value)


def _fresh(stem: str) -> Iterator[str]:
    yield stem
    number = 1
    while True:
        number += 1
        yield f"{stem}_{number}"


def _tip(given: Mapping[str, Any], values: pd.Series) -> TooltipField:
    decimals = _decimals(values) if given.get("decimals") is None else int(given["decimals"])
    words = {_text(code): _AsIs(word) for code, word in given.get("terms") or ()}
    codes = values.dropna().unique().tolist() if words else []
    terms = tuple((str(code), words[_text(code)]) for code in codes if _text(code) in words)
    label = _AsIs(given.get("label") or given["column"])
    return TooltipField(str(given["column"]), label, "", decimals, terms)


def _decimals(values: pd.Series) -> int:
    """Return decimals that keep about three digits of a middling value.

    Examples
    --------
    >>> import pandas as pd
    >>> [_decimals(pd.Series(v)) for v in ([1.0, 250.0], [0.0366, 0.8], [12.34, 56.7], ["a"])]
    [0, 3, 1, 0]
    """
    import numpy as np
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if not is_numeric_dtype(values.dtype) or is_bool_dtype(values.dtype):
        return 0
    x = np.abs(values.to_numpy(dtype=float, na_value=np.nan))
    x = x[np.isfinite(x) & (x > 0)]
    if not x.size or bool((x == np.round(x)).all()):
        return 0
    return int(np.clip(2 - math.floor(math.log10(float(np.median(x)))), 0, 6))


# --- words ----------------------------------------------------------------------------------------------


def _wanted(given: Mapping[str, Any], key: str, what: str) -> Any:
    value = given.get(key)
    if not value:
        raise InputError(f"{what}: '{key}' is missing; got {', '.join(map(repr, given)) or 'nothing'}")
    return value


def _named(text: str, themes: Sequence[Theme]) -> str:
    """Return a message about themes with the layers' names instead of our own ids."""
    for theme in themes:
        text = text.replace(f"theme '{theme.id}'", f"layer '{theme.title}'")
    return text
