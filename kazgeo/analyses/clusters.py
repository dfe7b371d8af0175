"""Where high and low values cluster, and what is significant after correction for many tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Unpack

from kazgeo.analyses.columns import of_years
from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Number, Output, Panel, Regions, Units
from kazgeo.analyses.options import LocalTest, WholeTest, local_options, near, whole_options
from kazgeo.analyses.significance import TESTS, counted, few, lisa_style, significance, structure, tests, values_of
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    from kazgeo.analyses.outcome import Outcome


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
    progress: Progress = silent,
    **options: Unpack[WholeTest],
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
    """
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.autocorrelation import moran_by_year as by_year
    from kazgeo.messages import Message, Num
    from kazgeo.style import Chart

    some = of_years(panel, regions, first_year, last_year, "moran_by_year")
    weights = near(regions, options)
    table = by_year(values_of(some, indicator, logarithm), weights, progress=progress, **whole_options(options))
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
        *few(int(table["n"].iloc[-1])),
        *structure(weights),
    ]
    if len(weights.isolates):
        findings.append(Message("Regions without a neighbour, and so without a part in it: {n}.",
                                {"n": len(weights.isolates)}))  # fmt: skip
    chart = Chart("lines", table[["I"]], "Moran's I by year", "I", (("I", "Moran's I"),), ("I",))
    return Outcome(
        tuple(findings),
        tables={"by_year": table},
        numbers={"moran_last": float(table["I"].iloc[-1]), "p_last": float(table["p"].iloc[-1])},
        charts=(chart,),
        seed=options["seed"],
    )


@analysis(
    "Clusters",
    Output(
        "layer",
        "vector",
        "Local Moran clusters",
        ("local_moran", "cluster", "quadrant", "lag", "z", *TESTS),
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
    progress: Progress = silent,
    **options: Unpack[LocalTest],
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
    """
    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.autocorrelation import local_moran as test
    from kazgeo.style import TooltipField

    progress(0.05, "neighbours")
    weights = near(units, options)
    done = test(
        values_of(units, indicator, logarithm),
        weights,
        progress=part(progress, 0.2, 1.0),
        **local_options(options),
    )
    layer = units.assign(
        local_moran=done.I,
        cluster=done.label,
        quadrant=done.quadrant,
        lag=done.lag,
        z=done.z,
        p=done.p,
        p_adjusted=done.p_adjusted,
    )
    counts = counted(done.label, "high-high", "low-low", "high-low", "low-high")
    return Outcome(
        (*significance(done, counts, units, weights), *structure(weights), *told(done.dropped)),
        layer=layer,
        numbers={"significant": done.n_significant, "significant_unadjusted": done.n_significant_unadjusted},
        style=lisa_style("clusters (local Moran)").without_empty(done.label, "isolate", "undefined"),
        fields=(
            TooltipField(indicator, "value", "", 2),
            *tests(done),
        ),
        dropped=done.dropped,
        seed=options["seed"],
    )
