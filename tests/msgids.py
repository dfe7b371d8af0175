"""Collects every English text that can reach a reader, for the test of the catalogues and for translators.

Run it to see what a catalogue lacks: ``python tests/msgids.py``.
"""

from __future__ import annotations

import ast
import csv
import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "kazgeo"
DATA = ROOT / "data" / "kazakhstan"

#: Function -> (positions, keywords) of the arguments that are msgids.
SINKS: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {
    "Message": ((0,), ("template",)),
    "Term": ((0,), ("text",)),
    "mark": ((0,), ()),
    "translate": ((0,), ()),
    "say": ((0,), ()),
    "progress": ((1,), ()),
    "Num": ((2,), ("unit",)),
    "Raster": ((1, 2), ("title", "unit")),
    "TooltipField": ((1, 2), ("label", "unit")),
    "StyleClass": ((1,), ("label",)),
    "Style": ((1,), ("title", "unit", "missing_label")),
    "graduated": ((1,), ("title", "unit")),
    "categorical": ((1,), ("title",)),
    "Chart": ((2, 3), ("title", "unit", "across")),
    "lisa_style": ((0,), ("title",)),
    "minutes_style": ((1,), ("title",)),
    "_style": ((0,), ("title",)),
}
#: Function -> (position, keyword, place in each row) of the arguments that are rows of which one cell is a msgid.
ROW_SINKS = {
    "categorical": (2, "classes", 1),
    "Chart": (4, "labels", 1),
    "TooltipField": (4, "terms", 1),
    "_mark": (None, "", 1),
    "_style": (1, "classes", 1),
}
#: Names that hold why a unit has no result.
REASONS = re.compile(r"reasons?$|^lost$|_REASON$")

#: Rules and reasons that name an indicator, as the embedded data make them, and codes that only data hold.
COMPOSED = (
    "access refused",
    "an area, not a line",
    "impassable",
    "the file lacks some of its nodes",
    "mean weighted by population",
    "mean weighted by the parts' share of population at the reform",
    "weight population missing for a part",
    "sum",
    "international",
    "republican",
    "international road",
    "republican road",
)


def _name(call: ast.Call) -> str:
    f = call.func
    return f.attr if isinstance(f, ast.Attribute) else f.id if isinstance(f, ast.Name) else ""


class Texts:
    """Resolves an argument to the literal texts it can hold, through names, choices and loops over literals."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.assigned: dict[str, list[ast.expr]] = {}
        self.looped: dict[str, list[tuple[ast.expr, tuple[int, ...]]]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self.assigned.setdefault(target.id, []).append(node.value)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                self.assigned.setdefault(node.target.id, []).append(node.value)
            elif isinstance(node, ast.For | ast.comprehension):
                self._loop(node.target, node.iter, ())

    def _loop(self, target: ast.expr, source: ast.expr, path: tuple[int, ...]) -> None:
        if isinstance(target, ast.Name):
            self.looped.setdefault(target.id, []).append((source, path))
        elif isinstance(target, ast.Tuple):
            for i, part in enumerate(target.elts):
                self._loop(part, source, (*path, i))

    def of(self, node: ast.expr, seen: frozenset[str] = frozenset()) -> Iterator[str]:
        """Yield the texts of an expression; what isn't literal yields nothing."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.IfExp):
            yield from self.of(node.body, seen)
            yield from self.of(node.orelse, seen)
        elif isinstance(node, ast.BoolOp):
            for part in node.values:
                yield from self.of(part, seen)
        elif isinstance(node, ast.Subscript):
            for row in self.rows(node, seen):
                yield from self.leaves(row, seen)
        elif isinstance(node, ast.Name) and node.id not in seen:
            seen |= {node.id}
            for value in self.assigned.get(node.id, []):
                yield from self.of(value, seen)
            for source, path in self.looped.get(node.id, []):
                for row in self.rows(source, seen):
                    cell = self.cell(row, path)
                    if cell is not None:
                        yield from self.of(cell, seen)

    def leaves(self, node: ast.expr, seen: frozenset[str]) -> Iterator[str]:
        """Yield the texts of an expression or of the elements of a literal collection."""
        if isinstance(node, ast.Tuple | ast.List):
            for part in node.elts:
                yield from self.leaves(part, seen)
        else:
            yield from self.of(node, seen)

    def rows(self, node: ast.expr, seen: frozenset[str] = frozenset()) -> Iterator[ast.expr]:
        """Yield the elements of a literal collection, (key, value) pairs of a mapping's items, values of a mapping."""
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            for part in node.elts:
                if isinstance(part, ast.Starred):
                    yield from self.rows(part.value, seen)
                else:
                    yield part
        elif isinstance(node, ast.Dict):
            yield from node.values
        elif isinstance(node, ast.BinOp):
            yield from self.rows(node.left, seen)
            yield from self.rows(node.right, seen)
        elif isinstance(node, ast.ListComp | ast.GeneratorExp):
            yield node.elt
        elif isinstance(node, ast.Subscript):
            for row in self.rows(node.value, seen):
                yield from self.rows(row, seen) if isinstance(row, ast.Tuple | ast.List | ast.Dict) else (row,)
        elif isinstance(node, ast.Name) and node.id not in seen:
            for value in self.assigned.get(node.id, []):
                yield from self.rows(value, seen | {node.id})
        elif isinstance(node, ast.Call):
            yield from self._rows_of_call(node, seen)

    def _rows_of_call(self, node: ast.Call, seen: frozenset[str]) -> Iterator[ast.expr]:
        name = _name(node)
        if name in {"list", "tuple"} and node.args:
            yield from self.rows(node.args[0], seen)
        elif name == "zip":
            for row in zip(*(list(self.rows(a, seen)) for a in node.args), strict=False):
                yield ast.Tuple(elts=list(row))
        elif name == "items" and isinstance(node.func, ast.Attribute):
            held = node.func.value
            for value in [held, *self.assigned.get(getattr(held, "id", ""), [])]:
                if isinstance(value, ast.Dict):
                    for k, v in zip(value.keys, value.values, strict=True):
                        if k is not None:
                            yield ast.Tuple(elts=[k, v])

    @staticmethod
    def cell(row: ast.expr, path: tuple[int, ...]) -> ast.expr | None:
        """Return the element at a path of places in nested literal tuples, None when there is none."""
        for place in path:
            if not isinstance(row, ast.Tuple | ast.List) or place >= len(row.elts):
                return None
            row = row.elts[place]
        return row


def from_module(path: Path) -> set[str]:
    """Return the msgids of one module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts, found = Texts(tree), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found |= set(_of_call(node, texts))
        elif isinstance(node, ast.Assign | ast.AugAssign):
            found |= set(_reasons(node, texts))
    return {t for t in found if t.strip() and not re.fullmatch(r"#[0-9a-f]+|[a-z]+\.[a-z]+", t)}


def _of_call(node: ast.Call, texts: Texts) -> Iterator[str]:
    name = _name(node)
    places, keywords = SINKS.get(name, ((), ()))
    for place in places:
        if place < len(node.args):
            yield from texts.of(node.args[place])
    for keyword in node.keywords:
        if keyword.arg in keywords or keyword.arg == "reason":
            yield from texts.of(keyword.value)
    if name in ROW_SINKS:
        place, keyword_name, cell = ROW_SINKS[name]
        sources = [k.value for k in node.keywords if k.arg == keyword_name]
        rows = list(node.args) if place is None else []
        if place is not None and place < len(node.args):
            sources.append(node.args[place])
        for source in sources:
            rows += texts.rows(source)
        for row in rows:
            found = texts.cell(row, (cell,))
            if found is not None:
                yield from texts.of(found)
    if name == "append" and isinstance(node.func, ast.Attribute) and REASONS.search(getattr(node.func.value, "id", "")):
        yield from texts.leaves(node.args[0], frozenset())


def _reasons(node: ast.Assign | ast.AugAssign, texts: Texts) -> Iterator[str]:
    """Yield reasons from ``reason[mask] = "..."``, ``reasons = ["..."]`` and ``lost += [(unit, "...")]``."""
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        base = target.value if isinstance(target, ast.Subscript) else target
        name = base.id if isinstance(base, ast.Name) else ""
        if not REASONS.search(name):
            continue
        value = node.value.left if isinstance(node.value, ast.BinOp) else node.value
        cells = list(texts.rows(value))
        if name == "lost":
            cells = [c for c in (texts.cell(row, (1,)) for row in cells) if c is not None]
        else:
            yield from texts.of(value)
        for cell in cells:
            yield from texts.leaves(cell, frozenset())


def program() -> set[str]:
    """Return what findings, maps, charts, pages, reports and the terminal say."""
    found = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] not in {"locale", "messages.py"}:
            found |= from_module(path)
    page = (PACKAGE / "report" / "report.html").read_text(encoding="utf-8")
    found |= set(re.findall(r"""\bt\(\s*["']([^"']+)["']\s*\)""", page))
    found |= {"no data"}  # Speaker.number
    return found | set(COMPOSED)


def catalogue() -> set[str]:
    """Return what the list of analyses says: groups, summaries, help, labels, units, choices, tags."""
    from kazgeo.analyses import GROUPS
    from kazgeo.analyses import catalogue as read

    found = set(GROUPS)
    for one in read().values():
        found |= {one.title, one.summary, one.help, *(o.label for o in one.outputs)}
        found |= {t for t in one.tags if t[0].islower()}  # names of people and methods stay
        for p in one.parameters:
            found |= {p.label, p.help, p.unit, *p.choices}
    return {t for t in found if t}


def project() -> set[str]:
    """Return titles and units in the embedded projects, names of indicators, and what the tables of sources say."""
    from kazgeo.analyses import get

    found: set[str] = set()
    for path in sorted(DATA.glob("*.toml")):
        for step in tomllib.loads(path.read_text(encoding="utf-8")).get("steps", []):
            texts = {p.name for p in get(step["analysis"]).parameters} & {"title", "unit", "legend"}
            found |= {step[name] for name in texts if step.get(name)}
            if step["analysis"] == "rate":
                found.add(step["name"])
            if step["analysis"] == "density":
                found.add(step["count"])
    for row in _rows("indicators_meta.csv"):
        found.add(row["indicator"])
    for name in ("sources.csv", "districts_sources.csv"):
        for row in _rows(name):
            found |= {row["title"], row["licence"]}
            found |= {p.strip() for p in row["attribution"].split(";")}
    return {t for t in found if t and t != "KazGeo"}


def plugin() -> set[str]:
    """Return what the QGIS plugin's own code says."""
    spec = importlib.util.spec_from_file_location("plugin_update", ROOT / "qgis_plugin" / "update.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.plugin_texts()


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sections() -> dict[str, set[str]]:
    """Return all msgids by section; one that several sections need stands in the first."""
    out: dict[str, set[str]] = {}
    seen: set[str] = set()
    for read in (program, project, catalogue, plugin):
        name, made = read.__name__, read()
        out[name] = made - seen
        seen |= made
    return out


def main() -> int:
    """Print what every catalogue lacks and what it no longer needs."""
    from babel.messages.pofile import read_po

    wanted = set().union(*sections().values())
    wrong = 0
    for language in ("ru", "kk"):
        path = PACKAGE / "locale" / f"{language}.po"
        with path.open("rb") as file:
            have = {str(m.id) for m in read_po(file, locale=language) if m.id and m.string}
        for sign, texts in (("lacks", wanted - have), ("no longer needs", have - wanted)):
            for text in sorted(texts):
                print(f"{path.name} {sign}: {text!r}")
                wrong += 1
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
