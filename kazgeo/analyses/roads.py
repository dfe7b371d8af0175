"""What all analyses on roads share: the network of a layer, settlements tied to it, minutes on a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kazgeo.messages import mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from kazgeo.analyses.options import OnRoads, RoadSpeeds
    from kazgeo.network import Access, Attached, Network
    from kazgeo.progress import Progress
    from kazgeo.style import Style

__all__ = [
    "ACCESS_FIELDS",
    "access_columns",
    "left_out",
    "minutes",
    "minutes_style",
    "named_class",
    "network_of",
    "numbers_by_class",
    "on_network",
    "tie",
    "tie_both",
]

#: Columns that tell how a settlement hangs on the network.
ACCESS_FIELDS = ("road_distance_km", "network_component")


def network_of(roads: Any, options: RoadSpeeds, *, keep: Sequence[str] = (), road_class: str = "class") -> Network:
    """Return the network of a layer of roads; ``keep`` names columns that scenarios go by."""
    from kazgeo.errors import InputError
    from kazgeo.network import Ways, from_lines
    from kazgeo.parsing import no_figure

    speed, length, one_way = options["speed"], options["length"], options["one_way"]
    back, whole = options["speed_back"], options["road_min"]
    if whole and (speed or back):
        raise InputError(f"road_min '{whole}' is in place of speeds; leave out {'speed' if speed else 'speed_back'}")
    if back and back != speed:  # nothing said of the way back: as along the line
        along = roads[speed] if speed else options["default_speed_kmh"]
        roads = roads.assign(**{back: roads[back].astype(object).where(~no_figure(roads[back]), along)})
    return from_lines(
        roads,
        speed_kmh=speed or options["default_speed_kmh"],
        length_km=length or None,
        road_class=road_class,
        ways=Ways(
            one_way=one_way or None,
            time_min=whole or None,
            back_speed_kmh=back or None,
            junction_s=options["junction_s"],
            keep=tuple(keep),
        ),
        name="roads",
    )


def access_of(options: OnRoads) -> Access:
    """Return how settlements get to the road."""
    from kazgeo.network import Access

    return Access(options["access_limit_km"] * 1000, options["access_speed_kmh"], options["access_detour"])


def on_network(net: Network, places: Any, options: OnRoads, what: str = "settlements") -> Attached:
    """Return places tied to a network; ``what`` names their parameter in messages."""
    from kazgeo.network import attach

    way = access_of(options)
    tied = attach(net, places, way)
    _refuse_swapped(net, places, tied, way, what)
    return tied


def tie(settlements: Any, roads: Any, options: OnRoads, progress: Progress) -> Attached:
    """Return settlements tied to the network of a layer of roads."""
    progress(0.1, "road network")
    net = network_of(roads, options)
    progress(0.6, "settlements to roads")
    return on_network(net, settlements, options)


def tie_both(
    settlements: Any, facilities: Any, roads: Any, options: OnRoads, progress: Progress
) -> tuple[Attached, Attached]:
    """Return settlements and facilities tied to the same network."""
    tied = tie(settlements, roads, options, progress)
    progress(0.9, "facilities to roads")
    return tied, on_network(tied.network, facilities, options, "facilities")


def _refuse_swapped(net: Network, places: Any, tied: Attached, way: Access, what: str) -> None:
    """Refuse places that lie far from all roads but near them with longitude and latitude swapped."""
    import geopandas
    import shapely

    from kazgeo.crs import has_place
    from kazgeo.errors import InputError
    from kazgeo.network import attach

    far = int((~tied.tied).sum())
    if far * 2 <= len(places) or not places.crs.is_geographic:
        return
    shapes = places.geometry.to_numpy()
    shapes = shapes[has_place(shapes)]
    turned = geopandas.GeoSeries(shapely.transform(shapes, lambda c: c[:, ::-1]), crs=places.crs)
    turned = turned[turned.y.abs() <= 90]
    if len(turned) and attach(net, turned.to_frame("geometry"), way).tied.sum() * 2 > len(shapes):
        raise InputError(
            f"{what}: {far} of {len(places)} lie far from every road, but near one with longitude and"
            " latitude swapped; swap the columns"
        )


def access_columns(layer: pd.DataFrame, tied: Attached) -> None:
    """Add how every settlement hangs on the network."""
    layer["road_distance_km"] = tied.distance_m / 1000
    layer["network_component"] = tied.component


def named_class(roads: Any, named: str | None) -> str | None:
    """Return the column of the class of road: the one named, else road_class or class where there is one."""
    return named or next((c for c in ("road_class", "class") if c in roads.columns), None)


def numbers_by_class(text: str, roads: Any, kind: str | None, what: str, *, most: float = 10) -> dict[str, float]:
    """Return numbers above 0 by class of road from "local=0.5, republican=0.8"; ``what`` names the parameter.

    Raises
    ------
    InputError
        No column of classes, a class that no road has, what is no number from 0 to ``most``.
    """
    from kazgeo.analyses.texts import named_numbers
    from kazgeo.errors import InputError, unknown

    if kind is None:
        raise InputError(f"{what} goes by class of road; name the column with road_class")
    have = sorted({str(v) for v in roads[kind].dropna()})
    out = named_numbers(text, what, f"class=number, class=number, above 0 and at most {most:g}", most=most)
    strange = [name for name in out if name not in have]
    if strange:
        raise unknown(f"{what}: class", strange[0], have, "a class of these roads")
    return out


def left_out(dropped: pd.DataFrame, net: Network) -> pd.DataFrame:
    """Return what was dropped, each unit once for a reason, and the lines of the roads that were left out."""
    import pandas as pd

    every = pd.concat([dropped, net.dropped]) if net.dropped is not None else dropped
    return every.astype({"unit": object}).drop_duplicates(["unit", "reason"]).reset_index(drop=True)


def minutes(text: str, name: str) -> list[float]:
    """Return increasing minutes from "30, 60".

    Examples
    --------
    >>> minutes("30, 60", "thresholds_min")
    [30.0, 60.0]
    >>> minutes("", "thresholds_min")
    Traceback (most recent call last):
    kazgeo.errors.InputError: thresholds_min: wanted minutes that increase, parted by commas, such as 30, 60; got ''
    """
    from kazgeo.errors import InputError

    try:
        found = [float(t) for t in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(0 < a < float("inf") for a in found) or sorted(set(found)) != found:
        raise InputError(f"{name}: wanted minutes that increase, parted by commas, such as 30, 60; got {text!r}")
    return found


#: Why a settlement has no travel time.
NO_WAY = mark("no way by road")


def minutes_style(column: str, title: str, missing: str = NO_WAY) -> Style:
    """Return the style of travel times; ``missing`` says why some have none."""
    from dataclasses import replace

    from kazgeo.style import graduated

    limits = [0, 30, 60, 120, 180, 240, 360, float("inf")]
    colors = ["#ffffcc", "#ffeda0", "#feb24c", "#fd8d3c", "#fc4e2a", "#e31a1c", "#800026"]
    return replace(graduated(column, title, limits, colors, unit="min"), missing_label=missing)
