"""Options with a closed set of values that methods and faces share; importing it loads nothing heavy."""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "Alternative", "Bands", "CellShape", "Correction", "Counted", "Deal", "DensityMethod", "Direction", "Draws",
    "FrictionUnit", "Method", "Mode", "Model", "Moves", "Overlap", "Peak", "Penalty", "PValue", "RemotenessForm",
    "Season", "Secondary", "Shape", "Travel", "Turns",
]  # fmt: skip


class Alternative(StrEnum):
    """Which departures from chance count."""

    TWO_SIDED = "two-sided"
    GREATER = "greater"
    LESS = "less"
    DIRECTED = "directed"


class Correction(StrEnum):
    """Correction for the number of tests."""

    FDR = "fdr"
    FDR_BY = "fdr_by"
    FDR_GEODA = "fdr_geoda"
    BONFERRONI = "bonferroni"
    NONE = "none"


class Draws(StrEnum):
    """Whether units with as many neighbours share their random draws (fast), or each has its own."""

    SHARED = "shared"
    INDEPENDENT = "independent"


class PValue(StrEnum):
    """Where a p-value comes from: permutation, or the normal distribution of z."""

    PERMUTATION = "permutation"
    NORMAL = "normal"


class CellShape(StrEnum):
    """Shape of the cells in which incidents are counted."""

    HEXAGON = "hexagon"
    FISHNET = "fishnet"


class Deal(StrEnum):
    """What chance deals in LOSH: values, with new residuals in every draw, or the residuals as they are."""

    VALUES = "values"
    RESIDUALS = "residuals"


class DensityMethod(StrEnum):
    """One density for the whole map (DBSCAN), or a density of its own for every cluster (HDBSCAN)."""

    DBSCAN = "dbscan"
    HDBSCAN = "hdbscan"


class Direction(StrEnum):
    """Which windows count: those with more than expected, with less, or all."""

    HIGH = "high"
    LOW = "low"
    BOTH = "both"


class Peak(StrEnum):
    """Which of several peaks of clustering gives the distance."""

    FIRST = "first"
    MAX = "max"


class Shape(StrEnum):
    """Form of the windows."""

    CIRCULAR = "circular"
    ELLIPTIC = "elliptic"


class Penalty(StrEnum):
    """How much long ellipses are held back: the power a of [4 s / (s + 1)^2]^a."""

    NONE = "none"
    MEDIUM = "medium"
    STRONG = "strong"

    @property
    def power(self) -> float:
        """The power a."""
        return {Penalty.NONE: 0.0, Penalty.MEDIUM: 0.5, Penalty.STRONG: 1.0}[self]


class Secondary(StrEnum):
    """Which clusters are told after a more likely one."""

    NO_OVERLAP = "no-overlap"
    NO_CENTERS = "no-centers"


class Method(StrEnum):
    """How regions are made of units that are alike."""

    SKATER = "skater"
    AZP = "azp"
    MAX_P = "max_p"
    WARD = "ward"
    KMEDOIDS = "kmedoids"


class Counted(StrEnum):
    """Methods that make a given number of regions."""

    SKATER = "skater"
    AZP = "azp"
    WARD = "ward"
    KMEDOIDS = "kmedoids"


class Model(StrEnum):
    """What chance deals in a scan."""

    POISSON = "poisson"
    BERNOULLI = "bernoulli"
    NORMAL = "normal"


class Travel(StrEnum):
    """Whether one travels from the places to the destinations, or from these to the places."""

    TO = "to"
    FROM = "from"


class Mode(StrEnum):
    """Ways of travelling that have a ready profile."""

    DRIVE = "drive"
    WALK = "walk"
    CYCLE = "cycle"


class FrictionUnit(StrEnum):
    """Unit of a friction surface."""

    SECONDS_PER_METRE = "seconds_per_metre"
    MINUTES_PER_METRE = "minutes_per_metre"


class Moves(StrEnum):
    """How many neighbours of a cell one may go to."""

    EIGHT = "8"
    SIXTEEN = "16"
    THIRTY_TWO = "32"


class Overlap(StrEnum):
    """What becomes of ground that several origins reach: told for each, put together, or given to the nearest."""

    SEPARATE = "separate"
    MERGED = "merged"
    NEAREST = "nearest"


class Bands(StrEnum):
    """Whether an area holds all up to its cut-off, or only what the one before it doesn't hold."""

    DISK = "disk"
    RING = "ring"


class RemotenessForm(StrEnum):
    """What is summed up into remoteness: travel time, or road distance as ARIA+ has it."""

    TIME = "time"
    ROAD_DISTANCE = "road_distance"


class Season(StrEnum):
    """Ready scenarios of the roads."""

    WINTER = "winter"
    SPRING_THAW = "spring_thaw"
    PASSES_CLOSED = "passes_closed"
    ICE_ROAD = "ice_road"
    NONE = "none"


class Turns(StrEnum):
    """Which facility serves first: by capacity, people in reach, time until full, or a column."""

    CAPACITY = "capacity"
    POPULATION = "population"
    TIME = "time"
    COLUMN = "column"
