"""Columns of the user's layer that a result would overwrite: kept under another name, and told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kazgeo.analyses.declare import Analysis

__all__ = ["Kept", "keep_own"]


@dataclass(frozen=True)
class Kept:
    """Arguments whose layers have their own columns renamed, and the new names by the old."""

    given: Mapping[str, Any]
    columns: Mapping[str, str]

    def told(self, outcome: Any) -> Any:
        """Return the outcome with a sentence about the new names, if there are any."""
        from kazgeo.messages import Message

        if not self.columns:
            return outcome
        pairs = tuple(f"{old} → {new}" for old, new in self.columns.items())
        said = Message("Columns of the layer renamed, because the result has columns of these names: {columns}.",
                       {"columns": pairs})  # fmt: skip
        return replace(outcome, findings=(*outcome.findings, said))


def keep_own(declared: Analysis, given: Mapping[str, Any]) -> Kept:
    """Return the arguments with clashing columns renamed ("p" becomes "p_own"), and parameters that name them changed.

    Columns that an analysis is told to keep as they are (an output named after a parameter that names that very
    column) do not clash.
    """
    out, names = dict(given), dict[str, str]()
    for result in declared.outputs:
        layer: Any = given.get(result.like)
        if result.kind != "vector" or not hasattr(layer, "columns"):
            continue
        fields = [p for p in declared.parameters if p.kind == "field" and p.of == result.like]
        named = {f"{{{p.name}}}" for p in fields}
        words = {p.name: str(given.get(p.name, "")) for p in declared.parameters}
        made = [f.format_map(words) for f in result.fields if f not in named]
        clash = [
            c for c in layer.columns
            if c != layer.geometry.name and (c in made or any(fnmatchcase(str(c), f) for f in result.sometimes))
        ]  # fmt: skip
        if not clash:
            continue
        new = {c: _free(c, [*layer.columns, *made]) for c in clash}
        out[result.like], names = layer.rename(columns=new), names | new
        for p in fields:
            value = out.get(p.name)
            if isinstance(value, str) and value in new:
                out[p.name] = new[value]
            elif isinstance(value, tuple | list):
                out[p.name] = tuple(new.get(v, v) for v in value)
    return Kept(out, names)


def _free(column: str, taken: list[str]) -> str:
    """Return a name that nothing has.

    Examples
    --------
    >>> _free("p", ["p", "p_own"]), _free("p", [])
    ('p_own2', 'p_own')
    """
    name, number = f"{column}_own", 2
    while name in taken:
        name, number = f"{column}_own{number}", number + 1
    return name
