"""Seasons and projects as data: a scenario prices the same roads anew and never rebuilds them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, choice, listing, suggestion
from kazgeo.network.measure import one_if_same
from kazgeo.network.model import Network
from kazgeo.network.places import road_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Change", "Scenario", "State", "apply", "effects", "with_factors"]


class State(StrEnum):
    """What a change does with a road's openness."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True)
class Change:
    """What happens to some roads.

    A road is meant when it meets every condition that is given; without any, all are.

    Parameters
    ----------
    classes, surfaces, seasonal : tuples of str
        Values of ``road_class``, ``surface`` and ``seasonal``; an empty text stands for roads whose value is unknown.
    roads : tuple
        Values of ``road_id``.
    area : str, optional
        Polygon as well-known text, degrees of longitude and latitude: roads that touch it.
    state : "open" or "closed", optional
        Opens roads that are closed until then (roads of winter, added roads), or closes roads. A one-way street stays
        one.
    speed_factor : float
        Number by which speeds are multiplied.
    speed_kmh : float, optional
        New speed, as after an upgrade.
    surface : str, optional
        New surface, which later changes see.
    delay_s : float
        Seconds added to every edge that is meant, each way.

    Raises
    ------
    InputError
        Speeds that are not positive, a negative delay, an area that is no polygon.

    Examples
    --------
    >>> Change(surfaces=("earth",), speed_factor=0.5)
    Change(surfaces=('earth',), speed_factor=0.5)
    >>> Change(speed_factor=0)
    Traceback (most recent call last):
    kazgeo.errors.InputError: speed_factor must be a positive number; got 0; to close roads write state='closed'
    """

    classes: tuple[str, ...] = ()
    surfaces: tuple[str, ...] = ()
    seasonal: tuple[str, ...] = ()
    roads: tuple[Any, ...] = ()
    area: str | None = None
    state: State | str | None = None
    speed_factor: float = 1.0
    speed_kmh: float | None = None
    surface: str | None = None
    delay_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("classes", "surfaces", "seasonal", "roads"):
            value = getattr(self, name)
            if isinstance(value, str) or not isinstance(value, Sequence):
                raise InputError(f"{name} must be a list; got {value!r}")
            object.__setattr__(self, name, tuple(value))
        if self.state is not None:
            object.__setattr__(self, "state", choice(State, self.state, "state"))
        for name in ("speed_factor", "speed_kmh"):
            value = getattr(self, name)
            if value is not None and not _positive(value):
                hint = "; to close roads write state='closed'" if value == 0 else ""
                raise InputError(f"{name} must be a positive number; got {value!r}{hint}")
        if self.delay_s != 0 and not _positive(self.delay_s):
            raise InputError(f"delay_s must be seconds, 0 or more; got {self.delay_s!r}")
        if self.area is not None:
            self.polygon()

    def polygon(self) -> Any:
        """Return the area as a shape."""
        import shapely

        try:
            shape = shapely.from_wkt(self.area)
        except (shapely.errors.ShapelyError, TypeError) as fault:
            raise InputError(f"area must be a polygon as well-known text; got {self.area!r}") from fault
        if shape.geom_type not in ("Polygon", "MultiPolygon") or shape.is_empty:
            raise InputError(f"area must be a polygon as well-known text; got {shape.geom_type} {self.area!r}")
        return shape

    def __repr__(self) -> str:
        told = (f"{k}={v!r}" if k != "state" else f"state={str(v)!r}" for k, v in self.to_dict(tuple).items())
        return f"Change({', '.join(told)})"

    def to_dict(self, kind: type = list) -> dict[str, Any]:
        """Return what differs from nothing, as plain values."""
        found = {}
        for one in dataclasses.fields(self):
            value = getattr(self, one.name)
            if value != one.default:
                found[one.name] = kind(value) if isinstance(value, tuple) else value
        if "state" in found:
            found["state"] = str(found["state"])
        return found


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0


@dataclass(frozen=True)
class Scenario:
    """Changes in their order, with a name and where the figures come from.

    Parameters
    ----------
    name : str
        What it is called.
    changes : tuple of Change
        Done one after another; a later one sees what earlier ones did.
    source : str
        Where the figures come from; "assumption" when from nowhere.

    Examples
    --------
    >>> flood = Scenario("flood", (Change(area="POLYGON ((70 50, 71 50, 71 51, 70 50))", state="closed"),))
    >>> Scenario.from_dict(flood.to_dict()) == flood
    True
    >>> Scenario.from_dict({"name": "x", "changes": [{"speed_facter": 0.5}]})
    Traceback (most recent call last):
    kazgeo.errors.InputError: scenario 'x', change 1: 'speed_facter' is unknown; did you mean 'speed_factor'?
    >>> Scenario("none").to_dict()
    {'name': 'none', 'source': 'assumption', 'changes': []}
    """

    name: str
    changes: tuple[Change, ...] = field(default=())
    source: str = "assumption"

    def __post_init__(self) -> None:
        object.__setattr__(self, "changes", tuple(self.changes))

    def __add__(self, other: Scenario) -> Scenario:
        """Return both, one after the other."""
        return Scenario(f"{self.name} + {other.name}", self.changes + other.changes, f"{self.source}; {other.source}")

    def to_dict(self) -> dict[str, Any]:
        """Return the scenario as plain values, as a project file (TOML) holds them."""
        return {"name": self.name, "source": self.source, "changes": [change.to_dict() for change in self.changes]}

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Scenario:
        """Return the scenario of a table of a project file.

        Raises
        ------
        InputError
            Unknown keys, changes that are none.
        """
        _known(table, cls, "scenario")
        if not isinstance(table.get("name"), str):
            raise InputError(f"a scenario must have a name; got {table.get('name')!r}")
        changes = table.get("changes", [])
        if not isinstance(changes, Sequence) or not all(isinstance(change, Mapping) for change in changes):
            raise InputError(f"scenario '{table['name']}': changes must be a list of tables; got {changes!r}")
        made = []
        for number, change in enumerate(changes, 1):
            where = f"scenario '{table['name']}', change {number}"
            _known(change, Change, where)
            try:
                made.append(Change(**change))
            except InputError as fault:
                raise InputError(f"{where}: {fault}") from fault
        return cls(table["name"], tuple(made), str(table.get("source", "assumption")))


def _known(table: Mapping[str, Any], kind: type, where: str) -> None:
    names = [one.name for one in dataclasses.fields(kind)]
    strange = [key for key in table if key not in names]
    if strange:
        hint = suggestion(str(strange[0]), names) or f"; there are: {listing(names, 12)}"
        raise InputError(f"{where}: {listing(strange)} {'is' if len(strange) == 1 else 'are'} unknown{hint}")


def apply(network: Network, scenario: Scenario) -> Network:
    """Return the same roads under a scenario.

    Costs a pass over the edges for every change. The topology is the same object, so nothing that engines have
    prepared is lost and places that are tied stay tied (``Attached.on``).

    Assumption: an edge is priced, opened or closed as a whole. The seconds of junctions and delays are not changed by
    speeds.

    Parameters
    ----------
    network : Network
        Roads; conditions look at ``road_class``, ``surface``, ``seasonal`` and ``road_id`` of ``network.roads``.
    scenario : Scenario
        What changes.

    Returns
    -------
    Network

    Raises
    ------
    InputError
        Roads by id that the network lacks.

    Examples
    --------
    >>> from kazgeo.network import from_edges
    >>> nodes = pd.DataFrame({"lon": [70.0, 71, 72], "lat": [50.0, 50, 50]}, index=list("abc"))
    >>> edges = pd.DataFrame({"from_id": list("ab"), "to_id": list("bc"), "length_km": [60.0, 30],
    ...                       "class": ["trunk", "track"]}, index=["road 1", "road 2"])
    >>> base = from_edges(edges, nodes, speed_kmh=60)
    >>> mud = Scenario("mud", (Change(classes=("track",), speed_factor=0.5),))
    >>> apply(base, mud).time_s.round(6).tolist(), apply(base, mud).topology is base.topology
    ([3600.0, 3600.0], True)
    >>> apply(base, Scenario("nothing")).time_s.round(6).tolist()
    [3600.0, 1800.0]
    >>> apply(base, Scenario("pass", (Change(roads=("road 9",), state="closed"),)))
    Traceback (most recent call last):
    kazgeo.errors.InputError: scenario 'pass', change 1: the network has no road_id 'road 9'
    """
    state = _Prices.of(network)
    for number, change in enumerate(scenario.changes, 1):
        meant = _meant(network, state, change, f"scenario '{scenario.name}', change {number}")
        state.change(network, change, meant)
    forward, backward = (moving + wait for moving, wait in zip(state.moving, state.wait, strict=True))
    changed = network.with_times(forward, one_if_same(forward, backward))
    return dataclasses.replace(changed, roads=state.roads(network))


def with_factors(network: Network, factor: NDArray[np.float64]) -> Network:
    """Return the same roads with the time in motion of every edge multiplied; waits at junctions stay.

    Parameters
    ----------
    network : Network
        Roads.
    factor : float64 array
        Positive number of every edge.

    Examples
    --------
    >>> from kazgeo.network import from_edges
    >>> nodes = pd.DataFrame({"lon": [70.0, 71], "lat": [50.0, 50]}, index=list("ab"))
    >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [60.0]})
    >>> base = from_edges(edges, nodes, speed_kmh=60)
    >>> slow = with_factors(base, np.array([1.5]))
    >>> slow.time_s.round(6).tolist(), slow.topology is base.topology
    ([5400.0], True)
    """
    state = _Prices.of(network)
    forward, backward = (moving * factor + wait for moving, wait in zip(state.moving, state.wait, strict=True))
    return network.with_times(forward, one_if_same(forward, backward))


def effects(network: Network, scenario: Scenario) -> pd.DataFrame:
    """Return what each change of a scenario meets: edges and km meant, ways that it opens and closes.

    A change that means no edge at all shows here: a class or a surface by another name.

    Examples
    --------
    >>> from kazgeo.network import from_edges
    >>> nodes = pd.DataFrame({"lon": [70.0, 71], "lat": [50.0, 50]}, index=list("ab"))
    >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [60.0], "class": "track"})
    >>> base = from_edges(edges, nodes)
    >>> effects(base, Scenario("s", (Change(classes=("trak",)), Change(classes=("track",), state="closed"))))
       change  edges    km  opened  closed
    0       1      0   0.0       0       0
    1       2      1  60.0       0       2
    """
    state, rows = _Prices.of(network), []
    for number, change in enumerate(scenario.changes, 1):
        before = np.isfinite(np.r_[state.moving[0], state.moving[1]])
        meant = _meant(network, state, change, f"scenario '{scenario.name}', change {number}")
        state.change(network, change, meant)
        after = np.isfinite(np.r_[state.moving[0], state.moving[1]])
        km = float(network.length_m[meant].sum() / 1000)
        rows.append((number, int(meant.sum()), km, int((after & ~before).sum()), int((before & ~after).sum())))
    return pd.DataFrame(rows, columns=["change", "edges", "km", "opened", "closed"])


@dataclass
class _Prices:
    """Seconds in motion and at rest, each way, and what the roads are made of."""

    moving: list[NDArray[np.float64]]
    wait: list[NDArray[np.float64]]
    opened: list[NDArray[np.float64]]
    surface: NDArray[Any] | None = None

    @classmethod
    def of(cls, network: Network) -> _Prices:
        """Take the network's times apart."""
        zero, roads = np.zeros(network.m), network.roads
        wait = [zero, zero]
        if roads is not None and "wait_s" in roads:
            wait = [roads["wait_s"].to_numpy(float), roads["wait_back_s"].to_numpy(float)]
        moving = [network.time_s - wait[0], network.backwards_s - wait[1]]
        opened = moving
        if roads is not None and "open_s" in roads:
            told = (roads[name].to_numpy(float) for name in ("open_s", "open_back_s"))
            opened = [_known_or(m, o - w) for m, o, w in zip(moving, told, wait, strict=True)]
        return cls(list(moving), wait, list(opened))

    def change(self, network: Network, change: Change, meant: NDArray[np.bool_]) -> None:
        """Do one change; speeds of closed roads change too and show when these are opened."""
        wait = []
        for way in (0, 1):
            moving, opened = self.moving[way], self.opened[way]
            factor = np.where(meant, 1 / change.speed_factor, 1.0)
            if change.speed_kmh is not None:
                opened = np.where(meant & np.isfinite(opened), network.length_m / (change.speed_kmh / 3.6), opened)
            opened = opened * factor
            if change.state == State.OPEN:
                moving = np.where(meant, opened, np.where(np.isfinite(moving), opened, np.inf))
            elif change.state == State.CLOSED:
                moving = np.where(np.isfinite(moving) & ~meant, opened, np.inf)
            else:
                moving = np.where(np.isfinite(moving), opened, np.inf)
            self.moving[way], self.opened[way] = moving, opened
            wait.append(self.wait[way] + np.where(meant, change.delay_s, 0.0) if change.delay_s else self.wait[way])
        self.wait = wait
        if change.surface is not None:
            self.surface = _column(network, self, "surface").copy()
            self.surface[meant] = change.surface

    def roads(self, network: Network) -> pd.DataFrame | None:
        """Return what is known of the roads now; a second scenario on top finds its way by it."""
        new: dict[str, Any] = {}
        if self.surface is not None:
            new["surface"] = pd.Categorical(pd.Series(self.surface, dtype="str").replace("", None))
        if any(wait.any() for wait in self.wait):
            new |= dict(zip(("wait_s", "wait_back_s"), self.wait, strict=True))
        shut = any((~np.isfinite(m) & np.isfinite(o)).any() for m, o in zip(self.moving, self.opened, strict=True))
        if shut or (network.roads is not None and "open_s" in network.roads):
            times = (o + w for o, w in zip(self.opened, self.wait, strict=True))
            new |= dict(zip(("open_s", "open_back_s"), times, strict=True))
        if not new:
            return network.roads
        roads = pd.DataFrame(index=pd.RangeIndex(network.m)) if network.roads is None else network.roads
        return roads.assign(**new)


def _known_or(time: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(time), time, other)


def _column(network: Network, state: _Prices, name: str) -> NDArray[Any]:
    """Return a column of text, "" where it is unknown."""
    if name == "surface" and state.surface is not None:
        return state.surface
    if network.roads is None or name not in network.roads:
        return np.full(network.m, "", object)
    values = network.roads[name]
    return np.asarray(values.astype(object).where(values.notna(), ""), dtype=object)


def _meant(network: Network, state: _Prices, change: Change, where: str) -> NDArray[np.bool_]:
    """Return which edges a change means."""
    meant = np.ones(network.m, bool)
    for name, wanted in (("road_class", change.classes), ("surface", change.surfaces), ("seasonal", change.seasonal)):
        if wanted:
            meant &= _among(network, state, name, wanted)
    if change.roads:
        meant &= _by_id(network, change.roads, where)
    if change.area is not None:
        meant &= _touching(network, change.polygon())
    return meant


def _among(network: Network, state: _Prices, name: str, wanted: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return which edges have one of the values; "" is an unknown one."""
    changed = name == "surface" and state.surface is not None
    values = None if changed or network.roads is None or name not in network.roads else network.roads[name]
    if values is not None and isinstance(values.dtype, pd.CategoricalDtype):
        known = np.r_[values.cat.categories.isin(wanted), "" in wanted]  # the last is for code -1, unknown
        return np.asarray(known[values.cat.codes.to_numpy()], bool)
    return np.asarray(pd.Series(_column(network, state, name)).isin(wanted), bool)


def _by_id(network: Network, wanted: tuple[Any, ...], where: str) -> NDArray[np.bool_]:
    if network.roads is None or "road_id" not in network.roads:
        raise InputError(f"{where}: the network has no road_id {listing(wanted)}; its roads have no ids")
    ids = network.roads["road_id"]
    found = np.asarray(ids.isin(list(wanted)), bool)
    there = set(ids[found])
    lost = [one for one in wanted if one not in there]
    if lost:
        raise InputError(f"{where}: the network has no road_id {listing(lost)}")
    return found


def _touching(network: Network, area: Any) -> NDArray[np.bool_]:
    """Return which edges touch a polygon."""
    import geopandas

    frame, _, tree = road_lines(network)
    shape = geopandas.GeoSeries([area], crs=4326).to_crs(frame).iloc[0]
    found = np.zeros(network.m, bool)
    found[tree.query(shape, predicate="intersects")] = True
    return found
