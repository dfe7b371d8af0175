"""Cells as statistical offices type them."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo.errors import InputError
from kazgeo.parsing import clean_name, match_names, parse_number, parse_numbers, parse_year

SLOW = [HealthCheck.too_slow]  # a busy machine is no fault of the law
LAWS = settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=SLOW)
NBSP, THIN, NARROW = "\u00a0", "\u2009", "\u202f"


@LAWS
@given(
    st.integers(-(10**9), 10**9),
    st.integers(0, 99),
    st.sampled_from([" ", NBSP, THIN, NARROW, ""]),
    st.sampled_from([",", "."]),
    st.sampled_from(["", "*", "**", "¹", "²)", " 1)", " *", "%"]),
    st.sampled_from(["-", "−", "–"]),
)
def test_a_number_survives_the_bureaus_typing(whole, hundredths, space, point, note, minus):
    digits = f"{abs(whole):,}".replace(",", space)
    text = f"{minus if whole < 0 else ''}{digits}{point}{hundredths:02d}{note}"
    value = abs(whole) + hundredths / 100
    assert parse_number(f"  {text} ") == pytest.approx(-value if whole < 0 else value, rel=1e-12)


@pytest.mark.parametrize(
    "mark",
    [
        "",
        " ",
        "-",
        "–",
        "—",
        "…",
        "...",
        "..",
        ".",
        "x",
        "Х",
        "х",
        "n/a",
        "NaN",
        "Н/Д",
        "м.ж.",
        NBSP,
        "-*",
        "… 1)",
        "x¹",
        "...*",
    ],
)
def test_no_figure_is_missing_and_never_zero(mark):
    assert math.isnan(parse_number(mark))


@pytest.mark.parametrize(
    "text",
    [
        "about 5",
        "5-",
        "--5",
        "-–5",
        "1.2.3",
        "12 шт.",
        "inf",
        "1)",
        "5 of 6",
        "0x10",
        "1e",
        "True",
        "2019-01-01",
        "(5)",
        "-1)",
    ],
)
def test_text_that_is_no_number_is_refused(text):
    with pytest.raises(InputError, match="is not a number"):
        parse_number(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0.0),
        ("0,0", 0.0),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1,234,567", 1234567.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1,5e3", 1500.0),
        ("+7", 7.0),
        ("99,9 %", 99.9),
        (7, 7.0),
        (None, math.nan),
        (pd.NA, math.nan),
    ],
)
def test_single_cells(text, value):
    assert parse_number(text) == pytest.approx(value, nan_ok=True)


def test_all_bad_cells_of_a_column_are_named():
    with pytest.raises(
        InputError, match=r"column 'income': 2 of 4 cells are not numbers: 'two' \(row b\), 'x5' \(row d\)"
    ):
        parse_numbers(pd.Series(["1", "two", "-", "x5"], index=list("abcd"), name="income"))
    assert parse_numbers(pd.Series([1, None], dtype="Int64")).isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("heading", "year"),
    [
        ("2019", 2019),
        ("2019 год", 2019),
        ("2019 года3)", 2019),
        ("2019г.", 2019),
        ("2015 2)", 2015),
        ("2020*", 2020),
        ("2020**", 2020),
        ("2008/09", 2008),
        ("2000/2001", 2000),
        ("2022/23 учебный год", 2022),
        ("2022/23 оқу жылы", 2022),
        ("2021 жыл", 2021),
        (2020.0, 2020),
        ("2020.0", 2020),
        (2019, 2019),
        (f"2019{NBSP}год", 2019),
    ],
)
def test_a_whole_year(heading, year):
    assert parse_year(heading) == year


@pytest.mark.parametrize(
    "heading",
    [
        "9 месяцев 2019 года3)",
        "I квартал 2008 года",
        "I полугодие 2019 года",
        "2019-2020",
        "19",
        "1899",
        "2100",
        "12019",
        "год",
        "",
        None,
        float("nan"),
        2019.5,
        "20190",
        "на 1 января 2019",
    ],
)
def test_what_is_no_whole_year(heading):
    assert parse_year(heading) is None


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("Туркестанская2)", "туркестанская"),
        ("Туркестанская**", "туркестанская"),
        ("г.Астана", "астана"),
        ("город Астана", "астана"),
        (f"  г.{NBSP}Алматы ", "алматы"),
        ("Akmola_region", "akmola"),
        ("Shymkent (city)", "shymkent"),
        ("Солтүстiк Қазақстан облысы", "солтүстік қазақстан"),
        ("Зона 1", "зона 1"),
        (None, ""),
        (float("nan"), ""),
    ],
)
def test_names_are_cleaned(name, clean):
    assert clean_name(name) == clean
    assert clean_name(clean_name(name)) == clean


TABLE = pd.DataFrame(
    {
        "name_en": ["Almaty", "Almaty (city)", "Zhetysu", "Zone 1", "Zone 2", None],
        "name_ru": ["Алматинская область", "г. Алматы", "область Жетісу", None, None, "Туркестанская область"],
        "name_kk": ["Алматы облысы", "Алматы қ.", "Жетісу облысы", None, None, "Түркістан облысы"],
    },
    index=["19", "75", "33", "z1", "z2", "61"],
)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Алматинская", "19"),
        ("г.Алматы", "75"),
        ("Алматы қаласы", "75"),
        ("Алматы облысы", "19"),
        ("Almaty city", "75"),
        ("Almaty_region", "19"),
        ("Жетысу", "33"),
        ("Жетису", "33"),
        ("Туркестанская 1", "61"),
        ("Туркестанская 3)", "61"),
        ("Туркистан", "61"),
        ("Zone 1", "z1"),
        ("Zone 2*", "z2"),
    ],
)
def test_names_find_their_code(name, code):
    assert match_names([name], TABLE, list(TABLE)).tolist() == [code]


def test_names_that_fit_none_or_several_are_refused_once_each():
    with pytest.raises(InputError, match=r"^1 region names fit no code: 'Atlantis'$"):
        match_names(["Atlantis", "Zone 1", "Atlantis"], TABLE, list(TABLE))
    with pytest.raises(InputError, match=r"several codes, use codes instead: 'Алматы' \(19 or 75\)"):
        match_names(["Алматы"], TABLE, list(TABLE))
    with pytest.raises(InputError, match="fit no code: 'Zone 3'"):
        match_names(["Zone 3"], TABLE, list(TABLE))
