"""Made-up geometry for unit tests: squares and points that stand for no real place."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
from shapely.geometry import LineString, MultiLineString, MultiPolygon, Point, box

from kazgeo.style import Backdrop, Theme, TooltipField, categorical, graduated

RAMP = ["#ffe08a", "#f08a3c", "#a01c1c"]
KINDS = [("hot", "hot spot", "#b2182b"), ("cold", "cold spot", "#2166ac"), ("none", "not significant", "#f0f0f0")]

HOSTILE = [
    'O\'Коннор "quoted"',
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "`${alert(3)}` {{ 7 * 7 }} {% raw %} {# comment #}",
    "Әділ Ғұмыр Қаңтар Өскемен Үшарал Һ І 🚂",
    "<!-- <script> & &lt;b&gt; \\u003c \u2028 $title",
]


def squares(n: int = 6) -> gpd.GeoDataFrame:
    """Squares in a row of two, touching; the last has two parts; codes as labels."""
    shapes = [box(60 + 2 * (i // 2), 46 + 2 * (i % 2), 62 + 2 * (i // 2), 48 + 2 * (i % 2)) for i in range(n)]
    shapes[-1] = MultiPolygon([shapes[-1], box(75, 52, 76, 53)])
    data = gpd.GeoDataFrame(index=[f"{i + 1}00000000" for i in range(n)], geometry=shapes, crs=4326)
    data["name_en"] = [f"Square {i}" for i in range(n)]
    data["name_ru"] = [f"Квадрат {i}" for i in range(n)]
    data["name_kk"] = [f"Шаршы Қ{i}" for i in range(n)]
    data["rate"] = [0.5, 1.5, 2.5, 2.5, 0.3, 1.0][:n]
    data["people"] = np.arange(n) * 1234.5
    return data


def rate(data: gpd.GeoDataFrame, id_: str = "rate", title: str = "Rate", **options: object) -> Theme:
    style = graduated("rate", "Rate of squares", [0, 1, 2, 3], RAMP, unit="per mille", decimals=1)
    fields = (TooltipField("people", "People", "persons", 1),)
    return Theme(id_, title, data, style, "name_en", fields, **options)  # type: ignore[arg-type]


def points() -> gpd.GeoDataFrame:
    places = [Point(61, 47), Point(63, 47), Point(65, 47), Point(61, 49), Point(63, 49)]
    data = gpd.GeoDataFrame(index=[11, 12, 13, 14, 15], geometry=places, crs=4326)
    data["name"] = ["Alpha", "Beta", "Gamma", "Delta", "Epsilon"]
    data["kind"] = ["hot", "cold", "none", "none", None]
    data["people"] = [100.0, 10.0, 50_000.0, np.nan, 0.0]
    return data


def spots(data: gpd.GeoDataFrame, id_: str = "spots") -> Theme:
    return Theme(id_, "Spots", data, categorical("kind", "Kind of spot", KINDS), "name", size_column="people")


def backdrop() -> Backdrop:
    land = gpd.GeoDataFrame(geometry=[box(50, 40, 60, 60), box(66, 40, 80, 50)], crs=4326)
    cities = gpd.GeoDataFrame(
        {"name": ["Big", "Hidden beside it", "Far"], "population": [900, 10, 500]},
        geometry=[Point(61, 47), Point(61.01, 47.01), Point(65, 47.5)],
        crs=4326,
    )
    return Backdrop(neighbours=land, outline=squares()[["geometry"]], cities=cities)


def roads() -> gpd.GeoDataFrame:
    """Lines that stand for no real road: two classes, a missing one, one of two parts, one without a place."""
    lines: list[object] = [
        LineString([(60, 47), (66, 47)]),
        LineString([(60, 49), (66, 49)]),
        MultiLineString([[(61, 46), (62.5, 46.8)], [(61.3, 47.4), (64.5, 48.8)]]),
        LineString([(65, 46), (65, 50)]),
        None,
    ]
    data = gpd.GeoDataFrame(index=[1, 2, 3, 4, 5], geometry=lines, crs=4326)
    data["name"] = ["M-1", "M-2", "A-1", "A-2", "A-3"]
    data["class"] = ["main", "main", "other", None, "other"]
    data["time"] = [10.0, 70.0, 130.0, np.nan, 20.0]
    return data


ROADS = [("main", "main road", "#b30000"), ("other", "other road", "#e6842a", "//")]


def road_theme(id_: str = "roads", name: str | None = "name") -> Theme:
    fields = (TooltipField("time", "time", "min", 0),)
    return Theme(id_, "Roads", roads(), categorical("class", "class of road", ROADS), name, fields)
