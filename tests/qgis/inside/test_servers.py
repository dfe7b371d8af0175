"""Layers that live on servers: PostGIS, WFS 1.1 and OGC API Features (WFS 3), served here for the test."""

import http.server
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from conftest import run
from test_layers import moran

BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), Path("/nonexistent"))
N = 36


@pytest.fixture(scope="module")
def postgis(qgis_app, tmp_path_factory):
    """Start a PostGIS of our own and return the connection of its database; skip where there is none."""
    if not (BIN / "initdb").is_file() or not list(Path("/usr/share/postgresql").glob("*/extension/postgis.control")):
        pytest.skip("PostGIS is not installed (apt install postgresql postgis)")
    if os.getuid() == 0 and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root")
    folder = Path("/tmp") / f"kazgeo_pg_{os.getpid()}"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    data = folder / "data"

    def ask(*command):
        subprocess.run([*user, *map(str, command)], check=True, capture_output=True, cwd=folder)

    ask(BIN / "initdb", "-D", data, "-U", "kazgeo", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8")
    ask(BIN / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", f"-p 54329 -k {folder} -c listen_addresses=''",
        "start")  # fmt: skip
    try:
        sql = folder / "make.sql"
        sql.write_text(_SQL, encoding="utf-8")
        ask(BIN / "psql", "-h", folder, "-p", "54329", "-U", "kazgeo", "-d", "postgres", "-v", "ON_ERROR_STOP=1",
            "-q", "-f", sql)  # fmt: skip
        yield f"host='{folder}' port=54329 dbname='postgres' user='kazgeo'"
    finally:
        ask(BIN / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


_SQL = """
CREATE EXTENSION postgis;
CREATE TABLE "Аудандар" (gid serial PRIMARY KEY, "Аты" text, "Мән" double precision, big numeric(20,6), day date,
  tags text[], doc jsonb, geom geometry(MultiPolygon, 4326));
INSERT INTO "Аудандар" ("Аты", "Мән", big, day, tags, doc, geom)
SELECT 'Ақмола ' || i, (i % 7) + 0.1234567890123, i * 1.5, DATE '2020-01-01' + i, ARRAY['a','ә'], '{"қ": 1}',
  ST_Multi(ST_MakeEnvelope(66 + (i % 6) * 0.1, 48 + (i / 6) * 0.1, 66.1 + (i % 6) * 0.1, 48.1 + (i / 6) * 0.1, 4326))
FROM generate_series(0, 35) AS i;
INSERT INTO "Аудандар" ("Аты", "Мән", geom) VALUES ('жерсіз', 1, NULL);
"""


def layer_of(connection, where=""):
    from qgis.core import QgsVectorLayer

    uri = f'{connection} key=\'gid\' srid=4326 type=MultiPolygon table="public"."Аудандар" (geom)'
    layer = QgsVectorLayer(f"{uri} sql={where}" if where else uri, "Аудандар", "postgres")
    assert layer.isValid()
    return layer


def test_postgis_whole_filtered_and_edited(postgis, provider, engine, tmp_path):
    from qgis.core import QgsProcessingFeedback

    layer, feedback = layer_of(postgis), QgsProcessingFeedback()
    made = moran(layer, tmp_path / "a.gpkg", INDICATOR="Мән", feedback=feedback)
    assert made.featureCount() == N
    assert "features without a geometry, left out: 1" in feedback.textLog()
    one = next(f for f in made.getFeatures() if f["Аты"] == "Ақмола 5")
    assert one["Мән"] == 5.1234567890123
    assert one["big"] == 7.5
    assert '"қ"' in one["doc"]
    assert "ә" in one["tags"]
    filtered = layer_of(postgis, '"Мән" > 2')
    assert moran(filtered, tmp_path / "b.gpkg", INDICATOR="Мән").featureCount() == filtered.featureCount() < N
    layer.startEditing()
    layer.deleteFeatures([f.id() for f in layer.getFeatures()][:4])
    assert moran(layer, tmp_path / "c.gpkg", INDICATOR="Мән").featureCount() == N - 4
    layer.rollBack()


class Api(http.server.BaseHTTPRequestHandler):
    """The least of OGC API Features: a landing page, one collection, its items page by page."""

    def log_message(self, *what):
        """Say nothing."""

    def do_GET(self):
        """Answer."""
        asked, me = urlparse(self.path), f"http://127.0.0.1:{self.server.server_port}"
        name = "audandar"
        items = f"{me}/collections/{name}/items"
        collection = {"id": name, "title": "Аудандар", "extent": {"spatial": {"bbox": [[66, 48, 67, 49]]}},
                      "links": [{"rel": "items", "type": "application/geo+json", "href": items}],
                      "crs": ["http://www.opengis.net/def/crs/OGC/1.3/CRS84"]}  # fmt: skip
        pages = {
            "/": {"title": "t", "links": [
                {"rel": "data", "type": "application/json", "href": f"{me}/collections"},
                {"rel": "service-desc", "type": "application/vnd.oai.openapi+json;version=3.0", "href": f"{me}/api"},
                {"rel": "conformance", "type": "application/json", "href": f"{me}/conformance"}]},
            "/api": {"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": {}},
            "/conformance": {"conformsTo": ["http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"]},
            "/collections": {"collections": [collection], "links": []},
            f"/collections/{name}": collection,
        }  # fmt: skip
        path = asked.path.rstrip("/") or "/"
        body = pages.get(path) or (self.items(me, name, parse_qs(asked.query)) if path.endswith("/items") else None)
        data = json.dumps(body or {}).encode()
        self.send_response(200 if body else 404)
        kind = "application/geo+json" if path.endswith("/items") else "application/json"
        self.send_header("Content-Type", "application/vnd.oai.openapi+json;version=3.0" if path == "/api" else kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def items(self, me, name, query):
        """Return one page of features."""
        size, start = int(query.get("limit", ["10"])[0]), int(query.get("offset", ["0"])[0])
        features = []
        for i in range(start, min(start + size, N)):
            x, y = 66 + i % 6 / 10, 48 + i // 6 / 10
            ring = [[x, y], [x + 0.1, y], [x + 0.1, y + 0.1], [x, y + 0.1], [x, y]]
            features.append({"type": "Feature", "id": f"f{i}", "properties": {"Аты": f"Ақмола {i}", "мән": i % 7 + 0.5},
                             "geometry": {"type": "Polygon", "coordinates": [ring]}})  # fmt: skip
        links = []
        if start + size < N:
            href = f"{me}/collections/{name}/items?limit={size}&offset={start + size}"
            links = [{"rel": "next", "type": "application/geo+json", "href": href}]
        return {"type": "FeatureCollection", "features": features, "links": links, "numberMatched": N,
                "numberReturned": len(features)}  # fmt: skip


@pytest.fixture
def api():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def test_features_of_a_web_service(api, provider, engine, tmp_path):
    from qgis.core import QgsVectorLayer

    uri = f"url='{api}' typename='audandar' pageSize='10' pagingEnabled='true'"
    layer = QgsVectorLayer(uri, "Аудандар", "OAPIF")
    if not layer.isValid():
        pytest.skip("this QGIS has no provider OAPIF")
    made = moran(layer, tmp_path / "o.gpkg")
    assert made.featureCount() == N
    assert {f["Аты"] for f in made.getFeatures()} == {f"Ақмола {i}" for i in range(N)}
    done = run("getis_ord", UNITS=layer, INDICATOR="мән", OUTPUT=str(tmp_path / "g.gpkg"))
    assert done["FINDINGS"]


class Wfs(http.server.BaseHTTPRequestHandler):
    """The least of WFS 1.1.0: capabilities, schema, all features as GML 3."""

    def log_message(self, *what):
        """Say nothing."""

    def do_GET(self):
        """Answer."""
        asked = {k.lower(): v[0] for k, v in parse_qs(urlparse(self.path).query).items()}
        me = f"http://127.0.0.1:{self.server.server_port}/"
        made = {"GetCapabilities": _CAPABILITIES.format(me=me), "DescribeFeatureType": _SCHEMA}
        body = made.get(asked.get("request", "")) or self.features(asked)
        data = body.encode("utf-8")
        self.send_response(200)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def features(self, asked):
        """Return all features, or only their number."""
        if asked.get("resulttype") == "hits":
            return f'<wfs:FeatureCollection {_SPACES} numberOfFeatures="{N}"/>'
        rows = []
        for i in range(N):
            x, y = 66 + i % 6 / 10, 48 + i // 6 / 10
            ring = f"{x} {y} {x + 0.1} {y} {x + 0.1} {y + 0.1} {x} {y + 0.1} {x} {y}"
            rows.append(
                f'<gml:featureMember><k:audandar gml:id="audandar.{i}"><k:name>Ақмола {i}</k:name>'
                f'<k:value>{i % 7 + 0.5}</k:value><k:geom><gml:Polygon srsName="EPSG:4326"><gml:exterior>'
                f"<gml:LinearRing><gml:posList>{ring}</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>"
                f"</k:geom></k:audandar></gml:featureMember>"
            )
        return f'<wfs:FeatureCollection {_SPACES} numberOfFeatures="{N}">{"".join(rows)}</wfs:FeatureCollection>'


_SPACES = (
    'xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" '
    'xmlns:ows="http://www.opengis.net/ows" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:k="http://k"'
)
_CAPABILITIES = f"""<?xml version="1.0" encoding="UTF-8"?><wfs:WFS_Capabilities version="1.1.0" {_SPACES}>
<ows:OperationsMetadata>
<ows:Operation name="GetFeature"><ows:DCP><ows:HTTP><ows:Get xlink:href="{{me}}"/></ows:HTTP></ows:DCP></ows:Operation>
<ows:Operation name="DescribeFeatureType"><ows:DCP><ows:HTTP><ows:Get xlink:href="{{me}}"/></ows:HTTP></ows:DCP>
</ows:Operation></ows:OperationsMetadata>
<wfs:FeatureTypeList><wfs:FeatureType><wfs:Name>k:audandar</wfs:Name><wfs:Title>Аудандар</wfs:Title>
<wfs:DefaultSRS>EPSG:4326</wfs:DefaultSRS><ows:WGS84BoundingBox><ows:LowerCorner>66 48</ows:LowerCorner>
<ows:UpperCorner>67 49</ows:UpperCorner></ows:WGS84BoundingBox></wfs:FeatureType></wfs:FeatureTypeList>
</wfs:WFS_Capabilities>"""
_SCHEMA = """<?xml version="1.0" encoding="UTF-8"?><xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema"
xmlns:gml="http://www.opengis.net/gml" xmlns:k="http://k" targetNamespace="http://k" elementFormDefault="qualified">
<xsd:complexType name="audandarType"><xsd:complexContent><xsd:extension base="gml:AbstractFeatureType"><xsd:sequence>
<xsd:element name="name" type="xsd:string"/><xsd:element name="value" type="xsd:double"/>
<xsd:element name="geom" type="gml:PolygonPropertyType"/></xsd:sequence></xsd:extension></xsd:complexContent>
</xsd:complexType><xsd:element name="audandar" type="k:audandarType" substitutionGroup="gml:_Feature"/></xsd:schema>"""


def test_features_of_a_wfs(provider, engine, tmp_path):
    from qgis.core import QgsVectorLayer

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Wfs)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        uri = f"url='http://127.0.0.1:{server.server_port}/' typename='k:audandar' version='1.1.0' srsname='EPSG:4326'"
        layer = QgsVectorLayer(f"{uri} IgnoreAxisOrientation='1'", "Аудандар", "WFS")
        assert layer.isValid()
        made = moran(layer, tmp_path / "o.gpkg", INDICATOR="value")
        assert made.featureCount() == N
        assert {f["name"] for f in made.getFeatures()} == {f"Ақмола {i}" for i in range(N)}
    finally:
        server.shutdown()
