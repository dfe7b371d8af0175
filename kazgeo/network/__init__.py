"""Road networks: how they are made, what they hold, and how places are tied to them."""

from kazgeo.network.build import Ways, check_lines, from_edges, from_lines
from kazgeo.network.candidates import with_candidates
from kazgeo.network.check import Connectivity, CutOff, connectivity, crossings, duplicates, near_misses
from kazgeo.network.contract import contract
from kazgeo.network.exchange import Weight, from_osmnx, from_pandana, to_osmnx
from kazgeo.network.model import Network, Shapes, Topology
from kazgeo.network.osm import from_osm
from kazgeo.network.places import Access, Attached, Terminals, attach, attach_again
from kazgeo.network.profiles import CYCLE, DRIVE, WALK, Mode, Profile
from kazgeo.network.scenario import Change, Scenario, State, apply, effects, with_factors
from kazgeo.network.seasons import SEASONS
from kazgeo.network.speeds import KAZAKHSTAN, SpeedTable
from kazgeo.network.split import split
from kazgeo.network.store import load, save

__all__ = [
    "CYCLE", "DRIVE", "KAZAKHSTAN", "SEASONS", "WALK", "Access", "Attached", "Change", "Connectivity", "CutOff",
    "Mode", "Network", "Profile", "Scenario", "Shapes", "SpeedTable", "State", "Terminals", "Topology", "Ways",
    "Weight", "apply", "attach", "attach_again", "check_lines", "connectivity", "contract", "crossings", "duplicates",
    "effects", "from_edges", "from_lines", "from_osm", "from_osmnx", "from_pandana", "load", "near_misses", "save",
    "split", "to_osmnx", "with_candidates", "with_factors",
]  # fmt: skip
