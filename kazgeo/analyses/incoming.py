"""Layers as they come into an analysis: points without a place as missing, negative numbers of people as unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.declare import Analysis
    from kazgeo.messages import Message

__all__ = ["Taken", "take_in"]

#: Ids that a sentence names at most.
_NAMED = 5
#: Columns that hold the speeds of roads, as a rule.
_SPEEDS = ("speed_kmh", "speed", "maxspeed")


@dataclass(frozen=True)
class Taken:
    """Arguments whose point layers are fit to be computed with, and sentences about what was changed."""

    given: Mapping[str, Any]
    findings: tuple[Message, ...]

    def told(self, outcome: Any) -> Any:
        """Return the outcome with these sentences."""
        return replace(outcome, findings=(*outcome.findings, *self.findings)) if self.findings else outcome


def take_in(declared: Analysis, given: Mapping[str, Any]) -> Taken:
    """Return the arguments as an analysis wants them: one place for files, QGIS and layers in memory.

    Assumption: a point that is empty or has a NaN or infinite coordinate is one without a place, as a missing shape
    is; a negative number of inhabitants (-9999) is an unknown one. The user's own layers stay as they are.
    """
    from kazgeo import settlements

    out, findings = dict(given), list[Any]()
    for p in declared.parameters:
        layer: Any = out.get(p.name)
        if p.kind != "vector" or "point" not in p.geometries or not hasattr(layer, "geom_type"):
            continue
        layer = settlements.nowhere_as_missing(layer)
        if layer.geom_type.isin(["Polygon", "MultiPolygon"]).any():
            continue
        for column in _people(declared, p.name, out):
            layer = _as_numbers(layer, column)
            ids = settlements.negative(layer, column)
            if len(ids):
                findings.append(_said(p.name, column, ids))
                layer = settlements.known(layer, column)
        out[p.name] = layer
        findings += _of_nobody(declared, p.name, out)
    findings += _speeds_unused(declared, out)
    return Taken(out, tuple(findings))


def _as_numbers(layer: Any, column: str) -> Any:
    """Return a layer whose inhabitants are numbers: what a table holds as text ("1 354 435", "-") sizes no symbol."""
    import pandas as pd

    from kazgeo.errors import InputError
    from kazgeo.parsing import parse_numbers

    if pd.api.types.is_numeric_dtype(layer[column].dtype):
        return layer
    try:
        return layer.assign(**{column: parse_numbers(layer[column])})
    except InputError:  # whoever uses the column says it better
        return layer


def _people(declared: Analysis, layer: str, given: Mapping[str, Any]) -> Iterator[str]:
    """Yield the columns of inhabitants that parameters name, each once.

    The column ``population`` is one whichever parameter names it, as in files of settlements.
    """
    seen = set()
    for p in declared.parameters:
        if p.kind != "field" or p.of != layer:
            continue
        value: Any = given.get(p.name)
        for column in value if isinstance(value, tuple | list) else (value,):
            if column and column in given[layer].columns and column not in seen:
                seen.add(column)
                if "population" in (p.name, column):
                    yield column


def _of_nobody(declared: Analysis, layer: str, given: Mapping[str, Any]) -> Iterator[Message]:
    """Yield a sentence where a column of inhabitants that could be left out tells of nobody."""
    from kazgeo.analyses.columns import inhabitants
    from kazgeo.errors import InputError
    from kazgeo.messages import Message

    column = given.get("population")
    known = [p for p in declared.parameters if p.name == "population" and p.of == layer and not p.required]
    if not known or not column or not len(given[layer]):
        return
    try:
        nobody = inhabitants(given[layer], column) is None
    except InputError:  # whoever uses the column says it better
        return
    if nobody:
        template = "Nobody's number of inhabitants is known in column '{column}', so nothing is told of people."
        yield Message(template, {"column": column})


def _speeds_unused(declared: Analysis, given: Mapping[str, Any]) -> Iterator[Message]:
    """Yield a sentence where all roads get one speed though their layer has speeds that were not named."""
    import pandas as pd

    from kazgeo.messages import Message, Num

    roads: Any = given.get("roads")
    asked = {p.name: p for p in declared.parameters}
    if not hasattr(roads, "columns") or not {"speed", "default_speed_kmh"} <= set(asked):
        return
    if any(given.get(name) for name in ("speed", "speed_back", "road_min", "bare")):
        return
    named = [given.get(p.name) for p in declared.parameters if p.kind == "field" and p.of == "roads"]
    for column in (c for c in _SPEEDS if c in roads.columns and c not in named):
        if pd.to_numeric(roads[column], errors="coerce").notna().any():
            speed = given.get("default_speed_kmh", asked["default_speed_kmh"].default)
            template = "All roads are taken at {speed}: no column of speeds is named, though they have '{column}'."
            yield Message(template, {"speed": Num(speed, 0, "km/h"), "column": column})
            return


def _said(layer: str, column: str, ids: pd.Index) -> Message:
    """Return the sentence about negative numbers."""
    from kazgeo.messages import Message

    shown = (*map(str, ids[:_NAMED]), *(("…",) if len(ids) > _NAMED else ()))
    template = (
        "Facilities with a negative number in column '{column}', taken as unknown: {n} ({units})."
        if layer == "facilities"
        else "Settlements with a negative number in column '{column}', taken as unknown: {n} ({units})."
    )
    return Message(template, {"column": column, "n": len(ids), "units": shown})
