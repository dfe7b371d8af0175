"""Hot and cold spots: among chosen neighbours, at the distance of the peak, and over the years."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.columns import of_years
from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Number, Output, Panel, Regions, Units
from kazgeo.analyses.options import LocalTest, Near, local_options, near
from kazgeo.analyses.significance import TESTS, few, more_than, significance, spot_style, structure, tests, values_of
from kazgeo.choices import Correction, Peak
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message


@analysis(
    "Hot spots",
    Output("layer", "vector", "Hot and cold spots", ("gi_z", "hot_spot", *TESTS), like="units"),
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
            *tests(done),
        ),
        dropped=done.dropped,
        seed=options["seed"],
    )


@analysis(
    "Hot spots",
    Output("layer", "vector", "Hot and cold spots at the best distance",
           ("gi_z", "hot_spot", "p", "p_adjusted", "neighbours"), like="units"),
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
    peak: Peak = Peak.FIRST,
    correction: Correction = Correction.FDR,
    alpha: Annotated[float, Number(0.0001, 0.5)] = 0.05,
    permutations: Annotated[int, Number(99, 999_999)] = 9_999,
    seed: int = 0,
    progress: Progress = silent,
) -> Outcome:
    """Optimised hot spots: Gi* with the distance at which clustering is most pronounced.

    The distance is a significant peak of Moran's I over rising distances; units far from all others don't count
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
    peak : Peak
        The first significant peak of clustering, or the highest.
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
        values_of(units, indicator, logarithm), units, n_bands=bands, peak=str(peak), correction=str(correction),
        alpha=alpha, permutations=permutations, rng=seed, progress=progress,
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
        fields=(TooltipField(indicator, "value", "", 2), *tests(spots)),
        charts=(chart,),
        dropped=done.dropped,
        seed=spots.seed,
    )


#: Code, label, colour and hatch of every category. A pattern is as dark hot as cold, so that only hatches tell them
#: apart in a greyscale print: those of hot spots (none, /, x, .) are never those of cold ones (-, \, +, |).
_CATEGORIES = (
    ("new-hot", "new hot spot", "#fee0d2", "xx"),
    ("consecutive-hot", "consecutive hot spot", "#fcbba1", "//"),
    ("intensifying-hot", "intensifying hot spot", "#67000d", ""),
    ("persistent-hot", "persistent hot spot", "#cb181d", ""),
    ("diminishing-hot", "diminishing hot spot", "#fb6a4a", ".."),
    ("sporadic-hot", "sporadic hot spot", "#fc9272", "xx"),
    ("oscillating-hot", "oscillating hot spot", "#ef3b2c", "//"),
    ("historical-hot", "historical hot spot", "#a50f15", ".."),
    ("new-cold", "new cold spot", "#deebf7", "++"),
    ("consecutive-cold", "consecutive cold spot", "#c6dbef", "\\\\"),
    ("intensifying-cold", "intensifying cold spot", "#08306b", "--"),
    ("persistent-cold", "persistent cold spot", "#2171b5", "--"),
    ("diminishing-cold", "diminishing cold spot", "#6baed6", "||"),
    ("sporadic-cold", "sporadic cold spot", "#9ecae1", "++"),
    ("oscillating-cold", "oscillating cold spot", "#4292c6", "\\\\"),
    ("historical-cold", "historical cold spot", "#08519c", "||"),
    ("no-pattern", "no pattern", "#f0f0f0", ""),
    ("undefined", "no value", "#bdbdbd", ""),
)


@analysis(
    "Hot spots",
    Output("layer", "vector", "Emerging hot spots",
           ("category", "trend_z", "trend_p", "hot_years", "cold_years", "years"), like="regions"),
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
    min_years: Annotated[int, Number(2, 100)] = 4,
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
        share makes no hot spot; wants years with a mean above 0.
    back : int
        How many years before count as neighbours in time.
    min_years : int
        Regions with fewer years are left without a pattern; a trend wants four at least.
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
    from kazgeo.hotspots import emerging_hot_spots as test
    from kazgeo.messages import Message, Num
    from kazgeo.style import TooltipField, categorical

    some = of_years(panel, regions, first_year, last_year, "emerging_hot_spots")
    values = values_of(some, indicator, logarithm)
    if relative:
        values = _relative(values, logarithm)
    weights = near(regions, options)
    done = test(
        values, weights, back=back, min_years=min_years, correction=str(correction), alpha=alpha,
        permutations=permutations, rng=seed, progress=progress,
    )  # fmt: skip
    table = done.to_frame().reindex(regions.index)
    layer = regions.assign(
        category=table["category"].fillna("undefined"), trend_z=table["trend_z"], trend_p=table["trend_p"],
        hot_years=table["n_hot_years"], cold_years=table["n_cold_years"], years=table["n_years"],
    )  # fmt: skip
    labels = {code: words for code, words, *_ in _CATEGORIES}
    counts = layer["category"].value_counts().reindex(list(labels), fill_value=0)
    findings = _patterns(layer, counts, labels, names_of(regions))
    findings += _left_out(done.dropped, len(regions) * len(done.years))
    if done.cannot_pass:
        least = {"m": permutations, "p": Num(done.bins["p"].min(), 6)}
        findings.append(
            Message("With {m} draws the smallest p is {p}, which can't pass the correction; take more draws.", least)
        )
    findings += few(int((layer["category"] != "undefined").sum()))
    if done.few_years:
        findings.append(
            Message("With fewer than ten years the patterns rest on little (years: {n}).", {"n": len(done.years)})
        )
    dropped = done.dropped.loc[done.dropped["year"].isna(), ["unit", "reason"]].reset_index(drop=True)
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


def _relative(values: pd.Series, logarithm: bool) -> pd.Series:
    """Return the values relative to the mean of their year; logarithms, as differences from it."""
    from kazgeo.errors import InputError

    mean = values.groupby(level="year").mean()
    if logarithm:
        return values - mean.reindex(values.index, level="year")
    low = mean.index[mean <= 0]
    if len(low):  # division would turn hot into cold
        raise InputError(
            f"emerging_hot_spots: relative wants years with a mean above 0; that of {low[0]} is {mean[low[0]]:g}; take "
            "relative = false"
        )
    return values / mean.reindex(values.index, level="year")


def _left_out(dropped: pd.DataFrame, total: int) -> list[Message]:
    """Say how many figures of regions and years take no part, and why; their regions can have a pattern yet."""
    from kazgeo.messages import Message

    said = []
    for reason, rows in dropped[dropped["year"].notna()].groupby("reason", sort=True):
        figures = {"n": len(rows), "total": total, "reason": Message(str(reason))}
        said.append(Message("Figures of regions and years that take no part: {n} of {total} ({reason}).", figures))
    return said


def _patterns(layer: pd.DataFrame, counts: pd.Series, labels: dict[str, str], names: dict[Any, Any]) -> list[Message]:
    """Say which patterns there are, and where."""
    from kazgeo.messages import Message, Term

    said = []
    for code, words in labels.items():
        if code in ("no-pattern", "undefined") or not counts[code]:
            continue
        units = more_than(list(layer.index[layer["category"] == code]), names)
        said.append(Message("{kind}: {n} ({units})", {"kind": Term(words), "n": int(counts[code]), "units": units}))
    tested = len(layer) - int(counts["undefined"])
    if not tested:
        return [Message("Nothing could be tested: no region has what a pattern wants.")]
    known = {"n": tested, "none": int(counts["no-pattern"])}
    if not said:
        return [Message("No pattern of hot or cold spots over the years in any of {n} regions.", known)]
    first = Message("Patterns of hot and cold spots over the years: {kinds}.", {"kinds": tuple(said)})
    return [first, Message("Without a pattern: {none} of {n} regions.", known)]
