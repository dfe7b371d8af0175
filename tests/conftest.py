"""What several test files need: the folder of shared data, the embedded data set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of the shared test data: KAZGEO_SHARED, or ``shared`` beside the repository."""
    root = Path(os.environ.get("KAZGEO_SHARED") or ROOT.parent / "shared")
    if not (root / "data").is_dir():
        pytest.skip("the shared test data is not there (KAZGEO_SHARED or ../shared)")
    return root


@pytest.fixture(scope="session")
def kazakhstan() -> Path:
    """Folder of the embedded data set."""
    return ROOT / "data" / "kazakhstan"
