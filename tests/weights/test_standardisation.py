"""The type: codings as libpysal's, sums, ways to libpysal and back, checks of what is made by hand, frozen values."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo.errors import InputError
from kazgeo.labels import canonical_order
from kazgeo.weights import Weights, as_weights

LAWS = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
ABC = pd.Index(list("abc"))


def same(one, other):
    return one.ids.equals(other.ids) and bool((one.matrix != other.matrix).nnz == 0)


@st.composite
def weighted(draw, *, negative=False, loops=False):
    """Weights between up to nine units; isolates are common."""
    n = draw(st.integers(1, 9))
    numbers = st.floats(-5 if negative else 0.01, 5).filter(lambda v: abs(v) >= 0.01)
    cells = st.one_of(st.just(0.0), st.just(0.0), numbers)
    matrix = np.array(draw(st.lists(cells, min_size=n * n, max_size=n * n))).reshape(n, n)
    if not loops:
        np.fill_diagonal(matrix, 0)
    return Weights.from_matrix(pd.Index(draw(st.permutations([f"r{i}" for i in range(n)]))), matrix)


def libpysal_coded(weights, letter):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return as_weights(weights.to_libpysal().transform(letter))


@LAWS
@given(weighted(), st.sampled_from("RBDV"))
def test_codings_are_those_of_libpysal_also_with_isolates(own, letter):
    """V: libpysal's n counts isolates, and so does ours: the weights sum to the number of all units."""
    if not len(own.data):
        return  # libpysal divides by zero
    coded = {"R": own.row_standardized, "B": own.binary, "D": own.double_standardized, "V": own.variance_stabilized}
    made = coded[letter]()
    truth = libpysal_coded(own, letter)
    assert made.ids.equals(truth.ids)
    assert made.matrix.toarray() == pytest.approx(truth.matrix.toarray(), rel=1e-12)


@LAWS
@given(weighted())
def test_codings_sum_to_what_they_promise(own):
    filled = (own.cardinalities > 0).astype(float)
    assert own.row_standardized().row_sums() == pytest.approx(filled)
    assert own.row_sums() == pytest.approx(own.matrix.toarray().sum(axis=1))
    assert own.row_sums(2) == pytest.approx((own.matrix.toarray() ** 2).sum(axis=1))
    some = len(own.data) > 0
    assert own.double_standardized().data.sum() == pytest.approx(1.0 * some)
    stable = own.variance_stabilized()
    assert stable.data.sum() == pytest.approx(own.n * some)
    lengths = np.sqrt(stable.row_sums(2))[own.cardinalities > 0]
    assert lengths == pytest.approx(lengths[:1].repeat(len(lengths)))  # Tiefelsdorf et al. (1999): like length
    assert own.binary().row_sums().tolist() == own.cardinalities.tolist()


def test_variance_stabilisation_by_hand():
    """Rows (1, 1), (1), (1): lengths sqrt 2, 1, 1; the scaled weights sum to 2 / sqrt 2 + 2, and n is 4 (d alone)."""
    star = Weights.from_pairs(list("abcd"), [("a", "b"), ("a", "c")])
    factor = 4 / (np.sqrt(2) + 2)
    assert star.variance_stabilized().data == pytest.approx([factor / np.sqrt(2)] * 2 + [factor] * 2)


@LAWS
@given(weighted(negative=True, loops=True))
def test_symmetrized_is_the_mean_of_both_ways(own):
    dense = own.matrix.toarray()
    made = own.symmetrized()
    assert (made.matrix.toarray() == (dense + dense.T) / 2).all()
    assert same(made.symmetrized(), made)


@LAWS
@given(weighted(negative=True, loops=True))
def test_the_ways_to_libpysal_and_back_keep_all(own):
    from libpysal.weights import WSP

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = own.to_libpysal()
        assert same(as_weights(graph), own)
        assert set(graph.isolates) == set(own.isolates)
        assert same(as_weights(graph.to_W()).reindex(own.ids), own)
        if own.n > 1 and not own.self_weights.any():
            assert same(as_weights(WSP(sp.csr_matrix(own.matrix), id_order=list(own.ids)).to_W()), own)
    assert own.self_weights.tolist() == own.matrix.toarray().diagonal().tolist()


@LAWS
@given(weighted(negative=True, loops=True), st.randoms(use_true_random=False))
def test_the_order_of_units_is_no_matter(own, shuffler):
    mixed = list(own.ids)
    shuffler.shuffle(mixed)
    again = own.reindex(mixed)
    for call in (lambda w: w.symmetrized(), lambda w: w.binary()):
        assert same(call(again).reindex(own.ids), call(own))
    assert again.n_components == own.n_components
    assert set(again.isolates) == set(own.isolates)
    assert pd.Series(again.equal_rows, mixed).reindex(own.ids).tolist() == own.equal_rows.tolist()
    at = np.repeat(np.arange(own.n), own.cardinalities)
    links = np.array(shuffler.sample(range(len(at)), len(at)), dtype=int)
    built = Weights.from_arrays(own.ids, at[links], own.indices[links], own.data[links])
    loopless = own.matrix.toarray()
    np.fill_diagonal(loopless, 0)
    assert (built.matrix.toarray() == loopless).all()


FINE = ([0, 2, 3, 3], [1, 2, 0], [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("indptr", "indices", "data", "says"),
    [
        ([0, 2, 3], FINE[1], FINE[2], "don't fit together for 3 units"),
        ([0, 2, 3, 4], FINE[1], FINE[2], "don't fit together"),
        ([1, 2, 3, 3], FINE[1], FINE[2], "don't fit together"),
        ([0, 3, 2, 3], FINE[1], FINE[2], "don't fit together"),
        ([0, -1, 3, 3], FINE[1], FINE[2], "don't fit together"),
        (FINE[0], [1, 2], FINE[2], "don't fit together"),
        (FINE[0], FINE[1], FINE[2][:2], "don't fit together"),
        (FINE[0], [1, 3, 0], FINE[2], "don't fit together"),
        (FINE[0], [-1, 2, 0], FINE[2], "don't fit together"),
        ([], [], [], "don't fit together"),
        (FINE[0], [2, 1, 0], FINE[2], "indices must rise within every row"),
        (FINE[0], [1, 1, 0], FINE[2], "indices must rise within every row, each neighbour once"),
        (FINE[0], FINE[1], [1.0, 0.0, 1.0], "data of weights must be finite and not zero"),
        (FINE[0], FINE[1], [1.0, np.nan, 1.0], "data of weights must be finite"),
        (FINE[0], FINE[1], [1.0, np.inf, 1.0], "data of weights must be finite"),
    ],
)
def test_weights_made_by_hand_are_checked(indptr, indices, data, says):
    assert Weights(ABC, *map(np.array, FINE)).matrix.toarray().tolist() == [[0, 1, 2], [3, 0, 0], [0, 0, 0]]
    with pytest.raises(InputError, match=says):
        Weights(ABC, np.array(indptr), np.array(indices), np.array(data))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Weights.from_matrix(ABC, np.eye(2)), r"row for each of the 3 ids; got shape \(2, 2\)"),
        (lambda: Weights.from_matrix(ABC, np.ones((3, 4))), "matrix must be square"),
        (lambda: Weights.from_matrix(ABC, np.array([[0, np.nan, 0]] * 3)), "data of weights must be finite"),
        (lambda: Weights.from_matrix(pd.Index(["a", "a"]), np.eye(2)), "must be unique; repeated: 'a'"),
        (lambda: Weights.from_pairs(["a", "b", "a"], [("a", "b")]), "must be unique; repeated: 'a'"),
        (lambda: Weights.from_pairs([1, 2], [("a", 1)]), "not among the ids"),
        (lambda: Weights.from_arrays(ABC, np.array([0, 1]), np.array([1])), "as long as one another; got 2, 1"),
        (lambda: Weights.from_arrays(ABC, np.array([0]), np.array([1]), np.ones(2)), "as long as one another"),
        (lambda: Weights.from_arrays(ABC, np.array([0, 1]), np.array([4, 1])), "positions of the 3 ids, 0 to 2"),
        (lambda: Weights.from_arrays(ABC, np.array([-1]), np.array([1])), "positions of the 3 ids"),
        (lambda: Weights.from_pairs(list("ab"), []).reindex(["a", "z"]), "no unit 'z'"),
        (lambda: as_weights(np.eye(3)), "must be kazgeo Weights or a libpysal Graph; got ndarray"),
        (lambda: as_weights(None), "got NoneType"),
    ],
)
def test_what_the_makers_refuse(call, says):
    with pytest.raises(InputError, match=says):
        call()


def test_entries_that_come_twice_in_a_matrix_are_summed_and_zeros_dropped():
    rows, cols = np.array([0, 0, 1, 2, 2]), np.array([1, 1, 2, 0, 0])
    loose = sp.coo_array((np.array([1.0, 2.0, 0.0, 4.0, -4.0]), (rows, cols)), shape=(3, 3))
    assert Weights.from_matrix(ABC, loose).data.tolist() == [3.0]
    csr = sp.csr_array((np.array([1.0, 2.0]), np.array([1, 1]), np.array([0, 2, 2, 2])), shape=(3, 3))
    assert Weights.from_matrix(ABC, csr).data.tolist() == [3.0]
    assert csr.nnz == 2


def test_weights_are_frozen_and_the_caller_keeps_his_arrays():
    given_arrays = [np.array(FINE[0]), np.array(FINE[1]), np.array(FINE[2])]
    own = Weights(ABC, *given_arrays)
    for name in ("indptr", "indices", "data", "cardinalities", "component_labels", "equal_rows", "self_weights"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(own, name)[0] = 1
    with pytest.raises(AttributeError):
        own.data = np.ones(3)
    for array in given_arrays:
        assert array.flags.writeable
        array[0] = array[0]
    matrix = sp.csr_array(np.array([[0.0, 2.0], [1.0, 0.0]]))
    made = Weights.from_matrix(pd.Index(["a", "b"]), matrix)
    matrix.data[:] = 9
    assert made.data.tolist() == [2.0, 1.0]
    before = own.matrix.toarray()
    for call in (own.row_standardized, own.variance_stabilized, own.double_standardized, own.symmetrized, own.binary):
        assert call() is not own
        assert (own.matrix.toarray() == before).all()


def test_the_repr_tells_components_and_isolates():
    own = Weights.from_pairs(list("abcdefgh"), [("a", "b")])
    text = "<Weights: 8 units, 2 links, neighbours 0 to 1 (mean 0.25); 7 components; 6 isolates: "
    assert repr(own) == text + "'c', 'd', 'e', 'f', 'g' and 1 more>"
    assert repr(own.subset(["a", "b"])) == "<Weights: 2 units, 2 links, neighbours 1 to 1 (mean 1.00); 1 component>"
    assert repr(own.subset(["a"])).endswith("1 component; 1 isolate: 'a'>")
    assert repr(own.subset([])) == "<Weights: 0 units>"


@LAWS
@given(st.lists(st.one_of(st.integers(), st.text(max_size=3)), unique=True, max_size=12), st.randoms())
def test_the_order_of_ids_does_not_hang_on_that_of_rows(ids, shuffler):
    mixed = list(ids)
    shuffler.shuffle(mixed)
    one, other = pd.Index(ids, dtype=object), pd.Index(mixed, dtype=object)
    assert one[canonical_order(one)].tolist() == other[canonical_order(other)].tolist()
