"""Published values of spatial autocorrelation, computed by KazGeo; inputs under ../shared or in libpysal, else skipped.

A value is an entry of ``published_autocorrelation.toml``. Its id reads "map case figure unit": a function of this
module per map gives the cases, a case gives a result, the figure is a field of it and the unit a label or a row from 0.
So a new value is a new entry; only a statistic or a setting that no case has yet needs a line here.
"""

import os
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest

import kazgeo.autocorrelation as ka
from kazgeo.crs import EARTH_RADIUS_M
from kazgeo.hotspots import getis_ord
from kazgeo.weights import Weights, contiguity, distance_band, higher_order, knn

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("KAZGEO_SHARED", HERE.parents[2] / "shared"))
LISTED = tomllib.loads((HERE / "published_autocorrelation.toml").read_text("utf-8"))
PUBLISHED = {entry["id"]: entry for entry in LISTED["value"]}
COUNTED = {f"{entry['id']} at {entry['cutoff']}": entry for entry in LISTED["count"]}
FEW = {"permutations": 9, "rng": 1}  # values and moments don't need draws
DRAWS = 9_999
FOLDED = {"permutations": DRAWS, "rng": 1, "alternative": "directed", "correction": "none"}  # GeoDa's p
QUADRANTS = {"high-high": 1, "low-high": 2, "low-low": 3, "high-low": 4}  # PySAL's numbers
SIX = ["Crm_prs", "Crm_prp", "Litercy", "Donatns", "Infants", "Suicids"]


# ---------------------------------------------------------------- data and weights
def shared(name):
    path = SHARED / "golden/inputs" / name
    if not path.exists():
        pytest.skip(f"needs golden/inputs/{name} of the shared folder (KAZGEO_SHARED)")
    return path


def csv(name, **options):
    return pd.read_csv(shared(f"{name}.csv"), **options)


def links(name, ids):
    table = csv(name)
    return Weights.from_arrays(ids, *(table[c].to_numpy() for c in ("i", "j", "w")))


def example(name, *columns):
    """Return columns of an example of libpysal by row, and the weights of its .gal file."""
    import libpysal

    file = libpysal.io.open(libpysal.examples.get_path(name))
    table = pd.DataFrame({c: np.asarray(file.by_col(c), float) for c in columns})
    gal = libpysal.examples.get_path(name.split(".")[0].split("_")[0] + ".gal")
    given = Weights.from_libpysal(libpysal.io.open(gal).read())
    return table, replace(given, ids=table.index)  # both follow the rows of the file


def on_plane(x, y):
    """Place plane coordinates around 0 N 0 E, metre for unit: so near the sphere is flat to 1e-8 of a distance."""
    degrees = [np.degrees(np.asarray(c, float) / EARTH_RADIUS_M) for c in (x, y)]
    return geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(*degrees, crs=4326), index=x.index)


def within(x, y, upto):
    return distance_band(on_plane(x, y), upto + 1e-4)  # the limit itself belongs to the band


def lattice_of(k):
    across, up = np.divmod(np.arange(k * k), k)
    return within(pd.Series(across), pd.Series(up), 1)


def among(units, y, weights):
    """Return the linked units only, as spdep's global G has them."""
    kept = units[weights.cardinalities > 0]
    return y[kept], weights.subset(kept)


def turned(found):
    """Return figures of Geary's C with spdep's sign of z, above 0 where neighbours are alike; ours is (C - 1) / sd."""
    figures = pd.Series(found.figures())
    return figures.where(~figures.index.str.startswith("z_"), -figures)


# ---------------------------------------------------------------- maps: case -> result
@cache
def columbus_old():
    table = csv("colold")
    w, high = links("colold_W", table.index), (table["CRIME"] > 35).map({True: "high", False: "low"})
    crime, near = table["CRIME"], knn(on_plane(table["X"], table["Y"]), 4)

    def joins(one, other):
        return ka.join_counts(high, w, **FEW).table.loc[(one, other)]

    return {
        "moran-B": lambda: ka.moran(crime, w, transform="binary", **FEW),
        "moran-lag2": lambda: ka.moran(crime, higher_order(w, 2), **FEW),
        "moran-lag3": lambda: ka.moran(crime, higher_order(w, 3), **FEW),
        "moran-k4": lambda: ka.moran(crime, near, **FEW),
        "rank-moran": lambda: ka.moran(crime.rank(), w, **FEW),
        "geary-W": lambda: turned(ka.geary(crime, w, **FEW)),
        "geary-lag2": lambda: turned(ka.geary(crime, higher_order(w, 2), **FEW)),
        "geary-k4": lambda: turned(ka.geary(crime, near, **FEW)),
        "lee": lambda: ka.lee(crime, crime, w, **FEW),
        "joins-high": lambda: joins("high", "high"),
        "joins-high:low": lambda: joins("high", "low"),
        "colocation-CP-EW": lambda: ka.local_colocation(table[["CP", "EW"]], w),
        "bivariate-joins-CP": lambda: ka.local_join_count_bivariate(table["CP"], 1 - table["CP"], w),
    }


@cache
def columbus():
    from libpysal.examples import get_path

    frame = geopandas.read_file(get_path("columbus.shp")).set_crs(32617, allow_override=True)
    queen, crime, value, income = contiguity(frame, tolerance_m=0), frame["CRIME"], frame["HOVAL"], frame["INC"]
    rook = contiguity(frame, kind="rook", tolerance_m=0)
    return {
        "geary-rook": lambda: ka.geary(crime, rook, **FEW),
        "local-moran-CRIME,INC": lambda: ka.local_moran_bivariate(crime, income, queen, **FEW),
        "quadrants-CRIME,INC": lambda: result("columbus", "local-moran-CRIME,INC").quadrant.value_counts(),
        "lee-HOVAL,CRIME": lambda: ka.lee(value, crime, queen, **FEW),
        "local-lee": lambda: ka.local_lee(value, crime, queen, **FEW),
    }


@cache
def columbus_geoda():
    frame = geopandas.read_file(shared("geoda/columbus.shp"))
    queen, nsa = contiguity(frame, tolerance_m=0), frame["nsa"]

    def fewer():
        """Return libgeoda's p of fewer joins than by chance: its lower tail leaves out the observed count."""
        found = ka.local_join_count_bivariate(nsa, 1 - nsa, queen, alternative="greater")
        return {"count": found.count, "p": 1 - found.p}

    return {
        "local-joins-nsa": lambda: ka.local_join_count(nsa, queen),
        "bivariate-joins-nsa": fewer,
        "colocation-nsa-nsb": lambda: ka.local_colocation(frame[["nsa", "nsb"]], queen),
    }


@cache
def afcon():
    table = csv("afcon", index_col="name")
    w = links("afcon_W", table.index)
    return {
        "moran": lambda: ka.moran(table["totcon"], w, **FEW),
        "local-moran": lambda: ka.local_moran(table["totcon"], w, scale="spdep", **FEW),
        "local-geary": lambda: ka.local_geary(table["totcon"], w, **FEW),
    }


@cache
def nc():
    table = csv("nc")
    w = links("nc_B", table.index)
    ill, born, linked = table["SID74"], table["BIR74"], int((w.cardinalities > 0).sum())
    root = np.sqrt(1000 * born) * (np.sqrt(ill / born) + np.sqrt((ill + 1) / born))  # Freeman and Tukey

    def spdep(order):
        """Return I and C with n of the 98 linked counties in their factors, as spdep has it; ours has all 100."""
        here, n = higher_order(w, order), len(table)
        i, c = ka.moran(root, here, **FEW).I, ka.geary(root, here, **FEW).C
        return {"I": i * linked / n, "C": c * (linked - 1) / (n - 1)}

    def general(miles):
        rate = 1000 * table["SID79"] / table["BIR79"]
        return ka.general_g(*among(table.index, rate, within(table["east"], table["north"], miles)), **FEW)

    cases = {f"general-g-{miles}": lambda miles=miles: general(miles) for miles in (10, 30, 33, 60, 100)}
    cases |= {f"correlogram-{order}": lambda order=order: spdep(order) for order in (1, 2, 4, 5, 8)}
    return cases | {
        "moran": lambda: {"I": ka.moran(ill / born, w, transform="binary", **FEW).I * linked / len(table)},
        "eb-moran": lambda: ka.moran_rate(ill, born, w, transform="binary", **FEW),
    }


@cache
def boston():
    table = csv("boston")
    w = links("boston_W", table.index)
    crimes, nox = table["CRIM"], table["NOX"]
    return {
        "losh": lambda: {"mean": ka.losh(nox, w, **FEW).H.mean()},
        "moran-CRIM,NOX": lambda: ka.moran_bivariate(crimes, nox, w, **FEW),
        "moran-NOX,CRIM": lambda: ka.moran_bivariate(nox, crimes, w, **FEW),
        "lee-CRIM,NOX": lambda: ka.lee(crimes, nox, w, **FEW),
        "lee-CMEDV,CRIM": lambda: ka.lee(table["CMEDV"], crimes, w, **FEW),
    }


@cache
def getisord():
    grid = csv("getisord")

    def g(metres, star=False):
        return getis_ord(grid["val"], within(grid["x"], grid["y"], metres), star=star, **FEW).value

    # the paper's Gi* of 30 m has the standard deviation with n - 1, ours with n
    return {f"Gi-{metres}": lambda metres=metres: {"value": g(metres)} for metres in (60, 90, 120, 150)} | {
        "Gi*-30": lambda: {"value": g(30, star=True) * np.sqrt(255 / 256)}
    }


@cache
def guerry():
    frame = geopandas.read_file(shared("geoda/Guerry.shp"))
    w = contiguity(frame, tolerance_m=0)
    property_, persons, reading = frame["Crm_prp"], frame["Crm_prs"], frame["Litercy"]
    middle = geopandas.GeoDataFrame(geometry=frame.centroid)

    def share(star):
        """Return GeoDa's Gi and Gi*, shares of the total under row standardisation, from our z-scores."""
        x, n = property_, len(frame)
        links_, total = w.cardinalities + star, x.sum() - (0 if star else x)
        m, square = (n, (x**2).sum()) if star else (n - 1, (x**2).sum() - x**2)
        mean = total / m
        sd = np.sqrt((square / m - mean**2) * (m / links_ - 1) / (m - 1))
        return {"share": (mean + getis_ord(x, w, star=star, **FEW).value * sd) / total}

    def matches():
        found = result("guerry", "match")
        counts = found.common.astype(int).astype(str).value_counts()
        return counts.to_dict() | {"significant": int((found.probability < 0.05).sum())}

    return {
        "queen": lambda: w,
        "moran-Suicids": lambda: ka.moran(frame["Suicids"], w, **FEW),
        "local-moran-Crm_prp": lambda: ka.local_moran(property_, w, **FOLDED),
        "local-moran-Crm_prs": lambda: ka.local_moran(persons, w, **FOLDED),
        "local-moran-Donatns": lambda: ka.local_moran(frame["Donatns"], w, **FOLDED),
        "local-moran-Crm_prs,Litercy": lambda: ka.local_moran_bivariate(persons, reading, w, **FOLDED),
        "local-moran-rate": lambda: ka.local_moran_rate(persons, frame["Pop1831"], w, **FOLDED),
        "local-geary": lambda: ka.local_geary(property_, w, **FOLDED),
        "local-geary-2": lambda: ka.local_geary(frame[["Crm_prp", "Crm_prs"]], w, **FOLDED),
        "local-geary-3": lambda: ka.local_geary(frame[["Crm_prs", "Crm_prp", "Donatns"]], w, **FOLDED),
        "local-geary-6": lambda: ka.local_geary(frame[SIX], w, **FOLDED),
        "Gi": lambda: share(False),
        "Gi*": lambda: share(True),
        "losh": lambda: ka.losh(persons, w, **FEW),
        "losh-a1": lambda: ka.losh(persons, w, exponent=1, **FEW),
        "match": lambda: ka.neighbour_match(frame[SIX], knn(middle, 6)),
        "matches": matches,
        "quantile": lambda: ka.quantile_lisa(property_, w, k=7, quantile=7),
        "quantiles": lambda: ka.quantile_lisa(frame[["Crm_prs", "Crm_prp"]], w, k=4, quantile=1),
    }


@cache
def natregimes():
    frame = geopandas.read_file(shared("geoda/natregimes.shp"))
    w = contiguity(frame, tolerance_m=0)
    return {
        "moran-HR60": lambda: ka.moran(frame["HR60"], w, **FEW),
        "moran-HR90,HR80": lambda: ka.moran_bivariate(frame["HR90"], frame["HR80"], w, **FEW),
        # the slope GeoDa prints is the mean of the local values
        "change": lambda: {
            "mean": ka.local_moran_change(frame["HR80"], frame["HR90"], w, scale="spdep", **FEW).I.mean()
        },
        "eb-moran": lambda: ka.moran_rate(frame["HC60"], frame["PO60"], w, **FEW),
    }


@cache
def chicago():
    frame = geopandas.read_file(shared("geoda/chicago_comm.shp")).set_index("community")
    w, plus, minus = contiguity(frame, tolerance_m=0), frame["popplus"], frame["popneg"]
    return {
        "queen": lambda: w,
        "local-joins": lambda: ka.local_join_count(plus, w),
        "outlier-joins": lambda: ka.local_join_count_bivariate(minus, plus, w),
        "saved": lambda: {  # columns that GeoDa itself wrote into the file
            "JC1": (ka.local_join_count(plus, w).count != frame["JC1"]).sum(),
            "JC": (ka.local_join_count_bivariate(plus, minus, w).count != frame["JC"]).sum(),
        },
    }


@cache
def sids2():
    table, w = example("sids2.dbf", "SIDR74", "SIDR79", "NWR79", "SID79", "BIR79")
    early, late = table["SIDR74"], table["SIDR79"]
    return {
        "moran": lambda: ka.moran(early, w, alternative="greater", **FEW),
        "eb-moran": lambda: ka.moran_rate(table["SID79"], table["BIR79"], w, alternative="greater", **FEW),
        "moran-SIDR74,SIDR79": lambda: ka.moran_bivariate(early, late, w, **FEW),
        "moran-SIDR79,SIDR74": lambda: ka.moran_bivariate(late, early, w, **FEW),
        "moran-NWR79,SIDR74": lambda: ka.moran_bivariate(table["NWR79"], early, w, **FEW),
        "local-moran-SIDR79,SIDR74": lambda: ka.local_moran_bivariate(late, early, w, **FEW),
        "local-moran-rate": lambda: ka.local_moran_rate(table["SID79"], table["BIR79"], w, **FEW),
    }


@cache
def stl():
    table, w = example("stl_hom.txt", "HR8893", "HC8488")
    return {
        "moran": lambda: ka.moran(table["HR8893"], w, alternative="greater", **FEW),
        "local-geary": lambda: ka.local_geary(table["HR8893"], w, scale="esda", **FEW),
        "local-geary-2": lambda: ka.local_geary(table, w, scale="esda", **FEW),
        "losh": lambda: ka.losh(table["HR8893"], w, **FEW),
    }


@cache
def desmith():
    table, w = example("desmith.txt", "z")
    return {"local-moran": lambda: ka.local_moran(table["z"], w, scale="spdep", **FEW)}


@cache
def six_points():
    y, x, up = (pd.Series(c) for c in ([2, 3, 3.2, 5, 8, 7], [10, 20, 40, 15, 30, 30], [10, 10, 10, 20, 20, 30]))
    w = within(x, up, 15)
    return {
        "general-g": lambda: ka.general_g(*among(y.index, y, w), alternative="greater", **FEW),
        "Gi": lambda: getis_ord(y, w, star=False, **FEW),
        "Gi*": lambda: getis_ord(y, w, **FEW),
    }


@cache
def lattice():
    w, y = lattice_of(4), pd.Series([0] * 8 + [1] * 8)
    z = pd.Series([0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1])
    t = pd.Series([0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 1])
    names = {(1, 1): "BB", (0, 0): "WW", (0, 1): "BW"}
    return {
        "moran": lambda: ka.moran(pd.Series(np.arange(1, 10)), lattice_of(3), transform="binary", **FEW),
        "joins": lambda: {name: ka.join_counts(y, w, **FEW).table.loc[pair, "joins"] for pair, name in names.items()},
        "local-joins": lambda: ka.local_join_count(y, w),
        "bivariate-joins": lambda: ka.local_join_count_bivariate(y * (1 - z), z * (1 - y), w),
        "colocation-2": lambda: ka.local_colocation(pd.DataFrame({"y": y, "z": z}), w),
        "colocation-3": lambda: ka.local_colocation(pd.DataFrame({"y": y, "z": z, "t": t}), w),
    }


FILES = (afcon, boston, chicago, columbus_geoda, columbus_old, getisord, guerry, natregimes, nc)
HERE_ALREADY = (columbus, desmith, lattice, sids2, six_points, stl)  # in libpysal, or written above
MAPS = {of.__name__.replace("_", "-"): of for of in (*FILES, *HERE_ALREADY)}


# ---------------------------------------------------------------- tests
@cache
def result(place, case):
    return MAPS[place]()[case]()


def computed(name):
    place, case, figure, *unit = name.split(" ", 3)
    found = result(place, case)
    value = found[figure] if isinstance(found, dict | pd.Series) else getattr(found, figure)
    if unit:
        ids = found.ids if isinstance(found, Weights) else value.index
        value = np.asarray(value)[ids.get_loc(unit[0]) if unit[0] in ids else int(unit[0])]
    return QUADRANTS.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_value(name):
    entry = PUBLISHED[name]
    assert computed(name) == pytest.approx(entry["value"], rel=0, abs=entry["tolerance"]), entry["source"]


@pytest.mark.parametrize("name", COUNTED)
def test_published_number_of_significant_units(name):
    """The number lies between the units that pass for certain and those that may: 5 standard deviations of both p."""
    entry = COUNTED[name]
    found = result(*entry["id"].split(" "))
    p, cutoff = found.p, entry["cutoff"]
    sd = np.sqrt(np.maximum(p, 1e-3) * (1 - p) * (1 / DRAWS + 1 / entry["draws"]))
    assert (p + 5 * sd <= cutoff).sum() <= entry["value"] <= (p - 5 * sd <= cutoff).sum(), entry["source"]


@pytest.mark.parametrize("place", MAPS)
def test_every_case_has_a_value(place):
    named = [name.split(" ")[:2] for name in (*PUBLISHED, *COUNTED)]
    assert set(MAPS[place]()) == {case for of, case in named if of == place}


def test_every_entry_is_listed_once():
    assert len(PUBLISHED) == len(LISTED["value"])
    assert len(COUNTED) == len(LISTED["count"])
