"""How a scan goes: options checked, windows searched, draws searched again, clusters laid out as the result."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.significance import passes
from kazgeo.choices import Direction, Penalty, Secondary, Shape
from kazgeo.errors import InputError, choice, positive_integer, positive_number, probability, unknown
from kazgeo.hotspots.scan_likelihood import Likelihood
from kazgeo.hotspots.scan_windows import Fan, Units, fans, outlines
from kazgeo.parallel import pieces, run
from kazgeo.progress import Progress, part, silent
from kazgeo.seeds import seed_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SCAN_LABELS", "Plan", "Scan", "ScanOptions", "plan_of", "search", "unsearched"]

#: Every label a unit can have.
SCAN_LABELS = ("cluster-high", "cluster-low", "not significant", "undefined")
#: Numbers held at once for a fan of windows; decides memory and speed, never results.
TILE = 100_000
#: Numbers that one piece of work goes through (about 0.2 s).
PIECE = 20_000_000
#: Ratios closer than this, relative to the observed, are ties: differences below it are rounding.
TIE = 1e-9


class ScanOptions(TypedDict, total=False):
    """Keywords of every scan.

    shape : {"circular", "elliptic"}, circular by default
        "elliptic": the circles, and ellipses of axis ratio 1.5, 2, 3, 4, 5 at 4, 6, 9, 12, 15 angles: 47 times the
        work.
    penalty : {"none", "medium", "strong"}, medium by default
        Against long ellipses: the ratio is multiplied by 4 s / (s + 1)^2 to the power 0, 0.5, 1; of no effect on
        circles.
    direction : {"high", "low", "both"}, high by default
        More than expected, less, or either.
    secondary : {"no-overlap", "no-centers"}, no-overlap by default
        Further clusters share no unit with a more likely one, or only: neither holds the other's centre.
    permutations : int, 999 by default
        Draws m; the smallest p is 1 / (m + 1). One p answers for the whole map and no correction comes after it, so
        that the 999 of SaTScan suffice where tests of every unit take 9,999.
    alpha : float, 0.05 by default
        Level of the labels.
    rng : int, Generator or None
        Seed; the result stores it.
    executor : concurrent.futures.Executor or None
        Where draws are scanned; None: threads of this process. The numbers are the same everywhere.
    progress : Progress
        Called between pieces of work; when it raises, the work stops.
    """

    shape: Shape | str
    penalty: Penalty | str
    direction: Direction | str
    secondary: Secondary | str
    permutations: int
    alpha: float
    rng: int | np.random.Generator | None
    executor: Executor | None
    progress: Progress


@dataclass(frozen=True, eq=False, kw_only=True)
class Scan:
    """Clusters, most likely first, and what they say of every unit.

    Parameters
    ----------
    clusters : DataFrame
        Indexed by rank (1 = most likely): centre, n_units, radius_m, for ellipses also shape and angle_deg (radius_m is
        then the semi-major axis), observed, expected and relative_risk (normal model: mean_inside, mean_outside), llr,
        statistic (llr after the penalty of ellipses; decides rank and p), p, direction.
    members : mapping of int to list
        Units of each rank, nearest to the centre first.
    cluster : Series of Int64
        Rank of the most likely cluster a unit belongs to, significant or not; NA for none.
    label : Series of str
        "cluster-high" or "cluster-low" (p at most alpha), "not significant", "undefined".
    simulated : float array, shape (permutations,)
        Largest statistic of every draw.
    n_windows : int
        Different windows compared.
    permutations : int
        Draws m.
    alpha : float
        Level of ``label`` and ``n_significant``.
    seed : int
        Gives the same draws again.
    dropped : DataFrame
        Columns unit, reason: units set aside.
    options : mapping
        The other options of the call.
    """

    clusters: pd.DataFrame
    members: Mapping[int, list[Any]]
    cluster: pd.Series
    label: pd.Series
    simulated: NDArray[np.float64]
    n_windows: int
    permutations: int
    alpha: float
    seed: int
    dropped: pd.DataFrame
    options: Mapping[str, object]

    @property
    def n_significant(self) -> int:
        """Number of clusters with p at most alpha."""
        return int(passes(self.clusters["p"].to_numpy(), self.alpha).sum())

    @property
    def smallest_p(self) -> float:
        """The smallest p-value that so many draws can give."""
        return 1 / (self.permutations + 1)

    @property
    def cannot_pass(self) -> bool:
        """Whether no cluster could be significant, however extreme: too few draws."""
        return not bool(passes(np.array([self.smallest_p]), self.alpha)[0])

    @property
    def parameters(self) -> dict[str, object]:
        """The options of the call, plain values only."""
        return {"permutations": self.permutations, "alpha": self.alpha, "seed": self.seed, **self.options}

    def to_frame(self) -> pd.DataFrame:
        """Return cluster, p of that cluster (NaN for none) and label on the caller's index."""
        p = self.cluster.map(self.clusters["p"]).astype(np.float64)
        return pd.DataFrame({"cluster": self.cluster, "p": p, "label": self.label})


@dataclass(frozen=True)
class Plan:
    """Checked options."""

    share: float
    share_name: str
    shape: Shape
    penalty: Penalty
    direction: Direction
    secondary: Secondary
    permutations: int
    alpha: float
    seed: int
    executor: Executor | None
    progress: Progress

    @property
    def options(self) -> dict[str, object]:
        """What the result stores besides permutations, alpha and seed."""
        given = {"shape": self.shape, "penalty": self.penalty, "direction": self.direction, "secondary": self.secondary}
        return {self.share_name: self.share, **{name: member.value for name, member in given.items()}}


def plan_of(share: float, name: str, options: ScanOptions) -> Plan:
    """Check the options that all models share."""
    strange = [option for option in options if option not in ScanOptions.__annotations__]
    if strange:
        raise unknown("option", strange[0], ScanOptions.__annotations__, "one of a scan")
    most = positive_number(share, name, "above 0 and at most 0.5")
    if most > 0.5:
        hint = f" ({most:g} % is {most / 100:g})" if 1 <= most <= 50 else ""
        raise InputError(f"{name} must be above 0 and at most 0.5; got {share}{hint}")
    return Plan(
        share=most,
        share_name=name,
        shape=choice(Shape, options.get("shape", Shape.CIRCULAR), "shape"),
        penalty=choice(Penalty, options.get("penalty", Penalty.MEDIUM), "penalty"),
        direction=choice(Direction, options.get("direction", Direction.HIGH), "direction"),
        secondary=choice(Secondary, options.get("secondary", Secondary.NO_OVERLAP), "secondary"),
        permutations=positive_integer(options.get("permutations", 999), "permutations"),
        alpha=probability(options.get("alpha", 0.05), "alpha"),
        seed=seed_of(options.get("rng")),
        executor=options.get("executor"),
        progress=options.get("progress", silent),
    )


@dataclass(frozen=True, eq=False)
class _Found:
    """One cluster."""

    units: NDArray[np.int32]
    row: dict[str, object]


@dataclass(frozen=True, eq=False)
class _Told:
    """What the search gives: clusters, number of windows, largest statistic of each draw."""

    found: list[_Found]
    n_windows: int
    simulated: NDArray[np.float64]


def search(units: Units, model: Likelihood, plan: Plan) -> Scan:
    """Search the windows, deal and search again."""
    size = model.size
    forms = outlines(plan.shape, plan.penalty)
    around = fans(units.where, size, plan.share * float(size.sum()), forms, part(plan.progress, 0.0, 0.1))
    if not around:
        raise InputError(
            f"{plan.share_name} = {plan.share:g} leaves no window: every unit (or group of units at one place) holds "
            f"more than that share; raise {plan.share_name} or use smaller units"
        )
    simulated = _simulate(model, around, plan)
    found = _clusters(units, model, around, plan, simulated)
    plan.progress(1.0, "clusters")
    told = _Told(found, sum(len(fan.ends) for fan in around), simulated)
    return _result(units, told, plan, model.columns, defined=True)


def unsearched(units: Units, plan: Plan, columns: tuple[str, ...]) -> Scan:
    """Return the result where nothing varies: no cluster, and every unit undefined."""
    nothing = _Told([], 0, np.full(plan.permutations, np.nan))
    return _result(units, nothing, plan, columns, defined=False)


def _simulate(model: Likelihood, around: list[Fan], plan: Plan) -> NDArray[np.float64]:
    """Return the largest statistic of every draw, shape (permutations,)."""
    m = plan.permutations
    widths = np.array([len(fan.order) for fan in around])
    rows = int(np.clip(TILE / widths.mean(), 16, m))
    _, first = np.unique(widths.cumsum() * rows // PIECE, return_index=True)
    some = [around[start:stop] for start, stop in pairwise([*first, len(around)])]
    tasks = [(model, few, plan.direction, plan.seed, *draws) for draws in pieces(m, rows) for few in some]
    out = np.zeros(m)
    tell = part(plan.progress, 0.1, 0.95)
    for task, best in zip(tasks, run(_largest, tasks, plan.executor, tell, "permutations"), strict=True):
        mine = out[task[4] : task[5]]
        np.maximum(mine, best, out=mine)
    return out


def _largest(
    model: Likelihood, around: list[Fan], direction: Direction, seed: int, start: int, stop: int
) -> NDArray[np.float64]:
    """Return the largest statistic of some windows in the draws from start to stop, each dealt by its own number."""
    dealt = np.column_stack([model.deal(np.random.default_rng([seed, draw])) for draw in range(start, stop)])
    best = np.zeros(stop - start)
    for fan in around:
        ratio = model.llr(model.score(fan, dealt, direction).max(axis=0))
        np.maximum(best, fan.outline.weight * ratio, out=best)
    return best


def _clusters(
    units: Units, model: Likelihood, around: list[Fan], plan: Plan, simulated: NDArray[np.float64]
) -> list[_Found]:
    """Return the most likely window, then the most likely of those that may stand beside the ones before."""
    observed = model.observed[:, None]
    ratios = [model.llr(model.score(fan, observed, plan.direction)[:, 0]) for fan in around]
    found: list[_Found] = []
    taken = np.zeros(len(units.rows), dtype=bool)
    centres: list[int] = []
    while True:
        plan.progress(0.95, "clusters")
        best, at = 0.0, (-1, -1)
        for number, (fan, ratio) in enumerate(zip(around, ratios, strict=True)):
            free = _free(fan, taken, centres, plan.secondary)
            if free:
                window = int(np.argmax(ratio[:free]))
                if fan.outline.weight * ratio[window] > best:
                    best, at = float(fan.outline.weight * ratio[window]), (number, window)
        beaten = int((simulated >= best * (1 - TIE)).sum())
        if at[0] < 0 or (found and beaten == len(simulated)):
            return found
        fan, window = around[at[0]], at[1]
        members = fan.members(window)
        row = _row(units, model, fan, members)
        row |= {"llr": float(ratios[at[0]][window]), "statistic": best, "p": (beaten + 1) / (len(simulated) + 1)}
        row["direction"] = "high" if row.pop("excess") > 0 else "low"
        found.append(_Found(members, row))
        taken[members] = True
        centres.append(fan.centre)


def _free(fan: Fan, taken: NDArray[np.bool_], centres: list[int], rule: Secondary) -> int:
    """Return how many of the fan's windows, from the smallest, may stand beside the clusters before."""
    if rule is Secondary.NO_OVERLAP:
        blocked = taken[fan.order]
    elif taken[fan.centre]:
        return 0
    else:
        blocked = np.isin(fan.order, centres)
    first = int(np.argmax(blocked)) if blocked.any() else len(fan.order)
    return int(np.searchsorted(fan.ends, first))


def _row(units: Units, model: Likelihood, fan: Fan, members: NDArray[np.int32]) -> dict[str, Any]:
    """Return what the table says of one window."""
    inside = np.zeros(len(units.rows), dtype=bool)
    inside[members] = True
    return {
        "centre": units.ids[fan.centre],
        "n_units": len(members),
        "radius_m": units.where.radius_m(fan.centre, fan.outline, int(members[-1])),
        "shape": fan.outline.shape,
        "angle_deg": fan.outline.angle_deg,
        **model.describe(inside),
    }


def _result(units: Units, told: _Told, plan: Plan, columns: tuple[str, ...], *, defined: bool) -> Scan:
    """Lay the clusters out on the caller's index."""
    about = ["n_units", "radius_m", "shape", "angle_deg", *columns, "llr", "statistic", "p"]
    rows = [cluster.row for cluster in told.found]
    number = pd.RangeIndex(1, len(rows) + 1, name="rank")
    table = pd.DataFrame(rows, index=number, columns=["centre", *about, "direction"])
    if not rows:
        table = table.astype(dict.fromkeys(about, float))
    if plan.shape is Shape.CIRCULAR:
        table = table.drop(columns=["shape", "angle_deg"])
    rank = np.full(len(units.index), 0)
    label = np.full(len(units.index), "undefined", dtype=object)
    if defined:
        label[units.rows] = "not significant"
    for number, cluster in reversed(list(enumerate(told.found, start=1))):
        at = units.rows[cluster.units]
        rank[at] = number
        if passes(np.array([cluster.row["p"]]), plan.alpha)[0]:
            label[at] = f"cluster-{cluster.row['direction']}"
    return Scan(
        clusters=table,
        members={number: list(units.ids[c.units]) for number, c in enumerate(told.found, start=1)},
        cluster=pd.Series(rank, index=units.index, name="cluster", dtype="Int64").mask(rank == 0),
        label=pd.Series(label, index=units.index, name="label", dtype=object),
        simulated=told.simulated,
        n_windows=told.n_windows,
        permutations=plan.permutations,
        alpha=plan.alpha,
        seed=plan.seed,
        dropped=units.dropped,
        options=plan.options,
    )
