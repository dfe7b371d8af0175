"""Regions told by name: in three languages, never where a code could mean a place."""

from __future__ import annotations

from types import SimpleNamespace

import geopandas as gpd
import pandas as pd
import shapely

from kazgeo.analyses.outcome import Outcome
from kazgeo.messages import Message, Names
from kazgeo.project.naming import region_names, tell_names

ASTANA = Names("Astana", "Астана", "Астана қ.")


def layers():
    box = shapely.box(0, 0, 1, 1)
    land = gpd.GeoDataFrame(
        {"name_en": ["Astana", "One", None], "name_ru": ["Астана", "Один", None],
         "name_kk": ["Астана қ.", "Бір", None]},
        geometry=[box] * 3, index=pd.Index(["710000000", "1", "350000000"], name="kato"), crs=4326,
    )  # fmt: skip
    places = gpd.GeoDataFrame(geometry=[shapely.Point(0, 0)], index=pd.Index(["1"], name="id"), crs=4326)
    inputs = (SimpleNamespace(name="land", kind="polygon"), SimpleNamespace(name="places", kind="point"),
              SimpleNamespace(name="not read", kind="polygon"))  # fmt: skip
    return SimpleNamespace(inputs=inputs), {"land": land, "places": places}


def test_codes_that_are_regions_only_have_names():
    assert region_names(*layers()) == {"710000000": ASTANA}  # "1" is a place too, the third has no name


def test_findings_of_any_depth_tell_names():
    names = region_names(*layers())
    inner = Message("{where} {n}", {"where": "710000000", "n": 3})
    found = Outcome((Message("{all}", {"all": (inner, Names("710000000"), "1", "350000000")}),))
    (told,) = tell_names(found, names).findings
    assert told.values["all"][0].values == {"where": ASTANA, "n": 3}
    assert told.values["all"][1:] == (ASTANA, "1", "350000000")
