"""Files as people have them: foreign, empty, half-written, in another code page; names that try to break out."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from kazgeo import indicators, regions, settlements
from kazgeo.errors import InputError
from kazgeo.io import Source, columns, numbers, read_table, read_vector, row_named, write_layers, write_table
from kazgeo.provenance import replacing

BOX = shapely.box(66, 47, 67, 48)
NASTY = [
    "O'Brien\"s",
    "</script><script>alert(1)</script>",
    "Өскемен, Қызылорда, Ұлытау, Һәм",
    "пгт. 🏔 Алатау",
    "'; DROP TABLE places; --",
    "line\nbreak\ttab",
    " spaces ",
    "<b>&amp;</b>",
]


def frame(n=1, **more):
    return gpd.GeoDataFrame(
        {"v": range(n), **more}, geometry=gpd.points_from_xy(np.linspace(60, 70, n), [50] * n), crs=4326
    )


@pytest.mark.parametrize("text", ["kz.gpkg", "kz.gpkg|layer=regions", "kz.gpkg|layer=a b|id=kato", "kz.gpkg|id=kato"])
def test_a_source_is_written_as_it_is_read(text):
    assert str(Source.parse(text)) == text
    assert Source.parse(str(Source.parse(text))) == Source.parse(text)


def test_sources_as_qgis_and_as_typed():
    assert Source.parse("a.gpkg|layername=x").layer == "x"
    assert Source.parse("a.xlsx|sheet=02").layer == "02"
    with pytest.raises(InputError, match="got 'lyer=x'; did you mean 'layer'"):
        Source.parse("a.gpkg|lyer=x")
    with pytest.raises(InputError, match="wanted file"):
        Source.parse("a.gpkg|x")


def foreign(folder):
    """Write a file of every wrong kind; yield its name and what the message must say."""
    (folder / "zero.gpkg").touch()
    (folder / "zero.csv").touch()
    (folder / "folder.gpkg").mkdir()
    for name in ("text.gpkg", "text.shp", "text.xlsx", "text.xls", "text.parquet"):
        (folder / name).write_text("region,year\n")
    (folder / "text.geojson").write_text('{"name": "no features"}')
    for name in ("zip.xlsx", "zip.xls", "zip.gpkg"):
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr("a.txt", "x")
    (folder / "blank.csv").write_text("\n \n\n")
    (folder / "binary.csv").write_bytes(bytes(range(256)))
    (folder / "utf16.csv").write_bytes("a;b\n1;2\n".encode("utf-16"))
    (folder / "page.csv").write_bytes(b"a;b\n\x98;1\n")
    (folder / "quote.csv").write_text('a;b\n"1;2\n')
    return {
        "zero.gpkg": "is empty (0 bytes)",
        "zero.csv": "is empty (0 bytes)",
        "folder.gpkg": "is a folder; name a file in it",
        "text.gpkg": "not recognized",
        "text.shp": "not recognized",
        "text.geojson": "not recognized",
        "text.xlsx": "",
        "text.xls": "",
        "text.parquet": "",
        "zip.xlsx": "",
        "zip.xls": "",
        "zip.gpkg": "not recognized",
        "blank.csv": "no line with text in it",
        "binary.csv": "is not text",
        "utf16.csv": "is not text",
        "page.csv": "can't be read as a table",
        "quote.csv": "can't be read as a table",
        "absent.csv": "does not exist",
        "zero.gpk": "does not exist; did you mean 'zero.gpkg'?",
        "none/here.csv": "the folder",
        "x" * 300 + ".csv": "can't be read: File name too long",
    }


def test_every_foreign_file_is_an_input_error_in_one_line(tmp_path):
    vectors = {".gpkg", ".shp", ".geojson", ".gpk"}
    for name, says in foreign(tmp_path).items():
        path = tmp_path / name
        readers = [read_vector, columns, regions.read, settlements.read]
        if path.suffix not in vectors:
            readers = [read_table, columns, indicators.read]
        for reader in readers:
            with pytest.raises(InputError) as caught:
                reader(path)
            text = str(caught.value)
            assert says in text, (name, reader)
            assert path.name[:10] in text
            assert "\n" not in text
            assert "DRIVER" not in text


def test_tables_and_layers_are_not_taken_for_each_other(tmp_path):
    write_layers(tmp_path / "a.gpkg", {"a": frame()})
    with pytest.raises(InputError, match=r"is not a table: wanted one of .csv, .parquet"):
        read_table(tmp_path / "a.gpkg")
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="has no map layer"):
        read_vector(tmp_path / "t.csv")
    with pytest.raises(InputError, match=r"layer 'b' is not a map layer of .*; there are: 'a'"):
        read_vector(f"{tmp_path / 'a.gpkg'}|layer=b")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "p.parquet")
    with pytest.raises(InputError, match="can't be read as GeoParquet"):
        read_vector(tmp_path / "p.parquet")


def test_several_layers_are_never_guessed_between(tmp_path):
    write_layers(tmp_path / "two.gpkg", {"one": frame(), "other": frame(), "layer_styles": pd.DataFrame({"x": [1]})})
    with pytest.raises(InputError, match=r"has 2 map layers \('one', 'other'\); say which: '.*two.gpkg\|layer=one'"):
        read_vector(tmp_path / "two.gpkg")
    assert len(read_vector(f"{tmp_path / 'two.gpkg'}|layer=other")) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_code_pages_and_separators(tmp_path, encoding, separator):
    file = tmp_path / "t.csv"
    rows = [["Область", "год", "доля"], ["Северо-Казахстанская", "2019", '"1,5"'], ["г. Алматы", "2019", '"1 024,2"']]
    file.write_bytes("\r\n".join(separator.join(r) for r in rows).encode(encoding))
    table = read_table(file)
    assert list(table) == ["Область", "год", "доля"]
    assert table["доля"].tolist() == ["1,5", "1 024,2"]
    panel = indicators.read(file)
    assert panel["доля"].tolist() == [1.5, 1024.2]
    assert panel.index.tolist() == [("Северо-Казахстанская", 2019), ("г. Алматы", 2019)]


def test_codes_stay_text_and_na_is_a_word(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("kato,name,v\n010000000,NA,1\n630000000,null,\n")
    table = read_table(f"{file}|id=kato")
    assert table.index.tolist() == ["010000000", "630000000"]
    assert table["name"].tolist() == ["NA", "null"]
    assert table["v"].isna().tolist() == [False, True]


def test_a_row_with_too_many_cells_is_refused_not_shifted(tmp_path):
    file = tmp_path / "t.csv"
    for rows in ("a;b\n1;2;3\n4;5\n", "a;b\n4;5\n1;2;3\n"):
        file.write_text(rows)
        with pytest.raises(InputError, match=r"more cells than the heading|Expected 2 fields in line 3, saw 3"):
            read_table(file)
    file.write_text("a;b\n1;2;\n3\n")
    assert read_table(file)["a"].tolist() == ["1", "3"]


def test_ids_must_be_there_and_filled(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("kato,v\n630000000,1\n,2\n")
    with pytest.raises(InputError, match=r"id column 'kato' of .* is empty in 1 rows"):
        read_table(f"{file}|id=kato")
    with pytest.raises(InputError, match=r"id column 'kat' is not a column of .*; did you mean 'kato'"):
        read_table(f"{file}|id=kat")


def test_nasty_names_survive_a_geopackage(tmp_path):
    n = len(NASTY)
    layer = frame(n, **{"name_kk": NASTY, 'it\'s "x"': NASTY}).set_axis(pd.Index(NASTY, name="id"))
    name = "қабат 'x' \"y\" 🏔"
    write_layers(tmp_path / "n.gpkg", {name: layer, "table": pd.DataFrame({"word": NASTY})})
    back = read_vector(f"{tmp_path / 'n.gpkg'}|layer={name}|id=id")
    assert back.index.tolist() == NASTY
    assert back["name_kk"].tolist() == NASTY
    assert back['it\'s "x"'].tolist() == NASTY
    assert back.crs == layer.crs
    with sqlite3.connect(tmp_path / "n.gpkg") as base:
        assert [w for (w,) in base.execute('SELECT word FROM "table" ORDER BY fid')] == NASTY
        assert base.execute("SELECT name FROM sqlite_master WHERE name = 'places'").fetchall() == []
    assert columns(f"{tmp_path / 'n.gpkg'}|layer={name}") == {
        "id": "text", "v": "number", "name_kk": "text", "it's \"x\"": "text", "geometry": "Point"
    }  # fmt: skip


def test_layers_of_every_shape_come_back(tmp_path):
    shapes = [BOX, shapely.MultiPolygon([BOX, shapely.box(70, 50, 71, 51)]), None, shapely.Polygon()]
    layer = gpd.GeoDataFrame(
        {"all_nan": [np.nan] * 4, "same": [1.5] * 4, "kind": pd.Categorical(["a", "b", "a", None])},
        geometry=shapes,
        index=list("wxyz"),
        crs=32642,
    )
    at = pd.MultiIndex.from_tuples([("a", 2019), ("b", 2020)], names=["region", "year"])
    write_layers(
        tmp_path / "s.gpkg",
        {"shapes": layer, "none": layer.iloc[:0], "panel": pd.DataFrame({"x": [1.0, np.nan]}, index=at)},
    )
    back = read_vector(f"{tmp_path / 's.gpkg'}|layer=shapes|id=id")
    assert back.index.tolist() == list("wxyz")
    assert back["all_nan"].isna().all()
    assert back["same"].tolist() == [1.5] * 4
    assert back["kind"].tolist()[:3] == ["a", "b", "a"]
    assert back.geometry.area.fillna(0).tolist() == layer.geometry.area.fillna(0).tolist()
    assert len(read_vector(f"{tmp_path / 's.gpkg'}|layer=none")) == 0
    with sqlite3.connect(tmp_path / "s.gpkg") as base:
        assert base.execute("SELECT region, year, x FROM panel").fetchall() == [("a", 2019, 1.0), ("b", 2020, None)]
    assert layer.index.name is None  # the caller's frame is left as it was


def test_the_same_layers_give_the_same_bytes(tmp_path):
    for name in ("a.gpkg", "b.gpkg"):
        write_layers(tmp_path / name, {"x": frame(50)})
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()


def test_a_table_reads_back(tmp_path):
    table = pd.DataFrame({"name": NASTY, "v": [1 / 3] * len(NASTY)}, index=pd.Index(range(len(NASTY)), name="id"))
    write_table(tmp_path / "t.csv", table)
    assert (tmp_path / "t.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    back = read_table(f"{tmp_path / 't.csv'}|id=id")
    assert back["name"].tolist() == NASTY
    assert back["v"].astype(float).tolist() == pytest.approx([1 / 3] * len(NASTY), rel=1e-9)


def test_what_cant_be_written_is_said(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="can't be written"):
        write_layers(tmp_path / "folder", {"a": frame()})
    with pytest.raises(InputError, match="can't be written"):
        write_layers(tmp_path / "none" / "a.gpkg", {"a": frame()})


NO_PERMISSION = """
import os, sys
import pandas as pd
from kazgeo.errors import InputError
from kazgeo.io import read_table, write_table

def write(folder):
    write_table(folder + "/t.csv", pd.DataFrame({"a": [1]}))

def read(folder):
    read_table(folder + "/old.csv")

for work in (write, read):
    work(sys.argv[1])  # imports everything while that is allowed
if os.geteuid() == 0:
    os.setuid(65534)  # root may write everywhere
for work in (write, read):
    try:
        work(sys.argv[2])
    except InputError as error:
        print(error)
"""


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_no_permission(mode):
    with tempfile.TemporaryDirectory() as outer:
        free, closed = Path(outer, "free"), Path(outer, "closed")
        for folder in (free, closed):
            folder.mkdir()
            (folder / "old.csv").write_text("a,b\n1,2\n")
        (closed / "old.csv").chmod(0o000)
        closed.chmod(mode)
        Path(outer).chmod(0o755)
        command = [sys.executable, "-c", NO_PERMISSION, str(free), str(closed)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        closed.chmod(0o700)
        assert run.stderr == ""
        writing, reading = run.stdout.splitlines()
        assert writing.startswith(
            f"output '{closed / 't.csv'}' can't be written: Permission denied; free some space, or"
        )
        assert reading == f"file '{closed / 'old.csv'}' can't be read: Permission denied"
        assert [p.name for p in closed.iterdir()] == ["old.csv"]


FULL_DISK = """
import resource, sys
import geopandas as gpd, numpy as np
from kazgeo.errors import InputError
from kazgeo.io import write_layers, write_table
from kazgeo.provenance import replacing, write_json
folder, n = sys.argv[1], 5000
at = gpd.points_from_xy(np.linspace(50, 80, n), np.linspace(40, 55, n))
layer = gpd.GeoDataFrame({"t": ["x" * 40] * n}, geometry=at, crs=4326)

def package():
    with replacing(folder + "/r.gpkg") as beside:
        write_layers(beside, {"layer": layer})

work = {"r.gpkg": package, "t.csv": lambda: write_table(folder + "/t.csv", layer.drop(columns="geometry")),
        "p.json": lambda: write_json(folder + "/p.json", {"text": "x" * 300_000})}
for name in sys.argv[3:]:
    for limit in map(int, sys.argv[2].split(",")):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            work[name]()
            print(name, limit, "written")
        except InputError as error:
            print(name, limit, "refused:", error)
"""


def test_a_full_disk_leaves_the_old_file_whole(tmp_path):
    """At every size short of what is wanted: one clear error, the old file untouched, nothing left lying about."""
    with replacing(tmp_path / "probe.gpkg") as beside:
        write_layers(beside, {"layer": frame(5000, t=["x" * 40] * 5000).drop(columns="v")})
    size = (tmp_path / "probe.gpkg").stat().st_size
    (tmp_path / "probe.gpkg").unlink()
    for name in ("r.gpkg", "t.csv", "p.json"):
        (tmp_path / name).write_text("old")
    limits = {"r.gpkg": [size * p // 100 for p in (1, 20, 40, 60, 80, 95)], "t.csv": [0, 1000], "p.json": [0, 1000]}
    for name, some in limits.items():
        run = subprocess.run(
            [sys.executable, "-c", FULL_DISK, str(tmp_path), ",".join(map(str, some)), name],
            capture_output=True,
            text=True,
            check=False,
        )
        told = run.stdout.splitlines()
        assert run.returncode == 0, run.stderr
        assert len(told) == len(some)
        for line in told:
            assert "refused" in line, line
            assert "can't be written" in line or "is not whole" in line
            assert ".kazgeo-" not in line
        assert (tmp_path / name).read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p.json", "r.gpkg", "t.csv"]


def test_bad_cells_are_told_by_the_line_of_the_file(tmp_path):
    """Blank lines are passed over, cells may hold breaks, and the heading is line 1."""
    file = tmp_path / "t.csv"
    file.write_text('name;x\nA;1\n\n"B\nb";2\nC;abc\n \nD;3\nE;"4\n4x"\n', encoding="utf-8")
    table = read_table(file)
    with pytest.raises(
        InputError, match=r"t.csv', column 'x': 2 of 5 cells are not numbers: 'abc' \(line 6\), .* \(line 9\)"
    ):
        numbers(table, "x", file)
    assert [row_named(file, k) for k in range(5)] == ["line 2", "line 4", "line 6", "line 8", "line 9"]
    book = tmp_path / "t.xlsx"
    table.drop(index=4).to_excel(book, index=False)
    with pytest.raises(InputError, match=r"'abc' \(row 4\)$"):
        numbers(read_table(book), "x", book)
    assert row_named(Path("t.gpkg"), 3) == "row 4"
