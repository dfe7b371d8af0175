"""Impedance functions: from 1 down to 0, never up; NaN weighs nothing; hostile parameters are named."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazgeo.accessibility import TravelTimes, decay
from kazgeo.errors import InputError

FUNCTIONS = [
    decay.Binary(1800),
    decay.Stepped((600, 1800), (1, 0.5)),
    decay.Stepped((600, 1800), (1, 0.5), closed="left", beyond=0.1),
    decay.Linear(1800),
    decay.Exponential(1 / 600),
    decay.Power(1.5, min_s=60),
    decay.Gaussian(900),
    decay.TruncatedGaussian(1800),
    decay.Logistic(1800, 300),
    decay.Within(decay.Gaussian(900), 1800),
]
NAMES = [f.name for f in FUNCTIONS]


@pytest.mark.parametrize("function", FUNCTIONS, ids=NAMES)
@given(st.lists(st.floats(0, 1e5), max_size=8))
def test_weights_fall_from_one_to_zero(function, seconds):
    t = np.sort(np.array(seconds))
    weight = function(t)
    assert weight.shape == t.shape
    assert ((weight >= 0) & (weight <= 1 + 1e-15)).all()
    assert (np.diff(weight) <= 1e-15).all()
    assert (weight[t > function.reach_s] == 0).all()


@pytest.mark.parametrize("function", FUNCTIONS, ids=NAMES)
def test_no_time_weighs_nothing_and_no_distance_most(function):
    assert function(np.array([np.nan, 0.0])).tolist() == [0, 1]
    assert function(0.0) == 1
    assert function(np.zeros((0, 2))).shape == (0, 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        function.limit = 3


def test_doubling_the_unit_and_the_parameters_changes_nothing():
    t = np.linspace(0, 7200, 50)
    for function in FUNCTIONS[:9]:
        changes = {}
        for one in dataclasses.fields(function):
            value = getattr(function, one.name)
            if one.name.endswith("_s"):
                half = one.name == "rate_per_s"
                twice = value / 2 if half else np.multiply(value, 2)
                changes[one.name] = tuple(twice) if isinstance(value, tuple) else float(twice)
        np.testing.assert_allclose(dataclasses.replace(function, **changes)(2 * t), function(t), rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: decay.Binary(np.inf), "threshold_s must be seconds of at least 0; got inf"),
        (lambda: decay.Binary("30 min"), "threshold_s must be seconds of at least 0; got '30 min'"),
        (lambda: decay.Power(0), "exponent must be a positive number"),
        (lambda: decay.Stepped((), ()), r"limits_s must be seconds above 0 that rise; got \(\)"),
        (lambda: decay.Stepped(("10 min",), (1,)), "limits_s and weights must be numbers; got"),
        (lambda: decay.Stepped((600,), (1, 0.5)), "weights must be one for each of the 1 limits; got 2"),
        (lambda: decay.Stepped((600,), (1.5,)), "weights and beyond must lie between 0 and 1"),
        (lambda: decay.Stepped((600,), (1,), closed="both"), "closed must be 'right' or 'left'; got 'both'"),
        (lambda: decay.Exponential.half_life(-1), "time_s must be seconds above 0; got -1"),
    ],
)
def test_parameters_without_sense_are_named(make, says):
    with pytest.raises(InputError, match=says):
        make()


def test_any_function_will_do_if_it_gives_weights():
    times = TravelTimes.from_dense(pd.DataFrame({"x": [0.0, 60.0, np.nan]}))
    assert decay.weigh(times, np.exp).tolist() == [1, np.exp(60)]
    assert decay.name_of(np.exp) == "exp"
    assert decay.name_of(lambda t: t) == "<lambda>"
    with pytest.raises(InputError, match="decay reaches to 1800 s, but times were searched to 600 s only"):
        decay.weigh(times.within(600), decay.Binary(1800))
    assert len(decay.weigh(times.within(600), decay.Gaussian(1800))) == 2
