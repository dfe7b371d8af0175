"""The schematic trunk network: edges between places in road order, straight length times circuity."""

from __future__ import annotations

import numpy as np
import pandas as pd

from _builder.common import BuildError, Inputs, say, write_csv

#: Published lengths are used when published / great-circle lies within these bounds ...
LOWEST, HIGHEST = 1.0, 1.5
#: ... and agrees with the length of the road's line, where one was measured, within this share.
AGREEMENT = 0.10

_CLASSES = {"international": 0, "republican": 1}
_LICENCES = {"gn": "GeoNames, CC BY 4.0", "osm": "OpenStreetMap contributors, ODbL 1.0"}
_OWN_POINT = "KazGeo compilation, position rounded to 0.01 degree"


def build(inputs: Inputs) -> None:
    """Write roads.csv and road_nodes.csv."""
    edges = inputs.table("highways.csv")
    nodes = inputs.table("nodes.csv")
    unknown = set(edges["from_node"]) | set(edges["to_node"])
    unknown -= set(nodes["node"])
    if unknown:
        raise BuildError(f"roads: nodes without a row: {sorted(unknown)[:5]}")
    edges["km"] = edges["great_circle_km"].astype(float)
    edges = _once(edges)
    edges = edges.join(_circuity(inputs, edges), on="road")
    edges["length_km"] = edges["km"] * edges["circuity"]
    write_csv(_edge_table(edges), inputs.out / "roads.csv")
    write_csv(_node_table(nodes), inputs.out / "road_nodes.csv")
    say(f"roads: {edges['km'].sum():,.0f} km straight, {edges['length_km'].sum():,.0f} km with circuity")


def _once(edges: pd.DataFrame) -> pd.DataFrame:
    """Keep each pair of places once: the higher class, then the road with an international route, then the first."""
    pair = [tuple(sorted(p)) for p in zip(edges["from_node"], edges["to_node"], strict=True)]
    ranked = edges.assign(
        pair=pair,
        rank=edges["class"].map(_CLASSES),
        routed=edges["international_routes"].eq(""),
        place=range(len(edges)),
    ).sort_values(["pair", "rank", "routed", "place"])
    twice = ranked["pair"].duplicated()
    for row in ranked[twice].itertuples():
        kept = ranked[(ranked["pair"] == row.pair) & ~twice].iloc[0]
        say(f"  dropped {row.road} seq {row.seq} {row.from_name} - {row.to_name}: kept under {kept['road']}")
    return ranked[~twice].sort_values("place")


def _circuity(inputs: Inputs, edges: pd.DataFrame) -> pd.DataFrame:
    """Return circuity and its source by road; roads without a sound published length get the weighted mean."""
    roads = inputs.table("roads.csv").set_index("road")
    numbers = roads[["published_length_km", "sum_great_circle_km", "line_ratio"]].apply(pd.to_numeric, errors="coerce")
    ratio = numbers["published_length_km"] / numbers["sum_great_circle_km"]
    contested = (ratio / numbers["line_ratio"] - 1).abs() > AGREEMENT
    sound = ratio.between(LOWEST, HIGHEST) & roads["flag"].eq("") & ~contested
    mean = numbers.loc[sound, "published_length_km"].sum() / numbers.loc[sound, "sum_great_circle_km"].sum()
    for road in roads.index[ratio.notna() & ~sound]:
        why = "its line contradicts it" if contested[road] else "flagged or outside the bounds"
        say(f"  {road}: published length not used, ratio {ratio[road]:.3f} ({why})")
    say(f"roads: {int(sound.sum())} published lengths used, weighted mean circuity {mean:.4f}")
    missing = set(edges["road"]) - set(roads.index)
    if missing:
        raise BuildError(f"roads: no row for {sorted(missing)}")
    return pd.DataFrame(
        {
            "circuity": np.where(sound, ratio, mean).round(4),
            "circuity_source": np.where(sound, "published", "mean of published"),
            "published_source": np.where(sound, roads["published_source"], ""),
        },
        index=roads.index,
    )


def _edge_table(edges: pd.DataFrame) -> pd.DataFrame:
    length_source = np.where(edges["published_source"] != "", "; length: " + edges["published_source"], "")
    return pd.DataFrame(
        {
            "road": edges["road"],
            "road_new": edges["new_index"],
            "class": edges["class"],
            "seq": edges["seq"],
            "from_id": edges["from_node"],
            "to_id": edges["to_node"],
            "from_name": edges["from_name"],
            "to_name": edges["to_name"],
            "great_circle_km": edges["great_circle_km"],
            "length_km": edges["length_km"].map("{:.2f}".format),
            "circuity": edges["circuity"].map("{:.4f}".format),
            "circuity_source": edges["circuity_source"],
            "international_routes": edges["international_routes"],
            "surface": edges["surface"],
            "lanes": edges["lanes"].str.removesuffix(".0"),
            "confidence": edges["confidence"],
            "note": edges["note"],
            "source": edges["source"] + length_source,
        }
    )


def _node_table(nodes: pd.DataFrame) -> pd.DataFrame:
    prefix = nodes["node"].str.extract(r"^(gn|osm)\d+$", expand=False)
    table = pd.DataFrame(
        {
            "id": nodes["node"],
            "name": nodes["name"],
            "lon": nodes["lon"],
            "lat": nodes["lat"],
            "kind": nodes["kind"],
            "licence": prefix.map(_LICENCES).fillna(_OWN_POINT),
        }
    )
    say(f"  nodes: {table['licence'].value_counts().to_dict()}")
    return table.sort_values("id")
