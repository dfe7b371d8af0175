"""The bureau's figures: values as published, codes made truthful, coverage proved before anything ships."""

from __future__ import annotations

import pandas as pd

from _builder.classifier import REFORMS, to_2009
from _builder.common import COUNTRY, BuildError, Inputs, number, oblast_code, say, write_csv

FIRST, LAST = 2008, 2022
#: Every harmonised region must have a value in every one of these years.
COVERED = range(2009, 2021)
#: The series' time: these are counted on 1 January, the others over the year or at its end.
ON_1_JANUARY = ("population",)
#: A row relabelled as the whole oblast may differ from the year before and after by this share at most.
CONTINUITY = 0.2

#: Series that the shared table has under the wrong years: the bureau's sheet of hospitals holds two tables, the second
#: one column further left, so its figures stand one year early. A test compares the result with the workbook.
YEARS_LATE = {"hospitals": 1}
#: Jumps of the published series itself: hospitals fell from 117 to 40 + 26 in 2018 (and the country's total with them).
KNOWN_JUMPS = {"hospitals": {2018}}

WHOLE, TURKISTAN, SHYMKENT = "510000000", "610000000", "790000000"
WHOLE_NOTE = "printed under Turkistan, in truth the whole South Kazakhstan oblast (no Shymkent beside it)"

#: indicator: labels en, ru, kk; units en, ru, kk; direction; aggregation; weight; licence; note.
_PDDL = "PDDL 1.0 (open-data-kazakhstan); official statistics of the BNS"
_COUNT = "a count: divide by population before regions are compared"
META: dict[str, tuple[str, ...]] = {
    "doctors": (
        "Doctors of all specialities", "Численность врачей всех специальностей", "Барлық мамандықтағы дәрігерлер саны",
        "persons", "человек", "адам", "neutral", "sum", "",
        "datapackage of the copy says CC BY-SA; official statistics of the BNS and the Ministry of Health", _COUNT,
    ),
    "grp_per_capita": (
        "Gross regional product per head", "Валовой региональный продукт на душу населения",
        "Жан басына шаққандағы жалпы өңірлік өнім",
        "thousand tenge, current prices", "тыс. тенге, в текущих ценах", "мың теңге, ағымдағы бағамен",
        "more is better", "mean", "population", _PDDL,
        "nominal; the bureau divides by the year's mean population, the weight here is that of 1 January",
    ),
    "hospitals": (
        "Hospitals", "Число больничных организаций", "Аурухана ұйымдарының саны",
        "units", "единиц", "бірлік", "neutral", "sum", "", _PDDL, _COUNT,
    ),
    "life_expectancy": (
        "Life expectancy at birth", "Ожидаемая продолжительность жизни при рождении",
        "Туған кездегі күтілетін өмір сүру ұзақтығы",
        "years", "лет", "жыл", "more is better", "mean", "population", _PDDL,
        "a population-weighted mean only approximates the life table of the whole",
    ),
    "nominal_cash_income_pc": (
        "Nominal money income per head", "Среднедушевые номинальные денежные доходы населения",
        "Халықтың жан басына шаққандағы орташа атаулы ақшалай табысы",
        "tenge a month", "тенге в месяц", "айына теңге", "more is better", "mean", "population",
        "PDDL 1.0 (open-data-kazakhstan); data.egov.kz", "nominal; estimate of the bureau",
    ),
    "population": (
        "Population, 1 January", "Численность населения на 1 января", "Халық саны, 1 қаңтарға",
        "persons", "человек", "адам", "neutral", "sum", "", _PDDL, "2022 is recalculated after the census of 2021",
    ),
    "schools": (
        "General schools, start of the school year", "Число общеобразовательных школ, на начало учебного года",
        "Жалпы білім беретін мектептер саны, оқу жылының басына",
        "units", "единиц", "бірлік", "neutral", "sum", "", _PDDL, _COUNT,
    ),
    "unemployment_rate": (
        "Unemployment rate", "Уровень безработицы", "Жұмыссыздық деңгейі",
        "%", "%", "%", "more is worse", "mean", "population", _PDDL,
        "the exact weight would be the labour force; in 2010-2016 Turkistan and "
        "Shymkent stand apart but their populations do not",
    ),
}  # fmt: skip
_META_COLUMNS = (
    "label_en", "label_ru", "label_kk", "unit", "unit_ru", "unit_kk",
    "direction", "aggregation", "weight", "licence", "note",
)  # fmt: skip


def build(inputs: Inputs) -> None:
    """Write indicators.csv and indicators_meta.csv."""
    panel = inputs.table("oblast_panel_long.csv")
    panel["year"] = panel["year"].astype(int)
    panel["year"] += panel["indicator"].map(YEARS_LATE).fillna(0).astype(int)
    panel["value"] = pd.to_numeric(panel["value"])
    panel["region"] = panel["kato2"].map(oblast_code)
    shipped = [name for name, rows in panel.groupby("indicator") if _covers(str(name), _truthful(rows))]
    if set(shipped) != set(META):
        raise BuildError(f"indicators: covering ones are {sorted(shipped)}, described are {sorted(META)}")
    table = pd.concat([_truthful(panel[panel["indicator"] == name]) for name in shipped])
    table = table[table["year"].between(FIRST, LAST) & table["value"].notna()]
    table = table.sort_values(["indicator", "year", "region"])
    _check(table)
    sources = table.groupby("indicator")["source"].first()
    out = table.assign(value=table["value"].map(number), unit=[META[i][3] for i in table["indicator"]])
    columns = ["region", "year", "indicator", "value", "unit", "source", "note"]
    write_csv(out[columns], inputs.out / "indicators.csv")
    meta = pd.DataFrame(META.values(), index=pd.Index(META, name="indicator"), columns=list(_META_COLUMNS))
    meta.insert(9, "source", sources)
    write_csv(meta.reset_index(), inputs.out / "indicators_meta.csv")


def _truthful(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one indicator with the code of what each row covers and a note where that isn't plain."""
    rows = rows.copy()
    rows["note"] = ""
    zero = rows["zero_flag"] == "1"
    rows.loc[zero, "value"] = float("nan")
    here = {(r.region, r.year) for r in rows.itertuples() if pd.notna(r.value)}
    for year in sorted(set(rows["year"])):
        before = year < int(REFORMS[0][0][:4]) and (WHOLE, year) not in here
        if before and (TURKISTAN, year) in here and (SHYMKENT, year) not in here:
            whole = (rows["region"] == TURKISTAN) & (rows["year"] == year)
            rows.loc[whole, ["region", "note"]] = [WHOLE, WHOLE_NOTE]
    for date, _, new, _, _ in REFORMS:
        _note_back_cast(rows, date, new, here)
    return rows


def _note_back_cast(rows: pd.DataFrame, date: str, new: tuple[str, ...], here: set[tuple[str, int]]) -> None:
    """Note the rows that give the parts of a reform for a time before it."""
    name = str(rows["indicator"].iloc[0])
    before = rows["year"] <= int(date[:4]) if name in ON_1_JANUARY else rows["year"] < int(date[:4])
    whole = {year for _, year in here if all((c, year) in here for c in new)}
    together = rows["region"].isin(new) & rows["year"].isin(whole)
    rows.loc[before & together, "note"] = f"back-cast to the {date[:4]} boundaries"


def _harmonised(rows: pd.DataFrame, how: str) -> pd.DataFrame:
    """Return year x region of 2009, parts merged by sum, or counted as present for means."""
    parts = rows[(rows["region"] != COUNTRY) & rows["value"].notna()]
    region = parts["region"].map(to_2009)
    merged = parts.groupby([parts["year"], region])["value"]
    return (merged.sum() if how == "sum" else merged.mean()).unstack()


def _covers(name: str, rows: pd.DataFrame) -> bool:
    """Tell whether all 16 regions of 2009 have a value in every year wanted."""
    table = _harmonised(rows, "mean").reindex(COVERED)
    full = int(table.notna().all().sum())
    say(f"  {name}: {full} of 16 regions complete {COVERED[0]}-{COVERED[-1]}" + ("" if full == 16 else ", not shipped"))
    return full == 16 and len(table.columns) == 16


def _check(table: pd.DataFrame) -> None:
    """Refuse duplicates, a whole beside its parts, sums that miss the country's figure, and jumps at the reform."""
    if table.duplicated(["region", "year", "indicator"]).any():
        raise BuildError("indicators: a region, year and indicator occur twice")
    for (name, year), rows in table.groupby(["indicator", "year"]):
        codes = set(rows["region"])
        if WHOLE in codes and codes & {TURKISTAN, SHYMKENT}:
            raise BuildError(f"indicators: {name} {year} has South Kazakhstan and its parts")
        if (TURKISTAN in codes) != (SHYMKENT in codes):
            raise BuildError(f"indicators: {name} {year} has one of Turkistan and Shymkent without the other")
        country = rows.loc[rows["region"] == COUNTRY, "value"].sum()
        parts = rows.loc[rows["region"] != COUNTRY, "value"].sum()
        if META[str(name)][7] == "sum" and country != parts:
            raise BuildError(f"indicators: {name} {year}: parts sum to {parts}, the country has {country}")
    for name, rows in table.groupby("indicator"):
        how = META[str(name)][7]
        jump = _harmonised(rows, how)[WHOLE].loc[2009:2020].pct_change(fill_method=None).abs()
        country = rows[rows["region"] == COUNTRY].set_index("year")["value"].pct_change().abs()
        say(f"  {name}: South Kazakhstan moves by {jump.max():.3f} a year at most, the country by {country.max():.3f}")
        jumped = {int(y) for y in jump.index[jump > CONTINUITY]}
        if how == "sum" and jumped != KNOWN_JUMPS.get(str(name), set()):
            raise BuildError(f"indicators: {name}: South Kazakhstan jumps in {sorted(jumped)}")
