"""Digests, and files that are whole or absent whatever happens to the writer."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo.errors import InputError
from kazgeo.provenance import code_digest, digest, replacing, sha256, versions, write_json

SLOW = [HealthCheck.too_slow]  # a busy machine is no fault of the law
LAWS = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=SLOW)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@LAWS
@given(st.dictionaries(st.text(), PLAIN, max_size=5), st.randoms(use_true_random=False))
def test_a_digest_doesnt_depend_on_the_order_of_keys(value, shuffler):
    keys = list(value)
    shuffler.shuffle(keys)
    assert digest({k: value[k] for k in keys}) == digest(value)
    assert digest({**value, "one key more \u0000": 1}) != digest(value)


def test_sums_of_files(tmp_path):
    content = b"\x00\xff" * 1_500_000
    (tmp_path / "a").write_bytes(content)
    assert sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match="can't be read"):
            sha256(path)
    assert len(code_digest()) == 64
    assert code_digest() == code_digest()
    assert {"kazgeo", "python", "geopandas", "shapely"} <= set(versions())


def test_success_replaces_and_failure_keeps(tmp_path):
    target = tmp_path / "deep" / "folder" / "r.csv"
    with replacing(target) as beside:
        assert beside.parent == target.parent
        assert beside.suffix == ".csv"
        beside.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o600 == 0o600
    for fault in (
        RuntimeError("ours"),
        KeyboardInterrupt(),
        OSError(28, "No space left on device"),
        InputError("yours"),
    ):
        with pytest.raises((type(fault), InputError)):
            fail_half_way(target, fault)
        assert target.read_text() == "new"
        assert [p.name for p in target.parent.iterdir()] == ["r.csv"]


def fail_half_way(target, fault):
    with replacing(target) as beside:
        beside.write_text("half")
        raise fault


def test_messages_name_the_file_that_was_asked_for(tmp_path):
    target = tmp_path / "r.csv"
    with pytest.raises(InputError, match="No space left on device; free some space") as caught, replacing(target):
        raise OSError(28, "No space left on device")
    assert str(target) in str(caught.value)
    with pytest.raises(InputError) as caught, replacing(target) as beside:
        raise InputError(f"'{beside}' is not whole")
    assert str(caught.value) == f"'{target}' is not whole"
    with pytest.raises(InputError, match="is a folder; name a file"), replacing(tmp_path):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="can't be written"), replacing(tmp_path / "file" / "r.csv"):
        pass


def test_json_is_readable_and_whole(tmp_path):
    write_json(tmp_path / "p.json", {"name": "Ұлытау </script>", "path": tmp_path})
    text = (tmp_path / "p.json").read_text(encoding="utf-8")
    assert "Ұлытау" in text
    assert json.loads(text) == {"name": "Ұлытау </script>", "path": str(tmp_path)}
    with pytest.raises(ValueError, match="Circular"):
        write_json(tmp_path / "p.json", circle())
    assert (tmp_path / "p.json").read_text(encoding="utf-8") == text
    assert len(list(tmp_path.iterdir())) == 1


def circle():
    ring = {}
    ring["self"] = ring
    return ring


def test_two_writers_at_once_leave_one_whole_file(tmp_path):
    target = tmp_path / "r.txt"

    def write(letter):
        for _ in range(20):
            with replacing(target) as beside:
                beside.write_text(letter * 10_000)

    writers = [threading.Thread(target=write, args=(c,)) for c in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert target.read_text() in {c * 10_000 for c in "abc"}
    assert [p.name for p in tmp_path.iterdir()] == ["r.txt"]


KILLED = """
import sys
from kazgeo.provenance import replacing
with replacing(sys.argv[1]) as beside:
    with beside.open("w") as file:
        file.write("half")
        file.flush()
        print("writing", flush=True)
        sys.stdin.read()
"""


@pytest.mark.parametrize(("how", "leftovers"), [(signal.SIGKILL, 1), (signal.SIGINT, 0)])
def test_a_killed_writer_leaves_the_old_file_whole(tmp_path, how, leftovers):
    """Against SIGKILL nobody can tidy up: a hidden file stays; never a half-written result under its own name."""
    target = tmp_path / "r.csv"
    target.write_text("old")
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(target)], stdin=-1, stdout=-1, stderr=-1, text=True
    ) as writer:
        assert writer.stdout.readline() == "writing\n"
        writer.send_signal(how)
        writer.wait(timeout=20)
    assert writer.returncode != 0
    assert target.read_text() == "old"
    others = [p.name for p in tmp_path.iterdir() if p != target]
    assert len(others) == leftovers
    assert all(name.startswith(".kazgeo-") for name in others)
    write_json(target.with_suffix(".json"), {})
    with replacing(target) as beside:
        beside.write_text("new")
    assert target.read_text() == "new"
