"""Local statistics beside local Moran and Gi*: of two variables, of rates, of change, of marks, of many variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Number, Output, Panel, Regions, Units
from kazgeo.analyses.options import ExactTest, LocalTest, exact_options, local_options, near, whole_options
from kazgeo.analyses.significance import TESTS, counted, lisa_style, significance, structure, table_of, tests, values_of
from kazgeo.choices import Correction
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.style import TooltipField

_QUADRANTS = ("high-high", "low-low", "high-low", "low-high")
_SIGNIFICANT = Output("significant", "number", "Units significant after correction")


def _outcome(
    units: pd.DataFrame, weights: Any, done: Any, columns: dict[str, Any], style: Any, fields: tuple[TooltipField, ...],
    kinds: tuple[str, ...], first: tuple[Any, ...] = (),
) -> Outcome:  # fmt: skip
    """Return the outcome of a local test: the layer with its columns, the sentences, the style."""
    from kazgeo.analyses.outcome import Outcome, told

    layer = units.assign(**columns, cluster=done.label, p=done.p, p_adjusted=done.p_adjusted)
    words = {c.value: c.label for c in style.classes}
    found = {words[kind]: some for kind, some in counted(done.label, *kinds).items() if len(some)}
    said = significance(done, found, units, weights)
    return Outcome(
        (*said, *first, *structure(weights), *told(done.dropped)),
        layer=layer,
        numbers={"significant": done.n_significant},
        style=style.without_empty(done.label, "isolate", "undefined", "not tested"),
        fields=(*fields, *tests(done)),
        dropped=done.dropped,
        seed=done.seed if done.permutations else None,
    )


def _style(
    title: str, classes: list[tuple[str, str, str] | tuple[str, str, str, str]], untested: str = "not tested"
) -> Any:
    """Return a style of clusters with the classes that all local tests share."""
    from kazgeo.style import categorical

    shared: list[tuple[str, str, str]] = [
        ("not significant", "not significant", "#f0f0f0"),
        ("not tested", untested, "#e0e0e0"),
        ("isolate", "no neighbour", "#999999"),
        ("undefined", "no value", "#bdbdbd"),
    ]
    return categorical("cluster", title, [*classes, *shared])


@analysis(
    "Clusters",
    Output("layer", "vector", "Bivariate clusters", ("bivariate_moran", "cluster", "quadrant", "lag", "z", *TESTS),
           like="units"),
    Output("moran", "number", "Bivariate Moran's I"),
    Output("lee", "number", "Lee's L"),
    _SIGNIFICANT,
    tags=("bivariate LISA", "co-location", "Lee's L"),
)  # fmt: skip
def bivariate_moran(
    units: Units,
    indicator: Annotated[str, Field("units")],
    around: Annotated[str, Field("units")],
    *,
    logarithm: bool = False,
    progress: Progress = silent,
    **options: Unpack[LocalTest],
) -> Outcome:
    """Bivariate local Moran: where units high or low in one indicator have neighbours high or low in another.

    Gives also the global bivariate Moran's I and Lee's L. Where the two indicators go together within units anyway,
    their "clusters" say little more than those of one of them.

    Parameters
    ----------
    units : polygons or points
        Regions or settlements with a unique id.
    indicator : str
        Column of the unit's own value.
    around : str
        Column of the value that is looked at in the neighbours.
    logarithm : bool
        Take the natural logarithm of both first, for skewed money values.
    """
    from kazgeo.autocorrelation import lee, local_moran_bivariate, moran_bivariate
    from kazgeo.messages import Message, Num
    from kazgeo.style import TooltipField

    weights = near(units, options)
    x, y = values_of(units, indicator, logarithm), values_of(units, around, logarithm)
    whole = moran_bivariate(x, y, weights, progress=part(progress, 0.0, 0.2), **whole_options(options))
    joint = lee(x, y, weights, progress=part(progress, 0.2, 0.4), **whole_options(options))
    done = local_moran_bivariate(x, y, weights, progress=part(progress, 0.4, 1.0), **local_options(options))
    figures = {"i": Num(whole.I, 3), "p": Num(whole.p, 4), "l": Num(joint.L, 3), "lp": Num(joint.p, 4)}
    first = Message("Over the whole map: bivariate Moran's I {i} (p {p}), Lee's L {l} (p {lp}).", figures)
    made = _outcome(
        units, weights, done,
        {"bivariate_moran": done.I, "quadrant": done.quadrant, "lag": done.lag, "z": done.z},
        lisa_style("own value and neighbours' other value"),
        (TooltipField(indicator, "value", "", 2), TooltipField(around, "value of the second indicator", "", 2)),
        _QUADRANTS, (first,),
    )  # fmt: skip
    return _with_numbers(made, moran=whole.I, lee=joint.L)


def _with_numbers(made: Outcome, **numbers: float) -> Outcome:
    from dataclasses import replace

    return replace(made, numbers={**numbers, **made.numbers})


@analysis(
    "Clusters",
    Output("layer", "vector", "Clusters of rates",
           ("rate_per_1000", "rate_standardized", "local_moran", "cluster", "quadrant", "z", *TESTS), like="units"),
    Output("moran", "number", "Moran's I of the rates"),
    _SIGNIFICANT,
    tags=("empirical Bayes", "Assuncao-Reis", "mortality", "LISA"),
)  # fmt: skip
def local_moran_rate(
    units: Units,
    events: Annotated[str, Field("units")],
    population: Annotated[str, Field("units")],
    *,
    progress: Progress = silent,
    **options: Unpack[LocalTest],
) -> Outcome:
    """Local Moran of rates, standardised by how much their populations let them vary (Assuncao and Reis).

    For deaths, crimes or pupils per inhabitants: plain rates of small populations are extreme by chance and make false
    clusters and outliers.

    Parameters
    ----------
    units : polygons or points
        Regions or settlements with a unique id.
    events : str
        Column of counts of at least 0.
    population : str
        Column of the people at risk, above 0.
    """
    from kazgeo.autocorrelation import local_moran_rate as test
    from kazgeo.autocorrelation import moran_rate, standardized_rate
    from kazgeo.messages import Message, Num
    from kazgeo.style import TooltipField

    weights = near(units, options)
    count, people = values_of(units, events, False), values_of(units, population, False)
    whole = moran_rate(count, people, weights, progress=part(progress, 0.0, 0.3), **whole_options(options))
    done = test(count, people, weights, progress=part(progress, 0.3, 1.0), **local_options(options))
    first = Message(
        "Over the whole map: Moran's I of the rates {i} (p {p}).", {"i": Num(whole.I, 3), "p": Num(whole.p, 4)}
    )
    made = _outcome(
        units, weights, done,
        {
            "rate_per_1000": 1000 * count / people, "rate_standardized": standardized_rate(count, people),
            "local_moran": done.I, "quadrant": done.quadrant, "z": done.z,
        },
        lisa_style("clusters of rates"),
        (
            TooltipField("rate_per_1000", "rate per 1,000", "", 2),
            TooltipField("rate_standardized", "standardised rate", "", 2),
        ),
        _QUADRANTS, (first,),
    )  # fmt: skip
    return _with_numbers(made, moran=whole.I)


@analysis(
    "Clusters",
    Output("layer", "vector", "Clusters of change", ("change", "local_moran", "cluster", "quadrant", "z", *TESTS),
           like="regions"),
    _SIGNIFICANT,
    tags=("differential local Moran", "space-time", "growth"),
)  # fmt: skip
def local_moran_change(
    regions: Regions,
    panel: Panel,
    indicator: Annotated[str, Field("panel")],
    *,
    first_year: Annotated[int, Number(1900, 2100)],
    last_year: Annotated[int, Number(1900, 2100)],
    logarithm: bool = False,
    progress: Progress = silent,
    **options: Unpack[LocalTest],
) -> Outcome:
    """Differential local Moran: clusters of change between two years.

    What stays the same in a region drops out. With the logarithm the change is that of the logarithm: about the share
    of growth where that is small.

    Parameters
    ----------
    regions : polygons
        Regions, indexed by the codes of the panel.
    panel : table
        Indicators by region and year, in one set of boundaries.
    indicator : str
        Indicator that changes.
    first_year : int
        Year before.
    last_year : int
        Year after.
    logarithm : bool
        Take the natural logarithm first, for skewed money values.
    """
    from kazgeo.autocorrelation import local_moran_change as test
    from kazgeo.errors import InputError
    from kazgeo.style import TooltipField

    years = panel.index.get_level_values("year")
    absent = [year for year in (first_year, last_year) if year not in set(years)]
    if absent or first_year >= last_year:
        raise InputError(
            f"local_moran_change: first_year and last_year must be two years of the panel, the first before the last;"
            f" got {first_year} and {last_year}; there are {years.min()} to {years.max()}"
        )
    values = values_of(panel, indicator, logarithm)
    before, after = (values.xs(year, level="year").reindex(regions.index) for year in (first_year, last_year))
    weights = near(regions, options)
    done = test(before, after, weights, progress=progress, **local_options(options))
    return _outcome(
        regions, weights, done,
        {"change": after - before, "local_moran": done.I, "quadrant": done.quadrant, "z": done.z},
        lisa_style("clusters of change"), (TooltipField("change", "change", "", 3),), _QUADRANTS,
    )  # fmt: skip


@analysis(
    "Clusters",
    Output("layer", "vector", "Local Geary clusters", ("local_geary", "cluster", "z", *TESTS), like="units"),
    _SIGNIFICANT,
    tags=("multivariate LISA", "Anselin", "Geary's C"),
)
def local_geary(
    units: Units,
    indicators: Annotated[tuple[str, ...], Field("units", many=True)],
    *,
    logarithm: bool = False,
    progress: Progress = silent,
    **options: Unpack[LocalTest],
) -> Outcome:
    """Local Geary: where neighbours are alike, or unlike, in one indicator or in several at once.

    Finds likeness near the mean too, which a product of deviations misses. Each indicator is standardised and counts
    alike.

    Parameters
    ----------
    units : polygons or points
        Regions or settlements with a unique id.
    indicators : list of str
        One column or several.
    logarithm : bool
        Take the natural logarithm of all of them first, for skewed money values.
    """
    from kazgeo.autocorrelation import local_geary as test
    from kazgeo.style import TooltipField

    weights = near(units, options)
    values = table_of(units, indicators, logarithm)
    done = test(values, weights, progress=progress, **local_options(options))
    style = _style(
        "likeness of neighbours (local Geary)",
        [
            ("high-high", "high-high", "#b2182b"),
            ("low-low", "low-low", "#2166ac", "///"),
            ("other-alike", "alike, around the mean", "#fdae61", "..."),
            ("alike", "alike", "#b2182b"),
            ("different", "different", "#5aae61", "xxx"),
        ],
    )
    style = style.without_empty(done.label, "high-high", "low-low", "other-alike", "alike")
    fields = tuple(TooltipField(name, "value", "", 2) for name in indicators[:1])
    kinds = ("high-high", "low-low", "other-alike", "alike", "different")
    return _outcome(units, weights, done, {"local_geary": done.C, "z": done.z}, style, fields, kinds)


@analysis(
    "Clusters",
    Output("layer", "vector", "Clusters of marks", ("count", "expected", "cluster", *TESTS), like="units"),
    _SIGNIFICANT,
    tags=("local join count", "co-location", "binary"),
)
def local_join_count(
    units: Units,
    marks: Annotated[tuple[str, ...], Field("units", many=True)],
    *,
    opposite: Annotated[str, Field("units")] = "",
    progress: Progress = silent,
    **options: Unpack[ExactTest],
) -> Outcome:
    """Local join count: where units with a mark have more neighbours with it than by chance; exact, no draws.

    Marks are columns of 0 and 1. Several marks: units and neighbours that have all of them. With an opposite mark:
    units with the first one whose neighbours have the other.

    Parameters
    ----------
    units : polygons or points
        Regions or settlements with a unique id.
    marks : list of str
        One column of 0 and 1, or several.
    opposite : str
        Column of another mark, which no unit has together with the first; looked for in the neighbours.
    """
    from kazgeo.autocorrelation import local_colocation, local_join_count_bivariate
    from kazgeo.autocorrelation import local_join_count as test
    from kazgeo.errors import InputError
    from kazgeo.messages import mark
    from kazgeo.style import TooltipField

    weights = near(units, options)
    values = table_of(units, marks, False)
    progress(0.2, "neighbours")
    rules = exact_options(options)
    if opposite and values.shape[1] > 1:
        raise InputError("local_join_count wants one mark and its opposite, or several marks; got both")
    if opposite:
        done = local_join_count_bivariate(values.iloc[:, 0], values_of(units, opposite, False), weights, **rules)
    elif values.shape[1] > 1:
        done = local_colocation(values, weights, **rules)
    else:
        done = test(values.iloc[:, 0], weights, **rules)
    fields = (TooltipField("count", "neighbours with the mark", "", 0), TooltipField("expected", "by chance", "", 2))
    style = _mark_style(done, mark("clusters of a mark (local join count)"), mark("not tested: without the mark"))
    columns = {"count": done.count, "expected": done.expected}
    return _outcome(units, weights, done, columns, style, fields, ("cluster", "apart"))


def _mark_style(done: Any, title: str, without: str) -> Any:
    style = _style(
        title,
        [
            ("cluster", "more such neighbours than by chance", "#b2182b", "///"),
            ("apart", "fewer such neighbours than by chance", "#2166ac", "..."),
        ],
        without,
    )
    return style.without_empty(done.label, "apart")


@analysis(
    "Clusters",
    Output(
        "layer", "vector", "Clusters of a quantile", ("member", "count", "expected", "cluster", *TESTS), like="units"
    ),
    _SIGNIFICANT,
    tags=("quantile LISA", "poorest fifth", "extremes"),
)
def quantile_lisa(
    units: Units,
    indicators: Annotated[tuple[str, ...], Field("units", many=True)],
    *,
    quantiles: Annotated[int, Number(2, 20)] = 5,
    quantile: Annotated[int, Number(1, 20)] = 1,
    progress: Progress = silent,
    **options: Unpack[ExactTest],
) -> Outcome:
    """Quantile LISA: where units of the lowest (or any other) quantile lie together; exact, no draws.

    Skewed values and outliers don't matter. Several indicators: units that are in that quantile of all of them.

    Parameters
    ----------
    units : polygons or points
        Regions or settlements with a unique id.
    indicators : list of str
        One column or several.
    quantiles : int
        Number of equal parts, 5 for fifths.
    quantile : int
        Which of them, from the lowest, 1.
    """
    from kazgeo.autocorrelation import quantile_lisa as test
    from kazgeo.messages import mark
    from kazgeo.style import TooltipField

    weights = near(units, options)
    values = table_of(units, indicators, False)
    progress(0.2, "neighbours")
    rules = exact_options(options)
    done = test(values, weights, k=quantiles, quantile=quantile, **rules)
    fields = (TooltipField(indicators[0], "value", "", 2), TooltipField("count", "neighbours of that quantile", "", 0))
    columns = {"member": done.member, "count": done.count, "expected": done.expected}
    style = _mark_style(done, mark("clusters of a quantile"), mark("not tested: outside the quantile"))
    return _outcome(units, weights, done, columns, style, fields, ("cluster", "apart"))


@analysis(
    "Clusters",
    Output("layer", "vector", "Local variety", ("losh", "local_mean", "cluster", "z", *TESTS), like="units"),
    _SIGNIFICANT,
    tags=("LOSH", "heteroscedasticity", "contrast", "borders"),
)
def losh(
    units: Units,
    indicator: Annotated[str, Field("units")],
    *,
    logarithm: bool = False,
    progress: Progress = silent,
    **options: Unpack[LocalTest],
) -> Outcome:
    """Local variety (LOSH): where neighbours differ much among themselves, and where they are even.

    High values mark borders and mixed areas, low ones the inside of areas that are even, rich or poor.

    Parameters
    ----------
    units : polygons or points
        Regions or settlements with a unique id.
    indicator : str
        Column of the values.
    logarithm : bool
        Take the natural logarithm first, for skewed money values; the mean of neighbours is then a geometric one.
    """
    import numpy as np

    from kazgeo.autocorrelation import losh as test
    from kazgeo.style import TooltipField

    weights = near(units, options)
    done = test(values_of(units, indicator, logarithm), weights, progress=progress, **local_options(options))
    around = np.exp(done.local_mean) if logarithm else done.local_mean
    style = _style(
        "local variety (LOSH)",
        [
            ("varied", "neighbours differ", "#b35806", "///"),
            ("even", "neighbours are even", "#542788", "..."),
        ],
    )
    columns = {"losh": done.H, "local_mean": around, "z": done.z}
    fields = (TooltipField(indicator, "value", "", 2), TooltipField("local_mean", "mean of neighbours", "", 2))
    return _outcome(units, weights, done, columns, style, fields, ("varied", "even"))


@analysis(
    "Clusters",
    Output("layer", "vector", "Local Lee clusters", ("local_lee", "cluster", "quadrant", *TESTS), like="units"),
    Output("lee", "number", "Lee's L"),
    _SIGNIFICANT,
    tags=("Lee's L", "bivariate", "co-patterning"),
)
def local_lee(
    units: Units,
    indicator: Annotated[str, Field("units")],
    second: Annotated[str, Field("units")],
    *,
    logarithm: bool = False,
    progress: Progress = silent,
    **options: Unpack[LocalTest],
) -> Outcome:
    """Local Lee: where the neighbourhoods' means of two indicators go together, or against each other.

    Both indicators are smoothed over the neighbours first, so that single odd values count little.

    Parameters
    ----------
    units : polygons or points
        Regions or settlements with a unique id.
    indicator : str
        Column of the first indicator.
    second : str
        Column of the second indicator.
    logarithm : bool
        Take the natural logarithm of both first, for skewed money values.
    """
    from kazgeo.autocorrelation import lee
    from kazgeo.autocorrelation import local_lee as test
    from kazgeo.style import TooltipField

    weights = near(units, options)
    x, y = values_of(units, indicator, logarithm), values_of(units, second, logarithm)
    whole = lee(x, y, weights, progress=part(progress, 0.0, 0.3), **whole_options(options))
    done = test(x, y, weights, progress=part(progress, 0.3, 1.0), **local_options(options))
    columns = {"local_lee": done.L, "quadrant": done.quadrant}
    fields = (TooltipField(indicator, "value", "", 2), TooltipField(second, "value of the second indicator", "", 2))
    style = lisa_style("neighbourhoods of two indicators (local Lee)")
    made = _outcome(units, weights, done, columns, style, fields, _QUADRANTS)
    return _with_numbers(made, lee=whole.L)


@analysis(
    "Clusters",
    Output(
        "layer", "vector", "Neighbours on the map and in kind", ("common", "expected", "cluster", *TESTS), like="units"
    ),
    _SIGNIFICANT,
    tags=("local neighbour match test", "multivariate", "similarity"),
)
def neighbour_match(
    units: Units,
    indicators: Annotated[tuple[str, ...], Field("units", many=True)],
    *,
    k: Annotated[int, Number(1, 1000)] = 6,
    logarithm: bool = False,
    correction: Correction = Correction.FDR,
    alpha: Annotated[float, Number(0.0001, 0.5)] = 0.05,
    progress: Progress = silent,
) -> Outcome:
    """Neighbour match: units whose nearest on the map are also their most alike in several indicators; exact.

    Each indicator is standardised and counts alike.

    Parameters
    ----------
    units : polygons or points
        Regions or settlements with a unique id.
    indicators : list of str
        Columns that make units alike.
    k : int
        How many of the nearest, on the map and in kind.
    logarithm : bool
        Take the natural logarithm of all of them first, for skewed money values.
    correction : Correction
        For many tests: fdr is Benjamini-Hochberg.
    alpha : float
        Level of significance after the correction.
    """
    from kazgeo.autocorrelation import neighbour_match as test
    from kazgeo.style import TooltipField
    from kazgeo.weights import knn

    progress(0.1, "neighbours")
    values = table_of(units, indicators, logarithm)
    done = test(values, units, k=k, correction=str(correction), alpha=alpha)
    style = _style(
        "neighbours on the map and in kind",
        [
            ("match", "more in common than by chance", "#b2182b", "///"),
            ("mismatch", "less in common than by chance", "#2166ac", "..."),
        ],
    ).without_empty(done.label, "mismatch")
    fields = (TooltipField("common", "neighbours in common", "", 0), TooltipField("expected", "by chance", "", 2))
    columns = {"common": done.common, "expected": done.expected}
    return _outcome(units, knn(units, k), done, columns, style, fields, ("match", "mismatch"))
