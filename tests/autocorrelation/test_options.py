"""An option has an effect or is refused; a year, a kind or a table that can't be tested is told in its own name."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import geopandas
import numpy as np
import pandas as pd
import pytest

from kazgeo import autocorrelation as ac
from kazgeo.autocorrelation.neighbour_match import attribute_neighbours
from kazgeo.errors import Cancelled, InputError
from kazgeo.weights import Weights

IDS = [f"u{i:02d}" for i in range(30)]
CHAIN = Weights.from_pairs(IDS, [(IDS[i], IDS[j]) for i in range(29) for j in (i + 1, i + 2) if j < 30])
Y = pd.Series(np.random.default_rng(1).normal(size=30), index=IDS)
X = pd.Series(np.random.default_rng(2).gamma(1, size=30), index=IDS)
TOWNS = geopandas.GeoDataFrame(
    geometry=geopandas.points_from_xy(60 + np.arange(30) / 10, [48] * 30), index=IDS, crs=4326
)
PANEL = pd.concat(dict.fromkeys((2019, 2020), Y), names=["year", "region"]).swaplevel()
WHOLE = {
    "moran": (ac.moran, (Y, CHAIN)),
    "geary": (ac.geary, (Y, CHAIN)),
    "general_g": (ac.general_g, (X, CHAIN)),
    "join_counts": (ac.join_counts, (Y > 0, CHAIN)),
    "lee": (ac.lee, (X, Y, CHAIN)),
    "moran_bivariate": (ac.moran_bivariate, (X, Y, CHAIN)),
    "moran_rate": (ac.moran_rate, (X.round(), X + 5, CHAIN)),
    "moran_by_year": (ac.moran_by_year, (PANEL, CHAIN)),
    "correlogram": (ac.correlogram, (Y, TOWNS)),
}


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("option", [{"correction": "bonferroni"}, {"draws": "independent"}, {"level": 0.2}])
def test_options_of_local_tests_are_refused_by_those_of_a_whole_map(name, option):
    call, arguments = WHOLE[name]
    with pytest.raises(InputError, match=f"'{next(iter(option))}' is not an option of this test"):
        call(*arguments, permutations=9, **option)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"executor": "dask"}, "executor must be an Executor such as ThreadPoolExecutor\\(\\); got 'dask'"),
        ({"progress": "bar"}, "progress must be a function; got 'bar'"),
        ({"alpha": "0.05"}, "alpha must lie between 0 and 1; got '0.05'"),
        ({"permutations": "99"}, "permutations must be a whole number of at least 1; got '99'"),
    ],
)
def test_options_of_another_type_are_refused(option, words):
    with pytest.raises(InputError, match=words):
        ac.local_moran(Y, CHAIN, **option)
    assert ac.local_moran(Y, CHAIN, permutations=9, progress=None, executor=None).permutations == 9


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, pytest.param(ProcessPoolExecutor, marks=pytest.mark.slow)])
def test_local_lee_gives_the_same_numbers_on_any_executor(pool, monkeypatch):
    want = ac.local_lee(X, Y, CHAIN, permutations=99, rng=3).to_frame()
    monkeypatch.setattr("kazgeo.autocorrelation.permutation.NUMBERS", 2_000)
    with pool(2) as executor:
        got = ac.local_lee(X, Y, CHAIN, permutations=99, rng=3, executor=executor).to_frame()
    pd.testing.assert_frame_equal(got, want, check_exact=True)


def test_a_correlogram_checks_its_weights_first():
    with pytest.raises(InputError, match="transform 'rows' is not one of the choices"):
        ac.correlogram(Y, TOWNS, transform="rows", distances_m=[1.0])
    with pytest.raises(InputError, match="transform must be 'row' or 'binary'"):
        ac.correlogram(Y, TOWNS, transform="given")


def test_a_year_without_links_is_a_row_without_figures():
    some = PANEL.copy()
    some.loc[(IDS, 2020)] = np.nan
    some.loc[(["u00", "u10", "u20"], 2020)] = [1.0, 2.0, 4.0]
    got = ac.moran_by_year(some, CHAIN, permutations=9, rng=1)
    assert got["I"].isna().tolist() == [False, True]
    assert got[["n", "n_missing"]].astype(int).to_numpy().tolist() == [[30, 0], [3, 27]]
    mixed = pd.Series([1.0, 2], pd.MultiIndex.from_tuples([("u00", 2020), ("u01", "2021")], names=["region", "year"]))
    with pytest.raises(InputError, match="y must have years of one type"):
        ac.moran_by_year(mixed, CHAIN)


def test_kinds_that_would_be_mistaken_or_fill_the_memory_are_refused(monkeypatch):
    with pytest.raises(InputError, match="must not call a kind 'different'"):
        ac.join_counts(Y.gt(0).map({True: "different", False: "same"}), CHAIN)
    import sys

    monkeypatch.setattr(sys.modules["kazgeo.autocorrelation.join_counts"], "MOST_NUMBERS", 400)
    with pytest.raises(InputError, match="permutations must be at most 100 with 2 kinds; got 101"):
        ac.join_counts(Y > 0, CHAIN, permutations=101)
    assert ac.join_counts(Y > 0, CHAIN, permutations=100).permutations == 100


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ac.moran_bivariate(X * np.nan, Y, CHAIN), "x and y must have a value for at least 3 units; got 0"),
        (lambda: ac.local_moran_rate(X * np.nan, X + 5, CHAIN), "events.* must have a value"),
        (lambda: ac.moran_rate(X * np.nan, X + 5, CHAIN), "events.* must have a value"),
        (lambda: ac.local_moran_change(X * np.nan, Y, CHAIN), "before and after must have a value for at least 3"),
        (lambda: ac.local_geary(Y.to_numpy(), CHAIN), "y must be a Series or a DataFrame of variables; got ndarray"),
        (lambda: ac.losh(Y, CHAIN, exponent="2"), "exponent must be a number above 0; got '2'"),
        (lambda: ac.lee(X, Y, Weights.from_arrays(pd.Index(IDS), [0, 1], [1, 2], [-1.0, -1.0]), include_self=True),
         "weights must not be negative where a unit counts among its own neighbours; negative at units 'u00', 'u01'"),
        (lambda: ac.moran(Y, Weights.from_arrays(pd.Index(IDS), [0, 1, 2], [1, 2, 3], [0.1, 0.2, -0.3]),
                          transform="given"), "weights must link some of the 30 units"),
    ],
)  # fmt: skip
def test_messages_name_what_the_caller_gave(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_constant_values_share_no_arrays():
    got = ac.local_geary(Y * 0, CHAIN, permutations=9)
    got.C.to_numpy(copy=False).flags.writeable = True
    assert not np.shares_memory(got.C.to_numpy(), got.p.to_numpy())


def test_ties_by_the_thousand_are_looked_through_once_each():
    z = np.random.default_rng(1).integers(0, 3, (3_000, 2)).astype(float)
    seen = []
    got = attribute_neighbours(z, 5, lambda fraction, _: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[-1] == 1
    away = np.sqrt(((z[:, None] - z[None]) ** 2).sum(axis=2)).round(10)
    np.fill_diagonal(away, np.inf)
    wanted = np.lexsort((np.broadcast_to(np.arange(3_000), away.shape), away), axis=1)[:, :5]
    np.testing.assert_array_equal(got, wanted)

    def stop(fraction, message):
        raise Cancelled

    table = pd.DataFrame(z[:30], index=IDS)
    with pytest.raises(Cancelled):
        ac.neighbour_match(pd.concat([table]), CHAIN, k=3, progress=stop)
