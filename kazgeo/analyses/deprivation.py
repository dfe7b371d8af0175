"""Which regions are deprived, and which way they go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kazgeo.analyses.columns import of_years
from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Number, Output, Panel, Regions
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message

_COLORS = (
    ("stable", "not deprived", "#d9f0d3", ""),
    ("recovering", "recovering: deprived, improving", "#fee08b", ".."),
    ("lagging", "lagging: deprived, no clear trend", "#fc8d59", "//"),
    ("depressed", "depressed: deprived, worsening", "#b2182b", "xx"),
    ("undefined", "no value", "#bdbdbd", ""),
)


@analysis(
    "Deprivation",
    Output(
        "layer",
        "vector",
        "Deprivation and typology",
        ("deprivation", "deprivation_rank", "level", "trend_per_decade", "p_trend", "typology", "main_driver"),
        like="regions",
    ),
    Output("by_year", "table", "Index by region and year"),
    Output("contributions", "table", "What the index is made of"),
    Output("depressed", "number", "Depressed regions"),
    Output("lagging", "number", "Lagging regions"),
    tags=("poverty", "depressed areas", "composite index", "typology"),
)
def deprivation(
    regions: Regions,
    panel: Panel,
    *,
    more_is_better: Annotated[tuple[str, ...], Field("panel", many=True)] = (),
    more_is_worse: Annotated[tuple[str, ...], Field("panel", many=True)] = (),
    first_year: Annotated[int, Number(1900, 2100)],
    last_year: Annotated[int, Number(1900, 2100)],
    level_threshold: Annotated[float, Number(0, 5)] = 0.5,
    alpha: Annotated[float, Number(0.0001, 0.5)] = 0.05,
    progress: Progress = silent,
) -> Outcome:
    """Composite deprivation index and the typology of level and trend: stable, recovering, lagging, depressed.

    Each indicator is turned into z-scores within each year (nominal money can't be pooled over years), turned so that
    higher is worse, and averaged with equal weights. A region is deprived when its level is above the threshold; the
    trend is the Theil-Sen slope of its own index, with the Mann-Kendall test. The index is relative: a region can
    worsen because others gained.

    Parameters
    ----------
    regions : polygons
        Regions, indexed by the codes of the panel.
    panel : table
        Indicators by region and year, in one set of boundaries.
    more_is_better : list of str
        Indicators of which more is better.
    more_is_worse : list of str
        Indicators of which more is worse.
    first_year : int
        First year of the trend.
    last_year : int
        Year of the level and last year of the trend.
    level_threshold : float
        Standard deviations above which a region is deprived.
    alpha : float
        Level of significance of the trend.
    """
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.deprivation import composite_by_year, typology
    from kazgeo.errors import InputError
    from kazgeo.style import Chart, TooltipField, categorical

    some = of_years(panel, regions, first_year, last_year, "deprivation")
    progress(0.2, "index by year")
    if not more_is_better and not more_is_worse:
        raise InputError("deprivation: name at least one indicator in more_is_better or more_is_worse")
    chosen = some[[*more_is_better, *more_is_worse]]
    index = composite_by_year(chosen, more_is_better=list(more_is_better), more_is_worse=list(more_is_worse))
    progress(0.7, "trend and typology")
    kind = typology(index.deprivation, level_threshold=level_threshold, alpha=alpha, year=last_year)
    now = index.contributions.xs(last_year, level="year")
    layer = regions.copy()
    layer["deprivation"] = index.deprivation.xs(last_year, level="year").reindex(layer.index)
    layer["deprivation_rank"] = layer["deprivation"].rank(ascending=False, method="min")
    for column, series in (
        ("level", kind.level),
        ("trend_per_decade", kind.trend_per_decade),
        ("p_trend", kind.p_trend),
        ("typology", kind.label),
        ("main_driver", now.dropna(how="all").idxmax(axis=1)),
    ):
        layer[column] = series.reindex(layer.index)
    layer["typology"] = layer["typology"].where(layer["typology"].notna(), "undefined")
    dropped = kind.dropped.assign(reason="no value in the last year")
    absent = layer.index[~layer.index.isin(kind.level.index)]
    dropped = pd.concat(
        [kind.dropped, pd.DataFrame({"unit": absent, "reason": "no figure for this region"})], ignore_index=True
    )
    names = names_of(regions)
    series = index.deprivation.unstack("region")
    shown = tuple(layer.index[layer["typology"].isin(["depressed", "lagging", "recovering"])])
    return Outcome(
        (*_findings(layer, names, last_year), *told(dropped)),
        layer=layer,
        tables={"by_year": series.T, "contributions": now},
        numbers={
            "depressed": int((layer["typology"] == "depressed").sum()),
            "lagging": int((layer["typology"] == "lagging").sum()),
        },
        style=categorical("typology", "level and trend", list(_COLORS)).without_empty(layer["typology"], "undefined"),
        fields=(
            TooltipField("deprivation", "deprivation index (higher = worse)", "", 2),
            TooltipField("deprivation_rank", "rank (1 = most deprived)"),
            TooltipField("trend_per_decade", "trend per decade", "", 2),
            TooltipField("p_trend", "p of the trend", "", 3),
            TooltipField("main_driver", "main driver", terms=tuple((str(c), str(c)) for c in chosen.columns)),
        ),
        charts=(
            Chart("lines", series, "Deprivation index by region (higher = worse)", "z", tuple(names.items()), shown),
        ),
        dropped=dropped,
    )


def _findings(layer: pd.DataFrame, names: dict[Any, Any], year: int) -> list[Message]:
    """Say who belongs to which class."""
    from kazgeo.messages import Message, Num, Term

    ranked = layer["deprivation"].dropna().sort_values(ascending=False)
    top = tuple(Message("{name} ({score})", {"name": names[i], "score": Num(v, 2)}) for i, v in ranked.head(3).items())
    out = [Message("Most deprived in {year}: {regions}.", {"year": str(year), "regions": top})]
    for kind in ("depressed", "lagging", "recovering"):
        members = tuple(names[i] for i in layer.index[layer["typology"] == kind])
        if members:
            out.append(Message("{kind} ({n}): {regions}.", {"kind": Term(kind), "n": len(members), "regions": members}))
    if not (layer["typology"] == "depressed").any():
        out.append(Message("No region is both deprived and significantly worsening."))
    return out
