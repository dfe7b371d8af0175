"""One class for all algorithms: everything it knows comes from the declaration in the catalogue."""

from __future__ import annotations

import pathlib

from qgis.core import (
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingException,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterFileDestination,
    QgsProperty,
)
from qgis.PyQt.QtGui import QIcon

from kazgeo_qgis import help as told
from kazgeo_qgis.engine.client import Cancelled, EngineFault, EngineMissing, Refused, client
from kazgeo_qgis.engine.find import find
from kazgeo_qgis.layers_in import Given, HandOver, look
from kazgeo_qgis.layers_out import Finish, check_target
from kazgeo_qgis.parameters import REPAIR, destination, has_id, id_key, input_parameters, plain_value
from kazgeo_qgis.words import language, tr

CARD, FINDINGS = "CARD", "FINDINGS"
_ICONS = pathlib.Path(__file__).parent / "icons"
_SUFFIXES = {"vector": (".gpkg", ".geojson"), "table": (".gpkg", ".csv", ".xlsx"), "raster": (".tif", ".tiff")}


class KazGeoAlgorithm(QgsProcessingAlgorithm):
    """An analysis of the catalogue as Processing knows it.

    Parameters
    ----------
    declaration : Declaration
        Which one.
    """

    def __init__(self, declaration) -> None:
        super().__init__()
        self.declaration = declaration

    # --- what it is -------------------------------------------------------------------------------------

    def createInstance(self):
        """Return another of the same kind."""
        return KazGeoAlgorithm(self.declaration)

    def name(self) -> str:
        """Return the stable id."""
        return self.declaration.id

    def displayName(self) -> str:
        """Return the title in the reader's language."""
        return tr(self.declaration.title)

    def group(self) -> str:
        """Return the group in the reader's language."""
        return tr(self.declaration.group)

    def groupId(self) -> str:
        """Return the group's stable id."""
        return self.declaration.group.lower().replace(" ", "_")

    def tags(self) -> list:
        """Return the words it is found by, in three languages."""
        return told.tags(self.declaration)

    def shortDescription(self) -> str:
        """Return the summary."""
        return tr(self.declaration.summary)

    def shortHelpString(self) -> str:
        """Return the help."""
        return told.algorithm_help(self.declaration)

    def icon(self) -> QIcon:
        """Return the group's icon."""
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:
        """Return the group's icon as a file."""
        file = _ICONS / f"{self.groupId()}.svg"
        return str(file if file.is_file() else _ICONS / "kazgeo.svg")

    def canExecute(self):
        """Return whether there is an engine, and if not what to do."""
        try:
            find()
        except EngineMissing as missing:
            return False, str(missing)
        return True, ""

    # --- parameters -------------------------------------------------------------------------------------

    def initAlgorithm(self, configuration=None) -> None:
        """Add parameters and outputs."""
        for parameter in input_parameters(self.declaration):
            self.addParameter(parameter)
        for place, o in enumerate(self._files()):
            self.addParameter(destination(o, first=place == 0))
        card = QgsProcessingParameterFileDestination(
            CARD, tr("Card of the result"), fileFilter="HTML (*.html)", optional=True, createByDefault=True
        )
        card.setHelp(tr("One page: what was asked and found, parameters, seed, versions, tables."))
        self.addParameter(card)
        for o in self.declaration.outputs:
            if o.kind == "number":
                self.addOutput(QgsProcessingOutputNumber(o.key, tr(o.label)))
        self.addOutput(QgsProcessingOutputString(FINDINGS, tr("Findings")))

    def _files(self) -> list:
        return [o for o in self.declaration.outputs if o.kind != "number"]

    def checkParameterValues(self, parameters, context):
        """Return whether the form is filled in; what the data hold, the engine checks."""
        for p in self.declaration.parameters:
            if p.required and not p.is_data and plain_value(self, p, parameters, context) is None:
                return False, tr("{parameter}: a value is wanted. {help}", parameter=told.label(p), help=tr(p.help))
        good, why = super().checkParameterValues(parameters, context)
        if not good:
            return good, why
        for o in self._files():
            if o.kind == "file" or parameters.get(o.key) is None:
                continue
            path = _asked_file(parameters[o.key])
            why = check_target(path, tr(o.label), _SUFFIXES[o.kind])
            if why:
                return False, why
        return True, ""

    # --- work -------------------------------------------------------------------------------------------

    def processAlgorithm(self, parameters, context, feedback) -> dict:
        """Hand the layers over, have the engine work, return what it made."""
        try:
            client.warm_up()
            with HandOver(feedback) as hand:
                job, shown = self._job(parameters, context, hand, feedback)
                if feedback.isCanceled():
                    return {}
                answer = client.run(job, feedback)
        except Cancelled:
            return {}
        except (EngineMissing, EngineFault, Refused) as fault:
            details = getattr(fault, "details", "")
            if details:
                feedback.pushDebugInfo(details)
            raise QgsProcessingException(str(fault)) from None
        _load_only(answer["outputs"].values(), job["outputs"].values(), context)
        return self._results(answer, shown, context, feedback)

    def _job(self, parameters, context, hand, feedback) -> tuple:
        """Return the job for the engine, and its parameters as the user knows them."""
        values, inputs, shown, handed = {}, {}, {}, {}
        data = [p for p in self.declaration.parameters if p.name in self._seen]
        for place, p in enumerate(data):
            feedback.setProgressText(tr("Reading {layer}", layer=tr(p.label)))
            handed[p.name] = self._hand_over(p, parameters, context, hand)
            inputs[p.name], shown[p.name] = handed[p.name].job(), handed[p.name].name
            if has_id(p) and parameters.get(id_key(p)):
                field = self.parameterAsFields(parameters, id_key(p), context)[0]
                inputs[p.name]["id"] = handed[p.name].column(field)
            feedback.setProgress(10 * (place + 1) / len(data))
        for p in self.declaration.parameters:
            value = None if p.is_data else plain_value(self, p, parameters, context)
            if value is None:
                continue
            shown[p.name] = value
            column = handed[p.of].column if p.of in handed else str
            if p.kind == "field":
                value = [column(v) for v in value] if isinstance(value, list) else column(value)
            values[p.name] = value
        job = {"type": "run", "analysis": self.declaration.id, "parameters": values, "inputs": inputs,
               "outputs": self._targets(parameters, context), "language": language()}  # fmt: skip
        if self.parameterDefinition(REPAIR) is not None:
            job["repair"] = self.parameterAsBoolean(parameters, REPAIR, context)
        return job, shown

    def prepareAlgorithm(self, parameters, context, feedback) -> bool:
        """Look at the layers in the main thread, where alone they may be touched."""
        self._seen = {}
        for p in self.declaration.parameters:
            if not p.is_data or parameters.get(p.key) in (None, ""):
                continue
            if p.kind in ("raster", "file"):
                self._seen[p.name] = None, self._file(p, parameters, context)
                continue
            source = self.parameterAsSource(parameters, p.key, context)
            if source is None:
                raise QgsProcessingException(self.invalidSourceError(parameters, p.key))
            given = parameters[p.key]
            plain = {**parameters, p.key: given.source} if hasattr(given, "selectedFeaturesOnly") else parameters
            layer = self.parameterAsVectorLayer(plain, p.key, context)
            self._seen[p.name] = source, look(source, layer, given, p.kind == "table")
        return True

    def _file(self, p, parameters, context):
        """Return the file of a raster layer, or one that the user has named."""
        if p.kind == "file":
            path = pathlib.Path(self.parameterAsFile(parameters, p.key, context))
            return Given(str(path), path.name)
        layer = self.parameterAsRasterLayer(parameters, p.key, context)
        if layer is None:
            raise QgsProcessingException(self.invalidRasterError(parameters, p.key))
        path = layer.source().split("|")[0]
        if layer.providerType() != "gdal" or not pathlib.Path(path).is_file():
            raise QgsProcessingException(
                tr("{layer} is no file on this computer; export it as GeoTIFF first", layer=layer.name())
            )
        return Given(path, layer.name())

    def _hand_over(self, p, parameters, context, hand):
        source, seen = self._seen[p.name]
        if source is None:
            return seen
        if p.kind == "table":
            return hand.table(source, seen)
        id_field = ""
        if has_id(p) and parameters.get(id_key(p)):
            id_field = self.parameterAsFields(parameters, id_key(p), context)[0]
        return hand.layer(source, seen, id_field)

    def _targets(self, parameters, context) -> dict:
        out = {}
        for o in self._files():
            if o.kind == "file":
                path = self.parameterAsFileOutput(parameters, o.key, context)
            else:
                path = self.parameterAsOutputLayer(parameters, o.key, context)
            if path:
                out[o.name] = path
        card = self.parameterAsFileOutput(parameters, CARD, context)
        return {**out, "card": card} if card else out

    def _results(self, answer: dict, shown: dict, context, feedback) -> dict:
        for finding in answer["findings"]:
            feedback.pushInfo(finding)
        made = {
            "version": answer["kazgeo"],
            "algorithm": f"kazgeo:{self.declaration.id}",
            "parameters": shown,
            "findings": answer["findings"],
            "seed": answer["seed"],
            "outputs": {answer["outputs"][o.name]: o.key for o in self._files() if o.name in answer["outputs"]},
        }
        spent = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in answer["seconds"].items())
        feedback.pushDebugInfo(f"engine: {spent}")
        out = {FINDINGS: "\n".join(answer["findings"])}
        for o in self.declaration.outputs:
            if o.kind == "number":
                out[o.key] = answer["numbers"].get(o.name)
            elif o.name in answer["outputs"]:  # some tables are made only with certain parameters
                out[o.key] = answer["outputs"][o.name]
                if o.kind != "file":
                    Finish.attach(context, out[o.key], made)
        if "card" in answer["outputs"]:
            out[CARD] = answer["outputs"]["card"]
        return out


def _asked_file(value) -> str:
    """Return the file that an output's value names; empty for a temporary one."""
    if isinstance(value, QgsProcessingOutputLayerDefinition):
        value = value.sink
    if isinstance(value, QgsProperty):
        value = value.staticValue()
    return "" if value in (None, QgsProcessing.TEMPORARY_OUTPUT) else str(value)


def _load_only(made, wanted, context) -> None:
    """Take back layers that QGIS would load but this run has not made."""
    missing = set(wanted) - set(made)
    waiting = context.layersToLoadOnCompletion()
    if missing & set(waiting):
        context.setLayersToLoadOnCompletion({k: v for k, v in waiting.items() if k not in missing})
