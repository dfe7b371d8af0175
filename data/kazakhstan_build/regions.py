"""Polygons: the 16 units of 2009, the neighbours' land and the water, all from Natural Earth in world_map.gpkg."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from kazakhstan_build.classifier import tidy, to_2009
from kazakhstan_build.common import ALBERS, BuildError, Inputs, say, write_layers

#: The project's own grouping; no citable list of members was found (see SOURCES.md). A city goes with its surroundings.
MACRO_REGIONS = {
    "north": ("110000000", "390000000", "550000000", "590000000", "710000000"),
    "west": ("150000000", "230000000", "270000000", "470000000"),
    "south": ("190000000", "310000000", "430000000", "510000000", "750000000"),
    "centre": ("350000000",),
    "east": ("630000000",),
}

#: West, south, east, north of the map's surroundings, degrees.
FRAME = (40.0, 36.0, 95.0, 60.0)
#: Simplification of the surroundings, degrees (about 1 km); the border with Kazakhstan and the frame are kept.
TOLERANCE_DEG = 0.01
#: Islands and lakes of the surroundings below this area are left out, square degrees (about 20 square km).
SMALL_DEG2 = 0.002


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
    countries = countries[countries.intersects(frame) & countries["NAME"].notna()].sort_values("ISO_A3")
    others = countries[countries["NAME"] != "Kazakhstan"]
    # The countries' layer leaves seas empty; what is neither a country nor ours is water.
    ours = shapely.union_all(np.asarray(regions.geometry))
    land = shapely.union_all([*others.geometry, ours])
    water = [w for w in shapely.get_parts(shapely.difference(frame, land)) if w.area > SMALL_DEG2]
    water.sort(key=lambda w: -w.area)
    shapes = [shapely.intersection(g, frame) for g in others.geometry] + water
    shapes = list(shapely.coverage_simplify(np.asarray(shapes), TOLERANCE_DEG, simplify_boundary=False))
    table = others.rename(columns={"NAME": "name", "ISO_A3": "iso"})[["name", "iso"]].reset_index(drop=True)
    neighbours = gpd.GeoDataFrame(table, geometry=[_multi(s) for s in shapes[: len(others)]], crs=4326)
    seas = gpd.GeoDataFrame(
        {"name": _sea_names(water), "geometry": [_multi(s) for s in shapes[len(others) :]]}, crs=4326
    )
    points = sum(shapely.get_num_coordinates(s) for s in shapes)
    say(f"surroundings: {len(neighbours)} countries, {len(seas)} seas, {points} points")
    return {"neighbours": neighbours, "water": seas}


def _sea_names(water: list[Any]) -> list[str]:
    """Name a sea by a point well inside it; anything else stays unnamed."""
    known = {"Caspian Sea": shapely.Point(51.0, 42.0), "Black Sea": shapely.Point(41.0, 42.0)}
    return [next((name for name, point in known.items() if shapely.contains(w, point)), "") for w in water]
