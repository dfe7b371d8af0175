"""Seeds: every random result can be had again."""

from __future__ import annotations

import secrets

import numpy as np

from kazgeo.errors import InputError

__all__ = ["seed_of"]


def seed_of(rng: int | np.random.Generator | None) -> int:
    """Return a seed that can be stored: the one given, one drawn from the generator, or a fresh one.

    Examples
    --------
    >>> seed_of(7)
    7
    >>> seed_of(np.random.default_rng(1)) == seed_of(np.random.default_rng(1))
    True
    >>> seed_of(-1)
    Traceback (most recent call last):
    kazgeo.errors.InputError: rng must be None, a whole number of at least 0 or a numpy Generator; got -1
    """
    if rng is None:
        return secrets.randbits(63)
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63 - 1))
    if isinstance(rng, bool) or not isinstance(rng, (int, np.integer)) or rng < 0:
        raise InputError(f"rng must be None, a whole number of at least 0 or a numpy Generator; got {rng!r}")
    return int(rng)
