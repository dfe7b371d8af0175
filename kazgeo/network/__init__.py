"""Road networks: how they are made, what they hold, and how places are tied to them."""

from kazgeo.network.build import from_edges, from_lines
from kazgeo.network.model import Network, Shapes, Topology
from kazgeo.network.places import Access, Attached, Terminals, attach

__all__ = ["Access", "Attached", "Network", "Shapes", "Terminals", "Topology", "attach", "from_edges", "from_lines"]
