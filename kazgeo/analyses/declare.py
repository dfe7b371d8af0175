"""Reads an analysis from its function's signature and docstring: one declaration, four faces."""

from __future__ import annotations

import functools
import inspect
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, TypeVar, Union, Unpack, get_args, get_origin, get_type_hints

from kazgeo.analyses.incoming import take_in
from kazgeo.analyses.kinds import Field, File, Grid, Number, Output, Table, Vector
from kazgeo.analyses.options import EXTENDS, Default
from kazgeo.analyses.own_columns import keep_own
from kazgeo.analyses.wording import ADVANCED, label, title
from kazgeo.errors import InputError, listing, unknown

__all__ = ["Analysis", "Parameter", "analysis", "read"]

_F = TypeVar("_F", bound=Callable[..., Any])

#: Names that only type checkers import; the reader never needs the classes, so ``kazgeo --help`` stays light.
_FORWARD = dict.fromkeys(("GeoDataFrame", "DataFrame", "DataArray", "Outcome", "Indicator"), object)


class DeclarationError(TypeError):
    """An analysis is declared wrongly; a fault of ours, found when the catalogue is read."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of an analysis.

    Parameters
    ----------
    name : str
        ASCII identifier.
    kind : str
        "vector", "table", "raster", "file", "field", "number", "integer", "choice", "boolean" or "text".
    help : str
        First paragraph of its docstring entry.
    default : object
        None when there is none.
    required : bool
        It has no default.
    optional : bool
        It may be left out (None).
    of : str
        Parent parameter of a field.
    many, numeric : bool
        Of a field.
    low, high, unit
        Of a number.
    choices : tuple of str
        Of a choice.
    geometries : tuple of str
        Of a vector layer.
    shape : str
        Of a table.
    suffixes : tuple of str
        Of a file.
    label : str
        Short English label for forms.
    advanced : bool
        Most users leave it as it is; forms show it folded away.
    """

    name: str
    kind: str
    help: str
    default: object = None
    required: bool = True
    optional: bool = False
    of: str = ""
    many: bool = False
    numeric: bool = False
    low: float | None = None
    high: float | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    geometries: tuple[str, ...] = ()
    shape: str = ""
    suffixes: tuple[str, ...] = ()
    label: str = ""
    advanced: bool = False

    @property
    def is_data(self) -> bool:
        """Whether the value is read from a file: a layer, a table, a raster."""
        return self.kind in {"vector", "table", "raster", "file"}

    def convert(self, value: object, where: str) -> object:
        """Return a plain value of the right type and range, or say what was wanted.

        Raises
        ------
        InputError
            Naming the parameter, what was wanted, what was got.
        """
        if value is None:
            if self.optional:
                return None
            raise InputError(f"{where}: parameter '{self.name}' is required: {self.help}")
        if self.kind in {"number", "integer"}:
            return self._number(value, where)
        if self.kind == "boolean":
            if isinstance(value, bool):
                return value
            raise InputError(f"{where}: parameter '{self.name}' must be true or false; got {value!r}")
        if self.kind == "choice":
            if str(value) not in self.choices:
                raise unknown(f"{where}: {self.name}", str(value), self.choices, "one of its choices")
            return str(value)
        if self.kind == "field" and self.many:
            names = [v.strip() for v in value.split(",")] if isinstance(value, str) else value
            if not isinstance(names, list | tuple) or not all(isinstance(n, str) for n in names):
                raise InputError(f"{where}: parameter '{self.name}' must be a list of column names; got {value!r}")
            return tuple(n for n in names if n)
        if not isinstance(value, str):
            several = isinstance(value, list | tuple) and value
            hint = f'; write "{", ".join(map(str, value))}"' if isinstance(value, list | tuple) and several else ""
            raise InputError(f"{where}: parameter '{self.name}' must be text; got {value!r}{hint}")
        return value

    def _number(self, value: object, where: str) -> float | int:
        whole = self.kind == "integer"
        wanted = f"{'a whole number' if whole else 'a number'} from {self.low:g} to {self.high:g} {self.unit}".rstrip()
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            raise InputError(f"{where}: parameter '{self.name}' must be {wanted}; got {value!r}")
        if whole and value != int(value):
            raise InputError(f"{where}: parameter '{self.name}' must be {wanted}; got {value!r}")
        if self.low is None or self.high is None or not self.low <= value <= self.high:
            raise InputError(f"{where}: parameter '{self.name}' must be {wanted}; got {value!r}")
        return int(value) if whole else float(value)


@dataclass(frozen=True)
class Analysis:
    """One question a planner asks, declared once.

    Parameters
    ----------
    id : str
        ASCII identifier, the function's name; never changed once released.
    group : str
        English name of its group.
    summary : str
        First sentence of the docstring.
    help : str
        The rest of it up to the parameters.
    parameters : tuple of Parameter
        In the order of the signature, without ``progress``.
    outputs : tuple of Output
        What it makes.
    function : callable
        The analysis itself.
    tags : tuple of str
        Words by which people search for it besides those of its name and summary.
    """

    id: str
    group: str
    summary: str
    help: str
    parameters: tuple[Parameter, ...]
    outputs: tuple[Output, ...]
    function: Callable[..., Any] = field(repr=False, compare=False)
    tags: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its English name in menus."""
        return title(self.id)

    def parameter(self, name: str) -> Parameter:
        """Return one parameter; an unknown name is an error with a suggestion."""
        for p in self.parameters:
            if p.name == name:
                return p
        raise unknown(f"{self.id}: parameter", name, [p.name for p in self.parameters], f"a parameter of {self.id}")

    def validate(self, values: Mapping[str, object]) -> dict[str, object]:
        """Return all plain parameters converted, defaults filled in; data parameters pass through.

        Raises
        ------
        InputError
            One error that lists everything that is wrong.
        """
        out, faults = self.convert(values)
        if faults:
            raise InputError("; ".join(faults))
        return out

    def convert(self, values: Mapping[str, object]) -> tuple[dict[str, object], list[str]]:
        """Return what ``validate`` returns as far as it goes, and all faults."""
        faults: list[str] = []
        out: dict[str, object] = {}
        for name in values:
            try:
                self.parameter(name)
            except InputError as error:
                faults.append(str(error))
        for p in self.parameters:
            given = values.get(p.name, p.default)
            if p.name not in values and p.required:
                faults.append(f"{self.id}: parameter '{p.name}' is required: {p.help}")
            elif p.is_data:
                out[p.name] = given
            else:
                try:
                    out[p.name] = p.convert(given, self.id)
                except InputError as error:
                    faults.append(str(error))
        return out, faults

    def as_json(self) -> dict[str, object]:
        """Return the declaration as plain data, for ``catalogue.json``."""
        return {
            "id": self.id,
            "title": self.title,
            "group": self.group,
            "summary": self.summary,
            "help": self.help,
            "tags": list(self.tags),
            "parameters": [_plain(p) for p in self.parameters],
            "outputs": [_plain(o) for o in self.outputs],
        }


def _plain(value: Any) -> dict[str, object]:
    """Return the fields of a declaration that say something."""
    shown = {}
    for name in value.__dataclass_fields__:
        item = getattr(value, name)
        empty = item is None or item is False or item in ("", ())
        if name in {"name", "kind", "help", "required"} or not empty:
            shown[name] = list(item) if isinstance(item, tuple) else item
    return shown


def analysis(group: str, *outputs: Output, tags: tuple[str, ...] = ()) -> Callable[[_F], _F]:
    """Declare a function an analysis of the catalogue.

    Parameters
    ----------
    group : str
        English name of the group.
    *outputs : Output
        What it makes.
    tags : tuple of str
        Words by which people search for it besides those of its name and summary.
    """

    def mark(function: _F) -> _F:
        @functools.wraps(function)
        def checked(*args: Any, **options: Any) -> Any:
            declared, shared = _declared(checked), _shared(function)
            given = inspect.signature(function).bind(*args, **options).arguments
            for name, value in given.pop(shared.name, {}).items() if shared else ():
                declared.parameter(name)  # refuses what it does not know
                given[name] = value
            _check_fields(declared, given)
            if shared:
                options = _shared_defaults(shared) | options
            taken = take_in(declared, given)
            kept = keep_own(declared, taken.given)
            outcome = function(**{name: kept.given.get(name, v) for name, v in (given | options).items()})
            return taken.told(kept.told(outcome))

        checked.kazgeo_group = group  # type: ignore[attr-defined]
        checked.kazgeo_outputs = outputs  # type: ignore[attr-defined]
        checked.kazgeo_tags = tags  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return mark


class _Shared(NamedTuple):
    """The catch-all of a function whose annotation lists shared parameters."""

    name: str
    parameters: Mapping[str, inspect.Parameter]
    hints: Mapping[str, Any]
    entries: Mapping[str, str]


@functools.cache
def _shared(function: Callable[..., Any]) -> _Shared | None:
    """Return the shared parameters of ``**options: Unpack[SomeOptions]``; those the function names itself left out."""
    own = inspect.signature(function).parameters
    rest = next((p.name for p in own.values() if p.kind is inspect.Parameter.VAR_KEYWORD), None)
    if rest is None:
        return None
    hint = get_type_hints(function, localns=_FORWARD, include_extras=True)[rest]
    if get_origin(hint) is not Unpack:
        raise DeclarationError(f"{function.__name__}: '**{rest}' must be annotated Unpack[...] of shared parameters")
    (kind,) = get_args(hint)
    hints: dict[str, Any] = {}
    parameters: dict[str, inspect.Parameter] = {}
    entries: dict[str, str] = {}
    for one in reversed(_bases(kind)):
        entries |= _docstring(one)[2]
    for name, annotation in get_type_hints(kind, localns=_FORWARD, include_extras=True).items():
        if name in own:
            continue
        default = next(mark.value for mark in get_args(annotation)[1:] if isinstance(mark, Default))
        parameters[name] = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
        hints[name] = annotation
    return _Shared(rest, parameters, hints, entries)


def _bases(kind: Any) -> list[Any]:
    """Return options and those they extend, themselves first."""
    return [kind, *(one for base in EXTENDS.get(kind, ()) for one in _bases(base))]


def _shared_defaults(shared: _Shared) -> dict[str, Any]:
    return {name: p.default for name, p in shared.parameters.items()}


@functools.cache
def _declared(function: Callable[..., Any]) -> Analysis:
    return read(function)


def _check_fields(declared: Analysis, given: Mapping[str, Any]) -> None:
    """Refuse names that are no columns of the data they belong to, before anything is computed."""
    for p in declared.parameters:
        value: Any = given.get(p.name)
        parent: Any = given.get(p.of)
        if p.kind != "field" or not value or not hasattr(parent, "columns"):
            continue
        have = [str(c) for c in parent.columns if c != "geometry"]
        for name in value if isinstance(value, tuple | list) else (value,):
            if name not in have:
                raise unknown(f"{declared.id}: {p.name}", str(name), have, f"a column of {p.of}")


def read(function: Callable[..., Any]) -> Analysis:
    """Return the declaration of an analysis from its function.

    Raises
    ------
    DeclarationError
        A parameter without a docstring entry, an entry without a parameter, a kind that isn't of the closed set, or two
        outputs of one name.
    """
    name = function.__name__
    hints = get_type_hints(function, localns=_FORWARD, include_extras=True)
    summary, body, entries = _docstring(function)
    parameters = []
    own = [p for p in inspect.signature(function).parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    if (shared := _shared(inspect.unwrap(function))) is not None:
        own += shared.parameters.values()
        hints |= shared.hints
        entries = {n: t for n, t in shared.entries.items() if n in shared.parameters} | entries
    for p in own:
        if p.name == "progress":
            continue
        if p.name not in entries:
            raise DeclarationError(f"{name}: parameter '{p.name}' has no entry in the docstring")
        parameters.append(_parameter(name, p, hints[p.name], entries[p.name]))
    names = {p.name for p in parameters}
    strange = [e for e in entries if e not in names and e != "progress"]
    if strange:
        raise DeclarationError(f"{name}: docstring describes {listing(strange)}, which are no parameters")
    for one in parameters:
        if one.kind == "field" and one.of not in names:
            raise DeclarationError(f"{name}: field '{one.name}' is of '{one.of}', which is no parameter")
    outputs = [o.name for o in function.kazgeo_outputs]  # type: ignore[attr-defined]
    if len(set(outputs)) < len(outputs):
        raise DeclarationError(f"{name}: outputs must have names of their own; got {', '.join(outputs)}")
    return Analysis(
        name,
        function.kazgeo_group,  # type: ignore[attr-defined]
        summary,
        body,
        tuple(parameters),
        function.kazgeo_outputs,  # type: ignore[attr-defined]
        function,
        function.kazgeo_tags,  # type: ignore[attr-defined]
    )


def _parameter(where: str, p: inspect.Parameter, hint: Any, text: str) -> Parameter:
    """Return one parameter from its annotation."""
    optional, hint = _optional(hint)
    base: Any = hint
    marks: tuple[Any, ...] = ()
    if get_origin(hint) is Annotated:
        base, *rest = get_args(hint)
        marks = tuple(rest)
        inner, base = _optional(base)
        optional = optional or inner
    required = p.default is inspect.Parameter.empty
    default = None if required else p.default
    common: dict[str, Any] = {"help": text, "required": required, "optional": optional}
    common |= {"label": label(p.name), "advanced": p.name in ADVANCED}
    for mark in marks:
        if isinstance(mark, Vector):
            return Parameter(p.name, "vector", geometries=mark.geometries, **common)
        if isinstance(mark, Table):
            return Parameter(p.name, "table", shape=mark.shape, **common)
        if isinstance(mark, Grid):
            return Parameter(p.name, "raster", **common)
        if isinstance(mark, File):
            return Parameter(p.name, "file", suffixes=mark.suffixes, **common)
        if isinstance(mark, Field):
            return Parameter(
                p.name,
                "field",
                default=default,
                of=mark.of,
                many=mark.many,
                numeric=mark.numeric,
                **common,
            )
        if isinstance(mark, Number):
            kind = "integer" if base is int else "number"
            return Parameter(
                p.name,
                kind,
                default=default,
                low=mark.low,
                high=mark.high,
                unit=mark.unit,
                **common,
            )
    if isinstance(base, type) and issubclass(base, StrEnum):
        choice = str(default) if default is not None else None
        return Parameter(p.name, "choice", default=choice, choices=tuple(map(str, base)), **common)
    if base is bool or base is str:
        return Parameter(p.name, "boolean" if base is bool else "text", default=default, **common)
    if p.name == "seed" and base is int:
        return Parameter(p.name, "integer", default=default, low=0, high=2**32 - 1, **common)
    raise DeclarationError(f"{where}: parameter '{p.name}' has a kind that is not of the closed set: {hint!r}")


def _optional(hint: Any) -> tuple[bool, Any]:
    """Return whether None is allowed, and what is wanted otherwise."""
    if get_origin(hint) not in (Union, types.UnionType):
        return False, hint
    rest = [a for a in get_args(hint) if a is not type(None)]
    return len(rest) < len(get_args(hint)), rest[0]


def _docstring(function: Callable[..., Any]) -> tuple[str, str, dict[str, str]]:
    """Return summary, help and the entries of the Parameters section."""
    text = inspect.getdoc(function) or ""
    head, _, rest = text.partition("\nParameters\n")
    summary, _, body = head.strip().partition("\n")
    section = re.split(r"\n[A-Z][A-Za-z ]+\n-{3,}\n", rest.split("\n", 1)[1] if "\n" in rest else "")[0]
    entries: dict[str, str] = {}
    for names, description in re.findall(
        r"^(\w[\w, ]*?)(?: : [^\n]*)?\n((?:[ ]{4}[^\n]*\n?|\n)+)", section + "\n", re.M
    ):
        plain = " ".join(line.strip() for line in description.strip().splitlines())
        for one in names.split(","):
            entries[one.strip()] = plain
    return summary.strip(), " ".join(body.split()), entries
