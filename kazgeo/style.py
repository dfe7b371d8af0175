"""How a result column is drawn: one value type read by print maps, web maps and QGIS alike."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kazgeo.errors import InputError

if TYPE_CHECKING:
    import geopandas
    import pandas as pd
    import xarray
    from numpy.typing import NDArray

    from kazgeo.locale import Speaker
    from kazgeo.messages import Names

__all__ = [
    "Backdrop",
    "Chart",
    "Raster",
    "Style",
    "StyleClass",
    "Theme",
    "TooltipField",
    "YELLOW_RED",
    "breaks",
    "categorical",
    "graduated",
    "shades",
]

MISSING_COLOR = "#d9d9d9"


@dataclass(frozen=True)
class StyleClass:
    """One class of a legend.

    Parameters
    ----------
    color : str
        Fill as ``#rrggbb``.
    label : str
        English msgid for a categorical class; of a graduated class what stands in place of its interval.
    value : str or None
        Code of a categorical class, for instance "high-high".
    lower, upper : float
        Interval of a graduated class: lower <= x < upper, the last class closed at both ends;
        -inf and inf make it open.
    hatch : str
        matplotlib hatch that tells the class apart in greyscale print; empty for none.
    """

    color: str
    label: str = ""
    value: str | None = None
    lower: float = -np.inf
    upper: float = np.inf
    hatch: str = ""


@dataclass(frozen=True)
class Style:
    """Classes, colours and legend of one column.

    Parameters
    ----------
    column : str
        Column of the layer that is drawn.
    title : str
        English msgid of the legend's title.
    kind : "categorical" or "graduated"
        How classes match values.
    classes : tuple of StyleClass
        In legend order.
    unit : str
        English msgid of the unit; empty for a pure number.
    decimals : int
        Digits of the interval labels.
    missing_label : str
        English msgid of the class of NaN.
    counted : bool
        Whether the legend tells how many units each class has; rings of one area are no units.
    """

    column: str
    title: str
    kind: Literal["categorical", "graduated"]
    classes: tuple[StyleClass, ...]
    unit: str = ""
    decimals: int = 0
    missing_label: str = "no data"
    missing_color: str = MISSING_COLOR
    counted: bool = True

    def codes(self, values: pd.Series) -> NDArray[np.int64]:
        """Return the class number of every value, -1 for missing or unknown.

        Examples
        --------
        >>> import pandas as pd
        >>> style = graduated("t", "time", [0, 60, 120], ["#eeeeee", "#000000"])
        >>> style.codes(pd.Series([0.0, 60.0, 120.0, 121.0, float("nan")])).tolist()
        [0, 1, 1, -1, -1]
        >>> style.codes(pd.Series([], dtype=float)).tolist()
        []
        """
        if self.kind == "categorical":
            places = {c.value: i for i, c in enumerate(self.classes)}
            return np.array([places.get(v, -1) for v in values.astype(object)], dtype=np.int64)
        x = values.to_numpy(dtype=float, na_value=np.nan)
        out = np.full(x.shape, -1, dtype=np.int64)
        last = len(self.classes) - 1
        for i, c in enumerate(self.classes):
            out[(x >= c.lower) & ((x < c.upper) | ((x == c.upper) & (i == last)))] = i
        return out

    def counts(self, values: pd.Series) -> tuple[list[int], int]:
        """Return how many values fall in each class and how many in none."""
        codes = self.codes(values)
        return [int((codes == i).sum()) for i in range(len(self.classes))], int((codes < 0).sum())

    def without_empty(self, values: pd.Series, *codes: str) -> Style:
        """Return the style without those of the named classes that no value falls in.

        Examples
        --------
        >>> import pandas as pd
        >>> style = categorical("c", "cluster", [("hot", "hot spot", "#f00"), ("isolate", "no neighbour", "#999")])
        >>> [c.value for c in style.without_empty(pd.Series(["hot"]), "isolate").classes]
        ['hot']
        """
        present = set(values.dropna().astype(str))
        kept = tuple(c for c in self.classes if c.value not in codes or c.value in present)
        return replace(self, classes=kept)

    def labels(self, speaker: Speaker) -> list[str]:
        """Return the legend text of every class in the reader's language, without units.

        Examples
        --------
        >>> from kazgeo.locale import speaker
        >>> graduated("t", "time", [-float("inf"), 60, 1200, float("inf")], ["#1", "#2", "#3"]).labels(speaker("en"))
        ['< 60', '60 – 1,200', '≥ 1,200']
        """
        if self.kind == "categorical":
            return [speaker.translate(c.label or str(c.value)) for c in self.classes]

        def interval(c: StyleClass) -> str:
            low, high = speaker.number(c.lower, self.decimals), speaker.number(c.upper, self.decimals)
            if np.isfinite(c.lower) and np.isfinite(c.upper):
                return f"{low} – {high}"
            return f"< {high}" if np.isfinite(c.upper) else f"≥ {low}"

        return [speaker.translate(c.label) if c.label else interval(c) for c in self.classes]


@dataclass(frozen=True, eq=False)
class Raster:
    """A surface and how a reader names it.

    Parameters
    ----------
    surface : DataArray, dimensions y and x
        Values on a grid of square cells, with a CRS (``.rio.crs``); NaN is no data.
    title, unit : str
        English or the reader's own words.
    decimals : int
        Digits after the sign, in the legend.
    stops : tuple of float
        Values at which the legend stands, increasing; those above the greatest are left out. None: evenly.
    classes : tuple of (float, str or Names)
        What single values mean, where numbers are codes; each has a colour of its own.
    """

    surface: xarray.DataArray
    title: str
    unit: str = ""
    decimals: int = 1
    stops: tuple[float, ...] = ()
    classes: tuple[tuple[float, str | Names], ...] = ()


def graduated(
    column: str, title: str, breaks: Sequence[float], colors: Sequence[str], *, unit: str = "", decimals: int = 0
) -> Style:
    """Build a graduated style from class breaks.

    Parameters
    ----------
    column, title, unit, decimals
        See ``Style``.
    breaks : sequence of float
        n + 1 strictly increasing limits of n classes.
    colors : sequence of str
        n colours.

    Raises
    ------
    InputError
        When breaks do not increase or the number of colours does not fit.

    Examples
    --------
    >>> [c.color for c in graduated("x", "x", [0, 1, 2], ["#fff", "#000"]).classes]
    ['#fff', '#000']
    """
    if len(colors) != len(breaks) - 1 or any(b <= a for a, b in itertools.pairwise(breaks)):
        raise InputError(
            f"breaks of style '{column}' must increase and be one more than the colours; got breaks {list(breaks)} "
            f"and {len(colors)} colours"
        )
    classes = tuple(
        StyleClass(color=color, lower=float(low), upper=float(high))
        for low, high, color in zip(breaks, breaks[1:], colors, strict=False)
    )
    return Style(column, title, "graduated", classes, unit, decimals)


def categorical(column: str, title: str, classes: Sequence[tuple[str, str, str] | tuple[str, str, str, str]]) -> Style:
    """Build a categorical style from (value, label, colour[, hatch]) tuples.

    Examples
    --------
    >>> import pandas as pd
    >>> style = categorical("c", "cluster", [("hot", "hot spot", "#f00"), ("cold", "cold spot", "#00f")])
    >>> style.counts(pd.Series(["hot", "hot", None]))
    ([2, 0], 1)
    """
    made = tuple(StyleClass(value=c[0], label=c[1], color=c[2], hatch=c[3] if len(c) > 3 else "") for c in classes)
    return Style(column, title, "categorical", made)


@dataclass(frozen=True)
class TooltipField:
    """One line of a tooltip: column, English label, English unit, decimals of a number.

    ``terms`` translates codes of a categorical column to English labels.
    """

    column: str
    label: str
    unit: str = ""
    decimals: int = 0
    terms: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Theme:
    """One layer drawn by one column: what a print map shows and a web map switches between.

    Parameters
    ----------
    id : str
        ASCII identifier, the step's id; file names are made of it.
    title : str
        Title in the reader's language.
    data : GeoDataFrame
        Polygons or points, unique index, CRS declared.
    style : Style
        Drawn column.
    name_column : str or None
        Column of the units' names in the reader's language.
    fields : tuple of TooltipField
        What a tooltip tells besides the name and the drawn value.
    note : str
        One sentence in the reader's language that says what the map shows.
    size_column : str or None
        For points: a non-negative column (population) that sizes the symbols, largest on the bottom.
    label_top : int
        How many units a print map labels (all polygons when there are 25 or fewer).
    """

    id: str
    title: str
    data: geopandas.GeoDataFrame
    style: Style
    name_column: str | None = None
    fields: tuple[TooltipField, ...] = ()
    note: str = ""
    size_column: str | None = None
    label_top: int = 12


@dataclass(frozen=True)
class Backdrop:
    """What lies under and over the drawn layer so that it looks like a map; every part may be missing.

    Parameters
    ----------
    neighbours : GeoDataFrame or None
        Land of other countries, drawn in grey.
    water : GeoDataFrame or None
        Lakes and seas.
    outline : GeoDataFrame or None
        Regions whose borders are drawn over (points) or under the layer.
    roads : GeoDataFrame or None
        Lines of the road network, drawn thin.
    cities : GeoDataFrame or None
        Points with the column named by ``city_name`` for orientation.
    city_name : str
        Column of the cities' names in the reader's language.
    """

    neighbours: geopandas.GeoDataFrame | None = None
    water: geopandas.GeoDataFrame | None = None
    outline: geopandas.GeoDataFrame | None = None
    roads: geopandas.GeoDataFrame | None = None
    cities: geopandas.GeoDataFrame | None = None
    city_name: str = "name"


@dataclass(frozen=True)
class Chart:
    """Figures to be drawn as lines, as signed bars or as a scatter plot.

    Parameters
    ----------
    kind : {"lines", "bars", "scatter"}
        Lines: one column per line, index = year or another number. Bars: one value per unit. Scatter: columns x and y.
    data : DataFrame or Series
        The figures; labels of lines and bars are the column names and the index.
    title, unit : str
        English msgids.
    labels : tuple of (code, label)
        English labels (or names in the reader's language) of columns or units.
    highlight : tuple of str
        Lines drawn strong.
    across : str
        English msgid of what the horizontal axis shows; empty for years.
    slope : float or None
        Of the line through the origin of a scatter plot.
    """

    kind: Literal["lines", "bars", "scatter"]
    data: Any
    title: str
    unit: str = ""
    labels: tuple[tuple[str, Names | str], ...] = ()
    highlight: tuple[str, ...] = ()
    across: str = ""
    slope: float | None = None


#: Sequential and diverging palettes (ColorBrewer 2.0 by C. Brewer, Apache 2.0), light to dark / low to high.
YELLOW_RED = ("#ffffb2", "#fecc5c", "#fd8d3c", "#f03b20", "#bd0026")
BLUES = ("#eff3ff", "#bdd7e7", "#6baed6", "#3182bd", "#08519c")
PURPLE_ORANGE = ("#5e3c99", "#b2abd2", "#f7f7f7", "#fdb863", "#e66101")


def breaks(values: pd.Series, scheme: str, k: int) -> list[float]:
    """Return up to k + 1 limits of classes; fewer when values repeat.

    Assumption: missing and infinite values take no part.

    Parameters
    ----------
    values : Series
        Numbers.
    scheme : {"quantiles", "equal", "natural", "round"}
        Equal counts, equal widths, Fisher-Jenks natural breaks, or equal widths rounded to 1, 2, 2.5 or 5 times a
        power of ten.
    k : int
        Number of classes.

    Raises
    ------
    InputError
        When there is no value.

    References
    ----------
    Fisher, W. D. (1958). On grouping for maximum homogeneity. JASA 53, 789-798.
    https://doi.org/10.1080/01621459.1958.10501479

    Examples
    --------
    >>> import pandas as pd
    >>> breaks(pd.Series([0.0, 1.0, 2.0, 3.0, 4.0]), "quantiles", 2)
    [0.0, 2.0, 4.0]
    >>> breaks(pd.Series([3.0, 97.0, float("nan")]), "round", 4)
    [0.0, 25.0, 50.0, 75.0, 100.0]
    >>> breaks(pd.Series([], dtype=float), "equal", 3)
    Traceback (most recent call last):
    kazgeo.errors.InputError: no value to make classes of: the column is empty or all its values are missing
    """
    x = values.to_numpy(dtype=float, na_value=np.nan)
    x = np.sort(x[np.isfinite(x)])
    if not len(x):
        raise InputError("no value to make classes of: the column is empty or all its values are missing")
    if x[0] == x[-1]:
        return [float(x[0]), float(np.nextafter(x[0], np.inf))]
    if scheme == "quantiles":
        # whole positions give values as they are: 3/5 of 15 by linspace is a little above 9
        limits = np.interp(np.arange(k + 1) * (len(x) - 1) / k, np.arange(len(x)), x)
    elif scheme == "natural":
        import mapclassify

        found = mapclassify.FisherJenks(x, k=min(k, len(np.unique(x))))
        limits = np.r_[x[0], found.bins]
    elif scheme == "round":
        limits = _round_limits(float(x[0]), float(x[-1]), k)
    else:
        limits = np.linspace(x[0], x[-1], k + 1)
    return [float(v) for v in np.unique(limits)]


def _round_limits(low: float, high: float, k: int) -> NDArray[np.float64]:
    """Return limits on a round step that cover the values."""
    rough = (high - low) / k
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough - 1e-12)
    start = np.floor(low / step + 1e-9) * step
    count = int(np.ceil((high - start) / step - 1e-9))
    return np.asarray(start + step * np.arange(count + 1), dtype=float)


def shades(colors: Sequence[str], k: int) -> list[str]:
    """Return k colours evenly spread over a palette.

    Examples
    --------
    >>> shades(("#000000", "#ffffff"), 3)
    ['#000000', '#808080', '#ffffff']
    """
    points = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colors], dtype=float)
    at = np.linspace(0, len(colors) - 1, k) if k > 1 else np.array([(len(colors) - 1) / 2])
    mixed = [[np.interp(a, range(len(colors)), points[:, channel]) for channel in range(3)] for a in at]
    return ["#" + "".join(f"{round(v):02x}" for v in rgb) for rgb in mixed]
