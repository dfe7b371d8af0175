"""The demo's numbers, computed again by esda, inequality, libpysal, networkx and scipy, from the same inputs.

Truth: the peers themselves on the embedded data (BSD-3 licences), not numbers written down here. Tolerances: values
1e-10 relative (1e-9 seconds for routes), permutation p within five standard errors of a binomial proportion of both
engines' draws (false alarm under 1e-5 a comparison).
"""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from kazgeo import project
from kazgeo.analyses.outcome import Outcome
from kazgeo.data import embedded
from kazgeo.progress import silent
from kazgeo.project.run import Computed, _compute

DATA = embedded()


@pytest.fixture(scope="module")
def demo() -> Computed:
    return _compute(project.load(DATA / "project.toml"), silent)


def merged_by_hand() -> pd.DataFrame:
    """South Kazakhstan put together from its parts with plain pandas, independently of kazgeo.indicators."""
    long = pd.read_csv(DATA / "indicators.csv", dtype={"region": str})
    wide = long.pivot_table(index=["region", "year"], columns="indicator", values="value").drop(
        "000000000", level="region"
    )
    parts = wide.loc[["610000000", "790000000"]]
    for year in range(2018, 2021):
        two = parts.xs(year, level="year")
        people = two["population"]
        for name in ("grp_per_capita", "nominal_cash_income_pc", "life_expectancy", "unemployment_rate"):
            wide.loc[("510000000", year), name] = (two[name] * people).sum() / people.sum()
        for name in ("population", "doctors", "hospitals", "schools"):
            wide.loc[("510000000", year), name] = two[name].sum()
    wide = wide.drop(["610000000", "790000000"], level="region")
    return wide[wide.index.get_level_values("year").isin(range(2018, 2021))].sort_index()


def test_harmonised_figures(demo: Computed) -> None:
    mine = demo.outcomes["harmonised"].panel
    assert mine is not None
    truth = merged_by_hand()
    both = mine.reindex(truth.index)[list(truth.columns)]
    pd.testing.assert_frame_equal(both, truth, rtol=1e-12, check_names=False)
    assert len(mine.index.get_level_values("region").unique()) == 16


def test_inequality_by_the_library_inequality(demo: Computed) -> None:
    from inequality.gini import Gini
    from inequality.theil import Theil, TheilD

    panel = demo.outcomes["harmonised"].panel
    assert panel is not None
    table = demo.outcomes["disparity"].tables["by_year"]
    regions = demo.inputs["regions"]
    for year in range(2009, 2021):
        now = panel.xs(year, level="year").reindex(regions.index)
        x = now["grp_per_capita"].to_numpy()
        people = now["population"].to_numpy()
        assert table.loc[year, "gini"] == pytest.approx(Gini(x).g, rel=1e-10)
        assert table.loc[year, "theil"] == pytest.approx(Theil(x).T, rel=1e-10)
        # weighted T by definition: shares of product against shares of people
        s, p = x * people / (x * people).sum(), people / people.sum()
        assert table.loc[year, "theil_weighted"] == pytest.approx((s * np.log(s / p)).sum(), rel=1e-10)
        mean = (x * p).sum()
        assert table.loc[year, "williamson"] == pytest.approx(np.sqrt((p * (x - mean) ** 2).sum()) / mean, rel=1e-10)
        group = regions["macro_region"]
        by = pd.DataFrame({"s": s, "p": p}, index=regions.index).groupby(group).sum()
        assert table.loc[year, "theil_between"] == pytest.approx((by.s * np.log(by.s / by.p)).sum(), rel=1e-10)
        # the library's unweighted split, as a check of the same formula
        split = TheilD(x, group.to_numpy())
        assert float(split.T) == pytest.approx(table.loc[year, "theil"], rel=1e-10)


def test_who_moved_it_sums_to_the_change(demo: Computed) -> None:
    for name in ("disparity", "income_disparity"):
        outcome = demo.outcomes[name]
        assert outcome.layer is not None
        table = outcome.tables["by_year"]
        start = 2019 if name == "disparity" else 2009
        change = table.loc[2020, "theil_weighted"] - table.loc[start, "theil_weighted"]
        assert outcome.layer["theil_distance_change"].sum() == pytest.approx(change, rel=1e-10)


@pytest.mark.slow
def test_global_moran_by_esda(demo: Computed) -> None:
    from esda import Moran
    from libpysal.graph import Graph

    regions = demo.inputs["regions"]
    panel = demo.outcomes["harmonised"].panel
    assert panel is not None
    graph = Graph.build_contiguity(regions, rook=False).transform("r")
    table = demo.outcomes["moran"].tables["by_year"]
    for year in range(2009, 2021):
        y = np.log(panel["nominal_cash_income_pc"].xs(year, level="year").reindex(regions.index))
        peer = Moran(y.to_numpy(), graph, permutations=0, two_tailed=True)
        assert table.loc[year, "I"] == pytest.approx(peer.I, rel=1e-10)
        assert table.loc[year, "z_randomization"] == pytest.approx(peer.z_rand, rel=1e-9)
        assert table.loc[year, "p_randomization"] == pytest.approx(peer.p_rand, rel=1e-7)


def _close(mine: pd.Series, peer: np.ndarray, draws: tuple[int, int]) -> None:
    """Two-sided p of both engines agree within five standard errors, and esda's ties in one direction only."""
    p = np.clip((mine.to_numpy() + peer) / 2, 1e-4, 1)
    error = np.sqrt(p / 2 * (1 - p / 2) * (1 / draws[0] + 1 / draws[1])) * 2
    assert (np.abs(mine.to_numpy() - peer) <= 5 * error + 4 / min(draws)).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "column", "points"),
    [("remote_clusters", "remoteness", True), ("income_clusters", "nominal_cash_income_pc", False)],
)
def test_local_moran_by_esda(demo: Computed, step: str, column: str, points: bool) -> None:
    from esda import Moran_Local

    from kazgeo.weights import contiguity, knn

    layer = demo.outcomes[step].layer
    assert layer is not None
    known = layer[layer[column].notna()]
    y = known[column] if points else np.log(known[column])
    weights = (knn(layer, 8) if points else contiguity(layer)).subset(known.index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = Moran_Local(
            y.to_numpy(), weights.row_standardized().to_libpysal(), permutations=9_999, seed=1, n_jobs=1,
            keep_simulations=True,
        )  # fmt: skip
    np.testing.assert_allclose(known["local_moran"], peer.Is, rtol=1e-9, atol=1e-12)
    larger = (peer.sim >= peer.Is - 1e-12).sum(axis=0)
    smaller = (peer.sim <= peer.Is + 1e-12).sum(axis=0)
    two_sided = np.minimum(1, 2 * (np.minimum(larger, smaller) + 1) / 10_000)
    enough = weights.cardinalities > 1  # with one neighbour of 15 the p-values have only 15 levels
    _close(known["p"][enough], two_sided[enough], (99_999, 9_999))


@pytest.mark.slow
def test_gi_star_by_esda(demo: Computed) -> None:
    from esda import G_Local

    from kazgeo.weights import knn

    layer = demo.outcomes["remote_spots"].layer
    assert layer is not None
    known = layer[layer["remoteness"].notna()]
    weights = knn(layer, 8).subset(known.index)
    graph = weights.to_libpysal().assign_self_weight(1.0)
    peer = G_Local(known["remoteness"].to_numpy(), graph, transform="B", permutations=0, star=True)
    np.testing.assert_allclose(known["gi_z"], peer.Zs, rtol=1e-9)


def test_travel_times_by_networkx(demo: Computed) -> None:
    """The whole network rebuilt in networkx from the tables, with its own snapping by brute force."""
    import shapely

    from kazgeo.crs import COUNTRY

    edges = pd.read_csv(DATA / "roads.csv")
    roads, places = demo.outcomes["roads"].layer, demo.inputs["settlements"]
    result = demo.outcomes["to_centre"].layer
    assert roads is not None
    assert result is not None
    lines = roads.geometry.to_crs(COUNTRY).to_numpy()
    points = places.geometry.to_crs(COUNTRY).to_numpy()
    speed = edges["class"].map({"international": 90.0, "republican": 80.0})
    minutes = edges["length_km"] / speed * 60
    graph = nx.Graph()
    cuts: dict[int, list[tuple[float, str]]] = {}
    for name, point in zip(places.index, points, strict=True):
        distance = shapely.distance(lines, point)
        best = int(np.argmin(distance))
        if distance[best] > 50_000:
            continue
        cuts.setdefault(best, []).append((shapely.line_locate_point(lines[best], point, normalized=True), name))
        graph.add_edge(("place", name), ("road", name), weight=distance[best] * 1.3 / 1000 / 30 * 60)
    for i, row in edges.iterrows():
        chain = [
            (0.0, ("node", row.from_id)),
            *((t, ("road", n)) for t, n in sorted(cuts.get(i, []))),
            (1.0, ("node", row.to_id)),
        ]
        for (t0, a), (t1, b) in itertools.pairwise(chain):
            w = max(t1 - t0, 1e-12) * minutes[i]
            if not graph.has_edge(a, b) or graph[a][b]["weight"] > w:
                graph.add_edge(a, b, weight=w)
    centres = [("place", i) for i in places.index[places["kind"] == "oblast_centre"] if ("place", i) in graph]
    truth = nx.multi_source_dijkstra_path_length(graph, set(centres))
    mine = result["travel_time_min"]
    peer = pd.Series({i: truth.get(("place", i), np.nan) for i in places.index})
    assert mine.isna().equals(peer.isna())
    np.testing.assert_allclose(mine.dropna(), peer.dropna(), rtol=1e-9, atol=1e-9)


def test_remoteness_is_its_definition(demo: Computed) -> None:
    layer = demo.outcomes["remoteness"].layer
    assert layer is not None
    times = layer[[f"time_to_{t}_min" for t in (250000, 100000, 50000, 10000, 5000)]]
    known = times.dropna()
    truth = (known / known.mean()).clip(upper=3).sum(axis=1)
    np.testing.assert_allclose(layer.loc[known.index, "remoteness"], truth, rtol=1e-12)
    assert (layer["remoteness"].isna() == times.isna().any(axis=1)).all()


def test_deprivation_is_its_definition(demo: Computed) -> None:
    panel = demo.outcomes["doctors_rate"].panel
    outcome: Outcome = demo.outcomes["deprivation"]
    assert panel is not None
    assert outcome.layer is not None
    now = panel.xs(2020, level="year")
    better = ["grp_per_capita", "nominal_cash_income_pc", "life_expectancy", "doctors_per_10000"]
    z = (now - now.mean()) / now.std(ddof=0)
    truth = (z["unemployment_rate"] - z[better].sum(axis=1)) / 5
    mine = outcome.layer["deprivation"]
    np.testing.assert_allclose(mine, truth.reindex(mine.index), rtol=1e-10, atol=1e-12)


@pytest.mark.slow
def test_the_second_project_runs_from_the_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    shared = Path(os.environ.get("KAZGEO_SHARED", DATA.parents[2] / "shared")) / "data"
    if not (shared / "settlements_osm_kato.gpkg").exists():
        pytest.skip("no mirror with districts and settlements here (../shared/data)")
    monkeypatch.setenv("KAZGEO_DATA_MIRROR", str(shared))
    monkeypatch.setenv("KAZGEO_CACHE", str(tmp_path / "cache"))
    done = project.run(project.load(DATA / "districts.toml"), tmp_path / "out")
    people = pd.read_csv(shared / "adm2_population_2023_bns.csv", dtype=str)
    total = pd.to_numeric(people.loc[people["kato_geokz2024"].notna(), "pop"]).sum()
    density = done.outcomes["density"]
    assert density.layer is not None
    assert len(density.layer) == 224
    assert density.numbers["total"] == total
    assert len(density.dropped) == 5
    assert done.outcomes["remoteness"].layer is not None
    assert len(done.outcomes["remoteness"].layer) == 9_492
    assert (tmp_path / "out" / "map.html").stat().st_size < 5_000_000
