"""Parameters that many analyses share, declared once: who is a neighbour, what counts as significant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from kazgeo.analyses.kinds import Field, Grid, Neighbours, Number
from kazgeo.choices import Alternative, Correction, FrictionUnit, Moves

if TYPE_CHECKING:
    from kazgeo.weights import Weights

__all__ = [
    "EXTENDS",
    "Default",
    "Destinations",
    "ExactTest",
    "LocalTest",
    "Near",
    "OnRoads",
    "OverLand",
    "OverLandAndRoads",
    "RoadSpeeds",
    "ToDestinations",
    "WholeTest",
    "Zoning",
    "exact_options",
    "local_options",
    "near",
    "neighbours_of",
    "whole_options",
]


@dataclass(frozen=True)
class Default:
    """Value of a shared parameter that is not given."""

    value: Any


class Near(TypedDict, total=False):
    """Who is a neighbour.

    Parameters
    ----------
    neighbours : Neighbours
        Common points (queen), common borders (rook), the nearest units, all within a distance, or all within it with
        weights that fall with distance (kernel); points want one of the last three.
    k : int
        How many of the nearest.
    distance_km : float
        Distance within which units are neighbours; 0: the smallest that leaves no unit without one.
    tolerance_m : float
        Gaps narrower than this are faults of digitising.
    """

    neighbours: Annotated[Neighbours, Default(Neighbours.QUEEN)]
    k: Annotated[int, Number(1, 1000), Default(8)]
    distance_km: Annotated[float, Number(0, 5000, "km"), Default(0.0)]
    tolerance_m: Annotated[float, Number(0, 10_000, "m"), Default(100.0)]


class RoadSpeeds(TypedDict, total=False):
    """How fast roads are.

    Parameters
    ----------
    speed : str
        Column of speeds in km/h; without it all roads have the default speed.
    default_speed_kmh : float
        Speed where no column of speeds is named.
    speed_back : str
        Column of speeds against the line as it is drawn; without it the speed is the same both ways.
    length : str
        Column of road lengths in km; without it the length of the line.
    one_way : str
        Column of one-way roads, as OpenStreetMap (yes, no, -1) or GIS layers (F, T, B, N) write it, along the line as
        it is drawn; without it all roads run both ways.
    road_min : str
        Column of the minutes that the whole road takes, in place of speeds; both ways alike.
    junction_s : float
        Seconds that every junction of three or more roads costs: lights, turns, giving way.
    """

    speed: Annotated[str, Field("roads"), Default("")]
    default_speed_kmh: Annotated[float, Number(1, 300, "km/h"), Default(60.0)]
    speed_back: Annotated[str, Field("roads"), Default("")]
    length: Annotated[str, Field("roads"), Default("")]
    one_way: Annotated[str, Field("roads", numeric=False), Default("")]
    road_min: Annotated[str, Field("roads"), Default("")]
    junction_s: Annotated[float, Number(0, 600, "s"), Default(0.0)]


class OnRoads(RoadSpeeds, total=False):
    """How fast roads are, and how settlements get to them.

    Parameters
    ----------
    access_limit_km : float
        Settlements farther than this from every road are not connected.
    access_speed_kmh : float
        Speed of the leg between settlement and road.
    access_detour : float
        Length of that leg over its straight distance.
    """

    access_limit_km: Annotated[float, Number(0.01, 1000, "km"), Default(50.0)]
    access_speed_kmh: Annotated[float, Number(1, 200, "km/h"), Default(30.0)]
    access_detour: Annotated[float, Number(1, 5), Default(1.3)]


class OverLand(TypedDict, total=False):
    """How one travels over a friction surface.

    Parameters
    ----------
    unit : FrictionUnit
        Unit of the friction; surfaces of the Malaria Atlas Project are in minutes per metre.
    moves : Moves
        How many neighbours of a cell one may go to.
    elevation : raster
        Metres, on the cells of the friction, for travel that feels the slope.
    modes : raster
        How one travels in each cell, as friction_surface writes it: 0 walking, 1 bicycling, 2 motorised, which feels
        no slope. With elevation only; without it all walk, on roads too.
    """

    unit: Annotated[FrictionUnit, Default(FrictionUnit.SECONDS_PER_METRE)]
    moves: Annotated[Moves, Default(Moves.EIGHT)]
    elevation: Annotated[DataArray | None, Grid(), Default(None)]  # type: ignore[name-defined] # noqa: F821
    modes: Annotated[DataArray | None, Grid(), Default(None)]  # type: ignore[name-defined] # noqa: F821


class OverLandAndRoads(OverLand, RoadSpeeds, total=False):
    """How one travels over a friction surface, and on roads beside it."""


class Destinations(TypedDict, total=False):
    """Which settlements are destinations: by kind, by size, or by both.

    Parameters
    ----------
    destination_field : str
        Column that tells which settlements are destinations.
    destination_values : str
        Values of that column that make a destination, comma-separated.
    population : str
        Column of inhabitants; missing means unknown.
    min_population : float
        Settlements with at least so many inhabitants are destinations too.
    """

    destination_field: Annotated[str | None, Field("settlements", numeric=False), Default(None)]
    destination_values: Annotated[str, Default("")]
    population: Annotated[str | None, Field("settlements"), Default(None)]
    min_population: Annotated[float | None, Number(1, 1e9, "people"), Default(None)]


class ToDestinations(Destinations, OnRoads, total=False):
    """Which settlements are destinations, and the roads that lead there."""


class Zoning(Near, total=False):
    """Near, and what regions made of neighbouring units must keep.

    Parameters
    ----------
    min_units : int
        Least number of units of a region.
    floor : str
        Column of which every region must have a least sum, such as inhabitants.
    floor_min : float
        Least sum of that column.
    logarithm : bool
        Take the natural logarithm of all indicators first, for skewed money values; means are then geometric.
    seed : int
        Gives the same regions again.
    """

    min_units: Annotated[int, Number(1, 10_000), Default(1)]
    floor: Annotated[str, Field("regions"), Default("")]
    floor_min: Annotated[float, Number(0, 1e12), Default(0.0)]
    logarithm: Annotated[bool, Default(False)]
    seed: Annotated[int, Default(0)]


class WholeTest(Near, total=False):
    """Near, and the test of a whole map.

    Parameters
    ----------
    permutations : int
        Random maps.
    alternative : Alternative
        Which departures from chance count; directed is half of two-sided, as GeoDa gives it.
    seed : int
        Gives the same numbers again.
    """

    permutations: Annotated[int, Number(99, 999_999), Default(9_999)]
    alternative: Annotated[Alternative, Default(Alternative.TWO_SIDED)]
    seed: Annotated[int, Default(0)]


class LocalTest(WholeTest, total=False):
    """Near, and the tests of many units.

    Parameters
    ----------
    permutations : int
        Random draws.
    correction : Correction
        For many tests: fdr is Benjamini-Hochberg.
    alpha : float
        Level of significance after the correction.
    """

    correction: Annotated[Correction, Default(Correction.FDR)]
    alpha: Annotated[float, Number(0.0001, 0.5), Default(0.05)]


class ExactTest(Near, total=False):
    """Near, and exact tests of many units, in which nothing is drawn.

    Parameters
    ----------
    alternative : Alternative
        Which departures from chance count; directed is half of two-sided, as GeoDa gives it.
    correction : Correction
        For many tests: fdr is Benjamini-Hochberg.
    alpha : float
        Level of significance after the correction.
    """

    alternative: Annotated[Alternative, Default(Alternative.GREATER)]
    correction: Annotated[Correction, Default(Correction.FDR)]
    alpha: Annotated[float, Number(0.0001, 0.5), Default(0.05)]


#: Which options extend which: a TypedDict forgets its bases, and with them their docstrings.
EXTENDS: dict[Any, tuple[Any, ...]] = {
    OnRoads: (RoadSpeeds,),
    OverLandAndRoads: (OverLand, RoadSpeeds),
    ToDestinations: (Destinations, OnRoads),
    Zoning: (Near,),
    WholeTest: (Near,),
    LocalTest: (WholeTest,),
    ExactTest: (Near,),
}


def neighbours_of(units: Any, kind: Neighbours, k: int, tolerance_m: float, distance_km: float = 0.0) -> Weights:
    """Return the weights of the chosen kind; points have no borders, so they take the nearest or a distance.

    Raises
    ------
    InputError
        Points with a kind that wants borders.
    """
    from kazgeo.errors import InputError
    from kazgeo.weights import contiguity, distance_band, kernel, knn

    kind = Neighbours(kind)
    reach = 1000 * distance_km or None
    if kind is Neighbours.NEAREST:
        return knn(units, k)
    if kind is Neighbours.DISTANCE:
        return distance_band(units, reach)
    if kind is Neighbours.KERNEL:
        return kernel(units, bandwidth_m=reach)
    if (units.geom_type.dropna() == "Point").any():
        raise InputError(f"points have no common border: choose neighbours 'nearest' instead of '{kind}'")
    return contiguity(units, kind=str(kind), tolerance_m=tolerance_m)


def near(units: Any, options: Near) -> Weights:
    """Return the weights that the shared parameters ask for."""
    return neighbours_of(units, options["neighbours"], options["k"], options["tolerance_m"], options["distance_km"])


def whole_options(options: WholeTest) -> dict[str, Any]:
    """Return the keywords of a test of a whole map."""
    return {
        "permutations": options["permutations"], "alternative": str(options["alternative"]), "rng": options["seed"],
    }  # fmt: skip


def local_options(options: LocalTest) -> dict[str, Any]:
    """Return the keywords of a local test."""
    fix = {"correction": str(options["correction"]), "alpha": options["alpha"]}
    return whole_options(options) | fix


def exact_options(options: ExactTest) -> dict[str, Any]:
    """Return the keywords of exact local tests."""
    return {
        "alternative": str(options["alternative"]), "correction": str(options["correction"]),
        "alpha": options["alpha"],
    }  # fmt: skip
