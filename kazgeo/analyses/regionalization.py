"""Regions made of neighbouring units that are alike: where depressed areas begin and end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Number, Output, Regions
from kazgeo.analyses.options import Zoning, near
from kazgeo.analyses.significance import more_than, renamed, structure, table_of, values_of
from kazgeo.choices import Counted, Method
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message


#: What the faces call the methods' parameters.
_NAMES = {"n_regions": "zones", "min_size": "min_units"}


@analysis(
    "Regionalization",
    Output("layer", "vector", "Regions of like neighbours", ("zone",), like="regions"),
    Output("profile", "table", "Means by region", ("zone", "size")),
    Output("zones", "number", "Number of regions"),
    Output("between", "number", "Share of differences that lies between regions"),
    Output("pseudo_f", "number", "Pseudo-F (Calinski-Harabasz)"),
    tags=("SKATER", "AZP", "max-p", "zoning", "regionalisation"),
)
def regionalize(
    regions: Regions,
    indicators: Annotated[tuple[str, ...], Field("regions", many=True)],
    *,
    method: Method = Method.SKATER,
    zones: Annotated[int, Number(2, 500)] = 5,
    progress: Progress = silent,
    **options: Unpack[Zoning],
) -> Outcome:
    """Regions of neighbouring units that are alike in several indicators: SKATER, AZP, max-p, Ward or k-medoids.

    Every method gives regions on any map: look at the share of differences between them, and compare methods. Max-p
    makes as many regions as the floor allows; the others make the given number.

    Parameters
    ----------
    regions : polygons
        Units to be joined, with a unique id.
    indicators : list of str
        Columns that make units alike; each is standardised and counts alike.
    method : Method
        How regions are made.
    zones : int
        Number of regions; max-p finds its own.
    """
    import numpy as np

    from kazgeo import regionalization
    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.errors import InputError
    from kazgeo.style import TooltipField

    values, weights = _table(regions, indicators, options["logarithm"]), near(regions, options)
    limits = _limits(regions, options)
    if method == Method.MAX_P and not options["floor"] and options["min_units"] < 2:
        raise InputError("regionalize: max-p wants a floor: a column with a least sum, or min_units of at least 2")
    make = getattr(regionalization, str(method))
    drawn = {} if method in (Method.SKATER, Method.WARD) else {"rng": options["seed"], "progress": progress}
    number = {} if method == Method.MAX_P else {"n_regions": zones}
    with renamed(**_NAMES):
        done = make(values, weights, **number, **drawn, **limits)
    layer = regions.assign(zone=done.label)
    profile = done.profile.rename_axis("zone").reset_index()
    if options["logarithm"]:
        profile[list(indicators)] = np.exp(profile[list(indicators)])
    return Outcome(
        (*_findings(done, profile, indicators), *_members(done, regions), *structure(weights), *told(done.dropped)),
        layer=layer,
        tables={"profile": profile},
        numbers={"zones": done.n_regions, "between": done.ratio, "pseudo_f": done.pseudo_f},
        style=_style(done).without_empty(done.label, "undefined"),
        fields=(TooltipField("zone", "region", "", 0), *(TooltipField(n, "value", "", 2) for n in indicators[:1])),
        dropped=done.dropped,
        seed=done.seed,
    )


@analysis(
    "Regionalization",
    Output(
        "numbers", "table", "Quality by number of regions", ("zones", "within_ss", "ratio", "pseudo_f", "silhouette")
    ),
    Output("zones", "number", "Suggested number of regions"),
    tags=("pseudo-F", "silhouette", "number of regions"),
)
def suggest_regions(
    regions: Regions,
    indicators: Annotated[tuple[str, ...], Field("regions", many=True)],
    *,
    method: Counted = Counted.SKATER,
    fewest: Annotated[int, Number(2, 200)] = 2,
    most: Annotated[int, Number(2, 200)] = 10,
    progress: Progress = silent,
    **options: Unpack[Zoning],
) -> Outcome:
    """Suggest a number of regions: how well two, three, ... of them tell like from unlike units.

    Pseudo-F and silhouette have a best value on any map, of chance too: the number is a suggestion.

    Parameters
    ----------
    regions : polygons
        Units to be joined, with a unique id.
    indicators : list of str
        Columns that make units alike; each is standardised and counts alike.
    method : Counted
        How regions are made.
    fewest : int
        Least number of regions tried.
    most : int
        Greatest number of regions tried.
    """
    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.errors import InputError
    from kazgeo.messages import Message, Num, Term, mark
    from kazgeo.regionalization import suggest_regions as suggest
    from kazgeo.style import Chart

    if fewest > most:
        raise InputError(f"suggest_regions: fewest must not exceed most; got {fewest} and {most}")
    values, weights = _table(regions, indicators, options["logarithm"]), near(regions, options)
    limits = _limits(regions, options)
    with renamed(**_NAMES):
        done = suggest(
            values,
            weights,
            method=str(method),
            k_range=(fewest, most),
            rng=options["seed"],
            progress=progress,
            **limits,
        )
    reasons = {
        "highest pseudo-F": mark("highest pseudo-F"),
        "highest pseudo-F, at the edge": mark("highest pseudo-F, at the edge of what was tried"),
        "no pseudo-F": mark("no number is better than another"),
    }
    best = {"n": done.n_regions, "why": Term(reasons[done.reason]), "share": Num(100 * done.result.ratio, 0, "%")}
    table = done.table.rename_axis("zones")
    chart = Chart(
        "lines", table[["pseudo_f"]], "Pseudo-F by number of regions", "pseudo-F", (("pseudo_f", "pseudo-F"),),
        ("pseudo_f",), across="number of regions",
    )  # fmt: skip
    return Outcome(
        (
            Message("Suggested number of regions: {n} ({why}); {share} of the differences lie between them.", best),
            *structure(weights), *told(done.result.dropped),
        ),
        tables={"numbers": table.reset_index()},
        numbers={"zones": done.n_regions},
        charts=(chart,) if table["pseudo_f"].notna().any() else (),
        dropped=done.result.dropped,
        seed=done.result.seed,
    )  # fmt: skip


def _table(regions: pd.DataFrame, indicators: tuple[str, ...], logarithm: bool) -> pd.DataFrame:
    from kazgeo.errors import InputError, listing

    if taken := [name for name in indicators if name in ("size", "score", "zone")]:
        raise InputError(f"the table of regions has a column {listing(taken)} of its own; rename that indicator")
    return table_of(regions, indicators, logarithm)


def _limits(regions: pd.DataFrame, options: Zoning) -> dict[str, Any]:
    """Return the limits on regions that are asked for."""
    from kazgeo.errors import InputError

    min_units, floor, floor_min = options["min_units"], options["floor"], options["floor_min"]
    if bool(floor) != (floor_min > 0):
        raise InputError("floor and floor_min belong together: a column, and its least sum (above 0) in every region")
    out: dict[str, Any] = {"min_size": min_units} if min_units > 1 else {}
    return out | ({"floor": values_of(regions, floor, False), "floor_min": floor_min} if floor else {})


def _members(done: Any, regions: pd.DataFrame) -> list[Message]:
    """Name the units of every region, of the first ten at most."""
    from kazgeo.analyses.outcome import names_of
    from kazgeo.messages import Message

    names = names_of(regions)
    return [
        Message(
            "Region {zone} ({units}): {n} units.",
            {"zone": str(k), "units": more_than(list(units), names), "n": len(units)},
        )
        for k, units in ((k, done.region.index[done.region == k]) for k in range(1, min(done.n_regions, 10) + 1))
    ]


def _findings(done: Any, profile: pd.DataFrame, indicators: tuple[str, ...]) -> list[Message]:
    """Say how many regions there are, how different, and which is lowest in the first indicator."""
    from kazgeo.messages import Message, Num, Term

    shares = {"n": done.n_regions, "share": Num(100 * done.ratio, 0, "%")}
    out = [Message("Regions: {n}; {share} of the differences between units lie between them.", shares)]
    means = profile.set_index("zone")[indicators[0]]
    ends = {
        "name": Term(indicators[0]), "low": str(means.idxmin()), "a": Num(float(means.min()), 2),
        "high": str(means.idxmax()), "b": Num(float(means.max()), 2),
        "few": int(done.profile.loc[means.idxmin(), "size"]),
    }  # fmt: skip
    if done.n_regions > 1:
        out.append(
            Message(
                "Mean of '{name}': lowest in region {low} ({a}, units: {few}), highest in region {high} ({b}).", ends
            )
        )
    return out


#: Fills that stay apart for the colour-blind (after Okabe and Ito, and lighter ones), and hatches for the rest.
_FILLS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#bbbbbb")
_HATCHES = ("", "//", "..", "xx", "||", "--")


def _style(done: Any) -> Any:
    from kazgeo.style import categorical

    classes = [
        (str(i + 1), str(i + 1), _FILLS[i % len(_FILLS)], _HATCHES[i // len(_FILLS) % len(_HATCHES)])
        for i in range(done.n_regions)
    ]
    return categorical("zone", "regions of like neighbours", [*classes, ("undefined", "no value", "#ffffff", "")])
