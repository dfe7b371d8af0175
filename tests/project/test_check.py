"""A project file's mistakes are all found before anything is computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kazgeo import project
from kazgeo.data import embedded
from kazgeo.errors import InputError

PROJECT = embedded() / "project.toml"


def faulty(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    """Write the embedded project with changes, its files named absolutely."""
    text = PROJECT.read_text(encoding="utf-8").replace('file = "', f'file = "{PROJECT.parent.as_posix()}/')
    text = text.replace('sources = "sources.csv"', f'sources = "{PROJECT.parent.as_posix()}/sources.csv"')
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = tmp_path / "project.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_embedded_project_has_no_mistake() -> None:
    project.check(project.load(PROJECT))


def test_all_mistakes_are_listed_at_once(tmp_path: Path) -> None:
    path = faulty(
        tmp_path,
        ('analysis = "remoteness"', 'analysis = "remotness"'),
        ("permutations = 99999", "permuttions = 99999"),
        ('indicator = "grp_per_capita"', 'indicator = "grp_percapita"'),
        ("min_population = 50000", "min_population = -5"),
        (
            'panel = "harmonised"\nindicator = "grp_per_capita"\nyear',
            'panel = "doctors_rate"\nindicator = "grp_per_capita"\nyear',
        ),
    )
    with pytest.raises(InputError) as caught:
        project.check(project.load(path))
    message = str(caught.value)
    assert "analysis 'remotness' is not in the catalogue; did you mean 'remoteness'?" in message
    assert "parameter 'permuttions' is not a parameter of local_moran; did you mean 'permutations'?" in message
    assert "indicator 'grp_percapita' is not a column of 'published'; did you mean 'grp_per_capita'?" in message
    assert "'min_population' must be a number from 1 to 1e+09 people; got -5" in message
    assert "names 'doctors_rate', a later step; move that step before this one" in message
    assert "5 mistakes" in message


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ('kind = "polygon"\nfile = "', 'kind = "poligon"\nfile = "', "did you mean 'polygon'?"),
        ('language = "en"', 'language = "de"', "language must be one of en, kk, ru; got 'de'"),
        ("seed = 2009", "seed = -1", "seed must be a whole number from 0; got -1"),
        ('show = ["layer"]', 'show = ["layers"]', "show must be a list of layer, print, web"),
        ("[basemap]", "[bsemap]", "unknown key 'bsemap'; did you mean 'basemap'?"),
        ('roads = "roads"\n', 'roads = "raods"\n', "which is no input or"),
        ('id = "to_city"', 'id = "to_centre"', "another step has the same id"),
        ("regions_2009.gpkg", "regions_2008.gpkg", "does not exist; did you mean 'regions_2009.gpkg'?"),
        ('units = "deprivation"', 'units = "harmonised"', "units wants polygon or point; 'harmonised' is panel"),
        ('neighbours = "nearest"', 'neighbours = "nearst"', "did you mean 'nearest'?"),
        ("logarithm = true", 'logarithm = "yes"', "must be true or false; got 'yes'"),
        ("settlements.csv|id=id", "settlements.csv|id=ident", "id column 'ident' is not a column"),
        ("first_year = 2009", "first_year = 2031", "first_year 2031 is after last_year 2020"),
        ("international=90", "international=fast", "wanted class=speed"),
        ("year = 2020\nsince", "year = 2020.5\nsince", "must be a whole number from 1900 to 2100"),
    ],
)  # fmt: skip
def test_each_mistake_says_what_was_wanted(tmp_path: Path, old: str, new: str, wanted: str) -> None:
    with pytest.raises(InputError) as caught:
        project.check(project.load(faulty(tmp_path, (old, new))))
    assert wanted in str(caught.value)


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"", "has no [[steps]]"),
        (b"[project\n", "is not valid TOML"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"steps = 3\n", "steps must be written as [[steps]]"),
        (b'[[steps]]\nid = "a b"\nanalysis = "rate"\n', "id must be ASCII letters"),
    ],
)
def test_a_file_that_is_no_project(tmp_path: Path, content: bytes, wanted: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        project.load(path)
    assert wanted in str(caught.value)


def test_a_column_that_marks_rows_must_be_there(tmp_path: Path) -> None:
    path = faulty(tmp_path, ('leave_out = "duplicate_of"', 'leave_out = "duplicate"'))
    with pytest.raises(InputError, match=r"leave_out 'duplicate' is not a column of settlements\.csv"):
        project.check(project.load(path))


@pytest.mark.parametrize("name", ["to_centre_by_region", "INCOME_DISPARITY_Chart", "moran_chart2", "Disparity"])
def test_two_results_of_one_name(tmp_path: Path, name: str) -> None:
    path = faulty(tmp_path, ('id = "grp"', f'id = "{name}"'))
    with pytest.raises(InputError, match="its results would be called as "):
        project.check(project.load(path))


def test_a_folder_or_nothing_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be read"):
        project.load(tmp_path)
    (tmp_path / "project.toml").write_text("")
    with pytest.raises(InputError, match="did you mean 'project\\.toml'"):
        project.load(tmp_path / "projct.toml")
