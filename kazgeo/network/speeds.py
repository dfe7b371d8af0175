"""Speeds of roads by class, surface and limit: a table that users can change, with the source of every figure.

Sources, as the column ``source`` of ``SpeedTable.to_frame()`` names them:

law
    Traffic rules of Kazakhstan, order of the Minister of Internal Affairs No. 534 of 30 June 2023, with the changes of
    10 November 2025: 60 km/h in settlements (50 for lorries and buses), 20 in residential zones and yards, at most 90
    where signs allow more
    (zakon.kz/pravo/6498167-izmeneniya-v-pdd-i-registratsii-gosnomerov-prikaz-mvd.html).
    Outside settlements 140 on roads of category I-a, 110 on I-b, 100 on II and III, as the road operator KazAvtoZhol
    states them (https://pavlodarnews.kz/ru/kakaya-skorost-razreshena-na-trassakh-kazakhstana).
ors
    openrouteservice, documentation "Surface Speeds" (GIScience/openrouteservice at 46bf785): the highest speed on a
    surface, by car and by bicycle.
osrm
    OSRM, profiles/car.lua (Project-OSRM/osrm-backend at 0012f45): the highest speed by tracktype and smoothness, and
    5 km/h for a ferry without a duration.
assumption
    Nobody has measured it; the average that one keeps on such a road, stops and settlements on the way included.
    Change it when you know better.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kazgeo.errors import InputError, listing

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CYCLING", "KAZAKHSTAN", "PAVED", "UNPAVED", "WALKING", "SpeedTable", "maxspeed_kmh"]

#: OSM surfaces that are sealed.
PAVED = frozenset(
    {"asphalt", "concrete", "concrete:plates", "concrete:lanes", "paved", "cement", "chipseal", "paving_stones",
     "bricks", "sett", "cobblestone", "unhewn_cobblestone", "metal", "wood", "tartan"}
)  # fmt: skip
#: OSM surfaces that are not sealed.
UNPAVED = frozenset(
    {"unpaved", "compacted", "fine_gravel", "gravel", "pebblestone", "ground", "dirt", "earth", "clay", "grass",
     "grass_paver", "stone", "rock", "rocky", "sand", "mud", "salt"}
)  # fmt: skip

_MPH, _KNOT = 1.609344, 1.852
_NUMBER = re.compile(r"^(\d+(?:[.,]\d+)?)\s*(|km/h|kmh|kph|kmph|mph|knots)$")
_ZONE = re.compile(r"^(?:[a-z]{2}(?:-[a-z]{2,3})?:)?(?:zone:?)?([a-z_]+|\d+)$")


@dataclass(frozen=True)
class SpeedTable:
    """What speed a road allows, in km/h.

    The speed of an edge is the lowest of: ``of_limit`` times its stated limit or, without one, the speed of its class;
    ``of_limit`` times the legal limit of its zone, where only the zone is known; the caps of its surface, tracktype and
    smoothness.

    Parameters
    ----------
    classes : mapping
        Speed by OSM ``highway`` value, and of ``ferry``.
    surfaces, tracktypes, smoothness : mappings
        Highest speed by the tag's value. Values that are not listed don't slow down.
    zones : mapping
        Legal limits by zone: urban, rural, trunk, motorway, living_street.
    of_limit : float, optional
        Average speed over the signed limit; None when limits don't matter (on foot, by bicycle).
    sources : mapping of (table, value) to str
        Where each figure comes from; figures that are not listed are assumptions.

    Examples
    --------
    >>> KAZAKHSTAN.speed("trunk", surface="asphalt"), KAZAKHSTAN.speed("trunk", surface="gravel")
    (90.0, 30.0)
    >>> round(KAZAKHSTAN.speed("tertiary", limit_kmh=80), 1), KAZAKHSTAN.speed("elevator")
    (72.0, None)
    >>> KAZAKHSTAN.replace(classes={"track": 30}).speed("track")
    30.0
    >>> KAZAKHSTAN.replace(classes={"track": 0})
    Traceback (most recent call last):
    kazgeo.errors.InputError: speeds must be positive km/h; not so: 'classes: track = 0'
    """

    classes: Mapping[str, float]
    surfaces: Mapping[str, float] = field(default_factory=dict)
    tracktypes: Mapping[str, float] = field(default_factory=dict)
    smoothness: Mapping[str, float] = field(default_factory=dict)
    zones: Mapping[str, float] = field(default_factory=dict)
    of_limit: float | None = None
    sources: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tables = {name: getattr(self, name) for name in _TABLES}
        tables["of_limit"] = {} if self.of_limit is None else {"": self.of_limit}
        bad = [
            f"{name}: {key} = {value}"
            for name, table in tables.items()
            for key, value in table.items()
            if not (isinstance(value, int | float) and math.isfinite(value) and value > 0)
        ]
        if bad:
            raise InputError(f"speeds must be positive km/h; not so: {listing(bad)}")

    def speed(
        self,
        road_class: str,
        *,
        limit_kmh: float | None = None,
        zone_kmh: float | None = None,
        surface: str | None = None,
        tracktype: str | None = None,
        smoothness: str | None = None,
    ) -> float | None:
        """Return the speed in km/h; None for a class that has none."""
        if limit_kmh is not None and self.of_limit is not None:
            base: float | None = limit_kmh * self.of_limit
        else:
            base = self.classes.get(road_class)
        if base is None:
            return None
        if limit_kmh is None and zone_kmh is not None and self.of_limit is not None:
            base = min(base, zone_kmh * self.of_limit)
        caps = ((self.surfaces, surface), (self.tracktypes, tracktype), (self.smoothness, smoothness))
        return float(min([base, *(table[key] for table, key in caps if key is not None and key in table)]))

    def replace(self, **tables: Mapping[str, float]) -> SpeedTable:
        """Return the table with some figures changed or added; they count as assumptions of your own."""
        strange = [name for name in tables if name not in _TABLES]
        if strange:
            raise InputError(f"a speed table has no part {listing(strange)}; it has: {listing(_TABLES)}")
        changed = {name: {**getattr(self, name), **table} for name, table in tables.items()}
        own = {(name, key): "own" for name, table in tables.items() for key in table}
        return dataclasses.replace(self, **changed, sources={**self.sources, **own})  # type: ignore[arg-type]

    def to_frame(self) -> pd.DataFrame:
        """Return all figures as a table: part, value, speed_kmh, source."""
        import pandas as pd

        rows = [
            (name, key, float(kmh), self.sources.get((name, key), "assumption"))
            for name in _TABLES
            for key, kmh in getattr(self, name).items()
        ]
        return pd.DataFrame(rows, columns=["part", "value", "speed_kmh", "source"])


_TABLES = ("classes", "surfaces", "tracktypes", "smoothness", "zones")


def maxspeed_kmh(value: str | None, zones: Mapping[str, float]) -> float | None:
    """Return the limit that an OSM ``maxspeed`` tag states, in km/h; None where it states none.

    Of several limits (by lane, or ``60;80``) it is the lowest. ``none`` is the legal limit on motorways. ``signals``,
    ``variable`` and what can't be read state none.

    Parameters
    ----------
    value : str or None
        The tag.
    zones : mapping
        Legal limits by zone, for ``KZ:urban`` and the like; the country is not looked at.

    Examples
    --------
    >>> zones = KAZAKHSTAN.zones
    >>> [maxspeed_kmh(v, zones) for v in ("60", "60 km/h", "RU:urban", "KZ:rural", "none", "80;60", "DE:zone:30")]
    [60.0, 60.0, 60.0, 100.0, 140.0, 60.0, 30.0]
    >>> round(maxspeed_kmh("50 mph", zones), 3)
    80.467
    >>> [maxspeed_kmh(v, zones) for v in (None, "", "signals", "variable", "0", "-5", "fast")]
    [None, None, None, None, None, None, None]
    """
    if value is None:
        return None
    parts = [p for p in re.split(r"[;|]|,\s", value.strip().lower()) if p.strip()]
    limits = [found for found in (_one_limit(part.strip(), zones) for part in parts) if found is not None]
    return min(limits, default=None)


def _one_limit(text: str, zones: Mapping[str, float]) -> float | None:
    number = _NUMBER.match(text)
    if number:
        kmh = float(number[1].replace(",", ".")) * {"mph": _MPH, "knots": _KNOT}.get(number[2], 1.0)
        return kmh if kmh > 0 else None
    if text == "none":
        return zones.get("motorway")
    if text == "walk":
        return zones.get("walk", 6.0)
    zone = _ZONE.match(text)
    if not zone:
        return None
    if zone[1].isdigit():
        return float(zone[1]) if float(zone[1]) > 0 else None
    return zones.get(zone[1])


def _table(**parts: str) -> dict[str, dict[str, float]]:
    """Read tables written as ``value speed, value speed``."""
    read = {}
    for name, text in parts.items():
        pairs = (entry.rsplit(None, 1) for entry in text.split(","))
        read[name] = {key.strip(): float(kmh) for key, kmh in pairs}
    return read


def _sourced(tables: Mapping[str, Mapping[str, float]], **sources: str) -> dict[tuple[str, str], str]:
    return {(name, key): source for name, source in sources.items() for key in tables[name]}


_DRIVE = _table(
    # Averages over whole roads. Legal limits: category I-a 140, I-b 110, II and III 100, settlements 60, yards 20.
    classes="motorway 110, motorway_link 60, trunk 90, trunk_link 55, primary 80, primary_link 50, secondary 70,"
    "secondary_link 45, tertiary 60, tertiary_link 40, unclassified 45, residential 30, road 30, service 20, track 20,"
    "living_street 15, pedestrian 10, busway 30, ferry 5",
    surfaces="cement 80, compacted 80, fine_gravel 60, paving_stones 40, metal 40, bricks 40, grass 30, wood 30,"
    "sett 30, grass_paver 30, gravel 30, unpaved 30, ground 30, dirt 30, pebblestone 30, tartan 30, cobblestone 20,"
    "clay 20,"
    "earth 15, stone 15, rocky 15, sand 15, mud 10, unhewn_cobblestone 20, ice 70, snow 40",
    tracktypes="grade2 45, grade3 30, grade4 20, grade5 15",
    # without OSRM's 60 for "good": it would hold back every sound highway of the steppe
    smoothness="intermediate 45, bad 30, very_bad 15, horrible 3",
    zones="urban 60, rural 100, trunk 110, motorway 140, living_street 20",
)

#: By car in Kazakhstan.
KAZAKHSTAN = SpeedTable(
    **_DRIVE,
    of_limit=0.9,  # assumption; OSRM's profiles have used 0.8
    sources={
        **_sourced(_DRIVE, surfaces="ors", tracktypes="osrm", smoothness="osrm", zones="law"),
        ("classes", "ferry"): "osrm",
        ("surfaces", "unhewn_cobblestone"): "assumption",
        # signed on a Canadian ice road: https://www.nnsl.com/news/aklavik-ice-road-is-open-for-light-traffic/
        ("surfaces", "ice"): "assumption",
        ("surfaces", "snow"): "assumption",
    },
)

_CYCLE = _table(
    classes="trunk 18, trunk_link 18, primary 18, primary_link 18, secondary 18, secondary_link 18, tertiary 18,"
    "tertiary_link 18, unclassified 18, residential 18, road 16, service 16, living_street 14, cycleway 18, track 14,"
    "path 12, pedestrian 8, footway 8, bridleway 8, ferry 5",
    surfaces="concrete:plates 16, concrete:lanes 16, fine_gravel 16, paving_stones 12, metal 10, grass 8, wood 6,"
    "sett 10, grass_paver 8, gravel 12, unpaved 14, ground 12, dirt 10, pebblestone 16, cobblestone 8, earth 12,"
    "sand 6, mud 10",
)

#: By bicycle; the classes of openrouteservice's roads are 18 km/h too.
CYCLING = SpeedTable(
    _CYCLE["classes"], _CYCLE["surfaces"], sources=_sourced(_CYCLE, surfaces="ors") | {("classes", "ferry"): "osrm"}
)

_WALK = _table(
    classes="trunk 5, trunk_link 5, primary 5, primary_link 5, secondary 5, secondary_link 5, tertiary 5,"
    "tertiary_link 5, unclassified 5, residential 5, road 5, service 5, living_street 5, cycleway 5, track 5, path 5,"
    "pedestrian 5, footway 5, bridleway 5, corridor 5, steps 2, ferry 5",
)

#: On foot.
WALKING = SpeedTable(_WALK["classes"], sources={("classes", "ferry"): "osrm"})
