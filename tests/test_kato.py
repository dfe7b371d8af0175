"""KATO: round trips, every fault named, and the classifier itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo import kato
from kazgeo.errors import InputError
from kazgeo.kato import COUNTRY_CODE, Level

SLOW = [HealthCheck.too_slow]  # a busy machine is no fault of the law
LAWS = settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=SLOW)
ORDER = [Level.COUNTRY, Level.OBLAST, Level.DISTRICT, Level.SUB_DISTRICT, Level.SETTLEMENT]


@st.composite
def codes(draw):
    """Codes of all levels: digits of every part, often zero."""
    parts = [draw(st.one_of(st.just("0" * n), st.from_regex(rf"[0-9]{{{n}}}", fullmatch=True))) for n in (2, 2, 2, 3)]
    return "".join(parts)


def ancestors(code):
    out = []
    while (up := kato.parent(code)) is not None:
        out.append(up)
        code = up
    return out


@LAWS
@given(codes(), st.integers(0, 9), st.sampled_from([" ", "\u00a0", "\t", "  "]))
def test_what_is_written_is_read_back(code, place, space):
    assert kato.parse(code) == code
    assert kato.parse(kato.format_code(code)) == code
    assert kato.parse(code[:place] + space + code[place:]) == code
    if not code.startswith("0"):
        assert kato.parse(int(code)) == code
        assert kato.parse(np.int64(code)) == code


@LAWS
@given(codes())
def test_parents_climb_to_the_country(code):
    chain = ancestors(code)
    levels = [ORDER.index(kato.level(c)) for c in [code, *chain]]
    assert levels == sorted(set(levels), reverse=True)
    if code != COUNTRY_CODE:
        assert chain[-1] == COUNTRY_CODE
    for up in chain[:-1]:
        width = len(up.rstrip("0"))
        assert code.startswith(up[:width])
    for at in ORDER[: levels[0] + 1]:
        up = kato.parent(code, at=at)
        assert up == code or up in chain
        assert ORDER.index(kato.level(up)) <= ORDER.index(at)
    for at in ORDER[levels[0] + 1 :]:
        with pytest.raises(InputError, match="no parent at the lower level"):
            kato.parent(code, at=at)


@LAWS
@given(st.lists(codes(), max_size=12))
def test_every_code_is_the_child_of_its_parent_alone(some):
    everything = {COUNTRY_CODE, *some} | {up for c in some for up in ancestors(c)}
    born = [c for code in everything for c in kato.children(code, sorted(everything))]
    assert sorted(born) == sorted(everything - {COUNTRY_CODE})
    assert all(kato.parent(c) in everything for c in born)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("19000000", "'19000000' has 8 digits, KATO has 9"),
        ("1900000000", "has 10 digits, KATO has 9"),
        (19000000, "'19000000' has 8 digits"),
        ("", "an empty value"),
        (" \u00a0 ", "an empty value"),
        (None, "a missing value"),
        (float("nan"), "a missing value"),
        ("19000000O", "characters that are not digits"),
        ("١٩٠٠٠٠٠٠٠", "characters that are not digits"),
        ("-19000000", "characters that are not digits"),
        (190000000.0, "got float"),
        (True, "got bool"),
        (b"190000000", "got bytes"),
        ([], "got list"),
    ],
)
def test_a_bad_code_is_named(bad, says):
    with pytest.raises(InputError, match=says):
        kato.parse(bad)


def test_all_bad_codes_are_told_at_once():
    with pytest.raises(InputError) as caught:
        kato.check(["190000000", "19", "x", None, "630000000"], "column kato")
    assert str(caught.value).startswith("column kato: 3 of 5 codes are wrong: '19' has 2 digits")
    assert "'x'" in str(caught.value)
    assert "a missing value" in str(caught.value)
    with pytest.raises(InputError, match=r"15 of 15 codes are wrong.*and 5 more$"):
        kato.check(["1"] * 15)


def test_the_embedded_classifier(kazakhstan):
    table = pd.read_csv(kazakhstan / "kato.csv", dtype=str)
    assert kato.check(table["kato"]) == table["kato"].tolist()
    assert [str(kato.level(c)) for c in table["kato"]] == table["level"].tolist()
    oblasts = table.loc[table["level"] == "oblast", "kato"].tolist()
    assert kato.children(COUNTRY_CODE, table["kato"]) == sorted(oblasts)
    assert sum(len(kato.children(o, table["kato"])) for o in oblasts) == (table["level"] == "district").sum()


def test_levels_of_the_whole_classifier(shared):
    table = pd.read_csv(shared / "data" / "kato_2025.csv", dtype=str)
    told = table["level"].str.replace("_", "-")
    assert table["kato"].map(lambda c: str(kato.level(c))).tolist() == told.tolist()
