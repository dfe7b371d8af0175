"""Analyses of statistics say what the library computes, on Kazakhstan's own data, and can be drawn."""

import functools

import geopandas
import numpy as np
import pandas as pd
import pytest
from shapely import box

from kazgeo import analyses, autocorrelation, hotspots, indicators, regionalization, regions, settlements
from kazgeo.analyses.whole_map import _by_distance
from kazgeo.data import embedded
from kazgeo.errors import InputError
from kazgeo.io import Source
from kazgeo.weights import contiguity, distance_band, kernel, knn

DATA = embedded()
DRAWS = {"permutations": 199, "seed": 3}
LIBRARY = {"permutations": 199, "rng": 3}


@functools.cache
def panel():
    reforms = indicators.read_reforms(DATA / "reforms.csv")
    meaning = indicators.read_metadata(DATA / "indicators_meta.csv")
    published = indicators.read(DATA / "indicators.csv").drop("000000000", level="region")
    return indicators.harmonise(published, 2009, reforms=reforms, metadata=meaning).panel


@functools.cache
def oblasts():
    layer = regions.read(Source(DATA / "regions_2009.gpkg", id="kato"))
    now = panel().xs(2020, level="year")
    layer["income"], layer["grp"] = now["nominal_cash_income_pc"], now["grp_per_capita"]
    layer["people"], layer["sick"] = (
        now["population"],
        (now["population"] * 0.001 * (1 + layer["income"].rank() / 30)).round(),
    )
    layer["rich"] = (layer["income"] > layer["income"].median()).astype(float)
    layer["kind"] = np.where(layer["rich"] > 0, "rich", "poor")
    return layer


@functools.cache
def places():
    return settlements.read(Source(DATA / "settlements.csv", id="id"))


@functools.cache
def queen():
    return contiguity(oblasts())


def run(name, *arguments, **options):
    return analyses.get(name).function(*arguments, **options)


def both():
    return oblasts()[["income", "grp"]].astype(float)


LOCAL = {
    "bivariate_moran": (
        ("income", "grp"), lambda o: autocorrelation.local_moran_bivariate(o.income, o.grp, queen(), **LIBRARY),
        "bivariate_moran", "I",
    ),
    "local_moran_rate": (
        ("sick", "people"), lambda o: autocorrelation.local_moran_rate(o.sick, o.people, queen(), **LIBRARY),
        "local_moran", "I",
    ),
    "local_geary": (
        (("income", "grp"),), lambda _: autocorrelation.local_geary(both(), queen(), **LIBRARY), "local_geary", "C",
    ),
    "losh": (("income",), lambda o: autocorrelation.losh(o.income, queen(), **LIBRARY), "losh", "H"),
    "local_lee": (
        ("income", "grp"), lambda o: autocorrelation.local_lee(o.income, o.grp, queen(), **LIBRARY), "local_lee", "L",
    ),
    "local_join_count": (
        (("rich",),), lambda o: autocorrelation.local_join_count(o.rich, queen()), "count", "count",
    ),
    "quantile_lisa": (
        (("income",),), lambda o: autocorrelation.quantile_lisa(o.income, queen(), k=5, quantile=1), "count", "count",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOCAL)
def test_local_analyses_are_the_library(name):
    arguments, library, column, symbol = LOCAL[name]
    draws = {} if name in ("local_join_count", "quantile_lisa") else DRAWS  # these two are exact
    outcome, done = run(name, oblasts(), *arguments, **draws), library(oblasts())
    np.testing.assert_array_equal(outcome.layer[column], getattr(done, symbol))
    np.testing.assert_array_equal(outcome.layer["p_adjusted"], done.p_adjusted)
    assert outcome.layer["cluster"].tolist() == done.label.tolist()
    assert outcome.numbers["significant"] == done.n_significant
    assert {c.value for c in outcome.style.classes} >= set(done.label)
    assert outcome.plot("Карта", "kk").axes


def test_change_is_between_the_two_years():
    options = {"first_year": 2010, "last_year": 2020, "logarithm": True, **DRAWS}
    outcome = run("local_moran_change", oblasts(), panel(), "nominal_cash_income_pc", **options)
    logs = np.log(panel()["nominal_cash_income_pc"])
    before, after = (logs.xs(year, level="year").reindex(oblasts().index) for year in (2010, 2020))
    done = autocorrelation.local_moran_change(before, after, queen(), **LIBRARY)
    np.testing.assert_array_equal(outcome.layer["local_moran"], done.I)
    np.testing.assert_allclose(outcome.layer["change"], after - before)
    with pytest.raises(InputError, match="two years of the panel"):
        run("local_moran_change", oblasts(), panel(), "doctors", first_year=2020, last_year=2010)


def test_rates_are_given_plain_and_standardised():
    layer = run("local_moran_rate", oblasts(), "sick", "people", **DRAWS).layer
    np.testing.assert_allclose(layer["rate_per_1000"], 1000 * oblasts()["sick"] / oblasts()["people"])
    wanted = autocorrelation.standardized_rate(oblasts()["sick"], oblasts()["people"])
    np.testing.assert_array_equal(layer["rate_standardized"], wanted)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("bivariate_moran", ("income", "grp")), ("local_lee", ("income", "grp")),
        ("local_geary", (("income", "grp"),)), ("neighbour_match", (("income", "grp"),)),
    ],
)  # fmt: skip
def test_logarithms_are_of_every_indicator(name, arguments):
    draws = {} if name == "neighbour_match" else DRAWS
    logs = oblasts().assign(**np.log(both()))
    got, want = run(name, oblasts(), *arguments, logarithm=True, **draws), run(name, logs, *arguments, **draws)
    assert got.layer["p"].tolist() == want.layer["p"].tolist()
    assert got.layer["p"].tolist() != run(name, oblasts(), *arguments, **draws).layer["p"].tolist()


def test_the_mean_of_neighbours_is_told_in_the_unit_of_the_values():
    logs = oblasts().assign(income=np.log(both()["income"]))
    got, want = run("losh", oblasts(), "income", logarithm=True, **DRAWS), run("losh", logs, "income", **DRAWS)
    np.testing.assert_allclose(got.layer["local_mean"], np.exp(want.layer["local_mean"]))
    assert got.layer["local_mean"].between(both()["income"].min(), both()["income"].max()).all()


def test_a_corrected_p_is_shown_only_where_there_was_a_correction():
    shown = {c: [f.column for f in run("local_moran", oblasts(), "income", correction=c, **DRAWS).fields]
             for c in ("fdr", "none")}  # fmt: skip
    assert shown == {"fdr": ["income", "p", "p_adjusted"], "none": ["income", "p"]}


def test_exact_tests_have_no_seed_and_tell_how_many_they_tested():
    outcome = run("local_join_count", oblasts(), ("rich",))
    assert outcome.seed is None
    assert "none of 8 tested units" in outcome.summary()
    assert "fewer than 30 units" in outcome.summary()
    assert {c.value: c.label for c in outcome.style.classes}["not tested"] == "not tested: without the mark"
    fifth = run("quantile_lisa", oblasts(), ("income",))
    assert fifth.style.title == "clusters of a quantile"
    many = places().assign(mark=(places()["population"] > 20_000).astype(float))
    few = run("local_join_count", many, ("mark",), neighbours="nearest")
    assert few.layer["p"].notna().sum() < 351
    assert "fewer than 30 units" not in few.summary()


def test_the_whole_map_in_three_figures():
    outcome = run("global_autocorrelation", oblasts(), "income", **DRAWS)
    table = outcome.tables["statistics"].set_index("statistic")
    for name, statistic in (("Moran's I", "moran"), ("Geary's C", "geary"), ("Getis-Ord G", "general_g")):
        done = getattr(autocorrelation, statistic)(oblasts()["income"], queen(), **LIBRARY)
        assert (table.loc[name, "value"], table.loc[name, "p"]) == (done.value, done.p)
    (chart,) = outcome.charts
    assert chart.slope == outcome.numbers["moran"]
    slope = (chart.data["x"] * chart.data["y"]).sum() / (chart.data["x"] ** 2).sum()
    assert slope == pytest.approx(chart.slope, abs=1e-12)  # Moran's I is the slope of its scatter plot
    assert "Getis-Ord G" not in run("global_autocorrelation", oblasts().assign(x=-oblasts()["income"]), "x",
                                    **DRAWS).tables["statistics"]["statistic"].tolist()  # fmt: skip


def test_g_is_of_the_plain_values_where_the_others_are_of_logarithms():
    plain, logs = (run("global_autocorrelation", oblasts(), "income", logarithm=log, **DRAWS).tables["statistics"]
                   for log in (False, True))  # fmt: skip
    assert (plain["value"] == logs["value"]).tolist() == [False, False, True]


def test_kinds_that_keep_apart_are_told_apart_from_those_that_keep_together():
    x, y = np.meshgrid(np.arange(6), np.arange(6))
    cells = [box(60 + i / 10, 48 + j / 10, 60.1 + i / 10, 48.1 + j / 10) for j in range(6) for i in range(6)]
    board = geopandas.GeoDataFrame(geometry=cells, crs=4326)
    board["chess"] = np.where((x + y).ravel() % 2, "black", "white")
    board["own"] = [str(i) for i in range(36)]
    board["half"] = np.where(x.ravel() < 3, "west", "east")
    rook = {"neighbours": "rook", **DRAWS}
    assert (
        "fewer neighbours of their own than by chance (p of at most 0.05, not corrected): black:"
        in run("join_counts", board, "chess", **rook).summary()
    )
    assert "more neighbours of their own" in run("join_counts", board, "half", **rook).summary()
    with pytest.raises(InputError, match="kind wants a column of kinds that units share; in 'own' no two are alike"):
        run("join_counts", board, "own", **rook)


def test_kinds_that_keep_together_are_named():
    halves = oblasts().assign(half=np.where(oblasts().representative_point().y > 48, "north", "south"))
    outcome = run("join_counts", halves, "half", alternative="greater", **DRAWS)
    done = autocorrelation.join_counts(halves["half"], queen(), alternative="greater", **LIBRARY)
    np.testing.assert_array_equal(outcome.tables["joins"]["p"], done.table["p"])
    assert "north:" in outcome.summary("en")


@pytest.mark.parametrize(
    ("kind", "weights"),
    [
        ("nearest", lambda: knn(oblasts(), 4)),
        ("distance", lambda: distance_band(oblasts(), 700_000)),
        ("kernel", lambda: kernel(oblasts(), bandwidth_m=700_000)),
        ("rook", lambda: contiguity(oblasts(), kind="rook")),
    ],
)
def test_every_kind_of_neighbours_is_the_librarys(kind, weights):
    outcome = run("local_moran", oblasts(), "income", neighbours=kind, k=4, distance_km=700.0, **DRAWS)
    done = autocorrelation.local_moran(oblasts()["income"], weights(), **LIBRARY)
    np.testing.assert_array_equal(outcome.layer["local_moran"], done.I)


def test_shared_options_are_checked_like_others():
    with pytest.raises(InputError, match="did you mean 'neighbours'"):
        run("local_moran", oblasts(), "income", neighbors="queen")
    declared = analyses.get("losh")
    assert declared.parameter("alpha").default == 0.05
    assert declared.parameter("distance_km").unit == "km"


def test_correlogram_by_distance():
    outcome = run("correlogram", places(), "population", logarithm=True, bands=4, permutations=99, seed=3)
    done = autocorrelation.correlogram(np.log(places()["population"]), places(), n_bands=4, permutations=99, rng=3)
    pd.testing.assert_frame_equal(outcome.tables["by_distance"], done.table)
    assert outcome.charts[0].data.index.tolist() == (done.table["to_m"] / 1000).tolist()
    low = int((done.table["p"] <= 0.05).sum())
    assert f"not corrected for their number: {low} of 4." in outcome.summary()
    some = places().assign(north=places().geometry.y)
    assert "z is largest at the last distance" in run("correlogram", some, "north", permutations=99).summary()


@pytest.mark.parametrize(
    ("z", "ends"), [([5, 3, 1], "first"), ([1, 3, 5], "last"), ([1, 5, 3], ""), ([np.nan] * 3, "")]
)
def test_a_peak_at_an_end_of_the_distances_is_told(z, ends):
    table = pd.DataFrame({"to_m": [1e3, 2e3, 3e3], "I": 0.5, "z": z, "p": [0.01, 0.05, 0.2]})
    said = [str(message.template) for message in _by_distance(table)]
    assert len(said) == (0 if np.isnan(z[0]) else 1 + bool(ends))
    assert (ends == "") == (not any("z is largest" in text for text in said))
    assert any(f"at the {ends} distance" in text for text in said) or not ends


def test_optimised_hot_spots():
    outcome = run("optimized_hot_spots", places(), "population", logarithm=True, bands=5, **DRAWS)
    done = hotspots.optimized_hot_spots(np.log(places()["population"]), places(), n_bands=5, **LIBRARY)
    assert outcome.numbers["distance_km"] == done.distance_m / 1000
    assert outcome.layer["hot_spot"].tolist() == done.spots.label.tolist()
    assert len(outcome.dropped) == len(done.dropped)


@pytest.mark.parametrize("relative", [True, False])
def test_emerging_hot_spots(relative):
    span = {"first_year": 2009, "last_year": 2020}
    outcome = run(
        "emerging_hot_spots", oblasts(), panel(), "nominal_cash_income_pc", relative=relative, **span, **DRAWS
    )
    y = panel()["nominal_cash_income_pc"]
    y = y[y.index.get_level_values("year").isin(range(2009, 2021))]
    if relative:
        y = y / y.groupby(level="year").transform("mean")
    done = hotspots.emerging_hot_spots(y, queen(), **LIBRARY)
    assert outcome.layer["category"].tolist() == done.category.reindex(oblasts().index).tolist()
    assert outcome.tables["counts"]["regions"].sum() == 16
    assert {c.value for c in outcome.style.classes} >= set(done.category)
    assert outcome.plot("Карта", "ru").axes


def test_scan_statistic():
    outcome = run("scan_statistic", oblasts(), "sick", population="people", permutations=99, seed=3)
    done = hotspots.scan_poisson(oblasts()["sick"], oblasts()["people"], oblasts(), permutations=99, rng=3)
    assert outcome.tables["clusters"]["llr"].tolist() == done.clusters["llr"].tolist()
    assert outcome.layer["scan"].tolist() == done.label.tolist()
    with pytest.raises(InputError, match="want a column of population"):
        run("scan_statistic", oblasts(), "sick")


def test_dense_groups_by_inhabitants():
    options = {"population": "population", "distance_km": 60.0, "min_people": 300_000.0}
    outcome = run("density_clusters", places(), **options)
    weight = places()["population"]
    done = hotspots.density_clusters(places(), eps_m=60_000, min_population=300_000, weight=weight)
    assert outcome.layer["density_cluster"].tolist() == done.label.tolist()
    some = places().assign(poor=[1.0, 0.0] * (len(places()) // 2) + [1.0] * (len(places()) % 2))
    chosen = run("density_clusters", some, chosen="poor", distance_km=60.0)
    assert (chosen.layer["density"] == "not chosen").sum() == (some["poor"] == 0).sum()


def test_points_in_cells_are_all_counted():
    outcome = run("aggregate_points", places(), cell="fishnet", cell_km=50.0)
    assert outcome.layer["n"].sum() == len(places())
    assert outcome.plot("Карта", "kk").axes


@pytest.mark.parametrize("method", ["skater", "azp", "ward", "kmedoids", "max_p"])
def test_regions_of_like_neighbours(method):
    options = {"zones": 4, "floor": "people", "floor_min": 1e6} if method == "max_p" else {"zones": 4}
    outcome = run("regionalize", oblasts(), ("income", "grp"), method=method, seed=3, **options)
    make = getattr(regionalization, method)
    if method == "max_p":
        done = make(both(), queen(), floor=oblasts()["people"], floor_min=1e6, rng=3)
    else:
        done = make(both(), queen(), n_regions=4, **({} if method in ("skater", "ward") else {"rng": 3}))
    assert outcome.layer["zone"].tolist() == done.label.tolist()
    assert outcome.numbers["between"] == done.ratio
    assert all(f"Region {k} (" in outcome.summary() for k in range(1, min(done.n_regions, 10) + 1))
    assert ".." not in outcome.summary("kk")
    assert {c.value for c in outcome.style.classes} >= set(done.label)


def test_regions_of_logarithms_have_geometric_means():
    got = run("regionalize", oblasts(), ("income", "grp"), zones=4, logarithm=True)
    done = regionalization.skater(np.log(both()), queen(), n_regions=4)
    assert got.layer["zone"].tolist() == done.label.tolist()
    np.testing.assert_allclose(got.tables["profile"]["income"], np.exp(done.profile["income"]))
    most = run("suggest_regions", oblasts(), ("income", "grp"), most=4, logarithm=True)
    assert most.numbers["zones"] == regionalization.suggest_regions(np.log(both()), queen(), k_range=(2, 4)).n_regions


def test_a_number_of_regions_is_suggested():
    outcome = run("suggest_regions", oblasts(), ("income", "grp"), most=5)
    done = regionalization.suggest_regions(both(), queen(), k_range=(2, 5), rng=0)
    assert outcome.numbers["zones"] == done.n_regions
    assert outcome.tables["numbers"]["pseudo_f"].tolist() == done.table["pseudo_f"].tolist()
