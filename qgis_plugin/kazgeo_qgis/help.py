"""What an algorithm says of itself: help, tags, the words people search for, in the reader's language."""

from __future__ import annotations

import html
import json

from kazgeo_qgis.words import LANGUAGES, tr, tr_in


def algorithm_help(one) -> str:
    """Return the help of an algorithm as paragraphs, one a line: QGIS's dialog and qgis_process show both well."""
    lines = [tr(one.summary)]
    if one.help:
        lines.append(tr(one.help))
    lines += ["", tr("Parameters") + ":"]
    lines += [f"• {label(p)} – {tr(p.help)}{_range(p)}" for p in one.parameters]
    lines += ["", tr("Results") + ":"]
    lines += [f"• {tr(o.label)}" for o in one.outputs]
    return "\n".join(html.escape(line, quote=False) for line in lines)


def label(p) -> str:
    """Return the label of a parameter in a form, with its unit."""
    text = tr(p.label)
    return f"{text}, {tr(p.unit)}" if p.unit and p.kind in ("number", "integer") else text


def parameter_help(p) -> str:
    """Return the tool tip of a parameter."""
    return tr(p.help) + _range(p)


def tags(one) -> list:
    """Return the words an algorithm is found by, in all languages, whatever the reader's."""
    words = [one.id, *one.tags, one.title, one.group]
    found = [word if language == "en" else tr_in(language, word) for word in words for language in LANGUAGES]
    return list(dict.fromkeys([*found, "kazgeo"]))


def _range(p) -> str:
    if p.kind in ("number", "integer") and p.name != "seed" and p.low is not None and p.high is not None:
        unit = f" {tr(p.unit)}" if p.unit else ""
        return " " + tr("From {low} to {high}.", low=_plain(p.low), high=f"{_plain(p.high)}{unit}")
    if p.kind == "choice":
        return " " + tr(
            "One of: {choices}.", choices=", ".join(f"{c} ({tr(c)})" if tr(c) != c else c for c in p.choices)
        )
    return ""


def _plain(value) -> str:
    return json.dumps(int(value) if float(value).is_integer() else value)
