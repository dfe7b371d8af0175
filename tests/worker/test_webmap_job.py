"""Layers as QGIS shows them become one page: names, colours and classes are QGIS's, what is left out is told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import geopandas
import pytest
import shapely

from kazgeo.errors import InputError
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


def test_names_colours_and_labels_are_qgis_own(layer: Path) -> None:
    told = export(job(layer, categories(), graduated()), silent)
    text = page(told)
    for wanted in ("Қазақстан", "Карта 0", "Карта 1", "Ауылдар", "Қалалар", "аз", "көп", "#112233", "#222222", "Мәні"):
        assert wanted in text, wanted
    assert any("геометриясы жоқ нысандар алынып тасталды: 1" in one for one in told[1])


def test_a_label_that_is_also_a_word_of_ours_stays_as_it_is(layer: Path) -> None:
    style = categories()
    style["classes"][0]["label"] = "not significant"
    assert "not significant" in page(export(job(layer, style), silent))


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
    assert any("QGIS-те өшірілген топтардың нысандары алынып тасталды: 3" in one for one in told[1])
    assert any("QGIS сызатын топтарға кірмейтін" in one for one in told[1])
    assert "Қалалар" not in page(told)


def test_the_first_visible_layer_opens_the_page(layer: Path) -> None:
    asked = job(layer, categories(), graduated())
    asked["layers"][0]["visible"] = False
    text = page(export(asked, silent))
    assert text.index("Карта 1") < text.index("Карта 0")


def test_what_comes_from_data_is_escaped(layer: Path) -> None:
    bad = "<script>alert(1)</script>"
    style = categories()
    style["classes"][0]["label"] = bad
    text = page(export(job(layer, style, title=bad), silent))
    assert bad not in text
    assert "alert(1)" in text


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
    ],
)
def test_a_bad_style_is_one_sentence(layer: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        export(job(layer, categories(**change)), silent)
    assert said in str(error.value)
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


def test_a_job_is_plain_json(layer: Path) -> None:
    asked = job(layer, categories(), graduated())
    assert json.loads(json.dumps(asked)) == asked
