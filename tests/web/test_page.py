"""What is in the page, without a browser."""

from __future__ import annotations

import base64
import gzip
import json
import math
import re
import warnings
from pathlib import Path
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from made_up import HOSTILE, backdrop, points, rate, spots, squares
from shapely.geometry import LineString, MultiPoint, Point, Polygon, box

from kazgeo import webmap
from kazgeo.errors import InputError
from kazgeo.locale import speaker
from kazgeo.style import Backdrop, Style, StyleClass, Theme, TooltipField, graduated
from kazgeo.webmap import _page
from kazgeo.webmap._geometry import ShapePool, coverage_for_screen, encode
from kazgeo.webmap._inline import outside_resources, self_contained
from kazgeo.webmap._payload import payload


def data_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/(json|gzip)" id="kazgeo-data">(.*?)</script>', html, re.S)
    assert found is not None
    text = found[2] if found[1] == "json" else gzip.decompress(base64.b64decode(found[2])).decode()
    return dict(json.loads(text))


def made(*themes: Theme, back: Backdrop | None = None, language: str = "en") -> dict[str, Any]:
    return payload(themes, back, speaker(language))


def paths(unit: list[Any]) -> list[np.ndarray]:
    """Rings of an encoded polygon in degrees."""
    return [np.cumsum(np.array(ring).reshape(-1, 2), axis=0) / 1e4 for part in unit for ring in part]


# ---- self-contained ----


def test_nothing_is_fetched_and_only_leaflet_is_there() -> None:
    html = webmap.to_html(webmap.build([rate(squares())], title="T", sources=["See https://example.org/a?b=1&c=2."]))
    assert outside_resources(html) == []
    assert "Leaflet 1.9" in html
    for unwanted in ("jquery", "bootstrap", "fontawesome", "awesome-markers", "d3.v", "sourceMappingURL"):
        assert unwanted not in html.lower()
    assert '<a href="https://example.org/a?b=1&amp;c=2" rel=' in html
    assert html.count("data:image/png;base64,") >= 3


def test_the_map_shows_itself_in_a_notebook_without_a_cdn() -> None:
    shown = webmap.build([rate(squares())], title="T").get_root().render()
    assert outside_resources(shown) == []


@pytest.mark.parametrize(
    "hostile",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="http://cdn.example/x.css">',
        '<img src="//cdn.example/x.png">',
        '<img src="pictures/x.png">',
        '<div style="background:url(https://cdn.example/x.png)"></div>',
        "<style>@import 'https://cdn.example/x.css';</style>",
        '<script>L.tileLayer(\n "https://{s}.tile.example/{z}/{x}/{y}.png")</script>',
        '<iframe src="https://example.org"></iframe>',
    ],
)
def test_a_resource_from_outside_is_refused(hostile: str) -> None:
    with pytest.raises(InputError, match="still needs"):
        self_contained(f"<!DOCTYPE html><html><head></head><body>{hostile}</body></html>")


def test_a_plugin_with_a_cdn_is_refused_with_its_address() -> None:
    from folium.plugins import MarkerCluster

    drawn = webmap.build([rate(squares())], title="T")
    MarkerCluster().add_to(drawn)
    with pytest.raises(InputError, match=r"markercluster.*leave out the folium plugin"):
        webmap.to_html(drawn)


def test_a_tile_layer_is_refused() -> None:
    drawn = webmap.build([rate(squares())], title="T")
    folium.TileLayer("OpenStreetMap").add_to(drawn)
    with pytest.raises(InputError, match=r"tile"):
        webmap.to_html(drawn)


def test_leaflet_of_a_plain_folium_map_comes_from_the_wheel() -> None:
    plain = folium.Map(tiles=None)
    plain.default_js = [pair for pair in folium.Map.default_js if pair[0] == "leaflet"]
    plain.default_css = [pair for pair in folium.Map.default_css if pair[0] == "leaflet_css"]
    html = webmap.to_html(plain)
    assert "Leaflet 1.9" in html
    assert outside_resources(html) == []


def test_our_map_leaves_folium_itself_alone() -> None:
    before = list(folium.Map.default_js), list(folium.Map.default_css)
    webmap.to_html(webmap.build([rate(squares())], title="T"))
    assert (list(folium.Map.default_js), list(folium.Map.default_css)) == before


# ---- the file ----


def test_same_input_same_bytes(tmp_path: Path) -> None:
    def page(name: str) -> bytes:
        themes = [rate(squares()), spots(points())]
        return webmap.save(webmap.build(themes, title="T", backdrop=backdrop()), tmp_path / name).read_bytes()

    assert page("a.html") == page("b.html")


def test_saving_twice_is_the_same() -> None:
    drawn = webmap.build([rate(squares())], title="T")
    assert webmap.to_html(drawn) == webmap.to_html(drawn)


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "map.html"
    target.write_text("old", encoding="utf-8")
    drawn = webmap.build([rate(squares())], title="T")
    folium.TileLayer("OpenStreetMap").add_to(drawn)
    with pytest.raises(InputError):
        webmap.save(drawn, target)
    assert target.read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["map.html"]


def test_a_folder_in_the_way_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder"):
        webmap.save(webmap.build([rate(squares())], title="T"), tmp_path)


def test_large_data_travels_packed_and_unpacks_to_the_same() -> None:
    n = 9_000
    rng = np.random.default_rng(1)
    places = gpd.points_from_xy(rng.uniform(50, 80, n), rng.uniform(42, 54, n))
    data = gpd.GeoDataFrame({"rate": rng.uniform(0, 3, n)}, geometry=places, crs=4326)
    style = graduated("rate", "r", [0, 1, 2, 3], ["#111111", "#222222", "#333333"], decimals=2)
    html = webmap.to_html(webmap.build([Theme("t", "T", data, style)], title="T"))
    assert 'type="application/gzip"' in html
    unpacked = data_of(html)
    assert unpacked == json.loads(json.dumps(made(Theme("t", "T", data, style))))
    assert len(html) < 0.8 * (len(json.dumps(unpacked)) + 250_000)


def test_a_page_above_the_limit_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        webmap.build([rate(squares())], title="Small")
    monkeypatch.setattr(_page, "PAGE_LIMIT_BYTES", 100_000)
    with pytest.warns(UserWarning, match=r"'Large' takes 0\.\d MB, more than"):
        webmap.build([rate(squares())], title="Large")


# ---- geometry ----


def test_geometry_travels_once_whatever_the_row_order() -> None:
    one, other = squares(), squares().iloc[::-1].assign(rate=lambda d: d["rate"] + 0.5)
    out = made(rate(one, "a"), rate(other, "b"), rate(squares(4), "c"), back=backdrop())
    assert [t["shape"] for t in out["themes"]] == [0, 0, 1]
    assert out["backdrop"]["outline"] == 0
    first, second = (out["columns"][t["value"]["column"]] for t in out["themes"][:2])
    assert np.allclose(np.array(second) - np.array(first), 0.5)


def test_moved_geometry_is_another_geometry() -> None:
    moved = squares()
    moved.geometry = moved.translate(0.5)
    assert [t["shape"] for t in made(rate(squares(), "a"), rate(moved, "b"))["themes"]] == [0, 1]


def test_ten_themes_cost_little_more_than_one() -> None:
    grid = gpd.GeoDataFrame(
        geometry=[box(60 + i / 10, 45 + j / 10, 60.1 + i / 10, 45.1 + j / 10) for i in range(30) for j in range(30)],
        crs=4326,
    ).assign(rate=1.0, name_en="n", people=1.0)
    one = len(json.dumps(made(rate(grid, "t0"))))
    ten = len(json.dumps(made(*(rate(grid, f"t{i}") for i in range(10)))))
    assert ten < 1.5 * one


def test_shared_borders_stay_shared() -> None:
    rng = np.random.default_rng(3)
    y = np.linspace(40, 50, 400)
    border = np.column_stack([60 + np.cumsum(rng.normal(0, 0.01, 400)), y])
    west = Polygon([(50, 40), *border, (50, 50)])
    east = Polygon([(70, 40), *border, (70, 50)])
    left, right = coverage_for_screen(np.array([west, east], dtype=object), 0.05)
    assert shapely.get_num_coordinates([left, right]).sum() < 0.3 * shapely.get_num_coordinates([west, east]).sum()
    assert shapely.coverage_is_valid([left, right])
    a, b = ({tuple(p) for r in paths(encode(g) or []) for p in r.round(4)} for g in (left, right))
    assert len(a & b) > 10


def test_a_dirty_coverage_is_cleaned_before_it_is_simplified() -> None:
    dirty = np.array([box(0, 0, 1, 1), box(0.999, 0, 2, 1)], dtype=object)
    assert not shapely.coverage_is_valid(dirty)
    assert shapely.coverage_is_valid(coverage_for_screen(dirty, 0.001))


def test_catchments_that_overlap_on_purpose_keep_their_areas() -> None:
    nested = np.array([Point(0, 0).buffer(3), Point(0, 0).buffer(2), Point(0, 0).buffer(1)], dtype=object)
    assert np.allclose(shapely.area(coverage_for_screen(nested, 0.5)), shapely.area(nested))


def test_a_self_crossing_polygon_is_drawn() -> None:
    bow = Polygon([(60, 45), (62, 47), (62, 45), (60, 47)])
    data = squares().assign(geometry=[bow, *squares().geometry[1:]]).set_crs(4326)
    unit = made(rate(data))["shapes"][0]["units"][0]
    assert len(unit) == 2


def test_coordinates_are_rounded_to_four_decimals_in_degrees() -> None:
    metres = points().to_crs(3857)
    units = made(spots(metres))["shapes"][0]["units"]
    assert units == made(spots(points()))["shapes"][0]["units"]
    assert units[0] == [610000, 470000]


def test_small_polygons_lie_above_large_ones() -> None:
    data = gpd.GeoDataFrame({"rate": [1.0, 1.0]}, geometry=[box(60.4, 45.4, 60.5, 45.5), box(60, 45, 61, 46)], crs=4326)
    style = graduated("rate", "r", [0, 2], ["#111111"])
    assert made(Theme("t", "T", data, style))["shapes"][0]["order"] == [1, 0]


def test_rare_and_small_points_lie_above() -> None:
    order = made(spots(points()))
    columns, theme = order["columns"], order["themes"][0]
    # Epsilon has no class, Gamma is the largest, Delta's class is more frequent than Alpha's and Beta's
    drawn = columns[theme["order"]]
    assert drawn[:2] == [4, 2]
    assert drawn.index(3) < drawn.index(0)


def test_circle_areas_follow_the_size() -> None:
    data = points().assign(people=[100.0, 400.0, 1600.0, 0.0, np.nan])
    out = made(spots(data))
    radius = out["columns"][out["themes"][0]["radius"]]
    assert radius[2] == 15.0
    assert radius[1] == pytest.approx(7.5)
    assert radius[3] == radius[4] == 2.5


# ---- legend, tooltip, groups ----


def test_units_without_a_place_are_counted() -> None:
    data = squares()
    data.loc[data.index[:2], "geometry"] = [None, Polygon()]
    legend = made(rate(data))["themes"][0]["legend"]
    assert legend["unplaced"] == "2 without a place on the map"
    assert sum(int(r["count"]) for r in legend["rows"]) + int(legend["missing"]["count"]) + 2 == len(data)


def test_missing_and_unclassed_are_told_apart() -> None:
    data = squares().assign(rate=[0.5, np.nan, np.nan, 99.0, 1.0, 2.0])
    theme = made(rate(data))["themes"][0]
    assert theme["legend"]["missing"] == {"label": "no data", "count": "2"}
    assert theme["legend"]["outside"] == {"label": "outside the classes", "count": "1"}
    assert [r["count"] for r in theme["legend"]["rows"]] == ["1", "1", "1"]


def test_values_infinite_boolean_coded_and_missing_in_a_tooltip() -> None:
    data = squares().assign(rate=[0.44, np.inf, -np.inf, np.nan, 2.0, 3.0])
    data["flag"] = [True, False, None, True, False, True]
    data["code"] = ["a", "b", None, "c", "a", "b"]
    style = Style("rate", "Rate", "graduated", (StyleClass("#111111"),), decimals=1)
    fields = (TooltipField("flag", "Flag"), TooltipField("code", "Code", terms=(("a", "Apple"), ("b", "Bean"))))
    out = made(Theme("t", "T", data, style, "name_en", fields))
    value, flag, code = (out["columns"][c["column"]] for c in (out["themes"][0]["value"], *out["themes"][0]["fields"]))
    assert value == [0.4, "∞", "−∞", None, 2, 3]
    assert flag == ["yes", "no", None, "yes", "no", "yes"]
    assert code == ["Apple", "Bean", None, "c", "Apple", "Bean"]


def test_nullable_and_categorical_columns() -> None:
    data = squares().assign(rate=pd.array([0.5, None, 1.5, 2.5, 1.0, 2.0], dtype="Float64"))
    data["people"] = pd.Categorical(["x", "y", None, "x", "y", "x"])
    out = made(rate(data))
    assert out["columns"][out["themes"][0]["value"]["column"]] == [0.5, None, 1.5, 2.5, 1, 2]
    assert out["columns"][out["themes"][0]["fields"][0]["column"]] == ["x", "y", None, "x", "y", "x"]


def test_classes_come_from_the_value_before_it_is_rounded() -> None:
    out = made(rate(squares().assign(rate=[0.96, 0.99, 0.999, 1.96, 1.0, 2.0])))
    assert out["columns"][out["themes"][0]["codes"]] == [0, 0, 0, 1, 1, 2]


def test_years_become_one_entry_in_the_order_of_the_years() -> None:
    themes = [rate(squares(), f"grp:{y}", f"GRP per head, {y}") for y in (2011, 2009, 2010)]
    groups = made(*themes, spots(points()))["groups"]
    assert groups[0] == {
        "title": "GRP per head",
        "themes": [1, 2, 0],
        "steps": ["2009", "2010", "2011"],
        "kind": "polygon",
    }
    assert groups[1]["steps"] == []
    assert groups[1]["title"] == "Spots"


@pytest.mark.parametrize(
    ("title", "short"),
    [
        ("ВРП на душу населения, 2009 г.", "ВРП на душу населения"),
        ("Жан басына ЖӨӨ (2009 ж.)", "Жан басына ЖӨӨ"),
        ("2009: GRP", "GRP"),
        ("GRP", "GRP"),
    ],
)
def test_a_group_is_named_without_the_year(title: str, short: str) -> None:
    other = title.replace("2009", "2010")
    groups = made(rate(squares(), "g:2009", title), rate(squares(), "g:2010", other))["groups"]
    assert [g["title"] for g in groups] == [short]


def test_search_knows_every_language_and_the_code() -> None:
    out = made(rate(squares()))
    names = [out["columns"][c][0] for c in out["shapes"][0]["names"]]
    assert names == ["Square 0", "Квадрат 0", "Шаршы Қ0", "100000000"]


def test_numbers_of_the_legend_in_each_language() -> None:
    data = squares().assign(rate=[1500.0] * 6)
    style = graduated("rate", "r", [0, 1000.5, 2000.5], ["#111111", "#222222"], decimals=1)
    label = {
        lang: made(Theme("t", "T", data, style), language=lang)["themes"][0]["legend"]["rows"][1]["label"]
        for lang in ("en", "ru", "kk")
    }
    assert label["en"] == "1,000.5 – 2,000.5"
    assert label["ru"] == label["kk"] == "1\xa0000,5 – 2\xa0000,5"


def test_cities_are_ordered_by_population() -> None:
    assert [c[0] for c in made(rate(squares()), back=backdrop())["backdrop"]["cities"]] == [
        "Big",
        "Far",
        "Hidden beside it",
    ]


# ---- hostile input ----


def test_hostile_names_survive_as_data_and_never_as_markup() -> None:
    data = squares().assign(name_en=HOSTILE)
    html = webmap.to_html(webmap.build([rate(data, note=HOSTILE[1])], title=HOSTILE[1], sources=HOSTILE))
    out = data_of(html)
    assert out["columns"][out["themes"][0]["names"]] == HOSTILE
    assert "<img src=x" not in html
    assert "<script>alert" not in html
    assert "{{ 7 * 7 }}" in html
    assert html.count("<script") == html.count("</script>")


def test_a_hostile_address_in_sources_does_not_leave_its_attribute() -> None:
    html = webmap.to_html(
        webmap.build([rate(squares())], title="T", sources=['https://e.org/"onmouseover="alert(1) javascript:alert(2)'])
    )
    assert '"onmouseover' not in html
    assert 'href="javascript' not in html


def test_no_theme() -> None:
    with pytest.raises(InputError, match="at least one theme"):
        webmap.build([], title="T")


def test_unknown_language() -> None:
    with pytest.raises(InputError, match="language 'de'"):
        webmap.build([rate(squares())], title="T", language="de")


def several(data: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return data.set_geometry([MultiPoint([(60, 45), (61, 46)]), *data.geometry[1:]], crs=4326)


@pytest.mark.parametrize(
    ("theme", "message"),
    [
        (rate(squares().iloc[:0]), "its layer is empty"),
        (rate(squares().set_crs(None, allow_override=True)), "declares no CRS"),
        (rate(pd.concat([squares(), squares()])), "must be unique; these come twice: '100000000'"),
        (rate(squares().assign(geometry=[None] * 6).set_crs(4326)), "no unit of its layer has a geometry"),
        (rate(squares().drop(columns="rate")), "style.column 'rate' is not a column"),
        (rate(squares().rename(columns={"rate": "rates"})), "did you mean 'rates'"),
        (rate(squares().drop(columns="people")), "fields 'people' is not a column"),
        (rate(squares().drop(columns="name_en")), "name_column 'name_en' is not a column"),
        (rate(squares().astype({"rate": str})), "must be numeric for a graduated style"),
        (spots(points().assign(people=[-1.0, 0, 0, 0, 0])), "must not be negative; it is at 11"),
        (spots(several(points())), "these are several: 11"),
        (rate(squares().set_geometry([Point(60, 45), *squares().geometry[1:]], crs=4326)), "all of one kind"),
        (rate(squares().set_geometry([LineString([(60, 45), (61, 46)]), *squares().geometry[1:]], crs=4326)), "'line'"),
        (rate(squares().set_geometry(squares().translate(0, 60))), "outside the world"),
        (Theme("e", "E", squares(), Style("rate", "r", "graduated", ())), "has no class"),
    ],
)
def test_a_theme_that_cannot_be_drawn_is_told(theme: Theme, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        webmap.build([theme], title="T")
    assert f"theme '{theme.id}'" in str(caught.value)


def test_all_faults_come_in_one_message() -> None:
    with pytest.raises(InputError) as caught:
        webmap.build(
            [rate(squares().iloc[:0], "a"), rate(squares().drop(columns="rate"), "b"), rate(squares(), "b")],
            title="T",
            backdrop=Backdrop(roads=squares(), cities=points(), city_name="nom"),
        )
    text = str(caught.value)
    for part in ("theme 'a'", "theme 'b'", "come twice: 'b'", "backdrop.roads", "city_name 'nom'"):
        assert part in text


def test_all_missing_and_one_constant_column() -> None:
    legend = made(rate(squares().assign(rate=np.nan)))["themes"][0]["legend"]
    assert legend["missing"]["count"] == "6"
    assert [r["count"] for r in legend["rows"]] == ["0", "0", "0"]
    assert [r["count"] for r in made(rate(squares().assign(rate=2.0)))["themes"][0]["legend"]["rows"]] == [
        "0",
        "0",
        "6",
    ]


def test_one_region_and_one_point() -> None:
    out = made(rate(squares().iloc[:1]), spots(points().iloc[:1]))
    assert len(out["shapes"]) == 2
    assert all(math.isfinite(b) for b in out["bounds"])


def test_sizes_all_missing_or_nothing_drop_the_size_legend() -> None:
    for people in (np.nan, 0.0):
        assert made(spots(points().assign(people=people)))["themes"][0]["legend"]["sizes"] is None


def test_a_pool_tells_crs_apart() -> None:
    pool = ShapePool()
    degrees = squares()[["geometry"]]
    assert pool.add(degrees) == 0
    assert pool.add(degrees.set_crs(4284, allow_override=True)) == 1
    assert pool.add(degrees.copy()) == 0


def test_categorical_codes_are_translated_by_the_style() -> None:
    theme = spots(points())
    out = made(theme)
    assert out["columns"][out["themes"][0]["value"]["column"]] == [
        "hot spot",
        "cold spot",
        "not significant",
        "not significant",
        None,
    ]


# ---- real districts ----


def test_real_districts_make_a_small_page(shared: Path) -> None:
    districts = gpd.read_file(shared / "geokz_kaz_admbnda_adm2_2024.gpkg").set_index("KATO")
    people = pd.read_csv(shared / "adm2_population_2023_bns.csv", dtype={"kato_geokz2024": str})
    people = people.dropna(subset="kato_geokz2024").set_index("kato_geokz2024")["pop"]
    from kazgeo.crs import COUNTRY

    districts["density"] = people.reindex(districts.index) / (districts.to_crs(COUNTRY).area / 1e6)
    style = graduated("density", "Density", [0, 2, 10, 100, 20_000], ["#ffffcc", "#78c679", "#238443", "#004529"])
    html = webmap.to_html(webmap.build([Theme("d", "Density", districts, style, "ADM2_EN")], title="T"))
    out = data_of(html)
    assert len(html) < 450_000
    assert out["themes"][0]["legend"]["missing"]["count"] == "5"
    parts = [[paths([part]) for part in unit] for unit in out["shapes"][0]["units"]]
    polygons = [shapely.MultiPolygon([(rings[0], rings[1:]) for rings in unit]) for unit in parts]
    drawn = gpd.GeoSeries(shapely.make_valid(polygons), crs=4326).to_crs(COUNTRY).area.sum()
    assert drawn == pytest.approx(districts.to_crs(COUNTRY).area.sum(), rel=2e-3)
