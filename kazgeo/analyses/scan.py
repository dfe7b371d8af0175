"""Where cases crowd more than chance would have it: the scan statistic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Number, Output, Units
from kazgeo.analyses.significance import few, more_than, percent, renamed, values_of
from kazgeo.choices import Direction, Model, Shape
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message


@analysis(
    "Hot spots",
    Output("layer", "vector", "Scan clusters", ("scan", "cluster_rank", "cluster_p"), like="units",
           sometimes=("relative_risk",)),
    Output("clusters", "table", "Scan clusters", ("rank", "centre", "n_units", "radius_m", "llr", "p")),
    Output("significant", "number", "Significant clusters"),
    tags=("Kulldorff", "SaTScan", "disease", "scan statistic"),
)  # fmt: skip
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
        (*_scanned(done, units), *few(int((done.label != "undefined").sum())), *told(done.dropped)),
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


def _scanned(done: Any, units: pd.DataFrame) -> list[Message]:
    """Say what the most likely cluster is, and how many are significant."""
    from kazgeo.analyses.outcome import names_of
    from kazgeo.messages import Message, Num

    table = done.clusters
    if not len(table):
        if done.n_windows:
            return [Message("No window has more or fewer cases than expected.")]
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
