"""Lines as a theme: in the page's data, and as a reader sees them in a browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import geopandas as gpd
import pytest
from conftest import Opener, settle
from made_up import RAMP, ROADS, backdrop, points, rate, road_theme, roads, spots, squares
from shapely.geometry import box

from kazgeo.style import Backdrop, Theme, graduated
from kazgeo.webmap import build, to_html
from kazgeo.widths import CASING_COLOR, line_widths


def data_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="kazgeo-data">(.*?)</script>', html, re.S)
    assert found
    return dict(json.loads(found[1]))


def timed(id_: str = "time") -> Theme:
    style = graduated("time", "time", [0, 60, 120, 180], ["#b2e2e2", "#2ca25f", "#005824"], unit="min")
    return Theme(id_, "Time", roads(), style, "name")


def test_widths_and_dashes_follow_the_classes() -> None:
    page = data_of(to_html(build([road_theme(), timed()], title="T")))
    coded, graded = page["themes"]
    assert coded["kind"] == "line"
    assert coded["shape"] == graded["shape"], "the geometry travels once"
    assert coded["line"]["widths"][:2] == [round(w * 96 / 72, 2) for w in line_widths("categorical", 2)]
    assert coded["line"]["widths"][0] > coded["line"]["widths"][1] > coded["line"]["widths"][2]
    assert graded["line"]["widths"][0] < graded["line"]["widths"][1] < graded["line"]["widths"][2]
    assert [bool(d) for d in coded["line"]["dashes"]] == [False, True, True]
    assert page["columns"][coded["codes"]] == [0, 0, 1, -1, 1]
    assert page["columns"][coded["order"]] == [3, 2, 4, 0, 1], "missing below, the widest on top"
    assert [r["count"] for r in coded["legend"]["rows"]] == ["2", "1"]
    assert coded["legend"]["missing"]["count"] == "1"
    assert "1 without a place" in coded["legend"]["unplaced"]
    assert coded["radius"] is None


def test_pale_lines_get_a_casing_and_strong_ones_none() -> None:
    strong = replace(road_theme(), data=roads().dropna(subset="class"))
    page = data_of(to_html(build([strong, timed()], title="T")))
    assert page["themes"][0]["line"]["casing"] is None
    assert page["themes"][1]["line"]["casing"]["color"] == CASING_COLOR


def test_lines_without_names_are_not_searched_by_number() -> None:
    page = data_of(to_html(build([road_theme(name=None)], title="T")))
    assert page["themes"][0]["names"] is None
    assert page["shapes"][0]["names"] == []


def test_mixed_kinds_name_lines_among_what_is_wanted() -> None:
    mixed = roads()
    mixed.geometry = [*points().geometry[:2], *mixed.geometry[2:]]
    with pytest.raises(ValueError, match=r"must be polygons or points or lines, all of one kind"):
        build([replace(road_theme(), data=mixed)], title="T")


@pytest.mark.browser
def test_lines_are_drawn_by_class_over_the_regions(open_map: Opener) -> None:
    base = backdrop()
    opened = open_map(build([road_theme(), rate(squares())], title="T", backdrop=Backdrop(outline=base.outline)))
    opened.assert_clean()
    main, other = opened.near("lines", ROADS[0][2]), opened.near("lines", ROADS[1][2])
    assert main > 2 * other > 200, "two main roads, wider than the other"
    assert opened.near("casing", CASING_COLOR) > 500, "the missing class is pale"
    assert opened.colors("land").get("#fbfaf5", 0) > 1_000, "the outline lies under lines as under points"
    strokes = opened.page.eval_on_selector_all(
        ".kz-stroke line:last-child", "all => all.map(l => [l.getAttribute('stroke'), l.getAttribute('stroke-width')])"
    )
    assert [s[0] for s in strokes] == ["#b30000", "#e6842a", "#d9d9d9"]
    widths = [float(s[1]) for s in strokes]
    assert widths == sorted(widths, reverse=True)
    assert "main road\t2" in opened.legend()


@pytest.mark.browser
def test_hovering_near_a_line_tells_about_it(open_map: Opener) -> None:
    opened = open_map(build([road_theme(), timed()], title="T"))
    page = opened.page
    x, y = opened.where(63, 47)
    page.mouse.move(x, y + 4)  # thin lines need not be hit exactly
    settle(page)
    tip = page.inner_text(".kz-tip")
    assert tip.startswith("M-1\n")
    assert "main road" in tip
    assert "10\xa0min" in tip
    assert opened.near("marked", "#111111") > 200
    assert opened.near("marked", ROADS[0][2]) > 200, "the marked line keeps its colour"
    page.mouse.move(x, y + 40)
    settle(page)
    assert page.is_hidden(".kz-tip")
    opened.assert_clean()


@pytest.mark.browser
def test_changing_between_lines_points_and_regions(open_map: Opener) -> None:
    opened = open_map(build([road_theme(), timed(), spots(points()), rate(squares())], title="T"))
    page = opened.page
    assert page.eval_on_selector_all("#kz-theme-list legend", "all => all.map(l => l.textContent)") == [
        "Regions", "Places", "Lines",
    ]  # fmt: skip
    page.get_by_label("Time").check()
    settle(page)
    assert opened.near("lines", "#2ca25f") > 100
    assert opened.near("lines", ROADS[0][2]) == 0
    page.get_by_label("Rate").check()
    settle(page)
    assert opened.colors("lines") == opened.colors("casing") == {}
    page.mouse.move(*opened.where(63, 47))
    settle(page)
    assert page.inner_text(".kz-tip").startswith("Square 2\n"), "the empty canvas of lines lets the mouse through"
    assert opened.colors("data").get(RAMP[2], 0) > 1_000
    page.get_by_label("Roads").check()
    settle(page)
    assert opened.near("lines", ROADS[0][2]) > 500
    opened.assert_clean()


@pytest.mark.browser
def test_a_line_is_found_by_name_also_from_another_theme(open_map: Opener) -> None:
    opened = open_map(build([rate(squares()), road_theme()], title="T"))
    page = opened.page
    page.fill(".kz-search input", "M-2")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    settle(page)
    assert page.inner_text(".kz-tip").startswith("M-2")
    assert opened.near("marked", "#111111") > 200
    opened.assert_clean()


@pytest.mark.browser
def test_zooming_out_stops_before_the_surroundings_end(open_map: Opener) -> None:
    wide = gpd.GeoDataFrame(geometry=[box(40, 30, 90, 65)], crs=4326)
    opened = open_map(build([road_theme()], title="T", backdrop=Backdrop(neighbours=wide)), width=2000, height=600)
    west, east, least, whole = opened.page.evaluate(
        """() => {
            const map = kazgeo.page.map, whole = map.getZoom();
            map.setZoom(0, { animate: false });
            return [map.getBounds().getWest(), map.getBounds().getEast(), map.getZoom(), whole];
        }"""
    )
    assert least < whole
    assert 40 <= west < east <= 90
    opened.assert_clean()


@pytest.mark.browser
def test_unnamed_lines_have_a_tip_without_a_name(open_map: Opener) -> None:
    opened = open_map(build([road_theme(name=None)], title="T"))
    opened.page.mouse.move(*opened.where(63, 47))
    settle(opened.page)
    assert opened.page.inner_text(".kz-tip").startswith("class of road")
    opened.assert_clean()
