"""Constrained gravity, balancing time, market potential: what must add up adds up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kazgeo.accessibility import balancing_time, constrained_gravity, decay, gravity, market_potential
from kazgeo.errors import InputError

LAWS = settings(max_examples=60, deadline=None, derandomize=True)
FALL = decay.Exponential(1 / 900)


@st.composite
def cases(draw, gaps=0.3):
    n, m, seed = draw(st.integers(1, 7)), draw(st.integers(1, 6)), draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    times = rng.uniform(0, 3600, (n, m))
    times[rng.random((n, m)) < gaps] = np.nan
    origins, ends = [f"o{i}" for i in range(n)], [f"d{j}" for j in range(m)]
    leave, arrive = rng.integers(1, 90, n).astype(float), rng.integers(1, 90, m).astype(float)
    return pd.DataFrame(times, index=origins, columns=ends), pd.Series(leave, origins), pd.Series(arrive, ends)


@LAWS
@given(cases(), st.sampled_from(["production", "attraction", "total"]))
def test_the_constraint_holds(case, constraint):
    times, leave, arrive = case
    got = constrained_gravity(times, leave, arrive, decay=FALL, constraint=constraint)
    flows = got.to_dense()
    sends, gets = times.notna().any(axis=1), times.notna().any()
    if constraint == "production":
        np.testing.assert_allclose(flows.sum(axis=1), leave.where(sends, 0), rtol=1e-12)
        assert set(got.dropped["unit"]) == set(times.index[~sends])
    elif constraint == "attraction":
        np.testing.assert_allclose(flows.sum(), arrive.where(gets, 0), rtol=1e-12)
        assert set(got.dropped["unit"]) == set(times.index[~sends]) | set(times.columns[~gets])
    elif sends.any():
        assert got.total == pytest.approx(leave.sum(), rel=1e-12)
    raw = np.exp(-times / 900).mul(leave, axis=0) * arrive
    ratio = flows / raw
    spread = {"production": ratio.var(axis=1, ddof=0), "attraction": ratio.var(ddof=0)}
    flat = spread.get(constraint, pd.Series([np.nanvar(ratio.to_numpy()) if sends.any() else 0.0]))
    assert (flat.fillna(0) < 1e-12 * max(1, np.nanmax(ratio.to_numpy(), initial=0)) ** 2).all()
    assert (flows[times.isna()].fillna(0) == 0).all(axis=None)


@LAWS
@given(cases(gaps=0.0))
def test_double_constraint_against_plain_fitting(case):
    times, leave, arrive = case
    arrive = arrive * leave.sum() / arrive.sum()
    got = constrained_gravity(times, leave, arrive, decay=FALL, constraint="double")
    assert got.converged
    assert got.error <= 1e-9
    flows = got.to_dense()
    np.testing.assert_allclose(flows.sum(axis=1), leave, rtol=1e-6)
    np.testing.assert_allclose(flows.sum(), arrive, rtol=1e-6)
    plain = np.exp(-times.to_numpy() / 900)
    for _ in range(500):
        plain *= (leave.to_numpy() / plain.sum(axis=1))[:, None]
        plain *= arrive.to_numpy() / plain.sum(axis=0)
    np.testing.assert_allclose(flows, plain, rtol=1e-5, atol=1e-7)
    factors = got.origins["balancing"].to_numpy()[:, None] * got.destinations["balancing"].to_numpy()
    raw = np.exp(-times.to_numpy() / 900) * leave.to_numpy()[:, None] * arrive.to_numpy()
    np.testing.assert_allclose(flows, factors * raw, rtol=1e-12)
    assert got.mean_time_s == pytest.approx((flows * times).sum(axis=None) / flows.sum(axis=None))


def test_a_double_constraint_that_has_no_solution_is_refused_or_told():
    times = pd.DataFrame({"x": [60.0, 60.0], "y": [np.nan, np.nan]}, index=["a", "b"])
    people = pd.Series({"a": 1.0, "b": 1.0})
    with pytest.raises(InputError, match=r"out of reach are 0 origins \(\) and 1 destinations \('y'\)"):
        constrained_gravity(times, people, pd.Series({"x": 1.0, "y": 1.0}), decay=FALL, constraint="double")
    corner = pd.DataFrame({"x": [60.0, 60.0], "y": [np.nan, 60.0]}, index=["a", "b"])  # a needs more of x than x has
    got = constrained_gravity(
        corner, pd.Series({"a": 3.0, "b": 1.0}), pd.Series({"x": 2.0, "y": 2.0}), decay=FALL, constraint="double",
        max_iterations=50,
    )  # fmt: skip
    assert not got.converged
    assert got.iterations == 50
    assert got.error > 0.1


@LAWS
@given(cases(), st.booleans())
def test_balancing_time_is_where_opportunities_meet_people(case, stepped):
    times, people, jobs = case
    got = balancing_time(times, people, jobs, step_s=60 if stepped else None)
    for origin, row in times.iterrows():
        reached = row.dropna().sort_values()
        enough = reached[jobs[reached.index].cumsum() >= people[origin]]
        exact = enough.iloc[0] if len(enough) else np.nan
        np.testing.assert_equal(got.time_s[origin], np.ceil(exact / 60) * 60 if stepped else exact)
    assert set(got.dropped["unit"]) == set(got.time_s.index[got.time_s.isna()])


@LAWS
@given(cases())
def test_market_potential_is_gravity_in_hours(case):
    times, _, mass = case
    got = market_potential(times, mass, own_time_s=900)
    hours = np.maximum(times, 900) / 3600
    np.testing.assert_allclose(got.potential, (mass / hours).sum(axis=1).where(times.notna().any(axis=1)), rtol=1e-12)
    assert (got.own.dropna() == 0).all()
    scaled = gravity(times, mass, decay=decay.Power(1, min_s=900)).reached["reached"] * 4
    np.testing.assert_allclose(got.potential, scaled, rtol=1e-12)


def test_the_own_part_of_the_potential_is_told():
    ids = ["a", "b"]
    times = pd.DataFrame([[0.0, 3600.0], [3600.0, 0.0]], index=ids, columns=ids)
    got = market_potential(times.iloc[:, ::-1], pd.Series({"b": 10.0, "a": 100.0}), own_time_s=1800, exponent=2)
    assert got.own.to_dict() == {"a": 400.0, "b": 40.0}
    assert got.potential.to_dict() == {"a": 410.0, "b": 140.0}
