"""Rasters and files of their own reader as inputs: read, refused, named in a project and on the command line."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from kazgeo.analyses.declare import analysis, read
from kazgeo.analyses.kinds import File, Output, Surface
from kazgeo.cli.commands import _what
from kazgeo.errors import InputError
from kazgeo.io import Source, read_raster
from kazgeo.project.inputs import kind_of, known_columns, read_data, read_input


@analysis("Preparation", Output("n", "number", "N"))
def example(height: Surface, extract: Annotated[str, File((".pbf",))]):
    """Count.

    Parameters
    ----------
    height : raster
        Metres.
    extract : file
        Map.
    """


def write(path, bands=1, crs="EPSG:32642", nodata=-1.0):
    values = np.arange(12, dtype="float32").reshape(3, 4) - 1
    shape = {"driver": "GTiff", "height": 3, "width": 4, "count": bands, "dtype": "float32", "crs": crs}
    with rasterio.open(path, "w", transform=from_origin(0, 300, 100, 100), nodata=nodata, **shape) as file:
        for band in range(bands):
            file.write(values, band + 1)
    return path


def test_a_raster_is_read_with_its_holes(tmp_path):
    found = read_raster(write(tmp_path / "a.tif"))
    assert found.dims == ("y", "x")
    assert np.isnan(found.values[0, 0])
    assert found.values[2, 3] == 10
    assert found.rio.crs.to_epsg() == 32642


def test_what_is_no_raster(tmp_path):
    (tmp_path / "text.tif").write_text("no raster")
    for path, says in [
        (write(tmp_path / "two.tif", bands=2), "must be a raster of one band; got 2"),
        (write(tmp_path / "bare.tif", crs=None), "declares no CRS"),
        (tmp_path / "text.tif", "can't be read as a raster"),
        (tmp_path / "none.tif", "does not exist"),
    ]:
        with pytest.raises(InputError, match=says):
            read_raster(path)


def test_kinds_of_inputs(tmp_path):
    source = Source(write(tmp_path / "a.tif"))
    assert read_input("raster", source).shape == (3, 4)
    assert read_input("file", source) == source.path
    assert known_columns("raster", source) == known_columns("file", source) == set()
    with pytest.raises(InputError, match="does not exist"):
        read_input("file", Source(tmp_path / "no.pbf"))

    declared = read(example)
    height, extract = declared.parameters
    assert (height.kind, extract.kind, extract.suffixes) == ("raster", "file", (".pbf",))
    assert height.is_data
    assert extract.is_data
    assert (kind_of(height), kind_of(extract)) == (("raster",), ("file",))
    assert read_data(kind_of(height), source).shape == (3, 4)
    assert "GeoTIFF" in _what(height)
    assert _what(extract) == "(file: .pbf)"
