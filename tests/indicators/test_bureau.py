"""The bureau's own workbooks give the very figures that are embedded."""

from __future__ import annotations

import pandas as pd
import pytest

from kazgeo import indicators
from kazgeo.errors import InputError
from kazgeo.io import read_table

WHOLE, TURKISTAN = "510000000", "610000000"
WORKBOOKS = {
    "life_expectancy": ("average-life-expectancy__llife.xlsx", None),
    "grp_per_capita": ("city-gdp-per-capita__6._ВРП_на_душу_населения.xlsx", None),
    "unemployment_rate": ("city-unemployment-rate__unemploymentRate.xlsx", None),
    "population": ("population-projections-by-regions__source.xlsx", None),
    "doctors": ("doctors-by-region__Численность_врачей_всех_специальностей.xls", None),
    "schools": ("city-school-private-public__schools.xlsx", "Все население"),
    "hospitals": ("city-hospitals-and-clinics__source.xls", "Число медицинских учреждений (больницы)"),
}
#: Years in which a workbook prints the whole of South Kazakhstan in the row of Turkistan (data/SOURCES.md).
PRINTED_UNDER_TURKISTAN = {
    "life_expectancy": range(2008, 2017),
    "population": range(2008, 2017),
    "doctors": range(2008, 2018),
    "schools": range(2014, 2016),
}
#: The unemployment workbook spells Russian adjectives in Latin letters.
LATIN = {
    "100000000": "Abai",
    "110000000": "Akmolinskaya",
    "150000000": "Aktubinskaya",
    "190000000": "Almatinskaya",
    "230000000": "Atyrauskaya",
    "310000000": "Zhambylskaya",
    "330000000": "Zhetisu",
    "350000000": "Karagandinskaya",
    "390000000": "Kostanaiskaya",
    "430000000": "Kyzylordinskaya",
    "470000000": "Mangistauskaya",
    "550000000": "Pavlodarskaya",
    "610000000": "Turkestanskaya",
    "620000000": "Ulytau",
    "790000000": "Shimkent city",
}


@pytest.fixture(scope="module")
def names(kazakhstan):
    """The embedded classifier: oblasts and districts, in three languages."""
    return read_table(kazakhstan / "kato.csv").set_index("kato")


@pytest.fixture(scope="module")
def embedded(kazakhstan):
    return indicators.read(kazakhstan / "indicators.csv")


@pytest.mark.parametrize("name", list(WORKBOOKS))
def test_workbook_and_embedded_figures_are_the_same(shared, names, embedded, name):
    file, block = WORKBOOKS[name]
    if name == "unemployment_rate":
        names = names[names["level"] == "oblast"].assign(name_bureau=pd.Series(LATIN))
    path = shared / "data" / "bns_xlsx" / file
    figures = indicators.read(path, indicator=name, names=names, block=block)[name].dropna()
    truth = embedded[name].dropna()
    years = truth.index.get_level_values("year")
    figures = figures[figures.index.get_level_values("year").isin(range(years.min(), years.max() + 1))]
    moved = [(TURKISTAN, year) for year in PRINTED_UNDER_TURKISTAN.get(name, ())]
    told = figures.rename(index={key: (WHOLE, key[1]) for key in moved})
    told.index = pd.MultiIndex.from_tuples(
        [(WHOLE, y) if (r, y) in moved else (r, y) for r, y in figures.index], names=truth.index.names
    )
    pd.testing.assert_series_equal(told.sort_index(), truth, check_exact=True)


def test_the_hospitals_workbook_holds_two_tables(shared, names):
    path = shared / "data" / "bns_xlsx" / WORKBOOKS["hospitals"][0]
    with pytest.raises(InputError, match="repeated in 2 blocks"):
        indicators.read(path, names=names)
    both = [
        indicators.read(path, names=names, block=b)["value"]
        for b in ("Количество медицинских учреждений (больницы)", WORKBOOKS["hospitals"][1])
    ]
    country = [b.loc["000000000"] for b in both]
    assert country[0].tolist() == country[1].tolist()
    assert country[0].loc[2000] == 938
    parts = both[1].drop("000000000", level="region").groupby("year").sum()
    assert parts.tolist() == country[1].tolist()


def test_schools_of_town_and_country_add_up(shared, names):
    path = shared / "data" / "bns_xlsx" / WORKBOOKS["schools"][0]
    everywhere, town, country = (
        indicators.read(path, names=names, block=b)["value"]
        for b in ("Все население", "Городское население", "Сельское население")
    )
    both = pd.concat([everywhere, town, country], axis=1, keys=["all", "town", "country"]).dropna()
    recent = both[both.index.get_level_values("year") >= 2008]  # before, a footnote says, evening schools are left out
    assert len(recent) > 200
    assert (recent["all"] == recent["town"] + recent["country"]).all()
    assert everywhere.index.get_level_values("year").unique().tolist() == list(range(2000, 2023))


def test_quarters_and_dollars_stay_out(shared, names):
    path = shared / "data" / "bns_xlsx" / WORKBOOKS["grp_per_capita"][0]
    tenge = indicators.read(path, names=names)["value"]
    assert tenge.index.get_level_values("year").unique().tolist() == list(range(2008, 2023))
    assert tenge["000000000"].loc[[2009, 2015, 2020]].tolist() == [1056.8, 2330.4, 3766.8]
    dollars = indicators.read(f"{path}|layer=в долларах США", names=names)["value"]
    assert dollars["000000000"].loc[2009] == 7165.1


def test_english_names_fit_no_russian_classifier_and_are_listed(shared, names):
    with pytest.raises(InputError, match=r"^14 region names fit no code: 'Abai', 'Akmolinskaya'.* and 9 more$"):
        indicators.read(shared / "data" / "bns_xlsx" / WORKBOOKS["unemployment_rate"][0], names=names)


def test_a_cover_sheet_is_no_table(shared):
    with pytest.raises(InputError, match="found neither"):
        indicators.read(shared / "data" / "bns_xlsx" / "city-population__source.xlsx")
