"""The pages tell today's truth: the reference is fresh, links lead somewhere, commands exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote

import pytest

from kazgeo.analyses import catalogue
from kazgeo.data import CATALOGUE
from kazgeo.project import config

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "data/SOURCES.md"))])
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
_SPAN = re.compile(r"`([^`\n]+)`")
_SHELL = {"sh", "bash", "shell", "console"}


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_reference", DOCS / "build_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_reference"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@cache
def _commands() -> dict[str, tuple[Any, ...]]:
    """Return the options of every command."""
    return dict(_builder().commands())


def test_reference_is_fresh() -> None:
    assert (DOCS / "reference.md").read_text(encoding="utf-8") == _builder().page(), (
        "docs/reference.md doesn't match the catalogue any more; run: make docs"
    )


def test_reference_names_every_parameter_and_output() -> None:
    text = (DOCS / "reference.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", text, re.M | re.S))
    assert list(sections) == list(catalogue())
    for name, analysis in catalogue().items():
        for one in (*analysis.parameters, *analysis.outputs):
            assert f"| `{one.name}` |" in sections[name], f"{name}: {one.name}"


# ---- links -----------------------------------------------------------------------------------------------------


def _bare(text: str) -> str:
    """Return the page without code, in which brackets are no links."""
    return _SPAN.sub("``", _FENCE.sub("", text))


def _anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found = set()
    for heading in re.findall(r"^#{1,6} (.+?)\s*$", _FENCE.sub("", text), re.M):
        plain = re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def _dead_links(page: Path, text: str) -> list[str]:
    dead = []
    for target in re.findall(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)", _bare(text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        other = (page.parent / path).resolve() if path else page
        if path and not other.exists():
            dead.append(f"{target}: no such file")
        elif anchor and anchor not in _anchors(text if other == page else other.read_text(encoding="utf-8")):
            dead.append(f"{target}: no such heading")
    return dead


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    assert _dead_links(page, page.read_text(encoding="utf-8")) == []


def test_dead_links_are_found() -> None:
    text = "# A heading: one\n[x](#a-heading-one) [y](nowhere.md) [z](index.md#nothing) `[w](code.md)` [v](https://a.b)"
    assert _dead_links(DOCS / "made-up.md", text) == ["nowhere.md: no such file", "index.md#nothing: no such heading"]


def test_index_leads_to_every_page() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    here = [p.relative_to(DOCS).as_posix() for p in PAGES if DOCS in p.parents and p.parent.name != "adr"]
    assert [p for p in here if p != "index.md" and f"]({p}" not in index] == []


# ---- commands --------------------------------------------------------------------------------------------------


def _shown(text: str) -> tuple[list[str], list[str]]:
    """Return the commands of the shell blocks, fenced or indented, and those named in running text."""
    rest = _FENCE.sub("", text)
    blocks = [body for language, body in _FENCE.findall(text) if language in _SHELL]
    blocks += re.findall(r"^ {4}((?:kazgeo|make) .*(?:(?<=\\)\n.*)*)", rest, re.M)
    lines = [line.strip().removeprefix("$ ") for b in blocks for line in b.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line], [s for s in _SPAN.findall(rest) if s.startswith("kazgeo ")]


def _faults(line: str, *, whole: bool) -> list[str]:
    """Return what is wrong with a command; ``whole``: it must be complete."""
    faults: list[str] = []
    for words in _pieces(line):
        if words[0] == "make":
            targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
            faults += [f"make {t}: no such target" for t in words[1:] if "=" not in t and t not in targets]
        elif Path(words[0]).name == "kazgeo":
            faults += _kazgeo_faults(words[1:], whole=whole)
    return faults


def _pieces(line: str) -> list[list[str]]:
    """Return the commands of one line, in words, without comments, redirections and settings in front."""
    out: list[list[str]] = [[]]
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&;|<>")
    lexer.whitespace_split = True
    for word in lexer:
        if set(word) <= set("&;|<>"):
            out.append([])
            if set(word) <= set("<>"):
                out[-1].append("file")
        elif out[-1] or not re.match(r"[A-Z_]+=", word):
            out[-1].append(word)
    return [words for words in out if words]


def _kazgeo_faults(words: list[str], *, whole: bool) -> list[str]:
    if not words or words[0] in {"--help", "--version"}:
        return []
    known = _commands()
    name = next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in known), None)
    if name is None:
        group = any(k.startswith(f"{words[0]} ") for k in known) and len(words) == 1
        return [] if group and not whole else [f"kazgeo {' '.join(words[:2])}: no such command"]
    options = {n: o for o in known[name] for n in o.names}
    rest, faults, given, values = words[len(name.split()) :], [], set(), {}
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            given.add("argument")
            if word.startswith("data/") and not (ROOT / word.split("|")[0]).exists():
                faults.append(f"{word}: no such file")
            continue
        option, sign, value = word.partition("=")
        if option == "--help":
            continue
        if option not in options:
            faults.append(f"kazgeo {name}: no option {option}")
            continue
        given.add(option)
        if not options[option].flag:
            value = value if sign else (rest.pop(0) if rest else "")
            values[option] = value
        if value.startswith("data/") and not (ROOT / value.split("|")[0]).exists():
            faults.append(f"{value}: no such file")
    if whole:
        faults += [
            f"kazgeo {name}: {o.names[0]} is missing"
            for o in known[name]
            if o.required and not ({"argument"} if o.argument else set(o.names)) & given
        ]
        faults += _bad_values(name, values)
    return faults


def _bad_values(name: str, values: dict[str, str]) -> list[str]:
    """Return what the catalogue says against the values of an analysis' options."""
    analysis = catalogue().get(name.replace("-", "_"))
    if analysis is None:
        return []
    given: dict[str, object] = {}
    for p in analysis.parameters:
        text = values.get(f"--{p.name.replace('_', '-')}")
        if text is not None:
            given[p.name] = float(text) if p.kind in {"number", "integer"} else text
    return [f for f in analysis.convert(given)[1] if "is required" not in f]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_exist(page: Path) -> None:
    blocks, spans = _shown(page.read_text(encoding="utf-8"))
    faults = [f for line in blocks for f in _faults(line, whole=True)]
    faults += [f for line in spans for f in _faults(line, whole=False)]
    assert faults == []


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("kazgeo run project.toml --out out && kazgeo check p.toml", []),
        ("X=1 kazgeo data get kato | head  # a comment --with", []),
        ("kazgeo rnu project.toml", ["kazgeo rnu project.toml: no such command"]),
        ("kazgeo run --out out", ["kazgeo run: project is missing"]),
        ("kazgeo run p.toml --lang ru", ["kazgeo run: no option --lang"]),
        ("kazgeo check data/kazakhstan/none.toml", ["data/kazakhstan/none.toml: no such file"]),
        ("make dmeo", ["make dmeo: no such target"]),
    ],
)
def test_wrong_commands_are_found(line: str, wanted: list[str]) -> None:
    assert _faults(line, whole=True) == wanted


def test_wrong_values_are_found() -> None:
    found = _faults("kazgeo local-moran --units 'a.gpkg|layer=b' --indicator x --neighbours quen --k 0", whole=True)
    assert len(found) == 2
    assert "did you mean 'queen'" in found[0] + found[1]


# ---- what a page promises to be complete about -----------------------------------------------------------------


def test_every_key_of_a_project_is_described() -> None:
    text = (DOCS / "project-files.md").read_text(encoding="utf-8")
    words = set(re.findall(r"[\w-]+", " ".join(_SPAN.findall(_FENCE.sub("", text)))))
    wanted = {*config._TOP, *config._PROJECT, *config._INPUT, *config._BASEMAP, *config._STEP}
    wanted |= {*config.KINDS, *config.FACES}
    assert sorted(wanted - words) == []


def test_every_download_is_described() -> None:
    text = (DOCS / "data.md").read_text(encoding="utf-8")
    assert [name for name in CATALOGUE if f"`{name}`" not in text] == []


def test_no_example_is_skipped() -> None:
    assert [_name(p) for p in PAGES if "# doctest: +SKIP" in p.read_text(encoding="utf-8")] == []
