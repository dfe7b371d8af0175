"""Preparing figures: boundaries carried across reforms, rates, one indicator on the map, roads from a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import (
    AnyTable,
    Edges,
    Field,
    Metadata,
    Nodes,
    Number,
    Output,
    Panel,
    Reforms,
    Regions,
    Scheme,
)
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome


@analysis(
    "Preparation",
    Output("panel", "table", "Harmonised panel", like="panel"),
    Output("merged", "table", "What was merged", ("region", "year", "indicator", "parts", "rule")),
    Output("figures_merged", "number", "Figures put together"),
    Output("figures_missing", "number", "Figures that stay missing"),
    tags=("boundaries", "reform", "time series"),
)
def harmonise(
    panel: Panel,
    reforms: Reforms,
    metadata: Metadata,
    *,
    vintage: Annotated[int, Number(1991, 2100)] = 2009,
    progress: Progress = silent,
) -> Outcome:
    """Carry indicators across reforms of boundaries, so that a series is comparable over the years.

    Counts are summed, rates and per-head values averaged with the weight that the metadata names. What doesn't nest
    is refused, and everything that was merged is told.

    Parameters
    ----------
    panel : table
        Indicators by region and year, with the codes of the year they were published for.
    reforms : table
        Reforms of boundaries: date, old code, new code.
    metadata : table
        Meaning of the indicators: aggregation (sum or mean) and weight.
    vintage : int
        Year at whose end the wanted boundaries were in force.
    """
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.indicators import harmonise as carry
    from kazgeo.kato import COUNTRY_CODE
    from kazgeo.messages import Message

    progress(0.1, "boundaries")
    regions_only = panel[panel.index.get_level_values("region") != COUNTRY_CODE]
    known = regions_only[[c for c in regions_only.columns if c in metadata]]
    done = carry(known, vintage, reforms=reforms, metadata=metadata)
    kept = sorted(set(done.panel.index.get_level_values("region")))
    findings = [
        Message(
            "In the boundaries of {year}: {n} figures, regions: {regions}; put together from parts: {merged}.",
            {
                "n": int(done.panel.notna().sum().sum()),
                "regions": len(kept),
                "year": str(vintage),
                "merged": len(done.merged),
            },
        )
    ]
    if len(done.missing):
        findings.append(Message("Figures that stay missing because a part is missing: {n}.", {"n": len(done.missing)}))
    strange = [c for c in panel.columns if c not in metadata]
    if strange:
        findings.append(Message("Left out for want of metadata: {names}.", {"names": ", ".join(strange)}))
    return Outcome(
        tuple(findings),
        panel=done.panel,
        tables={"merged": done.merged, "missing": done.missing},
        numbers={"figures_merged": len(done.merged), "figures_missing": len(done.missing)},
    )


@analysis(
    "Preparation",
    Output("panel", "table", "Panel with the rate", ("{name}",), like="panel"),
    tags=("per head", "per capita"),
)
def rate(
    panel: Panel,
    numerator: Annotated[str, Field("panel")],
    denominator: Annotated[str, Field("panel")],
    *,
    name: str,
    per: Annotated[float, Number(1e-6, 1e9)] = 1.0,
) -> Outcome:
    """Add a rate to the panel, for instance doctors per 10,000 inhabitants.

    Where either figure is missing or the denominator isn't positive, the rate is missing.

    Parameters
    ----------
    panel : table
        Indicators by region and year.
    numerator : str
        Indicator above the line.
    denominator : str
        Indicator below the line.
    name : str
        Name of the new indicator, in English letters without spaces.
    per : float
        Multiplier, for instance 10000.
    """
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.errors import InputError
    from kazgeo.indicators import rate as divide
    from kazgeo.messages import Message, Term

    if not (name.isascii() and name.replace("_", "a").isalnum()):
        raise InputError(f"rate: parameter 'name' must be ASCII letters, digits and _; got {name!r}")
    if name in panel.columns:
        raise InputError(f"rate: the panel already has a column '{name}'; choose another name")
    made = divide(panel, numerator, denominator, per=per)
    finding = Message("Figures of the indicator {name}: {n}.", {"name": Term(name), "n": int(made.notna().sum())})
    return Outcome((finding,), panel=panel.assign(**{name: made}))


@analysis(
    "Preparation",
    Output("layer", "vector", "Indicator on the map", ("{indicator}", "{indicator}_rank"), like="regions"),
    tags=("choropleth", "thematic map"),
)
def indicator_map(
    regions: Regions,
    panel: Panel,
    indicator: Annotated[str, Field("panel")],
    *,
    year: Annotated[int, Number(1900, 2100)],
    since: Annotated[int, Number(1900, 2100)] | None = None,
    title: str = "",
    unit: str = "",
    scheme: Scheme = Scheme.QUANTILES,
    classes: Annotated[int, Number(2, 9)] = 5,
    decimals: Annotated[int, Number(0, 6)] = 0,
) -> Outcome:
    """Show one indicator on the map, for one year or as a series with common classes.

    Joined by code, never by name or position; regions without a figure and figures without a region are counted.

    Parameters
    ----------
    regions : polygons
        Regions, indexed by the codes of the panel.
    panel : table
        Indicators by region and year.
    indicator : str
        Indicator to show.
    year : int
        Year of the map.
    since : int
        First year of a series that ends with year; the classes are then common to all years.
    title : str
        Legend title; the indicator's name when empty.
    unit : str
        Unit in the legend.
    scheme : Scheme
        How class breaks are chosen: quantiles, equal widths, natural breaks, or round numbers.
    classes : int
        Number of classes.
    decimals : int
        Digits after the decimal sign in the legend.
    """
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.errors import InputError, listing
    from kazgeo.messages import Message, Num
    from kazgeo.style import YELLOW_RED, TooltipField, breaks, graduated, shades

    years = list(range(since if since is not None else year, year + 1))
    series = panel[indicator].unstack("year").reindex(columns=years)
    if not years or series[year].notna().sum() == 0:
        have = sorted(panel[indicator].dropna().index.get_level_values("year").unique())
        raise InputError(f"indicator_map: '{indicator}' has no figure for {year}; it has {listing(have, 30)}")
    values = series.reindex(regions.index)
    layer = regions.copy()
    layer[indicator] = values[year]
    layer[f"{indicator}_rank"] = values[year].rank(ascending=False, method="min")
    limits = breaks(values.stack() if len(years) > 1 else values[year], scheme, classes)
    colors = shades(YELLOW_RED, len(limits) - 1)
    label = title or indicator

    def style(column: str) -> object:
        return graduated(column, label, limits, colors, unit=unit, decimals=decimals)

    if len(years) > 1:
        for y in years:
            layer[f"{indicator}_{y}"] = values[y]
    names, ranked = names_of(layer), values[year].dropna().sort_values()
    findings = [
        Message(
            "{year}: from {low} ({low_name}) to {high} ({high_name}).",
            {
                "year": str(year),
                "low": Num(float(ranked.iloc[0]), decimals, unit),
                "low_name": names[ranked.index[0]],
                "high": Num(float(ranked.iloc[-1]), decimals, unit),
                "high_name": names[ranked.index[-1]],
            },
        )
    ]
    dropped = _unmatched(layer.index, values[year], series.index)
    return Outcome(
        (*findings, *told(dropped)),
        layer=layer,
        style=style(indicator),  # type: ignore[arg-type]
        by_year=tuple((y, style(f"{indicator}_{y}")) for y in years) if len(years) > 1 else (),  # type: ignore[misc]
        fields=(TooltipField(f"{indicator}_rank", "rank (1 = highest)"),),
        dropped=dropped,
        numbers={"regions": len(ranked), "lowest": float(ranked.iloc[0]), "highest": float(ranked.iloc[-1])},
    )


def _unmatched(units: pd.Index, values: pd.Series, panel_units: pd.Index) -> pd.DataFrame:
    """Return regions without a figure and figures without a region."""
    import pandas as pd

    from kazgeo.kato import COUNTRY_CODE

    lost = [(u, "no figure for this region") for u in units[values.isna()]]
    lost += [(u, "no region on the map for this figure") for u in panel_units if u not in units and u != COUNTRY_CODE]
    return pd.DataFrame(lost, columns=["unit", "reason"])


@analysis(
    "Preparation",
    Output("layer", "vector", "Count and density", ("{count}", "area_km2", "density_per_km2"), like="regions"),
    Output("total", "number", "Total count"),
    Output("median_density", "number", "Median density, per km2"),
    tags=("population density", "choropleth"),
)
def density(
    regions: Regions,
    figures: AnyTable,
    key: Annotated[str, Field("figures", numeric=False)],
    count: Annotated[str, Field("figures")],
    *,
    title: str = "",
) -> Outcome:
    """Join a count to regions by code and show its density per square kilometre.

    Areas are measured in an equal-area projection. Figures without a region and regions without a figure are counted.

    Parameters
    ----------
    regions : polygons
        Regions, indexed by code.
    figures : table
        Table with one row per region.
    key : str
        Column of codes.
    count : str
        Column of counts, for instance inhabitants.
    title : str
        Legend title; "density" when empty.
    """
    from kazgeo.analyses.outcome import Outcome, names_of, told, top
    from kazgeo.errors import InputError, listing, unknown
    from kazgeo.messages import Message, Num
    from kazgeo.parsing import parse_numbers
    from kazgeo.regions import area_km2
    from kazgeo.style import YELLOW_RED, TooltipField, graduated, shades

    for column in (key, count):
        if column not in figures.columns:
            raise unknown("column", column, figures.columns, "a column of figures")
    values = parse_numbers(figures[count]).set_axis(figures[key].astype("string").str.strip())
    nameless = int(values.index.isna().sum())
    values = values[values.index.notna()]
    twice = values.index[values.index.duplicated()].unique()
    if len(twice):
        raise InputError(f"density: codes are given more than once: {listing(twice)}")
    layer = regions.copy()
    layer[count] = values.reindex(layer.index.astype(str)).to_numpy(dtype=float)
    layer["area_km2"] = area_km2(regions)
    layer["density_per_km2"] = layer[count] / layer["area_km2"]
    limits = [0, 1, 3, 10, 30, 100, float("inf")]
    dropped = _unmatched(layer.index, layer[count], values.index)
    names = names_of(regions)
    listed = tuple(
        Message("{name} {density}", {"name": names[i], "density": Num(v, 2, "per km²")})
        for i, v in (-top(-layer["density_per_km2"], names, 3)).items()
    )
    findings = [
        Message(
            "Total {total}, regions with a figure: {n}; the median density is {median}.",
            {
                "total": Num(float(layer[count].sum())),
                "n": int(layer[count].notna().sum()),
                "median": Num(float(layer["density_per_km2"].median()), 1, "per km²"),
            },
        ),
        Message("Sparsest: {regions}.", {"regions": listed}),
        *told(dropped),
    ]
    if nameless:
        findings.append(Message("Rows of the table without a code, left out: {n}.", {"n": nameless}))
    return Outcome(
        tuple(findings),
        layer=layer,
        style=graduated("density_per_km2", title or "density", limits, shades(YELLOW_RED, 6), unit="per km²"),
        fields=(TooltipField(count, "count"), TooltipField("area_km2", "area", "km²")),
        dropped=dropped,
        numbers={
            "total": float(layer[count].sum()),
            "median_density": float(layer["density_per_km2"].median()),
        },
    )


@analysis(
    "Preparation",
    Output(
        "layer",
        "vector",
        "Road network",
        ("from_name", "to_name", "road", "class", "length_km", "speed_kmh", "time_min"),
        geometry="line",
    ),
    Output("length_km", "number", "Length of the network, km"),
    Output("components", "number", "Connected components"),
    tags=("roads", "graph", "edges", "nodes"),
)
def road_network(
    edges: Edges,
    nodes: Nodes,
    *,
    speeds_kmh: str = "international=90, republican=80",
) -> Outcome:
    """Make a road layer from tables of nodes and edges, with a speed for each class of road.

    The roads are drawn as straight lines between their nodes and carry their own lengths; travel times use these
    lengths, never the lines.

    Parameters
    ----------
    edges : table
        Edges: from_id, to_id, length_km, class.
    nodes : table
        Nodes: id, lon, lat.
    speeds_kmh : str
        Speed of each road class in km/h, for instance "international=90, republican=80".
    """
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Num
    from kazgeo.network import from_edges
    from kazgeo.style import categorical

    speed = parse_speeds(speeds_kmh)
    net = from_edges(edges, nodes, speed_kmh=speed)
    layer = net.edges().drop(columns=["start", "end", "length_m", "time_s"])
    for column in [c for c in ("road", "class", "from_name", "to_name", "surface", "confidence") if c in edges.columns]:
        layer[column] = edges[column].to_numpy()
    layer["length_km"] = net.length_m / 1000
    layer["speed_kmh"] = edges["class"].map(speed).to_numpy(dtype=float)
    layer["time_min"] = net.time_s / 60
    palette = ("#b30000", "#e6842a", "#7f7f7f", "#4d4d4d")
    kinds = [(c, f"{c} road", palette[min(i, 3)]) for i, c in enumerate(speed)]
    finding = Message(
        "The network has {n} edges and {km}; connected components: {parts}.",
        {"n": len(layer), "km": Num(layer["length_km"].sum(), 0, "km"), "parts": net.n_components},
    )
    return Outcome(
        (finding,),
        layer=layer,
        style=categorical("class", "class of road", kinds),
        numbers={"length_km": float(layer["length_km"].sum()), "components": net.n_components},
    )


def parse_speeds(text: str) -> dict[str, float]:
    """Return speed by road class from "class=speed, class=speed".

    Examples
    --------
    >>> parse_speeds("international=80, republican=70")
    {'international': 80.0, 'republican': 70.0}
    >>> parse_speeds("international")
    Traceback (most recent call last):
    kazgeo.errors.InputError: speeds_kmh: wanted class=speed, class=speed; got 'international'
    """
    from kazgeo.analyses.texts import named_numbers

    return named_numbers(text, "speeds_kmh", "class=speed, class=speed", most=300)
