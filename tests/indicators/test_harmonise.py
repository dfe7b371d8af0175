"""Carrying a panel across reforms: totals kept, means between their parts, nothing divided, nothing counted twice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo import indicators
from kazgeo.errors import InputError
from kazgeo.indicators import Indicator, harmonise, read_metadata, read_reforms, successors
from kazgeo.messages import Names

SLOW = [HealthCheck.too_slow]  # a busy machine is no fault of the law
LAWS = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=SLOW)
SOUTH, TURKISTAN, SHYMKENT, EAST, ABAI, ASTANA = (
    "510000000",
    "610000000",
    "790000000",
    "630000000",
    "100000000",
    "710000000",
)
REFORMS = pd.DataFrame(
    {
        "date": pd.to_datetime(["2018-06-19", "2018-06-19", "2022-06-08", "2022-06-08"]),
        "old": [SOUTH, SOUTH, EAST, EAST],
        "new": [TURKISTAN, SHYMKENT, EAST, ABAI],
        "share": [0.7, 0.3, 0.6, 0.4],
    }
)
ABOUT = {
    "people": Indicator("people", Names("people"), aggregation="sum"),
    "income": Indicator("income", Names("income"), aggregation="mean", weight="people"),
}


def panel(rows, columns=("people", "income")):
    at = pd.MultiIndex.from_tuples([(r, y) for r, y, *_ in rows], names=["region", "year"])
    return pd.DataFrame([list(v) for _, _, *v in rows], index=at, columns=list(columns), dtype=float)


def run(frame, vintage=2009, reforms=REFORMS, about=ABOUT):
    return harmonise(frame, vintage, reforms=reforms, metadata=about)


@st.composite
def published(draw):
    """Figures as a bureau prints them: the whole until its reform, its parts after it, sometimes back-cast."""
    rows = []
    figure = st.integers(1, 10**6).map(float)
    back_cast = draw(st.integers(2015, 2018))
    for year in range(2015, 2023):
        south = [SOUTH] if year < back_cast else [TURKISTAN, SHYMKENT]
        east = [EAST] if year < 2022 else [EAST, ABAI]
        rows += [(r, year, draw(figure), draw(figure)) for r in (*south, *east, ASTANA)]
    return panel(draw(st.permutations(rows)))


@pytest.mark.slow
@LAWS
@given(published())
def test_totals_are_kept_and_means_lie_between_their_parts(raw):
    done = run(raw)
    assert not len(done.missing)
    assert done.panel.index.get_level_values("region").unique().tolist() == [SOUTH, EAST, ASTANA]
    pd.testing.assert_series_equal(done.panel["people"].groupby("year").sum(), raw["people"].groupby("year").sum())
    money = [(p["people"] * p["income"]).groupby("year").sum() for p in (done.panel, raw)]
    pd.testing.assert_series_equal(money[0], money[1])
    for _, (region, year, name, parts, rule) in done.merged.iterrows():
        some = raw[name].loc[[(p, year) for p in parts.split("+")]]
        value = done.panel.loc[(region, year), name]
        if name == "people":
            assert (value, rule) == (some.sum(), "sum")
        else:
            assert some.min() * (1 - 1e-12) <= value <= some.max() * (1 + 1e-12)
            assert rule == "mean weighted by people"
    apart = set(zip(done.merged["region"], done.merged["year"], strict=True))
    alone = done.panel[~done.panel.index.isin(apart)]
    pd.testing.assert_frame_equal(alone, raw.loc[alone.index])


@LAWS
@given(published())
def test_harmonising_twice_changes_nothing(raw):
    once = run(raw)
    twice = run(once.panel)
    pd.testing.assert_frame_equal(twice.panel, once.panel, check_exact=True)
    assert not len(twice.merged)
    assert not len(twice.missing)


@LAWS
@given(published(), st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(raw, shuffler):
    raw.iloc[3, 0] = np.nan
    raw.iloc[7, 1] = np.nan
    order, reforms = list(range(len(raw))), list(REFORMS.index)
    shuffler.shuffle(order)
    shuffler.shuffle(reforms)
    plain, again = run(raw), run(raw.iloc[order], reforms=REFORMS.loc[reforms])
    pd.testing.assert_frame_equal(again.panel, plain.panel, check_exact=True)
    pd.testing.assert_frame_equal(again.merged, plain.merged)
    pd.testing.assert_frame_equal(again.missing, plain.missing)


def test_codes_of_every_vintage():
    assert successors(REFORMS, 2009) == {ABAI: EAST, TURKISTAN: SOUTH, SHYMKENT: SOUTH}
    assert successors(REFORMS, 2018) == {ABAI: EAST}
    assert successors(REFORMS, 2022) == {}


def test_a_missing_part_leaves_the_whole_missing_and_is_told():
    raw = panel(
        [(TURKISTAN, 2018, 2, 10), (SHYMKENT, 2018, np.nan, 20), (TURKISTAN, 2019, 2, 10), (ASTANA, 2018, 1, 5)]
    )
    done = run(raw)
    assert done.panel.loc[SOUTH].isna().sum().to_dict() == {"people": 2, "income": 1}
    assert done.missing.values.tolist() == [
        [SOUTH, 2018, "people", f"figures only for {TURKISTAN} of {TURKISTAN}, {SHYMKENT}"],
        [SOUTH, 2019, "people", f"figures only for {TURKISTAN} of {TURKISTAN}, {SHYMKENT}"],
        [SOUTH, 2019, "income", f"figures only for {TURKISTAN} of {TURKISTAN}, {SHYMKENT}"],
    ]
    assert done.panel.loc[(SOUTH, 2018), "income"] == pytest.approx(0.7 * 10 + 0.3 * 20)
    assert done.panel.loc[(ASTANA, 2018)].tolist() == [1, 5]


def test_shares_stand_in_for_a_weight_and_are_told():
    raw = panel([(TURKISTAN, 2018, np.nan, 10), (SHYMKENT, 2018, np.nan, 20)])
    done = run(raw)
    assert done.panel["income"].tolist() == [13.0]
    assert done.merged["rule"].tolist() == ["mean weighted by the parts' share of people at the reform"]
    without = run(raw, reforms=REFORMS.drop(columns="share"))
    assert without.panel["income"].isna().all()
    assert without.missing.values.tolist() == [[SOUTH, 2018, "income", "weight people missing for a part"]]


def test_shares_multiply_down_a_chain_of_reforms():
    """A splits into B (0.6) and D, B later into B (0.5) and C: B is then 0.3 of A, not 0.6."""
    a, b, c, d = "110000000", "120000000", "130000000", "140000000"
    reforms = pd.DataFrame(
        {
            "date": pd.to_datetime(["2010-01-01"] * 2 + ["2015-01-01"] * 2),
            "old": [a, a, b, b],
            "new": [b, d, b, c],
            "share": [0.6, 0.4, 0.5, 0.5],
        }
    )
    done = run(panel([(b, 2016, np.nan, 10), (c, 2016, np.nan, 20), (d, 2016, np.nan, 30)]), 2009, reforms)
    assert done.panel["income"].tolist() == pytest.approx([0.3 * 10 + 0.3 * 20 + 0.4 * 30])
    middle = run(panel([(b, 2016, 1, 10), (c, 2016, 3, 20), (d, 2016, 5, 30)]), 2012, reforms)
    assert middle.panel.loc[(b, 2016)].tolist() == [4, 17.5]
    assert middle.panel.loc[(d, 2016)].tolist() == [5, 30]
    with pytest.raises(InputError, match=rf"figures for {b} \(2012\) can't be divided among its successors {b}, {c}"):
        run(panel([(b, 2012, 1, 10), (d, 2012, 1, 10)]), 2016, reforms)


def test_a_whole_beside_its_parts_is_refused():
    raw = panel([(SOUTH, 2017, 3, 1), (TURKISTAN, 2017, 2, 1), (SHYMKENT, 2017, 1, 1)])
    with pytest.raises(
        InputError,
        match=rf"'people', 2017: the whole {SOUTH} stands beside its parts {TURKISTAN}, {SHYMKENT}, which would",
    ):
        run(raw)
    with pytest.raises(InputError, match="for 2017 its successors have figures of their own"):
        run(raw, 2018)


def test_a_whole_is_never_divided():
    raw = panel([(SOUTH, 2016, 3, 1), (SOUTH, 2017, 3, 1), (TURKISTAN, 2018, 2, 1), (SHYMKENT, 2018, 1, 1)])
    with pytest.raises(
        InputError,
        match=rf"figures for {SOUTH} \(2016–2017\) can't be divided among its successors {TURKISTAN}, {SHYMKENT}; "
        "choose a vintage before 2018",
    ):
        run(raw, 2018)
    kept = run(raw.drop(SOUTH, level="region"), 2018)
    assert not len(kept.merged)
    assert len(kept.panel) == 2


def test_a_code_that_outlived_its_reform_is_the_whole_before_and_the_rest_after():
    """Abai is back-cast for one indicator only: the other's figures of 2021 are still the whole East Kazakhstan."""
    raw = panel([(EAST, 2021, 10, 5), (ABAI, 2021, 4, np.nan), (EAST, 2022, 6, 5), (ABAI, 2022, 4, 7)])
    assert run(raw, 2009).panel.loc[EAST].to_numpy() == pytest.approx(np.array([[14, 5], [10, 5.8]]))
    with pytest.raises(InputError, match=rf"figures for {EAST} \(2021; 'income'\) can't be divided"):
        run(raw, 2022)
    assert run(raw.drop(columns="income"), 2022).panel.loc[(EAST, 2021), "people"] == 10
    with pytest.raises(InputError, match=rf"figures for {EAST} \(2022\) can't be divided"):
        run(panel([(EAST, 2022, 10, 5)]), 2022)
    late = run(panel([(EAST, 2022, 10, 5), (EAST, 2023, 6, 5)]), 2009)
    assert late.panel["people"].isna().tolist() == [False, True]
    assert late.missing["reason"].unique().tolist() == [f"figures only for {EAST} of {ABAI}, {EAST}"]


@pytest.mark.parametrize(
    ("frame", "about", "says"),
    [
        (
            panel([(ASTANA, 2018, 1, 1)], ("people", "incme")),
            ABOUT,
            "indicator 'incme' is not described in the metadata .*; did you mean 'income'",
        ),
        (
            panel([(ASTANA, 2018, 1)], ("income",)),
            ABOUT,
            "averaged with weight 'people', which is not a column of the panel",
        ),
        (panel([(ASTANA, 2018, 1, 1), (ASTANA, 2018, 1, 1)]), ABOUT, "given more than once"),
        (panel([(ASTANA, 2018, 1, 1)]).reset_index(), ABOUT, r"the index must be \(region, year\)"),
    ],
)
def test_what_harmonise_refuses(frame, about, says):
    with pytest.raises(InputError, match=says):
        run(frame, about=about)


def test_nothing_in_nothing_out():
    done = run(panel([(ASTANA, 2018, 1, 1)]).iloc[:0])
    assert done.panel.empty
    assert list(done.panel) == ["people", "income"]
    constant = run(panel([(TURKISTAN, 2018, 1, 5), (SHYMKENT, 2018, 1, 5)]))
    assert constant.panel.values.tolist() == [[2, 5]]
    nothing = run(panel([(TURKISTAN, 2018, np.nan, np.nan), (SHYMKENT, 2018, np.nan, np.nan)]))
    assert nothing.panel.isna().all().all()
    assert not len(nothing.missing)


def test_reforms_are_checked(tmp_path):
    file = tmp_path / "r.csv"
    for rows, says in [
        ("date,old\n2018-06-19,510000000\n", "column 'new' is not a column of"),
        ("date,old,new\n19.06.2018,510000000,610000000\n", r"not a date \(wanted YYYY-MM-DD\): '19.06.2018'"),
        ("date,old,new\n2018-06-19,51,610000000\n", "column old of .*: '51' has 2 digits, KATO has 9"),
        ("date,old,new,share\n2018-06-19,510000000,610000000,most\n", "column 'share': 1 of 1 cells are not numbers"),
    ]:
        file.write_text(rows)
        with pytest.raises(InputError, match=says):
            read_reforms(file)


@pytest.fixture(scope="module")
def embedded(kazakhstan):
    raw = indicators.read(kazakhstan / "indicators.csv").drop("000000000", level="region")
    about, reforms = read_metadata(kazakhstan / "indicators_meta.csv"), read_reforms(kazakhstan / "reforms.csv")
    return raw, about, reforms, harmonise(raw, 2009, reforms=reforms, metadata=about)


def theil(panel, year):
    """Theil's T of GRP per head between regions, weighted by population (Theil 1967)."""
    some = panel.xs(year, level="year")[["grp_per_capita", "population"]].dropna()
    weight = some["population"] / some["population"].sum()
    ratio = some["grp_per_capita"] / (weight * some["grp_per_capita"]).sum()
    return len(some), float((weight * ratio * np.log(ratio)).sum())


def test_the_jump_of_2018_is_the_boundary_not_the_economy(embedded):
    raw, _, _, done = embedded
    before, after = theil(raw, 2017), theil(raw, 2018)
    assert (before[0], after[0]) == (15, 17)
    assert after[1] - before[1] == pytest.approx(0.0451, abs=5e-4)
    before, after = theil(done.panel, 2017), theil(done.panel, 2018)
    assert (before[0], after[0]) == (16, 16)
    assert after[1] - before[1] == pytest.approx(0.0002, abs=5e-4)


def test_embedded_totals_and_coverage(embedded, kazakhstan):
    raw, about, _, done = embedded
    assert done.panel.index.get_level_values("region").nunique() == 16
    block = done.panel[done.panel.index.get_level_values("year").isin(range(2009, 2021))]
    assert block.shape == (16 * 12, 8)
    assert block.notna().all().all()
    country = indicators.read(kazakhstan / "indicators.csv").loc["000000000"]
    for name in (n for n in raw if about[n].aggregation == "sum"):
        totals = done.panel[name].groupby("year").sum(min_count=1)
        pd.testing.assert_series_equal(totals, raw[name].groupby("year").sum(min_count=1))
        pd.testing.assert_series_equal(totals.dropna(), country[name].dropna(), check_exact=True)
    shares = done.merged[done.merged["rule"].str.contains("share")]
    assert set(shares["indicator"]) == {"unemployment_rate"}
    assert shares["year"].tolist() == list(range(2010, 2017))
    south = done.panel["unemployment_rate"].loc[SOUTH]
    assert south.loc[[2010, 2014, 2017]].round(1).tolist() == [
        6.1,
        5.4,
        5.2,
    ]  # SDG 8-5-2 has 5.9, 5.4, 5.2 for the whole


def test_embedded_twice_and_shuffled(embedded):
    raw, about, reforms, done = embedded
    again = harmonise(done.panel, 2009, reforms=reforms, metadata=about)
    pd.testing.assert_frame_equal(again.panel, done.panel, check_exact=True)
    assert (len(again.merged), len(again.missing)) == (0, 0)
    mixed = raw.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(
        harmonise(mixed, 2009, reforms=reforms, metadata=about).panel, done.panel, check_exact=True
    )


def test_later_vintages_of_the_embedded_panel(embedded):
    raw, about, reforms, done = embedded
    with pytest.raises(
        InputError,
        match=rf"figures for {SOUTH} \(2008–2017\) can't be divided among its successors {TURKISTAN}, {SHYMKENT}",
    ):
        harmonise(raw, 2018, reforms=reforms, metadata=about)
    recent = raw[raw.index.get_level_values("year") >= 2018]
    now = harmonise(recent, 2018, reforms=reforms, metadata=about)
    assert now.panel.index.get_level_values("region").nunique() == 17
    pd.testing.assert_frame_equal(
        harmonise(now.panel, 2009, reforms=reforms, metadata=about).panel,
        done.panel[done.panel.index.get_level_values("year") >= 2018],
        rtol=1e-12,
    )
    with pytest.raises(InputError, match=r"figures for \d{9} \(2018–20\d\d.*\) can't be divided"):
        harmonise(recent, 2022, reforms=reforms, metadata=about)


def test_the_sdg_poverty_series_counts_the_south_twice(shared, embedded):
    """It prints South Kazakhstan beside Turkistan and Shymkent for 2014-2017."""
    _, _, reforms, _ = embedded
    table = pd.read_csv(shared / "data" / "oblast_panel_long.csv", dtype={"kato2": str})
    table = table[
        table["indicator"].isin(["poverty_below_subsistence", "population"])
        & (table["kato2"] != "0")
        & table["year"].between(2010, 2020)
    ]
    table["region"] = table["kato2"].str.ljust(9, "0")
    wide = table.pivot_table(index=["region", "year"], columns="indicator", values="value")[
        ["population", "poverty_below_subsistence"]
    ]
    about = {
        "population": Indicator("population", Names("p"), aggregation="sum"),
        "poverty_below_subsistence": Indicator("poverty_below_subsistence", Names("p"), weight="population"),
    }
    poverty = wide[["poverty_below_subsistence"]].assign(population=1.0)
    with pytest.raises(
        InputError,
        match=rf"'poverty_below_subsistence', 2014: the whole {SOUTH} stands beside its parts {TURKISTAN}, {SHYMKENT}",
    ):
        harmonise(poverty.assign(population=np.nan), 2009, reforms=reforms, metadata=about)
    twice = (wide.index.get_level_values("region") == SOUTH) & (wide.index.get_level_values("year") >= 2014)
    mended = harmonise(poverty[~twice].assign(population=np.nan), 2009, reforms=reforms, metadata=about)
    south = mended.panel["poverty_below_subsistence"].loc[SOUTH]
    assert south.loc[2013] == wide["poverty_below_subsistence"].loc[(SOUTH, 2013)]
    assert south.loc[2014] == pytest.approx(0.6749 * 7.7 + 0.3251 * 1.0)
    assert south.notna().all()
