"""Where cases or settlements crowd: the scan statistic, groups by density, counts in cells."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Number, Output, Settlements, Units
from kazgeo.analyses.tested import more_than, percent, renamed, values_of
from kazgeo.choices import CellShape, DensityMethod, Direction, Shape
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message


class Model(StrEnum):
    """What chance deals in a scan."""

    POISSON = "poisson"
    BERNOULLI = "bernoulli"
    NORMAL = "normal"


@analysis(
    "Hot spots",
    Output("layer", "vector", "Scan clusters", ("scan", "cluster_rank", "cluster_p"), like="units"),
    Output("clusters", "table", "Scan clusters", ("rank", "centre", "n_units", "radius_m", "llr", "p")),
    Output("significant", "number", "Significant clusters"),
    tags=("Kulldorff", "SaTScan", "disease", "scan statistic"),
)
def scan_statistic(
    units: Units,
    cases: Annotated[str, Field("units")],
    *,
    population: Annotated[str, Field("units")] = "",
    model: Model = Model.POISSON,
    window: Shape = Shape.CIRCULAR,
    direction: Direction = Direction.HIGH,
    largest: Annotated[float, Number(0.01, 0.5)] = 0.5,
    permutations: Annotated[int, Number(99, 99_999)] = 999,
    alpha: Annotated[float, Number(0.0001, 0.5)] = 0.05,
    seed: int = 0,
    progress: Progress = silent,
) -> Outcome:
    """Scan statistic of Kulldorff: the circles or ellipses in which cases are most above what chance would give.

    One test over all windows, so that p needs no further correction. Poisson: cases in a population; Bernoulli: cases
    and controls; normal: any value.

    Parameters
    ----------
    units : polygons or points
        Regions or settlements with a unique id; polygons stand at a point inside.
    cases : str
        Column of cases, or of the values under the normal model.
    population : str
        Column of the population at risk, or of the controls under the Bernoulli model.
    model : Model
        Poisson, Bernoulli or normal.
    window : Shape
        Circles or ellipses; ellipses take much longer.
    direction : Direction
        Clusters of high values, of low ones, or both.
    largest : float
        Share of the population (or of the units) that a window may hold.
    permutations : int
        Random draws.
    alpha : float
        Level of significance.
    seed : int
        Gives the same numbers again.
    """
    import pandas as pd

    from kazgeo import hotspots
    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.errors import InputError
    from kazgeo.style import TooltipField, categorical

    values = values_of(units, cases, False)
    rules: dict[str, Any] = {
        "shape": str(window), "direction": str(direction), "permutations": permutations, "alpha": alpha, "rng": seed,
        "progress": progress,
    }  # fmt: skip
    if model == Model.NORMAL and population:
        raise InputError("scan_statistic: the normal model takes no population; leave it empty or take another model")
    if model != Model.NORMAL and not population:
        raise InputError("scan_statistic: the Poisson and Bernoulli models want a column of population or controls")
    with renamed(max_population="largest", max_units="largest"):
        if model == Model.NORMAL:
            done = hotspots.scan_normal(values, units, max_units=largest, **rules)
        else:
            scan = hotspots.scan_poisson if model == Model.POISSON else hotspots.scan_bernoulli
            done = scan(values, values_of(units, population, False), units, max_population=largest, **rules)
    layer = units.assign(scan=done.label, cluster_rank=done.cluster.astype("Float64"), cluster_p=done.to_frame()["p"])
    extra: tuple[TooltipField, ...] = (TooltipField("cluster_p", "p of the cluster", "", 4),)
    if "relative_risk" in done.clusters:
        layer["relative_risk"] = done.cluster.map(done.clusters["relative_risk"]).astype("Float64")
        extra += (TooltipField("relative_risk", "relative risk in the cluster", "", 2),)
    style = categorical(
        "scan",
        "clusters of the scan statistic",
        [
            ("cluster-high", "in a cluster of high values", "#b2182b", "///"),
            ("cluster-low", "in a cluster of low values", "#2166ac", "..."),
            ("not significant", "not significant", "#f0f0f0"),
            ("undefined", "no value", "#bdbdbd"),
        ],
    ).without_empty(done.label, "cluster-low", "undefined")
    return Outcome(
        (*_scanned(done, units, pd.notna), *told(done.dropped)),
        layer=layer,
        tables={"clusters": done.clusters.reset_index().astype({"centre": str})},
        numbers={"significant": done.n_significant},
        style=style,
        fields=(
            TooltipField(cases, "value", "", 2),
            TooltipField("cluster_rank", "rank of the cluster", "", 0),
            *extra,
        ),
        dropped=done.dropped,
        seed=seed,
    )


def _scanned(done: Any, units: pd.DataFrame, known: Any) -> list[Message]:
    """Say what the most likely cluster is, and how many are significant."""
    from kazgeo.analyses.outcome import names_of
    from kazgeo.messages import Message, Num

    table = done.clusters
    if not len(table) or not known(table["p"].iloc[0]):
        return [Message("There is nothing to scan: all values are the same.")]
    first, names = table.iloc[0], names_of(units)
    inside = more_than(done.members[table.index[0]], names)
    figures: dict[str, Any] = {"n": int(first["n_units"]), "units": inside, "p": Num(first["p"], 4)}
    figures["km"] = Num(first["radius_m"] / 1000, 0, "km")
    several = "Most likely cluster ({units}): {n} units within {km}, p {p}."
    out = [Message(several if first["n_units"] > 1 else "Most likely cluster: one unit, {units} (p {p}).", figures)]
    if "relative_risk" in table:
        risk = {
            "seen": Num(first["observed"], 0),
            "mean": Num(first["expected"], 1),
            "rr": Num(first["relative_risk"], 2),
        }
        out.append(Message("Cases in it: {seen}, by chance {mean}; relative risk {rr}.", risk))
    else:
        risk = {"inside": Num(first["mean_inside"], 2), "outside": Num(first["mean_outside"], 2)}
        out.append(Message("Mean inside {inside}, outside {outside}.", risk))
    share = {"n": done.n_significant, "total": len(table), "alpha": percent(done.alpha)}
    sure = Message("Significant at {alpha}: {n} of {total} clusters that don't overlap.", share)
    out = [*out, sure] if done.n_significant else [sure, *out]  # the first sentence stands under the map
    if done.cannot_pass:
        few = {"m": done.permutations, "p": Num(done.smallest_p, 6), "alpha": percent(done.alpha)}
        out.append(Message("With {m} draws the smallest p is {p}, above the level of {alpha}; take more draws.", few))
    return out


@analysis(
    "Hot spots",
    Output("layer", "vector", "Dense groups of settlements", ("density_cluster", "core"), like="settlements"),
    Output("clusters", "table", "Dense groups", ("cluster", "n", "population", "radius_m")),
    Output("groups", "number", "Dense groups"),
    tags=("DBSCAN", "HDBSCAN", "density"),
)
def density_clusters(
    settlements: Settlements,
    *,
    chosen: Annotated[str, Field("settlements")] = "",
    population: Annotated[str, Field("settlements")] = "",
    method: DensityMethod = DensityMethod.DBSCAN,
    distance_km: Annotated[float, Number(0.1, 2000, "km")] = 25.0,
    min_points: Annotated[int, Number(2, 10_000)] = 5,
    min_people: Annotated[float, Number(0, 1e9)] = 0.0,
    progress: Progress = silent,
) -> Outcome:
    """Dense groups of settlements, such as depressed ones, by number or by inhabitants (DBSCAN, HDBSCAN).

    Nothing is tested: a group says where settlements stand close, not that they do so more than by chance.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    chosen : str
        Column above 0 for settlements that take part (depressed ones, say); all do when empty.
    population : str
        Column of inhabitants.
    method : DensityMethod
        DBSCAN: within a distance; HDBSCAN: at any density.
    distance_km : float
        Distance within which settlements are neighbours, for DBSCAN.
    min_points : int
        Least number of settlements that make a group.
    min_people : float
        Least inhabitants within the distance instead of a number of settlements, for DBSCAN; 0: by number.
    """
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.errors import InputError
    from kazgeo.hotspots import density_clusters as group
    from kazgeo.messages import Message, Num
    from kazgeo.style import TooltipField, categorical

    progress(0.1, "groups")
    asked = values_of(settlements, chosen, False) if chosen else pd.Series(1.0, settlements.index)
    inside = settlements[asked > 0]
    if min_people and not population:
        raise InputError("density_clusters: min_people wants a column of population")
    if min_people and method == DensityMethod.HDBSCAN:
        raise InputError("density_clusters: HDBSCAN counts settlements; take dbscan for min_people, or min_points")
    weight = values_of(inside, population, False) if population else None
    dense = method == DensityMethod.DBSCAN
    done = group(
        inside, method=str(method), weight=weight, eps_m=1000 * distance_km if dense else None,
        min_population=min_people if dense and min_people else None,
        min_points=None if dense and min_people else min_points,
    )  # fmt: skip
    label = done.label.reindex(settlements.index).fillna("not chosen").mask(asked.isna(), "undefined")
    kind = label.where(~label.str.startswith("cluster-"), "group")
    layer = settlements.assign(density_cluster=label, density=kind, core=done.core.reindex(settlements.index))
    layer["core"] = layer["core"].map({True: "core", False: "border"}).where(kind == "group", None)
    unknown = pd.DataFrame({"unit": settlements.index[asked.isna()], "reason": "missing value"})
    dropped = pd.concat([done.dropped, unknown.astype(object)], ignore_index=True) if len(unknown) else done.dropped
    table = done.clusters.rename_axis("cluster").reset_index()
    if not population:
        table["population"] = float("nan")  # the method counts points then
    figures = {"n": len(table), "inside": int((kind == "group").sum()), "noise": done.n_noise}
    findings = [Message("Dense groups: {n}; settlements in them: {inside}, outside: {noise}.", figures)]
    if len(table):
        largest = table.iloc[0]
        size = {"n": int(largest["n"]), "km": Num(largest["radius_m"] / 1000, 0, "km"),
                "people": Num(largest["population"], 0)}  # fmt: skip
        words = "Largest: {n} settlements within {km}, {people} inhabitants." if population else (
            "Largest: {n} settlements within {km}."
        )  # fmt: skip
        findings.append(Message(words, size))
    if chosen:
        part = {"n": int((label == "not chosen").sum()), "total": len(label)}
        findings.append(Message("Settlements that take no part: {n} of {total}.", part))
    style = categorical(
        "density",
        "dense groups of settlements",
        [
            ("group", "in a dense group", "#b2182b"),
            ("noise", "outside", "#878787"),
            ("not chosen", "not chosen", "#e0e0e0"),
            ("undefined", "no value", "#bdbdbd"),
        ],
    ).without_empty(kind, "not chosen", "undefined")
    return Outcome(
        (*findings, *told(dropped)),
        layer=layer,
        tables={"clusters": table},
        numbers={"groups": len(table)},
        style=style,
        fields=(TooltipField("density_cluster", "group", "", 0),),
        dropped=dropped,
    )


@analysis(
    "Hot spots",
    Output("layer", "vector", "Points counted in cells", ("n", "sum"), geometry="polygon"),
    Output("cells", "number", "Cells"),
    tags=("hexagons", "fishnet", "grid", "binning"),
)
def aggregate_points(
    settlements: Settlements,
    *,
    weight: Annotated[str, Field("settlements")] = "",
    cell: CellShape = CellShape.HEXAGON,
    cell_km: Annotated[float, Number(0, 1000, "km")] = 0.0,
    progress: Progress = silent,
) -> Outcome:
    """Points counted in equal hexagons or squares, as a layer for hot spots.

    Only cells that hold a point are made: nothing is known of empty places. Other cells give other results.

    Parameters
    ----------
    settlements : points
        Points to count.
    weight : str
        Column to add up; points are counted when empty.
    cell : CellShape
        Hexagons or squares.
    cell_km : float
        Side of a cell; 0: from the mean distance of the nearest points.
    """
    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.hotspots import aggregate
    from kazgeo.messages import Message, Num, Term
    from kazgeo.style import TooltipField, breaks, graduated

    progress(0.1, "cells")
    values = values_of(settlements, weight, False) if weight else None
    done = aggregate(settlements, cell=str(cell), size_m=1000 * cell_km or None, weight=values)
    layer = done.layer.rename(columns={"value": "sum"}).to_crs(4326)
    figures = {"n": len(layer), "km": Num(done.size_m / 1000, 1, "km"), "points": int(layer["n"].sum())}
    limits = breaks(layer["sum"], "natural", 5)
    heading = "sum per cell" if weight else "points per cell"
    style = graduated("sum", heading, limits, _five(len(limits) - 1))
    findings = [Message("Points: {points}, in {n} cells of {km}.", figures)]
    if weight:
        sums = {"name": Term(weight), "sum": Num(layer["sum"].sum(), 0), "most": Num(layer["sum"].max(), 0)}
        findings.append(Message("Sum of '{name}': {sum}; in the fullest cell {most}.", sums))
    return Outcome(
        (*findings, *told(done.dropped)),
        layer=layer,
        numbers={"cells": len(layer)},
        style=style,
        fields=(TooltipField("n", "points", "", 0),),
        dropped=done.dropped,
    )


def _five(classes: int) -> tuple[str, ...]:
    from kazgeo.style import YELLOW_RED

    return YELLOW_RED[:classes]
