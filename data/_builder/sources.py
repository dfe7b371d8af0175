"""The table of sources and credit lines, for machines; the words for people are in data/SOURCES.md."""

from __future__ import annotations

import pandas as pd

from _builder.common import BuildError, Inputs, write_csv

# One spelling for each source: what a map was made of is credited piece by piece, each piece once.
_NATURAL_EARTH = "Natural Earth"
_GEONAMES = "© GeoNames (CC BY 4.0)"
_OSM = "© OpenStreetMap contributors (ODbL 1.0)"
_BNS = "Bureau of National Statistics of Kazakhstan"
_GEOKZ = "geokz, A. Rodionoff (CC BY 4.0)"
_OPEN_DATA = "open-data-kazakhstan (PDDL 1.0, doctors CC BY-SA)"
_OURS = "KazGeo"

#: file, title, licence, credits to print, separated by "; ".
ROWS = (
    ("regions_2009.gpkg", "Regions of 2009: 14 oblasts, Almaty, Astana",
     "Natural Earth public domain; names and codes CC BY 4.0 (geokz) and MIT (kz-tax-rates)",
     f"{_NATURAL_EARTH}; {_GEOKZ}; {_BNS}"),
    ("neighbours.gpkg", "Surroundings: land of other countries, seas", "public domain", _NATURAL_EARTH),
    ("settlements.csv", "Settlements (351 places)", "CC BY 4.0; names also MIT (kz-tax-rates)",
     f"{_GEONAMES}; {_BNS}"),
    ("roads.csv", "Schematic trunk network, edges", "CC BY 4.0 and ODbL 1.0 (share alike)",
     f"{_GEONAMES}; {_OSM}"),
    ("road_nodes.csv", "Schematic trunk network, nodes", "CC BY 4.0 and ODbL 1.0 (share alike), by row",
     f"{_GEONAMES}; {_OSM}"),
    ("indicators.csv", "Indicators by region and year", "PDDL 1.0; doctors: CC BY-SA stated by the copy",
     f"{_BNS}; {_OPEN_DATA}"),
    ("indicators_meta.csv", "What the indicators are", "BSD-3-Clause", _OURS),
    ("kato.csv", "KATO: oblasts and districts", "MIT (kz-tax-rates); English names CC BY 4.0 (geokz)",
     f"{_BNS}; {_GEOKZ}"),
    ("reforms.csv", "Administrative reforms", "facts; BSD-3-Clause", "Decrees of the President of Kazakhstan"),
    ("sources.csv", "This table", "BSD-3-Clause", _OURS),
)  # fmt: skip


def build(inputs: Inputs) -> None:
    """Write sources.csv; a data file without a row is an error."""
    table = pd.DataFrame(ROWS, columns=["file", "title", "licence", "attribution"])
    write_csv(table, inputs.out / "sources.csv")
    # another project of the folder may bring a table of sources of its own, named *_sources.csv
    layers = [p.name for p in inputs.out.iterdir() if p.suffix in {".csv", ".gpkg"}]
    there = {name for name in layers if not name.endswith("_sources.csv")}
    if there != set(table["file"]):
        raise BuildError(f"sources: files and rows differ: {sorted(there ^ set(table['file']))}")
