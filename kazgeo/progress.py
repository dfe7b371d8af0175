"""Progress and cancelling: a plain callable that methods call between chunks."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "part", "silent"]

#: ``progress(fraction, message)``; fraction from 0 to 1. A reporter raises ``Cancelled`` to stop the work.
Progress = Callable[[float, str], None]


def silent(fraction: float, message: str) -> None:
    """Report nothing; the default everywhere."""


def part(progress: Progress, start: float, stop: float) -> Progress:
    """Return a reporter for one part of a longer job.

    Parameters
    ----------
    progress : Progress
        The reporter of the whole.
    start, stop : float
        The stretch of the whole that the part takes, 0 to 1.

    Examples
    --------
    >>> half = part(lambda f, m: print(f"{f:.2f} {m}"), 0.5, 1.0)
    >>> half(0.5, "weights")
    0.75 weights
    """

    def report(fraction: float, message: str) -> None:
        progress(start + (stop - start) * fraction, message)

    return report
