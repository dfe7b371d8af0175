"""The contracts at the bottom: errors, messages, progress."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo.errors import Cancelled, InputError, KazGeoError, listing, suggestion, unknown
from kazgeo.messages import Message, Names, Num, Term
from kazgeo.progress import part, silent

SLOW = [HealthCheck.too_slow]  # a busy machine is no fault of the law
LAWS = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=SLOW)


@LAWS
@given(st.text(), st.integers(), st.tuples(st.text(), st.text()))
def test_what_goes_into_a_hole_is_never_a_template(text, number, pair):
    said = Message("{a} of {b}: {c}; {d}", {"a": text, "b": number, "c": pair, "d": Term("{a}")})
    assert str(said) == f"{text} of {number}: {pair[0]}, {pair[1]}; {{a}}"


def test_numbers_and_names():
    assert str(Message("{x}", {"x": Num(float("nan"), 2, "km")})) == "no data km"
    assert str(Message("{x}", {"x": Num(-0.5, 2)})) == "-0.50"
    name = Names("Abay", ru="Абай")
    assert [name.in_language(x) for x in ("en", "ru", "kk", "xx")] == ["Abay", "Абай", "Abay", "Abay"]
    assert str(Message("{x}", {"x": (name, Num(1))})) == "Abay, 1"
    with pytest.raises(KeyError):
        str(Message("{y}", {}))


@LAWS
@given(st.lists(st.integers(), max_size=20), st.integers(1, 8))
def test_a_listing_counts_what_it_leaves_out(items, limit):
    text = listing(items, limit)
    assert text.startswith(", ".join(map(repr, items[:limit])))
    assert (f"and {len(items) - limit} more" in text) == (len(items) > limit)


def test_suggestions_are_for_people():
    assert suggestion("Поврти", ["Поверти"]) == "; did you mean 'Поверти'?"
    assert suggestion("POVERTY", ["poverty"]) == "; did you mean 'poverty'?"
    assert str(unknown("column", "x", [], "a column of t")) == "column 'x' is not a column of t; there are none"
    assert str(unknown("column", 7, [1, 2], "a column of t")) == "column '7' is not a column of t; there are: '1', '2'"


def test_who_is_who_among_errors():
    assert issubclass(InputError, ValueError)
    assert issubclass(InputError, KazGeoError)
    assert issubclass(Cancelled, KazGeoError)
    assert not issubclass(Cancelled, ValueError)


@LAWS
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_parts_of_parts_stay_in_their_stretch(a, b, fraction):
    seen = []
    whole = part(lambda f, m: seen.append((f, m)), min(a, b), max(a, b))
    part(whole, 0.25, 0.75)(fraction, "words")
    assert min(a, b) <= seen[0][0] <= max(a, b)
    assert seen[0][1] == "words"
    assert silent(fraction, "words") is None
