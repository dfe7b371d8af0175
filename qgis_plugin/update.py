"""Makes ``catalogue.json`` and the plugin's dictionaries from the library: ``python qgis_plugin/update.py``.

One source of words: the library's catalogues ``kazgeo/locale/*.po``. ``tests/qgis/test_package.py`` fails when a file
here is stale.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent / "kazgeo_qgis"


def plugin_texts() -> set[str]:
    """Return the texts that the plugin's own code passes to ``tr``."""
    found: set[str] = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
            if name == "tr" and node.args:
                found |= set(_literals(node.args[0]))
    return found


def _literals(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)


def catalogue_texts(plain: dict[str, object]) -> set[str]:
    """Return the texts of the catalogue that a reader sees."""
    found: set[str] = set()
    for one in plain["analyses"]:
        found |= {one[key] for key in ("title", "group", "summary", "help")} | set(one["tags"])
        found |= {o["label"] for o in one["outputs"]}
        for p in one["parameters"]:
            found |= {p["label"], p["help"], p.get("unit", ""), *p.get("choices", ())}
    return found - {""}


def files() -> dict[Path, str]:
    """Return what every generated file should hold."""
    from kazgeo.analyses import as_json
    from kazgeo.locale import speaker

    plain = as_json()
    wanted = catalogue_texts(plain) | plugin_texts()
    made = {PACKAGE / "catalogue.json": plain}
    for language in ("ru", "kk"):
        say = speaker(language).translate
        made[PACKAGE / "i18n" / f"{language}.json"] = {t: say(t) for t in sorted(wanted) if say(t) != t}
    return {path: json.dumps(data, ensure_ascii=False, indent=1) + "\n" for path, data in made.items()}


def main() -> int:
    """Write the files."""
    for path, text in files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(PACKAGE)}: {len(text.encode())} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
