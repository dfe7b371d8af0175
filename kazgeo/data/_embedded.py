"""Where the embedded data set lies: in the checkout, or inside the wheel."""

from __future__ import annotations

from pathlib import Path

from kazgeo.errors import InputError, unknown

__all__ = ["embedded"]

_PACKAGE = Path(__file__).resolve().parents[1]


def embedded(country: str = "kazakhstan") -> Path:
    """Return the folder of the data set that travels with KazGeo.

    Parameters
    ----------
    country : str
        Name of the data set's folder: one that holds a project.toml.

    Returns
    -------
    Path
        ``data/<country>`` of the checkout when KazGeo runs from one (an editable install), else the copy that
        the wheel carries.

    Raises
    ------
    InputError
        When there is no such data set, or when the installation carries none at all.

    Examples
    --------
    >>> embedded().name
    'kazakhstan'
    >>> embedded("")
    Traceback (most recent call last):
    kazgeo.errors.InputError: embedded data '' is not part of KazGeo; there are: ...'kazakhstan'...
    >>> embedded("kazakstan")
    Traceback (most recent call last):
    kazgeo.errors.InputError: embedded data 'kazakstan' is not part of KazGeo; did you mean 'kazakhstan'?
    """
    return _embedded(country, _PACKAGE)


def _embedded(country: str, package: Path) -> Path:
    homes = [package / "_embedded"]
    if (package.parent / "pyproject.toml").is_file():
        homes.insert(0, package.parent / "data")
    found: dict[str, Path] = {}
    for home in homes:
        if home.is_dir():
            for folder in sorted(home.iterdir()):
                if (folder / "project.toml").is_file() and not folder.name.startswith((".", "_")):
                    found.setdefault(folder.name, folder)
    if country in found:
        return found[country]
    if not found:
        raise InputError(
            f"embedded data '{country}' is missing: looked in {' and '.join(str(h) for h in homes)}; "
            "install KazGeo from its wheel, or from a whole checkout with `pip install -e .`"
        )
    raise unknown("embedded data", country, found, "part of KazGeo")
