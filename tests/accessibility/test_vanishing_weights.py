"""Weights that are all but nothing count as none: no infinite visitors, nothing converges to infinity."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazgeo.accessibility import constrained_gravity, decay, floating_catchment, gravity, huff, spatial_availability

FALLING = [decay.Gaussian(600), decay.Exponential.half_life(60), decay.Power(8.0, min_s=1.0), decay.Logistic(1800, 30),
           lambda t: np.exp(-((t / 300) ** 2))]  # fmt: skip


@st.composite
def studies(draw):
    n, m = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    seconds = draw(st.lists(st.floats(0, 1e6), min_size=n * m, max_size=n * m))
    times = pd.DataFrame(np.reshape(seconds, (n, m)), [f"o{i}" for i in range(n)], [f"d{j}" for j in range(m)])
    sizes = st.floats(0, 1e6).map(lambda v: v if v > 1e-3 else 0.0)
    people = pd.Series(draw(st.lists(sizes, min_size=n, max_size=n)), times.index)
    beds = pd.Series(draw(st.lists(sizes, min_size=m, max_size=m)), times.columns)
    return times, people, beds


@given(studies(), st.sampled_from(FALLING), st.sampled_from(["2sfca", "3sfca", "m2sfca", "bfca"]))
def test_everything_is_finite_or_told(study, fall, method):
    times, people, beds = study
    chosen = huff(times, beds, decay=fall)
    sums = chosen.to_dense().sum(axis=1)
    told = set(chosen.dropped["unit"])
    assert all(s == pytest.approx(1) or (s == 0 and o in told) for o, s in sums.items())
    for constraint in ("production", "attraction", "total"):
        flows = constrained_gravity(times, people, beds, decay=fall, constraint=constraint)
        assert np.isfinite(flows.pairs.values).all()
        assert flows.converged == bool(np.isfinite(flows.error))
    available = spatial_availability(times, people, beds, decay=fall)
    idle = set(available.dropped["unit"])
    supplied = sum(amount for facility, amount in beds.items() if facility not in idle)
    assert available.available.sum() == pytest.approx(supplied, rel=1e-9)
    assert np.isfinite(gravity(times, beds, decay=fall).reached["reached"]).all()
    catchment = floating_catchment(times, people, beds, decay=fall, method=method)
    assert np.isfinite(catchment.access).all()
    assert not np.isinf(catchment.ratio).any()


def test_a_village_sixteen_hours_away_has_no_choice_and_spoils_nobodys():
    times = pd.DataFrame({"c1": [0.0, 58_000.0], "c2": [900.0, 57_000.0]}, index=["town", "village"])
    found = huff(times, pd.Series({"c1": 10.0, "c2": 20.0}), decay=decay.Gaussian(1500))
    assert found.dropped.values.tolist() == [["village", "origin without facility in reach"]]
    assert found.visits(pd.Series({"town": 1000.0, "village": 500.0})).sum() == pytest.approx(1000)


def test_two_facilities_too_far_for_any_weight_serve_nobody():
    times = pd.DataFrame({"x": [22_900.0], "y": [22_960.0]}, index=["b"])
    one, beds = pd.Series({"b": 5.0}), pd.Series({"x": 5.0, "y": 5.0})
    access = floating_catchment(times, one, beds, decay=decay.Gaussian(600))
    assert access.access.tolist() == [0.0]
    assert access.dropped["unit"].tolist() == ["b", "x", "y"]
    flows = constrained_gravity(times, one, beds, decay=decay.Gaussian(600))
    assert flows.total == 0
    assert flows.dropped.values.tolist() == [["b", "origin without destination in reach"]]
