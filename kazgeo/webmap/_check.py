"""What makes a theme impossible to draw, all of it told at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kazgeo.errors import InputError, listing, suggestion
from kazgeo.webmap._geometry import kind_of

if TYPE_CHECKING:
    import geopandas

    from kazgeo.style import Backdrop, Theme

__all__ = ["check"]

_MEANT = {"polygon": "polygons", "point": "points", "line": "lines"}


def check(themes: Sequence[Theme], backdrop: Backdrop | None) -> None:
    """Raise one InputError that lists what is wrong with the themes and the backdrop."""
    if not themes:
        raise InputError("themes is empty; a web map needs at least one theme")
    faults = [f"theme '{t.id}': {fault}" for t in themes for fault in _theme_faults(t)]
    twice = [name for name, n in Counter(t.id for t in themes).items() if n > 1]
    if twice:
        faults.append(f"theme ids must differ, these come twice: {listing(twice)}")
    if backdrop is not None:
        faults += [f"backdrop.{fault}" for fault in _backdrop_faults(backdrop)]
    if faults:
        raise InputError(faults[0] if len(faults) == 1 else "the map can't be drawn:\n- " + "\n- ".join(faults))


def _theme_faults(theme: Theme) -> Iterator[str]:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    data, style = theme.data, theme.style
    yield from _layer_faults(data, {"polygon", "line", "point"})
    wanted = [("style.column", style.column), ("name_column", theme.name_column), ("size_column", theme.size_column)]
    wanted += [("fields", f.column) for f in theme.fields]
    for what, column in wanted:
        if column is not None and column not in data.columns:
            yield f"{what} '{column}' is not a column of its data{suggestion(column, map(str, data.columns))}"
    if not style.classes:
        yield "its style has no class"
    if style.kind == "graduated" and style.column in data.columns:
        kind = data[style.column].dtype
        if not is_numeric_dtype(kind) or is_bool_dtype(kind):
            yield f"style.column '{style.column}' must be numeric for a graduated style, it is {kind}; convert it"
    if theme.size_column in data.columns and theme.size_column is not None:
        sizes = data[theme.size_column]
        if not is_numeric_dtype(sizes.dtype):
            yield f"size_column '{theme.size_column}' must be numeric, it is {sizes.dtype}"
        elif bool((sizes < 0).any()):
            yield f"size_column '{theme.size_column}' must not be negative; it is at {listing(data.index[sizes < 0])}"


def _layer_faults(data: geopandas.GeoDataFrame, kinds: set[str]) -> Iterator[str]:
    if len(data) == 0:
        yield "its layer is empty; there is nothing to draw"
        return
    if data.crs is None:
        yield "its layer declares no CRS; set one, for instance data.set_crs(4326)"
    if not data.index.is_unique:
        twice = data.index[data.index.duplicated()].unique()
        yield f"the index of its layer must be unique; these come twice: {listing(twice)}"
    found = kind_of(data.geometry)
    meant = " or ".join(_MEANT[k] for k in sorted(kinds, reverse=True))
    if not found:
        yield "no unit of its layer has a geometry; there is nothing to draw"
    elif len(found) > 1 or not found <= kinds:
        yield f"its layer must be {meant}, all of one kind; got {listing(sorted(found))}"
    elif found == {"point"}:
        several = data.index[(data.geometry.count_geometries() > 1).fillna(False)]
        if len(several):
            yield f"a unit must be one point; these are several: {listing(several)}; explode() them"
    if found and data.crs is not None:
        yield from _place_faults(data)


def _place_faults(data: geopandas.GeoDataFrame) -> Iterator[str]:
    west, south, east, north = data.geometry.to_crs(4326).total_bounds
    inside = np.isfinite([west, south, east, north]).all() and west >= -180 and east <= 180
    if not (inside and south >= -90 and north <= 90):
        yield (
            "its coordinates lie outside the world in longitude and latitude; "
            f"look at the CRS ({data.crs.name}) and at swapped coordinates"
        )


def _backdrop_faults(backdrop: Backdrop) -> Iterator[str]:
    parts = {"neighbours": "polygon", "water": "polygon", "outline": "polygon", "roads": "line", "cities": "point"}
    for name, kind in parts.items():
        data = getattr(backdrop, name)
        if data is None or len(data) == 0:
            continue
        yield from (f"{name}: {fault}" for fault in _layer_faults(data, {kind}))
        if name == "cities" and backdrop.city_name not in data.columns:
            hint = suggestion(backdrop.city_name, map(str, data.columns))
            yield f"cities: city_name '{backdrop.city_name}' is not a column of it{hint}"
