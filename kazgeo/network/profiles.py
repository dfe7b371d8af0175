"""What the tags of OpenStreetMap mean for a way of travelling: which ways are open, which way round, how fast."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kazgeo.choices import Mode
from kazgeo.network.speeds import CYCLING, KAZAKHSTAN, PAVED, WALKING, SpeedTable, maxspeed_kmh

__all__ = ["CYCLE", "DRIVE", "TAGS", "WALK", "Mode", "Profile", "Way", "blocks", "duration_s", "interpret"]


@dataclass(frozen=True)
class Profile:
    """Rules of one way of travelling.

    Parameters
    ----------
    name : str
        For messages.
    speeds : SpeedTable
        Its classes are the ``highway`` values that are used, and ``ferry``.
    access : tuple of str
        Access tags, the most particular first: the first that a way has decides.
    refused : frozenset of str
        Values of access tags that close a way.
    on_permission : frozenset of str
        Classes that are open only where an access tag of this way of travelling says so.
    oneway : tuple of str
        One-way tags, the most particular first; empty when one-way streets don't matter.
    barriers : frozenset of str
        Values of ``barrier`` on a node that let nobody through unless an access tag does.
    closed_by : frozenset of (key, value)
        Other tags that close a way.
    junction_s : float
        Seconds added on entering a node where three or more edges meet.

    Examples
    --------
    >>> DRIVE.name, "steps" in DRIVE.speeds.classes, "steps" in WALK.speeds.classes
    ('drive', False, True)
    """

    name: str
    speeds: SpeedTable
    access: tuple[str, ...]
    refused: frozenset[str] = frozenset({"no", "private", "agricultural", "forestry", "emergency", "military", "psv"})
    on_permission: frozenset[str] = frozenset()
    oneway: tuple[str, ...] = ("oneway",)
    barriers: frozenset[str] = frozenset()
    closed_by: frozenset[tuple[str, str]] = frozenset()
    junction_s: float = 0.0


_WALLS = {"fence", "wall", "city_wall", "retaining_wall", "hedge", "guard_rail", "handrail", "ditch"}
_IMPASSABLE = {("smoothness", "impassable"), ("impassable", "yes"), ("status", "impassable")}
_ON_FOOT = {"stile", "turnstile", "full-height_turnstile", "kissing_gate", "horse_stile"}
_POSTS = {"bollard", "block", "jersey_barrier", "chain", "rope", "log", "debris", "planter", "cycle_barrier", "bar"}
_CAR_TRAPS = {"motorcycle_barrier", "bus_trap", "sump_buster", "barrier_board", "tyres", "yes"}

#: By car.
DRIVE = Profile(
    "drive",
    KAZAKHSTAN,
    ("motorcar", "motor_vehicle", "vehicle", "access"),
    on_permission=frozenset({"pedestrian", "busway"}),
    oneway=("oneway:motorcar", "oneway:motor_vehicle", "oneway"),
    barriers=frozenset(_WALLS | _ON_FOOT | _POSTS | _CAR_TRAPS),
    closed_by=frozenset(_IMPASSABLE),
)
#: On foot.
WALK = Profile("walk", WALKING, ("foot", "access"), oneway=("oneway:foot",), barriers=frozenset(_WALLS),
               closed_by=frozenset({("motorroad", "yes")}))  # fmt: skip
#: By bicycle.
CYCLE = Profile(
    "cycle",
    CYCLING,
    ("bicycle", "vehicle", "access"),
    refused=DRIVE.refused | {"dismount", "use_sidepath"},
    on_permission=frozenset({"pedestrian", "footway", "bridleway"}),
    oneway=("oneway:bicycle", "oneway"),
    barriers=frozenset(_WALLS | _ON_FOOT),
    closed_by=frozenset({*_IMPASSABLE, ("motorroad", "yes")}),
)


class Way(NamedTuple):
    """What is known of a way: speeds of 0 are closed directions."""

    road_class: str
    surface: str | None
    seasonal: str | None
    forward_kmh: float
    backward_kmh: float
    duration_s: float | None
    limit_signed: bool
    bridge: bool
    ford: bool
    ferry: bool
    winter_only: bool
    all_season: bool | None


_ACCESS = ("access", "vehicle", "motor_vehicle", "motorcar", "bicycle", "foot")
_ZONES = ("zone:maxspeed", "zone:traffic", "maxspeed:type", "source:maxspeed")
#: All tags that ``interpret`` looks at.
TAGS = (
    "highway", "route", *_ACCESS, "oneway", *(f"oneway:{m}" for m in _ACCESS[2:]), "junction", "cycleway",
    "cycleway:left", "cycleway:right", "cycleway:both", "maxspeed", "maxspeed:forward", "maxspeed:backward", *_ZONES,
    "surface", "tracktype", "smoothness", "duration", "bridge", "ford", "seasonal", "ice_road", "winter_road", "area",
    "impassable", "status", "motorroad",
)  # fmt: skip
_PERMITTED = frozenset({"yes", "designated", "permissive", "official", "destination"})


def interpret(profile: Profile, tags: Mapping[str, str]) -> Way | str:
    """Return what a way is for a profile, or the reason why it is none; an empty reason is no road for the profile.

    Examples
    --------
    >>> way = interpret(DRIVE, {"highway": "primary", "maxspeed": "60", "oneway": "-1"})
    >>> way.forward_kmh, way.backward_kmh, way.limit_signed
    (0.0, 54.0, True)
    >>> interpret(DRIVE, {"highway": "service", "access": "private"}), interpret(DRIVE, {"highway": "steps"})
    ('access refused', '')
    """
    road_class = "ferry" if tags.get("route") == "ferry" and "highway" not in tags else tags.get("highway", "")
    if road_class not in profile.speeds.classes:
        return ""
    if tags.get("area") == "yes":
        return "an area, not a line"
    if any(tags.get(key) == value for key, value in profile.closed_by):
        return "impassable"
    allowed = _access(profile, tags)
    if allowed in profile.refused:
        return "access refused"
    if road_class in profile.on_permission and not any(tags.get(k) in _PERMITTED for k in profile.access[:-1]):
        return ""
    forward, backward, signed = _speeds(profile, tags, road_class)
    direction = _direction(profile, tags)
    winter = tags.get("ice_road") == "yes" or tags.get("winter_road") == "yes"
    seasonal = "winter" if winter else _none(tags.get("seasonal"))
    return Way(
        road_class=road_class,
        surface=tags.get("surface") or ("ice" if tags.get("ice_road") == "yes" else None),
        seasonal=seasonal,
        forward_kmh=forward if direction >= 0 else 0.0,
        backward_kmh=backward if direction <= 0 else 0.0,
        duration_s=duration_s(tags.get("duration")) if road_class == "ferry" else None,
        limit_signed=signed,
        bridge=tags.get("bridge", "no") != "no",
        ford=tags.get("ford", "no") != "no",
        ferry=road_class == "ferry",
        winter_only=seasonal == "winter",
        all_season=_all_season(tags, road_class, seasonal),
    )


def _none(value: str | None) -> str | None:
    return None if value in (None, "no", "") else value


def _access(profile: Profile, tags: Mapping[str, str]) -> str | None:
    """Return the value of the most particular access tag."""
    return next((tags[key] for key in profile.access if key in tags), None)


def _speeds(profile: Profile, tags: Mapping[str, str], road_class: str) -> tuple[float, float, bool]:
    """Return km/h each way, and whether a number is stated as the limit."""
    table = profile.speeds
    limits = {way: _limit(tags.get(f"maxspeed{way}"), table) for way in ("", ":forward", ":backward")}
    told = (maxspeed_kmh(tags.get(key), table.zones) for key in ("maxspeed", *_ZONES))
    zone = next((kmh for kmh in told if kmh is not None), None)
    found = []
    for way in (":forward", ":backward"):
        speed = table.speed(
            road_class,
            limit_kmh=limits[way] or limits[""],
            zone_kmh=zone,
            surface=tags.get("surface") or ("ice" if tags.get("ice_road") == "yes" else None),
            tracktype=tags.get("tracktype"),
            smoothness=tags.get("smoothness"),
        )
        found.append(0.0 if speed is None else speed)
    return found[0], found[1], any(limits.values())


def _limit(value: str | None, table: SpeedTable) -> float | None:
    """Return a limit that is stated as a number; zones (``KZ:urban``, ``none``) only tell what the law allows."""
    stated = value is not None and any(letter.isdigit() for letter in value)
    return maxspeed_kmh(value, table.zones) if stated else None


def _direction(profile: Profile, tags: Mapping[str, str]) -> int:
    """Return 1 for one way along the line, -1 against it, 0 for both."""
    if not profile.oneway:
        return 0
    key = next((k for k in profile.oneway if k in tags), None)
    if key == "oneway" and "oneway:bicycle" in profile.oneway and _contraflow(tags):
        return 0
    if key is not None:
        # reversible and alternating streets are open both ways, each at its time
        return {"yes": 1, "true": 1, "1": 1, "-1": -1, "reverse": -1}.get(tags[key].strip().lower(), 0)
    implied = tags.get("junction") == "roundabout" or tags.get("highway") == "motorway"
    return int(implied and "oneway" in profile.oneway)


def _contraflow(tags: Mapping[str, str]) -> bool:
    """Tell whether a one-way street has a cycle lane against its direction."""
    keys = ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both")
    return any(tags.get(key, "").startswith("opposite") for key in keys)


_MAIN = {"motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link"}
_EARTH = {"earth", "ground", "dirt", "mud", "sand", "clay", "grass", "ice", "snow", "salt"}


def _all_season(tags: Mapping[str, str], road_class: str, seasonal: str | None) -> bool | None:
    """Tell whether a road can be used all year, None where its tags don't say.

    The definition is the Rural Access Index's (motorable all year by the prevailing means of transport); which tags
    stand for it is an assumption: sealed, compacted and gravel roads are, roads of bare earth are not.
    """
    if seasonal is not None or tags.get("ford", "no") != "no":
        return False
    if road_class == "ferry":
        return None
    surface, grade = tags.get("surface"), tags.get("tracktype")
    if surface in PAVED or surface in ("compacted", "gravel", "fine_gravel") or grade in ("grade1", "grade2"):
        return True
    if surface in _EARTH or grade in ("grade4", "grade5"):
        return False
    return True if surface is None and road_class in _MAIN else None


def blocks(profile: Profile, tags: Mapping[str, str]) -> bool:
    """Tell whether a node with these tags lets nobody through.

    Examples
    --------
    >>> blocks(DRIVE, {"barrier": "bollard"}), blocks(WALK, {"barrier": "bollard"})
    (True, False)
    >>> blocks(DRIVE, {"barrier": "gate"}), blocks(DRIVE, {"barrier": "gate", "access": "private"})
    (False, True)
    >>> blocks(DRIVE, {"barrier": "bollard", "motor_vehicle": "yes"}), blocks(DRIVE, {})
    (False, False)
    """
    kind = tags.get("barrier")
    if kind is None or kind == "no":
        return False
    allowed = _access(profile, tags)
    if allowed is not None:
        return allowed in profile.refused
    return kind in profile.barriers or tags.get("locked") == "yes"


_CLOCK = re.compile(r"^(\d+):(\d{1,2})(?::(\d{1,2}))?$")
_ISO = re.compile(r"^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$", re.IGNORECASE)


def duration_s(value: str | None) -> float | None:
    """Return the seconds of an OSM ``duration`` tag; None for none and for what can't be read.

    Examples
    --------
    >>> [duration_s(v) for v in ("00:20", "1:30:30", "45", "PT1H30M", "P1DT2H")]
    [1200.0, 5430.0, 2700.0, 5400.0, 93600.0]
    >>> [duration_s(v) for v in (None, "", "00:00", "-5", "an hour", "P")]
    [None, None, None, None, None, None]
    """
    text = (value or "").strip()
    clock, iso = _CLOCK.match(text), _ISO.match(text)
    if clock:
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        total = 3600 * hours + 60 * minutes + seconds
    elif iso:
        days, hours, minutes, seconds = (int(part or 0) for part in iso.groups())
        total = 86_400 * days + 3600 * hours + 60 * minutes + seconds
    else:
        total = 60 * int(text) if text.isdecimal() else 0
    return float(total) or None
