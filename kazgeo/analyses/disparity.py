"""How unequal regions are, since when, and who moved it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kazgeo.analyses.columns import of_years
from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Metadata, Number, Output, Panel, Reforms, Regions

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Names


@analysis(
    "Disparity",
    Output(
        "layer",
        "vector",
        "Who moved the disparity",
        ("{indicator}_to_mean", "theil_distance", "theil_distance_change"),
        like="regions",
    ),
    Output("by_year", "table", "Inequality by year", ("year", "gini", "theil", "williamson")),
    Output("theil_first", "number", "Theil of the first year"),
    Output("theil_last", "number", "Theil of the last year"),
    Output("gini_last", "number", "Gini of the last year"),
    tags=("Gini", "Theil", "Williamson", "convergence"),
)
def inequality(
    regions: Regions,
    panel: Panel,
    indicator: Annotated[str, Field("panel")],
    population: Annotated[str, Field("panel")],
    *,
    group: Annotated[str, Field("regions", numeric=False)] | None = None,
    first_year: Annotated[int, Number(1900, 2100)],
    last_year: Annotated[int, Number(1900, 2100)],
    since: Annotated[int, Number(1900, 2100)] | None = None,
) -> Outcome:
    """Gini, Theil within and between groups, and Williamson's coefficient by year, and who moved them.

    Weighted measures describe the inequality of people taken at their region's mean; unweighted ones that of regions:
    both are given, because they answer different questions. The map shows each region's part in the change of
    Theil's T between two years, p (r ln r - r + 1) with r = value / mean: it is never negative in one year, and its
    changes sum to the change of T.

    Parameters
    ----------
    regions : polygons
        Regions, indexed by the codes of the panel.
    panel : table
        Indicators by region and year, in one set of boundaries.
    indicator : str
        Per-head indicator, above 0.
    population : str
        Indicator of inhabitants, the weight.
    group : str
        Column of regions with their group (macro-region), for the within/between split.
    first_year : int
        First year of the series.
    last_year : int
        Last year of the series.
    since : int
        Year from which the change is told on the map; the year before last_year when left out.
    """
    from kazgeo.analyses.outcome import Outcome, names_of
    from kazgeo.disparity import inequality_by_year, theil_change
    from kazgeo.errors import InputError
    from kazgeo.messages import Message

    start = since if since is not None else last_year - 1
    if not first_year <= start < last_year:
        raise InputError(f"inequality: wanted first_year <= since < last_year; got {first_year}, {start}, {last_year}")
    some = of_years(panel, regions, first_year, last_year, "inequality")
    known = some[indicator].notna() & some[population].notna()
    have = some.index.get_level_values("region")[known].unique()
    if len(have) < 2:
        raise InputError(
            f"inequality wants at least 2 regions with '{indicator}' and '{population}' from {first_year} to "
            f"{last_year}; got {len(have)}"
        )
    missing = [r for r in regions.index if r not in have]
    table = inequality_by_year(
        some[indicator], population=some[population], groups=regions[group] if group is not None else None
    )
    if not {start, last_year} <= set(table.index[table["n_weighted"] > 1]):
        raise InputError(f"inequality: '{indicator}' has no figures for {start} or {last_year}")
    moved = theil_change(
        *(some[indicator].xs(y, level="year") for y in (start, last_year)),
        *(some[population].xs(y, level="year") for y in (start, last_year)),
    )
    layer = regions.copy()
    layer[f"{indicator}_to_mean"] = 100 * moved.units["ratio_after"].reindex(layer.index)
    layer["theil_distance"] = moved.units["distance_after"].reindex(layer.index)
    layer["theil_distance_change"] = moved.units["distance_change"].reindex(layer.index)
    names = names_of(regions)
    findings = [*_course(table, first_year, last_year), *_movers(moved, names, start, last_year)]
    findings += _nominal(some[indicator], names, start, last_year)
    if missing:
        lost = tuple(names[r] for r in missing)
        findings.append(Message("Regions without figures: {n}: {regions}.", {"n": len(missing), "regions": lost}))
    return Outcome(
        tuple(findings),
        layer=layer,
        tables={"by_year": table, "movers": moved.to_frame()},
        numbers={
            "theil_first": float(table["theil_weighted"].iloc[0]),
            "theil_last": float(table["theil_weighted"].iloc[-1]),
            "gini_last": float(table["gini_weighted"].iloc[-1]),
        },
        style=_change_style(moved.units["distance_change"]),  # type: ignore[arg-type]
        fields=_fields(indicator),  # type: ignore[arg-type]
        charts=_charts(table, moved, names, group is not None),  # type: ignore[arg-type]
        dropped=moved.dropped,
    )


def _course(table: pd.DataFrame, first: int, last: int) -> list[Message]:
    """Say how the disparity moved over the years, weighted and unweighted."""
    from kazgeo.messages import Message, Num

    t, u = table["theil_weighted"], table["theil"]
    out = [
        Message(
            "Disparity between regions (Theil, weighted by population) went from {a} in {first} to {b} in {last}; its"
            " highest value was {top} in {top_year}. Unweighted: {ua} to {ub}.",
            {
                "a": Num(float(t.iloc[0]), 3),
                "first": str(first),
                "b": Num(float(t.iloc[-1]), 3),
                "last": str(last),
                "top": Num(float(t.max()), 3),
                "top_year": str(t.idxmax()),
                "ua": Num(float(u.iloc[0]), 3),
                "ub": Num(float(u.iloc[-1]), 3),
            },
        )
    ]
    if "theil_between" in table.columns and table.loc[last, "theil_weighted"] > 0:
        now = table.loc[last]
        out.append(
            Message(
                "In {year}, {share} of it lay between the groups of regions and the rest within them.",
                {"year": str(last), "share": Num(100 * now["theil_between"] / now["theil_weighted"], 0, "%")},
            )
        )
    return out


def _movers(moved: object, names: dict[Any, Names], start: int, last: int) -> list[Message]:
    """Say which regions moved Theil's T most, and which way."""
    from kazgeo.messages import Message, Num

    change = moved.to_frame()["distance_change"]  # type: ignore[attr-defined]
    total = moved.change  # type: ignore[attr-defined]
    same = change[(change * total) > 0].head(3)
    listed = tuple(Message("{name} {part}", {"name": names[i], "part": Num(float(v), 3)}) for i, v in same.items())
    template = (
        "From {start} to {last} it rose by {change}; most of that came from {who}."
        if total > 0
        else "From {start} to {last} it fell by {change}; most of that came from {who}."
    )
    return [Message(template, {"start": str(start), "last": str(last), "change": Num(abs(total), 3), "who": listed})]


def _nominal(x: pd.Series, names: dict[Any, Names], start: int, last: int) -> list[Message]:
    """Say whose own figure fell, for a falling disparity can mean that the rich fell."""
    from kazgeo.messages import Message, Num

    growth = 100 * (x.xs(last, level="year") / x.xs(start, level="year") - 1)
    fell = growth[growth < 0].sort_values()
    if not len(fell):
        return []
    listed = tuple(Message("{name} {part}", {"name": names[i], "part": Num(float(v), 1, "%")}) for i, v in fell.items())
    return [
        Message(
            "Regions where the indicator itself fell from {start} to {last}: {n} of {total}: {who}.",
            {"start": str(start), "last": str(last), "n": len(fell), "total": int(growth.notna().sum()), "who": listed},
        )
    ]


def _change_style(change: pd.Series) -> object:
    """Return a diverging style around 0."""
    import math

    from kazgeo.style import graduated

    top = float(change.abs().max())
    step = 10 ** math.floor(math.log10(top / 2)) if top > 0 else 1e-3
    middle = next((m * step for m in (1, 2, 5) if 4 * m * step >= top), 10 * step)
    limits = [-math.inf, -2 * middle, -middle / 2, middle / 2, 2 * middle, math.inf]
    colors = ["#2166ac", "#92c5de", "#f7f7f7", "#f4a582", "#b2182b"]
    digits = max(0, -math.floor(math.log10(middle / 2)) + 1) if middle else 3
    title = "part in the change of disparity (Theil)"
    return graduated("theil_distance_change", title, limits, colors, decimals=min(digits, 6))


def _fields(indicator: str) -> tuple[object, ...]:
    from kazgeo.style import TooltipField

    return (
        TooltipField(f"{indicator}_to_mean", "value, national mean = 100", "%", 0),
        TooltipField("theil_distance", "part in the disparity (Theil)", "", 4),
    )


def _charts(table: pd.DataFrame, moved: object, names: dict[Any, Names], grouped: bool) -> tuple[object, ...]:
    from kazgeo.style import Chart

    columns = {
        "theil_weighted": "Theil, weighted by population",
        "theil": "Theil, unweighted",
        "gini_weighted": "Gini, weighted by population",
        "gini": "Gini, unweighted",
        "williamson": "Williamson's coefficient",
    }
    if grouped:
        columns["theil_between"] = "Theil between groups"
    change = moved.units["distance_change"]  # type: ignore[attr-defined]
    return (
        Chart(
            "lines",
            table[list(columns)],
            "Inequality between regions",
            "index",
            tuple(columns.items()),
            ("theil_weighted", "williamson"),
        ),
        Chart("bars", change, "Part of each region in the change of Theil's T", "T", tuple(names.items())),
    )


@analysis(
    "Disparity",
    Output("by_year", "table", "Disparity in published and in harmonised boundaries", ("year",)),
    Output("jump_raw", "number", "Change of Theil across the reform, as published"),
    Output("jump_harmonised", "number", "Change of Theil across the reform, harmonised"),
    Output("jump_weighted_raw", "number", "Change of weighted Theil across the reform, as published"),
    Output("jump_weighted_harmonised", "number", "Change of weighted Theil across the reform, harmonised"),
    tags=("MAUP", "reform", "Theil"),
)
def boundary_effect(
    panel: Panel,
    reforms: Reforms,
    metadata: Metadata,
    indicator: Annotated[str, Field("panel")],
    population: Annotated[str, Field("panel")],
    *,
    vintage: Annotated[int, Number(1991, 2100)] = 2009,
    reform_year: Annotated[int, Number(1991, 2100)] = 2018,
    first_year: Annotated[int, Number(1900, 2100)],
    last_year: Annotated[int, Number(1900, 2100)],
) -> Outcome:
    """How much of a change in disparity is only a change of boundaries.

    The same indicator is measured in the boundaries as published and in those of one year. What differs between the
    two is an artefact of the reform, not a change in people's lives.

    Parameters
    ----------
    panel : table
        Indicators by region and year, with the codes of the year they were published for.
    reforms : table
        Reforms of boundaries: date, old code, new code.
    metadata : table
        Meaning of the indicators: aggregation and weight.
    indicator : str
        Per-head indicator, above 0.
    population : str
        Indicator of inhabitants, the weight.
    vintage : int
        Year at whose end the wanted boundaries were in force.
    reform_year : int
        First year that is published in the new boundaries.
    first_year : int
        First year of the series.
    last_year : int
        Last year of the series.
    """
    import pandas as pd

    from kazgeo.disparity import inequality_by_year
    from kazgeo.errors import InputError
    from kazgeo.indicators import harmonise
    from kazgeo.kato import COUNTRY_CODE

    if not first_year < reform_year <= last_year:
        raise InputError(
            "boundary_effect: wanted first_year < reform_year <= last_year; "
            f"got {first_year}, {reform_year}, {last_year}"
        )
    at = panel.index
    years = at.get_level_values("year")
    here = (at.get_level_values("region") != COUNTRY_CODE) & (years >= first_year) & (years <= last_year)
    raw = panel.loc[here, list(dict.fromkeys([indicator, population]))]
    same = harmonise(raw, vintage, reforms=reforms, metadata=metadata).panel
    # a figure may be published for the whole when its population already is for the parts
    raw = raw.assign(
        **{population: raw[population].where(raw[population].notna(), same[population].reindex(raw.index))}
    )
    columns: dict[str, pd.Series] = {}
    for name, data in (("raw", raw[raw[indicator].notna()]), ("harmonised", same[same[indicator].notna()])):
        rows = {int(y): inequality_by_year(part[indicator], population=part[population]).iloc[0]
                for y, part in data.groupby(level="year")}  # fmt: skip
        found = pd.DataFrame(rows, index=["theil", "theil_weighted", "max_min"]).T.rename_axis("year")
        columns |= {
            f"regions_{name}": data[indicator].groupby(level="year").size(),
            f"theil_{name}": found["theil"],
            f"theil_weighted_{name}": found["theil_weighted"],
            f"max_min_{name}": found["max_min"],
        }
    table = pd.DataFrame(columns)
    both = table.reindex([reform_year - 1, reform_year])
    if both.isna().any(axis=None):
        raise InputError(
            f"boundary_effect: '{indicator}' and '{population}' are wanted for {reform_year - 1} and {reform_year}; "
            "at least one year is missing"
        )
    return _boundary_outcome(table, reform_year)


def _boundary_outcome(table: pd.DataFrame, year: int) -> Outcome:
    """Say what part of the change across the reform is an artefact."""
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Num, Term
    from kazgeo.style import Chart

    jump = table.loc[year] - table.loc[year - 1]
    kinds = (("theil_weighted", "weighted by population"), ("theil", "unweighted"))
    findings = [
        Message(
            "From {before} to {year} Theil's T ({label}) changed by {raw} as published and by {same} in harmonised"
            " boundaries; the difference is the reform.",
            {
                "before": str(year - 1),
                "year": str(year),
                "label": Term(label),
                "raw": Num(float(jump[f"{kind}_raw"]), 4),
                "same": Num(float(jump[f"{kind}_harmonised"]), 4),
            },
        )
        for kind, label in kinds
    ]
    labels = (
        ("theil_weighted_raw", "as published, weighted"),
        ("theil_weighted_harmonised", "harmonised, weighted"),
        ("theil_raw", "as published, unweighted"),
        ("theil_harmonised", "harmonised, unweighted"),
    )
    numbers = {
        f"jump_{kind}": float(jump[f"theil_{kind}"])
        for kind in ("raw", "harmonised", "weighted_raw", "weighted_harmonised")
    }
    title = "Theil's T in published and in harmonised boundaries"
    strong = ("theil_weighted_harmonised", "theil_harmonised")
    chart = Chart("lines", table[[c for c, _ in labels]], title, "T", labels, strong)
    return Outcome(tuple(findings), tables={"by_year": table}, numbers=numbers, charts=(chart,))
