"""Data a study works on: what is embedded, and what is fetched, cached, verified or taken from a mirror.

``CATALOGUE`` is the table (``datasets.toml`` beside this file): address, licence, attribution and hash of each
data set. ``embedded`` finds the small data set that travels with the package; ``available`` looks without the
network; ``fetch`` gets what is missing, from the mirror named by the environment variable ``KAZGEO_DATA_MIRROR``
(a folder or an address, for offices without internet), else from the publisher, into the cache folder, which
``KAZGEO_CACHE`` moves.
"""

from __future__ import annotations

from kazgeo.data._catalogue import CATALOGUE, Dataset, RemoteFile
from kazgeo.data._embedded import embedded
from kazgeo.data._fetch import CACHE_VARIABLE, MIRROR_VARIABLE, available, cache_folder, fetch

__all__ = [
    "CACHE_VARIABLE",
    "CATALOGUE",
    "MIRROR_VARIABLE",
    "Dataset",
    "RemoteFile",
    "available",
    "cache_folder",
    "embedded",
    "fetch",
]
