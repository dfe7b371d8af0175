"""Weights that vanish with the way: what has no other is out of reach and told; nothing becomes infinite."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kazgeo.accessibility import (
    CatchmentMethod,
    TravelTimes,
    constrained_gravity,
    decay,
    floating_catchment,
    gravity,
    huff,
    market_potential,
    rational_agents,
    spatial_availability,
)
from kazgeo.errors import InputError

LAWS = settings(max_examples=300, deadline=None, derandomize=True)
METHODS, CONSTRAINTS = list(CatchmentMethod), ["production", "attraction", "total", "double"]
BELL = decay.Gaussian(600)
DECAYS = {
    "binary": decay.Binary(1800),
    "stepped": decay.Stepped((600, 1800), (1, 0.5)),
    "stepped, tiny": decay.Stepped((600, 1800), (1, 1e-59), beyond=1e-70),
    "linear": decay.Linear(1800),
    "exponential": decay.Exponential(1 / 60),
    "power": decay.Power(25, min_s=60),
    "gaussian": BELL,
    "truncated": decay.TruncatedGaussian(1800),
    "logistic": decay.Logistic(1800, 60),
    "within": decay.Within(BELL, 1e6),
    "own": lambda t: 1e60 * np.exp(-t / 300),
    "own within": decay.Within(lambda t: (1 + t / 60) ** -50.0, 1e5),
}


@st.composite
def cases(draw):
    """Times to 1e6 s, many of them near those at which weights vanish; people and places, some of them 0."""
    n, m = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    seconds = st.floats(0, 1e6) | st.floats(8000, 24_000) | st.sampled_from([0.0, 600.0, np.nan])
    rows = draw(st.lists(st.lists(seconds, min_size=m, max_size=m), min_size=n, max_size=n))
    origins, ends = [f"o{i}" for i in range(n)], [f"d{j}" for j in range(m)]
    sizes = st.just(0.0) | st.floats(0.1, 1e8)
    people = draw(st.lists(sizes, min_size=n, max_size=n))
    beds = draw(st.lists(sizes, min_size=m, max_size=m))
    return pd.DataFrame(rows, index=origins, columns=ends), pd.Series(people, origins), pd.Series(beds, ends)


falls = st.sampled_from(list(DECAYS)).map(DECAYS.__getitem__)
FAR = (
    pd.DataFrame({"x": [22_900.0], "y": [22_960.0]}, index=["b"]),
    pd.Series({"b": 5.0}),
    pd.Series({"x": 5.0, "y": 5.0}),
)
HALF_EMPTY = (
    pd.DataFrame({"x": [600.0, 22_900.0], "y": [22_900.0, 23_000.0]}, index=["a", "b"]),
    pd.Series({"a": 0.0, "b": 10.0}),
    pd.Series({"x": 5.0, "y": 5.0}),
)


def told(found):
    return set(found.dropped["unit"])


def weights(times, fall):
    table = TravelTimes.from_dense(times)
    return TravelTimes(
        table.origins, table.destinations, table.indptr, table.indices, decay.weigh(table, fall)
    ).to_dense()


@LAWS
@pytest.mark.slow
@given(fall=falls, case=cases())
@example(fall=BELL, case=FAR)
@example(fall=BELL, case=HALF_EMPTY)
def test_no_weight_lies_between_none_and_the_floor(fall, case):
    times = case[0]
    weight = weights(times, fall)
    assert ((weight == 0) | (weight >= decay.FLOOR) | times.isna()).all(axis=None)
    plain = np.vectorize(lambda t: float(np.asarray(fall(np.array([t])))[0]))(times.fillna(0.0))
    same = (weight > 0) & times.notna()
    np.testing.assert_allclose(weight[same].fillna(-1), pd.DataFrame(plain, *times.axes)[same].fillna(-1), rtol=1e-12)


@LAWS
@pytest.mark.slow
@given(fall=falls, method=st.sampled_from([*METHODS, "availability"]), case=cases())
@example(fall=BELL, method="2sfca", case=FAR)
@example(fall=BELL, method="2sfca", case=HALF_EMPTY)
def test_supply_is_given_out_or_told(fall, method, case):
    times, people, beds = case
    if method == "availability":
        found = spatial_availability(times, people, beds, decay=fall)
        given_out, access = found.available.sum(), found.available
    else:
        found = floating_catchment(times, people, beds, decay=fall, method=method)
        given_out, access = (people * found.access.fillna(0)).sum(), found.access
        assert np.isfinite(found.demand).all()
        assert not np.isinf(found.ratio).any()
        assert not np.isinf([found.demand_inflation, found.service_inflation]).any()
    assert not np.isinf(access).any()
    assert told(found) >= set(access.index[access.isna()])
    reaches = (weights(times, fall) > 0).to_numpy() & (people > 0).to_numpy()[:, None]
    supplied = beds[reaches.any(axis=0)].sum()
    assert told(found) >= set(beds.index[(beds > 0) & ~reaches.any(axis=0)])
    conserves = method in ("2sfca", "3sfca", "availability")
    if supplied == 0:
        assert given_out == 0
        assert np.isnan(found.inflation)
    elif conserves:
        assert given_out == pytest.approx(supplied, rel=1e-9)
        assert found.inflation == pytest.approx(1, rel=1e-9)
    else:
        assert np.isfinite(found.inflation)


@LAWS
@pytest.mark.slow
@given(fall=falls, case=cases(), alpha=st.sampled_from([0.5, 1.0, 10.0]))
@example(fall=BELL, case=FAR, alpha=1.0)
def test_choices_sum_to_one_or_the_origin_is_told(fall, case, alpha):
    times, people, beds = case
    found = huff(times, beds, decay=fall, alpha=alpha)
    whole = found.to_dense().sum(axis=1)
    reaches = (weights(times, fall).where(beds > 0, 0.0, axis=1) > 0).any(axis=1)
    np.testing.assert_allclose(whole, reaches.astype(float), rtol=1e-12)
    assert told(found) == set(times.index[~reaches])
    assert found.visits(people).sum() == pytest.approx(people[reaches].sum(), rel=1e-12)
    assert set(found.allocation().index[found.allocation().isna()]) == told(found)


@LAWS
@pytest.mark.slow
@given(fall=falls, case=cases())
@example(fall=BELL, case=FAR)
def test_sums_of_weights_are_finite_or_none(fall, case):
    times, _, beds = case
    found = gravity(times, beds, decay=fall)
    reached = found.reached["reached"]
    assert np.isfinite(reached[times.notna().any(axis=1)]).all()
    assert told(found) == set(times.index[~(reached > 0)])


@LAWS
@pytest.mark.slow
@given(case=cases(), exponent=st.sampled_from([1.0, 5.0, 25.0]))
def test_markets_out_of_all_measure_are_told(case, exponent):
    times, _, mass = case
    found = market_potential(times, mass, own_time_s=60, exponent=exponent)
    assert not np.isinf(found.potential).any()
    near = (weights(times, decay.Power(exponent, min_s=60)) > 0).any(axis=1)
    assert told(found) == set(times.index[~near])


@LAWS
@pytest.mark.slow
@given(fall=falls, constraint=st.sampled_from(CONSTRAINTS), case=cases())
@example(fall=BELL, constraint="production", case=FAR)
def test_flows_are_finite_and_met_or_told(fall, constraint, case):
    times, people, beds = case
    weight = (weights(times, fall) > 0).to_numpy()
    sends = (people > 0).to_numpy() & (weight & (beds > 0).to_numpy()).any(axis=1)
    gets = (beds > 0).to_numpy() & (weight & (people > 0).to_numpy()[:, None]).any(axis=0)
    if constraint == "double":
        beds = beds * (people.sum() / beds.sum() if beds.sum() > 0 else 1.0)
        if people.sum() != pytest.approx(beds.sum(), rel=1e-9):
            return
        if not (sends.sum() == (people > 0).sum() and gets.sum() == (beds > 0).sum()):
            with pytest.raises(InputError, match="a double constraint wants every unit"):
                constrained_gravity(times, people, beds, decay=fall, constraint=constraint)
            return
    found = constrained_gravity(times, people, beds, decay=fall, constraint=constraint, max_iterations=60)
    flows = found.to_dense()
    assert np.isfinite(flows).all(axis=None)
    assert np.isfinite(found.error)
    assert found.converged == (found.error <= 1e-9)
    if constraint == "production" or (constraint == "double" and found.converged):
        np.testing.assert_allclose(flows.sum(axis=1), people.where(sends, 0), rtol=1e-6, atol=1e-6 * people.mean())
    if constraint == "attraction" or (constraint == "double" and found.converged):
        np.testing.assert_allclose(flows.sum(), beds.where(gets, 0), rtol=1e-6, atol=1e-6 * beds.mean())
    if constraint == "total":
        assert found.total == pytest.approx(people.sum() if sends.any() else 0.0, rel=1e-9)
        assert found.converged == (sends.any() or people.sum() == 0)
    if constraint != "double":
        assert told(found) >= set(times.index[(people > 0).to_numpy() & ~sends])
    if constraint == "attraction":
        assert told(found) >= set(times.columns[(beds > 0).to_numpy() & ~gets])


def test_a_place_beyond_all_weight_is_out_of_reach_for_every_measure():
    times, people, beds = FAR
    assert float(BELL(22_900.0)) > 0
    for method in METHODS:
        found = floating_catchment(times, people, beds, decay=BELL, method=method)
        assert found.access.tolist() == [0]
        assert found.ratio.isna().all()
        assert found.dropped.values.tolist() == [
            ["b", "origin without facility in reach"],
            ["x", "facility without demand in reach"],
            ["y", "facility without demand in reach"],
        ]
    shared = spatial_availability(times, people, beds, decay=BELL)
    assert shared.available.tolist() == [0]
    assert told(shared) == {"b", "x", "y"}
    assert huff(times, beds, decay=BELL).dropped.values.tolist() == [["b", "origin without facility in reach"]]
    assert gravity(times, beds, decay=BELL).dropped.values.tolist() == [["b", "origin without opportunity in reach"]]
    flows = constrained_gravity(times, people, beds, decay=BELL)
    assert (flows.total, flows.error, flows.converged) == (0, 0, True)
    assert flows.dropped.values.tolist() == [["b", "origin without destination in reach"]]
    nobody = constrained_gravity(times, people, beds, decay=BELL, constraint="total")
    assert (nobody.total, nobody.error, nobody.converged) == (0, 1, False)
    assert rational_agents(times, people, beds).cost.notna().all()  # people mind the way; nothing weighs it


def test_the_far_keep_their_other_weights():
    """One centre in reach, one beyond all weight: all go to the first, and the second is told."""
    times = pd.DataFrame({"x": [600.0, 900.0], "y": [22_900.0, 23_000.0]}, index=["a", "b"])
    people, beds = pd.Series({"a": 2.0, "b": 3.0}), pd.Series({"x": 5.0, "y": 5.0})
    found = floating_catchment(times, people, beds, decay=BELL)
    assert found.inflation == pytest.approx(1)
    assert told(found) == {"y"}
    assert huff(times, beds, decay=BELL).to_dense().values.round(12).tolist() == [[1, 0], [1, 0]]


KEPT = np.array([1e-70, 1.0])


@pytest.mark.parametrize("decay_of", [lambda t: t, lambda _: KEPT])
def test_what_a_function_returns_stays_as_it_is(decay_of):
    times = TravelTimes.from_dense(pd.DataFrame({"x": [1e-65, 5.0]}))
    before = np.array(decay_of(times.time_s))
    assert decay.weigh(times, decay_of).tolist() == [0, before[1]]
    np.testing.assert_array_equal(decay_of(times.time_s), before)
    assert times.time_s.tolist() == [1e-65, 5.0]


@pytest.mark.parametrize(
    ("weight", "says"),
    [
        (-1e-300, "decay must give finite weights of at least 0; <lambda> gives -1e-300 at 7 s"),
        (np.nan, "decay must give finite weights of at least 0; <lambda> gives nan at 7 s"),
        (np.inf, "decay must give finite weights of at least 0; <lambda> gives inf at 7 s"),
        (1e61, r"decay must give weights of at most 1e\+60; <lambda> gives 1e\+61 at 7 s"),
    ],
)
def test_what_is_no_weight_is_refused(weight, says):
    times = pd.DataFrame({"x": [0.0, 7.0]}, index=["a", "b"])
    with pytest.raises(InputError, match=says):
        gravity(times, pd.Series({"x": 1.0}), decay=lambda t: np.where(t == 7, weight, 1.0))


def test_a_decay_of_ones_own_is_checked_like_any_function():
    class Rising(decay.Decay):
        def _weight(self, t):
            return t - 5

    times = TravelTimes.from_dense(pd.DataFrame({"x": [7.0, 6.0]}))
    assert decay.weigh(times, Rising()).tolist() == [2, 1]
    with pytest.raises(InputError, match="rising gives -2 at 3 s"):
        decay.weigh(TravelTimes.from_dense(pd.DataFrame({"x": [3.0]})), Rising())


def test_balancing_without_a_solution_ends_before_its_factors_overflow():
    """a sends a million times what x takes, and has nowhere else to go: the factor of b grows with every round."""
    times = pd.DataFrame({"x": [60.0, 60.0], "y": [np.nan, 60.0]}, index=["a", "b"])
    found = constrained_gravity(
        times, pd.Series({"a": 1e6, "b": 1.0}), pd.Series({"x": 1.0, "y": 1e6}), decay=BELL, constraint="double"
    )
    assert np.isfinite(found.pairs.values).all()
    assert np.isfinite(found.error)
    assert not found.converged
    assert 10 < found.iterations < 1000


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_never_converged_with_numbers_that_are_none(constraint):
    times = pd.DataFrame({"x": [0.0, 0.0]}, index=["a", "b"])
    people, beds = pd.Series({"a": 1.5e308, "b": 1.5e308}), pd.Series({"x": 1e308})
    try:
        found = constrained_gravity(times, people, beds, decay=BELL, constraint=constraint)
    except InputError:
        return
    finite = np.isfinite(found.pairs.values).all() and np.isfinite(found.error)
    assert finite or not found.converged
