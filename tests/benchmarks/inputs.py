"""Inputs of the benchmarks, made with a fixed seed; nothing here is real data."""

from __future__ import annotations

from functools import cache

import geopandas
import numpy as np
import pandas as pd
import shapely

from kazgeo.weights import Weights

__all__ = ["lattice", "mosaic", "points", "skewed"]


@cache
def mosaic(side: int) -> geopandas.GeoDataFrame:
    """Return a mosaic of side x side quadrilaterals whose corners are shared and jittered."""
    rng = np.random.default_rng(1)
    grid = np.stack(np.meshgrid(np.arange(side + 1.0), np.arange(side + 1.0)), axis=-1) * 1000
    grid += rng.uniform(-200, 200, grid.shape)
    corners = np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1], grid[:-1, :-1]], axis=2)
    shapes = shapely.polygons(corners.reshape(-1, 5, 2) + np.array([500_000.0, 5_000_000.0]))
    return geopandas.GeoDataFrame(geometry=shapes, crs=32642)


@cache
def points(n: int) -> geopandas.GeoDataFrame:
    """Return points strewn over Kazakhstan's box."""
    rng = np.random.default_rng(2)
    at = geopandas.points_from_xy(rng.uniform(47, 87, n), rng.uniform(41, 55, n))
    return geopandas.GeoDataFrame(geometry=at, crs=4326)


@cache
def lattice(side: int, *, kernel: bool = False) -> Weights:
    """Return row-standardised queen weights of a lattice; kernel: as many links of unequal weight."""
    at = np.arange(side * side).reshape(side, side)
    pairs = [(at[:, :-1], at[:, 1:]), (at[:-1], at[1:]), (at[:-1, :-1], at[1:, 1:]), (at[:-1, 1:], at[1:, :-1])]
    rows, cols = (np.concatenate([pair[end].ravel() for pair in pairs]) for end in (0, 1))
    data = np.random.default_rng(5).uniform(0.1, 1, len(rows)) if kernel else np.ones(len(rows))
    ids = pd.RangeIndex(side * side)
    return Weights.from_arrays(ids, np.r_[rows, cols], np.r_[cols, rows], np.r_[data, data]).row_standardized()


@cache
def skewed(side: int) -> pd.Series:
    """Return a skewed variable that is autocorrelated on the lattice."""
    w, rng = lattice(side), np.random.default_rng(3)
    return pd.Series(rng.gamma(2, size=w.n) + w.matrix @ rng.gamma(2, size=w.n))
