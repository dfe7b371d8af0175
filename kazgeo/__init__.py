"""KazGeo: regional disparities seen on the map."""

__version__ = "0.1.0"
