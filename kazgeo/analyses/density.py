"""Where settlements stand close together: groups by density, counts in cells. Nothing is tested here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Number, Output, Settlements
from kazgeo.analyses.significance import values_of
from kazgeo.choices import CellShape, DensityMethod
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    from kazgeo.analyses.outcome import Outcome


@analysis(
    "Hot spots",
    Output("layer", "vector", "Dense groups of settlements", ("density_cluster", "density", "core"),
           like="settlements"),
    Output("clusters", "table", "Dense groups", ("cluster", "n", "population", "radius_m")),
    Output("groups", "number", "Dense groups"),
    tags=("DBSCAN", "HDBSCAN", "density"),
)  # fmt: skip
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
        Column of inhabitants; settlements without a figure count as empty, unless min_people wants one.
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

    asked = values_of(settlements, chosen, False) if chosen else pd.Series(1.0, settlements.index)
    inside = settlements[asked > 0]
    if min_people and not population:
        raise InputError("density_clusters: min_people wants a column of population")
    if min_people and method == DensityMethod.HDBSCAN:
        raise InputError("density_clusters: HDBSCAN counts settlements; take dbscan for min_people, or min_points")
    dense = method == DensityMethod.DBSCAN
    weight, nobody = None, 0
    if population:
        weight = values_of(inside, population, False)
        nobody = 0 if min_people else int(weight.isna().sum())
        weight = weight if min_people else weight.fillna(0.0)
    done = group(
        inside, method=str(method), weight=weight, eps_m=1000 * distance_km if dense else None,
        min_population=min_people if dense and min_people else None,
        min_points=None if dense and min_people else min_points, progress=progress,
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
        idle = {"n": int((label == "not chosen").sum()), "total": len(label)}
        findings.append(Message("Settlements that take no part: {n} of {total}.", idle))
    if nobody:
        findings.append(Message("Settlements without a figure of inhabitants, counted as empty: {n}.", {"n": nobody}))
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

    values = values_of(settlements, weight, False) if weight else None
    done = aggregate(
        settlements, cell=str(cell), size_m=1000 * cell_km or None, weight=values, progress=part(progress, 0.0, 0.9)
    )
    layer = done.layer.rename(columns={"value": "sum"}).to_crs(4326)
    figures = {"n": len(layer), "km": Num(done.size_m / 1000, 1, "km"), "points": int(layer["n"].sum())}
    limits = breaks(layer["sum"], "natural", 5)
    heading = "sum per cell" if weight else "points per cell"
    style = graduated("sum", heading, limits, _five(len(limits) - 1))
    findings = [Message("Points: {points}, in {n} cells of {km}.", figures)]
    if weight:
        sums = {"name": Term(weight), "sum": Num(layer["sum"].sum(), 0), "most": Num(layer["sum"].max(), 0)}
        findings.append(Message("Sum of '{name}': {sum}; in the fullest cell {most}.", sums))
    progress(1.0, "done")
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
