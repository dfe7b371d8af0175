"""A sheet of paper measured in inches: clean text, wrapped and measured, header, footer, files."""

from __future__ import annotations

import io
import os
import tempfile
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kazgeo.errors import InputError, unknown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PAPERS", "Page", "clean", "save", "settings"]

#: Landscape sheets, width and height in inches.
PAPERS = {"A5": (8.27, 5.83), "A4": (11.69, 8.27), "A3": (16.54, 11.69)}

FORMATS = ("png", "pdf", "svg")
INK, GREY = "#1a1a1a", "#595959"
MARGIN = 0.40
_LINE = 1.28  # line height over font size
_FOOT, _FOOT_LEAST = 7.0, 4.5  # font size of the foot, and how far it may shrink to keep a sentence on two lines

#: Widths in inches of the texts measured so far; every sheet measures at the same dots per inch.
_WIDTHS: dict[tuple[str, float, str], float] = {}
_MOST_WIDTHS = 20_000
_LAYOUT_TABLES = frozenset({"BASE", "GDEF", "GPOS", "GSUB", "JSTF", "MATH", "kern"})
_FONT_LOCK = threading.RLock()

_HOUSE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],  # shipped with matplotlib, has every Kazakh letter
    "text.parse_math": False,  # a "$" in a name is a "$"
    "text.color": INK,
    "text.hinting": "no_hinting",  # a name and the halo under it, which is an outline, then have one width
    "hatch.linewidth": 0.6,
    "pdf.fonttype": 42,  # text stays text: it can be searched and copied
    "svg.fonttype": "none",
    "svg.hashsalt": "kazgeo",
    "axes.unicode_minus": True,
}


@contextmanager
def settings() -> Iterator[None]:
    """Draw with the house's settings whatever the user's matplotlibrc says, and leave no trace of them."""
    with _rc():
        yield


def _rc() -> Any:
    import matplotlib

    values: Any = {**_defaults(), **_HOUSE}
    return matplotlib.rc_context(values)


@lru_cache(maxsize=1)
def _defaults() -> dict[str, Any]:
    import matplotlib

    prefixes = ("axes.", "font.", "grid.", "hatch.", "legend.", "lines.", "patch.", "path.", "pdf.", "savefig.")
    more = ("figure.", "scatter.", "svg.", "text.", "xtick.", "ytick.", "agg.", "image.")
    return {k: v for k, v in matplotlib.rcParamsDefault.items() if str(k).startswith(prefixes + more)}


@lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    """Return the code points the print font has."""
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    path = font_manager.findfont("DejaVu Sans", fallback_to_default=True)
    bold = font_manager.findfont(font_manager.FontProperties(family="DejaVu Sans", weight="bold"))
    return frozenset(FT2Font(str(path)).get_charmap()) & frozenset(FT2Font(str(bold)).get_charmap())


def clean(text: object) -> str:
    r"""Return text of the data as one printable line.

    Line breaks and runs of blanks become one blank (no-break spaces stay), control characters go, a
    character the print font lacks (an emoji) becomes a box. A missing text is an empty one.

    Examples
    --------
    >>> clean("Өскемен\n $1_000$")
    'Өскемен $1_000$'
    >>> clean("a\U0001f9edb\x00")
    'a□b'
    >>> clean(float("nan")), clean(None), clean("")
    ('', '', '')
    """
    import pandas as pd

    if text is None or text is pd.NA or text is pd.NaT or (isinstance(text, float) and text != text):
        return ""
    known = _letters()
    out = []
    for char in unicodedata.normalize("NFC", str(text)):
        kind = unicodedata.category(char)
        if char in "\n\r\t\v\f\u2028\u2029":
            out.append(" ")
        elif kind not in {"Cc", "Cf"} and not (kind == "Mn" and ord(char) not in known):
            out.append(char if ord(char) in known else "□")
    return " ".join(part for part in "".join(out).split(" ") if part)


class Page:
    """A figure whose places and sizes are inches from the lower left corner.

    Parameters
    ----------
    width, height : float
        Size of the sheet, inches.
    """

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.width, self.height = width, height
        self.figure: Figure = Figure(figsize=(width, height), dpi=150, facecolor="white")
        canvas: Any = FigureCanvasAgg(self.figure)
        self.renderer: Any = canvas.get_renderer()
        self.top, self.bottom = height - MARGIN, MARGIN

    def axes(self, label: str, left: float, bottom: float, width: float, height: float) -> Axes:
        """Add axes at a place in inches."""
        w, h = self.width, self.height
        ax: Axes = self.figure.add_axes((left / w, bottom / h, width / w, height / h), label=label)
        return ax

    def measure(self, text: str, size: float, weight: str = "normal") -> float:
        """Return the width of a line, inches."""
        known = (text, size, weight)
        if known not in _WIDTHS:  # the maps of one run share sources, names and words
            from matplotlib.font_manager import FontProperties

            font = FontProperties(family="DejaVu Sans", size=size, weight=weight)
            width, _, _ = self.renderer.get_text_width_height_descent(text, font, False)
            if len(_WIDTHS) >= _MOST_WIDTHS:
                _WIDTHS.clear()
            _WIDTHS[known] = float(width) / self.figure.dpi
        return _WIDTHS[known]

    def wrap(self, text: str, width: float, size: float, weight: str = "normal", lines: int = 9) -> list[str]:
        """Break a text into lines no wider than ``width`` inches; what is beyond ``lines`` ends in "…"."""
        out: list[str] = []
        for word in clean(text).split(" "):
            whole = f"{out[-1]} {word}" if out else word
            if out and self.measure(whole, size, weight) <= width:
                out[-1] = whole
            else:
                out.extend(self._pieces(word, width, size, weight))
        if len(out) > lines:
            out = [*out[: lines - 1], self._shorten(out[lines - 1], width, size, weight)]
        return [line for line in out if line]

    def _pieces(self, word: str, width: float, size: float, weight: str) -> list[str]:
        pieces, whole = [], self.measure(word, size, weight)
        if whole <= width:
            return [word]
        step = max(1, int(len(word) * width / whole * 0.9))
        for start in range(0, len(word), step):
            pieces.append(word[start : start + step])
        return pieces

    def _shorten(self, line: str, width: float, size: float, weight: str) -> str:
        while line and self.measure(line + "…", size, weight) > width:
            line = line[:-1]
        return line.rstrip() + "…"

    def line(self, x: float, y: float, text: str, size: float, **options: Any) -> None:
        """Write one line with its top at ``y`` inches."""
        options = {"va": "top", "ha": "left", "parse_math": False, **options}
        self.figure.text(x / self.width, y / self.height, text, fontsize=size, **options)

    def header(self, title: str, note: str = "") -> None:
        """Write the title and the sentence under it; what is left of the sheet shrinks."""
        room = self.width - 2 * MARGIN
        for line in self.wrap(title, room, 15, "bold", lines=3):
            self.line(MARGIN, self.top, line, 15, fontweight="bold")
            self.top -= 15 * _LINE / 72
        for line in self.wrap(note, room, 9.5, lines=4):
            self.line(MARGIN, self.top - 0.03, line, 9.5, color=GREY)
            self.top -= 9.5 * _LINE / 72
        self.top -= 0.12

    def footer(self, *sentences: str) -> None:
        """Write small lines at the foot, whole; what is left of the sheet shrinks.

        A sentence longer than two lines is written smaller; credits too long even so take more lines.
        """
        rise = 0.0
        for text in reversed(sentences):
            lines, size = self._foot(text)
            step = size * _LINE / 72
            for line in reversed(lines):
                rise += step
                self.line(MARGIN, self.bottom + rise - 0.08, line, size, color=GREY)
        self.bottom += rise + (0.04 if rise else 0)

    def _foot(self, text: str) -> tuple[list[str], float]:
        """Return the lines of a sentence and the largest size at which they are no more than two."""
        room, size = self.width - 2 * MARGIN, _FOOT
        lines = self.wrap(text, room, size, lines=99)
        while len(lines) > 2 and size > _FOOT_LEAST:
            size -= 0.25
            lines = self.wrap(text, room, size, lines=99)
        return lines, size


def save(fig: Figure, stem: Path, *, formats: Sequence[str] = ("png", "pdf"), dpi: int = 150) -> list[Path]:
    """Write a figure as ``stem.png``, ``stem.pdf`` …: the same figure gives the same bytes.

    Each file is drawn in memory, written beside its place and renamed, so that a killed run leaves the old
    file or the new one. Assumes that the folder exists.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From ``print_map``, ``line_chart`` or ``bar_chart``.
    stem : Path
        Path without the suffix; a dot in it stays.
    formats : sequence of str
        Of "png", "pdf", "svg".
    dpi : int
        Dots per inch of the png, and of what is rasterised in the others.

    Returns
    -------
    list of Path
        The files, in the order of ``formats``.

    Raises
    ------
    InputError
        When a format is unknown or a file cannot be written (no folder, no permission, disk full).

    Examples
    --------
    >>> import tempfile
    >>> from matplotlib.figure import Figure
    >>> folder = tempfile.TemporaryDirectory()
    >>> [p.name for p in save(Figure(), Path(folder.name) / "gini.2020", formats=["png"])]
    ['gini.2020.png']
    >>> save(Figure(), Path(folder.name) / "a", formats=[])
    []
    >>> save(Figure(), Path(folder.name) / "a", formats=["pgn"])
    Traceback (most recent call last):
        ...
    kazgeo.errors.InputError: format 'pgn' is not a format of figures; did you mean 'png'?
    >>> folder.cleanup()
    """
    for name in formats:
        if name not in FORMATS:
            raise unknown("format", name, FORMATS, "a format of figures")
    if not 10 <= dpi <= 1200:
        raise InputError(f"dpi must lie between 10 and 1200 dots per inch; got {dpi}")
    stem = Path(stem)
    return [_write(stem.with_name(f"{stem.name}.{name}"), _draw(fig, name, dpi)) for name in formats]


def _draw(fig: Figure, name: str, dpi: int) -> bytes:
    # no dates and no versions: the bytes tell only what is drawn
    metadata: dict[str, dict[str, Any]] = {
        "png": {"Software": None},
        "pdf": {"CreationDate": None, "Producer": None, "Creator": "KazGeo"},
        "svg": {"Date": None, "Creator": "KazGeo"},
    }
    buffer = io.BytesIO()
    # level 3 packs flat colours as well as the default 6 does, in two thirds of the time
    options: dict[str, Any] = {"pil_kwargs": {"compress_level": 3}} if name == "png" else {}
    with settings(), _lean_fonts() if name == "pdf" else nullcontext():
        fig.savefig(buffer, format=name, dpi=dpi, metadata=metadata[name], **options)
    return buffer.getvalue()


@contextmanager
def _lean_fonts() -> Iterator[None]:
    """Cut embedded fonts without first reading their layout tables, which no PDF reader uses.

    Matplotlib has fontTools carry ligatures and kerning pairs of 6,000 glyphs over to a font of 60: two thirds of
    the time of a pdf. A PDF places each glyph itself. Other threads' fonts stay whole.
    """
    from fontTools import subset  # type: ignore[import-untyped]  # comes with matplotlib

    with _FONT_LOCK:
        whole, mine = subset.load_font, threading.get_ident()

        def load(*arguments: Any, **options: Any) -> Any:
            font = whole(*arguments, **options)
            if threading.get_ident() == mine:
                for table in _LAYOUT_TABLES & set(font.keys()):
                    del font[table]
            return font

        subset.load_font = load
        try:
            yield
        finally:
            subset.load_font = whole


def _write(path: Path, content: bytes) -> Path:
    beside: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:80]}.", suffix=".part", dir=path.parent)
        beside = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        beside.chmod(0o666 & ~_umask())
        beside.replace(path)
    except OSError as error:
        if beside is not None:
            beside.unlink(missing_ok=True)
        reason = error.strerror or type(error).__name__
        raise InputError(
            f"stem: cannot write '{path}': {reason}; give a file in an existing folder that may be written "
            "and has free space"
        ) from error
    return path


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
