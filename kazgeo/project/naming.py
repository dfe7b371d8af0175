"""Tells regions by name where an analysis could only tell their codes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from kazgeo.analyses.outcome import names_of
from kazgeo.messages import Message, Names

if TYPE_CHECKING:
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.project.config import Project

__all__ = ["region_names", "tell_names", "tell_units"]


def region_names(project: Project, inputs: Mapping[str, Any]) -> dict[str, Names]:
    """Return the names of all regions that the project's layers of areas have, by code.

    A code that a layer of points uses too is left as it is: it could mean either.
    """
    found: dict[str, Names] = {}
    others: set[str] = set()
    for one in project.inputs:
        layer = inputs.get(one.name)
        if layer is None:
            continue
        if one.kind == "polygon" and layer.index.name is not None:
            found |= {str(code): name for code, name in names_of(layer).items() if name.en != str(code)}
        elif one.kind == "point":
            others |= set(layer.index.astype(str))
    return {code: name for code, name in found.items() if code not in others}


def tell_names(outcome: Outcome, names: Mapping[str, Names]) -> Outcome:
    """Return an outcome whose findings tell regions by name.

    Examples
    --------
    >>> from kazgeo.analyses.outcome import Outcome
    >>> found = Outcome((Message("Highest: {where}.", {"where": ("710000000", Names("350000000"))}),))
    >>> tell_names(found, {"710000000": Names("Astana"), "350000000": Names("Karaganda")}).summary()
    'Highest: Astana, Karaganda.'
    >>> tell_names(found, {}).summary()
    'Highest: 710000000, 350000000.'
    """
    told = tuple(_told(message, names) for message in outcome.findings)
    return outcome if told == outcome.findings else dataclasses.replace(outcome, findings=told)


def tell_units(outcome: Outcome, layers: Iterable[Any]) -> Outcome:
    """Return an outcome whose findings tell units without a result by the names that the step's layers give them.

    Examples
    --------
    >>> import pandas as pd
    >>> from kazgeo.analyses.outcome import Outcome, told
    >>> lost = told(pd.DataFrame({"unit": ["gn7", "gn8"], "reason": "weight missing"}))
    >>> tell_units(Outcome(lost), [pd.DataFrame({"name": ["Arshaly", None]}, index=["gn7", "gn8"])]).summary()
    'Without a result: 2 (weight missing): Arshaly, gn8.'
    """
    lists = [m.values.get("units") for m in outcome.findings]
    wanted = {unit for units in lists if isinstance(units, tuple) for unit in units if isinstance(unit, str)}
    if not wanted:
        return outcome
    names: dict[Any, Names] = {}
    for layer in layers:
        rows = layer[layer.index.astype(str).isin(wanted)]
        rows = rows[~rows.index.duplicated()]
        names |= {str(i): name for i, name in names_of(rows).items() if name.en != str(i)}
    told = tuple(
        Message(m.template, {**m.values, "units": _told(m.values["units"], names)}) if "units" in m.values else m
        for m in outcome.findings
    )
    return dataclasses.replace(outcome, findings=told)


def _told(value: Any, names: Mapping[str, Names]) -> Any:
    if isinstance(value, Message):
        return Message(value.template, {key: _told(v, names) for key, v in value.values.items()})
    if isinstance(value, tuple):
        return tuple(_told(v, names) for v in value)
    if isinstance(value, Names):
        return names.get(value.en, value)
    return names.get(value, value) if isinstance(value, str) else value
