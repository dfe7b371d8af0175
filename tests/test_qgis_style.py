"""QML and the layer_styles table, without QGIS (tests/qgis opens them in a real one)."""

from __future__ import annotations

import sqlite3
import xml.etree.ElementTree as ET
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
from shapely import LineString, Point, box

from kazgeo.errors import InputError
from kazgeo.qgis_style import qml, write_styles
from kazgeo.style import Theme, TooltipField, categorical, graduated

HOSTILE = ["</script>", "O'Коннор", 'say "hi"', "a\x00b\x0bc", "[% 1/0 %]", "😀 \\ & < >", "Ә Ғ Қ Ң Ө Ұ Ү Һ І"]


def squares(n: int, /, **columns: object) -> gpd.GeoDataFrame:
    """Made-up squares side by side."""
    return gpd.GeoDataFrame(columns, geometry=[box(66 + i, 48, 67 + i, 49) for i in range(n)], crs=4326)


@pytest.fixture
def theme() -> Theme:
    style = graduated("t", "travel time", [0, 60, 120], ["#fee8c8", "#e34a33"], unit="min")
    return Theme("time", "Time", squares(2, t=[30.0, 90.0], name=["A", "B"]), style, name_column="name")


def test_hostile_words_stay_words():
    classes = [(word, word, "#112233") for word in HOSTILE]
    data = squares(len(HOSTILE), **{'per "head"': HOSTILE, "n": HOSTILE})
    style = categorical('per "head"', "</mapTip>&", classes)
    root = ET.fromstring(qml(Theme("h", "H", data, style, name_column="n")))
    labels = [c.get("label") for c in root.iter("category")]
    assert labels == [word.replace("\x00", "").replace("\x0b", "") for word in HOSTILE]
    tip = root.findtext("mapTip")
    assert tip is not None
    assert "&lt;/mapTip&gt;&amp;" in tip
    assert '"per ""head"""' in tip
    assert tip.count("%]") == 2, "a label cannot close an expression"


def test_row_order_changes_nothing_but_nothing(theme):
    shuffled = Theme("time", "Time", theme.data.iloc[::-1], theme.style, name_column="name")
    assert qml(shuffled) == qml(theme)
    assert qml(theme) == qml(theme)


def test_limits_are_half_open(theme):
    ranges = list(ET.fromstring(qml(theme)).iter("range"))
    first, last = ranges
    assert float(first.get("upper")) < 60.0 == float(last.get("lower"))
    assert float(first.get("upper")) == np.nextafter(60.0, 0)
    assert float(last.get("upper")) == 120.0


@pytest.mark.parametrize("values", [[np.nan, np.nan], [30.0, 500.0]])
def test_missing_and_unclassified_are_drawn_by_a_last_rule(theme, values):
    told = Theme("t", "T", squares(2, t=values), theme.style)
    rules = ET.fromstring(qml(told)).findall(".//rules/rule")
    assert [r.get("filter") for r in rules][-1] == "ELSE"
    assert rules[-1].get("label") == "no data"
    assert len(rules) == 3


def test_fields_have_aliases_and_units(theme):
    fields = (TooltipField("t", "travel time", "min", 1), TooltipField("name", "name"))
    told = Theme("t", "T", theme.data, theme.style, fields=fields)
    aliases = {a.get("field"): a.get("name") for a in ET.fromstring(qml(told)).iter("alias")}
    assert aliases == {"t": "travel time, min", "name": "name"}


def test_points_draw_the_largest_first_and_hatches_become_shapes():
    data = gpd.GeoDataFrame({"c": ["a", "b"], "pop": [1.0, 2.0]}, geometry=[Point(67, 48), Point(68, 48)], crs=4326)
    style = categorical("c", "c", [("a", "a", "#b2182b", "//"), ("b", "b", "#2166ac", "..")])
    root = ET.fromstring(qml(Theme("p", "P", data, style, size_column="pop")))
    assert root.findtext(".//orderByClause") == '"pop"'
    assert root.find(".//renderer-v2").get("enableorderby") == "1"
    shapes = [o.get("value") for o in root.findall(".//layer/Option/Option[@name='name']")]
    assert shapes == ["square", "triangle"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"geometry": [LineString([(0, 0), (1, 1)]), box(0, 0, 1, 1)]},
            "must be polygons, lines or points, one kind; got lines and polygons",
        ),
        ({"geometry": [Point(0, 0), box(0, 0, 1, 1)]}, "got points and polygons"),
        ({"geometry": [None, None]}, "got nothing"),
        ({"t": ["many", "few"]}, "must be numbers"),
    ],
)
def test_layers_that_cannot_be_styled(theme, change, message):
    with pytest.raises(InputError, match=message):
        qml(Theme("t", "T", theme.data.assign(**change), theme.style))


def test_column_and_colour_mistakes_name_themselves(theme):
    with pytest.raises(InputError, match=r"'nmae' is not a column of theme 't'; did you mean 'name'\?"):
        qml(Theme("t", "T", theme.data, theme.style, name_column="nmae"))
    red = graduated("t", "t", [0, 120], ["red"])
    with pytest.raises(InputError, match=r"#rrggbb; got 'red'"):
        qml(Theme("t", "T", theme.data, red))


# --- layer_styles ---------------------------------------------------------------------------------------


@pytest.fixture
def gpkg(tmp_path: Path, theme: Theme) -> Path:
    path = tmp_path / "r.gpkg"
    theme.data.to_file(path, layer="time", VERSION="1.2")
    theme.data.to_file(path, layer="өңірлер 'x'", VERSION="1.2")
    return path


def rows(path: Path) -> list[tuple]:
    with sqlite3.connect(path) as base:
        words = "f_table_name, f_geometry_column, styleName, styleQML, useAsDefault, update_time"
        return base.execute(f"SELECT {words} FROM layer_styles ORDER BY id").fetchall()


def test_one_default_style_a_layer_and_the_same_bytes_again(gpkg, theme):
    text = qml(theme)
    write_styles(gpkg, {"time": text, "өңірлер 'x'": text})
    assert [(r[0], r[2], r[4]) for r in rows(gpkg)] == [("time", "time", 1), ("өңірлер 'x'", "өңірлер 'x'", 1)]
    before = gpkg.read_bytes()
    write_styles(gpkg, {"time": text, "өңірлер 'x'": text})
    assert gpkg.read_bytes() == before
    write_styles(gpkg, {"time": "<qgis/>"})
    assert [(r[0], r[3]) for r in rows(gpkg)] == [("time", "<qgis/>"), ("өңірлер 'x'", text)]


def test_another_style_of_the_layer_stays_but_is_no_default(gpkg, theme):
    write_styles(gpkg, {"time": qml(theme)})
    with sqlite3.connect(gpkg) as base:
        base.execute("UPDATE layer_styles SET styleName = 'of the user'")
    write_styles(gpkg, {"time": qml(theme)})
    assert [(r[2], r[4]) for r in rows(gpkg)] == [("of the user", 0), ("time", 1)]


def test_geopackage_readers_see_a_registered_table(gpkg, theme):
    write_styles(gpkg, {"time": qml(theme)})
    assert pyogrio.list_layers(gpkg).tolist()[-1][0] == "layer_styles"
    table = pyogrio.read_dataframe(gpkg, layer="layer_styles")
    assert isinstance(table, pd.DataFrame)
    assert len(table) == pyogrio.read_info(gpkg, layer="layer_styles")["features"] == 1
    assert bool(table["useAsDefault"].iloc[0]) is True
    assert len(gpd.read_file(gpkg, layer="time")) == 2
    with sqlite3.connect(gpkg) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        kind = base.execute(
            "SELECT data_type, last_change FROM gpkg_contents WHERE table_name = 'layer_styles'"
        ).fetchone()
    assert kind == ("attributes", "2000-01-01T00:00:00.000Z")


def test_all_styles_or_none(gpkg, theme):
    before = gpkg.read_bytes()
    with pytest.raises(InputError, match=r"layer 'tme' is not a layer of 'r.gpkg'; did you mean 'time'\?"):
        write_styles(gpkg, {"time": qml(theme), "tme": qml(theme)})
    with pytest.raises(InputError, match="style of layer 'time' is not XML"):
        write_styles(gpkg, {"time": "<qgis>"})
    assert gpkg.read_bytes() == before


def test_files_that_are_no_geopackage(tmp_path):
    missing, empty, words = tmp_path / "no.gpkg", tmp_path / "empty.gpkg", tmp_path / "words.gpkg"
    empty.touch()
    words.write_text("not a database, only words " * 50)
    for path, message in [
        (missing, "not there"),
        (tmp_path, "a folder"),
        (empty, "no such table"),
        (words, "not a database"),
    ]:
        with pytest.raises(InputError, match=message):
            write_styles(path, {"time": "<qgis/>"})
    assert not missing.exists()
    assert empty.stat().st_size == 0


def test_a_file_another_program_writes_is_left_alone(gpkg, theme, monkeypatch):
    connect = sqlite3.connect
    monkeypatch.setattr("kazgeo.qgis_style.sqlite3.connect", lambda *a, **k: connect(*a, **k, timeout=0.1))
    other = connect(gpkg, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(InputError, match=r"database is locked.*close it in other programs"):
        write_styles(gpkg, {"time": qml(theme)})
    other.execute("ROLLBACK")
    other.close()
