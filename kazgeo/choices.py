"""Options with a closed set of values that methods and faces share; importing it loads nothing heavy."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Alternative", "Correction"]


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
    BONFERRONI = "bonferroni"
    NONE = "none"
