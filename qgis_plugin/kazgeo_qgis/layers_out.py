"""Results on their way into QGIS: their style, and how they were made."""

from __future__ import annotations

import json
import pathlib
from typing import ClassVar

from processing.gui.RenderingStyles import RenderingStyles
from qgis.core import QgsLayerMetadata, QgsProcessingLayerPostProcessorInterface

from kazgeo_qgis.words import language, tr


class Finish(QgsProcessingLayerPostProcessorInterface):
    """Styles a loaded layer as its file says and fills in its metadata; QGIS names it, as the user has asked."""

    #: QGIS keeps no reference of its own; an object that Python has collected would crash it.
    _alive: ClassVar[list] = []

    def __init__(self, made: dict, own_style: bool) -> None:
        super().__init__()
        self._own_style = own_style
        self._made = made

    @classmethod
    def attach(cls, context, path: str, made: dict) -> None:
        """Have a layer finished when QGIS has loaded it; nothing when it won't be loaded."""
        if not context.willLoadLayerOnCompletion(path):
            return
        own_style = not RenderingStyles.getStyle(made["algorithm"], made["outputs"].get(path, ""))
        one = cls(made, own_style)
        cls._alive = [*cls._alive[-49:], one]
        details = context.layerToLoadOnCompletionDetails(path)
        details.setPostProcessor(one)

    def postProcessLayer(self, layer, context, feedback) -> None:
        """Style the layer, tell how it was made; a style that the user has chosen for all results stays."""
        if self._own_style:
            layer.loadDefaultStyle()  # Processing loads layers without it
        layer.setMetadata(_metadata(layer, self._made))


def _metadata(layer, made: dict):
    out = QgsLayerMetadata(layer.metadata())
    out.setTitle(layer.name())
    out.setType("dataset")
    out.setLanguage(language())
    out.setAbstract("\n".join(made["findings"]))
    history = [f"KazGeo {made['version']}, {made['algorithm']}"]
    history += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in made["parameters"].items()]
    if made["seed"] is not None:
        history.append(f"seed = {made['seed']}")
    out.setHistory(history)
    return out


def check_target(path: str, label: str, suffixes: tuple) -> str:
    """Return why a file can't be written, in one sentence; empty when it can."""
    if path and pathlib.Path(path).suffix.lower() not in suffixes:
        return tr("{output}: a file that ends in {suffixes} is wanted.", output=label, suffixes=", ".join(suffixes))
    return ""
