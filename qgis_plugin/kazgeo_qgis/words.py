"""Texts in the reader's language: English msgids, dictionaries in ``i18n`` made from the library's catalogues."""

from __future__ import annotations

import functools
import html
import json
import pathlib

from qgis.core import QgsSettings

from kazgeo_qgis import settings

LANGUAGES = ("en", "kk", "ru")


def language() -> str:
    """Return "en", "kk" or "ru": the plugin's own setting, else QGIS's language where we have it, else English.

    QGIS 3.22 has no Kazakh, so the setting can differ from QGIS's language.
    """
    chosen = settings.get("language")
    if chosen in LANGUAGES:
        return chosen
    wanted = str(QgsSettings().value("locale/userLocale", "en"))[:2]
    return wanted if wanted in LANGUAGES else "en"


def tr(text: str, **values: object) -> str:
    """Return an English text in the reader's language, its ``{holes}`` filled."""
    told = _words(language()).get(text, text)
    return told.format(**values) if values else told


def tr_in(code: str, text: str) -> str:
    """Return an English text in a named language."""
    return _words(code).get(text, text)


@functools.lru_cache(maxsize=8)
def _words(code: str) -> dict[str, str]:
    path = pathlib.Path(__file__).parent / "i18n" / f"{code}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def escaped(text: object) -> str:
    """Return a text that is safe where QGIS shows rich text: message bars, labels, the dock."""
    return html.escape(str(text))
