"""Print maps and charts: what the sheet says, where things lie, and what the files are."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import warnings
from pathlib import Path

import geopandas as gpd
import matplotlib
import numpy as np
import pandas as pd
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, Point, Polygon, box

from kazgeo import plots
from kazgeo.crs import COUNTRY
from kazgeo.errors import InputError
from kazgeo.locale import LANGUAGES
from kazgeo.plots._charts import spread
from kazgeo.style import Backdrop, Theme, TooltipField, categorical, graduated

SHARED = Path(os.environ.get("KAZGEO_SHARED", Path(__file__).parents[2] / "shared")) / "data"
REDS = ["#fff5eb", "#fd8d3c", "#7f2704"]
STYLE = graduated("t", "travel time", [0, 60, 120, np.inf], REDS, unit="min")
HOSTILE = ["$x_1^2$", "50 % \\frac", "two\nlines\r\n", "🧭 emoji 🏔", "</script>", "\x00\x1b", "Ә Ғ Қ Ң Ө Ұ Ү Һ І", ""]


def squares(values: list, **columns: list) -> gpd.GeoDataFrame:
    """Made-up squares of one degree in rows of five, in the middle of Kazakhstan."""
    shapes = [box(64 + i % 5, 46 + i // 5, 65 + i % 5, 47 + i // 5) for i in range(len(values))]
    return gpd.GeoDataFrame({"t": values, **columns}, geometry=shapes, crs=4326)


def axes(fig, label):
    return next(ax for ax in fig.axes if ax.get_label() == label)


def words(fig) -> list[str]:
    return [t.get_text() for t in fig.texts] + [t.get_text() for ax in fig.axes for t in ax.texts]


def legend(fig) -> list[str]:
    return [t.get_text() for t in axes(fig, "legend").texts]


def drawn(fig):
    """Draw a figure and return its renderer."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    return canvas.get_renderer()


def boxes(fig, gid: str) -> dict[str, object]:
    renderer = drawn(fig)
    found = [t for ax in fig.axes for t in ax.texts if t.get_gid() == gid]
    return {t.get_text(): t.get_window_extent(renderer) for t in found}


def overlapping(found: dict[str, object]) -> list[tuple[str, str]]:
    names = list(found)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    return [(a, b) for a, b in pairs if found[a].shrunk(0.95, 0.9).overlaps(found[b].shrunk(0.95, 0.9))]


def assert_all_on_the_sheet(fig) -> None:
    renderer = drawn(fig)
    sheet = fig.bbox
    for text in [*fig.texts, *(t for ax in fig.axes for t in (*ax.texts, *ax.get_yticklabels()))]:
        if text.get_text():
            extent = text.get_window_extent(renderer)
            inside = sheet.x0 <= extent.x0 and extent.x1 <= sheet.x1 and sheet.y0 <= extent.y0 and extent.y1 <= sheet.y1
            assert inside, f"{text.get_text()!r} leaves the sheet: {extent}"


# --- what the map says ----------------------------------------------------------------------------------


def test_legend_counts_unit_and_missing():
    fig = plots.print_map(Theme("t", "T", squares([10.0, 60.0, 61.0, 500.0, np.nan]), STYLE))
    assert legend(fig)[:2] == ["travel time, min", "in brackets: number of units"]
    assert legend(fig)[2:] == ["0 – 60 (1)", "60 – 120 (2)", "≥ 120 (1)", "no data (1)"]
    without = plots.print_map(Theme("t", "T", squares([10.0, 60.0]), STYLE))
    assert not any("no data" in text for text in legend(without)), "no class of missing values when none is missing"


def test_all_missing_is_a_map_of_missing():
    fig = plots.print_map(Theme("t", "T", squares([np.nan] * 4), STYLE))
    assert legend(fig)[2:] == ["0 – 60 (0)", "60 – 120 (0)", "≥ 120 (0)", "no data (4)"]
    fills = {matplotlib.colors.to_hex(p.get_facecolor()) for p in axes(fig, "map").patches}
    assert fills == {STYLE.missing_color}


def test_values_in_no_class_are_not_called_missing():
    style = graduated("t", "t", [0, 60], REDS[:1])
    fig = plots.print_map(Theme("t", "T", squares([10.0, 99.0, np.nan]), style))
    assert legend(fig)[2:] == ["0 – 60 (1)", "no data (1)", "outside the classes (1)"]
    codes = categorical("t", "t", [("a", "A", "#111111")])
    fig = plots.print_map(Theme("t", "T", squares(["a", "b", None]), codes))
    assert legend(fig)[2:] == ["A (1)", "no data (1)", "outside the classes (1)"]


def test_dropped_units_note_sources_and_projection_are_told():
    data = squares([1.0, 2.0, 3.0])
    data.loc[[0, 1], "geometry"] = [None, Polygon()]
    fig = plots.print_map(
        Theme("t", "Title", data, STYLE, note="What it shows."), sources=["first", "second (CC BY 4.0)"]
    )
    feet = " ".join(words(fig))
    assert "2 of 3 units have no geometry and are not drawn." in feet
    assert "Sources: first; second (CC BY 4.0)" in feet
    assert "Projection: Albers equal-area conic, standard parallels 43° and 53° N" in feet
    assert "Title" in feet
    assert "What it shows." in feet
    assert legend(fig)[2] == "0 – 60 (1)"


def test_numbers_follow_the_language():
    style = graduated("t", "people", [0, 20_000, 2_500_000], REDS[:2], decimals=1)
    fig = plots.print_map(Theme("t", "T", squares([1.0]), style), language="ru")
    assert legend(fig)[2].replace("\xa0", " ") == "0,0 – 20 000,0 (1)"


def test_fixed_words_go_through_the_speaker(monkeypatch):
    from kazgeo.locale import Speaker

    table = {"km": "км", "{degrees}° E": "{degrees}° в. д.", "in brackets: number of units": "в скобках: число единиц"}
    monkeypatch.setattr("kazgeo.plots._map.speaker", lambda _: Speaker("ru", lambda text: table.get(text, text)))
    fig = plots.print_map(Theme("t", "T", squares([1.0] * 9), STYLE), language="ru")
    seen = words(fig)
    assert "65,0° в. д." in seen
    assert "в скобках: число единиц" in seen
    bar = next(a for a in axes(fig, "map").artists if type(a).__name__ == "ScaleBar")
    assert bar.scale_formatter(1500, "km").replace("\xa0", " ") == "1 500 км"


def test_row_order_never_matters():
    values = [10.0, 60.0, 61.0, 500.0, np.nan, 3.0]
    data = squares(values, name=list("abcdef"))
    theme = Theme("t", "T", data, STYLE, name_column="name")
    other = Theme("t", "T", data.iloc[[3, 1, 5, 0, 2, 4]], STYLE, name_column="name")
    first, second = plots.print_map(theme), plots.print_map(other)
    assert legend(first) == legend(second)
    assert {k: v.bounds for k, v in boxes(first, "label").items()} == {
        k: v.bounds for k, v in boxes(second, "label").items()
    }


# --- where things lie -----------------------------------------------------------------------------------


@pytest.mark.parametrize("tall", [False, True])
def test_legend_lies_outside_the_map_and_nothing_leaves_the_sheet(tall):
    data = squares([10.0] * 10)
    if tall:
        data["geometry"] = [box(66, 43 + i, 66.5, 44 + i) for i in range(10)]
    long = "A long title in the reader's language that goes on and on over more than one line of the sheet " * 2
    classes = [(str(i), f"class number {i} with many words in it " * 2, "#123456") for i in range(9)]
    style = categorical("c", "a heading that is rather long for the little room there is " * 2, classes)
    theme = Theme("t", long, data.assign(c=[str(i) for i in range(10)]), style, note=long)
    fig = plots.print_map(theme, sources=[long] * 4)
    assert_all_on_the_sheet(fig)
    assert not axes(fig, "map").get_position().overlaps(axes(fig, "legend").get_position())
    assert axes(fig, "map").get_position().height > 0.25


@pytest.mark.parametrize("paper", ["A5", "A4", "A3"])
def test_papers(paper):
    fig = plots.print_map(Theme("t", "T", squares([1.0] * 3), STYLE), paper=paper)
    assert_all_on_the_sheet(fig)
    width, height = fig.get_size_inches()
    assert width / height == pytest.approx(np.sqrt(2), rel=0.01)


def test_graticule_labels_stand_where_the_meridians_leave_the_map():
    fig = plots.print_map(Theme("t", "T", squares([1.0] * 20), STYLE))
    back = pyproj.Transformer.from_crs(COUNTRY, 4326, always_xy=True)
    marks = [t for t in axes(fig, "map").texts if t.get_gid() == "degree"]
    assert len(marks) >= 6
    for mark in marks:
        lon, lat = back.transform(*mark.xy)
        number, side = mark.get_text().replace("°", "").split()
        assert {"E": lon, "N": lat}[side] == pytest.approx(float(number), abs=0.01)


def test_one_metre_is_as_long_in_both_directions_and_the_scale_bar_is_true():
    fig = plots.print_map(Theme("t", "T", squares([1.0] * 20), STYLE))
    ax = axes(fig, "map")
    place, (width, height) = ax.get_position(), fig.get_size_inches()
    per_inch = np.diff(ax.get_xlim())[0] / (place.width * width)
    assert per_inch == pytest.approx(np.diff(ax.get_ylim())[0] / (place.height * height), rel=1e-6)
    back = pyproj.Transformer.from_crs(COUNTRY, 4326, always_xy=True)
    (west, east), y = ax.get_xlim(), np.mean(ax.get_ylim())
    ends = back.transform([west, east], [y, y])
    true_m = pyproj.Geod(ellps="WGS84").inv(ends[0][0], ends[1][0], ends[0][1], ends[1][1])[2]
    assert east - west == pytest.approx(true_m, rel=0.01)


def test_other_places_get_a_projection_of_their_own():
    data = squares([1.0, 2.0])
    data["geometry"] = [box(-58.6, -34.7, -58.4, -34.5), box(-58.4, -34.7, -58.2, -34.5)]  # Buenos Aires
    fig = plots.print_map(Theme("t", "T", data, STYLE))
    assert any(
        "Lambert azimuthal equal-area, centre at latitude −34.60°, longitude −58.40°" in text for text in words(fig)
    )
    assert any(text.endswith("° W") for text in words(fig))
    assert any(text.endswith("° S") for text in words(fig))


def test_few_polygons_are_all_named_and_names_keep_apart():
    names = [f"Made-up region {i}" for i in range(25)]
    fig = plots.print_map(Theme("t", "T", squares(list(range(25)), name=names), STYLE, name_column="name"))
    found = boxes(fig, "label")
    assert {text.replace("\n", " ") for text in found} == set(names)
    assert overlapping(found) == []


def test_crowded_points_name_the_most_telling_without_overlap():
    rng = np.random.default_rng(4)
    spots = gpd.points_from_xy(rng.normal(67, 0.4, 400), rng.normal(48, 0.2, 400))
    names = [f"Place {i}" for i in range(400)]
    data = gpd.GeoDataFrame({"t": np.arange(400.0), "p": np.arange(400.0)[::-1], "n": names}, geometry=spots, crs=4326)
    theme = Theme("t", "T", data, STYLE, name_column="n", size_column="p", label_top=12)
    found = boxes(plots.print_map(theme), "label")
    assert set(found) == {f"Place {i}" for i in [*range(6), *range(394, 400)]}, "six longest and six largest"
    assert overlapping(found) == []


def test_rare_classes_are_named_first():
    style = categorical("c", "cluster", [("hh", "high–high", "#b2182b", "////"), ("ns", "not significant", "#f0f0f0")])
    data = squares([0.0] * 40, c=["ns"] * 37 + ["hh"] * 3, name=[f"u{i}" for i in range(40)])
    fig = plots.print_map(Theme("t", "T", data, style, name_column="name", label_top=3))
    assert set(boxes(fig, "label")) == {"u37", "u38", "u39"}


# --- symbols --------------------------------------------------------------------------------------------


def test_areas_grow_with_the_size_and_the_largest_lie_below():
    people = [250_000.0, 1_000_000.0, np.nan, 500_000.0]
    data = gpd.GeoDataFrame({"t": [1.0] * 4, "p": people}, geometry=[Point(66 + i, 48) for i in range(4)], crs=4326)
    field = TooltipField("p", "population", "people")
    fig = plots.print_map(Theme("t", "T", data, STYLE, size_column="p", fields=(field,)))
    spots = next(c for c in axes(fig, "map").collections if len(c.get_offsets()) == 4 and len(c.get_sizes()) == 4)
    areas = spots.get_sizes()
    assert list(areas) == sorted(areas, reverse=True)
    assert areas[:3] == pytest.approx(areas[0] * np.array([1, 0.5, 0.25]))
    assert {"population, people", "1,000,000", "200,000", "no data (1)"} <= set(legend(fig))
    keys = {float(c.get_sizes()[0]) for c in axes(fig, "legend").collections}
    assert areas[0] in keys, "the key of 1,000,000 is as large as a place of 1,000,000"


@pytest.mark.parametrize("sizes", [[-1.0, 2.0], [np.inf, 2.0], ["many", "few"]])
def test_sizes_that_mean_nothing(sizes):
    data = gpd.GeoDataFrame({"t": [1.0, 2.0], "p": sizes}, geometry=[Point(66, 48), Point(67, 48)], crs=4326)
    with pytest.raises(InputError, match="size column 'p'"):
        plots.print_map(Theme("t", "T", data, STYLE, size_column="p"))


def test_clusters_differ_without_colour():
    classes = [
        ("hh", "HH", "#b2182b", "////"),
        ("ll", "LL", "#2166ac", "\\\\\\\\"),
        ("ns", "not significant", "#f0f0f0"),
    ]
    style = categorical("c", "cluster", classes)
    fig = plots.print_map(Theme("t", "T", squares([0.0] * 3, c=["hh", "ll", "ns"]), style))
    hatches = {p.get_hatch() for p in axes(fig, "map").patches}
    assert hatches >= {"////", "\\\\\\\\"}
    assert {p.get_hatch() for p in axes(fig, "legend").patches} >= {"////", "\\\\\\\\"}
    spots = gpd.GeoDataFrame({"c": ["hh", "ll", "ns"]}, geometry=[Point(66 + i, 48) for i in range(3)], crs=4326)
    fig = plots.print_map(Theme("t", "T", spots, style))
    symbols = next(c for c in axes(fig, "map").collections if len(c.get_offsets()) == 3)
    assert len({path.vertices.tobytes() for path in symbols.get_paths()}) == 3


# --- hostile input --------------------------------------------------------------------------------------


def test_hostile_text_is_written_as_it_is(tmp_path):
    data = squares([1.0] * len(HOSTILE), name=HOSTILE)
    title = "$\\alpha$ & 100 % of 🧭 _x_"
    theme = Theme("t", title, data, STYLE, name_column="name", note="$$", fields=())
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # a glyph the font lacks would warn
        fig = plots.print_map(theme, sources=HOSTILE)
        files = plots.save(fig, tmp_path / "hostile.map", formats=["png", "pdf", "svg"])
    assert "$\\alpha$ & 100 % of □ _x_" in words(fig)
    assert {"$x_1^2$", "50 % \\frac", "two lines", "Ә Ғ Қ Ң Ө Ұ Ү Һ І"} <= set(boxes(fig, "label"))
    assert not any(t.get_parse_math() for ax in fig.axes for t in ax.texts)
    assert [f.name for f in files] == ["hostile.map.png", "hostile.map.pdf", "hostile.map.svg"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.iloc[:0], "has no rows"),
        (lambda d: d.set_crs(None, allow_override=True), "has no CRS"),
        (lambda d: d.assign(geometry=[None] * 3), "has no geometry to draw"),
        (lambda d: d.assign(geometry=[LineString([(66, 48), (67, 49)]), *d.geometry[1:]]), "got lines and polygons"),
        (lambda d: d.assign(geometry=[Point(66, 48), box(0, 0, 1, 1), Point(0, 0)]), "got points and polygons"),
        (lambda d: d.assign(t=["a", "b", "c"]), "must be numbers for a graduated style"),
        (lambda d: d.rename(columns={"t": "tt"}), "column 't' is not a column of theme 'x'"),
        (lambda d: d.assign(geometry=d.translate(0, 200)), "cannot be projected"),
    ],
)
def test_layers_that_cannot_be_drawn(change, message):
    with pytest.raises(InputError, match=message):
        plots.print_map(Theme("x", "T", change(squares([1.0, 2.0, 3.0])), STYLE))


def test_unknown_language_paper_and_backdrop_without_crs():
    theme = Theme("x", "T", squares([1.0]), STYLE)
    with pytest.raises(InputError, match="language 'fr'"):
        plots.print_map(theme, language="fr")
    with pytest.raises(InputError, match="paper 'A6'"):
        plots.print_map(theme, paper="A6")
    with pytest.raises(InputError, match=r"backdrop\.water has no CRS"):
        plots.print_map(theme, backdrop=Backdrop(water=theme.data.set_crs(None, allow_override=True)))
    with pytest.raises(InputError, match=r"column 'name' is not a column of backdrop\.cities"):
        plots.print_map(theme, backdrop=Backdrop(cities=gpd.GeoDataFrame(geometry=[Point(66, 48)], crs=4326)))


def test_one_region_one_point_and_a_self_crossing_polygon():
    bow = Polygon([(66, 48), (67, 49), (67, 48), (66, 49)])
    for shape in (box(66, 48, 66.001, 48.001), Point(66, 48), bow):
        data = gpd.GeoDataFrame({"t": [1.0], "n": ["Only"]}, geometry=[shape], crs=4326)
        fig = plots.print_map(Theme("t", "T", data, STYLE, name_column="n"))
        assert list(boxes(fig, "label")) == ["Only"]


def test_every_part_of_a_backdrop_in_its_own_crs_and_far_lands_do_no_harm():
    data = squares([1.0] * 10)
    world = gpd.GeoDataFrame(geometry=[box(-180, 50, 180, 89.9), box(-180, -90, 180, 40)], crs=4326)
    lines = gpd.GeoDataFrame(geometry=[LineString([(60, 46), (70, 49)]), None], crs=4326).to_crs(3857)
    towns = gpd.GeoDataFrame({"name": ["Town", None]}, geometry=[Point(66.5, 47.5), Point(0, 0)], crs=4326)
    backdrop = Backdrop(
        neighbours=world, water=data.iloc[:1].to_crs(3857), outline=data, roads=lines, cities=towns.to_crs(3857)
    )
    fig = plots.print_map(Theme("t", "T", data, STYLE), backdrop=backdrop)
    assert list(boxes(fig, "label")) == ["Town"]
    assert_all_on_the_sheet(fig)


# --- files ----------------------------------------------------------------------------------------------


def test_same_theme_same_bytes(tmp_path):
    theme = Theme("t", "T", squares([1.0, 70.0, np.nan], name=["a", "b", "ә"]), STYLE, name_column="name")
    formats = ["png", "pdf", "svg"]
    first = [p.read_bytes() for p in plots.save(plots.print_map(theme), tmp_path / "a", formats=formats)]
    second = [p.read_bytes() for p in plots.save(plots.print_map(theme), tmp_path / "b", formats=formats)]
    assert first == second
    assert b"CreationDate" not in first[1]
    assert plots.save(plots.print_map(theme), tmp_path / "a", formats=["png"])[0].read_bytes() == first[0]


def test_text_of_the_pdf_can_be_searched(tmp_path):
    pypdf = pytest.importorskip("pypdf")
    theme = Theme("t", "Қашықтық картасы", squares([1.0], name=["Маңғыстау"]), STYLE, name_column="name")
    path = plots.save(plots.print_map(theme), tmp_path / "a", formats=["pdf"])[0]
    text = pypdf.PdfReader(path).pages[0].extract_text()
    assert "Қашықтық картасы" in text
    assert "Маңғыстау" in text


def test_a_full_disk_keeps_the_old_file(tmp_path):
    fig = plots.print_map(Theme("t", "T", squares([1.0]), STYLE))
    (tmp_path / "a.png").write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, hard))
    try:
        with pytest.raises(InputError, match=r"cannot write '.*a\.png': File too large"):
            plots.save(fig, tmp_path / "a", formats=["png"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.png", b"old")]


def test_places_that_cannot_be_written(tmp_path):
    fig = plots.print_map(Theme("t", "T", squares([1.0]), STYLE))
    with pytest.raises(InputError, match="No such file or directory"):
        plots.save(fig, tmp_path / "no" / "a")
    (tmp_path / "a.png").mkdir()
    with pytest.raises(InputError, match="Is a directory"):
        plots.save(fig, tmp_path / "a", formats=["png"])
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
    with pytest.raises(InputError, match="dpi"):
        plots.save(fig, tmp_path / "b", dpi=0)


def test_nothing_global_changes(tmp_path):
    code = """
import json, sys
import kazgeo.plots
light = "matplotlib" not in sys.modules
import matplotlib
matplotlib.rcParams["text.usetex"] = True
matplotlib.rcParams["font.size"] = 31
before = {k: v for k, v in dict.items(matplotlib.rcParams) if k != "backend"}
import pandas as pd
fig = kazgeo.plots.bar_chart(pd.Series({"a": 1.0}), title="T", unit="")
kazgeo.plots.save(fig, __import__("pathlib").Path(sys.argv[1]))
same = all(matplotlib.rcParams[k] == v for k, v in before.items())
print(json.dumps([light, same, "matplotlib.pyplot" not in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [True, True, True]


# --- charts ---------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 5), max_size=20))
def test_spread_keeps_order_gap_and_limits(wanted):
    places = spread(np.array(wanted), 0.2, 0.0, 5.0)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(places[order]) >= 0.2 - 1e-9).all()
    assert not len(places) or (places.min() >= -1e-9 and places.max() <= 5 + 1e-9)
    if len(places) and (np.diff(np.sort(wanted)) >= 0.2 + 1e-9).all() and (np.diff(places[order]) > 0.2 + 1e-6).all():
        assert places == pytest.approx(np.clip(wanted, 0, 5))


YEARS = list(range(2009, 2021))


def made_up_series() -> pd.DataFrame:
    steps = np.random.default_rng(1).normal(0, 0.004, (12, 6)).cumsum(axis=0)
    return pd.DataFrame(steps + 0.3, index=YEARS, columns=["gini", "theil", "within", "between", "cv", "cvw"])


def test_lines_are_named_at_their_ends_without_overlap():
    table = made_up_series()
    table["cvw"] = table["cv"] + 1e-6
    fig = plots.line_chart(table, title="T", unit="index", labels={"gini": "Джини $\\_$ индексі"}, sources=["x"])
    found = boxes(fig, "label")
    assert set(found) == {"Джини $\\_$ индексі", "theil", "within", "between", "cv", "cvw"}
    assert overlapping(found) == []
    assert_all_on_the_sheet(fig)
    lines = {line.get_gid(): line for line in axes(fig, "chart").lines if line.get_gid()}
    assert lines["line-gini"].get_ydata().tolist() == table["gini"].tolist()
    assert len({(line.get_color(), str(line.get_linestyle())) for line in lines.values()}) == 6


def test_gaps_lone_values_and_empty_columns():
    table = made_up_series()[["gini", "theil", "cv"]]
    table.loc[table.index != 2012, "theil"] = np.nan
    table["cv"] = np.nan
    fig = plots.line_chart(table, title="T", unit="")
    lone = [line for line in axes(fig, "chart").lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert [line.get_xdata().tolist() for line in lone] == [[2012.0]]
    assert "No data: cv" in words(fig)
    assert set(boxes(fig, "label")) == {"gini", "theil"}


def test_years_in_any_order_give_the_same_lines():
    table = made_up_series()
    one, two = (plots.line_chart(t, title="T", unit="") for t in (table, table.sample(frac=1, random_state=2)))
    for a, b in zip(axes(one, "chart").lines, axes(two, "chart").lines, strict=True):
        assert a.get_ydata().tolist() == b.get_ydata().tolist()


def test_many_lines_say_how_many_have_no_name():
    table = pd.DataFrame(np.random.default_rng(0).random((3, 60)), columns=[f"r{i}" for i in range(60)])
    fig = plots.line_chart(table, title="T", unit="", highlight=["r59", "r7"])
    found = boxes(fig, "label")
    assert {"r59", "r7"} <= set(found)
    assert overlapping(found) == []
    assert f"{60 - len(found)} lines have no name for want of room." in words(fig)


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (pd.DataFrame({"a": [np.nan, np.nan]}), {}, "no value to draw"),
        (pd.DataFrame({"a": ["x", "y"]}), {}, "must hold numbers"),
        (pd.DataFrame({"a": [1.0, 2.0]}, index=["2009", "two"]), {}, "must hold numbers"),
        (pd.DataFrame({"a": [1.0, 2.0]}, index=[2009, 2009]), {}, "every year once; got 2009 again"),
        (pd.DataFrame({"gini": [1.0]}), {"highlight": ["gni"]}, "did you mean 'gini'"),
        (pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]), {}, "distinct columns; got 'a' twice"),
    ],
)
def test_series_that_cannot_be_drawn(table, options, message):
    with pytest.raises(InputError, match=message):
        plots.line_chart(table, title="T", unit="", **options)


def test_bars_are_sorted_signed_and_valued():
    values = pd.Series({"b": -0.0214, "$c_1$": 0.0081, "a": 0.05, "d": np.nan, "e": 0.0})
    fig = plots.bar_chart(values, title="T", unit="change of the index", note="N", language="ru")
    ax = axes(fig, "chart")
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "$c_1$", "e", "b"]
    assert [p.get_width() for p in ax.patches] == [0.05, 0.0081, 0.0, -0.0214]
    assert [t.get_text() for t in ax.texts] == ["0,050", "0,008", "0,000", "−0,021"]
    assert ax.patches[0].get_facecolor() != ax.patches[3].get_facecolor()
    assert "Нет данных: d" in words(fig)
    assert_all_on_the_sheet(fig)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pd.Series([np.nan]), "nothing to draw"),
        (pd.Series(["x"]), "must be numbers"),
        (pd.Series(range(301)), "at most 300 bars"),
    ],
)
def test_bars_that_cannot_be_drawn(values, message):
    with pytest.raises(InputError, match=message):
        plots.bar_chart(values, title="T", unit="")


# --- real boundaries ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_real_districts_fit_the_sheet(tmp_path, language):
    if not (SHARED / "geokz_kaz_admbnda_adm2_2024.gpkg").exists():
        pytest.skip("no shared test data: geokz_kaz_admbnda_adm2_2024.gpkg")
    data = gpd.read_file(SHARED / "geokz_kaz_admbnda_adm2_2024.gpkg").set_index("KATO")
    people = pd.read_csv(SHARED / "adm2_population_2023_bns.csv", dtype={"kato_geokz2024": str})
    data["t"] = people.dropna(subset=["kato_geokz2024"]).set_index("kato_geokz2024")["pop"].reindex(data.index)
    style = graduated("t", "population", [0, 30_000, 100_000, np.inf], REDS, unit="people")
    regions = gpd.read_file(SHARED / "geokz_kaz_admbnda_adm1_2024.gpkg")
    lakes = gpd.read_file(SHARED / "ne10m_lakes_bboxKZ.gpkg")
    theme = Theme("d", "Districts", data, style, name_column=f"ADM2_{language.upper()}")
    fig = plots.print_map(theme, language=language, backdrop=Backdrop(water=lakes, outline=regions))
    counts, missing = style.counts(data["t"])
    shown = [int(text.rsplit("(", 1)[1].rstrip(")")) for text in legend(fig)[2:]]
    assert shown == [*counts, missing]
    found = boxes(fig, "label")
    assert len(found) == theme.label_top
    assert overlapping(found) == []
    assert_all_on_the_sheet(fig)
    png, pdf = plots.save(fig, tmp_path / "d")
    assert png.stat().st_size < 1_000_000
    assert pdf.stat().st_size < 2_000_000


def test_every_line_of_the_graticule_has_its_degrees_also_the_middle_one():
    """South of the equator the middle meridian ends just at the lower edge: by the last bit it crossed it nowhere."""
    from matplotlib.figure import Figure

    from kazgeo.locale import speaker
    from kazgeo.plots._graticule import Frame, draw_graticule

    crs = pyproj.CRS("+proj=laea +lat_0=-30.05 +lon_0=-51.2 +datum=WGS84")
    frame = Frame(-10_000, -9000, 10_000, 9000, crs)
    ax = Figure().add_subplot()
    draw_graticule(ax, frame, speaker("en"))
    told = {t.get_text() for t in ax.texts}
    assert {"51.20° W", "51.22° W", "51.18° W"} <= told
