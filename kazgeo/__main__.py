"""Lets ``python -m kazgeo`` be the command line."""

from kazgeo.cli import main

if __name__ == "__main__":
    main()
