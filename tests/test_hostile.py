"""Every analysis meets every kind of bad input: a clear error or a counted gap, never a crash and never silence."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

from kazgeo import analyses, indicators, regions, settlements
from kazgeo.analyses.outcome import Outcome
from kazgeo.data import embedded
from kazgeo.errors import InputError
from kazgeo.io import Source
from kazgeo.project.inputs import read_input

DATA = embedded()
NASTY = [
    'O\'Коннор "x"',
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "Ақтөбе ә ғ қ ң ө ұ ү һ і",
    "emoji 🏔️",
    "back`tick ${x} {{ 7*7 }}",
    "=cmd|' /C calc'!A0",
    "",
    "a\nb",
    "$\\frac{1}{0}$ 100 % _x_",
]


@functools.cache
def land() -> geopandas.GeoDataFrame:
    layer = regions.read(Source(DATA / "regions_2009.gpkg", id="kato"))
    layer["value"] = np.linspace(1, 16, 16)
    layer["second"] = (layer["value"] ** 2) % 11 + 1
    layer["mark"] = (layer["value"] > 8).astype(float)
    layer["kind"] = np.where(layer["value"] > 8, "north", "south")
    layer.geometry = (
        layer.geometry.to_crs(32642).simplify(5000).to_crs(4326)
    )  # quick to draw; borders don't matter here
    return layer


@functools.cache
def places() -> geopandas.GeoDataFrame:
    layer = settlements.read(Source(DATA / "settlements.csv", id="id")).iloc[::6].copy()
    layer["value"] = np.arange(1.0, len(layer) + 1)
    return layer


@functools.cache
def panel() -> pd.DataFrame:
    found = indicators.read(DATA / "indicators.csv")
    meaning = indicators.read_metadata(DATA / "indicators_meta.csv")
    reforms = indicators.read_reforms(DATA / "reforms.csv")
    return indicators.harmonise(found.drop("000000000", level="region"), 2009, reforms=reforms, metadata=meaning).panel


@functools.cache
def roads() -> geopandas.GeoDataFrame:
    edges = read_input("edges", Source(DATA / "roads.csv"))
    nodes = read_input("nodes", Source(DATA / "road_nodes.csv", id="id"))
    layer = analyses.get("road_network").function(edges, nodes).layer
    return layer


@functools.cache
@functools.cache
def ground() -> Any:
    """Return a friction surface of the country."""
    made = analyses.get("friction_surface").function(roads(), speed="speed_kmh", cell_m=40_000.0)
    return made.rasters["friction"].surface


def _base() -> dict[str, dict[str, Any]]:
    """Return arguments with which every analysis works."""
    span = {"first_year": 2009, "last_year": 2020}
    meaning = indicators.read_metadata(DATA / "indicators_meta.csv")
    reforms = indicators.read_reforms(DATA / "reforms.csv")
    draws = {"permutations": 99}
    on = {"roads": roads(), "speed": "speed_kmh", "length": "length_km"}
    figures = pd.DataFrame({"code": list(land().index), "count": np.arange(16.0)})
    return {
        "harmonise": {"panel": panel(), "reforms": reforms, "metadata": meaning},
        "rate": {"panel": panel(), "numerator": "doctors", "denominator": "population", "name": "new"},
        "indicator_map": {"regions": land(), "panel": panel(), "indicator": "doctors", "year": 2015},
        "density": {"regions": land(), "figures": figures, "key": "code", "count": "count"},
        "road_network": {
            "edges": read_input("edges", Source(DATA / "roads.csv")),
            "nodes": read_input("nodes", Source(DATA / "road_nodes.csv", id="id")),
        },
        "osm_roads": {
            "extract": str(Path(__file__).parent / "network" / "small.osm"),
            "area": geopandas.GeoDataFrame(
                geometry=[shapely.box(69, 49, 71, 51), shapely.box(70, 50, 71, 51)], index=["a", "b"], crs=4326
            ),
        },
        "check_roads": {"roads": roads(), "settlements": places()},
        "travel_time": {
            "settlements": places(), "roads": roads(), "population": "population", "min_population": 50_000.0,
            "speed": "speed_kmh", "length": "length_km",
        },
        "facility_access": {
            "settlements": places(), "facilities": places().iloc[::9], "roads": roads(), "kind": "kind",
            "population": "population", "region": "region", "speed": "speed_kmh", "length": "length_km",
        },
        "single_roads": {
            "settlements": places(), "roads": roads(), "population": "population", "min_population": 50_000.0,
            "region": "region", "speed": "speed_kmh", "length": "length_km",
        },
        "critical_roads": {
            "settlements": places(), "roads": roads(), "population": "population", "min_population": 50_000.0,
            "road_name": "class", "speed": "speed_kmh", "length": "length_km",
        },
        "isochrones": {
            "settlements": places(), "roads": roads(), "population": "population", "min_population": 200_000.0,
            "speed": "speed_kmh", "length": "length_km", "times_min": "30, 60",
        },
        "reached_roads": {
            "settlements": places(), "roads": roads(), "population": "population", "min_population": 200_000.0,
            "road_min": "time_min", "times_min": "30, 60", "overlap": "separate",
        },
        "travel_time_uncertainty": {
            "settlements": places(), "roads": roads(), "population": "population", "min_population": 50_000.0,
            "region": "region", "speed": "speed_kmh", "length": "length_km", "draws": 19,
        },
        "rural_access": {"settlements": places(), "roads": roads(), "population": "population", "region": "region"},
        "season_effect": {
            "settlements": places(), "roads": roads(), "population": "population", "min_population": 50_000.0,
            "region": "region", "speed": "speed_kmh", "length": "length_km", "closed": land().iloc[:3],
            "surface_factors": "republican=0.9", "surface_field": "class", "new_speed": "speed_kmh",
            "closed_field": "class", "closed_values": "international", "added": roads().iloc[:2],
        },
        "detour_index": {
            "settlements": places(), "roads": roads(), "population": "population", "min_population": 50_000.0,
            "region": "region",
        },
        "balancing_time": {
            "settlements": places(), "facilities": places().iloc[::9], "population": "population",
            "amount": "population", "region": "region", **on,
        },
        "market_areas": {
            "settlements": places(), "facilities": places().iloc[::9], "population": "population",
            "attraction": "population", **on,
        },
        "rural_access_grid": {
            "population_grid": ground() * 10, "roads": roads(), "zones": land(), "rural_grid": ground() * 0 + 11,
            "rural_classes": "11",
        },
        "travel_time_matrix": {"settlements": places(), "facilities": places().iloc[::9], **on},
        "opportunities": {
            "settlements": places(), "facilities": places().iloc[::9], "amount": "value", "population": "population",
            "region": "region", **on,
        },
        "floating_catchment": {
            "settlements": places(), "facilities": places().iloc[::9], "population": "population",
            "capacity": "value", "limit_min": 180.0, "region": "region", **on,
        },
        "gravity_flows": {
            "settlements": places(), "facilities": places().iloc[::9], "population": "population", "mass": "value",
            **on,
        },
        "market_potential": {"settlements": places(), "population": "population", "region": "region", **on},
        "access_inequality": {
            "units": land(), "access": "value", "population": "second", "line": 5.0, "income": "second",
            "group": "kind",
        },
        "remoteness": {"settlements": places(), "roads": roads(), "population": "population",
            "thresholds": "100000, 10000"},
        "friction_surface": {
            "roads": roads(), "speed": "speed_kmh", "cell_m": 40_000.0, "barriers": land().iloc[:2]
        },
        "cost_distance": {
            "friction": ground(), "facilities": places().iloc[::9], "settlements": places(), "zones": land(),
            "population_grid": ground() * 10, "roads": roads(), "speed": "speed_kmh", "length": "length_km",
        },
        "referral_table": {"friction": ground(), "facilities": places().iloc[::9], "higher": places().iloc[::20]},
        "capacity_catchments": {
            "friction": ground(), "facilities": places().iloc[::9], "population_grid": ground() * 10,
            "capacity": "population", "limit_min": 600.0, "turns": "column", "turn_field": "population",
        },
        "scaling_up": {
            "friction": ground(), "population_grid": ground() * 10, "limit_min": 600.0,
            "facilities": places().iloc[::9], "candidates": ground(),
        },
        "surface": {"settlements": places(), "column": "population", "cell_km": 25.0},
        "boundary_effect": {
            "panel": panel(), "reforms": reforms, "metadata": meaning, "indicator": "grp_per_capita",
            "population": "population", **span,
        },
        "inequality": {
            "regions": land(), "panel": panel(), "indicator": "grp_per_capita", "population": "population",
            "group": "macro_region", **span,
        },
        "moran_by_year": {"regions": land(), "panel": panel(), "indicator": "doctors", **span, **draws},
        "local_moran": {"units": land(), "indicator": "value", **draws},
        "getis_ord": {"units": land(), "indicator": "value", **draws},
        "global_autocorrelation": {"units": land(), "indicator": "value", **draws},
        "correlogram": {"units": places(), "indicator": "population", "bands": 3, **draws},
        "join_counts": {"units": land(), "kind": "kind", **draws},
        "bivariate_moran": {"units": land(), "indicator": "value", "around": "second", **draws},
        "local_moran_rate": {"units": land(), "events": "value", "population": "second", **draws},
        "local_moran_change": {"regions": land(), "panel": panel(), "indicator": "doctors", **span, **draws},
        "local_geary": {"units": land(), "indicators": ("value", "second"), **draws},
        "local_join_count": {"units": land(), "marks": ("mark",)},
        "quantile_lisa": {"units": land(), "indicators": ("value",), "quantiles": 3},
        "losh": {"units": land(), "indicator": "value", **draws},
        "local_lee": {"units": land(), "indicator": "value", "second": "second", **draws},
        "neighbour_match": {"units": land(), "indicators": ("value", "second"), "k": 4},
        "optimized_hot_spots": {"units": places(), "indicator": "population", "bands": 5, **draws},
        "emerging_hot_spots": {"regions": land(), "panel": panel(), "indicator": "doctors", **span, **draws},
        "scan_statistic": {"units": land(), "cases": "value", "model": "normal", **draws},
        "density_clusters": {"settlements": places(), "population": "population", "distance_km": 200.0},
        "aggregate_points": {"settlements": places()},
        "regionalize": {"regions": land(), "indicators": ("value", "second"), "zones": 3},
        "suggest_regions": {"regions": land(), "indicators": ("value", "second"), "most": 4},
        "deprivation": {
            "regions": land(), "panel": panel(), "more_is_better": ("life_expectancy",),
            "more_is_worse": ("unemployment_rate",), **span,
        },
        "print_map": {"units": land(), "column": "value", "title": NASTY[1]},
        "web_map": {"units": land(), "column": "value", "title": NASTY[1]},
        "report": {"units": land(), "column": "value", "title": NASTY[1]},
    }  # fmt: skip


def base(name: str) -> dict[str, Any]:
    """Return arguments with which an analysis works; its tables are copies."""
    return {k: v.copy() if isinstance(v, pd.DataFrame) else v for k, v in _base()[name].items()}


def _geometry(layer: geopandas.GeoDataFrame, shape: object) -> geopandas.GeoDataFrame:
    out = layer.copy()
    shapes = out.geometry.to_numpy().copy()
    shapes[0] = shape
    return out.set_geometry(geopandas.GeoSeries(shapes, index=out.index, crs=out.crs))


def _values(layer: Any, change: Callable[[pd.Series], Any]) -> Any:
    out = layer.copy()
    for column in out.columns:
        if column != "geometry" and out[column].dtype.kind == "f":
            out[column] = change(out[column])
    return out


LAYERS: dict[str, Callable[[geopandas.GeoDataFrame], geopandas.GeoDataFrame]] = {
    "empty": lambda g: g.iloc[:0],
    "one unit": lambda g: g.iloc[:1],
    "two units": lambda g: g.iloc[:2],
    "all NaN": lambda g: _values(g, lambda s: s * np.nan),
    "constant": lambda g: _values(g, lambda s: s * 0 + 5.0),
    "zero": lambda g: _values(g, lambda s: s * 0),
    "negative": lambda g: _values(g, lambda s: -s),
    "infinite": lambda g: _values(g, lambda s: s.where(s != s.iloc[0], np.inf)),
    "huge": lambda g: _values(g, lambda s: s * 1e300),
    "repeated ids": lambda g: g.set_axis([g.index[0]] * 2 + list(g.index[2:])),
    "missing shape": lambda g: _geometry(g, None),
    "empty shape": lambda g: _geometry(g, shapely.Point() if (g.geom_type == "Point").any() else shapely.Polygon()),
    "NaN shape": lambda g: _geometry(g, shapely.Point(np.nan, np.nan)) if (g.geom_type == "Point").any() else g,
    "no CRS": lambda g: g.set_crs(None, allow_override=True),
    "other CRS": lambda g: g.to_crs(3857),
    "shuffled": lambda g: g.sample(frac=1, random_state=1),
    "nasty names": lambda g: g.assign(name_en=(NASTY * len(g))[: len(g)], name_kk=(NASTY * len(g))[: len(g)]),
    "text in a column of numbers": lambda g: g.assign(
        value=["x"] * len(g), population=["x"] * len(g), speed_kmh=["x"] * len(g), length_km=["x"] * len(g)
    ),
}

PANELS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "empty": lambda p: p.iloc[:0],
    "one region": lambda p: p.loc[[p.index[0][0]]],
    "all NaN": lambda p: p * np.nan,
    "constant": lambda p: p * 0 + 5.0,
    "zero": lambda p: p * 0,
    "negative": lambda p: -p,
    "other codes": lambda p: p.rename(index=lambda c: f"x{c}", level="region"),
    "one year": lambda p: p[p.index.get_level_values("year") == 2015],
    "holes": lambda p: p.mask(np.random.default_rng(1).random(p.shape) < 0.3),
    "shuffled": lambda p: p.sample(frac=1, random_state=1),
}

#: Kinds that the fast tests keep; the others are left to ``make test``.
OFTEN = {"empty", "two units", "all NaN", "constant", "missing shape", "no CRS", "nasty names", "holes"}
CASES = [
    pytest.param(one.id, p.name, kind, marks=() if kind in OFTEN else pytest.mark.slow)
    for one in analyses.catalogue().values()
    for p in one.parameters
    for kind in (LAYERS if p.kind == "vector" else PANELS if p.shape == "panel" else ())
    if p.is_data
]


LIKE = [
    (one.id, result.like)
    for one in analyses.catalogue().values()
    for result in one.outputs
    if result.name == "layer" and result.like
]


@pytest.mark.parametrize(("name", "parent"), LIKE)
def test_columns_are_those_declared_and_the_users_own_are_kept(name: str, parent: str) -> None:
    """A layer that has columns called as the result's keeps them, and the result is what it would be without them."""
    declared, arguments = analyses.get(name), base(name)
    plain = declared.function(**arguments)
    (result,) = [o for o in declared.outputs if o.name == "layer"]
    words = {k: str(v) for k, v in arguments.items()}
    sure = {f.format_map(words) for f in result.fields}
    new = set(plain.layer.columns) - set(arguments[parent].columns)
    assert sure <= set(plain.layer.columns)
    assert [c for c in new - sure if not any(fnmatchcase(c, pattern) for pattern in result.sometimes)] == []
    mine = arguments[parent].assign(**dict.fromkeys(sorted(new), 7.0))
    again = declared.function(**{**arguments, parent: mine})
    for column in new:
        assert (again.layer[f"{column}_own"].dropna() == 7.0).all()
        pd.testing.assert_series_equal(again.layer[column], plain.layer[column])
    assert again.summary() != plain.summary()
    assert f"{min(new)} → {min(new)}_own" in again.summary()


def test_a_parameter_follows_its_renamed_column() -> None:
    layer = land().rename(columns={"value": "p"})
    outcome = analyses.get("local_moran").function(layer, "p", permutations=99)
    want = analyses.get("local_moran").function(land(), "value", permutations=99)
    pd.testing.assert_series_equal(outcome.layer["p"], want.layer["p"])
    assert outcome.layer["p_own"].tolist() == land()["value"].tolist()
    assert outcome.fields[0].column == "p_own"
    floor = land().rename(columns={"second": "zone"})  # named among the shared options, not in the signature
    zones = analyses.get("regionalize").function(floor, ("value",), zones=2, floor="zone", floor_min=3.0)
    plain = analyses.get("regionalize").function(land(), ("value",), zones=2, floor="second", floor_min=3.0)
    assert zones.layer["zone"].tolist() == plain.layer["zone"].tolist()
    with pytest.raises(InputError, match="regionalize: floor 'peple' is not a column of regions"):
        analyses.get("regionalize").function(land(), ("value",), zones=2, floor="peple", floor_min=3.0)
    many = analyses.get("local_geary").function(units=layer, indicators=("second", "p"), permutations=99)
    assert many.layer["local_geary"].notna().all()


#: One case in six is for daily use; `make test` takes all.
SPREAD = [
    case if k % 6 == 0 else pytest.param(*case.values, marks=pytest.mark.slow, id=case.id)
    for k, case in enumerate(CASES)
]


@pytest.mark.parametrize(("name", "parameter", "kind"), SPREAD)
def test_bad_input(name: str, parameter: str, kind: str) -> None:
    arguments = base(name)
    spoil = LAYERS.get(kind) if isinstance(arguments[parameter], geopandas.GeoDataFrame) else PANELS.get(kind)
    assert spoil is not None
    arguments[parameter] = spoil(arguments[parameter])
    given = arguments[parameter].copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            outcome = analyses.get(name).function(**arguments)
        except InputError as error:
            message = str(error)
            assert len(message) > 15
            assert "Error" not in message.split(":")[0]
            return
    pd.testing.assert_frame_equal(pd.DataFrame(arguments[parameter]), pd.DataFrame(given))  # never changed in place
    assert isinstance(outcome, Outcome)
    assert outcome.findings
    for language in ("en", "ru", "kk"):
        assert outcome.summary(language)
    if kind == "shuffled" and outcome.layer is not None:
        plain = base(name)
        same = analyses.get(name).function(**plain).layer
        left, right = pd.DataFrame(outcome.layer), pd.DataFrame(same)
        pd.testing.assert_frame_equal(left.loc[right.index], right, rtol=1e-9, check_like=True)
    if kind in {"missing shape", "empty shape", "NaN shape", "all NaN"} and outcome.layer is not None and outcome.style:
        drawn = outcome.layer[outcome.style.column]
        if kind == "all NaN" and outcome.style.kind == "graduated" and parameter == "units":
            assert drawn.isna().all()


@pytest.mark.parametrize("name", ["web_map", "report"])
def test_nasty_text_is_shown_and_never_run(name: str) -> None:
    arguments = base(name)
    arguments["units"] = LAYERS["nasty names"](arguments["units"])
    page = next(iter(analyses.get(name).function(**arguments).files.values())).decode()
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
