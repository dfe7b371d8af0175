"""Ready scenarios for Kazakhstan, as data; each says where its figures come from, and most are assumptions."""

from __future__ import annotations

from kazgeo.network.scenario import Change, Scenario, State
from kazgeo.network.speeds import UNPAVED

__all__ = ["ICE_ROAD", "PASSES_CLOSED", "SEASONS", "SPRING_THAW", "WINTER"]

_MAIN = ("motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "international", "republican")
_OTHER = (
    "secondary", "secondary_link", "tertiary", "tertiary_link", "unclassified", "residential", "living_street",
    "service", "road", "track", "oblast", "district", "local",
)  # fmt: skip
_GRAVEL = ("compacted", "fine_gravel", "gravel", "pebblestone", "stone", "rock", "rocky", "grass_paver", "unpaved")
_MINOR = ("unclassified", "track", "service", "road", "local")

#: Main roads are cleared and salted, the others keep packed snow.
WINTER = Scenario(
    "winter",
    (Change(classes=_MAIN, speed_factor=0.87), Change(classes=_OTHER, speed_factor=0.65)),
    "US Federal Highway Administration: speeds on freeways fall by 3 to 13 % in light snow, on arterials by 30 to 40 % "
    "with snow or slush on the road (https://ops.fhwa.dot.gov/weather/weather_events/snow_ice.htm); that main roads of "
    "Kazakhstan are like the first and other roads like the second is an assumption",
)

#: Roads without a sealed surface soften; where the surface is unknown, minor roads are taken for unsealed.
SPRING_THAW = Scenario(
    "spring_thaw",
    (
        Change(surfaces=_GRAVEL, speed_factor=0.7),
        Change(surfaces=tuple(sorted(UNPAVED - set(_GRAVEL))), speed_factor=0.4),
        Change(classes=_MINOR, surfaces=("",), speed_factor=0.5),
    ),
    "assumption; the season is that of the restrictions for lorries, 23 March to 1 May in the north and 1 March to "
    "1 April in the south (https://365info.kz/2017/03/ogranicheniya-dlya-dvizheniya-bolshegruzov-vvodyatsya-v-kazahstane)",
)

#: Roads marked as open in a part of the year only. Passes without that mark: close them by ``roads`` or ``area``.
PASSES_CLOSED = Scenario(
    "passes_closed",
    (
        Change(
            seasonal=("yes", "summer", "dry_season", "spring;summer", "summer;autumn", "spring;summer;autumn"),
            state=State.CLOSED,
        ),
    ),
    "the tag seasonal of OpenStreetMap; which months are closed it rarely says",
)

#: Roads of winter are open, ferries lie in the ice.
ICE_ROAD = Scenario(
    "ice_road",
    (Change(seasonal=("winter",), state=State.OPEN), Change(classes=("ferry",), state=State.CLOSED)),
    "the tags ice_road, winter_road and seasonal of OpenStreetMap; that all ferries stop is an assumption",
)

#: All of them by name.
SEASONS = {scenario.name: scenario for scenario in (WINTER, SPRING_THAW, PASSES_CLOSED, ICE_ROAD)}
