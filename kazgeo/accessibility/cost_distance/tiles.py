"""Searches a surface as a whole, or tile by tile where it is larger than memory; the times are the same."""

from __future__ import annotations

import heapq
import os
import tempfile
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kazgeo.accessibility.cost_distance.surface import Surface, Window
from kazgeo.errors import InputError
from kazgeo.friction.build import refuse_cells
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray

__all__ = ["Spread", "Tiles", "spread", "spread_labels", "spread_links"]

#: Rows and columns of a tile in memory: small enough for a core's cache, where a search is twice as fast.
SIDE = 256
#: Surfaces of fewer cells are searched as a whole.
SMALL = 500_000
#: Tiles of friction kept in memory.
KEPT = 8
#: More threads would only wait for tiles.
MOST_THREADS = 8
_NOBODY = np.empty(0, np.int64)


@dataclass(frozen=True)
class Tiles:
    """How a surface larger than memory is cut.

    Memory: one tile of friction (4 or 8 bytes a cell, 9 more with a slope), its times (8) and the queue; times of the
    whole surface lie in a file (8 bytes a cell), which the system keeps in memory as far as there is room.

    Parameters
    ----------
    side : int
        Rows and columns of a tile.
    folder : str or Path, optional
        Where the file of times is made, without a name: it is gone with the result. By default that of temporary
        files; take one on a disk if that is kept in memory.
    """

    side: int = 2048
    folder: str | Path | None = None

    def __post_init__(self) -> None:
        if isinstance(self.side, bool) or not isinstance(self.side, int) or self.side < 8:
            raise InputError(f"side of tiles must be a whole number of at least 8; got {self.side!r}")


class Spread(NamedTuple):
    """Times of all cells (NaN without), how many cells have one, and how many can be passed."""

    values: Any
    reached: int
    passable: int


def spread(
    surface: Surface, seeds: NDArray[np.int64], limit: float, tiles: Tiles | None, progress: Progress = silent
) -> Spread:
    """Return the times from the seeds (cells) to all cells."""
    grid = surface.grid
    if tiles is None and grid.size < SMALL:
        return _whole(surface, seeds, limit, progress)
    if tiles is None:
        time = np.full((grid.rows, grid.columns), np.inf)
    else:
        time = _scratch(tiles, (grid.rows, grid.columns), np.float64, np.inf)
    tiling = _Tiling(surface, SIDE if tiles is None else tiles.side)
    _tiled(tiling, seeds, limit, time, progress)
    reached = _blank(time)
    progress(1.0, "cost distance")
    return Spread(time if tiles is None else _in_chunks(time, surface, tiles), reached, tiling.count_passable())


def _whole(surface: Surface, seeds: NDArray[np.int64], limit: float, progress: Progress) -> Spread:
    from kazgeo.accessibility.cost_distance import kernels

    progress(0.0, "cost distance")
    ground, steps, block, _ = surface.block()
    time = np.full((surface.grid.rows, surface.grid.columns), np.inf)
    flat = time.reshape(-1)
    flat[seeds] = 0.0
    kernels.search(ground, steps, block, flat, limit, kernels.enqueue(kernels.new_heap(), flat, seeds), _NOBODY)
    passable = surface.grid.size - int(np.isnan(ground.friction).sum())
    progress(1.0, "cost distance")
    return Spread(time, _blank(time), passable)


def _blank(time: NDArray[np.float64]) -> int:
    """Turn infinite times into NaN, in place; return how many are not."""
    reached = 0
    step = max(1, (1 << 20) // time.shape[1])
    for start in range(0, len(time), step):
        part = time[start : start + step]
        out = np.isinf(part)
        part[out] = np.nan
        reached += part.size - int(out.sum())
    return reached


class _Tiling:
    """Tiles of a surface by number, row by row; the last used are kept in memory."""

    def __init__(self, surface: Surface, side: int) -> None:
        self.surface, self.side = surface, side
        self.down, self.across = (-(-n // side) for n in (surface.grid.rows, surface.grid.columns))
        self.passable: dict[int, int] = {}
        self._kept: dict[int, Any] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return self.down * self.across

    def window(self, tile: int) -> Window:
        """Return the cells of a tile."""
        grid, side = self.surface.grid, self.side
        top, left = (tile // self.across) * side, (tile % self.across) * side
        return Window(top, min(top + side, grid.rows), left, min(left + side, grid.columns))

    def block(self, tile: int) -> Any:
        """Return ground, steps, block and the window around a tile; friction is checked when it is first read."""
        with self._lock:
            if tile in self._kept:
                self._kept[tile] = made = self._kept.pop(tile)
                return made
        made = self.surface.block(self.window(tile))
        if tile not in self.passable:
            self._look(tile, made)
        with self._lock:
            self._kept[tile] = made
            if len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
        return made

    def _look(self, tile: int, made: Any) -> None:
        """Check a tile's friction and elevation, and count the cells that can be passed."""
        ground, _, block, outer = made
        inner = ground.friction.reshape(block.rows, block.columns)[block.top : block.bottom, block.left : block.right]
        window = self.window(tile)
        refuse_cells([(window.top, inner)], self.surface.grid, window.left)
        open_ = ~np.isnan(ground.friction)
        if ground.height is not None and (open_ & ~np.isfinite(ground.height)).any():
            raise InputError(
                f"elevation must have a value wherever friction has one; missing in rows {outer.top} to {outer.bottom}"
            )
        self.passable[tile] = inner.size - int(np.isnan(inner).sum())

    def count_passable(self) -> int:
        """Return how many cells can be passed; tiles that were not read yet are."""
        for tile in range(len(self)):
            if tile not in self.passable:
                self.block(tile)
        return sum(self.passable.values())

    def around(self, tile: int) -> list[tuple[int, int, int]]:
        """Return the tiles beside a tile: (number, step down, step across)."""
        row, column = divmod(tile, self.across)
        return [
            ((row + a) * self.across + column + b, a, b)
            for a in (-1, 0, 1) for b in (-1, 0, 1)
            if (a or b) and 0 <= row + a < self.down and 0 <= column + b < self.across
        ]  # fmt: skip


def _tiled(
    tiling: _Tiling, seeds: NDArray[np.int64], limit: float, time: NDArray[np.float64], progress: Progress
) -> None:
    """Search tile by tile, those with the earliest news first, until no border changes any more.

    A tile is searched from what is known around it. Where times at its border fell, its neighbours have news. Times
    only fall, and end where no step shortens any: at the same sums, to the last bit, as a search of the whole, whatever
    the order. So tiles are searched by several threads, one tile by one at a time.
    """
    columns, side = tiling.surface.grid.columns, tiling.side
    of = (seeds // columns // side) * tiling.across + seeds % columns // side
    news: dict[int, float] = {int(t): 0.0 for t in of}
    order = [(0.0, t) for t in sorted(news)]
    seen: set[int] = set()
    running: dict[Future[dict[int, float]], int] = {}
    workers = min(os.cpu_count() or 1, MOST_THREADS)
    with ThreadPoolExecutor(workers) as pool:
        while order or running:
            later = []
            while order and len(running) < workers:
                earliest, tile = heapq.heappop(order)
                if news.get(tile, np.inf) != earliest:
                    continue
                if tile in running.values():
                    later.append((earliest, tile))
                    continue
                del news[tile]
                own = seeds[of == tile] if tile not in seen else seeds[:0]
                seen.add(tile)
                running[pool.submit(_search_tile, tiling, tile, time, own, limit)] = tile
            for item in later:
                heapq.heappush(order, item)
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                del running[done]
                for other, when in done.result().items():
                    if when < news.get(other, np.inf):
                        news[other] = when
                        heapq.heappush(order, (when, other))
            progress(0.99 * len(seen) / len(tiling), "cost distance")


def _search_tile(
    tiling: _Tiling, tile: int, time: NDArray[np.float64], own: NDArray[np.int64], limit: float
) -> dict[int, float]:
    """Search one tile; return its neighbours that have news, with the earliest time of it."""
    from kazgeo.accessibility.cost_distance import kernels

    ground, steps, block, outer = tiling.block(tile)
    local = np.array(time[outer.top : outer.bottom, outer.left : outer.right])
    inner = (slice(block.top, block.bottom), slice(block.left, block.right))
    known = np.isfinite(local)
    known[inner] = False
    rows, columns = np.divmod(own, tiling.surface.grid.columns)
    local[rows - outer.top, columns - outer.left] = 0.0
    known[rows - outer.top, columns - outer.left] = True
    before = local[inner].copy()
    before[rows - outer.top - block.top, columns - outer.left - block.left] = np.inf  # news for the neighbours
    flat = local.reshape(-1)
    queue = kernels.enqueue(kernels.new_heap(), flat, np.flatnonzero(known))
    kernels.search(ground, steps, block, flat, limit, queue, _NOBODY)
    after = local[inner]
    fell = after < before
    if not fell.any():
        return {}
    window = tiling.window(tile)
    time[window.top : window.bottom, window.left : window.right] = after
    found = {}
    for other, down, across in tiling.around(tile):
        at = (_band(down, block.reach), _band(across, block.reach))
        if fell[at].any():
            found[other] = float(after[at][fell[at]].min())
    return found


def _band(side: int, reach: int) -> slice:
    """Return the rows (or columns) of a tile that a neighbour before (-1), beside (0) or after (1) it can see."""
    return (slice(None), slice(-reach, None), slice(None, reach))[side]


def spread_labels(
    surface: Surface, time_s: xarray.DataArray, seeds: NDArray[np.int64], labels: NDArray[np.int32], tiles: Tiles | None
) -> Any:
    """Return the label of the seed at which the quickest way of every cell begins; -1 without."""
    from kazgeo.accessibility.cost_distance import kernels

    shape = (surface.grid.rows, surface.grid.columns)
    link = spread_links(surface, time_s, tiles)
    made = np.full(shape, -1, np.int32) if tiles is None else _scratch(tiles, shape, np.int32, -1)
    flat = np.asarray(made).reshape(-1)
    flat[seeds] = labels
    moves = surface.moves
    kernels.allocate(np.asarray(link).reshape(-1), moves.rows * shape[1] + moves.columns, flat)
    return made if tiles is None else _in_chunks(made, surface, tiles)


def spread_links(surface: Surface, time_s: xarray.DataArray, tiles: Tiles | None) -> NDArray[np.uint8]:
    """Return the move by which the quickest way comes to every cell."""
    shape = (surface.grid.rows, surface.grid.columns)
    link = np.empty(shape, np.uint8) if tiles is None else _scratch(tiles, shape, np.uint8, 0)
    tiling = _Tiling(surface, 4 * SIDE if tiles is None else tiles.side)
    with ThreadPoolExecutor(min(os.cpu_count() or 1, MOST_THREADS)) as pool:
        list(pool.map(lambda tile: _link_tile(tiling, tile, time_s, link), range(len(tiling))))
    return link


def _link_tile(tiling: _Tiling, tile: int, time_s: xarray.DataArray, link: NDArray[np.uint8]) -> None:
    """Find the moves of a tile."""
    from kazgeo.accessibility.cost_distance import kernels

    ground, steps, block, outer = tiling.block(tile)
    part = time_s.data[outer.top : outer.bottom, outer.left : outer.right]
    time = np.ascontiguousarray(part.compute() if hasattr(part, "compute") else part).reshape(-1)
    found = np.empty(len(time), np.uint8)
    kernels.links(ground, steps, block, time, found)
    top, bottom, left, right = tiling.window(tile)
    inner = found.reshape(block.rows, block.columns)[block.top : block.bottom, block.left : block.right]
    link[top:bottom, left:right] = inner


def _scratch(tiles: Tiles, shape: tuple[int, int], dtype: Any, fill: float) -> NDArray[Any]:
    """Return an array in a file without a name, filled."""
    with tempfile.TemporaryFile(dir=tiles.folder) as file:
        made: NDArray[Any] = np.memmap(file, dtype=dtype, mode="w+", shape=shape)
    for start in range(0, shape[0], tiles.side):
        made[start : start + tiles.side] = fill
    return made


def _in_chunks(made: NDArray[Any], surface: Surface, tiles: Tiles) -> Any:
    """Return an array in chunks (dask) where the friction is in chunks."""
    if surface.friction.chunks is None:
        return made
    from dask.array import from_array

    lazily: Any = from_array
    return lazily(made, chunks=(tiles.side, tiles.side), name=False)
