"""Where high and low values cluster, and what is significant after correction for many tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Unpack

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Number, Output, Panel, Regions, Units
from kazgeo.analyses.options import LocalTest, WholeTest, local_options, near, whole_options
from kazgeo.analyses.tested import counted, lisa_style, significance, spot_style, structure, values_of
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    from kazgeo.analyses.outcome import Outcome

_TESTS = ("p", "p_adjusted")


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
    from kazgeo.errors import InputError
    from kazgeo.messages import Message, Num
    from kazgeo.style import Chart

    at = panel.index
    inside = at.get_level_values("region").isin(regions.index)
    years = at.get_level_values("year")
    some = panel[inside & (years >= first_year) & (years <= last_year)]
    if not len(some):
        raise InputError(f"moran_by_year: no figures of '{indicator}' for these regions and years")
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
        *structure(weights),
    ]
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
            TooltipField("p", "p by permutation", "", 4),
            TooltipField("p_adjusted", "p after correction", "", 4),
        ),
        dropped=done.dropped,
        seed=options["seed"],
    )


@analysis(
    "Hot spots",
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
    include_self: bool = True,
    progress: Progress = silent,
    **options: Unpack[LocalTest],
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
    include_self : bool
        Count the unit among its neighbours (Gi*); otherwise Gi.
    """
    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.hotspots import getis_ord as test
    from kazgeo.messages import mark
    from kazgeo.style import TooltipField

    progress(0.05, "neighbours")
    weights = near(units, options)
    done = test(
        values_of(units, indicator, logarithm),
        weights,
        star=include_self,
        progress=part(progress, 0.2, 1.0),
        **local_options(options),
    )
    layer = units.copy()
    layer["gi_z"], layer["hot_spot"] = done.value, done.label
    layer["p"], layer["p_adjusted"] = done.p, done.p_adjusted
    sure = done.p_adjusted <= done.alpha
    counts = {
        mark("hot spots"): layer.index[sure & (done.value > 0)],
        mark("cold spots"): layer.index[sure & (done.value < 0)],
    }
    return Outcome(
        (*significance(done, counts, units, weights), *structure(weights), *told(done.dropped)),
        layer=layer,
        numbers={"hot": len(counts["hot spots"]), "cold": len(counts["cold spots"])},
        style=spot_style().without_empty(done.label, "isolate", "undefined"),
        fields=(
            TooltipField(indicator, "value", "", 2),
            TooltipField("gi_z", "Gi* as z-score", "", 2),
            TooltipField("p_adjusted", "p after correction", "", 4),
        ),
        dropped=done.dropped,
        seed=options["seed"],
    )
