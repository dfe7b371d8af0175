"""Surfaces: Shepard's formula by hand and by brute force, reach, no data, GeoTIFF and its style.

Truth: Shepard (1968), https://doi.org/10.1145/800186.810616, formula v = sum(v/d^p) / sum(1/d^p), evaluated here
without trees, cell by cell, over all points; tolerance 1e-6 relative (values are stored as float32).
"""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pyproj
import pytest
import xarray
from hypothesis import given, settings
from hypothesis import strategies as st

from kazgeo import analyses
from kazgeo.accessibility import inverse_distance
from kazgeo.errors import Cancelled, InputError
from kazgeo.results import Told, write_output

RADIUS = 6_371_008.8


def points(*lonlat: tuple[float, float]) -> geopandas.GeoSeries:
    return geopandas.GeoSeries.from_xy(*zip(*lonlat, strict=True), index=list("abcdefghij"[: len(lonlat)]), crs=4326)


def brute(
    surface: xarray.DataArray, at: geopandas.GeoSeries, values: np.ndarray, power: float, reach_m: float
) -> np.ndarray:
    """Return Shepard's weighting over all points within reach, cell by cell, on the haversine."""
    back = pyproj.Transformer.from_crs(surface.rio.crs, 4326, always_xy=True)
    out = np.full(surface.values.shape, np.nan)
    for row, column in np.ndindex(out.shape):
        x, y = float(surface.x[column]), float(surface.y[row])
        lon, lat = np.radians(back.transform(x, y))
        lons, lats = np.radians(at.x.to_numpy()), np.radians(at.y.to_numpy())
        h = np.sin((lats - lat) / 2) ** 2 + np.cos(lat) * np.cos(lats) * np.sin((lons - lon) / 2) ** 2
        d = 2 * RADIUS * np.arcsin(np.sqrt(h))
        near = d <= reach_m
        if near.any():
            weight = d[near] ** -power
            out[row, column] = (weight * values[near]).sum() / weight.sum()
    return out


@pytest.mark.parametrize(("power", "reach_km"), [(2.0, 60.0), (1.0, 200.0), (3.5, 90.0)])
def test_every_cell_is_shepards_formula(power: float, reach_km: float) -> None:
    at = points((66, 48), (66.7, 48.2), (67.1, 47.7), (66.4, 47.5), (68, 48.4))
    values = np.array([10.0, 20, -5, 7.5, 100])
    made = inverse_distance(at, pd.Series(values, at.index), cell_m=20_000, k=5, power=power, reach_m=1000 * reach_km)
    wanted = brute(made, at, values, power, 1000 * reach_km)
    np.testing.assert_allclose(made.values, wanted, rtol=1e-6)
    assert np.isnan(made.values).any()


def test_by_hand_between_two_points() -> None:
    """In the middle of two points the weights are equal; a third of the way they are 4 to 1 with power 2."""
    at = points((70, 0.0001), (70.3, 0.0001))
    made = inverse_distance(at, pd.Series([0.0, 30.0], at.index), cell_m=100.0, k=2, power=2, reach_m=40_000)
    back = pyproj.Transformer.from_crs(4326, made.rio.crs, always_xy=True)

    def value(lon: float) -> float:
        x, y = back.transform(lon, 0.0001)
        return float(made.sel(x=x, y=y, method="nearest"))

    assert value(70.15) == pytest.approx(15, abs=0.15)
    assert value(70.1) == pytest.approx(30 / 5, abs=0.15)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(60, 62), st.floats(46, 47), st.floats(-1e3, 1e3)), min_size=1, max_size=10))
def test_never_outside_the_values_it_is_made_of(rows: list[tuple[float, float, float]]) -> None:
    at = points(*((a, b) for a, b, _ in rows))
    values = pd.Series([v for *_, v in rows], at.index)
    made = inverse_distance(at, values, cell_m=10_000, k=3, reach_m=30_000).values
    low, high = np.nanmin(made), np.nanmax(made)
    slack = 1e-5 * max(1.0, float(values.abs().max()))
    assert values.min() - slack <= low <= high <= values.max() + slack


def test_the_same_whatever_the_order_and_the_crs() -> None:
    at = points((66, 48), (66.7, 48.2), (67.1, 47.7))
    values = pd.Series([1.0, 2.0, 4.0], at.index)
    one = inverse_distance(at, values, cell_m=10_000)
    other = inverse_distance(at.iloc[::-1].to_crs(32642), values, cell_m=10_000)
    assert one.values.shape == other.values.shape
    np.testing.assert_allclose(one.values, other.values, rtol=1e-5)


def test_too_many_cells_are_refused_with_their_number() -> None:
    at = points((50, 45), (85, 50))
    with pytest.raises(InputError, match=r"would have [\d,]+ cells"):
        inverse_distance(at, pd.Series([1.0, 2.0], at.index), cell_m=50.0)


def test_cells_too_large_for_the_reach_are_refused() -> None:
    at = points((66.01, 48.02))
    with pytest.raises(InputError, match="smaller cells or a longer reach"):
        inverse_distance(at, pd.Series([1.0], at.index), cell_m=1_000_000, reach_m=100)


def test_cancel_is_heard() -> None:
    def cancel(fraction: float, message: str) -> None:
        raise Cancelled

    at = points((66, 48))
    with pytest.raises(Cancelled):
        inverse_distance(at, pd.Series([1.0], at.index), cell_m=10_000, progress=cancel)


@pytest.fixture
def outcome() -> analyses.Analysis:
    at = points((66, 48), (66.7, 48.2), (67.1, 47.7), (66.2, 47.2))
    layer = geopandas.GeoDataFrame({"v": [1.0, 2.0, 4.0, None]}, index=at.index, geometry=at)
    return analyses.get("surface").function(layer, "v", cell_km=10, reach_km=40, title="Шалғайлық", unit="min")


def test_the_analysis_tells_numbers_and_what_is_missing(outcome) -> None:
    assert outcome.numbers["cells"] > 0
    assert 1 <= outcome.numbers["lowest"] <= outcome.numbers["highest"] <= 4
    assert "Шалғайлық" in outcome.summary("kk")
    assert outcome.dropped["unit"].tolist() == ["d"]


def test_a_geotiff_with_its_style(outcome, tmp_path: Path) -> None:
    import rasterio

    told = Told(analyses.get("surface"), {"cell_km": 10}, "ru")
    write_output(outcome, "surface", tmp_path / "s.tif", told)
    with rasterio.open(tmp_path / "s.tif") as file:
        assert file.dtypes == ("float32",)
        assert np.isnan(file.nodata)
        assert file.crs.is_projected
        assert file.tags()["kazgeo_analysis"] == "surface"
        np.testing.assert_array_equal(file.read(1), outcome.rasters["surface"].surface.values)
        assert file.bounds.left == float(outcome.rasters["surface"].surface.x[0]) - 5000
        assert file.descriptions == ("Шалғайлық, мин",)
    style = (tmp_path / "s.qml").read_text(encoding="utf-8")
    assert "colorrampshader" in style
    assert "мин" in style
    with pytest.raises(InputError, match=r"ends in \.tif"):
        write_output(outcome, "surface", tmp_path / "s.png", told)
