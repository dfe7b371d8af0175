"""A GeoPackage with our styles, opened by a real QGIS: classes, words, sizes and pixels."""

from __future__ import annotations

import html
import os
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from opened import colours, describe, require_qgis, rgb
from shapely import LineString, Point, box

from kazgeo import qgis_style
from kazgeo.style import Theme, TooltipField, categorical, graduated
from kazgeo.widths import CASING_COLOR, line_widths

SHARED = Path(os.environ.get("KAZGEO_SHARED", Path(__file__).parents[3] / "shared"))
REDS = ["#fff5eb", "#fd8d3c", "#7f2704"]


pytestmark = pytest.mark.qgis


@pytest.fixture(autouse=True)
def _needs_qgis():
    require_qgis()


def squares(n: int, **columns: list) -> gpd.GeoDataFrame:
    """Made-up squares side by side."""
    shapes = [box(66 + i, 48, 67 + i, 49) for i in range(n)]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=4326)


def write(path: Path, theme: Theme, language: str) -> None:
    theme.data.to_file(path, layer=theme.id, driver="GPKG", VERSION="1.2")
    qgis_style.write_styles(path, {theme.id: qgis_style.qml(theme, language=language)}, language=language)


LISA = [
    ("high-high", "жоғары–жоғары", "#b2182b", "////"),
    ("low-low", "төмен–төмен", "#2166ac", "\\\\\\\\"),
    ("not significant", "маңызды емес", "#f0f0f0", ""),
]


def test_categories_missing_last_words_and_pixels(tmp_path):
    names = ["Маңғыстау <b>&", "О\"Коннор'", "Түркістан", "Ұлытау [% 1+1 %]"]
    data = squares(4, c=["high-high", "low-low", "not significant", None], имя=names)
    style = categorical("c", "кластер", LISA)
    theme = Theme("lisa", "LISA", data, style, name_column="имя")
    write(tmp_path / "r.gpkg", theme, "kk")
    told = describe(tmp_path / "r.gpkg", tmp_path, "lisa")["lisa"]

    assert told["renderer"] == "categorizedSymbol"
    assert told["styles"] == ["lisa"]
    assert [(c["value"], c["label"], c["color"]) for c in told["classes"][:3]] == [(v, w, c) for v, w, c, _ in LISA]
    assert told["classes"][3]["value"] == ""
    assert told["classes"][3]["color"] == style.missing_color
    assert [c["brushes"] for c in told["classes"][:3]] == [["solid", "b_diagonal"], ["solid", "f_diagonal"], ["solid"]]
    assert [f["classes"] for f in told["features"]] == [[c["label"]] for c in told["classes"]]
    assert told["aliases"]["c"] == "кластер"
    assert told["widgets"]["c"]["map"][0] == {"жоғары–жоғары": "high-high"}
    tips = [f["tip"] for f in told["features"]]
    assert tips[0] == "<b>Маңғыстау &lt;b&gt;&amp;</b><br>кластер: жоғары–жоғары"
    assert tips[1].startswith("<b>О\"Коннор'</b>")
    assert tips[3].startswith("<b>Ұлытау [% 1+1 %]</b>"), "text of the data is never evaluated"
    seen = colours(tmp_path / "lisa.png")
    assert seen[rgb("#f0f0f0")] > 5_000
    assert seen[rgb(style.missing_color)] > 5_000
    assert seen[rgb("#b2182b")] > 3_000
    assert seen[(255, 255, 255)] > 1_000


def test_hostile_codes_and_labels_are_shown_and_never_run(tmp_path):
    hostile = ["</script>", "O'Коннор", 'say "hi"', "[% 1+1 %]", "back\\slash \\n", "Ә Ғ Қ Ң Ө Ұ Ү Һ І", "😀 & $x$"]
    data = squares(len(hostile), **{'per "head"': hostile})
    style = categorical('per "head"', "[% 2+2 %]", [(w, w, f"#11223{i}") for i, w in enumerate(hostile)])
    write(tmp_path / "r.gpkg", Theme("h", "H", data, style), "en")
    told = describe(tmp_path / "r.gpkg", tmp_path, "h")["h"]

    assert [c["label"] for c in told["classes"]] == hostile
    assert [f["classes"] for f in told["features"]] == [[w] for w in hostile]
    seen = [html.unescape(f["tip"]) for f in told["features"]]
    assert seen == [f"[% 2+2 %]: {w}" for w in hostile]
    assert not any("<script" in f["tip"] or "</script" in f["tip"] for f in told["features"])


def test_graduated_limits_fall_as_in_the_style(tmp_path):
    values = [0.0, 59.999, 60.0, 119.0, 120.0, 1e6]
    data = squares(6, t=values)
    style = graduated("t", "время в пути", [-np.inf, 60, 120, np.inf], REDS, unit="мин")
    theme = Theme("time", "Время", data, style, fields=(TooltipField("t", "время в пути", "мин", 1),))
    write(tmp_path / "r.gpkg", theme, "ru")
    told = describe(tmp_path / "r.gpkg", tmp_path, "time")["time"]

    assert told["renderer"] == "graduatedSymbol"
    labels = [c["label"] for c in told["classes"]]
    assert labels == ["< 60", "60 – 120", "≥ 120"]
    expected = [[labels[i]] for i in style.codes(data["t"])]
    assert [f["classes"] for f in told["features"]] == expected
    assert told["aliases"] == {"t": "время в пути, мин"}
    assert told["features"][1]["tip"].replace("\xa0", " ") == "время в пути: 60,0 мин"
    seen = colours(tmp_path / "time.png")
    for color in REDS:
        assert seen[rgb(color)] > 5_000


def test_graduated_with_missing_values_draws_them_last(tmp_path):
    data = squares(4, t=[10.0, 60.0, 120.0, np.nan])
    style = graduated("t", "время в пути", [0, 60, 120], REDS[:2])
    theme = Theme("time", "Время", data, style, name_column=None)
    write(tmp_path / "r.gpkg", theme, "en")
    told = describe(tmp_path / "r.gpkg", tmp_path, "time")["time"]

    assert told["renderer"] == "RuleRenderer"
    labels = [c["label"] for c in told["classes"]]
    assert labels == ["0 – 60", "60 – 120", "no data"]
    assert [f["classes"] for f in told["features"]] == [[labels[0]], [labels[1]], [labels[1]], ["no data"]]
    assert told["features"][3]["tip"] == "время в пути: no data"
    assert colours(tmp_path / "time.png")[rgb(style.missing_color)] > 5_000


def test_points_sized_by_population(tmp_path):
    points = [Point(66 + i, 48 + i) for i in range(3)]
    data = gpd.GeoDataFrame({"t": [10.0, 70.0, 10.0], "pop": [1e6, 250_000.0, np.nan]}, geometry=points, crs=4326)
    style = graduated("t", "travel time", [0, 60, 120], REDS[1:], unit="min")
    theme = Theme("places", "Places", data, style, size_column="pop")
    write(tmp_path / "r.gpkg", theme, "en")
    told = describe(tmp_path / "r.gpkg", tmp_path, "places")["places"]

    large, quarter, unknown = (f["size"] for f in told["features"])
    assert large == pytest.approx(7.2, abs=0.01)
    assert quarter == pytest.approx(large / 2, abs=0.01), "area, not diameter, grows with the people"
    assert 0.5 < unknown < 1.5
    seen = colours(tmp_path / "places.png")
    assert seen[rgb(REDS[1])] > seen[rgb(REDS[2])] > 20


@pytest.mark.parametrize("language", ["en", "ru", "kk"])
def test_real_districts_open_styled(tmp_path, language):
    source = SHARED / "data" / "geokz_kaz_admbnda_adm2_2024.gpkg"
    if not source.exists():
        pytest.skip("no shared test data: geokz_kaz_admbnda_adm2_2024.gpkg")
    import pandas as pd

    data = gpd.read_file(source).set_index("KATO")
    people = pd.read_csv(SHARED / "data" / "adm2_population_2023_bns.csv", dtype={"kato_geokz2024": str})
    data["population"] = people.dropna(subset=["kato_geokz2024"]).set_index("kato_geokz2024")["pop"].reindex(data.index)
    style = graduated("population", "population", [0, 30_000, 100_000, np.inf], REDS, unit="people")
    theme = Theme("districts", "Districts", data.reset_index(), style, name_column=f"ADM2_{language.upper()}")
    write(tmp_path / "r.gpkg", theme, language)
    told = describe(tmp_path / "r.gpkg", tmp_path, "districts")["districts"]

    counts, missing = style.counts(data["population"])
    drawn = [f["classes"][0] for f in told["features"]]
    assert [drawn.count(c["label"]) for c in told["classes"]] == [*counts, missing]
    assert missing == 5
    name = data[f"ADM2_{language.upper()}"].iloc[0]
    assert told["features"][0]["tip"].startswith(f"<b>{name}</b><br>")
    seen = colours(tmp_path / "districts.png")
    assert all(seen[rgb(c["color"])] > 200 for c in told["classes"])


def roads(**columns: list) -> gpd.GeoDataFrame:
    """Made-up lines side by side."""
    lines = [LineString([(66 + i, 48), (66.4 + i, 49.5)]) for i in range(len(next(iter(columns.values()))))]
    return gpd.GeoDataFrame(columns, geometry=lines, crs=4326)


def test_lines_by_class_differ_in_colour_width_and_dashes(tmp_path):
    kinds = [("main", "халықаралық жол", "#b30000"), ("other", "республикалық жол", "#e6842a", "//")]
    data = roads(c=["main", "other", None], name=["M-1", "A-1", "?"])
    theme = Theme("roads", "Жолдар", data, categorical("c", "жол класы", kinds), name_column="name")
    write(tmp_path / "r.gpkg", theme, "kk")
    told = describe(tmp_path / "r.gpkg", tmp_path, "roads")["roads"]

    assert told["renderer"] == "categorizedSymbol"
    assert [c["label"] for c in told["classes"][:2]] == ["халықаралық жол", "республикалық жол"]
    assert [c["color"] for c in told["classes"]] == ["#b30000", "#e6842a", theme.style.missing_color]
    assert [f["classes"] for f in told["features"]] == [[c["label"]] for c in told["classes"]]
    pens = [c["pens"] for c in told["classes"]]
    assert [p[-1][0] for p in pens] == ["solid", "dash", "dash"]
    widths = [float(p[-1][1]) for p in pens]
    assert widths == sorted(widths, reverse=True)
    assert widths[:2] == pytest.approx([w * 25.4 / 72 for w in line_widths("categorical", 2)], abs=1e-3)
    assert [len(p) for p in pens] == [2, 2, 2], "the missing class is pale: every line has a casing"
    assert told["aliases"]["c"] == "жол класы"
    assert told["widgets"]["c"]["map"][0] == {"халықаралық жол": "main"}
    assert told["features"][0]["tip"] == "<b>M-1</b><br>жол класы: халықаралық жол"
    seen = colours(tmp_path / "roads.png")
    assert seen[rgb("#b30000")] > seen[rgb("#e6842a")] > 30
    assert seen[rgb(CASING_COLOR)] > 100


def test_graduated_lines_grow_with_the_value(tmp_path):
    data = roads(t=[10.0, 60.0, 120.0])
    strong = ["#2ca25f", "#31609f", "#005824"]
    style = graduated("t", "travel time", [0, 60, 120, 180], strong, unit="min")
    write(tmp_path / "r.gpkg", Theme("time", "Time", data, style), "en")
    told = describe(tmp_path / "r.gpkg", tmp_path, "time")["time"]

    assert told["renderer"] == "graduatedSymbol"
    assert [f["classes"] for f in told["features"]] == [["0 – 60"], ["60 – 120"], ["120 – 180"]]
    assert [len(c["pens"]) for c in told["classes"]] == [1, 1, 1], "strong colours need no casing"
    widths = [float(c["pens"][0][1]) for c in told["classes"]]
    assert widths == sorted(widths)
    seen = colours(tmp_path / "time.png")
    assert seen[rgb(strong[2])] > seen[rgb(strong[0])] > 100

    missing = Theme("late", "Late", roads(t=[10.0, np.nan, 120.0]), style)
    write(tmp_path / "m.gpkg", missing, "en")
    told = describe(tmp_path / "m.gpkg", tmp_path, "late")["late"]
    assert told["renderer"] == "RuleRenderer"
    assert [f["classes"] for f in told["features"]] == [["0 – 60"], ["no data"], ["120 – 180"]]
