"""The command line: generated from the catalogue, quick, one sentence for every error."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import geopandas
import pandas as pd
import pyogrio
import pytest
import shapely

from kazgeo import analyses
from kazgeo.data import embedded
from kazgeo.errors import InputError

DATA = embedded()


def kazgeo(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "kazgeo", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    return done


def test_help_names_every_analysis_and_loads_nothing_heavy() -> None:
    text = kazgeo("--help").stdout
    for one in analyses.catalogue():
        assert one.replace("_", "-") in text
    probe = "import sys; from kazgeo.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    probe += "print(sorted({'numpy', 'pandas', 'geopandas', 'scipy', 'matplotlib', 'folium'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


#: A process each: one in six for daily use, `make test` takes all.
NAMES = [
    name if k % 6 == 0 else pytest.param(name, marks=pytest.mark.slow) for k, name in enumerate(analyses.catalogue())
]


@pytest.mark.parametrize("name", NAMES)
def test_every_analysis_has_a_command_with_all_its_parameters(name: str) -> None:
    text = "".join(kazgeo(name.replace("_", "-"), "--help").stdout.split())
    for p in analyses.get(name).parameters:
        assert "--" + p.name.replace("_", "-") in text


def test_catalogue_as_json_is_the_declaration() -> None:
    content = json.loads(kazgeo("catalogue", "--json").stdout)
    assert [a["id"] for a in content["analyses"]] == list(analyses.catalogue())
    moran = next(a for a in content["analyses"] if a["id"] == "local_moran")
    alpha = next(p for p in moran["parameters"] if p["name"] == "alpha")
    assert (alpha["kind"], alpha["low"], alpha["high"], alpha["default"]) == ("number", 0.0001, 0.5, 0.05)


def test_an_analysis_end_to_end_equals_the_library(tmp_path: Path) -> None:
    target = tmp_path / "result.gpkg"
    done = kazgeo(
        "local-moran", "--units", f"{DATA / 'settlements.csv'}|id=id", "--indicator", "population",
        "--neighbours", "nearest", "--permutations", "999", "--seed", "5", "--out", target,
    )  # fmt: skip
    assert "Significant at" in done.stdout
    from kazgeo import autocorrelation, settlements, weights

    places = settlements.read(f"{DATA / 'settlements.csv'}|id=id")
    own = autocorrelation.local_moran(places["population"], weights.knn(places, 8), permutations=999, rng=5)
    made = geopandas.read_file(target, layer="local_moran").set_index("id")
    pd.testing.assert_series_equal(made["p"], own.p, check_names=False)
    assert (made["cluster"] == own.label).all()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["csv", "xlsx", "geojson"])
def test_results_in_other_forms(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"result.{suffix}"
    kazgeo(
        "indicator-map", "--regions", DATA / "regions_2009.gpkg", "--panel", DATA / "indicators.csv",
        "--indicator", "life_expectancy", "--year", "2016", "--out", target,
    )  # fmt: skip
    read = {"csv": pd.read_csv, "xlsx": pd.read_excel, "geojson": geopandas.read_file}[suffix]
    made = read(target)
    assert len(made) == 16
    assert made["life_expectancy"].between(60, 80).all()
    assert "Қарағанды облысы" in set(made["name_kk"])


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["locl-moran"], "No such command 'locl-moran'"),
        (["local-moran"], "--units"),
        (["local-moran", "--units", "nowhere.gpkg", "--indicator", "x"], "file 'nowhere.gpkg' does not exist"),
        (["local-moran", "--units", "SETTLEMENTS", "--indicator", "popultion", "--neighbours", "nearest"],
         "indicator 'popultion' is not a column of units; did you mean 'population'?"),
        (["local-moran", "--units", "SETTLEMENTS", "--indicator", "population"], "choose neighbours 'nearest'"),
        (["local-moran", "--units", "SETTLEMENTS", "--indicator", "population", "--permutations", "5"],
         "--permutations"),
        (["local-moran", "--units", "SETTLEMENTS", "--indicator", "population", "--out", "x.shp"],
         "wanted a file that ends in"),
        (["run", "nowhere.toml"], "project 'nowhere.toml' can't be read"),
        (["run", "PROJECT", "--language", "fr"], "language must be one of en, kk, ru; got 'fr'"),
        (["check", "SETTLEMENTS"], "is not valid TOML"),
        (["data", "get", "distrcts-2024"], "did you mean 'districts-2024'?"),
    ],
)  # fmt: skip
def test_errors_are_one_sentence_with_exit_code_2(arguments: list[str], wanted: str) -> None:
    names = {"SETTLEMENTS": str(DATA / "settlements.csv"), "PROJECT": str(DATA / "project.toml")}
    done = kazgeo(*[names.get(a, a) for a in arguments], code=2)
    assert wanted in done.stderr
    assert done.stderr.startswith("kazgeo: ")
    assert done.stdout == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda g: g.assign(kmh=[60.0, -10, 60]), "column 'kmh' must hold positive km/h; not so in 1 of 3 rows: row 2 "
         "(index 1): -10; fill in or correct these cells"),
        (lambda g: g.assign(kmh=[60.0, 60, 0]), "not so in 1 of 3 rows: row 3 (index 2): 0;"),
        (lambda g: g.assign(kmh=[None, 60.0, 60]), "not so in 1 of 3 rows: row 1 (index 0): missing;"),
        (lambda g: g.assign(kmh=["60 km/h", "60", "60"]), "row 1 (index 0): '60 km/h';"),
        (lambda g: g.iloc[:0], "roads.gpkg: the layer has no feature"),
        (lambda g: g.set_crs(None, allow_override=True), "roads.gpkg: the layer declares no CRS; set it (for longitudes"
         " and latitudes EPSG:4326)"),
    ],
    ids=["negative", "zero", "empty", "text", "no feature", "no CRS"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_faults_of_roads_name_file_column_row_and_value(change, wanted, tmp_path: Path) -> None:
    lines = [shapely.LineString([(70 + k, 50), (71 + k, 50)]) for k in range(3)]
    roads = geopandas.GeoDataFrame({"kmh": [60.0] * 3}, geometry=lines, crs=4326)
    change(roads).to_file(tmp_path / "roads.gpkg", driver="GPKG")
    base = ["travel-time", "--settlements", DATA / "settlements.csv", "--population", "population", "--speed", "kmh"]
    done = kazgeo(*base, "--min-population", "50000", "--roads", tmp_path / "roads.gpkg", code=2)
    assert wanted in done.stderr
    if "column" in wanted:
        assert f"kazgeo: roads (file '{tmp_path / 'roads.gpkg'}'): column 'kmh'" in done.stderr


@pytest.mark.slow
def test_swapped_longitude_and_latitude_are_refused(tmp_path: Path) -> None:
    roads = tmp_path / "roads.gpkg"
    kazgeo("road-network", "--edges", DATA / "roads.csv", "--nodes", DATA / "road_nodes.csv", "-o", roads)
    places = pd.read_csv(DATA / "settlements.csv", dtype=str).rename(columns={"lon": "lat", "lat": "lon"})
    places.to_csv(tmp_path / "swapped.csv", index=False)
    base = ["travel-time", "--settlements", tmp_path / "swapped.csv", "--roads", roads, "--population", "population"]
    done = kazgeo(*base, "--min-population", "50000", "--length", "length_km", "--speed", "speed_kmh", code=2)
    assert "near one with longitude and latitude swapped; swap the columns" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["indicator-map", "--regions", "REGIONS", "--panel", "PANEL", "--indicator", "doctrs", "--year", "2016"],
        ["rate", "--panel", "PANEL", "--numerator", "doctrs", "--denominator", "population", "--name", "x"],
        ["deprivation", "--regions", "REGIONS", "--panel", "PANEL", "--more-is-better", "doctrs",
         "--first-year", "2009", "--last-year", "2016"],
    ],
)  # fmt: skip
def test_a_misspelt_column_is_bad_input(arguments: list[str]) -> None:
    names = {"REGIONS": str(DATA / "regions_2009.gpkg"), "PANEL": str(DATA / "indicators.csv")}
    done = kazgeo(*[names.get(a, a) for a in arguments], code=2)
    assert "'doctrs' is not a column of panel; did you mean 'doctors'?" in done.stderr


def test_a_csv_holds_the_id_once(tmp_path: Path) -> None:
    target = tmp_path / "map.csv"
    kazgeo("indicator-map", "--regions", DATA / "regions_2009.gpkg", "--panel", DATA / "indicators.csv",
           "--indicator", "doctors", "--year", "2016", "--out", target)  # fmt: skip
    heading = target.read_text(encoding="utf-8-sig").splitlines()[0].split(",")
    assert len(heading) == len(set(heading))


def test_a_result_tells_how_it_was_made_and_how_it_is_drawn(tmp_path: Path) -> None:
    given = ("--regions", DATA / "regions_2009.gpkg", "--panel", DATA / "indicators.csv", "--indicator", "doctors",
             "--year", "2016")  # fmt: skip
    kazgeo("indicator-map", *given, "--out", tmp_path / "map.gpkg")
    with sqlite3.connect(tmp_path / "map.gpkg") as base:
        told = str(base.execute("SELECT metadata FROM gpkg_metadata").fetchall())
    for wanted in ("indicator_map", "regions_2009.gpkg", "2016", "kazgeo_version"):
        assert wanted in told
    kazgeo("indicator-map", *given, "--out", tmp_path / "map.geojson")
    assert "graduatedSymbol" in (tmp_path / "map.qml").read_text(encoding="utf-8")
    (tmp_path / "map.qml").write_text("<qgis>mine</qgis>")
    kazgeo("indicator-map", *given, "--out", tmp_path / "map.geojson")
    assert (tmp_path / "map.qml").read_text() == "<qgis>mine</qgis>"


def test_a_result_never_replaces_its_data(tmp_path: Path) -> None:
    panel = tmp_path / "panel.csv"
    panel.write_bytes((DATA / "indicators.csv").read_bytes())
    before = panel.read_bytes()
    done = kazgeo("rate", "--panel", panel, "--numerator", "doctors", "--denominator", "population", "--name", "d",
                  "--out", tmp_path / "." / "panel.csv", code=2)  # fmt: skip
    assert "would replace the data it is made of" in done.stderr
    assert panel.read_bytes() == before


def test_one_bad_code_among_good_ones_is_named(tmp_path: Path) -> None:
    text = (DATA / "indicators.csv").read_text(encoding="utf-8").replace("110000000,2010", "1100000OO,2010")
    (tmp_path / "panel.csv").write_text(text, encoding="utf-8")
    done = kazgeo("harmonise", "--panel", tmp_path / "panel.csv", "--reforms", DATA / "reforms.csv",
                  "--metadata", DATA / "indicators_meta.csv", code=2)  # fmt: skip
    assert "1100000OO" in done.stderr


def test_a_fault_of_ours_is_exit_code_1_and_debug_shows_the_traceback() -> None:
    spoil = "import kazgeo.project as p, kazgeo.cli as c\n"
    spoil += "def broken(*a, **k): raise ZeroDivisionError('x')\np.load = broken\n"
    for flag, traceback in (([], False), (["--debug"], True)):
        code = spoil + f"c.main(['check', 'x.toml', *{flag!r}])"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert ("Traceback" in done.stderr) is traceback


def test_progress_as_json_lines_and_quiet_in_a_pipe(tmp_path: Path) -> None:
    base = [
        "road-network",
        "--edges",
        DATA / "roads.csv",
        "--nodes",
        DATA / "road_nodes.csv",
        "-o",
        tmp_path / "r.gpkg",
    ]
    assert kazgeo(*base).stderr == ""
    lines = [json.loads(line) for line in kazgeo(*base, "--progress", "json").stderr.splitlines()]
    assert lines
    assert all(line["type"] == "progress" and 0 <= line["fraction"] <= 1 for line in lines)


@pytest.mark.slow
def test_invalid_polygons_are_refused_by_id_and_repaired_on_request(tmp_path: Path) -> None:
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    layer = geopandas.GeoDataFrame(
        {"code": ["a'b", "c"], "x": [1.0, 2.0]}, geometry=[bow, shapely.box(2, 0, 3, 1)], crs=4326
    )
    layer.to_file(tmp_path / "in.gpkg")
    base = ["web-map", "--units", f"{tmp_path / 'in.gpkg'}|id=code", "--column", "x", "--title", "t"]
    assert "invalid polygons" in kazgeo(*base, code=2).stderr
    kazgeo(*base, "--repair", "-o", tmp_path / "map.html")
    assert (tmp_path / "map.html").exists()


def test_every_declaration_is_complete() -> None:
    for one in analyses.catalogue().values():
        assert one.group in analyses.GROUPS
        assert one.summary.endswith((".", "?"))
        assert len(one.help) > 20
        assert one.outputs
        for p in one.parameters:
            assert p.help.endswith("."), (one.id, p.name)


def test_a_parameter_without_a_docstring_entry_is_an_error_at_declaration() -> None:
    from kazgeo.analyses.declare import DeclarationError, analysis, read

    @analysis("Maps")
    def broken(*, name: str = "") -> None:
        """Say nothing.

        Parameters
        ----------
        other : str
            Not there.
        """

    with pytest.raises(DeclarationError, match="'name' has no entry"):
        read(broken)


def test_two_outputs_of_one_name_are_an_error_at_declaration() -> None:
    from kazgeo.analyses.declare import DeclarationError, Output, analysis, read

    @analysis("Maps", Output("tiles", "raster", "Tiles."), Output("tiles", "table", "Tiles again."))
    def broken() -> None:
        """Say nothing."""

    with pytest.raises(DeclarationError, match="names of their own; got tiles, tiles"):
        read(broken)


def test_validate_lists_everything_at_once() -> None:
    with pytest.raises(InputError) as caught:
        analyses.get("local_moran").validate({"units": "u", "alpha": 9, "sed": 3})
    text = str(caught.value)
    assert "'indicator' is required" in text
    assert "'alpha' must be a number from 0.0001 to 0.5; got 9" in text
    assert "did you mean 'seed'?" in text


@pytest.fixture(scope="module")
def trunk(tmp_path_factory) -> Path:
    """The embedded roads as a layer."""
    target = tmp_path_factory.mktemp("trunk") / "roads.gpkg"
    kazgeo("road-network", "--edges", DATA / "roads.csv", "--nodes", DATA / "road_nodes.csv|id=id",
           "--speeds-kmh", "international=90, republican=80", "--out", target)  # fmt: skip
    return target


@pytest.mark.slow
def test_what_a_file_cannot_hold_is_told_and_numbers_are_whole(tmp_path: Path, trunk: Path) -> None:
    base = (
        "travel-time",
        "--settlements",
        f"{DATA / 'settlements.csv'}|id=id",
        "--roads",
        trunk,
        "--population",
        "population",
        "--destination-field",
        "kind",
        "--destination-values",
        "oblast_centre",
        "--region",
        "region",
    )
    done = kazgeo(*base, "--out", tmp_path / "t.csv", "--language", "kk")  # fmt: skip
    assert "by_region" in done.stdout
    assert ".gpkg" in done.stdout
    assert "60\xa0км/сағ" in done.stdout  # roads that have speeds, of which none was named
    beyond = next(line for line in done.stdout.splitlines() if line.startswith("people_beyond = "))
    assert beyond.split(" = ")[1].isdigit()
    whole = kazgeo(*base, "--speed", "speed_kmh", "--out", tmp_path / "t.gpkg")
    assert "Not in this file" not in whole.stdout
    assert "All roads are taken" not in whole.stdout


@pytest.mark.slow
def test_all_rasters_are_written(tmp_path: Path, trunk: Path) -> None:
    done = kazgeo("friction-surface", "--roads", trunk, "--speed", "speed_kmh", "--cell-m", "40000", "--out",
                  tmp_path / "ground.tif")  # fmt: skip
    assert sorted(p.name for p in tmp_path.glob("*.tif")) == ["ground.tif", "ground_modes.tif"]
    done = kazgeo("cost-distance", "--friction", tmp_path / "ground.tif", "--facilities",
                  f"{DATA / 'settlements.csv'}|id=id", "--settlements", f"{DATA / 'settlements.csv'}|id=id",
                  "--out", tmp_path / "land.gpkg")  # fmt: skip
    assert "Not in this file" not in done.stdout
    assert {p.name for p in tmp_path.glob("land*") if p.suffix != ".qml"} == {
        "land.gpkg",
        "land_time.tif",
        "land_allocation.tif",
    }
    assert "served" in {name for name, _ in pyogrio.list_layers(tmp_path / "land.gpkg")}
    assert 'label="by motor vehicle"' in (tmp_path / "ground_modes.qml").read_text(encoding="utf-8")
    assert 'label="120 min"' in (tmp_path / "land_time.qml").read_text(encoding="utf-8").replace("\xa0", " ")
    times = (tmp_path / "land_time.tif").read_bytes()
    done = kazgeo("cost-distance", "--friction", tmp_path / "land_time.tif", "--facilities",
                  f"{DATA / 'settlements.csv'}|id=id", "--out", tmp_path / "land.gpkg", code=2)  # fmt: skip
    assert "would replace the data it is made of" in done.stderr
    assert (tmp_path / "land_time.tif").read_bytes() == times
