"""Makes Processing's parameters of the declared ones, and plain values of what the user has given."""

from __future__ import annotations

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterDistance,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorDestination,
    QgsUnitTypes,
)

from kazgeo_qgis import help as told
from kazgeo_qgis.words import language, tr

__all__ = ["REPAIR", "destination", "has_id", "id_key", "input_parameters", "plain_value"]

REPAIR = "REPAIR"
_SHAPES = {
    "point": QgsProcessing.SourceType.TypeVectorPoint,
    "line": QgsProcessing.SourceType.TypeVectorLine,
    "polygon": QgsProcessing.SourceType.TypeVectorPolygon,
}
_DISTANCES = {"m": QgsUnitTypes.DistanceUnit.DistanceMeters, "km": QgsUnitTypes.DistanceUnit.DistanceKilometers}
_LARGEST_INT = 2_147_483_647  # of a spin box


def has_id(p) -> bool:
    """Return whether a layer's features are known by ids: regions and settlements are, roads are not."""
    return p.kind == "vector" and p.geometries != ("line",)


def id_key(p) -> str:
    """Return the name of the parameter that picks the field of ids."""
    return f"{p.key}_ID"


def input_parameters(one) -> list:
    """Return Processing's parameters of an analysis, in the declared order, its own extras after each layer."""
    made = []
    for p in one.parameters:
        parameter = _parameter(one, p)
        parameter.setHelp(told.parameter_help(p))
        advance(parameter, p.advanced)
        made.append(parameter)
        if has_id(p):
            made.append(_id_parameter(p))
    if any("polygon" in p.geometries for p in one.parameters):
        repair = QgsProcessingParameterBoolean(REPAIR, tr("Repair invalid polygons"), defaultValue=False)
        repair.setHelp(tr("Otherwise an invalid polygon is refused and named."))
        advance(repair, True)
        made.append(repair)
    return made


def advance(parameter, advanced: bool) -> None:
    """Fold a parameter away under "Advanced parameters"."""
    if advanced:
        parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)


def _parameter(one, p):
    if p.kind == "vector":
        types = [_SHAPES[g] for g in p.geometries]
        return QgsProcessingParameterFeatureSource(p.key, told.label(p), types, optional=p.optional)
    if p.kind == "table":
        types = [QgsProcessing.SourceType.TypeVector]
        return QgsProcessingParameterFeatureSource(p.key, told.label(p), types, optional=p.optional)
    if p.kind == "raster":
        return QgsProcessingParameterRasterLayer(p.key, told.label(p), optional=p.optional)
    if p.kind == "file":
        chosen = " ".join(f"*{s}" for s in p.suffixes)
        return QgsProcessingParameterFile(p.key, told.label(p), optional=p.optional, fileFilter=f"{chosen} ({chosen})")
    if p.kind == "field":
        return _field(one, p)
    if p.kind in ("number", "integer"):
        return _number(one, p)
    if p.kind == "choice":
        return _choice(p)
    if p.kind == "boolean":
        return QgsProcessingParameterBoolean(p.key, told.label(p), defaultValue=bool(p.default))
    optional = p.optional or not p.required
    return QgsProcessingParameterString(p.key, told.label(p), defaultValue=p.default or None, optional=optional)


def _field(one, p):
    optional = p.optional or not p.required
    parent = one.parameter(p.of)
    if parent.shape == "panel":  # its indicators are rows of a long table, or columns of a wide one
        made = QgsProcessingParameterString(p.key, told.label(p), optional=optional)
        made.setMetadata(
            {"widget_wrapper": {"class": "kazgeo_qgis.widgets.IndicatorWrapper"}, "of": parent.key, "many": p.many}
        )
        return made
    numeric, any_kind = QgsProcessingParameterField.DataType.Numeric, QgsProcessingParameterField.DataType.Any
    return QgsProcessingParameterField(
        p.key,
        told.label(p),
        parentLayerParameterName=parent.key,
        type=numeric if p.numeric else any_kind,
        allowMultiple=p.many,
        optional=optional,
    )


def _number(one, p):
    optional = p.optional or (not p.required and p.default is None)
    low = p.low if p.low is not None else 0
    high = p.high if p.high is not None else _LARGEST_INT
    if p.unit in _DISTANCES:
        made = QgsProcessingParameterDistance(
            p.key, tr(p.label), defaultValue=p.default, optional=optional, minValue=low, maxValue=high
        )
        made.setDefaultUnit(_DISTANCES[p.unit])
        return made
    whole = p.kind == "integer"
    kind = QgsProcessingParameterNumber.Type.Integer if whole else QgsProcessingParameterNumber.Type.Double
    if whole:
        low, high = int(low), min(int(high), _LARGEST_INT)
    made = QgsProcessingParameterNumber(
        p.key, told.label(p), type=kind, defaultValue=p.default, optional=optional, minValue=low, maxValue=high
    )

    panel = next((q.key for q in one.parameters if q.shape == "panel"), None)
    if p.required and p.default is None and panel is not None:
        wrapper = {"class": "kazgeo_qgis.widgets.YearWrapper"}
        made.setMetadata({"widget_wrapper": wrapper, "of": panel, "first": p.name.startswith("first")})
    return made


def _choice(p):
    default = language() if p.name == "language" else p.default
    made = QgsProcessingParameterEnum(
        p.key, told.label(p), options=list(p.choices), defaultValue=default, usesStaticStrings=True
    )
    made.setMetadata({"widget_wrapper": {"class": "kazgeo_qgis.widgets.ChoiceWrapper"}})
    return made


def _id_parameter(p):
    made = QgsProcessingParameterField(
        id_key(p), tr("Field of ids: {layer}", layer=told.label(p)), parentLayerParameterName=p.key, optional=True
    )
    made.setHelp(tr("Unique in every feature; without it the usual field of codes is taken, else the row number."))
    advance(made, True)
    return made


def destination(o, first: bool):
    """Return the destination parameter of an output that is a file; only the first is made unasked."""
    if o.kind == "file":
        made = QgsProcessingParameterFileDestination(
            o.key, tr(o.label), fileFilter=f"{o.suffix[1:].upper()} (*{o.suffix})", optional=not first
        )
        made.setCreateByDefault(first)
        return made
    if o.kind == "raster":
        return QgsProcessingParameterRasterDestination(o.key, tr(o.label), optional=not first, createByDefault=first)
    kind = QgsProcessing.SourceType.TypeVectorAnyGeometry if o.kind == "vector" else QgsProcessing.SourceType.TypeVector
    return QgsProcessingParameterVectorDestination(
        o.key, tr(o.label), type=kind, optional=not first, createByDefault=first
    )


def plain_value(algorithm, p, parameters: dict, context):
    """Return a parameter's value as JSON holds it; None when it was left out."""
    value = parameters.get(p.key)
    if value is None:
        value = algorithm.parameterDefinition(p.key).defaultValue()
    if value is None or value == "":
        return None
    if p.kind == "number":
        return algorithm.parameterAsDouble(parameters, p.key, context)
    if p.kind == "integer":
        return algorithm.parameterAsInt(parameters, p.key, context)
    if p.kind == "boolean":
        return algorithm.parameterAsBoolean(parameters, p.key, context)
    if p.kind == "choice":
        return algorithm.parameterAsEnumString(parameters, p.key, context)
    if p.kind == "field" and isinstance(algorithm.parameterDefinition(p.key), QgsProcessingParameterField):
        names = algorithm.parameterAsFields(parameters, p.key, context)
        return (list(names) if p.many else names[0]) if names else None
    text = algorithm.parameterAsString(parameters, p.key, context)
    if p.many:
        sign = ";" if ";" in text else ","
        return [name.strip() for name in text.split(sign) if name.strip()]
    return text
