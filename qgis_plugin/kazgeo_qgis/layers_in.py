"""Hands layers and tables over to the engine exactly as they are on the screen, in files of a folder of their own."""

from __future__ import annotations

import pathlib
import shutil
import tempfile
from dataclasses import dataclass, field

from qgis.core import (
    QgsCoordinateTransformContext,
    QgsFeatureRequest,
    QgsFeatureSink,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsProcessingFeatureSourceDefinition,
    QgsProviderRegistry,
    QgsProxyFeatureSink,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsWkbTypes,
)

from kazgeo_qgis.words import tr

#: Files the engine reads as they are, when QGIS shows nothing but what is in them.
RAW_LAYERS = (".gpkg", ".fgb", ".geojson", ".json")
RAW_TABLES = (".csv", ".tsv", ".txt", ".xlsx")
#: Names of the columns that hold ids and shapes on the way; no layer has such.
FID, SHAPE = "kazgeo_fid", "kazgeo_shape"
_RESERVED = (FID, SHAPE, "geometry")

_AS_IT_IS = QgsProcessingFeatureSource.Flag.FlagSkipGeometryValidityChecks


@dataclass
class Given:
    """What the engine gets of one layer: a file, how many features it must find there, names that had to change."""

    file: str
    name: str
    layer: str = ""
    count: int = -1
    renamed: dict = field(default_factory=dict)
    drop: list = field(default_factory=list)

    def job(self) -> dict:
        """Return it as the engine wants it."""
        out = {"file": self.file, "name": self.name}
        if self.layer:
            out["layer"] = self.layer
        if self.count >= 0:
            out["count"] = self.count
        if self.drop:
            out["drop"] = self.drop
        return out

    def column(self, name: str) -> str:
        """Return what a field is called in the file."""
        return self.renamed.get(name, name)


class HandOver:
    """A folder for the layers of one run; it is gone when the run has ended, however it ends."""

    def __init__(self, feedback=None) -> None:
        self._feedback = feedback
        self._folder = None
        self._made = 0

    def __enter__(self) -> HandOver:
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="kazgeo_"))
        return self

    def __exit__(self, *fault: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def layer(self, source, layer, given, id_field: str = "") -> Given:
        """Return a map layer for the engine.

        Parameters
        ----------
        source : QgsProcessingFeatureSource
            What is to be computed.
        layer : QgsVectorLayer or None
            The layer behind it.
        given : object
            The parameter's value, which tells a selection.
        id_field : str
            Field of ids that the user picked.
        """
        if not source.sourceCrs().isValid():
            raise QgsProcessingException(
                tr("{layer} has no coordinate system; set it in the layer's properties", layer=source.sourceName())
            )
        raw = _raw_file(layer, given, RAW_LAYERS)
        if raw is not None and id_field not in _key_names(layer):
            file, name = raw
            return Given(file, layer.name(), name, source.featureCount())
        return self._export(source, layer, id_field, with_shape=True)

    def table(self, source, layer, given) -> Given:
        """Return a table for the engine; a CSV or a workbook is read as it is, codes keep their zeros."""
        raw = _raw_file(layer, given, RAW_TABLES)
        if raw is not None:
            return Given(raw[0], layer.name(), raw[1])
        return self._export(source, layer, "", with_shape=False)

    def _export(self, source, layer, id_field: str, with_shape: bool) -> Given:
        self._made += 1
        name = layer.name() if layer is not None else source.sourceName()
        file = self._folder / f"in{self._made}.{'gpkg' if with_shape else 'csv'}"
        keys = _key_names(layer) - {id_field}
        places = [i for i, f in enumerate(source.fields()) if with_shape or f.name() not in keys]
        fields, renamed = _fields(source.fields(), places)
        shape = _shape_type(source.wkbType()) if with_shape else QgsWkbTypes.Type.NoGeometry
        no_transform = QgsCoordinateTransformContext()
        writer = QgsVectorFileWriter.create(
            str(file), fields, shape, source.sourceCrs(), no_transform, _options(with_shape)
        )
        _check(writer, name)
        self._write(source, writer, None if with_shape else places)
        _check(writer, name)
        del writer  # closes the file
        written = self._count(source, file, name)
        drop = [renamed.get(k, k) for k in keys] if with_shape else []
        return Given(str(file), name, "layer" if with_shape else "", written if with_shape else -1, renamed, drop)

    def _write(self, source, writer, places) -> None:
        """Write all features, a map layer's in C++; curves, which the engine has not, are drawn through points."""
        request = QgsFeatureRequest()
        if self._feedback is not None:
            request.setFeedback(self._feedback)
        if places is not None:
            request.setFlags(QgsFeatureRequest.Flag.NoGeometry)
        features = source.getFeatures(request, _AS_IT_IS)
        fast = QgsFeatureSink.Flag.FastInsert
        curved = places is None and QgsWkbTypes.isCurvedType(source.wkbType())
        if places is None and not curved:
            QgsProxyFeatureSink(writer).addFeatures(features, fast)
            return
        for one in features:
            if places is not None:
                values = one.attributes()
                one.setAttributes([values[i] for i in places])
            elif one.hasGeometry():
                one.setGeometry(QgsGeometry(one.geometry().constGet().segmentize()))
            writer.addFeature(one, fast)

    def _count(self, source, file: pathlib.Path, name: str) -> int:
        """Return how many features are in the file; all that the source has, or it is an error."""
        written = QgsVectorLayer(str(file), "", "ogr").featureCount()
        wanted = source.featureCount()
        if written != wanted:  # some servers only guess how many there are
            request = QgsFeatureRequest().setFlags(QgsFeatureRequest.Flag.NoGeometry).setNoAttributes()
            if self._feedback is not None:
                request.setFeedback(self._feedback)
            wanted = sum(1 for _ in source.getFeatures(request, _AS_IT_IS))
        if written != wanted and not (self._feedback is not None and self._feedback.isCanceled()):
            raise QgsProcessingException(
                tr("{layer}: {wanted} features are on the screen, {written} could be written; save the layer as a "
                   "GeoPackage and try again", layer=name, wanted=wanted, written=written)
            )  # fmt: skip
        return written


def _raw_file(layer, given, suffixes: tuple):
    """Return file and layer name when the screen shows nothing but what is in the file; None otherwise."""
    if not isinstance(layer, QgsVectorLayer) or layer.dataProvider() is None:
        return None
    if isinstance(given, QgsProcessingFeatureSourceDefinition):
        limited = getattr(given, "featureLimit", -1) != -1 or getattr(given, "filterExpression", "")
        if given.selectedFeaturesOnly or limited:
            return None
    own = QgsFields.FieldOrigin.OriginProvider
    fields = layer.fields()
    changed = (
        layer.isEditable()
        or layer.isModified()
        or layer.subsetString()
        or layer.vectorJoins()
        or any(f.name().lower() in _RESERVED for f in fields)
        or any(fields.fieldOrigin(i) != own for i in range(fields.count()))
        or layer.crs() != layer.dataProvider().crs()
    )
    if changed or layer.providerType() not in ("ogr", "delimitedtext"):
        return None
    parts = QgsProviderRegistry.instance().decodeUri(layer.providerType(), layer.source())
    file = pathlib.Path(str(parts.get("path") or ""))
    # a plain table loaded as text: QGIS has made numbers of codes and lost their zeros, the file has them
    if file.suffix.lower() not in suffixes or not file.is_file() or parts.get("vsiPrefix"):
        return None
    if layer.providerType() == "delimitedtext" and suffixes is not RAW_TABLES:
        return None
    name = str(parts.get("layerName") or "")
    if parts.get("layerId") is not None and not name:
        return None
    if suffixes is RAW_LAYERS and not name and len(layer.dataProvider().subLayers()) > 1:
        return None
    return str(file), name


def _key_names(layer) -> set:
    """Return fields that a provider has made to number features: they are no data."""
    if not isinstance(layer, QgsVectorLayer) or layer.providerType() != "ogr":
        return set()
    return {layer.fields()[i].name() for i in layer.primaryKeyAttributes()}


def _fields(fields, places) -> tuple:
    """Return fields that a GeoPackage can hold: names that differ by more than capitals, none that is reserved."""
    made, renamed = QgsFields(), {}
    taken = set(_RESERVED)
    for i in places:
        field = QgsField(fields[i])
        name, number = field.name(), 1
        while name.lower() in taken:
            number += 1
            name = f"{field.name()}_{number}"
        taken.add(name.lower())
        if name != field.name():
            renamed[field.name()] = name
        field.setName(name)
        made.append(field)
    return made, renamed


def _shape_type(shape):
    """Return the type of the file: polygons and lines as multi, points as they are, curves as straight lines."""
    flat = QgsWkbTypes.linearType(shape)
    if QgsWkbTypes.geometryType(flat) == QgsWkbTypes.GeometryType.PointGeometry:
        return flat
    return QgsWkbTypes.multiType(flat)


def _options(with_shape: bool):
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG" if with_shape else "CSV"
    options.fileEncoding = "UTF-8"
    if with_shape:
        options.layerName = "layer"
        options.layerOptions = [f"FID={FID}", f"GEOMETRY_NAME={SHAPE}", "SPATIAL_INDEX=NO"]
    return options


def _check(writer, name: str) -> None:
    if writer.hasError() != QgsVectorFileWriter.WriterError.NoError:
        raise QgsProcessingException(tr("{layer} can't be handed over: {why}", layer=name, why=writer.errorMessage()))
