"""Which ground is reached within a time: areas around centres, along the roads and beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Lines, Number, Output, Settlements
from kazgeo.analyses.options import ToDestinations
from kazgeo.choices import Overlap, Travel
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message
    from kazgeo.style import Style


@analysis(
    "Accessibility",
    Output(
        "layer",
        "vector",
        "Isochrones",
        ("origin", "from_min", "to_min", "band", "area_km2", "settlements", "people"),
        geometry="polygon",
        sometimes=("name_*",),
    ),
    Output("bands", "table", "Area and people within each time", ("to_min", "area_km2", "settlements", "people")),
    Output("area_km2", "number", "Area within the longest time, km²"),
    Output("people_percent", "number", "Share of people within the longest time, percent"),
    tags=("service area", "catchment", "drive time", "isochrone", "concave hull"),
)
def isochrones(
    settlements: Settlements,
    roads: Lines,
    *,
    times_min: str = "30, 60, 120",
    overlap: Overlap = Overlap.MERGED,
    travel: Travel = Travel.TO,
    beside_limit_km: Annotated[float, Number(0.05, 200, "km")] = 5.0,
    beside_speed_kmh: Annotated[float, Number(1, 200, "km/h")] = 30.0,
    progress: Progress = silent,
    **given: Unpack[ToDestinations],
) -> Outcome:
    """Areas from which centres are reached within several times: rings along the roads and beside them.

    Roads are cut where the time runs out, from both ends. From any point of a reached road one may leave it and go on
    beside it for the time that is left, but never farther than the limit. So steppe that no road opens up is not
    covered, and what roads enclose without opening it up stays a hole. Settlements and people are counted by travel
    time, not by lying in the area.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id; the destinations among them are the centres.
    roads : lines
        Roads that meet at their ends.
    times_min : str
        Times of the rings, increasing, comma-separated.
    overlap : Overlap
        Ground that several centres reach: told for each, put together, or given to the nearest.
    travel : Travel
        Travel to the centres (to), or from them (from), as an ambulance does; one-way roads make a difference.
    beside_limit_km : float
        Farthest way from a road that is drawn.
    beside_speed_kmh : float
        Speed beside the road.
    """
    from kazgeo import accessibility
    from kazgeo.analyses.destinations import destinations
    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.analyses.roads import left_out, minutes, tie
    from kazgeo.network import Access
    from kazgeo.style import TooltipField
    from kazgeo.ties import in_minutes

    limits = minutes(times_min, "times_min")
    settlements, people, chosen = destinations(settlements, "isochrones", given)
    tied = tie(settlements, roads, given, part(progress, 0, 0.3))
    beside = Access(1000 * beside_limit_km, beside_speed_kmh, given["access_detour"])
    made = accessibility.isochrones(
        tied.take(chosen), [60 * m for m in limits], beside=beside, direction=travel, overlap=overlap, bands="ring",
        progress=part(progress, 0.3, 0.9),
    )  # fmt: skip
    progress(0.9, "people within each time")
    found = accessibility.nearest(tied, chosen, direction=travel)
    layer = _layer(_banded(made.areas, settlements), overlap, found.to_frame(), people, tied, chosen, travel)
    dropped = left_out(made.dropped, tied.network)
    table = _bands(made.areas, in_minutes(found.time_s), people, limits)
    whole = float(people.sum()) if people is not None else float("nan")
    inside = float(table["people"].iloc[-1])
    return Outcome(
        (*_findings(table, people, whole, len(settlements)), *told(dropped)),
        layer=layer,
        tables={"bands": table},
        numbers={
            "area_km2": float(table["area_km2"].iloc[-1]),
            "people_percent": 100 * inside / whole if whole else float("nan"),
        },
        style=_style(limits),
        fields=(
            TooltipField("area_km2", "area", "km²"),
            TooltipField("settlements", "settlements"),
            TooltipField("people", "people"),
        ),
        dropped=dropped,
    )


def _banded(areas: Any, settlements: Any) -> Any:
    """Return what is reached at all with its band in minutes and the name of its centre, by that one's id and time."""
    import numpy as np

    from kazgeo.ties import in_minutes

    layer = areas[~areas.geometry.is_empty]
    layer = layer.iloc[np.lexsort((layer["to_s"].to_numpy(), layer["origin"].astype(str).to_numpy()))]
    layer = layer.reset_index(drop=True)
    layer["from_min"], layer["to_min"] = in_minutes(layer["from_s"]), in_minutes(layer["to_s"])
    layer["band"] = [f"{a:g}–{b:g}" for a, b in zip(layer["from_min"], layer["to_min"], strict=True)]
    if layer["origin"].notna().any():
        for column in (c for c in ("name_en", "name_ru", "name_kk") if c in settlements.columns):
            layer[column] = settlements[column].reindex(layer["origin"]).to_numpy()
    return layer.drop(columns=["from_s", "to_s"])


def _layer(
    banded: Any,
    overlap: Overlap,
    found: pd.DataFrame,
    people: pd.Series | None,
    tied: Any,
    chosen: pd.Index,
    travel: Travel,
) -> Any:
    """Return the rings with minutes, areas, and who lives in each by travel time."""
    import geopandas
    import shapely

    from kazgeo import accessibility
    from kazgeo.ties import in_minutes

    layer = banded.rename(columns={"area_m2": "area_km2"})
    layer["area_km2"] /= 1e6
    every = None
    if str(overlap) == "separate":
        pair = (tied, tied.take(chosen)) if travel == Travel.TO else (tied.take(chosen), tied)
        dense = accessibility.travel_times(*pair, limit_s=60 * float(layer["to_min"].max() or 0)).to_dense()
        every = in_minutes(dense if travel == Travel.TO else dense.T)
    counts, sums = [], []
    for row in layer.itertuples():
        time = in_minutes(found["time_s"]) if every is None else every[row.origin]
        inside = ((time > row.from_min) | (row.from_min == 0)) & (time <= row.to_min)
        if str(overlap) == "nearest":
            inside &= found["destination"] == row.origin
        counts.append(int(inside.sum()))
        sums.append(float(people[inside].sum()) if people is not None else float("nan"))
    layer = layer.assign(settlements=counts, people=sums).to_crs(4326)
    # in degrees rings that touch may cross: what is left of no width is no ground
    valid = shapely.make_valid(layer.geometry.to_numpy(), method="structure", keep_collapsed=False)
    return layer.set_geometry(geopandas.GeoSeries(valid, layer.index, crs=4326))


def _bands(areas: Any, time_min: pd.Series, people: pd.Series | None, limits: Sequence[float]) -> pd.DataFrame:
    """Return area, settlements and people within each time; ground that several centres reach counts once."""
    import pandas as pd
    import shapely

    from kazgeo.ties import upto

    rows = []
    for limit in limits:
        inside = time_min <= upto(limit)
        ground = areas.geometry.to_numpy()[(areas["to_s"] <= upto(60 * limit)).to_numpy()]
        area = float(shapely.union_all(shapely.make_valid(ground)).area) / 1e6 if len(ground) else 0.0
        number = float(people[inside].sum()) if people is not None else float("nan")
        rows.append({"to_min": limit, "area_km2": area, "settlements": int(inside.sum()), "people": number})
    return pd.DataFrame(rows)


def _findings(table: pd.DataFrame, people: pd.Series | None, whole: float, total: int) -> list[Message]:
    """Return area and people within each time, the shortest first."""
    from kazgeo.analyses.outcome import minutes_told, share
    from kazgeo.messages import Message, Num

    out = []
    for row in table.itertuples():
        values: dict[str, Any] = {"time": minutes_told(row.to_min), "area": Num(row.area_km2, 0, "km²")}
        values |= {"n": row.settlements, "total": total}
        if people is None:
            out.append(Message("Within {time}: {area}, {n} of {total} settlements.", values))
        else:
            values |= {"share": share(row.people, whole)}
            template = "Within {time}: {area}, {n} of {total} settlements, {share} of the people whose number is known."
            out.append(Message(template, values))
    return out


def _style(limits: Sequence[float]) -> Style:
    from dataclasses import replace

    from kazgeo.style import YELLOW_RED, categorical, shades

    edges = [0.0, *limits]
    names = [f"{a:g}–{b:g}" for a, b in zip(edges[:-1], limits, strict=True)]
    colors = shades(YELLOW_RED, max(len(names), 2))
    bands = categorical("band", "travel time, min", list(zip(names, names, colors[: len(names)], strict=True)))
    return replace(bands, counted=False)


@analysis(
    "Accessibility",
    Output(
        "layer", "vector", "Reached roads", ("origin", "from_min", "to_min", "band", "length_km"), geometry="line",
        sometimes=("name_*",),
    ),
    Output("bands", "table", "Length of road within each time", ("to_min", "length_km")),
    Output("length_km", "number", "Length of road within the longest time, km"),
    tags=("service area", "reached edges", "drive time", "isochrone"),
)  # fmt: skip
def reached_roads(
    settlements: Settlements,
    roads: Lines,
    *,
    times_min: str = "30, 60, 120",
    overlap: Overlap = Overlap.MERGED,
    travel: Travel = Travel.TO,
    progress: Progress = silent,
    **given: Unpack[ToDestinations],
) -> Outcome:
    """Roads from which centres are reached within several times, cut exactly where the time runs out.

    A road may be reached from both of its ends; what lies between and is not reached stays out. Lengths are those of
    the roads, also where a column of lengths differs from the line as it is drawn.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id; the destinations among them are the centres.
    roads : lines
        Roads that meet at their ends.
    times_min : str
        Times of the bands, increasing, comma-separated.
    overlap : Overlap
        Roads that several centres reach: told for each, put together, or given to the nearest.
    travel : Travel
        Travel to the centres (to), or from them (from), as an ambulance does; one-way roads make a difference.
    """
    import pandas as pd
    import shapely

    from kazgeo import accessibility
    from kazgeo.analyses.destinations import destinations
    from kazgeo.analyses.outcome import Outcome, minutes_told, share, told
    from kazgeo.analyses.roads import left_out, minutes, tie
    from kazgeo.messages import Message, Num
    from kazgeo.style import TooltipField

    limits = minutes(times_min, "times_min")
    settlements, _, chosen = destinations(settlements, "reached_roads", given)
    tied = tie(settlements, roads, given, part(progress, 0, 0.4))
    cuts = [60 * m for m in limits]
    made = accessibility.reached_roads(
        tied.take(chosen), cuts, direction=travel, overlap=overlap, bands="ring", progress=part(progress, 0.4, 0.8)
    )
    once = made.areas
    if str(overlap) == "separate":  # what several centres reach counts once
        once = accessibility.reached_roads(
            tied.take(chosen), cuts, direction=travel, overlap="merged", bands="ring"
        ).areas
    length = once.groupby("to_s")["length_m"].sum().reindex(cuts).fillna(0.0).cumsum().to_numpy() / 1000
    table = pd.DataFrame({"to_min": limits, "length_km": length})
    layer = _banded(made.areas, settlements).rename(columns={"length_m": "length_km"}).to_crs(4326)
    layer["length_km"] /= 1000
    layer = layer.set_geometry(shapely.normalize(layer.geometry.to_numpy()), crs=4326)  # whatever the roads' order
    dropped = left_out(made.dropped, tied.network)
    whole = float(tied.network.length_m.sum()) / 1000
    findings = [
        Message("Within {time}: {km} of roads, {share} of all.",
                {"time": minutes_told(t), "km": Num(km, 0, "km"), "share": share(km, whole)})
        for t, km in zip(limits, length, strict=True)
    ]  # fmt: skip
    return Outcome(
        (*findings, *told(dropped)),
        layer=layer,
        tables={"bands": table},
        numbers={"length_km": float(length[-1])},
        style=_style(limits),
        fields=(TooltipField("length_km", "length", "km", 1),),
        dropped=dropped,
    )
