"""Polygons: the 16 units of 2009, the neighbours' land and the water, all from Natural Earth in world_map.gpkg."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from _builder.classifier import tidy, to_2009
from _builder.common import ALBERS, BuildError, Inputs, say, write_layers

#: The project's own grouping; no citable list of members was found (see SOURCES.md). A city goes with its surroundings.
MACRO_REGIONS = {
    "north": ("110000000", "390000000", "550000000", "590000000", "710000000"),
    "west": ("150000000", "230000000", "270000000", "470000000"),
    "south": ("190000000", "310000000", "430000000", "510000000", "750000000"),
    "centre": ("350000000",),
    "east": ("630000000",),
}

#: West, south, east, north of the map's surroundings, degrees: a wide screen shows that much around the country.
FRAME = (15.0, 25.0, 120.0, 72.0)
#: What a map of the country shows; beyond it only wide screens look.
NEAR = (40.0, 36.0, 95.0, 60.0)
#: Simplification of the surroundings near and far, degrees; the border with Kazakhstan and the frame are kept.
TOLERANCE_DEG, FAR_TOLERANCE_DEG = 0.01, 0.1
#: Islands and waters of the surroundings below this area are left out, square degrees, near and far.
SMALL_DEG2, FAR_SMALL_DEG2 = 0.002, 0.1


def build(inputs: Inputs) -> gpd.GeoDataFrame:
    """Write regions_2009.gpkg and neighbours.gpkg; return the regions."""
    units = _natural_earth(inputs)
    units["kato"] = _codes(units, inputs)
    regions = _coverage(_named(_merged(units), inputs))
    write_layers({"regions": regions}, inputs.out / "regions_2009.gpkg")
    write_layers(_surroundings(inputs, regions), inputs.out / "neighbours.gpkg")
    return regions


def _natural_earth(inputs: Inputs) -> gpd.GeoDataFrame:
    states = gpd.read_file(inputs.world_map, layer="states_provinces")
    units = states[(states["iso_a2"] == "KZ") | (states["adm0_a3"] == "KAB")]
    if len(units) != 17:
        raise BuildError(f"world map: wanted 16 units and the Baikonur lease of Kazakhstan, got {len(units)}")
    return units[["name", "geometry"]].sort_values("name").reset_index(drop=True)


def _codes(units: gpd.GeoDataFrame, inputs: Inputs) -> list[str]:
    """Return the code of 2009 for each unit: that of the geokz oblast of 2018 which covers most of it."""
    oblasts = gpd.read_file(inputs.data / "geokz_kaz_admbnda_adm1_2018.gpkg").to_crs(ALBERS)
    oblasts["kato"] = [to_2009(c) for c in oblasts["KATO"].astype(str)]
    oblasts = oblasts.dissolve("kato")
    found, least = [], 1.0
    for name, polygon in zip(units["name"], units.to_crs(ALBERS).geometry, strict=True):
        shares = oblasts.intersection(polygon).area / polygon.area
        found.append(str(shares.idxmax()))
        say(f"  {name}: {shares.idxmax()} covers {shares.max():.3f} of it")
        least = min(least, float(shares.max()))
    if least <= 0.5:
        raise BuildError(f"regions: a unit lies with less than half of its area in any oblast ({least:.2f})")
    return found


def _merged(units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    lease = units["name"].str.startswith("Baykonur")
    if units.loc[lease, "kato"].tolist() != ["430000000"]:
        raise BuildError("regions: the Baikonur lease does not lie in Kyzylorda")
    pieces = units.groupby("kato")
    return gpd.GeoDataFrame(
        {
            "kato": list(pieces.groups),
            "source_name": [" + ".join(sorted(p["name"])) for _, p in pieces],
            "geometry": [shapely.union_all(p.geometry.to_numpy()) for _, p in pieces],
        },
        crs=units.crs,
    )


def _named(regions: gpd.GeoDataFrame, inputs: Inputs) -> gpd.GeoDataFrame:
    if len(regions) != 16:
        raise BuildError(f"regions: wanted 16 different codes, got {len(regions)}")
    names = pd.read_csv(inputs.out / "kato.csv", dtype=str, keep_default_na=False).set_index("kato")
    types = inputs.table("kato_2025.csv").set_index("kato")["type_code"]
    iso = gpd.read_file(inputs.data / "geokz_kaz_admbnda_adm1_2018.gpkg", ignore_geometry=True)
    # Turkistan kept the letters of South Kazakhstan (KZ-YUZ); Shymkent got new ones.
    letters = iso[iso["KATO"] != "790000000"].assign(code=lambda t: [to_2009(c) for c in t["KATO"]]).set_index("code")
    macro = {code: group for group, codes in MACRO_REGIONS.items() for code in codes}
    for column in ("name_en", "name_ru", "name_kk"):
        regions[column] = regions["kato"].map(names[column])
    regions["name_ru"] = regions["name_ru"].map(tidy)
    # Urban units (type 1 of the classifier) at the oblast's level are cities of republican significance.
    regions["kind"] = np.where(regions["kato"].map(types).fillna("0") == "1", "city", "oblast")
    regions["iso"] = regions["kato"].map(letters["ISO_3166_2"])
    regions["macro_region"] = regions["kato"].map(macro)
    columns = ["kato", "name_en", "name_ru", "name_kk", "kind", "iso", "macro_region", "source_name", "geometry"]
    if regions[columns].isna().any().any():
        raise BuildError("regions: a name, ISO code or macro-region is missing")
    return regions[columns].sort_values("kato").reset_index(drop=True)


def _coverage(regions: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return polygons whose shared borders are shared, telling the area changed."""
    shapes = np.asarray(regions.geometry)
    before = regions.to_crs(ALBERS).area
    if not shapely.coverage_is_valid(shapes):
        shapes = shapely.coverage_clean(shapes)
        if not shapely.coverage_is_valid(shapes):
            raise BuildError("regions: borders are not shared even after coverage_clean")
    regions = regions.set_geometry([_multi(s) for s in shapes], crs=regions.crs)
    changed = (regions.to_crs(ALBERS).area - before).abs().sum() / 1e6
    say(f"regions: coverage valid, {changed:.3f} square km changed, {before.sum() / 1e6:,.0f} square km in all")
    return regions


def _multi(shape: Any) -> Any:
    return shapely.multipolygons([shapely.normalize(p) for p in shapely.get_parts(shape) if p.geom_type == "Polygon"])


def _surroundings(inputs: Inputs, regions: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    """Return the land of the other countries and the water within the frame as one simplified coverage."""
    frame = shapely.box(*FRAME)
    countries = gpd.read_file(inputs.world_map, layer="countries")
    countries = countries[countries.intersects(frame)]
    others = countries[countries["NAME"].notna() & (countries["NAME"] != "Kazakhstan")]
    others = others.replace({"ISO_A3": {"-99": ""}}).sort_values(["ISO_A3", "NAME"])
    ours = shapely.union_all(np.asarray(regions.geometry))
    disputed = shapely.difference(_nobodys(countries, frame), ours)
    countries_land = _without_islets([shapely.intersection(g, frame) for g in (*others.geometry, disputed)])
    # The countries' layer leaves seas empty; what is neither a country nor ours is water.
    land = shapely.union_all([*countries_land, ours])
    wet = shapely.get_parts(shapely.difference(frame, land))
    water = sorted((w for w in wet if not _small(w)), key=lambda w: -w.area)
    shapes = _simplified([*_filled(countries_land, [w for w in wet if _small(w)]), *water])
    names, codes = [*others["NAME"], ""], [*others["ISO_A3"], ""]
    lands, waters = shapes[: len(names)], shapes[len(names) :]
    neighbours = gpd.GeoDataFrame({"name": names, "iso": codes}, geometry=[_multi(s) for s in lands], crs=4326)
    seas = gpd.GeoDataFrame({"name": _sea_names(water), "geometry": [_multi(s) for s in waters]}, crs=4326)
    points = sum(shapely.get_num_coordinates(s) for s in shapes)
    say(f"surroundings: {len(neighbours)} countries, {len(seas)} seas, {points} points")
    return {"neighbours": neighbours, "water": seas}


def _nobodys(countries: gpd.GeoDataFrame, frame: Any) -> Any:
    """Return the land that the source gives to no country by name (the Siachen glacier): land all the same."""
    named = countries["NAME"].notna()
    whole = shapely.union_all(np.asarray(countries[named].geometry))
    rest = shapely.difference(shapely.union_all(np.asarray(countries[~named].geometry)), whole)
    parts = [p for p in shapely.get_parts(shapely.intersection(rest, frame)) if p.area > SMALL_DEG2]
    if not parts:
        raise BuildError("surroundings: the world map has no unnamed land any more; drop this step")
    return shapely.multipolygons(parts)


def _small(shape: Any) -> bool:
    """Return whether a piece is too small to be shown where it lies."""
    return bool(shape.area <= (SMALL_DEG2 if shapely.intersects(shape, shapely.box(*NEAR)) else FAR_SMALL_DEG2))


def _without_islets(shapes: list[Any]) -> list[Any]:
    """Leave small islands out; a small piece beside another country (an exclave) stays, and so does a whole country."""
    tree = shapely.STRtree(shapes)
    kept = []
    for number, shape in enumerate(shapes):
        parts = shapely.get_parts(shape)
        largest = parts[np.argmax(shapely.area(parts))]
        beside = [set(tree.query(p, predicate="intersects").tolist()) != {number} for p in parts]
        wanted = [p for p, b in zip(parts, beside, strict=True) if b or not _small(p) or p is largest]
        kept.append(shapely.multipolygons(wanted))
    return kept


def _filled(shapes: list[Any], holes: list[Any]) -> list[Any]:
    """Give each small water to the country with which it shares the longest shore, so that nothing stays empty."""
    tree, more = shapely.STRtree(shapes), {}
    for hole in holes:
        beside = tree.query(hole, predicate="intersects").tolist()
        shore = {n: shapely.length(shapely.intersection(shapes[n], shapely.boundary(hole))) for n in beside}
        if shore:
            more.setdefault(max(shore, key=lambda n: shore[n]), []).append(hole)
    return [shapely.union_all([s, *more[n]]) if n in more else s for n, s in enumerate(shapes)]


def _simplified(shapes: list[Any]) -> list[Any]:
    """Simplify a coverage, more beyond what maps of the country show; both sides meet at the same points."""
    near = shapely.box(*NEAR)
    inside = shapely.intersection(shapes, near)
    outside = shapely.difference(shapes, near)
    halves = []
    for half, tolerance in ((inside, TOLERANCE_DEG), (outside, FAR_TOLERANCE_DEG)):
        there = ~shapely.is_empty(half)
        half[there] = shapely.coverage_simplify(half[there], tolerance, simplify_boundary=False)
        halves.append(half)
    return list(shapely.union(*halves))


def _sea_names(water: list[Any]) -> list[str]:
    """Name a sea by a point well inside it; anything else stays unnamed (the Black Sea is one with the oceans)."""
    known = {"Caspian Sea": shapely.Point(51.0, 42.0)}
    return [next((name for name, point in known.items() if shapely.contains(w, point)), "") for w in water]
