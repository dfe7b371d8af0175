"""How settlements reach facilities of several kinds: the k-th nearest, who serves whom, shares within standards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Lines, Number, Output, Settlements
from kazgeo.analyses.options import OnRoads
from kazgeo.analyses.roads import ACCESS_FIELDS
from kazgeo.choices import Travel
from kazgeo.messages import mark
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Names


#: Why a settlement has no time to the k-th facility of a kind.
FEWER_REASON = mark("fewer facilities of a kind in reach than asked for")


@analysis(
    "Accessibility",
    Output(
        "layer",
        "vector",
        "Access to facilities",
        ("kinds_within", "longest_min", *ACCESS_FIELDS),
        like="settlements",
        sometimes=("time_to_*_min", "nearest_*_id"),
    ),
    Output(
        "shares",
        "table",
        "Share within each time",
        ("kind", "within_min", "settlements", "share_percent"),
        sometimes=("people",),
    ),
    Output("served", "table", "Who serves whom", ("facility", "kind", "settlements", "mean_min", "longest_min")),
    Output("by_region", "table", "Access by region"),
    Output("all_kinds_percent", "number", "Share with all kinds within the standard, percent"),
    Output("unreached", "number", "Settlements without a result"),
    tags=("nearest facility", "k nearest", "allocation", "service area", "standard", "hospital", "school"),
)
def facility_access(
    settlements: Settlements,
    facilities: Settlements,
    roads: Lines,
    *,
    kind: Annotated[str, Field("facilities", numeric=False)] | None = None,
    k: Annotated[int, Number(1, 100)] = 1,
    standard_min: Annotated[float, Number(1, 10_000, "min")] = 60.0,
    thresholds_min: str = "30, 60, 120",
    travel: Travel = Travel.TO,
    population: Annotated[str, Field("settlements")] | None = None,
    region: Annotated[str, Field("settlements", numeric=False)] | None = None,
    progress: Progress = silent,
    **on_roads: Unpack[OnRoads],
) -> Outcome:
    """Travel time from every settlement to the nearest facility of every kind, on one road network.

    All kinds are computed in one run. With k above 1 it is the k-th nearest, which tells how long the way is when the
    nearer ones are closed or full. Shares are of the people whose number is known, or of settlements when no column
    of inhabitants is named; settlements that can't reach a kind count as beyond every time.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    facilities : points
        Facilities with a unique id, such as hospitals and schools.
    roads : lines
        Roads that meet at their ends.
    kind : str
        Column of the facilities' kinds; without it all are of one kind.
    k : int
        Which of the nearest counts: 1 the nearest, 2 the second nearest.
    standard_min : float
        Travel time that counts as near enough.
    thresholds_min : str
        Times for the table of shares, increasing, comma-separated.
    travel : Travel
        Travel to the facility (to), or from it (from), as an ambulance does; one-way roads make a difference.
    population : str
        Column of inhabitants; missing means unknown.
    region : str
        Column of the settlements' region, for the table by region.
    """
    import pandas as pd

    from kazgeo.accessibility.nearest import k_nearest, tied_destinations
    from kazgeo.analyses.columns import inhabitants
    from kazgeo.analyses.outcome import Outcome, names_of, no_drops, told
    from kazgeo.analyses.reach import facilities_left_out
    from kazgeo.analyses.roads import access_columns, left_out, minutes, minutes_style, tie_both
    from kazgeo.style import TooltipField
    from kazgeo.ties import in_minutes, upto

    limits = minutes(thresholds_min, "thresholds_min")
    people = inhabitants(settlements, population)
    kinds = _kinds(facilities, kind)
    tied, there = tie_both(settlements, facilities, roads, on_roads, part(progress, 0, 0.4))
    tied_destinations(tied, there)  # refuses facilities of which none is near a road
    layer = settlements.copy()
    times, served, lost = {}, [], []
    for step, (name, ids) in enumerate(kinds.items()):
        progress(0.4 + 0.5 * step / len(kinds), "nearest facilities")
        found = k_nearest(tied, there.take(ids), k, direction=travel)
        rank = found.times[found.times["rank"] == k].set_index("origin")
        times[name] = in_minutes(rank["time_s"].reindex(settlements.index))
        layer[f"time_to_{name}_min"] = times[name]
        layer[f"nearest_{name}_id"] = rank["destination"].reindex(settlements.index)
        served.append(_served(name, ids, found.times, people))
        short = settlements.index[times[name].isna()].difference(found.dropped["unit"], sort=False)
        if there.tied[ids].any() or len(found.times):  # else the facilities are told as off the roads
            lost += [found.dropped, pd.DataFrame({"unit": short, "reason": FEWER_REASON}, dtype=object)]
    table = pd.DataFrame(times)
    layer["kinds_within"] = (table <= upto(standard_min)).sum(axis=1)
    layer["longest_min"] = table.max(axis=1, skipna=False)
    access_columns(layer, tied)
    every_served = pd.concat(served, ignore_index=True)
    busy = every_served[every_served["settlements"] > 0]["facility"]
    left = facilities_left_out(there, there.tied | there.ids.isin(busy))
    dropped = left_out(pd.concat([no_drops(), *lost, left]), tied.network)
    shares = _shares(table, people, limits)
    weight = people if people is not None else pd.Series(1.0, index=layer.index)
    every = (layer["kinds_within"] == len(kinds)) & weight.notna()
    tables = {"shares": shares, "served": every_served}
    if region is not None:
        tables["by_region"] = _by_region(layer, region, table, people, standard_min)
    findings = _findings(layer, table, names_of(settlements), people, standard_min)
    return Outcome(
        (*findings, *told(dropped)),
        layer=layer,
        tables=tables,
        numbers={
            "all_kinds_percent": float(100 * weight[every].sum() / weight.sum()) if weight.sum() > 0 else float("nan"),
            "unreached": int(layer["longest_min"].isna().sum()),
        },
        style=minutes_style(
            "longest_min", "travel time to the farthest kind of facility", mark("a kind of facility is not reached")
        ),
        fields=(
            TooltipField("kinds_within", "kinds within the standard"),
            TooltipField("road_distance_km", "distance to the road", "km", 1),
        ),
        dropped=dropped,
        size_column=population,
    )


def _kinds(facilities: Any, kind: str | None) -> dict[str, pd.Index]:
    """Return the ids of the facilities of every kind, kinds in alphabetical order."""
    from kazgeo.errors import InputError

    if not len(facilities):
        raise InputError("facility_access: the layer of facilities has no feature")
    if kind is None:
        return {"facility": facilities.index}
    unknown = int(facilities[kind].isna().sum())
    if unknown:
        raise InputError(f"facility_access: {unknown} facilities have no kind in column '{kind}'; fill it in")
    names = facilities[kind].astype(str).str.strip()
    if names.nunique() > 100:
        raise InputError(
            f"facility_access: column '{kind}' holds {names.nunique()} kinds; at most 100: is it a column of names?"
        )
    return {str(name): facilities.index[names == name] for name in sorted(names.unique())}


def _served(kind: str, ids: pd.Index, times: pd.DataFrame, people: pd.Series | None) -> pd.DataFrame:
    """Return what every facility serves as the nearest of its kind."""
    import pandas as pd

    from kazgeo.ties import in_minutes

    nearest = times[times["rank"] == 1]
    groups = nearest.groupby("destination")["time_s"]
    table = pd.DataFrame({"facility": ids, "kind": kind}).set_index("facility", drop=False)
    table["settlements"] = groups.size().reindex(ids).fillna(0).astype(int)
    if people is not None:
        of = people.reindex(nearest["origin"]).to_numpy()
        table["people"] = pd.Series(of, index=nearest["destination"]).groupby(level=0).sum().reindex(ids).fillna(0.0)
    table["mean_min"] = groups.mean().reindex(ids) / 60
    table["longest_min"] = in_minutes(groups.max().reindex(ids))
    return table.reset_index(drop=True)


def _shares(times: pd.DataFrame, people: pd.Series | None, limits: list[float]) -> pd.DataFrame:
    """Return settlements and share of people (or settlements) within each time of each kind."""
    import pandas as pd

    from kazgeo.ties import upto

    weight = people.fillna(0.0) if people is not None else pd.Series(1.0, index=times.index)
    whole = float(weight.sum())
    rows = []
    for kind in times.columns:
        for limit in limits:
            near = times[kind] <= upto(limit)
            share = 100 * float(weight[near].sum()) / whole if whole else float("nan")
            row = {"kind": kind, "within_min": limit, "settlements": int(near.sum()), "share_percent": share}
            rows.append(row if people is None else row | {"people": float(weight[near].sum())})
    return pd.DataFrame(rows)


def _by_region(
    layer: pd.DataFrame, region: str, times: pd.DataFrame, people: pd.Series | None, standard: float
) -> pd.DataFrame:
    """Return the share within the standard of every kind by region, and the median of the slowest kind."""
    import pandas as pd

    from kazgeo.ties import upto

    weight = people.fillna(0.0) if people is not None else pd.Series(1.0, index=layer.index)
    of = layer[region]
    whole = weight.groupby(of).sum()
    table = pd.DataFrame({"settlements": layer.groupby(region).size(),
                          "median_min": layer.groupby(region)["longest_min"].median()})  # fmt: skip
    for kind in times.columns:
        near = weight.where(times[kind] <= upto(standard), 0.0).groupby(of).sum()
        table[f"within_{kind}_percent"] = 100 * near / whole.where(whole > 0)
    return table.sort_values("median_min", ascending=False)


def _every_kind(times: pd.DataFrame, people: pd.Series | None, standard: float) -> Message:
    """Return how many reach all kinds within the standard: what the map of the farthest kind shows."""
    from kazgeo.analyses.outcome import minutes_told, share
    from kazgeo.messages import Message
    from kazgeo.ties import upto

    near = (times <= upto(standard)).all(axis=1)
    values: dict[str, Any] = {"standard": minutes_told(standard), "n": int(near.sum()), "total": len(near)}
    if people is None:
        template = "Every kind within {standard}: {n} of {total} settlements, {share}."
        return Message(template, values | {"share": share(float(near.sum()), len(near))})
    template = "Every kind within {standard}: {n} of {total} settlements, {share} of the people whose number is known."
    return Message(template, values | {"share": share(float(people[near].sum()), float(people.sum()))})


def _findings(
    layer: pd.DataFrame, times: pd.DataFrame, names: dict[Any, Names], people: pd.Series | None, standard: float
) -> list[Message]:
    """Return how many reach what within the standard, and where the way is longest."""
    from kazgeo.analyses.outcome import minutes_told, share, top
    from kazgeo.messages import Message, Num, Term
    from kazgeo.ties import upto

    out = [] if len(times.columns) < 2 else [_every_kind(times, people, standard)]
    for kind in times.columns:
        near = times[kind] <= upto(standard)
        part_of = share(float(near.sum()), len(near))
        if people is not None:
            part_of = share(float(people[near].sum()), float(people.sum()))
        template = (
            "{kind}: within {standard} {n} of {total} settlements, {share} of the people whose number is known."
            if people is not None
            else "{kind}: within {standard} {n} of {total} settlements, {share}."
        )
        values: dict[str, Any] = {"kind": Term(kind), "standard": minutes_told(standard)}
        values |= {"n": int(near.sum()), "total": len(near)}
        out.append(Message(template, values | {"share": part_of}))
    listed = tuple(
        Message("{name} {time}", {"name": names[i], "time": Num(t / 60, 1, "h")})
        for i, t in top(layer["longest_min"], names).items()
    )
    if listed:
        out.append(Message("Longest way to the farthest kind: {places}.", {"places": listed}))
    return out
