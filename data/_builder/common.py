"""What every step of the build shares: where the sources are, how tables and layers are written."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

WORLD_MAP = Path("/usr/share/qgis/resources/data/world_map.gpkg")

#: Equal-area CRS in which areas and distances are told (as in kazgeo.crs.COUNTRY).
ALBERS = "+proj=aea +lat_1=43 +lat_2=53 +lat_0=48 +lon_0=67 +datum=WGS84 +units=m +no_defs"

#: GeoPackage writes the time of day; a fixed one keeps the bytes the same.
STAMP = "2024-01-01T00:00:00.000Z"

COUNTRY = "000000000"


class BuildError(Exception):
    """A source is missing or doesn't say what the build relies on."""


@dataclass(frozen=True)
class Inputs:
    """The sources of one build and the folder it writes to."""

    data: Path
    world_map: Path
    out: Path

    @classmethod
    def checked(cls, shared: Path, world_map: Path, out: Path) -> Inputs:
        """Return the inputs, or say which one is missing and how to get it."""
        data = shared / "data"
        if not (data / "highways.csv").is_file():
            raise BuildError(f"--shared: no data/highways.csv in '{shared}'; point it at the folder that holds data/")
        if not world_map.is_file():
            raise BuildError(f"--world-map: '{world_map}' is not there; install Debian's qgis-common or name a copy")
        return cls(data, world_map, out)

    def table(self, name: str, **options: Any) -> pd.DataFrame:
        """Read one of the compiled tables as text."""
        return pd.read_csv(self.data / name, dtype=str, keep_default_na=False, **options)


def say(message: str) -> None:
    """Tell what was done."""
    sys.stdout.write(f"{message}\n")


def oblast_code(two_digits: str) -> str:
    """Return the nine-digit code of an oblast from its first two digits; '0' is the country."""
    return COUNTRY if two_digits == "0" else two_digits.ljust(9, "0")


def number(value: float) -> str:
    """Return the shortest text of a number, empty when it is missing."""
    if pd.isna(value):
        return ""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table of text: UTF-8, comma, LF, header; beside, then renamed."""
    part = path.with_name(path.name + ".part")
    table.to_csv(part, index=False, lineterminator="\n", encoding="utf-8")
    part.replace(path)
    say(f"{path.name}: {len(table)} rows, {path.stat().st_size / 1000:.0f} kB")


def write_layers(layers: dict[str, Any], path: Path) -> None:
    """Write GeoDataFrames as the layers of one GeoPackage 1.2 with a fixed time stamp; beside, then renamed."""
    import pyogrio

    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": STAMP})
    part = path.with_name("part_" + path.name)
    part.unlink(missing_ok=True)
    for name, frame in layers.items():
        frame.to_file(part, layer=name, driver="GPKG", engine="pyogrio", VERSION="1.2", append=part.exists())
    part.replace(path)
    told = ", ".join(f"{name} {len(frame)}" for name, frame in layers.items())
    say(f"{path.name}: {told}, {path.stat().st_size / 1000:.0f} kB")
