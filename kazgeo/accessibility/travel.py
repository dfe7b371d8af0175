"""Travel times between places on a network: all of them, or those within a limit; what nodes can reach."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kazgeo.accessibility.times import TravelTimes
from kazgeo.errors import InputError, listing, positive_number
from kazgeo.labels import same_units
from kazgeo.network import Attached, Terminals
from kazgeo.progress import Progress, silent
from kazgeo.routing.along import along
from kazgeo.ties import rounded, upto

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["reachable_from_nodes", "travel_times"]


def travel_times(
    origins: Attached, destinations: Attached, *, limit_s: float | None = None, executor: Executor | None = None,
    progress: Progress = silent,
) -> TravelTimes:  # fmt: skip
    """Return the travel times from places to places, all or those within a limit.

    Assumption: travel takes the quickest route, the legs off the road included; travel between places at the same
    spot takes no time.
    Places that hang on the same edge meet along it.

    Parameters
    ----------
    origins, destinations : Attached
        Places tied to the same network; may be the same.
    limit_s : float, optional
        Seconds beyond which pairs are left out: bounded searches from the fewer side. Without it all pairs are
        computed, by a hierarchy that is made once for a network and weighted anew for every scenario.
    executor : Executor, optional
        Who does the work (processes, Dask); threads of this process by default.
    progress : Progress
        Reporter.

    Returns
    -------
    TravelTimes
        Pairs that can be reached; ``repr`` tells how many can't.

    Raises
    ------
    InputError
        Places on different networks, a limit that is negative, a matrix that would not fit in memory.

    References
    ----------
    Dibbelt, J., Strasser, B. and Wagner, D. (2016). Customizable contraction hierarchies. ACM Journal of Experimental
    Algorithmics 21, 1.5. https://doi.org/10.1145/2886843

    Examples
    --------
    >>> import geopandas
    >>> from kazgeo.network import attach, from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0, 73.0], "lat": [51.0] * 3}, index=list("abc"))
    >>> edges = pd.DataFrame({"from_id": ["a", "b"], "to_id": ["b", "c"], "length_km": [90.0, 90.0]})
    >>> at = geopandas.points_from_xy([71.0, 72.0, 73.0, 60.0], [51.0, 51.0, 51.0, 45.0])
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=["A", "B", "C", "far"], crs=4326)
    >>> tied = attach(from_edges(edges, nodes, speed_kmh=90), towns)
    >>> travel_times(tied, tied).to_dense().round().loc["A"].tolist()
    [0.0, 3600.0, 7200.0, nan]
    >>> travel_times(tied, tied, limit_s=3700)
    <TravelTimes: 4 origins, 4 destinations, 8 pairs, 0 to 3,600 s; searched to 3,700 s; 8 unreachable pairs>
    >>> travel_times(tied.take(tied.ids[:0]), tied), travel_times(tied, tied.take(tied.ids[:0]), limit_s=60).n_pairs
    (<TravelTimes: 0 origins, 4 destinations, 0 pairs>, 0)
    """
    if origins.network is not destinations.network:
        raise InputError("origins and destinations must be tied to the same network; attach both to one")
    if limit_s is not None:
        positive_number(limit_s, "limit_s", "seconds of at least 0", zero=True)
        return _within(origins, destinations, float(limit_s), executor, progress)
    from kazgeo.routing.hierarchy import matrix

    time = matrix(origins.network, origins.leaving(), destinations.arriving(), executor=executor, progress=progress)
    for pairs in along(origins, destinations):
        i, j = pairs.origin, pairs.destination
        time[i, j] = np.fmin(time[i, j], pairs.time_s)
    return TravelTimes.from_dense(pd.DataFrame(rounded(time), index=origins.ids, columns=destinations.ids, copy=False))


def _within(
    origins: Attached, destinations: Attached, limit_s: float, executor: Executor | None, progress: Progress
) -> TravelTimes:
    """Return the pairs within a limit by bounded searches from the fewer side."""
    from kazgeo.routing import search

    leave, arrive = origins.leaving(), destinations.arriving()
    back = len(arrive.node) <= len(leave.node)
    few, many = (arrive, leave) if back else (leave, arrive)
    first, who, side = _by_node(many, origins.network.n)
    rows, columns, times = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    found = search.reached(origins.network, few, upto(limit_s), reverse=back, executor=executor, progress=progress)
    for terminal, node, time in found:
        count = first[node + 1] - first[node]
        at = np.repeat(np.arange(len(node)), count)
        k = np.repeat(first[node], count) + np.arange(len(at)) - np.repeat(np.cumsum(count) - count, count)
        total = rounded(time[at] + many.offset_s[who[k], side[k]])
        ok = total <= upto(limit_s)
        rows.append(terminal[at][ok])
        columns.append(who[k][ok])
        times.append(total[ok])
    for pairs in along(origins, destinations):
        total = rounded(pairs.time_s)
        ok = total <= upto(limit_s)
        i, j = pairs.origin[ok], pairs.destination[ok]
        rows.append(j if back else i)
        columns.append(i if back else j)
        times.append(total[ok])
    few_at, many_at, time = np.concatenate(rows), np.concatenate(columns), np.concatenate(times)
    i, j = (many_at, few_at) if back else (few_at, many_at)
    order = np.lexsort((time, j, i))
    i, j, time = i[order], j[order], time[order]
    new = np.r_[True, (np.diff(i) != 0) | (np.diff(j) != 0)] if len(i) else np.empty(0, bool)
    pointer = np.r_[0, np.cumsum(np.bincount(i[new], minlength=len(origins.ids)))]
    return TravelTimes(origins.ids, destinations.ids, pointer, j[new], time[new], limit_s)


def _by_node(terminals: Terminals, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return, node after node, which terminals hang on it and by which side: pointer, terminals, sides."""
    who, side = np.nonzero(terminals.node >= 0)
    node = terminals.node[who, side]
    order = np.argsort(node, kind="stable")
    return np.r_[0, np.cumsum(np.bincount(node, minlength=n))], who[order], side[order]


def reachable_from_nodes(
    facilities: Attached, amounts: pd.DataFrame | pd.Series, thresholds_s: Sequence[float], *,
    executor: Executor | None = None, progress: Progress = silent,
) -> pd.DataFrame:  # fmt: skip
    """Return what can be reached from every node of the network within several times: cumulative opportunities.

    Assumption: what lies exactly on a threshold counts. One bounded search per facility against the roads serves all
    thresholds and all kinds of opportunities.

    Parameters
    ----------
    facilities : Attached
        Facilities tied to a network.
    amounts : Series or DataFrame
        What there is at every facility (jobs, beds), on its ids, one column per kind; missing counts as none.
    thresholds_s : sequence of float
        Seconds, increasing.
    executor : Executor, optional
        Who does the work.
    progress : Progress
        Reporter.

    Returns
    -------
    DataFrame
        On the nodes; columns (kind, threshold).

    Raises
    ------
    InputError
        Thresholds that don't increase or are negative, ids that differ, negative amounts, sums too large for memory.

    Examples
    --------
    >>> import geopandas
    >>> from kazgeo.network import attach, from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0, 73.0], "lat": [51.0] * 3}, index=list("abc"))
    >>> edges = pd.DataFrame({"from_id": ["a", "b"], "to_id": ["b", "c"], "length_km": [90.0, 90.0]})
    >>> at = geopandas.points_from_xy([71.0, 60.0], [51.0, 45.0])
    >>> clinics = geopandas.GeoDataFrame(geometry=at, index=["near", "far"], crs=4326)
    >>> tied = attach(from_edges(edges, nodes, speed_kmh=90), clinics)
    >>> beds = pd.DataFrame({"beds": [10.0, 99.0], "doctors": [2.0, None]}, index=clinics.index)
    >>> reachable_from_nodes(tied, beds, [1800, 3700])["beds"].values.tolist()
    [[10.0, 10.0], [0.0, 10.0], [0.0, 0.0]]
    >>> reachable_from_nodes(tied.take(tied.ids[:0]), beds.iloc[:0], [60])["doctors"].values.tolist()
    [[0.0], [0.0], [0.0]]
    """
    from kazgeo.routing import search

    cuts = np.asarray(thresholds_s, dtype=float)
    if not len(cuts) or not (np.isfinite(cuts).all() and cuts[0] >= 0 and (np.diff(cuts) > 0).all()):
        raise InputError(f"thresholds_s must be seconds of at least 0 that increase; got {list(thresholds_s)}")
    table = amounts.to_frame(amounts.name or "opportunities") if isinstance(amounts, pd.Series) else amounts
    same_units("amounts", table.index, "facilities", facilities.ids)
    table = table.reindex(facilities.ids).astype(float).fillna(0.0)
    bad = table.index[((table < 0) | np.isinf(table)).any(axis=1)]
    if len(bad):
        raise InputError(f"amounts must be finite numbers of at least 0; they are not at {listing(bad)}")
    found = search.tally(facilities.network, facilities.arriving(), table.to_numpy(), upto(cuts), executor=executor,
                         progress=progress)  # fmt: skip
    columns = pd.MultiIndex.from_product([table.columns, cuts], names=["kind", "threshold_s"])
    values = np.moveaxis(found, 0, 2).reshape(facilities.network.n, -1)
    return pd.DataFrame(values, index=facilities.network.nodes, columns=columns)
