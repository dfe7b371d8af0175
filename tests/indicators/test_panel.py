"""Panels from long and wide tables as offices lay them out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo import indicators
from kazgeo.errors import InputError
from kazgeo.indicators import check, rate, read, read_metadata, to_long

SLOW = [HealthCheck.too_slow]  # a busy machine is no fault of the law
LAWS = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=SLOW)


def sheet(tmp_path, rows, name="t.xlsx"):
    path = tmp_path / name
    frame = pd.DataFrame(rows)
    if name.endswith(".csv"):
        frame.to_csv(path, sep=";", header=False, index=False, encoding="cp1251")
    else:
        frame.to_excel(path, header=False, index=False)
    return path


BUREAU = [
    ["Число школ1)", None, None, None],
    [None, None, None, "единиц"],
    [None, "2018/19", "2019/20*", "9 месяцев 2020 года"],
    ["Республика Казахстан", "1 024,5", "2 000", 7],
    ["Абай", None, None, None],
    ["Туркестанская2)", "-", "12,5*", 7],
    ["город Астана", "…", "x", 7],
    ["1) без филиалов", None, None, None],
]


@pytest.mark.parametrize("name", ["t.xlsx", "t.csv"])
def test_a_sheet_with_titles_footnotes_and_school_years(tmp_path, name):
    panel = read(sheet(tmp_path, BUREAU, name), indicator="schools")
    assert list(panel) == ["schools"]
    assert panel["schools"].dropna().to_dict() == {
        ("Республика Казахстан", 2018): 1024.5,
        ("Республика Казахстан", 2019): 2000.0,
        ("Туркестанская2)", 2019): 12.5,
    }
    assert panel.loc["город Астана", "schools"].isna().all()
    assert "Абай" not in panel.index.get_level_values("region")
    check(panel)


BLOCKS = [
    [None, 2019, 2020],
    ["Всё население", None, None],
    ["Абай", 10, 11],
    ["Астана", 20, 21],
    ["Городское население", None, None],
    ["Абай", 1, 2],
    ["Астана", 20, 21],
]


def test_blocks_one_below_another_are_chosen_by_name(tmp_path):
    path = sheet(tmp_path, BLOCKS)
    with pytest.raises(InputError, match=r"repeated in 2 blocks \('Всё население', 'Городское население'\); say which"):
        read(path)
    assert read(path, block="всё  население")["value"].tolist() == [10, 11, 20, 21]
    assert read(path, block="Городское население")["value"].tolist() == [1, 2, 20, 21]
    with pytest.raises(InputError, match="block 'Сельское' is not a block of"):
        read(path, block="Сельское")


def test_a_second_heading_moves_the_columns(tmp_path):
    """The second part begins one column further left: its figures must not be read under the first part's years."""
    rows = [
        [None, "unit", 2019, 2020],
        ["Абай", "t", 1, 2],
        [None] * 4,
        ["Районы", None, None, None],
        [None, 2019, 2020, None],
        ["Астана", 3, 4, None],
    ]
    panel = read(sheet(tmp_path, rows))
    assert panel["value"].to_dict() == {("Абай", 2019): 1, ("Абай", 2020): 2, ("Астана", 2019): 3, ("Астана", 2020): 4}


def test_years_that_go_on_below_are_one_series(tmp_path):
    rows = [[None, 2017, 2018], ["Абай", 1, 2], ["продолжение", None, None], [None, 2019, 2020], ["Абай", 3, 4]]
    assert read(sheet(tmp_path, rows))["value"].tolist() == [1, 2, 3, 4]


def test_figures_that_look_like_years_are_figures(tmp_path):
    rows = [["Регион", 2019, 2020], ["Абай", 1999, 2001], ["Астана", 2003, 2004]]
    assert read(sheet(tmp_path, rows))["value"].tolist() == [1999, 2001, 2003, 2004]


QUARTERS = [
    [None, 2019, None, None, 2020, None, None, 2021, None],
    [None, "I quarter", "IV quarter", "year2)", "I quarter", "IV quarter", "year", "I quarter", "IV quarter"],
    ["Абай", 1, 2, 1.5, 3, 4, 3.5, 5, 6],
]


def test_quarters_are_no_years(tmp_path):
    assert read(sheet(tmp_path, QUARTERS))["value"].to_dict() == {("Абай", 2019): 1.5, ("Абай", 2020): 3.5}
    only = [row[:3] for row in QUARTERS]
    with pytest.raises(InputError, match="by parts of a year"):
        read(sheet(tmp_path, only))


def test_a_year_over_several_columns_is_not_guessed(tmp_path):
    rows = [[None, 2019, None, 2020, None], [None, "всего", "мужчины", "всего", "мужчины"], ["Абай", 10, 4, 11, 5]]
    with pytest.raises(InputError, match=r"2019 stands over several columns \('всего', 'мужчины'\)|2020 stands over"):
        read(sheet(tmp_path, rows))
    one = [[row[0], row[1], row[3]] for row in rows]
    assert read(sheet(tmp_path, one))["value"].tolist() == [10, 11]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([["a", "b"], ["c", "d"]], "wanted columns region and year, or a heading row of years; found neither"),
        ([[None, 2019], ["Абай", "two"]], r"column 'value': 1 of 1 cells are not numbers: 'two' \(row Абай, 2019\)"),
        ([[None, 2019], ["Абай", 1], ["Абай", 2]], r"1 keys are given more than once .*\('Абай', '2019', 'value'\)"),
        ([[None, 2019, 2019], ["Абай", 1, 2]], "a heading names a year more than once: 2019"),
        ([[None, 2019], ["Абай", None]], "no row of figures below the heading of years"),
        ([["region", "year", "v"]], "no row below the heading"),
        ([["region", "year", "v"], ["Абай", "soon", 1]], "not a year: 'soon'"),
        ([["region", "year", "v"], [None, 2019, 1]], "the column of regions has empty cells"),
        ([["region", "year", "v", "v"], ["Абай", 2019, 1, 2]], "columns are given more than once: 'v'"),
        ([[None, "region", "year", "v"], [0, "Абай", 2019, 1]], "columns without a heading: 1"),
        ([["region", "year"], ["Абай", 2019]], "no column of figures beside region and year"),
        ([["region", "year", "v"], ["Абай", 2019, 1], ["Абай", 2019, 1]], r"\('Абай', '2019', 'v'\)"),
        ([["kato", "year", "v"], ["190000000", 2019, 1], ["19000000", 2019, 1]], "'19000000' has 8 digits, KATO has 9"),
    ],
)
def test_what_is_refused(tmp_path, rows, says):
    with pytest.raises(InputError, match=says):
        read(sheet(tmp_path, rows))


@st.composite
def panels(draw):
    regions = draw(
        st.lists(st.sampled_from(["190000000", "630000000", "710000000", "750000000"]), min_size=1, unique=True)
    )
    years = draw(st.lists(st.integers(1995, 2030), min_size=1, max_size=4, unique=True))
    at = pd.MultiIndex.from_product([regions, years], names=["region", "year"])
    figures = st.one_of(st.none(), st.integers(-(10**6), 10**6).map(lambda i: i / 8))
    columns = draw(st.lists(st.sampled_from(["income", "jobs"]), min_size=1, unique=True))
    frame = pd.DataFrame(
        {c: draw(st.lists(figures, min_size=len(at), max_size=len(at))) for c in columns}, index=at, dtype=float
    )
    return frame.dropna(how="all")


@LAWS
@given(panels(), st.sampled_from(["long", "columns", "parquet", "xlsx"]), st.randoms(use_true_random=False))
def test_every_layout_gives_the_same_panel_in_any_order(tmp_path_factory, panel, layout, shuffler):
    if panel.empty:
        return
    folder = tmp_path_factory.mktemp("p")
    table = to_long(panel) if layout == "long" else panel.reset_index()
    order = list(range(len(table)))
    shuffler.shuffle(order)
    table = table.iloc[order]
    path = folder / {"parquet": "t.parquet", "xlsx": "t.xlsx"}.get(layout, "t.csv")
    if layout == "parquet":
        table.to_parquet(path)
    elif layout == "xlsx":
        table.to_excel(path, index=False)
    else:
        table.to_csv(path, index=False, sep=";", decimal=",")
    back = read(path)
    wanted = panel.sort_index().astype(float)
    if layout == "long":  # which has no row for a figure that isn't there
        wanted = wanted.dropna(axis=1, how="all")
    pd.testing.assert_frame_equal(back, wanted[sorted(wanted)], check_index_type=False)


@LAWS
@given(panels())
def test_a_rate_is_a_quotient_or_missing(panel):
    panel = panel.assign(base=[0.0, 4.0, np.nan][len(panel) % 3])
    found = rate(panel, panel.columns[0], "base", per=100)
    assert found.index.equals(panel.index)
    truth = panel.iloc[:, 0] * 25 if len(panel) % 3 == 1 else panel.iloc[:, 0] * np.nan
    assert found.to_numpy() == pytest.approx(truth.to_numpy(), nan_ok=True)
    assert not np.isinf(found).any()


def test_a_rate_that_cant_be():
    frame = pd.DataFrame({"a": [1.0]}, index=pd.MultiIndex.from_tuples([("x", 2019)], names=["region", "year"]))
    with pytest.raises(InputError, match="indicator 'b' is not a column of the panel"):
        rate(frame, "a", "b")
    with pytest.raises(InputError, match="per must be positive"):
        rate(frame, "a", "a", per=-1)


def test_all_faults_of_a_panel_at_once():
    at = pd.MultiIndex.from_tuples([("a", 2019), ("a", 2019)], names=["region", "year"])
    with pytest.raises(InputError) as caught:
        check(pd.DataFrame({"x": [1.0, np.inf], "y": ["1", "2"]}, index=at))
    for part in ("more than once: ('a', 2019)", "not numbers: 'y'", "infinite values: 'x'"):
        assert part in str(caught.value)
    with pytest.raises(InputError, match=r"the index must be \(region, year\); got \['year', 'region'\]"):
        check(pd.DataFrame({"x": [1.0, 2.0]}, index=at.set_names(["year", "region"])))


def test_metadata(tmp_path, kazakhstan):
    known = read_metadata(kazakhstan / "indicators_meta.csv")
    figures = read(kazakhstan / "indicators.csv")
    assert set(figures) == set(known)
    for about in known.values():
        assert about.labels.en
        assert about.labels.ru
        assert about.labels.kk
        assert (about.aggregation == "mean") == bool(about.weight)
        assert not about.weight or about.weight in known
    file = tmp_path / "m.csv"
    file.write_text("indicator,direction,aggregation\nx,more is bettr,sum\n")
    with pytest.raises(InputError, match=r"direction 'more is bettr' is not known .*; did you mean 'more is better'"):
        read_metadata(file)
    file.write_text("indicator,direction\nx,neutral\n")
    with pytest.raises(InputError, match="column 'aggregation' is not a column of"):
        read_metadata(file)
    file.write_text("indicator,direction,aggregation\nx,neutral,sum\n")
    assert read_metadata(file)["x"] == indicators.Indicator("x", indicators.panel.Names("x"), aggregation="sum")
