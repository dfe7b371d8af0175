"""Files in and out: any OGR layer, any table, and nothing half-written. Formats live here and nowhere else."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kazgeo.errors import InputError, listing, suggestion, unknown

if TYPE_CHECKING:
    import geopandas
    import pandas as pd
    import xarray

__all__ = [
    "Source",
    "columns",
    "existing",
    "numbers",
    "read_raster",
    "read_table",
    "read_vector",
    "row_named",
    "write_geojson",
    "write_layers",
    "write_table",
    "write_workbook",
]

_TEXT = {".csv", ".tsv", ".txt"}
_TABLES = {".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".parquet"}
_STYLE_LAYERS = {"layer_styles", "qgis_projects"}


@dataclass(frozen=True)
class Source:
    """A file and what to take from it, as people write it on a command line.

    Parameters
    ----------
    path : Path
        File (or ``.gdb`` folder).
    layer : str or None
        Layer of a file with several, or sheet of a workbook.
    id : str or None
        Column that names the units.

    Examples
    --------
    >>> s = Source.parse("data/kz.gpkg|layer=regions|id=kato")
    >>> s.path.name, s.layer, s.id
    ('kz.gpkg', 'regions', 'kato')
    >>> Source.parse("roads.csv").layer is None
    True
    """

    path: Path
    layer: str | None = None
    id: str | None = None

    @classmethod
    def parse(cls, text: str | Path) -> Source:
        """Read ``file|layer=name|id=column`` (``layername=`` as QGIS writes it is understood too)."""
        head, *rest = str(text).split("|")
        options: dict[str, str] = {}
        for piece in rest:
            key, sign, value = piece.partition("=")
            key = {"layername": "layer", "sheet": "layer"}.get(key.strip().lower(), key.strip().lower())
            if not sign or key not in {"layer", "id"}:
                raise InputError(
                    f"'{text}': wanted file|layer=NAME|id=COLUMN, got '{piece}'{suggestion(key, ['layer', 'id'])}"
                )
            options[key] = value
        return cls(Path(head), options.get("layer"), options.get("id"))

    def __str__(self) -> str:
        return "|".join(
            [str(self.path)] + [f"{k}={v}" for k, v in (("layer", self.layer), ("id", self.id)) if v is not None]
        )


def existing(path: Path) -> Path:
    """Return the path of a file that can be read, or say why it can't.

    Raises
    ------
    InputError
        A missing or empty file, a folder.

    Examples
    --------
    >>> existing(Path("nowhere.tif"))
    Traceback (most recent call last):
    kazgeo.errors.InputError: file 'nowhere.tif' does not exist...
    """
    try:
        there = path.exists()
    except OSError as error:  # a name too long, a folder that may not be entered
        raise InputError(f"file '{path.with_name(path.name[:80])}' can't be read: {error.strerror or error}") from error
    if not there:
        near = [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []
        where = "" if path.parent.is_dir() else f"; the folder '{path.parent}' does not exist"
        raise InputError(f"file '{path}' does not exist{where}{suggestion(path.name, near)}")
    if path.is_dir() and path.suffix.lower() != ".gdb":
        raise InputError(f"'{path}' is a folder; name a file in it")
    try:
        if path.is_file():
            with path.open("rb") as file:
                if not file.read(1):
                    raise InputError(f"file '{path}' is empty (0 bytes)")
    except OSError as error:
        raise InputError(f"file '{path}' can't be read: {error.strerror or error}") from error
    return path


@contextlib.contextmanager
def _ogr(path: Path) -> Iterator[None]:
    """Turn pyogrio's errors into one sentence."""
    import pyogrio.errors

    try:
        yield
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError) as error:
        reason = str(error).splitlines()[0].partition("; It might help")[0]
        raise InputError(f"file '{path}' can't be read as a map layer: {reason}") from error


def _layer_name(path: Path, layer: str | None) -> str | None:
    """Return the layer to read; refuse to guess between several."""
    import pyogrio

    with _ogr(path):
        found = [str(name) for name, kind in pyogrio.list_layers(path) if kind and str(name) not in _STYLE_LAYERS]
    if layer is not None and layer not in found:
        raise unknown("layer", layer, found, f"a map layer of '{path}'")
    if layer is None and len(found) > 1:
        raise InputError(
            f"file '{path}' has {len(found)} map layers ({listing(found)}); say which: '{path}|layer={found[0]}'"
        )
    if not found:
        raise InputError(f"file '{path}' has no map layer (no geometry in it)")
    return layer or found[0]


def read_vector(source: Source | str | Path) -> geopandas.GeoDataFrame:
    """Return a map layer of any format OGR reads, as it is: nothing repaired, nothing dropped.

    Assumption: a GeoParquet file is told by its suffix; everything else by OGR.

    Parameters
    ----------
    source : Source, str or Path
        File, or ``file|layer=NAME|id=COLUMN``.

    Returns
    -------
    GeoDataFrame
        Indexed by the id column when one is named, else by row number.

    Raises
    ------
    InputError
        Missing, empty or foreign file, a folder, several layers and none named, no such id column.
    """
    import geopandas
    import pyogrio

    src = source if isinstance(source, Source) else Source.parse(source)
    path = existing(src.path)
    if path.suffix.lower() == ".parquet":
        try:
            layer = geopandas.read_parquet(path)
        except (ValueError, OSError) as error:
            raise InputError(f"file '{path}' can't be read as GeoParquet: {error}") from error
    else:
        name = _layer_name(path, src.layer)
        with _ogr(path):
            layer = pyogrio.read_dataframe(path, layer=name)
    return set_id(layer, src.id, str(path), file=path) if src.id else layer


def read_raster(source: Source | str | Path) -> xarray.DataArray:
    """Return a raster of one band as it is, no data as NaN.

    Parameters
    ----------
    source : Source, str or Path
        GeoTIFF or another format of GDAL.

    Returns
    -------
    DataArray
        Dimensions y and x, with a CRS.

    Raises
    ------
    InputError
        Missing, empty or foreign file, several bands, no CRS.
    """
    import rasterio.errors
    import rioxarray

    path = existing((source if isinstance(source, Source) else Source.parse(source)).path)
    try:
        found = rioxarray.open_rasterio(path, masked=True)
        found = found.load() if hasattr(found, "load") else found
    except (rasterio.errors.RasterioError, OSError) as error:
        raise InputError(f"file '{path}' can't be read as a raster: {str(error).splitlines()[0]}") from error
    if not hasattr(found, "rio") or "band" not in found.dims or found.sizes["band"] != 1:
        bands = found.sizes.get("band", 0) if hasattr(found, "sizes") else 0
        raise InputError(f"file '{path}' must be a raster of one band; got {bands or 'several sets'}")
    if found.rio.crs is None:
        raise InputError(f"file '{path}' declares no CRS; set it with gdal_edit.py -a_srs EPSG:... {path.name}")
    surface: xarray.DataArray = found.isel(band=0, drop=True)
    return surface


def set_id(table: Any, column: str, where: str, *, file: Path | None = None) -> Any:
    """Return the table indexed by a column, its values as text when they look like codes.

    Rows are told as a person finds them in ``file``, when the table still is as it was read.
    """
    if column not in table.columns:
        raise unknown("id column", column, [c for c in table.columns if c != "geometry"], f"a column of {where}")
    ids = table[column]
    if ids.isna().any():
        empty = ids.index[ids.isna()]
        rows = (
            f"rows {listing(empty)}" if file is None else _some([row_named(file, row) for row in empty[:5]], len(empty))
        )
        raise InputError(f"id column '{column}' of {where} is empty in {len(empty)} rows ({rows})")
    if ids.dtype.kind == "f" and (ids == ids.round()).all():
        ids = ids.astype("int64")
    if ids.dtype.kind in "iu" and column.lower() == "kato":
        ids = ids.astype(str).str.zfill(9)
    return table.set_index(ids.rename(column), drop=True)


def read_table(source: Source | str | Path, *, text: bool = False) -> pd.DataFrame:
    """Return a table of CSV, Excel or Parquet.

    Assumption: a CSV is UTF-8, or cp1251 when it isn't; its separator is the one of ``; , tab`` that the first
    line has most of.

    Parameters
    ----------
    source : Source, str or Path
        File, or ``file|layer=SHEET``.
    text : bool
        Keep every cell as text, header row and all columns unnamed: for workbooks whose header must be searched.

    Raises
    ------
    InputError
        Missing, empty or foreign file, no such sheet.
    """
    import zipfile

    import pandas as pd
    from python_calamine import CalamineError

    src = source if isinstance(source, Source) else Source.parse(source)
    path = existing(src.path)
    suffix = path.suffix.lower()
    if suffix not in _TABLES:
        raise InputError(f"file '{path}' is not a table: wanted one of {', '.join(sorted(_TABLES))}, got '{suffix}'")
    try:
        if suffix == ".parquet":
            table = pd.read_parquet(path)
        elif suffix in {".xlsx", ".xlsm", ".xls"}:
            table = _read_workbook(path, src.layer, text)
        else:
            table = _read_csv(path, text)
    except InputError:
        raise
    except (ValueError, OSError, KeyError, zipfile.BadZipFile, CalamineError) as error:
        raise InputError(f"file '{path}' can't be read as a table: {str(error).splitlines()[0]}") from error
    return set_id(table, src.id, str(path), file=path) if src.id else table


def _some(shown: list[str], of: int) -> str:
    return ", ".join(shown) + (f" and {of - len(shown)} more" if of > len(shown) else "")


def row_named(path: Path, row: int) -> str:
    """Return how a person finds a row (from 0) of what was read from a file: its line, or its row in a sheet or layer.

    Assumption: a sheet has its heading in row 1; rows of layers and of Parquet count from 1.
    """
    import csv
    import io

    suffix = path.suffix.lower()
    if suffix not in _TEXT:
        return f"row {row + (2 if suffix in _TABLES - {'.parquet'} else 1)}"
    content = _content(path)
    reader = csv.reader(io.StringIO(content), delimiter=_separator(content))
    line, left = 1, row + 1
    for cells in reader:
        if any(c.strip() for c in cells) or len(cells) > 1:  # pandas passes over blank lines
            if not left:
                break
            left -= 1
        line = reader.line_num + 1
    return f"line {line}"


def numbers(table: pd.DataFrame, column: str, path: Path) -> pd.Series:
    """Return a column of what was read from a file as numbers, or one error that names file, column, cells and lines.

    Raises
    ------
    InputError
        Cells that are no numbers.
    """
    import pandas as pd

    from kazgeo.parsing import parse_numbers

    counted = isinstance(table.index, pd.RangeIndex)
    try:
        return parse_numbers(table[column], row_named=(lambda row: row_named(path, row)) if counted else None)
    except InputError as error:
        raise InputError(f"file '{path}', {error}") from error


def _content(path: Path) -> str:
    """Return the text of a file in UTF-8 or, where it isn't, in cp1251."""
    raw = path.read_bytes()
    if b"\0" in raw[:4096]:
        raise InputError(f"file '{path}' is not text; is it a workbook saved with the wrong suffix?")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1251", errors="strict")


def _separator(content: str, lines: int = 1) -> str:
    """Return which of ``; , tab`` the first lines with text in them have most of."""
    return max(";,\t", key="\n".join([line for line in content.splitlines() if line.strip()][:lines]).count)


def _read_csv(path: Path, text: bool) -> pd.DataFrame:
    import io
    import warnings

    import pandas as pd

    content = _content(path)
    lines = [line for line in content.splitlines() if line.strip()]
    if not lines:
        raise InputError(f"file '{path}' has no line with text in it")
    # A title above the heading has no separator in it, so there the first line doesn't tell.
    separator = _separator(content, 50 if text else 1)
    options: dict[str, Any] = {"sep": separator, "dtype": str, "keep_default_na": False, "na_values": [""]}
    if text:
        options |= {"header": None, "names": range(1 + max(line.count(separator) for line in lines))}
    with warnings.catch_warnings():
        # Without index_col=False pandas takes the first cells of a row that is too long for its index, in silence.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(io.StringIO(content), index_col=False, **options)
        except pd.errors.ParserWarning as error:
            raise InputError(f"file '{path}': the first row has more cells than the heading") from error


def _read_workbook(path: Path, sheet: str | None, text: bool) -> pd.DataFrame:
    import pandas as pd

    engine: Any = "calamine" if path.suffix.lower() == ".xls" else "openpyxl"
    header = None if text else 0
    if sheet is None:
        return pd.read_excel(path, sheet_name=0, dtype=str, header=header, engine=engine)
    sheets = pd.read_excel(path, sheet_name=None, dtype=str, header=header, engine=engine)
    if sheet not in sheets:
        raise unknown("sheet", sheet, map(str, sheets), f"a sheet of '{path}'")
    return sheets[sheet]


def columns(source: Source | str | Path) -> dict[str, str]:
    """Return the column names and kinds ("number", "text", "geometry type") of a file without reading it whole.

    Raises
    ------
    InputError
        As ``read_vector`` and ``read_table``.
    """
    import pyogrio

    src = source if isinstance(source, Source) else Source.parse(source)
    path = existing(src.path)
    if path.suffix.lower() in _TABLES:
        table = read_table(Source(src.path, src.layer))
        return dict.fromkeys(map(str, table.columns), "text")
    with _ogr(path):
        info = pyogrio.read_info(path, layer=_layer_name(path, src.layer))
    kinds = {
        str(name): "number" if re.match(r"(u?int|float)", str(dtype)) else "text"
        for name, dtype in zip(info["fields"], info["dtypes"], strict=True)
    }
    return kinds | {"geometry": str(info["geometry_type"])}


def write_layers(
    path: Path,
    layers: Mapping[str, geopandas.GeoDataFrame | pd.DataFrame],
    *,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write layers and tables into one new GeoPackage 1.2 (read by QGIS 3.22 without a warning).

    Assumption: ``path`` is a temporary name that the caller renames; indexes become the first column.

    Parameters
    ----------
    path : Path
        File to make; an existing one is replaced.
    layers : mapping
        Layer name to GeoDataFrame or plain DataFrame.
    metadata : mapping, optional
        Key to text, kept with every layer.

    Raises
    ------
    InputError
        When the file can't be written.
    """
    import geopandas
    import pandas as pd
    import pyogrio
    import pyogrio.errors

    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z"})
    try:
        path.unlink(missing_ok=True)
        for name, data in layers.items():
            frame = _flat(data)
            options: dict[str, Any] = {"driver": "GPKG", "layer": name, "append": path.exists(), "VERSION": "1.2"}
            if any(str(c).lower() == "fid" for c in frame.columns):  # a column of the data, not the file's own numbers
                options["FID"] = "ogc_fid"
            if metadata:
                options["layer_metadata"] = dict(metadata)
            if isinstance(frame, geopandas.GeoDataFrame):
                pyogrio.write_dataframe(frame, path, promote_to_multi=_promote(frame), **options)
            else:
                pyogrio.write_dataframe(pd.DataFrame(frame), path, **options)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, OSError) as error:
        raise InputError(f"GeoPackage '{path}' can't be written: {str(error).splitlines()[0]}") from error
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
    _whole(path, layers)


def _whole(path: Path, layers: Mapping[str, Any]) -> None:
    """Refuse a GeoPackage that lacks rows or a spatial index.

    GDAL builds the indexes when it closes the file and tells no one when the disk is full by then.
    """
    import sqlite3

    import geopandas

    if not layers:
        return
    with contextlib.closing(sqlite3.connect(path)) as base:
        tables = {row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for name, data in layers.items():
            quoted = '"' + name.replace('"', '""') + '"'
            (rows,) = base.execute(f"SELECT count(*) FROM {quoted}").fetchone()  # noqa: S608 (quoted above)
            indexed = not isinstance(data, geopandas.GeoDataFrame) or f"rtree_{name}_geom" in tables
            if rows != len(data) or not indexed:
                lost = "its spatial index" if rows == len(data) else f"{len(data) - rows} of {len(data)} rows"
                raise InputError(f"GeoPackage '{path}' is not whole: layer '{name}' lacks {lost}; free some space")


def _promote(frame: geopandas.GeoDataFrame) -> bool:
    kinds = set(frame.geom_type.dropna())
    return bool(kinds & {"MultiPolygon", "MultiLineString", "MultiPoint"})


def _flat(data: Any) -> Any:
    """Return the frame with its index as leading columns, and column types that OGR stores."""
    import pandas as pd

    frame = data.rename(columns=str)
    names = [n if n is not None else f"level_{i}" for i, n in enumerate(frame.index.names)]
    if len(names) == 1 and frame.index.name is None:
        names = ["id"]
    if names == ["id"] and isinstance(data.index, pd.RangeIndex) and "id" in frame.columns:
        frame = frame.reset_index(drop=True)  # row numbers; the data's own ids stay
    else:
        frame.index.names = names
        frame = frame.drop(columns=[n for n in names if n in frame.columns]).reset_index()
    frame.columns = _distinct(frame.columns, getattr(frame, "_geometry_column_name", None))
    for column in frame.columns:
        if column != getattr(frame, "_geometry_column_name", None) and str(frame[column].dtype) == "category":
            frame[column] = frame[column].astype(object)
    return frame


def _distinct(names: Any, geometry: str | None) -> list[str]:
    """Return column names that differ without regard to case, as SQLite wants; a later one is the result's and stays.

    Examples
    --------
    >>> _distinct(["P", "name", "p"], None)
    ['P_2', 'name', 'p']
    """
    taken = {str(n).casefold() for n in names}
    out: list[str] = []
    for place, name in enumerate(map(str, names)):
        later = {str(n).casefold() for n in list(names)[place + 1 :]}
        made, number = name, 2
        while name != geometry and (made.casefold() in later or (made != name and made.casefold() in taken)):
            made, number = f"{name}_{number}", number + 1
        taken.add(made.casefold())
        out.append(made)
    return out


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV (UTF-8 with a byte-order mark, so that Excel reads Kazakh letters), whole or not at all."""
    from kazgeo.provenance import replacing

    with replacing(path) as beside:
        _flat(table).to_csv(beside, index=False, encoding="utf-8-sig", lineterminator="\n", float_format="%.10g")


def write_geojson(path: Path, layer: geopandas.GeoDataFrame) -> None:
    """Write a layer as GeoJSON in longitudes and latitudes (RFC 7946)."""
    import pyogrio

    path.unlink(missing_ok=True)
    # without a name the file would tell that of the temporary file it is written to
    pyogrio.write_dataframe(_flat(layer.to_crs(4326)), path, layer="layer", driver="GeoJSON", RFC7946="YES")


def write_workbook(path: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write tables as sheets of one Excel workbook; text that looks like a formula stays text."""
    import pandas as pd

    with pd.ExcelWriter(path, engine="openpyxl") as book:
        for name, table in tables.items():
            frame = _flat(table)
            frame.to_excel(book, sheet_name=name[:31], index=False)
            for row in book.sheets[name[:31]].iter_rows(min_row=2):
                for cell in row:
                    if cell.data_type == "f":
                        cell.data_type = "s"
