"""Analyses of hot spots and of regions say no more than is so: gaps, limits and options that can't be met are told."""

import functools
import itertools

import numpy as np
import pytest

from kazgeo import analyses, hotspots, indicators, regionalization, regions, settlements
from kazgeo.analyses import hotspots as spots
from kazgeo.data import embedded
from kazgeo.errors import InputError
from kazgeo.hotspots.emerging import CATEGORIES
from kazgeo.io import Source
from kazgeo.plots import line_chart
from kazgeo.weights import contiguity

DATA = embedded()
SPAN = {"first_year": 2009, "last_year": 2020}
LIKE = ("nominal_cash_income_pc", "unemployment_rate")


@functools.cache
def panel():
    reforms = indicators.read_reforms(DATA / "reforms.csv")
    meaning = indicators.read_metadata(DATA / "indicators_meta.csv")
    published = indicators.read(DATA / "indicators.csv").drop("000000000", level="region")
    return indicators.harmonise(published, 2009, reforms=reforms, metadata=meaning).panel


@functools.cache
def oblasts():
    return regions.read(Source(DATA / "regions_2009.gpkg", id="kato")).join(panel().xs(2020, level="year"))


@functools.cache
def places():
    return settlements.read(Source(DATA / "settlements.csv", id="id"))


def run(name, *arguments, **options):
    return analyses.get(name).function(*arguments, **options)


def emerging(figures, indicator="nominal_cash_income_pc", **options):
    return run(
        "emerging_hot_spots", oblasts(), figures, indicator, **{**SPAN, "permutations": 999, "seed": 3} | options
    )


@functools.cache
def waves():
    """Return settlements with a short and a long wave over the map: clustering peaks at two distances."""
    x, y = places().geometry.x, places().geometry.y
    return places().assign(wave=np.sin(x) * np.sin(y) + 0.6 * np.sin(x / 4) * np.sin(y / 4))


@pytest.mark.parametrize("peak", ["first", "max"])
def test_the_peak_is_the_one_asked_for(peak):
    outcome = run("optimized_hot_spots", waves(), "wave", peak=peak, bands=15, seed=3, permutations=99)
    done = hotspots.optimized_hot_spots(waves()["wave"], waves(), peak=peak, n_bands=15, rng=3, permutations=99)
    assert done.reason == f"{peak}-peak"
    z = done.correlogram.table.set_index("to_m")["z"]
    assert (z.idxmax() == done.distance_m) == (peak == "max")
    assert outcome.numbers["distance_km"] == done.distance_m / 1000
    assert outcome.numbers["hot"] + outcome.numbers["cold"] == done.spots.n_significant > 0
    np.testing.assert_array_equal(outcome.layer["neighbours"].astype(float), done.spots.neighbours.astype(float))


def test_relative_values_never_turn_hot_into_cold():
    """Divided by a mean below 0 the lowest value is the highest: losses would look like gains."""
    losses = panel().assign(balance=-panel()["nominal_cash_income_pc"])
    with pytest.raises(InputError, match="mean above 0; that of 2009 is"):
        emerging(losses, "balance")
    plain = emerging(losses, "balance", relative=False).tables["bins"]["value"]
    mirror = emerging(panel(), relative=False).tables["bins"]["value"]
    np.testing.assert_allclose(plain, -mirror, atol=1e-9)


def test_a_gap_in_one_year_is_no_region_without_a_result():
    holes = panel().copy()
    holes.loc[("110000000", 2012), "nominal_cash_income_pc"] = np.nan
    outcome = emerging(holes)
    assert outcome.layer.loc["110000000", "category"] != "undefined"
    assert not len(outcome.dropped)
    assert "take no part: 1 of 192 (missing value)" in outcome.summary()


def test_a_region_without_the_last_year_is_dropped_once():
    holes = panel().copy()
    holes.loc[("110000000", 2020), "nominal_cash_income_pc"] = np.nan
    outcome = emerging(holes)
    assert outcome.dropped.to_numpy().tolist() == [["110000000", "no-last-year"]]
    tested = 15
    assert f"of {tested} regions" in outcome.summary()
    assert outcome.layer.loc["110000000", "category"] == "undefined"


def test_too_few_draws_are_told_when_years_are_tested():
    y = panel()["nominal_cash_income_pc"]
    y = y[y.index.get_level_values("year").isin(range(2009, 2021))]
    y = y / y.groupby(level="year").transform("mean")
    done = hotspots.emerging_hot_spots(y, contiguity(oblasts()), permutations=99, rng=2)
    assert done.cannot_pass
    assert "take more draws" in emerging(panel(), permutations=99, seed=2).summary()
    assert "take more draws" not in emerging(panel(), permutations=9_999).summary()


def test_least_years_and_short_series_are_told():
    outcome = emerging(panel(), first_year=2016, min_years=6)
    assert set(outcome.layer["category"]) == {"undefined"}
    assert outcome.summary().startswith("Nothing could be tested")
    assert "With fewer than ten years" in outcome.summary()
    assert len(outcome.dropped) == 16


def grey(color):
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_greyscale_print_tells_all_patterns_apart():
    looks = {code: (grey(color), hatch) for code, _, color, hatch in spots._CATEGORIES}
    assert set(looks) == set(CATEGORIES)
    alike = [
        (a, b) for a, b in itertools.combinations(looks, 2)
        if looks[a][1] == looks[b][1] and abs(looks[a][0] - looks[b][0]) < 25
    ]  # fmt: skip
    assert alike == []
    hatches = {heat: {look[1] for code, look in looks.items() if code.endswith(heat)} for heat in ("-hot", "-cold")}
    assert not hatches["-hot"] & hatches["-cold"]


def scan(values, column, **options):
    return run("scan_statistic", values, column, **{"permutations": 99, "seed": 3} | options)


def test_a_scan_tells_rank_risk_and_p_of_every_unit():
    doctors = oblasts().assign(n=oblasts()["doctors"].round())
    outcome = scan(doctors, "n", population="population", direction="both")
    done = hotspots.scan_poisson(doctors["n"], doctors["population"], doctors, direction="both", permutations=99, rng=3)
    wanted = done.cluster.map(done.clusters["relative_risk"])
    np.testing.assert_array_equal(outcome.layer["relative_risk"].astype(float), wanted.astype(float))
    np.testing.assert_array_equal(outcome.layer["cluster_p"], done.to_frame()["p"])
    assert not outcome.summary("kk").count("..")
    assert "one unit, Almaty (city) (p 0.0100)" in outcome.summary()


def test_a_scan_names_eight_units_and_counts_the_rest():
    north = places().assign(north=(places().geometry.y > 52).astype(float))
    outcome = scan(north, "north", model="normal")
    done = hotspots.scan_normal(north["north"], north, permutations=99, rng=3)
    assert len(done.members[1]) > 8
    assert f"{len(done.members[1]) - 8} more)" in outcome.summary()


def test_what_is_not_significant_is_said_first():
    outcome = scan(places(), "population", model="normal", direction="both")
    assert outcome.numbers["significant"] == 0
    assert str(outcome.findings[0]).startswith("Significant at 5 %: 0 of")
    few = scan(oblasts(), "doctors", model="normal", alpha=0.005).summary().replace("\xa0", " ")
    assert "above the level of 0.5 %" in few
    assert few.startswith("Significant at 0.5 %: 0 of 1")


def test_a_column_that_would_be_ignored_is_refused():
    with pytest.raises(InputError, match="normal model takes no population"):
        scan(oblasts(), "doctors", population="population", model="normal")
    with pytest.raises(InputError, match="HDBSCAN counts settlements"):
        run("density_clusters", places(), population="population", method="hdbscan", min_people=1e6)
    with pytest.raises(InputError, match="floor and floor_min belong together"):
        run("regionalize", oblasts(), LIKE, floor_min=1e6)


def test_core_and_border_are_of_groups_only():
    outcome = run("density_clusters", places(), population="population", distance_km=60.0)
    people = places()["population"].fillna(0.0)
    done = hotspots.density_clusters(places(), eps_m=60_000, min_points=5, weight=people)
    inside = done.label.str.startswith("cluster-")
    assert (outcome.layer["core"] == "core").tolist() == (done.core == True).tolist()  # noqa: E712
    assert (outcome.layer["core"] == "border").tolist() == (inside & (done.core == False)).tolist()  # noqa: E712
    assert outcome.layer.loc[~inside, "core"].isna().all()
    unknown = int(places()["population"].isna().sum())
    assert f"counted as empty: {unknown}." in outcome.summary()
    least = run("density_clusters", places(), population="population", distance_km=60.0, min_people=1e5)
    assert (least.layer["density"] == "undefined").sum() == unknown
    assert (done.label == "noise").sum() > 0
    assert outcome.plot("Ұғым", "kk").axes


def test_settlements_of_which_nothing_is_known_are_not_those_not_chosen():
    flags = np.ones(len(places()))
    flags[:10], flags[10:15] = np.nan, 0
    outcome = run("density_clusters", places().assign(poor=flags), chosen="poor", distance_km=60.0)
    assert outcome.layer["density"].iloc[:15].tolist() == ["undefined"] * 10 + ["not chosen"] * 5
    assert sorted(outcome.dropped["unit"]) == sorted(places().index[:10])
    assert f"take no part: 5 of {len(places())}" in outcome.summary()
    assert outcome.tables["clusters"]["population"].isna().all()  # no column of inhabitants was named


def test_a_legend_of_sums_is_not_one_of_points():
    people = run("aggregate_points", places(), weight="population", cell_km=100.0)
    assert people.style.title == "sum per cell"
    assert people.layer["sum"].sum() == places()["population"].sum()
    assert run("aggregate_points", places(), cell_km=100.0).style.title == "points per cell"


def test_faults_are_told_in_the_words_of_the_form():
    for options, said in (
        ({"zones": 50}, "^zones must not exceed"),
        ({"zones": 3, "floor": "population"}, "floor and floor_min belong together"),
    ):
        with pytest.raises(InputError, match=said):
            run("regionalize", oblasts(), LIKE, **options)
    with pytest.raises(InputError, match="fewest must not exceed most; got 8 and 3"):
        run("suggest_regions", oblasts(), LIKE, fewest=8, most=3)
    with pytest.raises(InputError, match=r"^largest = 0\.01 leaves no window"):
        scan(oblasts().assign(n=oblasts()["doctors"].round()), "n", population="population", largest=0.01)
    with pytest.raises(InputError, match="rename that indicator"):
        run("regionalize", oblasts().assign(size=oblasts()["population"]), ("size",))


def test_regions_are_told_in_the_readers_words():
    outcome = run("regionalize", oblasts(), LIKE, zones=12, method="ward")
    assert "nominal_cash_income_pc" not in outcome.summary("kk") + outcome.summary("ru")
    assert outcome.seed is None  # nothing is drawn
    looks = [(c.color, c.hatch) for c in outcome.style.classes]
    assert len(set(looks)) == len(looks) == 12
    done = regionalization.ward(oblasts()[list(LIKE)].astype(float), contiguity(oblasts()), n_regions=12)
    assert outcome.layer["zone"].tolist() == done.label.tolist()


def test_numbers_of_regions_are_whole_on_the_axis():
    (chart,) = run("suggest_regions", oblasts(), LIKE, most=8).charts
    fig = line_chart(chart.data, title="", unit="", across=chart.across)
    fig.canvas.draw()
    (axes,) = [a for a in fig.axes if a.get_label() == "chart"]
    assert all(float(tick) == round(float(tick)) for tick in axes.get_xticks())
