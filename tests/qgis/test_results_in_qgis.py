"""The demo's results.gpkg as an analyst gets it: every layer opened by a real QGIS, styled, counted and drawn."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyogrio
import pytest
from opened import colours, describe, require_qgis, rgb

from kazgeo import project
from kazgeo.data import embedded
from kazgeo.locale import speaker
from kazgeo.project import Project, Run

pytestmark = [pytest.mark.qgis, pytest.mark.slow]


@dataclass(frozen=True)
class Opened:
    """A run of the demo and what QGIS made of its GeoPackage."""

    language: str
    plan: Project
    done: Run
    told: dict[str, Any]
    pictures: Path

    @property
    def gpkg(self) -> Path:
        return self.done.folder / "results.gpkg"

    @property
    def styled(self) -> list[str]:
        """Steps whose layer is drawn."""
        shown = {s.id for s in self.plan.steps if "layer" in s.show}
        return [name for name, o in self.done.outcomes.items() if name in shown and o.layer is not None and o.style]


@pytest.fixture(scope="module", params=["en", "kk"])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    require_qgis()
    folder = tmp_path_factory.mktemp(f"demo_{request.param}")
    plan = project.load(embedded() / "project.toml", language=request.param)
    done = project.run(plan, folder / "out")
    with sqlite3.connect(done.folder / "results.gpkg") as base:
        names = [r[0] for r in base.execute("SELECT table_name FROM gpkg_contents WHERE table_name <> 'layer_styles'")]
    pictures = folder / "pictures"
    pictures.mkdir()
    told = describe(done.folder / "results.gpkg", pictures, *names)
    return Opened(request.param, plan, done, told, pictures)


def test_every_layer_loads_with_features_and_without_a_warning(opened: Opened) -> None:
    layers = {name: told for name, told in opened.told.items() if name}
    assert len(layers) >= 20
    assert set(opened.styled) <= set(layers)
    for name, told in layers.items():
        assert told["valid"], name
        assert told["error"] == "", name
        assert told["count"] > 0, name
        assert told["count"] == pyogrio.read_info(opened.gpkg, layer=name)["features"], name
    # 0 = information, such as QGIS's own start; 1 and 2 = warning, critical
    assert [entry for entry in opened.told[""]["said"] if entry[0] in (1, 2)] == []


def test_every_map_layer_opens_with_its_own_style(opened: Opened) -> None:
    drawn = {name for name, told in opened.told.items() if name and "renderer" in told}
    assert drawn == set(opened.styled)
    for name in opened.styled:
        told = opened.told[name]
        assert told["styles"] == [name[:30]], name
        assert told["renderer"] in {"categorizedSymbol", "graduatedSymbol", "RuleRenderer"}, name
        assert len(told["classes"]) >= 2, name
    kinds = {opened.told[name]["geometry"] for name in opened.styled}
    assert kinds == {"Polygon", "Line", "Point"}


def test_classes_hold_as_many_units_as_the_library_counts(opened: Opened) -> None:
    speech = speaker(opened.language)
    for name in opened.styled:
        outcome, told = opened.done.outcomes[name], opened.told[name]
        counts, missing = outcome.style.counts(outcome.layer[outcome.style.column])
        labels = outcome.style.labels(speech)
        assert [c["label"] for c in told["classes"]][: len(labels)] == labels, name
        assert all(len(f["classes"]) == 1 for f in told["features"]), name
        seen = [f["classes"][0] for f in told["features"]]
        assert [seen.count(label) for label in labels] == counts, name
        rest = [label for label in seen if label not in labels]
        assert len(rest) == missing, name
        assert set(rest) <= {speech.translate(outcome.style.missing_label)}, name


def test_fields_are_called_in_the_language(opened: Opened) -> None:
    speech = speaker(opened.language)
    cyrillic = 0
    for name in opened.styled:
        outcome, aliases = opened.done.outcomes[name], opened.told[name]["aliases"]
        style = outcome.style
        wanted = {f.column: (f.label, f.unit) for f in outcome.fields}
        wanted.setdefault(style.column, (style.title, style.unit))
        for column, (label, unit) in wanted.items():
            assert column in opened.told[name]["fields"], (name, column)
            text = speech.translate(label) + (f", {speech.translate(unit)}" if unit else "")
            assert aliases[column] == text, (name, column)
            cyrillic += any("Ѐ" <= letter <= "ӿ" for letter in text)
            if opened.language == "kk":
                assert speech.translate(label) != label, f"'{label}' of {name}.{column} is not translated"
    assert (cyrillic > 0) == (opened.language == "kk")


def test_tips_begin_with_a_name_and_tell_the_drawn_value(opened: Opened) -> None:
    speech = speaker(opened.language)
    for name in opened.styled:
        style, features = opened.done.outcomes[name].style, opened.told[name]["features"]
        title = speech.translate(style.title)
        # [% … %] left in a tip, or an empty value, is an expression that failed
        for feature in features:
            assert "[%" not in feature["tip"], name
            assert f"{title}: " in feature["tip"], name
            assert not feature["tip"].endswith(": "), name


def test_every_class_with_units_is_seen_in_the_picture(opened: Opened) -> None:
    for name in opened.styled:
        told, seen = opened.told[name], colours(opened.pictures / f"{name}.png")
        drawn = {f["classes"][0] for f in told["features"]}
        for found in told["classes"]:
            if found["label"] in drawn:
                # Astana alone in its class is three pixels
                assert seen.get(rgb(found["color"]), 0) > 0, (name, found["label"])
