"""Lines on print maps, sentences at the foot, and what makes files small and quick."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

import geopandas as gpd
import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, box

from kazgeo import plots
from kazgeo.plots._page import MARGIN, Page
from kazgeo.style import Backdrop, Theme, categorical, graduated
from kazgeo.widths import CASING_COLOR, MISSING_WIDTH_PT, line_widths, needs_casing

KINDS = [("main", "main road", "#b30000"), ("other", "other road", "#e6842a", "//")]
STYLE = categorical("class", "class of road", KINDS)


def roads() -> gpd.GeoDataFrame:
    """Made-up lines in the middle of Kazakhstan."""
    lines = [
        LineString([(64, 46), (70, 46.5)]),
        LineString([(64, 47), (66, 47.5)]),
        MultiLineString([[(66, 47.5), (70, 48)], [(70.2, 48), (71, 48)]]),
        LineString([(65, 46), (65, 49)]),
        None,
    ]
    columns = {
        "class": ["main", "other", "other", None, "main"],
        "name": ["M-1", "A-2", "A-2", "A-3", "M-9"],
        "t": [10.0, 70.0, 130.0, np.nan, 10.0],
    }
    return gpd.GeoDataFrame(columns, geometry=lines, crs=4326)


def axes(fig, label):
    return next(ax for ax in fig.axes if ax.get_label() == label)


def drawn(fig, gid: str) -> dict[str, tuple[float, int]]:
    """Width and number of lines of every colour."""
    found = [c for c in axes(fig, "map").collections if c.get_gid() == gid]
    return {matplotlib.colors.to_hex(c.get_color()[0]): (c.get_linewidth()[0], len(c.get_segments())) for c in found}


def swatches(fig) -> list[tuple[str, float, bool]]:
    """Colour, width and whether it is dashed, of the lines in the legend."""
    found = axes(fig, "legend").collections
    return [
        (matplotlib.colors.to_hex(c.get_color()[0]), c.get_linewidth()[0], c.get_linestyle()[0][1] is not None)
        for c in found
    ]


def labels(fig) -> list[str]:
    return [t.get_text() for t in axes(fig, "map").texts if t.get_gid() == "label"]


def test_classes_of_lines_differ_by_colour_width_and_dashes():
    fig = plots.print_map(Theme("r", "Roads", roads().dropna(subset="class"), STYLE))
    wide, thin = line_widths("categorical", 2)
    assert drawn(fig, "lines") == {"#b30000": (wide, 1), "#e6842a": (thin, 3)}, "two parts are two lines"
    assert swatches(fig) == [("#b30000", wide, False), ("#e6842a", thin, True)]
    texts = [t.get_text() for t in axes(fig, "legend").texts]
    assert texts[2:] == ["main road (1)", "other road (2)"]
    assert any("1 of 4 units have no geometry" in t.get_text() for t in fig.texts)
    assert drawn(fig, "casing") == {}, "strong colours need no casing"


def test_graduated_lines_grow_and_missing_ones_are_thin_and_dashed():
    style = graduated("t", "time", [0, 60, 120, 180], ["#ffffb2", "#fd8d3c", "#bd0026"], unit="min")
    fig = plots.print_map(Theme("r", "Roads", roads(), style))
    found = drawn(fig, "lines")
    assert [found[c][0] for c in ("#ffffb2", "#fd8d3c", "#bd0026")] == list(line_widths("graduated", 3))
    assert found[style.missing_color] == (MISSING_WIDTH_PT, 1)
    assert set(drawn(fig, "casing")) == {CASING_COLOR}, "pale yellow is not seen on white"
    pairs = swatches(fig)
    assert [c for c, _, _ in pairs[::2]] == [CASING_COLOR] * 4
    assert all(under > over for (_, under, _), (_, over, _) in zip(pairs[::2], pairs[1::2], strict=True))
    assert pairs[-1] == (style.missing_color, MISSING_WIDTH_PT, True)


def test_the_widest_lines_lie_on_top_whatever_the_kind():
    for style in (STYLE, graduated("t", "time", [0, 60, 120, 180], ["#b2e2e2", "#2ca25f", "#005824"])):
        fig = plots.print_map(Theme("r", "Roads", roads(), style))
        found = sorted((c for c in axes(fig, "map").collections if c.get_gid() == "lines"), key=lambda c: c.zorder)
        widths = [c.get_linewidth()[0] for c in found]
        assert widths == sorted(widths)


def test_each_name_stands_once_on_the_longest_line_and_missing_ones_are_not_named():
    fig = plots.print_map(Theme("r", "Roads", roads(), STYLE, name_column="name"))
    assert sorted(labels(fig)) == ["A-2", "M-1"]
    one = plots.print_map(Theme("r", "Roads", roads(), STYLE, name_column="name", label_top=1))
    assert labels(one) == ["M-1"], "the widest first"
    assert labels(plots.print_map(Theme("r", "Roads", roads(), STYLE))) == []


def test_lines_are_seen_with_the_regions_around_them():
    outline = gpd.GeoDataFrame(geometry=[box(60, 44, 75, 52), box(10, 40, 12, 42)], crs=4326)
    alone = plots.print_map(Theme("r", "Roads", roads(), STYLE))
    within = plots.print_map(Theme("r", "Roads", roads(), STYLE), backdrop=Backdrop(outline=outline))
    width = [np.ptp(axes(fig, "map").get_xlim()) for fig in (alone, within)]
    assert 1.2 * width[0] < width[1] < 3 * width[0]


def test_row_order_of_lines_changes_no_byte(tmp_path: Path):
    data = roads()
    stems = []
    for number, rows in enumerate((data, data.iloc[::-1])):
        fig = plots.print_map(Theme("r", "Roads", rows, graduated("t", "t", [0, 60, 200], ["#2ca25f", "#005824"])))
        stems.append(plots.save(fig, tmp_path / f"m{number}", formats=["png"])[0])
    assert stems[0].read_bytes() == stems[1].read_bytes()


@given(st.sampled_from(["categorical", "graduated"]), st.integers(1, 12))
@settings(deadline=None)
def test_widths_are_ordered_and_never_thinner_than_missing(kind, count):
    widths = line_widths(kind, count)
    assert len(widths) == count
    assert list(widths) == sorted(widths, reverse=kind == "categorical")
    assert min(widths) > MISSING_WIDTH_PT


@given(st.integers(0, 0xFFFFFF))
def test_a_casing_is_for_pale_colours(number):
    color = f"#{number:06x}"
    assert needs_casing([color]) == needs_casing(["#000000", color])
    assert not (needs_casing([color]) and needs_casing([f"#{0xFFFFFF - number:06x}"])), (
        "not both a colour and its negative"
    )


# --- the foot -------------------------------------------------------------------------------------------

CREDITS = [
    "Natural Earth", "© GeoNames (CC BY 4.0)", "© OpenStreetMap contributors (ODbL 1.0)",
    "Bureau of National Statistics of Kazakhstan", "geokz, A. Rodionoff (CC BY 4.0)",
    "open-data-kazakhstan (PDDL 1.0, doctors CC BY-SA)", "Decrees of the President of Kazakhstan",
]  # fmt: skip


def foot(fig, first: str) -> tuple[list[str], set[float]]:
    """Lines of the sentence that begins with a word, and their font sizes."""
    texts = sorted(fig.texts, key=lambda t: -t.get_position()[1])
    start = next(i for i, t in enumerate(texts) if t.get_text().startswith(first))
    stop = next(i for i, t in enumerate(texts) if t.get_text().startswith("Projection"))
    return [t.get_text() for t in texts[start:stop]], {t.get_fontsize() for t in texts[start:stop]}


def test_short_sources_keep_their_size_and_long_ones_two_lines():
    theme = Theme("r", "Roads", roads(), STYLE)
    lines, sizes = foot(plots.print_map(theme, sources=CREDITS[:3]), "Sources")
    assert (len(lines), sizes) == (1, {7.0})
    long = [f"{c}, {i}" for i in range(2) for c in CREDITS]
    lines, sizes = foot(plots.print_map(theme, sources=long), "Sources")
    assert len(lines) == 2
    assert 4.5 <= min(sizes) < 7.0
    assert " ".join(lines) == "Sources: " + "; ".join(long), "nothing is cut"


@pytest.mark.slow
def test_sources_that_never_fit_two_lines_are_still_whole():
    long = [f"{c}, {i}" for i in range(12) for c in CREDITS]
    fig = plots.print_map(Theme("r", "Roads", roads(), STYLE), sources=long, paper="A5")
    lines, sizes = foot(fig, "Sources")
    assert sizes == {4.5}
    assert " ".join(lines) == "Sources: " + "; ".join(long)
    assert not any("…" in line for line in lines)


def test_sentences_of_the_foot_do_not_overlap():
    page = Page(8.0, 5.0)
    page.footer("first", "; ".join(CREDITS * 3), "last")
    page.figure.canvas.draw()
    boxes = [t.get_window_extent(page.renderer) for t in page.figure.texts]
    boxes.sort(key=lambda b: b.y0)
    assert all(low.y1 <= high.y0 + 1 for low, high in itertools.pairwise(boxes))
    assert page.bottom * page.figure.dpi >= boxes[-1].y1 - 12
    assert boxes[0].y0 > 0
    assert page.bottom > MARGIN


# --- files ----------------------------------------------------------------------------------------------


def fonts(path: Path) -> list[set[str]]:
    """Tables of every font in a pdf."""
    import io

    import pypdf
    from fontTools.ttLib import TTFont

    page = pypdf.PdfReader(path).pages[0]
    found = []
    for font in page["/Resources"]["/Font"].values():
        below = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        found.append(set(TTFont(io.BytesIO(below["/FontFile2"].get_object().get_data())).keys()))
    return found


def test_fonts_in_a_pdf_carry_glyphs_but_no_layout_tables(tmp_path: Path):
    pypdf = pytest.importorskip("pypdf")
    from fontTools import subset

    whole = subset.load_font
    theme = Theme("r", "Жолдар Ә Ғ Қ Ң Ө Ұ Ү Һ І", roads(), STYLE, name_column="name")
    path = plots.save(plots.print_map(theme, language="kk"), tmp_path / "m", formats=["pdf"])[0]
    assert subset.load_font is whole
    tables = fonts(path)
    assert tables
    for found in tables:
        assert {"glyf", "loca", "hmtx"} <= found
        assert not found & {"GSUB", "GPOS", "GDEF", "kern"}
    text = pypdf.PdfReader(path).pages[0].extract_text()
    assert "Жолдар Ә Ғ Қ Ң Ө Ұ Ү Һ І" in text, "text stays text"


def test_another_thread_cuts_whole_fonts_meanwhile(tmp_path: Path):
    from fontTools import subset
    from matplotlib import font_manager

    from kazgeo.plots._page import _lean_fonts

    name, found = font_manager.findfont("DejaVu Sans"), []
    with _lean_fonts():
        assert "GPOS" not in subset.load_font(name, subset.Options())
        other = threading.Thread(target=lambda: found.append("GPOS" in subset.load_font(name, subset.Options())))
        other.start()
        other.join()
    assert found == [True]
    assert "GPOS" in subset.load_font(name, subset.Options())
