"""KATO: oblasts and districts of the classifier, the codes that are gone, and the reforms that moved them."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from _builder.common import BuildError, Inputs, oblast_code, say, write_csv

#: date of effect, old code, new codes, act, where it was read. Typed from the pages named, then checked below:
#: every new code is in the classifier of 2025, every old one in the bureau's panel.
_ACT_2018 = (
    "Decree of the President of 19 June 2018 'On some issues of the administrative-territorial structure of the "
    "Republic of Kazakhstan' (Shymkent a city of republican significance; centre moved from Shymkent to Turkistan; "
    "South Kazakhstan oblast renamed Turkistan oblast). Date = signing; number and day of publication not confirmed"
)
_PAGES_2018 = "https://ru.sputnik.kz/regions/20180619/6085946/turkestanskaya-oblast-porucheniya.html"
_ACT_2022 = (
    "Decree of the President 'On some issues of the administrative-territorial structure of the Republic of "
    "Kazakhstan', published 4 May 2022, in force from 8 June 2022; number not confirmed"
)
_PAGES_2022 = (
    "https://kazpravda.kz/n/ukaz-o-sozdanii-treh-novyh-oblastey-podpisal-tokaev ; "
    "https://www.the-village-kz.com/village/city/news-city/23099-v-kazahstane-obrazovany-tri-novye-oblasti"
)
REFORMS = (
    ("2018-06-19", "510000000", ("610000000", "790000000"), _ACT_2018, _PAGES_2018),
    ("2022-06-08", "190000000", ("190000000", "330000000"), _ACT_2022, _PAGES_2022),
    ("2022-06-08", "350000000", ("350000000", "620000000"), _ACT_2022, _PAGES_2022),
    ("2022-06-08", "630000000", ("630000000", "100000000"), _ACT_2022, _PAGES_2022),
)

#: The oblast that no longer exists: Russian name as in the bureau's panel, Kazakh name as in the page cited.
_GONE_KK = "Оңтүстік Қазақстан облысы"
_GONE_SOURCE = "BNS panel (code 51); Kazakh name: http://www.self.gutenberg.org/articles/eng/Provinces_of_Kazakhstan"
_GEOKZ = "arodionoff/geokz (CC BY 4.0)"


def to_2009(code: str) -> str:
    """Return the oblast code of 2009 in which today's oblast code lies."""
    for _, old, new, _, _ in reversed(REFORMS):
        if code in new:
            code = old
    return code


def of_region(code_2009: str, codes: list[str]) -> list[str]:
    """Return those of ``codes`` that lie in a region of 2009."""
    return [c for c in codes if to_2009(c) == code_2009]


def tidy(name: str) -> str:
    """Return a name of the classifier with a space after 'г.'."""
    return name.replace("г.", "г. ", 1) if name.startswith("г.") and not name.startswith("г. ") else name


def build(inputs: Inputs) -> None:
    """Write kato.csv and reforms.csv."""
    classifier = inputs.table("kato_2025.csv")
    panel = inputs.table("oblast_panel_long.csv")
    oblasts = set(classifier.loc[classifier["level"] == "oblast", "kato"])
    known = {oblast_code(c) for c in panel["kato2"]}
    for _, old, new, _, _ in REFORMS:
        if old not in known or not set(new) <= oblasts:
            raise BuildError(f"reform of {old}: a code is neither in the panel nor in the classifier of 2025")
    table = _codes(inputs, classifier, panel)
    write_csv(table, inputs.out / "kato.csv")
    write_csv(_reforms(panel, table), inputs.out / "reforms.csv")


def _codes(inputs: Inputs, classifier: pd.DataFrame, panel: pd.DataFrame) -> pd.DataFrame:
    table = classifier[classifier["level"].isin(["oblast", "district"])].copy()
    table["name_ru"] = table["name_ru"].map(tidy)
    english = dict(_english(inputs))
    table["name_en"] = table["kato"].map(english).fillna("")
    begins = {c: date for date, _, new, _, _ in REFORMS for c in new}
    same = {old for _, old, new, _, _ in REFORMS if old in new}
    table["valid_from"] = [begins.get(c, "") if c not in same else "" for c in table["kato"]]
    table["valid_to"] = ""
    table["source"] = "BNS classifier " + table["kato_version"] + " via siaarzh/kz-tax-rates (MIT)"
    table.loc[table["name_en"] != "", "source"] += "; name_en " + _GEOKZ
    short = panel.loc[panel["kato2"] == "51", "region_ru"].unique()
    if list(short) != ["Южно-Казахстанская"]:
        raise BuildError(f"panel: code 51 is named {list(short)}, not South Kazakhstan")
    gone = {
        "kato": "510000000",
        "level": "oblast",
        "name_en": "South Kazakhstan",
        "name_ru": f"{short[0]} область",
        "name_kk": _GONE_KK,
        "valid_from": "",
        "valid_to": REFORMS[0][0],
        "source": _GONE_SOURCE,
    }
    table = pd.concat([table, pd.DataFrame([gone])], ignore_index=True).sort_values("kato")
    level = table["level"].value_counts()
    say(f"kato: {level['oblast']} oblast codes (1 gone), {level['district']} districts")
    return table[["kato", "level", "name_en", "name_ru", "name_kk", "valid_from", "valid_to", "source"]]


def _english(inputs: Inputs) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for level in ("adm2", "adm1"):
        frame = gpd.read_file(inputs.data / f"geokz_kaz_admbnda_{level}_2024.gpkg", ignore_geometry=True)
        pairs += list(zip(frame["KATO"].astype(str), frame[f"{level.upper()}_EN"].astype(str), strict=True))
    return pairs


def _reforms(panel: pd.DataFrame, codes: pd.DataFrame) -> pd.DataFrame:
    people = panel[panel["indicator"] == "population"].assign(region=panel["kato2"].map(oblast_code))
    names = codes.set_index("kato")["name_en"]
    rows = []
    for date, old, new, act, page in REFORMS:
        counted = people[people["year"] == date[:4]].set_index("region")["value"].astype(float)
        total = sum(counted[c] for c in new)
        for code in new:
            rows.append(
                {
                    "date": date,
                    "old": old,
                    "new": code,
                    "kind": "split",
                    "share": f"{counted[code] / total:.4f}",
                    "share_note": f"share of the population of the parts at 1 January {date[:4]} (BNS, back-cast)",
                    "name": f"{names[old]} -> {names[code]}" + (" (what remained)" if code == old else ""),
                    "act": act,
                    "source": page,
                }
            )
    return pd.DataFrame(rows)
