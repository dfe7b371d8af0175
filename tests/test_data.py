"""kazgeo.data: the catalogue, the embedded data, fetching against a server that misbehaves."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_server import Site, dead_address, serving

from kazgeo import data
from kazgeo.data import _download, _fetch
from kazgeo.data._catalogue import read_catalogue
from kazgeo.data._embedded import _embedded
from kazgeo.errors import Cancelled, InputError

BODY = random.Random(5).randbytes(300_000)
OTHER = random.Random(6).randbytes(300_000)
SHARED = Path(os.environ.get("KAZGEO_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="no mirror: set KAZGEO_SHARED to the shared folder")


def sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(data.MIRROR_VARIABLE, raising=False)
    monkeypatch.delenv(data.CACHE_VARIABLE, raising=False)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    defaults = _download.ResumingDownloader.__init__.__kwdefaults__
    monkeypatch.setitem(defaults, "pauses_s", (0.0, 0.01))
    monkeypatch.setitem(defaults, "timeout_s", 5.0)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving({"a.bin": BODY, "b.bin": OTHER}) as running:
        yield running


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch):
    """Replace the catalogue by one data set ``x`` with the given files."""

    def put(*files: dict[str, object], converted: tuple[dict[str, object], ...] = ()) -> None:
        lines = ['[x]\ntitle="X"\naddress="https://example.org"\nlicence="CC0"\nattribution="nobody"']
        for kind, entries in (("files", files), ("converted", converted)):
            for entry in entries:
                entry = {"sha256": "", **entry}
                if entry["sha256"]:
                    entry["sha256_source"] = "the test"
                lines.append(f"[[x.{kind}]]")
                lines += [f"{k} = {v}" if isinstance(v, int) else f'{k} = "{v}"' for k, v in entry.items()]
        monkeypatch.setattr(_fetch, "CATALOGUE", read_catalogue("\n".join(lines)))

    return put


def files_in(folder: Path) -> set[str]:
    return {p.name for p in folder.rglob("*") if p.is_file() and p.name != ".lock"}


# ---------------------------------------------------------------- catalogue


def test_every_entry_says_where_from_and_under_which_terms() -> None:
    wanted = {"districts-2018", "districts-2024", "oblasts-2018", "oblasts-2024", "settlements-osm", "kato"}
    wanted |= {"population-2023", "osm-extract", "population-raster"}
    assert wanted <= set(data.CATALOGUE)
    for dataset in data.CATALOGUE.values():
        assert dataset.licence
        assert dataset.attribution
        assert dataset.address.startswith("https://")
        assert dataset.licence == "not confirmed" or dataset.licence_address.startswith("https://")
        for file in (*dataset.files, *dataset.converted):
            assert file.address.startswith("https://") or file in dataset.converted
            assert (file.sha256 is None) == (file.sha256_source == "")


def test_a_shapefile_comes_with_all_its_parts_and_the_one_to_open_first() -> None:
    for name in ("districts-2024", "districts-2018", "oblasts-2024", "oblasts-2018"):
        suffixes = [Path(f.name).suffix for f in data.CATALOGUE[name].files]
        assert suffixes == [".shp", ".shx", ".dbf", ".prj", ".cpg"]


@pytest.mark.parametrize(
    "bad", ["../a", "a/b", "/etc/passwd", "..", ".", "", ".hidden", "a\\\\b", "C:a", "a b", "a.part", "a.sha256"]
)
@pytest.mark.parametrize("key", ["name", "mirror_name"])
def test_a_file_name_never_leaves_the_cache(offer, bad: str, key: str) -> None:
    entry: dict[str, object] = {"name": "a.bin", "address": "https://example.org/a"}
    with pytest.raises(InputError, match="must be a plain name"):
        offer(entry | {key: bad})


def test_the_catalogue_lists_all_its_faults_at_once() -> None:
    text = '[x]\ntitle="X"\nfiles=[{name="a", sha256="12", address="ftp://x/a"}, {name="a", sha256=""}]'
    with pytest.raises(InputError) as caught:
        read_catalogue(text)
    for fault in ("licence is empty", "attribution is empty", "one file twice", "64 lower-case hex", "ftp://x/a"):
        assert fault in str(caught.value)


def test_unknown_name_suggests() -> None:
    with pytest.raises(InputError, match="did you mean 'districts-2024'"):
        data.fetch("distrcts-2024")


# ---------------------------------------------------------------- embedded


def test_embedded_is_the_checkout_here() -> None:
    assert data.embedded() == Path(__file__).resolve().parents[1] / "data" / "kazakhstan"


def test_embedded_falls_back_to_the_wheel_and_else_says_where_it_looked(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "kazgeo"
    (package / "_embedded" / "kazakhstan").mkdir(parents=True)
    (package / "_embedded" / "kazakhstan" / "project.toml").touch()
    (tmp_path / "site-packages" / "data" / "kazakhstan").mkdir(parents=True)  # somebody else's
    assert _embedded("kazakhstan", package) == package / "_embedded" / "kazakhstan"
    with pytest.raises(InputError, match="not part of KazGeo"):
        _embedded("..", package)
    with pytest.raises(InputError, match=r"is missing: looked in .*_embedded; install"):
        _embedded("kazakhstan", tmp_path / "nowhere" / "kazgeo")


# ---------------------------------------------------------------- downloads that succeed


def test_fetch_verifies_keeps_and_does_not_ask_again(site: Site, offer, cache: Path) -> None:
    offer({"name": "a.bin", "address": site.url("ranges", "a.bin"), "sha256": sha(BODY)})
    told: list[tuple[float, str]] = []
    assert data.available("x", folder=cache) is None
    paths = data.fetch("x", folder=cache, progress=lambda f, m: told.append((f, m)))
    assert [p.read_bytes() for p in paths] == [BODY]
    assert files_in(cache) == {"a.bin"}
    assert [f for f, _ in told] == sorted(f for f, _ in told)
    assert told[-1] == (1.0, "a.bin: 0.3 of 0.3 MB")
    assert data.fetch("x", folder=cache) == paths == data.available("x", folder=cache)
    assert len(site.asked) == 1


@pytest.mark.parametrize("mode", ["plain", "norange", "moved", "error"])
def test_other_servers_that_do_work(site: Site, offer, cache: Path, mode: str) -> None:
    offer({"name": "a.bin", "address": site.url(mode, "a.bin"), "sha256": sha(BODY)})
    assert data.fetch("x", folder=cache)[0].read_bytes() == BODY
    assert files_in(cache) == {"a.bin"}


def test_a_broken_connection_is_gone_on_with(site: Site, offer, cache: Path) -> None:
    offer({"name": "a.bin", "address": site.url("drops", "a.bin"), "sha256": sha(BODY)})
    assert data.fetch("x", folder=cache)[0].read_bytes() == BODY
    first, second = site.asked
    assert first.range == ""
    assert second.if_range == site.etag
    assert 0 < int(second.range.removeprefix("bytes=").rstrip("-")) <= len(BODY) // 2


@pytest.mark.parametrize("mode", ["dropsnorange", "wrongrange"])
def test_a_server_without_ranges_starts_again_cleanly(site: Site, offer, cache: Path, mode: str) -> None:
    offer({"name": "a.bin", "address": site.url(mode, "a.bin"), "sha256": sha(BODY)})
    assert data.fetch("x", folder=cache)[0].read_bytes() == BODY
    assert site.asked[1].range != ""


def test_the_part_of_yesterday_is_not_joined_to_the_file_of_today(site: Site, offer, cache: Path) -> None:
    site.drops_left = 3  # as often as is tried
    offer({"name": "a.bin", "address": site.url("drops", "a.bin"), "sha256": sha(OTHER)})
    with pytest.raises(InputError, match=r"broke off after more than .* of 300000 bytes"):
        data.fetch("x", folder=cache)
    assert (cache / "x" / "a.bin.part").stat().st_size > 0
    site.etag, site.files["a.bin"] = '"two"', OTHER
    assert data.fetch("x", folder=cache)[0].read_bytes() == OTHER
    assert site.asked[-1].if_range == '"one"'


def test_a_part_that_was_whole_already_is_only_verified(site: Site, offer, cache: Path) -> None:
    url = site.url("ranges", "a.bin")
    offer({"name": "a.bin", "address": url, "sha256": sha(BODY)})
    folder = cache / "x"
    folder.mkdir(parents=True)
    (folder / "a.bin.part").write_bytes(BODY)
    (folder / "a.bin.part.json").write_text(f'{{"address": "{url}", "validator": "\\"one\\""}}'.replace('\\"', '\\"'))
    assert data.fetch("x", folder=cache)[0].read_bytes() == BODY
    assert site.asked[0].range == "bytes=300000-"
    assert files_in(cache) == {"a.bin"}


@pytest.mark.parametrize("state", ["", "[]", "nonsense", '{"address": 5}', '{"address": "http://other/"}'])
def test_a_part_of_unknown_origin_is_started_again(site: Site, offer, cache: Path, state: str) -> None:
    offer({"name": "a.bin", "address": site.url("ranges", "a.bin"), "sha256": sha(BODY)})
    (cache / "x").mkdir(parents=True)
    (cache / "x" / "a.bin.part").write_bytes(b"rubbish" * 50_000)
    (cache / "x" / "a.bin.part.json").write_text(state)
    assert data.fetch("x", folder=cache)[0].read_bytes() == BODY
    assert site.asked[0].range == ""


def test_cancelling_leaves_the_part_and_the_next_try_goes_on(site: Site, offer, cache: Path) -> None:
    offer({"name": "a.bin", "address": site.url("slow", "a.bin"), "sha256": sha(BODY)})

    def cancel(fraction: float, message: str) -> None:
        if fraction > 0.3:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        data.fetch("x", folder=cache, progress=cancel)
    assert files_in(cache) == {"a.bin.part", "a.bin.part.json"}
    part = (cache / "x" / "a.bin.part").read_bytes()
    assert part
    assert BODY.startswith(part)
    site.gate.set()
    assert data.fetch("x", folder=cache)[0].read_bytes() == BODY
    assert site.asked[1].range == f"bytes={len(part)}-"


def test_a_damaged_file_in_the_cache_is_fetched_again(site: Site, offer, cache: Path) -> None:
    offer({"name": "a.bin", "address": site.url("ranges", "a.bin"), "sha256": sha(BODY)})
    path = data.fetch("x", folder=cache)[0]
    path.write_bytes(BODY[:-1])
    assert data.available("x", folder=cache) is None
    assert data.fetch("x", folder=cache)[0].read_bytes() == BODY


def test_pooch_can_use_the_downloader(site: Site, tmp_path: Path) -> None:
    import pooch

    got = pooch.retrieve(
        site.url("drops", "a.bin"), sha(BODY), fname="a", path=tmp_path, downloader=_download.ResumingDownloader()
    )
    assert Path(got).read_bytes() == BODY


# ---------------------------------------------------------------- downloads that fail


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("ranges/none", r"is not there \(HTTP 404\)"),
        ("forbidden/a.bin", r"was refused \(HTTP 403 Forbidden\)"),
        ("truncated/a.bin", "broke off after more than"),
        ("empty/a.bin", "gave an empty file"),
        ("login/a.bin", "gave a web page instead of the file"),
        ("circle/a.bin", "redirects in a circle"),
        ("tofile/a.bin", "can't be asked safely"),
        ("endless/a.bin", "gave more than the 300000 bytes"),
        ("ranges/b.bin", f"expected sha256 {sha(BODY)}, got {sha(OTHER)}"),
    ],
)
def test_one_clear_sentence_and_nothing_under_the_final_name(
    site: Site, offer, cache: Path, mode: str, says: str
) -> None:
    url = f"{site.address}/{mode}"
    offer({"name": "a.bin", "address": url, "sha256": sha(BODY), "size_bytes": len(BODY)})
    with pytest.raises(InputError, match=says) as caught:
        data.fetch("x", folder=cache)
    assert url in str(caught.value)
    assert "\n" not in str(caught.value)
    left = files_in(cache)
    assert left == ({"a.bin.part", "a.bin.part.json"} if "truncated" in mode else set())
    assert not (cache / "x" / "a.bin").exists()


def test_a_server_out_of_order_is_asked_a_bounded_number_of_times(site: Site, offer, cache: Path) -> None:
    site.errors_left = 99
    offer({"name": "a.bin", "address": site.url("error", "a.bin"), "sha256": sha(BODY)})
    with pytest.raises(InputError, match=r"out of order \(HTTP 500"):
        data.fetch("x", folder=cache)
    assert len(site.asked) == 3


def test_a_silent_server_ends_in_a_timeout(site: Site, offer, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_download.ResumingDownloader.__init__.__kwdefaults__, "timeout_s", 0.2)
    offer({"name": "a.bin", "address": site.url("silent", "a.bin"), "sha256": sha(BODY)})
    with pytest.raises(InputError, match=r"did not answer within 0\.2 s"):
        data.fetch("x", folder=cache)


def test_offline_names_the_address_the_mirror_variable_and_the_cache(offer, cache: Path) -> None:
    address = f"{dead_address()}/a.bin"
    offer({"name": "a.bin", "address": address, "sha256": sha(BODY), "mirror_name": "office.bin"})
    with pytest.raises(InputError, match="the network is off") as caught:
        data.fetch("x", folder=cache)
    for wanted in (address, "put 'office.bin' into a folder", "KAZGEO_DATA_MIRROR", str(cache)):
        assert wanted in str(caught.value)
    assert files_in(cache) == set()


def test_an_address_of_another_kind_is_not_opened(tmp_path: Path) -> None:
    for address in ("ftp://127.0.0.1/a", "file:///etc/hostname", "javascript:1", "/etc/hostname"):
        with pytest.raises(InputError, match="neither http nor https"):
            _download.ResumingDownloader()(address, tmp_path / "a.part")
    assert list(tmp_path.iterdir()) == []


def test_a_cache_folder_that_can_not_be_made(site: Site, offer, tmp_path: Path) -> None:
    offer({"name": "a.bin", "address": site.url("ranges", "a.bin"), "sha256": sha(BODY)})
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"can't be written: Not a directory; .*KAZGEO_CACHE"):
        data.fetch("x", folder=tmp_path / "file")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_cache_folder(site: Site, offer, cache: Path) -> None:
    offer({"name": "a.bin", "address": site.url("ranges", "a.bin"), "sha256": sha(BODY)})
    cache.mkdir(mode=0o500)
    with pytest.raises(InputError, match="can't be written: Permission denied"):
        data.fetch("x", folder=cache)


@pytest.mark.skipif(sys.platform == "win32", reason="no RLIMIT_FSIZE there")
@pytest.mark.parametrize("way", ["network", "mirror"])
def test_a_full_disk_is_told_and_nothing_is_half_written(site: Site, tmp_path: Path, way: str) -> None:
    """The kernel refuses the write (RLIMIT_FSIZE) at 100,000 of 300,000 bytes."""
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "a.bin").write_bytes(BODY)
    code = f"""
        import resource
        from kazgeo import data
        from kazgeo.data import _fetch
        from kazgeo.data._catalogue import EXAMPLE, read_catalogue
        text = EXAMPLE.replace("https://example.org/", {site.url("ranges", "")!r}).replace("a.csv", "a.bin")
        _fetch.CATALOGUE = read_catalogue(text)
        import requests
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            data.fetch("x", accept_unverified=True)
        except data._fetch.InputError as error:
            print(error)
    """
    env = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    env |= {"KAZGEO_CACHE": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    if way == "mirror":
        env["KAZGEO_DATA_MIRROR"] = str(mirror)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=env, capture_output=True, text=True, check=True
    )
    assert "can't be written: File too large; free some space" in done.stdout
    assert not (tmp_path / "cache" / "x" / "a.bin").exists()
    assert (tmp_path / "cache" / "x" / "a.bin.part").stat().st_size == 100_000


def test_two_processes_do_not_write_one_file(site: Site, offer, cache: Path) -> None:
    pytest.importorskip("fcntl")
    offer({"name": "a.bin", "address": site.url("ranges", "a.bin"), "sha256": sha(BODY)})
    with (
        _fetch._alone(cache / "x"),
        pytest.raises(InputError, match="being filled by another process"),
    ):
        data.fetch("x", folder=cache)
    assert site.asked == []
    assert data.fetch("x", folder=cache)[0].read_bytes() == BODY


# ---------------------------------------------------------------- hashes nobody recorded


def test_an_unknown_hash_is_shown_and_waits_for_acceptance(site: Site, offer, cache: Path) -> None:
    offer(
        {"name": "a.bin", "address": site.url("ranges", "a.bin")},
        {"name": "b.bin", "address": site.url("ranges", "b.bin")},
    )
    for _ in range(2):
        with pytest.raises(InputError, match="accept it") as caught:
            data.fetch("x", folder=cache)
        assert f"a.bin sha256 {sha(BODY)}" in str(caught.value)
        assert f"b.bin sha256 {sha(OTHER)}" in str(caught.value)
        assert files_in(cache) == {"a.bin.unverified", "b.bin.unverified"}
        assert data.available("x", folder=cache) is None
    paths = data.fetch("x", folder=cache, accept_unverified=True)
    assert [p.read_bytes() for p in paths] == [BODY, OTHER]
    assert len(site.asked) == 2
    assert (cache / "x" / "a.bin.sha256").read_text() == f"{sha(BODY)}  a.bin\n"
    assert data.fetch("x", folder=cache) == data.available("x", folder=cache) == paths
    paths[1].write_bytes(BODY)  # changed behind our back: no longer what was accepted
    assert data.available("x", folder=cache) is None


def test_a_checksum_stated_by_the_publisher_is_enough(site: Site, offer, cache: Path) -> None:
    offer({"name": "a.bin", "address": site.url("ranges", "a.bin"), "checksum": site.url("md5", "a.bin.md5")})
    assert data.fetch("x", folder=cache)[0].read_bytes() == BODY
    assert files_in(cache) == {"a.bin", "a.bin.sha256"}


def test_a_stated_checksum_that_disagrees(site: Site, offer, cache: Path) -> None:
    offer({"name": "a.bin", "address": site.url("ranges", "a.bin"), "checksum": site.url("badmd5", "a.bin.md5")})
    with pytest.raises(InputError, match="expected MD5 0000"):
        data.fetch("x", folder=cache, accept_unverified=True)
    assert files_in(cache) == set()


def test_a_checksum_that_is_gone_leaves_the_file_unverified(site: Site, offer, cache: Path) -> None:
    offer({"name": "a.bin", "address": site.url("ranges", "a.bin"), "checksum": site.url("ranges", "a.bin.md5")})
    with pytest.raises(InputError, match="accept it"):
        data.fetch("x", folder=cache)
    assert files_in(cache) == {"a.bin.unverified"}


# ---------------------------------------------------------------- mirror


@pytest.fixture
def stick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that ``KAZGEO_DATA_MIRROR`` names."""
    folder = tmp_path / "a stick, Қазақстан"
    folder.mkdir()
    monkeypatch.setenv(data.MIRROR_VARIABLE, str(folder))
    return folder


def test_the_mirror_is_looked_at_before_the_network(site: Site, offer, cache: Path, stick: Path) -> None:
    offer({"name": "a.bin", "address": site.url("ranges", "a.bin"), "mirror_name": "office.bin", "sha256": sha(BODY)})
    (stick / "office.bin").write_bytes(BODY)
    assert data.available("x", folder=cache) == [stick / "office.bin"]
    assert data.fetch("x", folder=cache) == [cache / "x" / "a.bin"]
    assert site.asked == []


def test_the_converted_file_of_the_mirror_comes_first(site: Site, offer, cache: Path, stick: Path) -> None:
    offer(
        {"name": "a.bin", "address": site.url("ranges", "a.bin")}, converted=({"name": "c.bin", "sha256": sha(OTHER)},)
    )
    (stick / "c.bin").write_bytes(OTHER)
    assert [p.name for p in data.fetch("x", folder=cache)] == ["c.bin"]
    assert site.asked == []


@pytest.mark.parametrize("body", [OTHER, BODY[:1000]])
def test_a_wrong_file_in_the_mirror_is_an_error_and_nothing_is_kept(
    site: Site, offer, cache: Path, stick: Path, body: bytes
) -> None:
    offer({"name": "a.bin", "address": site.url("ranges", "a.bin"), "sha256": sha(BODY)})
    (stick / "a.bin").write_bytes(body)
    assert data.available("x", folder=cache) is None
    with pytest.raises(InputError, match=f"expected sha256 {sha(BODY)}, got {sha(body)}"):
        data.fetch("x", folder=cache)
    assert files_in(cache) == set()
    assert site.asked == []


def test_an_empty_file_in_the_mirror(offer, cache: Path, stick: Path) -> None:
    offer({"name": "a.bin", "address": f"{dead_address()}/a.bin"})
    (stick / "a.bin").touch()
    with pytest.raises(InputError, match="is an empty file"):
        data.fetch("x", folder=cache)
    assert data.available("x", folder=cache) is None
    assert files_in(cache) == set()


def test_what_the_mirror_lacks_comes_from_the_publisher(site: Site, offer, cache: Path, stick: Path) -> None:
    offer({"name": "a.bin", "address": site.url("ranges", "a.bin"), "sha256": sha(BODY)})
    (stick / "a.bin").mkdir()  # a folder is no file
    assert data.fetch("x", folder=cache)[0].read_bytes() == BODY


def test_half_a_shapefile_in_the_mirror_is_not_taken(site: Site, offer, cache: Path, stick: Path) -> None:
    offer(
        {"name": "a.shp", "address": site.url("ranges", "a.bin"), "sha256": sha(BODY)},
        {"name": "a.dbf", "address": site.url("ranges", "b.bin"), "sha256": sha(OTHER)},
    )
    (stick / "a.shp").write_bytes(BODY)
    assert data.available("x", folder=cache) is None
    paths = data.fetch("x", folder=cache)
    assert [p.read_bytes() for p in paths] == [BODY, OTHER]
    assert [a.path for a in site.asked] == ["/ranges/b.bin"]  # the part that the mirror had is not fetched again


def test_trusted_and_downloaded_halves_are_not_mixed(site: Site, offer, cache: Path, stick: Path) -> None:
    offer(
        {"name": "a.shp", "address": site.url("ranges", "a.bin")},
        {"name": "a.dbf", "address": site.url("ranges", "b.bin")},
    )
    (stick / "a.shp").write_bytes(OTHER)  # of another edition: nothing tells but the missing half
    with pytest.raises(InputError, match="accept it"):
        data.fetch("x", folder=cache)
    assert [p.read_bytes() for p in data.fetch("x", folder=cache, accept_unverified=True)] == [BODY, OTHER]


def test_an_unknown_hash_is_taken_from_a_mirror_that_the_user_chose(offer, cache: Path, stick: Path) -> None:
    offer({"name": "a.bin", "address": f"{dead_address()}/a.bin"})
    (stick / "a.bin").write_bytes(BODY)
    path = data.fetch("x", folder=cache)[0]
    assert path.read_bytes() == BODY
    assert (cache / "x" / "a.bin.sha256").read_text().startswith(sha(BODY))


def test_a_checksum_beside_the_file_in_the_mirror_is_heeded(offer, cache: Path, stick: Path) -> None:
    offer({"name": "a.bin", "address": f"{dead_address()}/a", "checksum": f"{dead_address()}/a.md5"})
    (stick / "a.bin").write_bytes(BODY[:1000])
    (stick / "a.bin.md5").write_text(hashlib.md5(BODY, usedforsecurity=False).hexdigest() + "  a.bin\n")
    with pytest.raises(InputError, match="expected MD5"):
        data.fetch("x", folder=cache)
    (stick / "a.bin").write_bytes(BODY)
    assert data.fetch("x", folder=cache)[0].read_bytes() == BODY


def test_a_mirror_may_be_a_file_address(offer, cache: Path, stick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer({"name": "a.bin", "address": f"{dead_address()}/a.bin", "sha256": sha(BODY)})
    (stick / "a.bin").write_bytes(BODY)
    monkeypatch.setenv(data.MIRROR_VARIABLE, stick.as_uri())
    assert data.fetch("x", folder=cache)[0].read_bytes() == BODY


def test_a_mirror_may_be_a_server(site: Site, offer, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer({"name": "a.bin", "address": f"{dead_address()}/a"}, converted=({"name": "none.bin", "sha256": sha(OTHER)},))
    monkeypatch.setenv(data.MIRROR_VARIABLE, site.url("ranges", ""))
    assert data.available("x", folder=cache) is None  # that would need the network
    assert data.fetch("x", folder=cache)[0].read_bytes() == BODY
    assert [a.path for a in site.asked] == ["/ranges/none.bin", "/ranges/a.bin"]


def test_a_mirror_that_is_down_is_told_and_not_passed_over(
    site: Site, offer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer({"name": "a.bin", "address": site.url("ranges", "a.bin"), "sha256": sha(BODY)})
    dead = dead_address()
    monkeypatch.setenv(data.MIRROR_VARIABLE, dead)
    with pytest.raises(InputError, match=f"can't reach '{dead}"):
        data.fetch("x", folder=cache)
    assert site.asked == []


@pytest.mark.parametrize(
    ("named", "says"), [("no such folder", "is not a folder"), ("ftp://x/y", "wanted a folder or a file, http or")]
)
def test_a_mirror_that_is_none(offer, cache: Path, monkeypatch: pytest.MonkeyPatch, named: str, says: str) -> None:
    offer({"name": "a.bin", "address": f"{dead_address()}/a"})
    monkeypatch.setenv(data.MIRROR_VARIABLE, named)
    for ask in (data.fetch, data.available):
        with pytest.raises(InputError, match=says):
            ask("x", folder=cache)


def test_what_is_published_nowhere_says_what_to_put_where(offer, cache: Path, stick: Path) -> None:
    offer(converted=({"name": "c.gpkg", "sha256": sha(BODY)},))
    with pytest.raises(InputError, match=r"comes from a mirror only; the mirror .* doesn't hold it; put 'c\.gpkg'"):
        data.fetch("x", folder=cache)


def test_cache_folder_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(data.CACHE_VARIABLE, str(tmp_path))
    assert data.cache_folder() == tmp_path
    monkeypatch.delenv(data.CACHE_VARIABLE)
    assert data.cache_folder().name == "kazgeo"
    assert data.cache_folder().is_absolute()


@needs_shared
@pytest.mark.parametrize(
    "name",
    [
        "districts-2018",
        "districts-2024",
        "oblasts-2018",
        "oblasts-2024",
        "settlements-osm",
        "kato",
        "population-2023",
    ],
)
def test_the_shared_folder_is_a_mirror(cache: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(data.MIRROR_VARIABLE, str(SHARED))
    before = data.available(name, folder=cache)
    assert before is not None
    paths = data.fetch(name, folder=cache)
    assert [p.read_bytes() for p in paths] == [p.read_bytes() for p in before]
    assert all(cache in p.parents for p in paths)


@needs_shared
def test_the_publishers_workbook_has_the_hash_of_the_catalogue() -> None:
    path = SHARED / "bns_xlsx" / "city-population__source.xlsx"
    file = data.CATALOGUE["population-2023"].files[0]
    assert sha(path.read_bytes()) == file.sha256
    assert path.stat().st_size == file.size_bytes
