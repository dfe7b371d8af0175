"""Composite index and typology: directions, drivers, gaps, classes, hostile input."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import theilslopes, zscore

from kazgeo.deprivation import CLASSES, composite, composite_by_year, typology
from kazgeo.errors import InputError

LAWS = settings(max_examples=40, deadline=None, derandomize=True)
DIRECTIONS = {"more_is_better": ["income"], "more_is_worse": ["mortality", "unemployment"]}


@pytest.fixture
def values():
    rng = np.random.default_rng(4)
    columns = {"income": rng.gamma(3, 100, 12), "mortality": rng.gamma(3, 3, 12), "unemployment": rng.normal(5, 1, 12)}
    return pd.DataFrame(columns, index=[f"r{i:02d}" for i in range(12)])


@pytest.fixture
def panel(values):
    years = {year: values * (1 + 0.1 * (year - 2015)) for year in range(2015, 2021)}
    return pd.concat(years, names=["year", "region"]).swaplevel().sort_index()


def test_the_index_is_the_mean_of_turned_z_scores(values):
    found = composite(values, **DIRECTIONS)
    z = values.apply(zscore) * [-1, 1, 1]
    np.testing.assert_allclose(found.deprivation, z.mean(axis=1), atol=1e-12)
    np.testing.assert_allclose(found.contributions.sum(axis=1), found.deprivation, atol=1e-12)
    assert found.rank[found.deprivation.idxmax()] == 1
    assert found.main_driver["r03"] == z.loc["r03"].idxmax()
    assert found.deprivation.mean() == pytest.approx(0)
    sample = composite(values, sd="sample", **DIRECTIONS)
    np.testing.assert_allclose(sample.deprivation, found.deprivation * np.sqrt(11 / 12), atol=1e-12)


def test_weights_are_scaled_and_shift_the_index(values):
    found = composite(values, weights={"income": 2, "mortality": 0, "unemployment": 2}, **DIRECTIONS)
    assert found.weights.to_dict() == {"income": 0.5, "mortality": 0.0, "unemployment": 0.5}
    np.testing.assert_allclose(found.deprivation, found.z[["income", "unemployment"]].mean(axis=1), atol=1e-12)


@LAWS
@given(st.randoms(use_true_random=False), st.floats(0.01, 100), st.floats(-100, 100))
def test_neither_rows_nor_units_matter_and_directions_turn(shuffler, factor, shift):
    values = pd.DataFrame(np.random.default_rng(1).normal(size=(8, 2)), index=list("hgfedcba"), columns=["x", "y"])
    rows = list(values.index)
    shuffler.shuffle(rows)
    plain = composite(values, more_is_better=["x"], more_is_worse=["y"]).to_frame()
    other = composite(values.loc[rows] * factor + shift, more_is_better=["x"], more_is_worse=["y"]).to_frame()
    pd.testing.assert_frame_equal(plain, other.loc[plain.index], atol=1e-9)
    turned = composite(values, more_is_better=["y"], more_is_worse=["x"]).deprivation
    np.testing.assert_allclose(turned, -plain["deprivation"], atol=1e-12)


def test_a_unit_with_a_gap_gets_no_index_and_does_not_shift_the_others(values):
    gap = values.copy()
    gap.loc["r05", "mortality"] = np.nan
    found = composite(gap, **DIRECTIONS)
    assert np.isnan(found.deprivation["r05"])
    assert pd.isna(found.main_driver["r05"])
    assert found.dropped.to_dict("records") == [{"unit": "r05", "reason": "missing: mortality"}]
    rest = composite(values.drop("r05"), **DIRECTIONS).deprivation
    pd.testing.assert_series_equal(found.deprivation.drop("r05"), rest)


def test_the_mean_of_what_is_available_is_told(values):
    gap = values.copy()
    gap.loc["r05", "mortality"] = np.nan
    gap.loc["r06"] = np.nan
    found = composite(gap, missing="available", **DIRECTIONS)
    assert found.deprivation["r05"] == pytest.approx(found.z.loc["r05", ["income", "unemployment"]].mean())
    assert found.contributions.loc["r05"].sum() == pytest.approx(found.deprivation["r05"])
    assert found.dropped["reason"].tolist() == [
        "missing: mortality (index from the others)",
        "missing: income, mortality, unemployment",
    ]
    assert np.isnan(found.deprivation["r06"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"more_is_better": ["incme"], "more_is_worse": []}, "did you mean 'income'"),
        ({"more_is_better": ["income"]}, "without a direction: 'mortality', 'unemployment'"),
        (
            {"more_is_better": ["income", "mortality"], "more_is_worse": ["mortality", "unemployment"]},
            "twice: 'mortality'",
        ),
        ({"more_is_better": "income", "more_is_worse": ["mortality", "unemployment"]}, r"write \['income'\]"),
        (DIRECTIONS | {"weights": {"income": 1}}, "nothing for 'mortality', 'unemployment'"),
        (DIRECTIONS | {"weights": {"income": 1, "mortality": -1, "unemployment": 1}}, "at least 0"),
        (DIRECTIONS | {"weights": {"incme": 1}}, "did you mean 'income'"),
        (DIRECTIONS | {"missing": "drop"}, "missing 'drop'"),
        (DIRECTIONS | {"sd": "smple"}, "did you mean 'sample'"),
    ],
)
def test_bad_options_are_named(options, message, values):
    with pytest.raises(InputError, match=message):
        composite(values, **options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.assign(mortality=3.0), "constant: 'mortality'"),
        (lambda v: v.assign(mortality=np.nan), "got 0 of 12"),
        (lambda v: v.assign(mortality="many"), "text in 'mortality'"),
        (lambda v: v.assign(mortality=np.inf), "infinite values in 'mortality'"),
        (lambda v: pd.concat([v, v.iloc[:1]]), "repeated: 'r00'"),
        (lambda v: v.iloc[:1], "got 1 of 1"),
    ],
)
def test_bad_values_are_named(change, message, values):
    with pytest.raises(InputError, match=message):
        composite(change(values), **DIRECTIONS)


def test_years_are_compared_within_themselves(values, panel):
    found = composite_by_year(panel.sample(frac=1, random_state=2), **DIRECTIONS)
    for year in range(2015, 2021):  # inflation moves nothing
        np.testing.assert_allclose(
            found.deprivation.xs(year, level="year").loc[values.index],
            composite(values, **DIRECTIONS).deprivation,
            atol=1e-12,
        )
    assert found.rank.groupby(level="year").min().eq(1).all()


def test_every_year_at_fault_is_named(panel):
    panel.loc[(slice(None), 2016), "mortality"] = 1.0
    panel.loc[(slice(None), 2018), "income"] = np.nan
    with pytest.raises(InputError, match=r"2016: .*constant: 'mortality'.*2018: .*got 0 of 12"):
        composite_by_year(panel, **DIRECTIONS)
    with pytest.raises(InputError, match=r"repeated: \('r00', 2015\)"):
        composite_by_year(pd.concat([panel.iloc[:12], panel.iloc[:1]]), **DIRECTIONS)
    with pytest.raises(InputError, match=r"\(region, year\)"):
        composite_by_year(panel.droplevel(1), **DIRECTIONS)


def courses(**rows):
    """Index by year: one list of values per region, years from 2009."""
    wide = pd.DataFrame(rows, index=pd.Index(range(2009, 2009 + len(next(iter(rows.values())))), name="year"))
    return wide.rename_axis(columns="region").unstack()


def test_the_four_classes():
    t = np.arange(12)
    index = courses(
        sinking=1 + 0.1 * t, rising=3 - 0.1 * t, staying=2 + 0.1 * (-1.0) ** t, fine=-1 + 0.01 * t, better=-1 - 0.01 * t
    )
    found = typology(index)
    assert found.label.to_dict() == {
        "sinking": "depressed", "rising": "recovering", "staying": "lagging", "fine": "stable", "better": "stable",
    }  # fmt: skip
    assert found.counts() == {"stable": 2, "lagging": 1, "depressed": 1, "recovering": 1, "undefined": 0}
    assert tuple(found.counts()) == CLASSES
    assert found.trend_per_decade["sinking"] == pytest.approx(1.0)
    assert found.p_trend["sinking"] == pytest.approx(2 / 479001600)  # exact: 2 / 12!
    assert found.level.to_numpy() == pytest.approx(zscore(index.xs(2020, level="year")))


def test_the_slope_is_theil_sens():
    rng = np.random.default_rng(0)
    index = courses(a=rng.normal(size=10), b=rng.normal(size=10)).drop(("a", 2012))
    found = typology(index)
    for region in "ab":
        own = index[region]
        assert found.trend_per_decade[region] == pytest.approx(10 * theilslopes(own, own.index)[0])
    assert found.n_years.tolist() == [9, 10]


def test_level_at_the_threshold_is_stable_and_later_years_are_not_used():
    index = courses(a=[1.0, 1, 9], b=[-1.0, -1, 9], c=[0.0, 0, 8])
    found = typology(index, year=2010, level_threshold=np.sqrt(1.5))
    assert found.label.tolist() == ["stable"] * 3
    assert typology(index, year=2010, level_threshold=1.2).label["a"] == "lagging"
    assert (found.year, found.n_years.max()) == (2010, 2)


def test_short_series_cannot_be_called_a_trend():
    found = typology(courses(a=[1.0, 2, 3, 4], b=[0.0] * 4))
    assert found.p_trend["a"] > 0.05
    assert found.label["a"] == "lagging"


@LAWS
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(shuffler):
    index = courses(**{name: np.random.default_rng(i).normal(size=8) for i, name in enumerate("abcdef")})
    rows = list(range(len(index)))
    shuffler.shuffle(rows)
    plain, mixed = typology(index).to_frame(), typology(index.iloc[rows]).to_frame()
    pd.testing.assert_frame_equal(plain, mixed.loc[plain.index], atol=1e-12)


@pytest.mark.parametrize(
    ("series", "options", "message"),
    [
        (pd.Series({"a": 1.0}), {}, r"\(region, year\)"),
        (courses(a=[1.0, 2], b=[1.0, 2]), {}, "2 differing values in 2010"),
        (courses(a=[1.0, 2]), {}, "got 1 value"),
        (courses(a=[1.0, 2], b=[3.0, 4]), {"year": 1999}, "year 1999 has no value; there are 2009 to 2010"),
        (courses(a=[1.0, 2], b=[3.0, 4]), {"alpha": 5}, "alpha"),
        (courses(a=[1.0, 2], b=[3.0, 4]), {"level_threshold": np.nan}, "level_threshold"),
        (pd.concat([courses(a=[1.0]), courses(a=[1.0])]), {}, "repeated"),
        (courses(a=[1.0, 2], b=[3.0, 4]).rename({2009: "x", 2010: "y"}, level=1), {}, "years must be numbers"),
    ],
)
def test_bad_input_of_the_typology_is_named(series, options, message):
    with pytest.raises(InputError, match=message):
        typology(series, **options)
