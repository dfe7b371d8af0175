"""Whether like is next to like over the whole map: one figure for a map, by kind, by distance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Number, Output, Units
from kazgeo.analyses.options import WholeTest, near, whole_options
from kazgeo.analyses.significance import few, structure, values_of
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.autocorrelation.whole import WholeMap
    from kazgeo.messages import Message
    from kazgeo.style import Chart


@analysis(
    "Clusters",
    Output("statistics", "table", "Statistics of the whole map", ("statistic", "value", "expected", "z", "p")),
    Output("moran", "number", "Moran's I"),
    Output("p", "number", "p of Moran's I"),
    tags=("Moran's I", "Geary's C", "Getis-Ord G", "spatial autocorrelation", "global"),
)
def global_autocorrelation(
    units: Units,
    indicator: Annotated[str, Field("units")],
    *,
    logarithm: bool = False,
    progress: Progress = silent,
    **options: Unpack[WholeTest],
) -> Outcome:
    """Global autocorrelation: Moran's I, Geary's C and, for values of at least 0, Getis and Ord's G.

    Moran's I answers to likeness of neighbours, Geary's C more to single large differences, G to whether high values or
    low ones lie together. p is by permutation; the three are not independent of each other. G is always that of the
    plain values.

    Parameters
    ----------
    units : polygons or points
        Regions or settlements with a unique id.
    indicator : str
        Column of the values.
    logarithm : bool
        Take the natural logarithm first, for skewed money values.
    """
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.autocorrelation import geary, general_g, moran

    values, weights = values_of(units, indicator, logarithm), near(units, options)
    first = moran(values, weights, progress=part(progress, 0.0, 0.4), **whole_options(options))
    done: dict[str, WholeMap] = {"Moran's I": first}
    done["Geary's C"] = geary(values, weights, progress=part(progress, 0.4, 0.7), **whole_options(options))
    plain = values_of(units, indicator, False)
    if plain.min() >= 0 and (plain > 0).sum() > 1:
        done["Getis-Ord G"] = general_g(plain, weights, progress=part(progress, 0.7, 1.0), **whole_options(options))
    rows = [
        {
            "statistic": name, "value": one.value, "expected": one.expected, "z": one.z_randomization,
            "p_randomization": one.p_randomization, "p": one.p, "n": one.n,
        }
        for name, one in done.items()
    ]  # fmt: skip
    return Outcome(
        (*_sentence(first), *few(first.n), *structure(weights), *told(first.dropped)),
        tables={"statistics": pd.DataFrame(rows)},
        numbers={"moran": first.I, "p": first.p},
        charts=_scatter(values, weights, first.I, units),
        dropped=first.dropped,
        seed=first.seed,
    )


def _sentence(done: Any) -> list[Message]:
    from kazgeo.messages import Message, Num

    known = {"i": Num(done.I, 3), "mean": Num(done.expected, 3), "p": Num(done.p, 4), "n": done.n}
    if math.isnan(done.p):
        return [Message("All values are the same: there is nothing to test.")]
    if done.p > 0.05:
        text = (
            "Moran's I is {i} (by chance {mean}; p {p}, units: {n}): no likeness of neighbours beyond chance is shown."
        )
    elif done.z_randomization > 0:
        text = "Moran's I is {i} (by chance {mean}; p {p}, units: {n}): neighbours are more alike than by chance."
    else:
        text = "Moran's I is {i} (by chance {mean}; p {p}, units: {n}): neighbours differ more than by chance."
    return [Message(text, known)]


def _scatter(values: pd.Series, weights: Any, slope: float, units: pd.DataFrame) -> tuple[Chart, ...]:
    """Return Moran's scatter plot: standardised value against the mean of the neighbours'."""
    import pandas as pd

    from kazgeo.analyses.outcome import names_of
    from kazgeo.style import Chart

    known = values.dropna()
    spread = known.std(ddof=0)
    if math.isnan(slope):
        return ()
    own = (known - known.mean()) / spread
    around = weights.subset(known.index).row_standardized()
    lag = pd.Series(around.matrix @ own.to_numpy(), index=known.index).where(around.cardinalities > 0)
    data = pd.DataFrame({"x": own, "y": lag})
    names = tuple((unit, name) for unit, name in names_of(units).items() if unit in known.index)
    chart = Chart(
        "scatter", data, "Moran's scatter plot", "mean of neighbours, standard deviations", names,
        across="own value, standard deviations", slope=slope,
    )  # fmt: skip
    return (chart,)


@analysis(
    "Clusters",
    Output("joins", "table", "Joins between kinds", ("one", "other", "joins", "expected", "z", "p")),
    tags=("join count", "categories", "land use", "contagion"),
)
def join_counts(
    units: Units,
    kind: Annotated[str, Field("units", numeric=False)],
    *,
    progress: Progress = silent,
    **options: Unpack[WholeTest],
) -> Outcome:
    """Join counts: whether units of one kind are neighbours more often than by chance, for kinds without order.

    For marks such as poor or not, urban or rural, natural zone. The numbers of units of each kind are given; chance
    deals them over the map.

    Parameters
    ----------
    units : polygons or points
        Regions or settlements with a unique id.
    kind : str
        Column of the kinds, at most 50 different ones.
    """
    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.autocorrelation import join_counts as count
    from kazgeo.errors import InputError

    weights, kinds = near(units, options), units[kind].dropna()
    if len(kinds) > 1 and kinds.is_unique:
        raise InputError(f"join_counts: kind wants a column of kinds that units share; in '{kind}' no two are alike")
    done = count(units[kind], weights, progress=progress, **whole_options(options))
    table = done.to_frame()
    return Outcome(
        (*_joined(table), *few(done.n), *structure(weights), *told(done.dropped)),
        tables={"joins": table.astype({"one": str, "other": str})},
        dropped=done.dropped,
        seed=done.seed,
    )


def _joined(table: pd.DataFrame) -> list[Message]:
    """Say which kinds have more neighbours of their own than by chance, and which fewer."""
    from kazgeo.messages import Message, Num

    alike = table[(table["one"].astype(str) == table["other"].astype(str)) & (table["one"] != "different")]
    sure = alike[alike["p"] <= 0.05]
    more = "Kinds with more neighbours of their own than by chance (p of at most 0.05, not corrected): {kinds}."
    fewer = "Kinds with fewer neighbours of their own than by chance (p of at most 0.05, not corrected): {kinds}."
    out = []
    for text, some in ((more, sure[sure["z"] > 0]), (fewer, sure[sure["z"] < 0])):
        said = tuple(
            Message(
                "{kind}: {joins} joins, {expected} by chance (p {p})",
                {"kind": str(r.one), "joins": Num(r.joins, 0), "expected": Num(r.expected, 1), "p": Num(r.p, 4)},
            )
            for r in some.itertuples()
        )
        if said:
            out.append(Message(text, {"kinds": said}))
    none = "No kind has more or fewer neighbours of its own than chance gives (kinds: {n})."
    return out or [Message(none, {"n": len(alike)})]


@analysis(
    "Clusters",
    Output("by_distance", "table", "Moran's I by distance", ("from_m", "to_m", "I", "expected", "z", "p", "n_pairs")),
    Output("peak_km", "number", "Distance at which clustering peaks, km"),
    tags=("incremental spatial autocorrelation", "distance band", "peak"),
)
def correlogram(
    units: Units,
    indicator: Annotated[str, Field("units")],
    *,
    logarithm: bool = False,
    bands: Annotated[int, Number(2, 100)] = 10,
    cumulative: bool = True,
    permutations: Annotated[int, Number(99, 999_999)] = 999,
    seed: int = 0,
    progress: Progress = silent,
) -> Outcome:
    """Correlogram: Moran's I by distance, and the distance at which clustering is most pronounced.

    Distances are great-circle between settlements, or between points inside regions. The peak is the first distance
    whose z-score is above those beside it and significant: a distance to start from, not a law.

    Parameters
    ----------
    units : polygons or points
        Regions or settlements with a unique id.
    indicator : str
        Column of the values.
    logarithm : bool
        Take the natural logarithm first, for skewed money values.
    bands : int
        Number of distances.
    cumulative : bool
        All nearer pairs count at each distance; otherwise only those farther than the distance before.
    permutations : int
        Random maps per distance.
    seed : int
        Gives the same numbers again.
    """
    import numpy as np

    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.autocorrelation import correlogram as by_distance
    from kazgeo.messages import Message, Num
    from kazgeo.style import Chart

    values = values_of(units, indicator, logarithm)
    done = by_distance(
        values, units, n_bands=bands, cumulative=cumulative, permutations=permutations, rng=seed, progress=progress
    )
    if np.isnan(done.peak_m):
        first = Message("Clustering has no significant peak within the distances tried (units: {n}).", {"n": done.n})
    else:
        peak = {"km": Num(done.peak_m / 1000, 0, "km"), "n": done.n}
        first = Message("Clustering is most pronounced within {km} (first peak; units: {n}).", peak)
    said = [first, *_by_distance(done.table), *few(done.n)]
    shown = done.table.set_index(done.table["to_m"] / 1000)[["I", "expected"]]
    names = (("I", "Moran's I"), ("expected", "by chance"))
    chart = Chart("lines", shown, "Moran's I by distance", "I", names, ("I",), across="distance, km")
    return Outcome(
        (*said, *told(done.dropped)),
        tables={"by_distance": done.table},
        numbers={"peak_km": done.peak_m / 1000},
        charts=(chart,),
        dropped=done.dropped,
        seed=seed,
    )


def _by_distance(table: pd.DataFrame) -> list[Message]:
    """Say how strong clustering is at the shortest distance, at how many it shows, and whether it peaks at an end."""
    from kazgeo.messages import Message, Num

    known = table.dropna(subset=["z"]).reset_index(drop=True)
    if not len(known):
        return []
    near = known.iloc[0]
    figures: dict[str, Any] = {
        "km": Num(near["to_m"] / 1000, 0, "km"), "i": Num(near["I"], 3), "p": Num(near["p"], 4),
        "n": int((known["p"] <= 0.05).sum()), "bands": len(known),
    }  # fmt: skip
    out = [
        Message(
            "At the shortest distance, {km}, Moran's I is {i} (p {p}); distances with p of at most 0.05, not corrected"
            " for their number: {n} of {bands}.",
            figures,
        )
    ]
    at = int(known["z"].argmax())
    if len(known) > 2 and at == 0:
        out.append(Message("z is largest at the first distance: clustering may be tighter than what was tried."))
    elif len(known) > 2 and at == len(known) - 1:
        out.append(Message("z is largest at the last distance: clustering may reach farther than what was tried."))
    return out
