"""Layers as QGIS shows them become one page: names, colours and classes are QGIS's, what is left out is told."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

import geopandas
import pytest
import shapely

from kazgeo.data import embedded
from kazgeo.errors import Cancelled, InputError
from kazgeo.progress import silent
from kazgeo.worker.webmap import export


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    shapes = [shapely.box(66 + i % 4, 48 + i // 4, 67 + i % 4, 49 + i // 4) for i in range(8)]
    kinds = ["ауыл", "қала", "ауыл", None, "қала", "басқа", "ауыл", "қала"]
    data = geopandas.GeoDataFrame(
        {"аты": [f"Өңір {i}" for i in range(8)], "түрі": kinds, "v": [0.0, 1, 2, 3, 4, 5, 6, float("nan")]},
        geometry=shapes, crs=4326,
    )  # fmt: skip
    data.loc[6, "geometry"] = None
    file = tmp_path / "қабат.gpkg"
    data.to_file(file, layer="a", driver="GPKG", VERSION="1.2")
    return file


def categories(**more: Any) -> dict[str, Any]:
    classes = [
        {"value": "ауыл", "color": "#112233", "label": "Ауылдар", "hidden": False},
        {"value": "қала", "color": "#445566", "label": "Қалалар", "hidden": False},
    ]
    return {"kind": "categorical", "column": "түрі", "title": "Түрі", "classes": classes, "missing_label": "дерек жоқ",
            "missing_color": "#cccccc", "missing_hidden": False, "name_column": "аты", "size_column": None,
            "fields": [{"column": "v", "label": "Мәні", "decimals": 1, "terms": []}], **more}  # fmt: skip


def graduated(**more: Any) -> dict[str, Any]:
    classes = [
        {"lower": 0.0, "upper": 3.0, "color": "#111111", "label": "аз", "hidden": False},
        {"lower": 3.0, "upper": 6.0, "color": "#222222", "label": "көп", "hidden": False},
    ]
    return {
        **categories(),
        "kind": "graduated",
        "column": "v",
        "title": "Мәні",
        "decimals": 0,
        "classes": classes,
        **more,
    }


def job(layer: Path, *styles: dict[str, Any], **more: Any) -> dict[str, Any]:
    layers = [
        {"file": str(layer), "layer": "a", "title": f"Карта {i}", "visible": True, "style": style}
        for i, style in enumerate(styles)
    ]
    return {"target": str(layer.parent / "map.html"), "title": "Қазақстан", "language": "kk", "layers": layers, **more}


def page(told: tuple[Path, list[str]]) -> str:
    return told[0].read_text(encoding="utf-8")


def data_of(told: tuple[Path, list[str]]) -> dict[str, Any]:
    """Return what the page's script draws."""
    found = re.search(r'<script type="application/(\w+)" id="kazgeo-data">(.*?)</script>', page(told))
    assert found
    kind, text = found.groups()
    made: dict[str, Any] = json.loads(text if kind == "json" else gzip.decompress(base64.b64decode(text)))
    return made


def colors_of(data: dict[str, Any], place: int = 0) -> list[str]:
    theme = data["themes"][place]
    return [[*theme["colors"], theme["missing_color"]][code] for code in data["columns"][theme["codes"]]]


def test_names_colours_and_labels_are_qgis_own(layer: Path) -> None:
    told = export(job(layer, categories(), graduated()), silent)
    text = page(told)
    for wanted in ("Қазақстан", "Карта 0", "Карта 1", "Ауылдар", "Қалалар", "аз", "көп", "#112233", "#222222", "Мәні"):
        assert wanted in text, wanted
    assert any("геометриясы жоқ нысандар алынып тасталды: 1" in one for one in told[1])


def test_words_that_our_catalogue_knows_stay_as_they_are(layer: Path) -> None:
    """The page's own words are Kazakh, those of the layer are what they are in QGIS."""
    style = categories(title="cluster", missing_label="no data")
    style["classes"][0]["label"] = "not significant"
    style["fields"][0] |= {"label": "population"}
    told = export(job(layer, style), silent)
    theme = data_of(told)["themes"][0]
    assert [r["label"] for r in theme["legend"]["rows"]] == ["not significant", "Қалалар"]
    assert theme["legend"]["missing"]["label"] == theme["value"]["missing"] == "no data"
    assert theme["legend"]["title"] == theme["value"]["label"] == "cluster"
    assert theme["fields"][0]["label"] == "population"
    assert "not significant" in data_of(told)["columns"][theme["value"]["column"]]
    assert data_of(told)["words"]["legend"] != "Legend"
    without = data_of(export(job(layer, categories(missing_label="")), silent))["themes"][0]
    assert without["legend"]["missing"]["label"] == "дерек жоқ"


def test_a_class_without_a_label_is_called_its_value(layer: Path) -> None:
    style = categories()
    style["classes"] = [{"value": ["ауыл", "басқа"], "color": "#112233", "label": "", "hidden": False}]
    rows = data_of(export(job(layer, style), silent))["themes"][0]["legend"]["rows"]
    assert (rows[0]["label"], rows[0]["count"]) == ("ауыл, басқа", "3")


def test_values_without_a_class_are_not_called_missing(layer: Path) -> None:
    theme = data_of(export(job(layer, categories(missing_label="")), silent))["themes"][0]
    rows = [(r["label"], r["count"], r["color"]) for r in theme["legend"]["rows"]]
    assert rows[2] == ("сыныптардан тыс", "1", "#cccccc")
    assert theme["legend"]["missing"]["count"] == "1"


def test_a_value_in_two_classes_is_drawn_by_the_last(layer: Path) -> None:
    style = categories()
    style["classes"].append({"value": "ауыл", "color": "#999999", "label": "Қайта", "hidden": False})
    assert colors_of(data_of(export(job(layer, style), silent)))[0] == "#999999"


def test_values_on_limits_and_a_class_hidden_between(layer: Path) -> None:
    colors = colors_of(data_of(export(job(layer, graduated()), silent)))
    assert colors == ["#111111"] * 3 + ["#222222"] * 3 + ["#cccccc"], "6 has no geometry, the last is missing"
    style = graduated(missing_hidden=True)
    style["classes"] = [{"lower": None, "upper": 2, "color": "#000000", "label": "", "hidden": False},
                        {"lower": 2, "upper": 4, "color": "#010101", "label": "b", "hidden": True},
                        {"lower": 4, "upper": None, "color": "#020202", "label": "c", "hidden": False}]  # fmt: skip
    told = export(job(layer, style), silent)
    assert colors_of(data_of(told)) == ["#000000"] * 2 + ["#020202"] * 2
    assert [r["label"] for r in data_of(told)["themes"][0]["legend"]["rows"]] == ["< 2", "c"]
    assert len(told[1]) == 3


def test_codes_dates_and_truth_values_match_as_text(tmp_path: Path) -> None:
    import pandas as pd

    days = pd.to_datetime(["2020-01-02", "2021-12-31 05:06:07", None, "2020-01-02"], format="ISO8601")
    data = geopandas.GeoDataFrame(
        {"n": [1.0, 2.5, float("nan"), 1e16], "b": [True, False, True, True], "d": days},
        geometry=geopandas.points_from_xy([66, 67, 68, 69], [48] * 4), crs=4326,
    )  # fmt: skip
    data.to_file(tmp_path / "p.gpkg", layer="a", driver="GPKG", VERSION="1.2")
    words = [{"column": "n", "label": "Код", "decimals": None, "terms": [["1", "бір"], ["2.5", "екі жарым"]]}]
    for column, values, wanted in (
        ("n", ["1", "2.5", "10000000000000000"], [0, 1, -1, 2]),
        ("b", ["true", "false"], [0, 1, 0, 0]),
        ("d", ["2020-01-02T00:00:00.000", "2021-12-31T05:06:07.000"], [0, 1, -1, 0]),
        ("d", ["2020-01-02"], [0, -1, -1, 0]),
    ):
        classes = [{"value": v, "color": f"#00000{i}", "label": v, "hidden": False} for i, v in enumerate(values)]
        style = categories(column=column, classes=classes, fields=words, name_column=None)
        made = data_of(export(job(tmp_path / "p.gpkg", style), silent))
        assert made["columns"][made["themes"][0]["codes"]] == wanted
        if column != "n":
            assert made["columns"][made["themes"][0]["fields"][0]["column"]][:3] == ["бір", "екі жарым", None]


def test_local_moran_of_the_regions_is_drawn_in_qgis_own_colours(tmp_path: Path) -> None:
    """The layer, style and words that the engine itself hands to QGIS."""
    import sqlite3
    import xml.etree.ElementTree as ET

    from kazgeo.worker.analysis import run

    regions = geopandas.read_file(embedded() / "regions_2009.gpkg")
    regions["area"] = regions.to_crs(6933).area / 1e9
    regions.to_file(tmp_path / "in.gpkg", driver="GPKG", VERSION="1.2")
    out = tmp_path / "out.gpkg"
    run({"analysis": "local_moran", "inputs": {"units": {"file": str(tmp_path / "in.gpkg")}}, "language": "kk",
         "parameters": {"indicator": "area", "permutations": 99}, "outputs": {"layer": str(out)}},
        silent, lambda *_: None)  # fmt: skip
    with sqlite3.connect(out) as base:
        qml = ET.fromstring(base.execute("SELECT styleQML FROM layer_styles").fetchone()[0])
    fills = [s.find("layer/prop[@k='color']").get("v").split(",")[:3] for s in qml.iter("symbol")]
    colors = ["#{:02x}{:02x}{:02x}".format(*map(int, f)) for f in fills]
    classes = [{"value": c.get("value"), "label": c.get("label"), "color": colors[int(c.get("symbol"))]}
               for c in qml.iter("category") if c.get("value")]  # fmt: skip
    style = categories(column="cluster", classes=classes, name_column="name_kk", fields=[], title="Кластер")
    asked = job(out, style)
    asked["layers"][0] |= {"layer": "local_moran", "count": 16}
    told = export(asked, silent)
    made, result = data_of(told), geopandas.read_file(out, layer="local_moran")
    of = {c["value"]: c["color"] for c in classes}
    assert colors_of(made) == [of[v] for v in result["cluster"]]
    assert [r["label"] for r in made["themes"][0]["legend"]["rows"]] == [c["label"] for c in classes]
    assert made["columns"][made["themes"][0]["names"]] == result["name_kk"].tolist()
    assert told[1] == []


def test_one_symbol(layer: Path) -> None:
    style = {**categories(), "kind": "single", "column": None,
             "classes": [{"color": "#abcdef", "label": "Барлығы", "hidden": False}]}  # fmt: skip
    text = page(export(job(layer, style), silent))
    assert "#abcdef" in text
    assert "Барлығы" in text


def test_classes_switched_off_are_left_out_and_told(layer: Path) -> None:
    style = categories(missing_hidden=True)
    style["classes"][1]["hidden"] = True
    told = export(job(layer, style), silent)
    assert any("QGIS-те өшірілген сыныптардың нысандары алынып тасталды: 3" in one for one in told[1])
    assert any("QGIS сызатын сыныптарға кірмейтін" in one for one in told[1])
    assert "Қалалар" not in page(told)


def test_the_first_visible_layer_opens_the_page(layer: Path) -> None:
    asked = job(layer, categories(), graduated())
    asked["layers"][0]["visible"] = False
    text = page(export(asked, silent))
    assert text.index("Карта 1") < text.index("Карта 0")


def test_no_text_becomes_a_part_of_the_page(layer: Path) -> None:
    bad = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    data = geopandas.read_file(layer)
    data["аты"] = bad
    data.to_file(layer, layer="a", driver="GPKG", VERSION="1.2")
    style = categories(title=bad, missing_label=bad)
    style["classes"][0]["label"] = bad
    style["fields"][0]["label"] = bad
    asked = job(layer, style, title=bad, sources=[bad])
    asked["layers"][0]["title"] = bad
    scripts = page(export(job(layer, categories()), silent)).count("<script")
    told = export(asked, silent)
    assert "<script>alert" not in page(told)
    assert "<img src=x" not in page(told)
    assert page(told).count("<script") == scripts
    made = data_of(told)
    assert made["themes"][0]["legend"]["rows"][0]["label"] == bad
    assert bad in made["columns"][made["themes"][0]["names"]]


def test_no_request_leaves_the_page(layer: Path) -> None:
    text = page(export(job(layer, categories()), silent))
    assert not re.search(r"""<(?:script|link|img|iframe)[^>]+(?:src|href)=["']https?:""", text)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"column": "жоқ"}, "is not a column of layer 'Карта 0'"),
        ({"kind": "heat"}, "a kind of style"),
        ({"classes": []}, "classify the layer first"),
        ({"classes": [{"value": "ауыл", "color": "red", "label": "x"}]}, "must be written #rrggbb"),
        ({"missing_color": "url(x)"}, "missing_color must be written #rrggbb"),
        ({"kind": "graduated"}, "column 'түрі' must be numbers for ranges"),
        ({"kind": "graduated", "column": "v", "classes": [{"lower": "a", "color": "#000000"}]}, "a number or null"),
    ],
)
def test_a_bad_style_is_one_sentence(layer: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        export(job(layer, categories(**change)), silent)
    assert said in str(error.value)
    assert "Карта 0" in str(error.value)
    assert "\n" not in str(error.value)
    assert not (layer.parent / "map.html").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"target": "/nonexistent/folder/map.html"}, "does not exist; choose another"),
        ({"target": "map.pdf"}, "ends in .html"),
        ({"layers": []}, "choose at least one layer"),
    ],
)
def test_a_bad_job_is_one_sentence(layer: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        export(job(layer, categories(), **change), silent)
    assert said in str(error.value)


def test_nothing_shown_is_an_error_that_says_why(layer: Path) -> None:
    style = categories(missing_hidden=True)
    for one in style["classes"]:
        one["hidden"] = True
    with pytest.raises(InputError, match="nothing to draw"):
        export(job(layer, style), silent)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"style": None}, "layer 'Карта 0': 'style' is missing"),
        ({"style": []}, "'style' is missing"),
        ({"style": "red"}, "style must be a JSON object"),
        ({"file": "/nonexistent.gpkg"}, "does not exist"),
        ({"layer": "b"}, "is not a map layer"),
        ({"count": 9}, "QGIS has 9 features, 8 arrived"),
    ],
)
def test_a_bad_layer_is_one_sentence(layer: Path, change: dict[str, Any], said: str) -> None:
    asked = job(layer, categories())
    asked["layers"][0] |= change
    with pytest.raises(InputError, match=re.escape(said)) as error:
        export(asked, silent)
    assert "\n" not in str(error.value)


def test_faults_of_drawing_name_the_layer(layer: Path) -> None:
    data = geopandas.read_file(layer)
    data.loc[0, "geometry"] = shapely.Point(66, 48)
    data.to_file(layer, layer="a", driver="GPKG", VERSION="1.2")
    with pytest.raises(InputError, match="layer 'Карта 0'") as error:
        export(job(layer, categories()), silent)
    assert "t1" not in str(error.value)


def test_layers_without_a_geometry_and_without_features(layer: Path, tmp_path: Path) -> None:
    nowhere = geopandas.read_file(layer).iloc[:2]
    nowhere["geometry"] = [None, shapely.Polygon()]
    nowhere.to_file(tmp_path / "n.gpkg", layer="a", driver="GPKG", VERSION="1.2")
    asked = job(layer, categories(), categories())
    asked["layers"][1]["file"] = str(tmp_path / "n.gpkg")
    told = export(asked, silent)
    assert [t["title"] for t in data_of(told)["themes"]] == ["Карта 0"]
    assert len(told[1]) == 3
    (tmp_path / "t.csv").write_text("a\n1\n")
    asked["layers"][1] |= {"file": str(tmp_path / "t.csv"), "layer": None}
    with pytest.raises(InputError, match="has no map layer"):
        export(asked, silent)


def test_points_of_one_feature_are_drawn_each(tmp_path: Path) -> None:
    several = geopandas.GeoDataFrame(
        {"түрі": ["ауыл", "қала"]}, geometry=[shapely.MultiPoint([(66, 48), (67, 48)]), shapely.Point(68, 48)], crs=4326
    )
    several.to_file(tmp_path / "m.gpkg", layer="a", driver="GPKG", VERSION="1.2")
    style = categories(name_column=None, fields=[{"column": "жоқ", "label": "x", "decimals": None, "terms": []}])
    told = export(job(tmp_path / "m.gpkg", style), silent)
    assert [r["count"] for r in data_of(told)["themes"][0]["legend"]["rows"]] == ["2", "1"]
    assert any("жоқ" in one for one in told[1]), "a field that the file does not have is told"


def test_a_cancelled_export_writes_nothing(layer: Path) -> None:
    def stop(fraction: float, message: str) -> None:
        if message == "writing":
            raise Cancelled

    with pytest.raises(Cancelled):
        export(job(layer, categories()), stop)
    assert not (layer.parent / "map.html").exists()


def test_a_job_is_plain_json(layer: Path) -> None:
    asked = job(layer, categories(), graduated())
    assert json.loads(json.dumps(asked)) == asked
