"""Cost distance against r.cost of GRASS GIS, where it is installed: an oracle outside the package (GPL).

GRASS counts the mean cost of the cells that a step touches, times cells: two cells for a step to one of the 8
neighbours, four for a knight's move. Costs per cell are seconds per metre times the side of the (square) cell. It lets
one slip between two barriers that touch at a corner.
"""

from __future__ import annotations

import shutil
import subprocess

import geopandas as gpd
import numpy as np
import pytest
import rioxarray
import xarray

from kazgeo.accessibility.cost_distance import Corners, Travel, cost_distance

GRASS = shutil.which("grass")
CELL = 500.0


def ground(seed, barriers):
    """Return friction of rough ground with walls of one cell and holes in them."""
    rng = np.random.default_rng(seed)
    values = rng.lognormal(0, 0.8, (60, 80))
    if barriers:
        values[rng.random(values.shape) < 0.15] = np.nan
        values[20, 5:70] = np.nan
        values[20:45, 40] = np.nan
    at = {"y": 5_000_000 - CELL * (np.arange(60) + 0.5), "x": 400_000 + CELL * (np.arange(80) + 0.5)}
    return xarray.DataArray(values, at, ("y", "x")).rio.write_crs(32642)


def r_cost(folder, friction, starts, *flags):
    """Return what r.cost makes of a surface, in seconds."""
    (friction * CELL).astype("float64").rio.write_nodata(np.nan).rio.to_raster(folder / "cost.tif")
    at = ",".join(f"{p.x},{p.y}" for p in starts.geometry)
    script = folder / "run.sh"
    script.write_text(
        "set -e\n"
        f"r.in.gdal --quiet input={folder / 'cost.tif'} output=cost\n"
        "g.region raster=cost\n"
        f"r.cost --quiet {' '.join(flags)} input=cost output=found start_coordinates={at}\n"
        f"r.out.gdal --quiet input=found output={folder / 'found.tif'} type=Float64 format=GTiff\n"
    )
    command = [GRASS, "--tmp-location", "EPSG:32642", "--exec", "sh", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return rioxarray.open_rasterio(folder / "found.tif", masked=True).squeeze().to_numpy()


@pytest.mark.skipif(GRASS is None, reason="GRASS is not installed (apt install grass-core)")
@pytest.mark.parametrize("barriers", [False, True])
@pytest.mark.parametrize(("moves", "flags"), [(8, ()), (16, ("-k",))])
def test_minutes_are_those_of_r_cost(tmp_path, barriers, moves, flags):
    friction = ground(5, barriers)
    open_ = np.argwhere(np.isfinite(friction.to_numpy()))[[40, 2000, 3500]]
    places = gpd.points_from_xy(friction.x.to_numpy()[open_[:, 1]], friction.y.to_numpy()[open_[:, 0]])
    starts = gpd.GeoDataFrame(geometry=places, index=list("abc"), crs=32642)
    ours = cost_distance(friction, starts, travel=Travel(moves, corners=Corners.OPEN)).time_s.to_numpy()
    np.testing.assert_allclose(ours, r_cost(tmp_path, friction, starts, *flags), rtol=1e-9)
