"""Where high and low values cluster, and what is significant after correction for many tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Neighbours, Number, Output, Panel, Regions, Units
from kazgeo.choices import Alternative, Correction
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message
    from kazgeo.weights import Weights

_TESTS = ("p", "p_adjusted")


def neighbours_of(units: Any, kind: Neighbours, k: int, tolerance_m: float) -> Weights:
    """Return the weights of the chosen kind; points have no borders, so they take the nearest."""
    from kazgeo.errors import InputError
    from kazgeo.weights import contiguity, knn

    kind = Neighbours(kind)
    if kind is Neighbours.NEAREST:
        return knn(units, k)
    if (units.geom_type.dropna() == "Point").any():
        raise InputError(f"points have no common border: choose neighbours 'nearest' instead of '{kind}'")
    return contiguity(units, kind=str(kind), tolerance_m=tolerance_m)


def _values(units: pd.DataFrame, column: str, logarithm: bool) -> pd.Series:
    """Return the column as numbers, its natural logarithm when asked for."""
    import numpy as np

    from kazgeo.analyses.columns import numeric
    from kazgeo.errors import InputError, listing

    values = numeric(units, column, "indicator")
    if not logarithm:
        return values
    bad = values.index[values <= 0]
    if len(bad):
        raise InputError(f"the logarithm wants values above 0; '{column}' is not in {len(bad)} units: {listing(bad)}")
    return np.log(values)


@analysis(
    "Clusters",
    Output("by_year", "table", "Moran's I by year", ("year", "I", "z_randomization", "p")),
    Output("moran_last", "number", "Moran's I of the last year"),
    Output("p_last", "number", "p of the last year"),
    tags=("spatial autocorrelation", "Moran's I"),
)
def moran_by_year(
    regions: Regions,
    panel: Panel,
    indicator: Annotated[str, Field("panel")],
    *,
    first_year: Annotated[int, Number(1900, 2100)],
    last_year: Annotated[int, Number(1900, 2100)],
    logarithm: bool = False,
    neighbours: Neighbours = Neighbours.QUEEN,
    k: Annotated[int, Number(1, 1000)] = 4,
    tolerance_m: Annotated[float, Number(0, 10_000, "m")] = 100.0,
    permutations: Annotated[int, Number(99, 999_999)] = 9_999,
    seed: int = 0,
    progress: Progress = silent,
) -> Outcome:
    """Global Moran's I by year: whether like regions are neighbours over the whole map.

    One test a year, p by permutation and not corrected for the number of years. With few regions only strong
    patterns can be told from chance.

    Parameters
    ----------
    regions : polygons
        Regions, indexed by the codes of the panel.
    panel : table
        Indicators by region and year, in one set of boundaries.
    indicator : str
        Indicator to test.
    first_year : int
        First year of the series.
    last_year : int
        Last year of the series.
    logarithm : bool
        Take the natural logarithm first, for skewed money values.
    neighbours : Neighbours
        Common points (queen), common borders (rook) or the nearest units.
    k : int
        How many of the nearest.
    tolerance_m : float
        Gaps narrower than this are faults of digitising.
    permutations : int
        Random maps per year.
    seed : int
        Gives the same numbers again.
    """
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.autocorrelation import moran_by_year as by_year
    from kazgeo.errors import InputError
    from kazgeo.messages import Message, Num
    from kazgeo.style import Chart

    at = panel.index
    inside = at.get_level_values("region").isin(regions.index)
    years = at.get_level_values("year")
    some = panel[inside & (years >= first_year) & (years <= last_year)]
    if not len(some):
        raise InputError(f"moran_by_year: no figures of '{indicator}' for these regions and years")
    weights = neighbours_of(regions, neighbours, k, tolerance_m)
    table = by_year(
        _values(some, indicator, logarithm), weights, permutations=permutations, rng=seed, progress=progress
    )
    low = table[table["p"] <= 0.05]
    findings = [
        Message(
            "Moran's I went from {a} in {first} to {b} in {last} (regions: {n}); years with p of at most 0.05, not"
            " corrected for their number: {significant} of {years}.",
            {
                "n": len(regions),
                "a": Num(float(table["I"].iloc[0]), 3),
                "first": str(table.index[0]),
                "b": Num(float(table["I"].iloc[-1]), 3),
                "last": str(table.index[-1]),
                "significant": len(low),
                "years": len(table),
            },
        ),
        *_structure(weights),
    ]
    chart = Chart("lines", table[["I"]], "Moran's I by year", "I", (("I", "Moran's I"),), ("I",))
    return Outcome(
        tuple(findings),
        tables={"by_year": table},
        numbers={"moran_last": float(table["I"].iloc[-1]), "p_last": float(table["p"].iloc[-1])},
        charts=(chart,),
        seed=seed,
    )


def _structure(weights: Weights) -> list[Message]:
    """Say what the map's graph looks like where it matters."""
    from kazgeo.messages import Message

    out = []
    if len(weights.isolates):
        out.append(Message("Without a neighbour, and so without a part in it: {n}.", {"n": len(weights.isolates)}))
    if weights.n_components > 1 + len(weights.isolates):
        out.append(Message("Unconnected parts of the map: {n}.", {"n": weights.n_components}))
    return out


@analysis(
    "Clusters",
    Output(
        "layer",
        "vector",
        "Local Moran clusters",
        ("local_moran", "cluster", "quadrant", "lag", "z", *_TESTS),
        like="units",
    ),
    Output("significant", "number", "Units significant after correction"),
    Output("significant_unadjusted", "number", "Units significant without correction"),
    tags=("LISA", "Anselin", "spatial autocorrelation", "outliers"),
)
def local_moran(
    units: Units,
    indicator: Annotated[str, Field("units")],
    *,
    logarithm: bool = False,
    neighbours: Neighbours = Neighbours.QUEEN,
    k: Annotated[int, Number(1, 1000)] = 8,
    tolerance_m: Annotated[float, Number(0, 10_000, "m")] = 100.0,
    permutations: Annotated[int, Number(99, 999_999)] = 9_999,
    alternative: Alternative = Alternative.TWO_SIDED,
    correction: Correction = Correction.FDR,
    alpha: Annotated[float, Number(0.0001, 0.5)] = 0.05,
    seed: int = 0,
    progress: Progress = silent,
) -> Outcome:
    """Local Moran: clusters of high and of low values and spatial outliers, after correction for many tests.

    Conditional permutation: the unit stays, the others are dealt at random around it. Units without a value or
    without a neighbour are labelled as such and counted, never called significant.

    Parameters
    ----------
    units : polygons or points
        Regions or settlements with a unique id.
    indicator : str
        Column of the values.
    logarithm : bool
        Take the natural logarithm first, for skewed money values.
    neighbours : Neighbours
        Common points (queen), common borders (rook) or the nearest units; points want nearest.
    k : int
        How many of the nearest.
    tolerance_m : float
        Gaps narrower than this are faults of digitising.
    permutations : int
        Random draws.
    alternative : Alternative
        Which departures from chance count; directed is half of two-sided, as GeoDa gives it.
    correction : Correction
        For many tests: fdr is Benjamini-Hochberg.
    alpha : float
        Level of significance after the correction.
    seed : int
        Gives the same numbers again.
    """
    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.autocorrelation import local_moran as test
    from kazgeo.style import TooltipField

    progress(0.05, "neighbours")
    weights = neighbours_of(units, neighbours, k, tolerance_m)
    done = test(
        _values(units, indicator, logarithm),
        weights,
        permutations=permutations,
        alternative=alternative,
        correction=correction,
        alpha=alpha,
        rng=seed,
        progress=part(progress, 0.2, 1.0),
    )
    layer = units.copy()
    for name, series in (
        ("local_moran", done.I),
        ("cluster", done.label),
        ("quadrant", done.quadrant),
        ("lag", done.lag),
        ("z", done.z),
        ("p", done.p),
        ("p_adjusted", done.p_adjusted),
    ):
        layer[name] = series
    kinds = ("high-high", "low-low", "high-low", "low-high")
    counts = {kind: int((done.label == kind).sum()) for kind in kinds}
    return Outcome(
        (*_significance(done, counts, units), *_structure(weights), *told(done.dropped)),
        layer=layer,
        numbers={"significant": done.n_significant, "significant_unadjusted": done.n_significant_unadjusted},
        style=_lisa_style().without_empty(done.label, "isolate", "undefined"),
        fields=(
            TooltipField(indicator, "value", "", 2),
            TooltipField("p", "p by permutation", "", 4),
            TooltipField("p_adjusted", "p after correction", "", 4),
        ),
        dropped=done.dropped,
        seed=seed,
    )


def _significance(done: Any, counts: dict[str, int], units: pd.DataFrame) -> list[Message]:
    """Say what is left after the correction, what there was before, and whether the draws could show it."""
    from kazgeo.analyses.outcome import names_of
    from kazgeo.messages import Message, Num, Term

    values = {
        "n": done.n_significant,
        "total": done.n_tests,
        "alpha": Num(100 * done.alpha, 0, "%"),
        "before": done.n_significant_unadjusted,
    }
    if done.n_significant:
        listed = tuple(Message("{n} {kind}", {"n": c, "kind": Term(k)}) for k, c in counts.items() if c)
        out = [
            Message(
                "Significant at {alpha} after the correction: {n} of {total} units ({before} before it): {kinds}.",
                values | {"kinds": listed},
            )
        ]
    else:
        out = [
            Message(
                "Significant at {alpha} after the correction: none of {total} units; without it: {before}.",
                values,
            )
        ]
    lowest = done.p.dropna().sort_values().head(3)
    names = names_of(units)
    if len(lowest) and not done.n_significant:
        listed = tuple(Message("{name} (p {p})", {"name": names[i], "p": Num(float(v), 4)}) for i, v in lowest.items())
        out.append(Message("Nearest to it: {units}.", {"units": listed}))
    if done.cannot_pass:
        out.append(
            Message(
                "With {m} draws the smallest p is {p}, which can't pass the correction; take more draws.",
                {"m": done.permutations, "p": Num(done.smallest_p, 6)},
            )
        )
    if done.n_tests < 30:
        out.append(Message("With fewer than 30 units only very strong patterns can be told from chance."))
    return out


def _lisa_style() -> Any:
    from kazgeo.style import categorical

    return categorical(
        "cluster",
        "clusters (local Moran)",
        [
            ("high-high", "high-high", "#b2182b"),
            ("low-low", "low-low", "#2166ac", "///"),
            ("high-low", "high-low", "#f4a582", "..."),
            ("low-high", "low-high", "#92c5de", "xxx"),
            ("not significant", "not significant", "#f0f0f0"),
            ("isolate", "no neighbour", "#999999"),
            ("undefined", "no value", "#bdbdbd"),
        ],
    )


@analysis(
    "Clusters",
    Output("layer", "vector", "Hot and cold spots", ("gi_z", "hot_spot", *_TESTS), like="units"),
    Output("hot", "number", "Hot spots, significant after correction"),
    Output("cold", "number", "Cold spots, significant after correction"),
    tags=("hot spot", "cold spot", "Gi*", "hotspots"),
)
def getis_ord(
    units: Units,
    indicator: Annotated[str, Field("units")],
    *,
    logarithm: bool = False,
    neighbours: Neighbours = Neighbours.QUEEN,
    k: Annotated[int, Number(1, 1000)] = 8,
    tolerance_m: Annotated[float, Number(0, 10_000, "m")] = 100.0,
    include_self: bool = True,
    permutations: Annotated[int, Number(99, 999_999)] = 9_999,
    alternative: Alternative = Alternative.TWO_SIDED,
    correction: Correction = Correction.FDR,
    alpha: Annotated[float, Number(0.0001, 0.5)] = 0.05,
    seed: int = 0,
    progress: Progress = silent,
) -> Outcome:
    """Getis-Ord Gi*: hot and cold spots at 90, 95 and 99 %, after correction for many tests.

    The value is the z-score of Ord and Getis (1995); significance is by conditional permutation, because z is only
    normal for well-behaved values and many neighbours.

    Parameters
    ----------
    units : polygons or points
        Regions or settlements with a unique id.
    indicator : str
        Column of the values.
    logarithm : bool
        Take the natural logarithm first, for skewed money values.
    neighbours : Neighbours
        Common points (queen), common borders (rook) or the nearest units; points want nearest.
    k : int
        How many of the nearest.
    tolerance_m : float
        Gaps narrower than this are faults of digitising.
    include_self : bool
        Count the unit among its neighbours (Gi*); otherwise Gi.
    permutations : int
        Random draws.
    alternative : Alternative
        Which departures from chance count.
    correction : Correction
        For many tests: fdr is Benjamini-Hochberg.
    alpha : float
        Level at which units are counted as significant.
    seed : int
        Gives the same numbers again.
    """
    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.hotspots import getis_ord as test
    from kazgeo.style import TooltipField

    progress(0.05, "neighbours")
    weights = neighbours_of(units, neighbours, k, tolerance_m)
    done = test(
        _values(units, indicator, logarithm),
        weights,
        star=include_self,
        permutations=permutations,
        alternative=alternative,
        correction=correction,
        alpha=alpha,
        rng=seed,
        progress=part(progress, 0.2, 1.0),
    )
    layer = units.copy()
    layer["gi_z"], layer["hot_spot"] = done.value, done.label
    layer["p"], layer["p_adjusted"] = done.p, done.p_adjusted
    sure = done.p_adjusted <= alpha
    counts = {
        "hot spots": int((sure & (done.value > 0)).sum()),
        "cold spots": int((sure & (done.value < 0)).sum()),
    }
    return Outcome(
        (*_significance(done, counts, units), *_structure(weights), *told(done.dropped)),
        layer=layer,
        numbers={"hot": counts["hot spots"], "cold": counts["cold spots"]},
        style=_spot_style().without_empty(done.label, "isolate", "undefined"),
        fields=(
            TooltipField(indicator, "value", "", 2),
            TooltipField("gi_z", "Gi* as z-score", "", 2),
            TooltipField("p_adjusted", "p after correction", "", 4),
        ),
        dropped=done.dropped,
        seed=seed,
    )


def _spot_style() -> Any:
    from kazgeo.style import categorical

    return categorical(
        "hot_spot",
        "hot and cold spots (Gi*)",
        [
            ("hot-99", "hot spot, 99 %", "#b2182b"),
            ("hot-95", "hot spot, 95 %", "#ef8a62"),
            ("hot-90", "hot spot, 90 %", "#fddbc7", ".."),
            ("not significant", "not significant", "#f0f0f0"),
            ("cold-90", "cold spot, 90 %", "#d1e5f0", "//"),
            ("cold-95", "cold spot, 95 %", "#67a9cf", "//"),
            ("cold-99", "cold spot, 99 %", "#2166ac", "//"),
            ("isolate", "no neighbour", "#999999"),
            ("undefined", "no value", "#bdbdbd"),
        ],
    )
