"""Keeps a prepared network in one file that is read in place: no array is copied when it is opened.

The file: 16 bytes that say what it is, the version of the layout, checksum and length of the header, size of the whole
file; the header (JSON: which array of which type lies where); the arrays, each on a multiple of 64 bytes.
"""

from __future__ import annotations

import json
import os
import struct
import tempfile
import zlib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, listing
from kazgeo.network.model import Network, Shapes, Topology

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["VERSION", "load", "save"]

#: Layout of the file; a file of another version is refused.
VERSION = 1
_MAGIC = b"KAZGEO NETWORK\r\n"
_FRONT = struct.Struct("<16sIIQQI")
_ALIGN = 64
_ARRAYS = ("lon", "lat", "start", "end", "length_m", "time_s")


def save(network: Network, path: str | Path) -> None:
    """Write a network, with what engines have prepared for it, to one file.

    Of ``network.topology.prepared`` those entries are kept that are mappings of names to arrays. The file is written
    beside and then renamed, so a reader never meets half of one.

    Parameters
    ----------
    network : Network
        Roads. Ids, and values of ``roads``, must be numbers, text or truth values.
    path : path
        The file; one that exists is replaced.

    Raises
    ------
    InputError
        No such folder; values that can't be kept.

    Examples
    --------
    >>> import tempfile
    >>> from kazgeo.network import from_edges
    >>> nodes = pd.DataFrame({"lon": [70.0, 71], "lat": [50.0, 50]}, index=list("ab"))
    >>> net = from_edges(pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [72.0]}), nodes)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(net, folder + "/roads.kznet")
    ...     again = load(folder + "/roads.kznet")
    >>> again, again.nodes.tolist()
    (<Network: 2 nodes, 1 edges, 72 km; 1 component>, ['a', 'b'])
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise InputError(f"no folder '{path.parent}' to write '{path.name}' into; make it first")
    packer = _Packer()
    content: dict[str, Any] = {name: packer.array(getattr(network, name)) for name in _ARRAYS}
    content["nodes"] = {"name": network.nodes.name, "values": packer.values(network.nodes.to_series(), "nodes")}
    if network.back_s is not None:
        content["back_s"] = packer.array(network.back_s)
    if network.shapes is not None:
        content["shapes"] = [packer.array(network.shapes.xy), packer.array(network.shapes.offset)]
    for name in ("roads", "dropped"):
        table = getattr(network, name)
        if table is not None:
            content[name] = {"rows": len(table), "columns": packer.table(table, name)}
    content["prepared"] = {
        key: {name: packer.array(array) for name, array in kept.items()}
        for key, kept in network.topology.prepared.items()
        if _arrays_only(kept)
    }
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            packer.write(file, content)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def load(path: str | Path, *, verify: bool = False) -> Network:
    """Open a file that ``save`` has written; arrays stay in the file and are read when they are used.

    Changes to the arrays stay in memory and never reach the file.

    Parameters
    ----------
    path : path
        The file.
    verify : bool
        Read all of it and compare its checksum. Without that, a damaged header and a missing end are noticed, a
        changed number inside an array is not.

    Raises
    ------
    InputError
        No such file; another kind of file, another version, a file that is damaged or cut short.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no file '{path}'; a network that was saved by kazgeo.network.save is wanted")
    size = path.stat().st_size
    with path.open("rb") as file:
        front = file.read(_FRONT.size)
    if len(front) < _FRONT.size or front[:16] != _MAGIC:
        raise InputError(f"'{path}' is no saved network; save one with kazgeo.network.save(network, path)")
    _, version, check, length, whole, sum_ = _FRONT.unpack(front)
    if version != VERSION:
        raise InputError(
            f"'{path}' has layout {version}, this version of KazGeo reads {VERSION}; save the network anew"
        )
    if size != whole:
        raise InputError(f"'{path}' is damaged: {size} bytes long instead of {whole}; save the network anew")
    memory = np.memmap(path, np.uint8, mode="c")
    header = bytes(memory[_FRONT.size : _FRONT.size + length])
    if zlib.crc32(header) != check or (verify and zlib.crc32(memory[_FRONT.size + length :].data) != sum_):
        raise InputError(f"'{path}' is damaged: its checksum is another; save the network anew")
    return _network(json.loads(header), _Reader(memory))


def _network(content: dict[str, Any], reader: _Reader) -> Network:
    arrays = {name: reader.array(content[name]) for name in _ARRAYS}
    topology = Topology(arrays["lon"], arrays["lat"], arrays["start"], arrays["end"])
    for key, kept in content["prepared"].items():
        topology.prepared[key] = {name: reader.array(where) for name, where in kept.items()}
    nodes = pd.Index(reader.values(content["nodes"]["values"]), name=content["nodes"]["name"], copy=False)
    tables = {
        name: pd.DataFrame(
            {column: reader.values(told) for column, told in content[name]["columns"]},
            index=pd.RangeIndex(content[name]["rows"]),
            copy=False,
        )
        for name in ("roads", "dropped")
        if name in content
    }
    shapes = Shapes(*map(reader.array, content["shapes"])) if "shapes" in content else None
    back = reader.array(content["back_s"]) if "back_s" in content else None
    return Network(nodes, **arrays, back_s=back, shapes=shapes, topology=topology, **tables)


def _arrays_only(kept: Any) -> bool:
    return isinstance(kept, Mapping) and all(
        isinstance(name, str) and isinstance(array, np.ndarray) and not array.dtype.hasobject
        for name, array in kept.items()
    )


class _Packer:
    """Collects arrays and tells where in the file each will lie."""

    def __init__(self) -> None:
        self.arrays: list[NDArray[Any]] = []
        self.size = 0

    def array(self, values: Any) -> dict[str, Any]:
        """Take an array; return its type, shape and place after the header."""
        values = np.ascontiguousarray(values)
        place = self.size
        self.arrays.append(values)
        self.size += -(-values.nbytes // _ALIGN) * _ALIGN
        return {"type": values.dtype.str, "shape": list(values.shape), "at": place}

    def table(self, table: pd.DataFrame, where: str) -> list[tuple[str, Any]]:
        """Take the columns of a table."""
        return [(str(name), self.values(table[name], f"{where}: {name}")) for name in table.columns]

    def values(self, values: pd.Series, where: str) -> dict[str, Any]:
        """Take a column of numbers, truth values, text or categories."""
        dtype = values.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            kinds = self.values(dtype.categories.to_series(), where)
            return {"kind": "category", "codes": self.array(values.cat.codes), "of": kinds, "order": dtype.ordered}
        if isinstance(dtype, np.dtype) and dtype.kind in "biufM":
            return {"kind": "plain", "values": self.array(values.to_numpy())}
        if dtype.name in ("boolean", "Int64", "Float64"):
            plain = values.to_numpy(dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
            return {"kind": "masked", "as": dtype.name, "values": self.array(plain),
                    "missing": self.array(values.isna())}  # fmt: skip
        return self._text(values, where)

    def _text(self, values: pd.Series, where: str) -> dict[str, Any]:
        told = [None if missing else value for value, missing in zip(values, values.isna(), strict=True)]
        plain = all(value is None or isinstance(value, str) for value in told)
        as_ = "str" if isinstance(values.dtype, pd.StringDtype) else "object"
        if not plain:
            told = [value.item() if isinstance(value, np.generic) else value for value in told]
            bad = [value for value in told if not isinstance(value, str | int | float | bool | None)]
            if bad:
                raise InputError(f"{where} can't be saved: numbers, text and truth values are kept; got {listing(bad)}")
        data = [b"" if v is None else (v if plain else json.dumps(v)).encode() for v in told]
        offset = np.r_[0, np.cumsum([len(part) for part in data])].astype(np.int64)
        missing = self.array(np.array([v is None for v in told], bool))
        return {"kind": "text" if plain else "json", "as": as_, "missing": missing, "offset": self.array(offset),
                "bytes": self.array(np.frombuffer(b"".join(data), np.uint8))}  # fmt: skip

    def write(self, file: Any, content: dict[str, Any]) -> None:
        """Write front, header and arrays."""
        header = json.dumps(content, ensure_ascii=False).encode()
        header += b" " * (-(_FRONT.size + len(header)) % _ALIGN)
        sum_ = 0
        for values in self.arrays:
            sum_ = zlib.crc32(_padding(values), zlib.crc32(values.reshape(-1).view(np.uint8).data, sum_))
        whole = _FRONT.size + len(header) + self.size
        file.write(_FRONT.pack(_MAGIC, VERSION, zlib.crc32(header), len(header), whole, sum_))
        file.write(header)
        for values in self.arrays:
            file.write(values.reshape(-1).view(np.uint8).data)
            file.write(_padding(values))
        file.flush()
        os.fsync(file.fileno())


def _padding(values: NDArray[Any]) -> bytes:
    return b"\0" * (-values.nbytes % _ALIGN)


class _Reader:
    """Finds arrays in the file."""

    def __init__(self, memory: NDArray[np.uint8]) -> None:
        length = _FRONT.unpack(bytes(memory[: _FRONT.size]))[3]
        self.memory = memory[_FRONT.size + length :].view(np.ndarray)

    def array(self, told: dict[str, Any]) -> NDArray[Any]:
        """Return an array as a view of the file."""
        dtype, shape = np.dtype(told["type"]), tuple(told["shape"])
        size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        part: NDArray[Any] = self.memory[told["at"] : told["at"] + size].view(dtype)
        return part.reshape(shape)

    def values(self, told: dict[str, Any]) -> Any:
        """Return a column; only text is copied."""
        kind = told["kind"]
        if kind == "plain":
            return self.array(told["values"])
        if kind == "category":
            of = pd.Index(self.values(told["of"]))
            return pd.Categorical.from_codes(self.array(told["codes"]), of, ordered=told["order"])
        if kind == "masked":
            array = {"boolean": pd.arrays.BooleanArray, "Int64": pd.arrays.IntegerArray}.get(told["as"])
            made = array or pd.arrays.FloatingArray
            return made(self.array(told["values"]), self.array(told["missing"]))
        offset, data = self.array(told["offset"]).tolist(), self.array(told["bytes"]).tobytes()
        text = [data[a:b].decode() for a, b in pairwise(offset)]
        read = text if kind == "text" else [json.loads(part) if part else None for part in text]
        missing = self.array(told["missing"]).tolist()
        return pd.array([None if gone else value for value, gone in zip(read, missing, strict=True)], dtype=told["as"])
