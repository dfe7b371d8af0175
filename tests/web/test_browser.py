"""The page as a reader sees it: opened from a file with the network off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from conftest import Opener, settle
from made_up import HOSTILE, KINDS, RAMP, backdrop, points, rate, spots, squares

from kazgeo.crs import COUNTRY
from kazgeo.style import Backdrop, Theme, TooltipField, categorical, graduated
from kazgeo.webmap import build

pytestmark = pytest.mark.browser


def years() -> list[Theme]:
    return [
        rate(squares().assign(rate=value), f"grp:{year}", f"GRP, {year}")
        for year, value in ((2009, 0.5), (2010, 1.5), (2011, 2.5))
    ]


def test_polygons_are_drawn_in_their_class_colours(open_map: Opener) -> None:
    data = squares()
    data.loc[data.index[0], "rate"] = np.nan
    opened = open_map(build([rate(data)], title="Squares", backdrop=backdrop()))
    opened.assert_clean()
    seen = opened.colors("data")
    for color in RAMP:
        assert seen.get(color, 0) > 1_000, color
    assert seen.get("#d9d9d9", 0) > 1_000
    # the hatch of the missing class: pixels between the grey and its lines
    assert sum(n for c, n in seen.items() if c[1:3] == c[3:5] == c[5:7] and 0x90 < int(c[1:3], 16) < 0xD0) > 200
    assert opened.colors("land").get("#e9e9e6", 0) > 1_000


def test_a_class_without_units_has_no_pixels(open_map: Opener) -> None:
    opened = open_map(build([rate(squares().assign(rate=2.5))], title="T"))
    seen = opened.colors("data")
    assert seen.get(RAMP[2], 0) > 10_000
    assert RAMP[0] not in seen
    assert RAMP[1] not in seen


def test_points_are_drawn_over_the_outline_of_the_regions(open_map: Opener) -> None:
    opened = open_map(build([spots(points()), rate(squares())], title="T"))
    opened.assert_clean()
    for _, _, color in KINDS:
        assert opened.near("points", color) > 10, color
    assert opened.near("points", "#d9d9d9") > 5
    assert opened.colors("land").get("#fbfaf5", 0) > 1_000


def test_a_page_above_200_kb_unpacks_from_a_file(open_map: Opener) -> None:
    n = 8_000
    rng = np.random.default_rng(5)
    data = gpd.GeoDataFrame(
        {"rate": rng.uniform(0, 3, n)},
        geometry=gpd.points_from_xy(rng.uniform(50, 80, n), rng.uniform(42, 54, n)),
        crs=4326,
    )
    theme = Theme("t", "Many", data, graduated("rate", "r", [0, 1, 2, 3], RAMP, decimals=2))
    opened = open_map(build([theme], title="T"))
    opened.assert_clean()
    assert opened.page.get_attribute("#kazgeo-data", "type") == "application/gzip"
    for color in RAMP:
        assert opened.near("points", color) > 5_000


def test_choosing_a_theme_changes_map_legend_and_heading(open_map: Opener) -> None:
    other = rate(squares().assign(rate=0.5), "other", "The other", note="What it shows.")
    opened = open_map(build([rate(squares()), other, spots(points())], title="T"))
    page = opened.page
    assert page.inner_text("#kz-now") == "Rate"
    assert "What it shows." not in opened.legend()
    page.get_by_label("The other").check()
    settle(page)
    assert page.inner_text("#kz-now") == "The other"
    assert "What it shows." in opened.legend()
    seen = opened.colors("data")
    assert seen.get(RAMP[0], 0) > 10_000
    assert RAMP[2] not in seen
    page.get_by_label("Spots").check()
    settle(page)
    assert "hot spot" in opened.legend()
    assert opened.near("points", "#b2182b") > 10
    page.get_by_label("The other").check()
    settle(page)
    assert opened.colors("points") == {}
    opened.assert_clean()


def test_themes_are_chosen_by_keyboard(open_map: Opener) -> None:
    opened = open_map(build([rate(squares()), rate(squares(), "b", "Second")], title="T"))
    opened.page.focus("input[name=kz-theme][value='0']")
    opened.page.keyboard.press("ArrowDown")
    assert opened.page.inner_text("#kz-now") == "Second"


def test_hovering_tells_name_value_and_fields(open_map: Opener) -> None:
    opened = open_map(build([rate(squares()), spots(points())], title="T"))
    page = opened.page
    assert page.is_hidden(".kz-tip")
    page.mouse.move(*opened.where(63, 47))
    settle(page)
    tip = page.inner_text(".kz-tip")
    assert tip.startswith("Square 2\n")
    assert "2.5\xa0per\xa0mille" in tip
    assert "People\n" in tip
    assert "2,469.0\xa0persons" in tip
    page.mouse.move(*opened.where(70, 50.8))
    settle(page)
    assert page.is_hidden(".kz-tip")
    # after points were shown and left the regions answer again
    page.get_by_label("Spots").check()
    page.mouse.move(*opened.where(65, 47))
    assert page.inner_text(".kz-tip").startswith("Gamma\n")
    page.get_by_label("Rate").check()
    page.mouse.move(*opened.where(63, 47))
    settle(page)
    assert page.inner_text(".kz-tip").startswith("Square 2\n")


def test_a_tap_tells_and_a_tap_beside_closes(open_map: Opener) -> None:
    opened = open_map(build([rate(squares())], title="T"), width=390, height=844, touch=True)
    opened.page.touchscreen.tap(*opened.where(61, 49))
    settle(opened.page)
    assert opened.page.inner_text(".kz-tip").startswith("Square 1\n")
    opened.page.touchscreen.tap(*opened.where(71, 50.5))
    settle(opened.page)
    assert opened.page.is_hidden(".kz-tip")


def test_hostile_names_are_shown_as_they_are(open_map: Opener) -> None:
    data = squares().assign(name_en=HOSTILE)
    back = Backdrop(cities=points().assign(name=HOSTILE[1:]))
    theme = rate(data, note=HOSTILE[2])
    fields = (TooltipField("name_en", HOSTILE[3], HOSTILE[1]),)
    theme = Theme(theme.id, HOSTILE[1], data, theme.style, "name_en", fields, HOSTILE[2])
    opened = open_map(build([theme, spots(points())], title=HOSTILE[2], sources=HOSTILE, backdrop=back))
    page = opened.page
    assert page.inner_text("h1") == HOSTILE[2]
    assert page.title() == HOSTILE[2]
    assert HOSTILE[2] in opened.legend()
    for i, name in enumerate(HOSTILE):
        box = data.geometry.iloc[i].representative_point() if i < 5 else data.geometry.iloc[i].geoms[0].centroid
        page.mouse.move(*opened.where(box.x, box.y))
        settle(page)
        assert page.text_content(".kz-tip strong") == name
        page.fill("#kz-query", name[:12])
        assert name in page.locator("#kz-hits li").all_text_contents()[0]
        page.fill("#kz-query", "")
    assert page.locator("img, .kz-panel script, .kz-tip script").count() == 0
    opened.assert_clean()


@pytest.mark.parametrize(
    ("language", "thousands", "missing"),
    [
        ("en", "1,500 – 2,500", "1,234.5"),
        ("ru", "1\xa0500 – 2\xa0500", "1\xa0234,5"),
        ("kk", "1\xa0500 – 2\xa0500", "1\xa0234,5"),
    ],
)
def test_numbers_in_the_language_of_the_reader(open_map: Opener, language: str, thousands: str, missing: str) -> None:
    data = squares().assign(rate=[2000.0] * 6)
    style = graduated("rate", "r", [0, 1500, 2500], RAMP[:2])
    theme = Theme("t", "Тақырып", data, style, f"name_{language}", (TooltipField("people", "p", "", 1),))
    opened = open_map(build([theme], title="Ә", language=language))
    page = opened.page
    assert page.get_attribute("html", "lang") == language
    assert thousands in opened.legend()
    page.mouse.move(*opened.where(61, 49))
    settle(page)
    tip = page.inner_text(".kz-tip")
    assert str(data[f"name_{language}"].iloc[1]) in tip
    assert missing in tip
    opened.assert_clean()


def test_the_pages_own_words_follow_the_language(open_map: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    from kazgeo.locale import Speaker
    from kazgeo.webmap import _page

    # every msgid marked, whatever the catalogues hold: a word that is not marked was never translated
    monkeypatch.setattr(_page, "speaker", lambda language: Speaker(language, lambda text: f"«{text}»"))
    data = squares().assign(rate=[np.nan, 1, 1, 1, 1, 99])
    data.loc[data.index[1], "geometry"] = None
    opened = open_map(build([rate(data), *years(), spots(points())], title="T", language="ru"))
    page = opened.page
    text = page.inner_text("body")
    for word in ("Maps", "Regions", "Places", "count", "no data", "outside the classes", "Hide the panel", "km"):
        assert f"«{word}»" in text, word
    assert "«1 without a place on the map»" in text
    labels = page.evaluate(
        "() => [...document.querySelectorAll('[aria-label]')].map(n => n.getAttribute('aria-label'))"
    )
    assert all("«" in label for label in labels), labels


def test_the_slider_runs_through_the_years(open_map: Opener) -> None:
    opened = open_map(build([rate(squares()), *years()], title="T"))
    page = opened.page
    assert page.is_hidden("#kz-slider")
    assert page.locator("input[name=kz-theme]").count() == 2
    page.get_by_label("GRP").check()
    settle(page)
    assert page.inner_text("#kz-step") == "2011"
    assert page.inner_text("#kz-now") == "GRP, 2011"
    assert RAMP[2] in opened.colors("data")
    page.focus("#kz-range")
    page.keyboard.press("ArrowLeft")
    settle(page)
    assert page.inner_text("#kz-step") == "2010"
    assert page.get_attribute("#kz-range", "aria-valuetext") == "2010"
    seen = opened.colors("data")
    assert seen.get(RAMP[1], 0) > 10_000
    assert RAMP[2] not in seen
    page.keyboard.press("Home")
    assert page.inner_text("#kz-step") == "2009"


def test_the_heading_names_the_year_that_the_title_leaves_out(open_map: Opener) -> None:
    opened = open_map(build([rate(squares(), "g:2009", "GRP"), rate(squares(), "g:2010", "GRP")], title="T"))
    assert opened.page.inner_text("#kz-now") == "GRP, 2010"


def test_play_runs_to_the_last_year_and_stops(open_map: Opener) -> None:
    opened = open_map(build(years(), title="T"))
    page = opened.page
    page.click("#kz-play")
    assert page.inner_text("#kz-step") == "2009"
    assert page.get_attribute("#kz-play", "aria-label") == "Pause"
    page.wait_for_selector("#kz-play[title=Play]", timeout=10_000)
    assert page.inner_text("#kz-step") == "2011"
    opened.assert_clean()


@pytest.mark.parametrize("typed", ["square 3", "КВАДРАТ 3", "шаршы қ3", "Шаршы К3", "400000000"])
def test_search_finds_any_name_and_zooms_to_it(open_map: Opener, typed: str) -> None:
    opened = open_map(build([rate(squares())], title="T"))
    page = opened.page
    before = page.evaluate("kazgeo.page.map.getZoom()")
    page.fill("#kz-query", typed)
    assert page.locator("#kz-hits li").count() == 1
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#kz-query", "aria-activedescendant") == "kz-hit-0"
    page.keyboard.press("Enter")
    settle(page)
    assert page.evaluate("kazgeo.page.map.getZoom()") > before
    centre = page.evaluate("(({lng, lat}) => [lng, lat])(kazgeo.page.map.getCenter())")
    assert centre == pytest.approx([63, 49], abs=0.1)
    assert page.inner_text(".kz-tip").startswith("Square 3\n")
    assert opened.colors("marked").get("#111111", 0) > 100
    page.click(".kz-full a")
    settle(page)
    assert page.evaluate("kazgeo.page.map.getZoom()") == pytest.approx(before)
    assert page.is_hidden(".kz-tip")


def test_search_without_a_hit_says_so(open_map: Opener) -> None:
    opened = open_map(build([rate(squares())], title="T"))
    opened.page.fill("#kz-query", "zzz")
    assert opened.page.inner_text("#kz-hits") == "Nothing found"
    opened.page.keyboard.press("Enter")
    opened.page.keyboard.press("Escape")
    assert opened.page.is_hidden("#kz-hits")
    opened.assert_clean()


def test_search_of_another_themes_unit_shows_where_it_is(open_map: Opener) -> None:
    opened = open_map(build([rate(squares()), spots(points())], title="T"))
    page = opened.page
    page.fill("#kz-query", "gamma")
    assert "Places" in page.inner_text("#kz-hits")
    page.keyboard.press("Enter")
    settle(page)
    assert page.inner_text(".kz-tip") == "Gamma"
    assert page.inner_text("#kz-now") == "Rate"


def overlaps(page: Any, one: str, other: str) -> bool:
    a, b = (page.locator(s).first.bounding_box() for s in (one, other))
    return bool(
        a["x"] < b["x"] + b["width"]
        and b["x"] < a["x"] + a["width"]
        and a["y"] < b["y"] + b["height"]
        and b["y"] < a["y"] + a["height"]
    )


@pytest.mark.parametrize(("width", "height"), [(1400, 850), (820, 600), (390, 844), (320, 568)])
def test_the_panel_covers_neither_map_nor_controls(open_map: Opener, width: int, height: int) -> None:
    themes = [rate(squares(), note="A sentence that is long enough to wrap. " * 3), spots(points()), *years()]
    opened = open_map(
        build(themes, title="A rather long title of a map of squares", backdrop=backdrop()), width=width, height=height
    )
    page = opened.page
    for control in (".leaflet-control-zoom", ".kz-full", ".leaflet-control-scale", ".folium-map"):
        assert not overlaps(page, "#kz-panel", control), control
        assert not overlaps(page, ".kz-bar", control), control
        assert not overlaps(page, ".kz-foot", control), control
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".folium-map").bounding_box()["height"] > 0.3 * height
    area = page.locator(".folium-map").bounding_box()
    page.click("#kz-toggle")
    settle(page)
    assert page.is_hidden("#kz-panel")
    assert page.get_attribute("#kz-toggle", "aria-expanded") == "false"
    grown = page.locator(".folium-map").bounding_box()
    assert grown["width"] * grown["height"] > 1.15 * area["width"] * area["height"]
    page.click("#kz-toggle")
    assert page.is_visible("#kz-legend")
    opened.assert_clean()


def test_city_labels_do_not_lie_on_each_other(open_map: Opener) -> None:
    opened = open_map(build([rate(squares())], title="T", backdrop=backdrop()))
    page = opened.page

    def shown() -> list[str]:
        return list(page.locator(".kz-city:not(.kz-off) span").all_text_contents())

    assert shown() == ["Big", "Far"]
    page.evaluate("kazgeo.page.map.setView([47, 61], 12, {animate: false})")
    settle(page)
    assert set(shown()) == {"Big", "Far", "Hidden beside it"}


def test_the_whole_map_is_shown_first_and_after_the_window_changes(open_map: Opener) -> None:
    opened = open_map(build([rate(squares())], title="T"))
    inside = "kazgeo.page.map.getBounds().contains(kazgeo.page.bounds)"
    assert opened.page.evaluate(inside)
    opened.page.set_viewport_size({"width": 600, "height": 700})
    opened.page.wait_for_timeout(300)
    assert opened.page.evaluate(inside)


def test_real_districts_and_settlements(open_map: Opener, shared: Path) -> None:
    districts = gpd.read_file(shared / "geokz_kaz_admbnda_adm2_2024.gpkg").set_index("KATO")
    people = pd.read_csv(shared / "adm2_population_2023_bns.csv", dtype={"kato_geokz2024": str})
    people = people.dropna(subset="kato_geokz2024").set_index("kato_geokz2024")["pop"]
    districts["density"] = people.reindex(districts.index) / (districts.to_crs(COUNTRY).area / 1e6)
    ramp = ["#ffffcc", "#c2e699", "#78c679", "#238443"]
    density = graduated("density", "Density", [0, 1, 5, 50, 20_000], ramp, unit="people/km²", decimals=1)
    places = gpd.read_file(shared / "settlements_osm_kato.gpkg").set_index("osm_id")
    places = places[places["population"].notna() & places["place"].isin(["city", "town", "village"])]
    kinds = categorical(
        "place", "Kind", [("city", "city", "#b2182b"), ("town", "town", "#ef8a62"), ("village", "village", "#67a9cf")]
    )
    themes = [
        Theme("density", "Плотность", districts, density, "ADM2_RU"),
        Theme("places", "Пункты", places, kinds, "name_ru", size_column="population"),
    ]
    opened = open_map(build(themes, title="Казахстан", language="ru"))
    page = opened.page
    seen = opened.colors("data")
    for color in ramp:
        assert seen.get(color, 0) > 100, color
    assert seen.get("#d9d9d9", 0) > 100
    page.fill("#kz-query", "Қарқаралы")
    page.keyboard.press("Enter")
    settle(page)
    assert "Каркаралинский" in page.inner_text(".kz-tip")
    page.click(".kz-full a")
    page.get_by_label("Пункты").check()
    settle(page)
    for kind in kinds.classes:
        assert opened.near("points", kind.color) > 20, kind
    opened.assert_clean()
