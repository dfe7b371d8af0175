"""Short labels for forms: of parameters, one per name, because analyses share names; which are advanced; titles."""

from __future__ import annotations

__all__ = ["ADVANCED", "LABELS", "TITLES", "label", "title"]

#: Where the name itself doesn't make a label.
LABELS = {
    "access": "Column of access",
    "access_detour": "Detour factor of the way to the road",
    "access_limit_km": "Farthest way to a road",
    "access_speed_kmh": "Speed on the way to the road",
    "alpha": "Significance level",
    "alternative": "Departures from chance that count",
    "amount": "Column of opportunities",
    "around": "Second indicator, in the neighbours",
    "back": "Years before that count as neighbours",
    "beside_limit_km": "Farthest way from a road that is drawn",
    "beside_speed_kmh": "Speed beside the road",
    "bands": "Number of distances",
    "better": "What is better",
    "cap": "Limit of one class's term",
    "capacity": "Column of capacity",
    "cases": "Column of cases or values",
    "cell": "Form of the cells",
    "cell_km": "Side of a cell",
    "closed": "Closed areas",
    "chosen": "Column that tells which take part",
    "column": "Column to show",
    "constraint": "Sums that are given",
    "correction": "Correction for many tests",
    "count": "Column of counts",
    "cumulative": "Count all nearer pairs",
    "decay": "How weight falls with travel time",
    "decimals": "Digits after the decimal sign",
    "default_speed_kmh": "Speed where no column is named",
    "denominator": "Indicator below the line",
    "destination_field": "Column that tells destinations",
    "destination_values": "Values that make a destination",
    "distance_km": "Distance within which units are neighbours",
    "events": "Column of events",
    "exponent": "Power of the travel time",
    "fewest": "Least number of regions",
    "factors": "Speeds are multiplied by, by class of road",
    "figures": "Table of figures",
    "floor": "Column with a least sum per region",
    "floor_min": "Least sum per region",
    "group": "Column of the group of regions",
    "half_min": "Travel time of weight a half",
    "include_self": "Count the unit among its neighbours (Gi*)",
    "income": "Column of income",
    "indicator": "Indicator",
    "indicators": "Indicators",
    "k": "Number of nearest neighbours",
    "key": "Column of codes",
    "kind": "Column of kinds",
    "largest": "Largest share that a window holds",
    "legend": "Title of the legend",
    "length": "Column of road lengths, km",
    "level_threshold": "Level that counts as deprived",
    "limit_min": "Longest travel time",
    "line": "Standard of access",
    "logarithm": "Take the logarithm first",
    "marks": "Columns of marks (0 or 1)",
    "mass": "Column of mass",
    "metadata": "Meaning of the indicators",
    "method": "Method",
    "min_people": "Least inhabitants of a group",
    "min_points": "Least settlements of a group",
    "min_population": "Least inhabitants of a destination",
    "min_units": "Least units of a region",
    "min_years": "Least years of a region",
    "more_is_better": "Indicators where more is better",
    "more_is_worse": "Indicators where more is worse",
    "most": "Greatest number of regions",
    "name": "Name of the new indicator",
    "numerator": "Indicator above the line",
    "one_way": "Column of one-way roads",
    "overlap": "Ground that several centres reach",
    "opposite": "Column of the opposite mark",
    "own_min": "Time to cross one's own place",
    "panel": "Indicators by region and year",
    "peak": "Which peak of clustering",
    "per": "Multiplier",
    "permutations": "Random draws",
    "population": "Column of inhabitants",
    "power": "Exponent of the distance",
    "quantile": "Which part, from the lowest",
    "quantiles": "Number of equal parts",
    "reach_km": "How far a settlement reaches",
    "reform_year": "First year in the new boundaries",
    "reforms": "Reforms of boundaries",
    "region": "Column of the region",
    "relative": "Relative to the mean of each year",
    "road_class": "Column of the class of road",
    "scheme": "How class breaks are chosen",
    "season": "Season of the roads",
    "surface_field": "Column of the surface",
    "seasonal": "Column of the months in which roads are open",
    "second": "Second indicator",
    "since": "Since year",
    "sources": "Sources line",
    "speed": "Column of speeds, km/h",
    "speeds_kmh": "Speed of each road class, km/h",
    "standard_min": "Travel time that is near enough",
    "tau_min": "Travel time as bad as the mean crowd",
    "thresholds": "Least inhabitants of the classes of centres",
    "thresholds_min": "Times for the table of shares, min",
    "times_min": "Times of the rings, min",
    "tolerance_m": "Gaps narrower than this are closed",
    "travel": "To the facilities or from them",
    "units": "Regions or settlements",
    "vintage": "Boundaries of the year",
    "weight": "Column to add up",
    "window": "Form of the windows",
    "zones": "Number of regions",
}

#: Parameters that most users leave as they are.
ADVANCED = frozenset(
    {"access_detour", "access_speed_kmh", "alternative", "alpha", "back", "cap", "cumulative", "decimals",
     "include_self", "level_threshold", "min_years", "own_min", "peak", "permutations", "power", "seed", "tau_min",
     "tolerance_m"}
)  # fmt: skip

#: Names of analyses in menus, where the id itself doesn't make one.
TITLES = {
    "access_inequality": "Inequality of access",
    "aggregate_points": "Points counted in cells",
    "bivariate_moran": "Bivariate clusters (Moran, Lee)",
    "boundary_effect": "Effect of changed boundaries",
    "correlogram": "Autocorrelation by distance",
    "density": "Count and density",
    "density_clusters": "Dense groups of settlements",
    "deprivation": "Deprivation and typology",
    "emerging_hot_spots": "Emerging hot spots",
    "facility_access": "Access to facilities of all kinds",
    "floating_catchment": "Supply per head (floating catchments)",
    "getis_ord": "Hot and cold spots (Getis-Ord Gi*)",
    "global_autocorrelation": "Autocorrelation of the whole map",
    "gravity_flows": "Flows between settlements and centres",
    "harmonise": "Harmonise indicators across reforms",
    "inequality": "Inequality of regions",
    "join_counts": "Join counts of kinds",
    "local_geary": "Local Geary clusters",
    "local_join_count": "Clusters of marks (local join count)",
    "local_lee": "Local Lee clusters",
    "local_moran": "Local Moran clusters",
    "local_moran_change": "Clusters of change (differential Moran)",
    "local_moran_rate": "Clusters of rates (empirical Bayes)",
    "losh": "Local variety (LOSH)",
    "market_potential": "Market potential",
    "moran_by_year": "Moran's I by year",
    "neighbour_match": "Neighbours on the map and in kind",
    "opportunities": "Opportunities in reach",
    "optimized_hot_spots": "Hot spots at the best distance",
    "quantile_lisa": "Clusters of a quantile",
    "rate": "Rate of two indicators",
    "regionalize": "Regions of like neighbours",
    "remoteness": "Remoteness of settlements",
    "scan_statistic": "Scan statistic (Kulldorff)",
    "suggest_regions": "Number of regions",
    "single_roads": "Settlements on a single road",
    "season_effect": "Seasons, floods and slower roads",
    "surface": "Surface between settlements",
    "travel_time": "Travel time to the nearest centre",
    "travel_time_matrix": "Table of travel times",
}


def title(analysis: str) -> str:
    """Return the English name of an analysis.

    Examples
    --------
    >>> title("getis_ord"), title("web_map")
    ('Hot and cold spots (Getis-Ord Gi*)', 'Web map')
    """
    return TITLES.get(analysis, analysis.replace("_", " ").capitalize())


def label(name: str) -> str:
    """Return the English label of a parameter.

    Examples
    --------
    >>> label("k"), label("first_year")
    ('Number of nearest neighbours', 'First year')
    """
    return LABELS.get(name, name.replace("_", " ").capitalize())
