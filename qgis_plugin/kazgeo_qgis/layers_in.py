"""Hands layers and tables over to the engine exactly as they are on the screen, in files of a folder of their own."""

from __future__ import annotations

import pathlib
import re
import shutil
import tempfile
from dataclasses import dataclass, field, replace

from qgis.core import (
    NULL,
    QgsCoordinateTransformContext,
    QgsFeatureRequest,
    QgsFeatureSink,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsJsonUtils,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsProcessingFeatureSourceDefinition,
    QgsProviderRegistry,
    QgsProxyFeatureSink,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QUrl, QUrlQuery

from kazgeo_qgis.words import tr

#: Files the engine reads as they are, when QGIS shows nothing but what is in them.
RAW_LAYERS = (".gpkg", ".fgb", ".geojson", ".json")
RAW_TABLES = (".csv", ".tsv", ".txt", ".xlsx")
#: Names of the columns that hold ids and shapes on the way; no layer has such.
FID, SHAPE = "kazgeo_fid", "kazgeo_shape"
#: Types of fields that a GeoPackage holds, by Qt's numbers: truth, whole and broken numbers, text, bytes, dates.
_KNOWN = (1, 2, 3, 4, 5, 6, 10, 12, 14, 15, 16)
_RESERVED = (FID, SHAPE, "geometry")

_AS_IT_IS = QgsProcessingFeatureSource.Flag.FlagSkipGeometryValidityChecks


@dataclass(frozen=True)
class Seen:
    """What QGIS shows of a layer or table, looked at in the main thread: what may be touched there only.

    ``raw``: file and layer name when the screen shows nothing but what is in them, else None. ``keys``: fields that a
    provider has made to number features. ``plain``: source of a text file whose fields QGIS is not to guess.
    ``behind``: the file of the user's that the layer shows, whatever is done with it on the screen.
    """

    name: str
    raw: tuple | None = None
    keys: frozenset = frozenset()
    plain: str = ""
    behind: str = ""


def look(source, layer, given, is_table: bool) -> Seen:
    """Return what is seen of a parameter's value.

    Parameters
    ----------
    source : QgsProcessingFeatureSource
        What is to be computed.
    layer : QgsVectorLayer or None
        The layer behind it.
    given : object
        The parameter's value, which tells a selection.
    is_table : bool
        Of a table only the rows matter.
    """
    if not isinstance(layer, QgsVectorLayer):
        return Seen(source.sourceName())
    pristine = _is_pristine(layer, given)
    raw = _raw_file(layer, RAW_TABLES if is_table else RAW_LAYERS) if pristine else None
    plain = ""
    if raw is None and pristine and is_table and layer.providerType() == "delimitedtext":
        plain = re.sub(r"([?&])detectTypes=[^&]*", r"\1detectTypes=no", layer.source())
        plain = plain if "detectTypes=" in plain else f"{plain}&detectTypes=no"
    return Seen(layer.name(), raw, frozenset(_key_names(layer)), plain, _file_behind(layer))


@dataclass
class Given:
    """What the engine gets of one layer: a file, how many features it must find there, names that had to change.

    ``source`` is the user's file that the layer shows; no result may replace it.
    """

    file: str
    name: str
    layer: str = ""
    count: int = -1
    renamed: dict = field(default_factory=dict)
    drop: list = field(default_factory=list)
    source: str = ""

    def job(self) -> dict:
        """Return it as the engine wants it."""
        out = {"file": self.file, "name": self.name}
        if self.layer:
            out["layer"] = self.layer
        if self.count >= 0:
            out["count"] = self.count
        if self.drop:
            out["drop"] = self.drop
        if self.source:
            out["source"] = self.source
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

    def layer(self, source, seen: Seen, id_field: str = "") -> Given:
        """Return a map layer for the engine; ``id_field`` is the field of ids that the user picked."""
        if not source.sourceCrs().isValid():
            raise QgsProcessingException(
                tr("{layer} has no coordinate system; set it in the layer's properties", layer=seen.name)
            )
        if seen.raw is not None and id_field not in seen.keys:
            file, name = seen.raw
            return Given(file, seen.name, name, source.featureCount())
        return replace(self._export_layer(source, seen, id_field), source=seen.behind)

    def table(self, source, seen: Seen) -> Given:
        """Return a table for the engine; a CSV or a workbook is read as it is, codes keep their zeros."""
        if seen.raw is not None:
            return Given(seen.raw[0], seen.name, seen.raw[1])
        if seen.plain:
            layer = QgsVectorLayer(seen.plain, seen.name, "delimitedtext")
            if layer.isValid():
                source = QgsProcessingFeatureSource(layer, QgsProcessingContext())
        places = [i for i, f in enumerate(source.fields()) if f.name() not in seen.keys]
        fields, _ = _fields(source.fields(), places)
        file = self._next("csv")
        self._fill(source, seen, (file, fields, QgsWkbTypes.Type.NoGeometry), places)
        self._count(source, file, seen.name)
        return Given(str(file), seen.name, source=seen.behind)

    def _export_layer(self, source, seen: Seen, id_field: str) -> Given:
        fields, renamed = _fields(source.fields(), range(source.fields().count()))
        file = self._next("gpkg")
        self._fill(source, seen, (file, fields, _shape_type(source.wkbType())), None)
        written = self._count(source, file, seen.name)
        drop = [renamed.get(k, k) for k in sorted(seen.keys - {id_field})]
        return Given(str(file), seen.name, "layer", written, renamed, drop)

    def _next(self, suffix: str) -> pathlib.Path:
        self._made += 1
        return self._folder / f"in{self._made}.{suffix}"

    def _fill(self, source, seen: Seen, into: tuple, places) -> None:
        """Write a file of fields and shapes."""
        file, fields, shape = into
        options, no_transform = _options(places is None), QgsCoordinateTransformContext()
        writer = QgsVectorFileWriter.create(str(file), fields, shape, source.sourceCrs(), no_transform, options)
        _check(writer, seen.name)
        self._write(source, writer, places)
        _check(writer, seen.name)
        del writer  # closes the file

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
        texts = [i for i, f in enumerate(source.fields()) if _code(f) not in _KNOWN]
        if places is None and not curved and not texts:
            QgsProxyFeatureSink(writer).addFeatures(features, fast)
            return
        for one in features:
            values = one.attributes()
            for i in texts:
                values[i] = QgsJsonUtils.encodeValue(values[i]) if values[i] not in (None, NULL) else None
            one.setAttributes(values if places is None else [values[i] for i in places])
            if curved and one.hasGeometry():
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


def _is_pristine(layer, given) -> bool:
    """Return whether the screen shows what the provider has: no selection, filter, edit, join or virtual field."""
    if isinstance(given, QgsProcessingFeatureSourceDefinition):
        limited = getattr(given, "featureLimit", -1) != -1 or getattr(given, "filterExpression", "")
        if given.selectedFeaturesOnly or limited:
            return False
    own = QgsFields.FieldOrigin.OriginProvider
    fields = layer.fields()
    return layer.dataProvider() is not None and not (
        layer.isEditable()
        or layer.isModified()
        or layer.subsetString()
        or layer.vectorJoins()
        or any(f.name().lower() in _RESERVED for f in fields)
        or any(fields.fieldOrigin(i) != own for i in range(fields.count()))
        or layer.crs() != layer.dataProvider().crs()
    )


def _file_behind(layer) -> str:
    """Return the file that a layer shows, empty where it is none: a layer in memory, a database."""
    provider, source = layer.providerType(), layer.source()
    if provider == "delimitedtext":
        path = QUrl(source).toLocalFile()
    else:
        path = str(QgsProviderRegistry.instance().decodeUri(provider, source).get("path") or "")
    return path if path and pathlib.Path(path).is_file() else ""


def _raw_file(layer, suffixes: tuple):
    """Return file and layer name when the engine reads the file just as QGIS does; None otherwise."""
    provider = layer.providerType()
    if provider == "delimitedtext" and suffixes is RAW_TABLES:
        file = pathlib.Path(QUrl(layer.source()).toLocalFile())
        return (str(file), "") if file.is_file() and file.suffix.lower() in suffixes and _is_plain(layer) else None
    if provider != "ogr":
        return None
    parts = QgsProviderRegistry.instance().decodeUri(provider, layer.source())
    file = pathlib.Path(str(parts.get("path") or ""))
    if file.suffix.lower() not in suffixes or not file.is_file() or parts.get("vsiPrefix"):
        return None
    name = str(parts.get("layerName") or "")
    part_only = parts.get("geometryType") or parts.get("openOptions") or (parts.get("layerId") is not None and not name)
    many = suffixes is RAW_LAYERS and len(layer.dataProvider().subLayers()) > 1
    return None if part_only or (many and not name) else (str(file), name)


def _is_plain(layer) -> bool:
    """Return whether a text file is a usual CSV: a header, commas, UTF-8; then its codes keep their zeros."""
    asked = QUrlQuery(QUrl(layer.source()))
    usual = {"type": ("csv",), "delimiter": (",", "%2C"), "encoding": ("UTF-8", "utf-8"), "useHeader": ("yes",),
             "skipLines": ("0",), "trimFields": ("no",)}  # fmt: skip
    free = ("detectTypes", "xField", "yField", "zField", "wktField", "crs", "geomType", "spatialIndex", "subsetIndex",
            "watchFile", "maxFields")  # fmt: skip
    return all(value in usual.get(key, ()) or key in free for key, value in asked.queryItems())


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
        field = QgsField(fields[i]) if _code(fields[i]) in _KNOWN else _text_field(fields[i].name())
        name, number = field.name(), 1
        while name.lower() in taken:
            number += 1
            name = f"{field.name()}_{number}"
        taken.add(name.lower())
        if name != field.name():
            renamed[field.name()] = name
        field.setName(name)
        if field.isNumeric():  # QGIS rounds what it writes to a field's declared digits, not what it shows
            field.setLength(0)
            field.setPrecision(0)
        made.append(field)
    return made, renamed


def _code(field) -> int:
    """Return the number of a field's type, which Qt 5 and Qt 6 name differently."""
    return int(getattr(field.type(), "value", field.type()))


def _text_field(name: str):
    """Return a field of texts, without naming its type: Qt 5 and Qt 6 want different ones."""
    field = QgsField(QgsVectorLayer("None?field=x:string", "", "memory").fields()[0])
    field.setName(name)
    field.setLength(0)
    return field


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
