"""Hot spots beyond one distance and one year: at the best distance, over the years, by scanning, by density."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Number, Output, Panel, Regions, Settlements, Units
from kazgeo.analyses.options import Near, near
from kazgeo.analyses.tested import significance, spot_style, structure, values_of
from kazgeo.choices import CellShape, Correction, DensityMethod, Direction, Shape
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
    Output("layer", "vector", "Hot and cold spots at the best distance", ("gi_z", "hot_spot", "p", "p_adjusted"),
           like="units"),
    Output("correlogram", "table", "Moran's I by distance"),
    Output("distance_km", "number", "Distance of neighbours, km"),
    Output("hot", "number", "Hot spots, significant after correction"),
    Output("cold", "number", "Cold spots, significant after correction"),
    tags=("optimized hot spot analysis", "Gi*", "incremental Moran"),
)  # fmt: skip
def optimized_hot_spots(
    units: Units,
    indicator: Annotated[str, Field("units")],
    *,
    logarithm: bool = False,
    bands: Annotated[int, Number(3, 100)] = 30,
    correction: Correction = Correction.FDR,
    alpha: Annotated[float, Number(0.0001, 0.5)] = 0.05,
    permutations: Annotated[int, Number(99, 999_999)] = 9_999,
    seed: int = 0,
    progress: Progress = silent,
) -> Outcome:
    """Optimised hot spots: Gi* with the distance at which clustering is most pronounced.

    The distance is the first significant peak of Moran's I over rising distances; units far from all others don't count
    in that choice. It is chosen by the values that are then tested, so that p is somewhat too small.

    Parameters
    ----------
    units : polygons or points
        Regions or settlements with a unique id; incidents are counted in cells first.
    indicator : str
        Column of the values.
    logarithm : bool
        Take the natural logarithm first, for skewed money values.
    bands : int
        Number of distances tried.
    correction : Correction
        For many tests: fdr is Benjamini-Hochberg.
    alpha : float
        Level of significance after the correction.
    permutations : int
        Random draws.
    seed : int
        Gives the same numbers again.
    """
    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.hotspots import optimized_hot_spots as test
    from kazgeo.messages import Message, Num, Term, mark
    from kazgeo.style import Chart, TooltipField

    done = test(
        values_of(units, indicator, logarithm), units, n_bands=bands, correction=str(correction), alpha=alpha,
        permutations=permutations, rng=seed, progress=progress,
    )  # fmt: skip
    spots = done.spots
    layer = units.assign(
        gi_z=spots.value, hot_spot=spots.label, p=spots.p, p_adjusted=spots.p_adjusted, neighbours=spots.neighbours
    )
    sure = spots.p_adjusted <= alpha
    found = {
        mark("hot spots"): layer.index[sure & (spots.value > 0)],
        mark("cold spots"): layer.index[sure & (spots.value < 0)],
    }
    reasons = {
        "first-peak": mark("first peak of clustering by distance"),
        "max-peak": mark("highest peak of clustering by distance"),
        "mean-neighbours": mark("no peak: mean distance to the nearest units"),
        "standard-distance": mark("no peak: standard distance"),
    }
    why = {"km": Num(done.distance_m / 1000, 0, "km"), "why": Term(reasons[done.reason]), "n": len(done.outliers)}
    first = Message("Neighbours are units within {km} ({why}); units set aside in that choice: {n}.", why)
    curve = done.correlogram.table
    shown = curve.set_index(curve["to_m"] / 1000)[["z"]]
    chart = Chart("lines", shown, "Clustering by distance", "z of Moran's I", (("z", "z of Moran's I"),), ("z",),
                  across="distance, km")  # fmt: skip
    return Outcome(
        (*significance(spots, found, units, done.weights), first, *told(done.dropped)),
        layer=layer,
        tables={"correlogram": curve},
        numbers={"distance_km": done.distance_m / 1000, **{k.split()[0]: len(v) for k, v in found.items()}},
        style=spot_style().without_empty(spots.label, "isolate", "undefined"),
        fields=(TooltipField(indicator, "value", "", 2), TooltipField("p_adjusted", "p after correction", "", 4)),
        charts=(chart,),
        dropped=done.dropped,
        seed=spots.seed,
    )


#: Code, label, colour and hatch of every category; the patterns of hot and cold spots share their hatches.
_CATEGORIES = (
    ("new-hot", "new hot spot", "#fee0d2", ""),
    ("consecutive-hot", "consecutive hot spot", "#fcbba1", "//"),
    ("intensifying-hot", "intensifying hot spot", "#67000d", ""),
    ("persistent-hot", "persistent hot spot", "#cb181d", ""),
    ("diminishing-hot", "diminishing hot spot", "#fb6a4a", ".."),
    ("sporadic-hot", "sporadic hot spot", "#fc9272", "xx"),
    ("oscillating-hot", "oscillating hot spot", "#ef3b2c", "++"),
    ("historical-hot", "historical hot spot", "#a50f15", "||"),
    ("new-cold", "new cold spot", "#deebf7", ""),
    ("consecutive-cold", "consecutive cold spot", "#c6dbef", "//"),
    ("intensifying-cold", "intensifying cold spot", "#08306b", ""),
    ("persistent-cold", "persistent cold spot", "#2171b5", ""),
    ("diminishing-cold", "diminishing cold spot", "#6baed6", ".."),
    ("sporadic-cold", "sporadic cold spot", "#9ecae1", "xx"),
    ("oscillating-cold", "oscillating cold spot", "#4292c6", "++"),
    ("historical-cold", "historical cold spot", "#08519c", "||"),
    ("no-pattern", "no pattern", "#f0f0f0", ""),
    ("undefined", "no value", "#bdbdbd", ""),
)


@analysis(
    "Hot spots",
    Output("layer", "vector", "Emerging hot spots", ("category", "trend_z", "trend_p", "hot_years", "cold_years"),
           like="regions"),
    Output("counts", "table", "Regions by category", ("category", "regions")),
    Output("bins", "table", "Gi* by region and year"),
    Output("hot", "number", "Regions with a hot pattern"),
    Output("cold", "number", "Regions with a cold pattern"),
    tags=("space-time cube", "Mann-Kendall", "trend", "emerging hot spot analysis"),
)  # fmt: skip
def emerging_hot_spots(
    regions: Regions,
    panel: Panel,
    indicator: Annotated[str, Field("panel")],
    *,
    first_year: Annotated[int, Number(1900, 2100)],
    last_year: Annotated[int, Number(1900, 2100)],
    logarithm: bool = False,
    relative: bool = True,
    back: Annotated[int, Number(0, 20)] = 1,
    correction: Correction = Correction.FDR,
    alpha: Annotated[float, Number(0.0001, 0.5)] = 0.10,
    permutations: Annotated[int, Number(99, 999_999)] = 9_999,
    seed: int = 0,
    progress: Progress = silent,
    **options: Unpack[Near],
) -> Outcome:
    """Emerging hot spots: hot and cold spots of every year, and the pattern they make over the years.

    Gi* over space and time, then the Mann-Kendall trend of each region's Gi*: new, consecutive, intensifying,
    persistent, diminishing, sporadic, oscillating and historical spots, hot and cold. The last year is now. Values that
    persist from year to year make more trends than the level says.

    Parameters
    ----------
    regions : polygons
        Regions, indexed by the codes of the panel.
    panel : table
        Indicators by region and year, in one set of boundaries.
    indicator : str
        Indicator to look at.
    first_year : int
        First year of the series.
    last_year : int
        Last year of the series.
    logarithm : bool
        Take the natural logarithm first, for skewed money values.
    relative : bool
        Take each year's values relative to the mean of the regions in that year, so that growth or inflation that all
        share makes no hot spot.
    back : int
        How many years before count as neighbours in time.
    correction : Correction
        For many tests: fdr is Benjamini-Hochberg, over all regions and years.
    alpha : float
        Level of hot and cold years and of the trend.
    permutations : int
        Random draws.
    seed : int
        Gives the same numbers again.
    """
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.errors import InputError
    from kazgeo.hotspots import emerging_hot_spots as test
    from kazgeo.messages import Message
    from kazgeo.style import TooltipField, categorical

    at = panel.index
    years = at.get_level_values("year")
    inside = at.get_level_values("region").isin(regions.index)
    some = panel[inside & (years >= first_year) & (years <= last_year)]
    if not len(some):
        raise InputError(f"emerging_hot_spots: no figures of '{indicator}' for these regions and years")
    values = values_of(some, indicator, logarithm)
    if relative:
        mean = values.groupby(level="year").transform("mean")
        values = values - mean if logarithm else values / mean.where(mean != 0)
    weights = near(regions, options)
    done = test(
        values, weights, back=back, correction=str(correction), alpha=alpha, permutations=permutations, rng=seed,
        progress=progress,
    )  # fmt: skip
    table = done.to_frame().reindex(regions.index)
    layer = regions.assign(
        category=table["category"].fillna("undefined"), trend_z=table["trend_z"], trend_p=table["trend_p"],
        hot_years=table["n_hot_years"], cold_years=table["n_cold_years"], years=table["n_years"],
    )  # fmt: skip
    labels = {code: words for code, words, *_ in _CATEGORIES}
    counts = layer["category"].value_counts().reindex(list(labels), fill_value=0)
    findings = _patterns(layer, counts, labels, names_of(regions))
    if done.few_years:
        findings.append(
            Message("With fewer than ten years the patterns rest on little (years: {n}).", {"n": len(done.years)})
        )
    dropped = done.dropped[["unit", "reason"]].drop_duplicates()
    return Outcome(
        (*findings, *structure(weights), *told(dropped)),
        layer=layer,
        tables={"counts": counts.rename_axis("category").rename("regions").reset_index(), "bins": done.bins},
        numbers={heat: int(counts[[c for c in labels if c.endswith(f"-{heat}")]].sum()) for heat in ("hot", "cold")},
        style=categorical("category", "patterns of hot and cold spots", _CATEGORIES).without_empty(
            layer["category"], *(code for code in labels if code != "no-pattern")
        ),
        fields=(
            TooltipField("trend_z", "trend of Gi* (z)", "", 2),
            TooltipField("hot_years", "hot years", "", 0),
            TooltipField("cold_years", "cold years", "", 0),
        ),
        dropped=dropped,
        seed=seed,
    )


def _patterns(layer: pd.DataFrame, counts: pd.Series, labels: dict[str, str], names: dict[Any, Any]) -> list[Message]:
    """Say which patterns there are, and where."""
    from kazgeo.messages import Message, Term

    said = []
    for code, words in labels.items():
        if code in ("no-pattern", "undefined") or not counts[code]:
            continue
        units = tuple(names[unit] for unit in layer.index[layer["category"] == code][:8])
        said.append(Message("{kind}: {n} ({units})", {"kind": Term(words), "n": int(counts[code]), "units": units}))
    known = {"n": len(layer), "none": int(counts["no-pattern"])}
    if not said:
        return [Message("No pattern of hot or cold spots over the years in any of {n} regions.", known)]
    first = Message("Patterns of hot and cold spots over the years: {kinds}.", {"kinds": tuple(said)})
    return [first, Message("Without a pattern: {none} of {n} regions.", known)]


@analysis(
    "Hot spots",
    Output("layer", "vector", "Scan clusters", ("scan", "cluster_rank"), like="units"),
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
    if model == Model.NORMAL:
        done = hotspots.scan_normal(values, units, max_units=largest, **rules)
    elif not population:
        raise InputError("scan_statistic: the Poisson and Bernoulli models want a column of population or controls")
    else:
        scan = hotspots.scan_poisson if model == Model.POISSON else hotspots.scan_bernoulli
        done = scan(values, values_of(units, population, False), units, max_population=largest, **rules)
    layer = units.assign(scan=done.label, cluster_rank=done.cluster.astype("Float64"))
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
        fields=(TooltipField(cases, "value", "", 2), TooltipField("cluster_rank", "rank of the cluster", "", 0)),
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
    inside = tuple(names[unit] for unit in done.members[table.index[0]][:8])
    figures: dict[str, Any] = {"n": int(first["n_units"]), "units": inside, "p": Num(first["p"], 4)}
    figures["km"] = Num(first["radius_m"] / 1000, 0, "km")
    out = [Message("Most likely cluster: {n} units within {km} (p {p}): {units}.", figures)]
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
    share = {"n": done.n_significant, "total": len(table), "alpha": Num(100 * done.alpha, 0, "%")}
    out.append(Message("Significant at {alpha}: {n} of {total} clusters that don't overlap.", share))
    if done.cannot_pass:
        few = {"m": done.permutations, "p": Num(done.smallest_p, 6)}
        out.append(
            Message("With {m} draws the smallest p is {p}, which can't pass the correction; take more draws.", few)
        )
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
        Least inhabitants within the distance instead of a number of settlements; 0: by number.
    """
    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.errors import InputError
    from kazgeo.hotspots import density_clusters as group
    from kazgeo.messages import Message, Num
    from kazgeo.style import TooltipField, categorical

    progress(0.1, "groups")
    inside = settlements if not chosen else settlements[values_of(settlements, chosen, False) > 0]
    if min_people and not population:
        raise InputError("density_clusters: min_people wants a column of population")
    weight = values_of(inside, population, False) if population else None
    dense = method == DensityMethod.DBSCAN
    done = group(
        inside, method=str(method), weight=weight, eps_m=1000 * distance_km if dense else None,
        min_population=min_people if dense and min_people else None,
        min_points=None if dense and min_people else min_points,
    )  # fmt: skip
    label = done.label.reindex(settlements.index).fillna("not chosen")
    kind = label.where(~label.str.startswith("cluster-"), "group")
    layer = settlements.assign(density_cluster=label, density=kind, core=done.core.reindex(settlements.index))
    layer["core"] = layer["core"].map({True: "core", False: "border"})
    table = done.clusters.rename_axis("cluster").reset_index()
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
        (*findings, *told(done.dropped)),
        layer=layer,
        tables={"clusters": table},
        numbers={"groups": len(table)},
        style=style,
        fields=(TooltipField("density_cluster", "group", "", 0),),
        dropped=done.dropped,
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
    from kazgeo.messages import Message, Num
    from kazgeo.style import TooltipField, breaks, graduated

    progress(0.1, "cells")
    values = values_of(settlements, weight, False) if weight else None
    done = aggregate(settlements, cell=str(cell), size_m=1000 * cell_km or None, weight=values)
    layer = done.layer.rename(columns={"value": "sum"}).to_crs(4326)
    figures = {"n": len(layer), "km": Num(done.size_m / 1000, 1, "km"), "points": int(layer["n"].sum())}
    limits = breaks(layer["sum"], "natural", 5)
    style = graduated("sum", "points per cell", limits, _five(len(limits) - 1))
    return Outcome(
        (Message("Points: {points}, in {n} cells of {km}.", figures), *told(done.dropped)),
        layer=layer,
        numbers={"cells": len(layer)},
        style=style,
        fields=(TooltipField("n", "points", "", 0),),
        dropped=done.dropped,
    )


def _five(classes: int) -> tuple[str, ...]:
    from kazgeo.style import YELLOW_RED

    return YELLOW_RED[:classes]
