"""Engines for travel times on a road network: searches to all nodes, and matrices between places."""
