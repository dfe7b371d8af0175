"""The engine seen from QGIS: warm, cancelled at once, killed, missing, of another protocol, two at once, no leak."""

import gc
import os
import stat
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest
from conftest import run
from test_layers import make_squares

MINUTE = 60


def quick(layer, out):
    return {"UNITS": layer, "INDICATOR": "мән", "PERMUTATIONS": 99, "OUTPUT": str(out)}


def run_slow(out, feedback=None):
    """Run an analysis of most of a minute on the quickest machine there is, for it to be ended from outside."""
    squares = make_squares(1200, step=0.01)
    return run("losh", feedback=feedback, **{**quick(squares, out), "PERMUTATIONS": 999_999})


def children() -> list:
    """Return the running engines that this process has started."""
    told = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "stat=,args="], capture_output=True, text=True)
    return [line for line in told.stdout.splitlines() if "kazgeo.worker" in line and not line.startswith("Z")]


def handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def client(provider, engine):
    from kazgeo_qgis.engine.client import client

    yield client
    client.stop()
    assert children() == []


def test_second_run_is_warm(client, tmp_path):
    layer = make_squares()
    client.stop()
    times = []
    for i in range(3):
        started = time.monotonic()
        run("local_moran", **{**quick(layer, tmp_path / f"o{i}.gpkg"), "PERMUTATIONS": 9999})
        times.append(time.monotonic() - started)
    print(f"\nlocal Moran, 36 squares: first {times[0]:.2f} s, then {times[1]:.2f} s, {times[2]:.2f} s")
    assert len(children()) == 1
    assert min(times[1:]) < times[0]


def test_cancel_returns_within_a_second_and_leaves_no_child_at_work(client, tmp_path):
    from qgis.core import QgsProcessingFeedback

    layer, feedback = make_squares(), QgsProcessingFeedback()
    run("local_moran", **quick(layer, tmp_path / "warm.gpkg"))
    asked = []

    def cancel():
        time.sleep(1.0)
        asked.append(time.monotonic())
        feedback.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    done = run_slow(tmp_path / "o.gpkg", feedback)
    took = time.monotonic() - asked[0]
    thread.join()
    assert took < 1.0
    assert "OUTPUT" not in done
    assert not (tmp_path / "o.gpkg").exists()
    time.sleep(0.3)
    assert len(children()) <= 1
    assert busy(children()) == 0
    assert run("local_moran", **quick(layer, tmp_path / "o.gpkg"))["OUTPUT"]


def busy(found: list) -> int:
    """Return how many of the processes use the processor."""
    return sum(line.startswith("R") for line in found)


def test_killed_engine_is_an_error_and_the_next_run_works(client, tmp_path):
    from qgis.core import QgsProcessingException

    layer = make_squares()
    run("local_moran", **quick(layer, tmp_path / "warm.gpkg"))
    thread = threading.Timer(
        1.0, lambda: subprocess.run(["pkill", "-9", "-P", str(os.getpid()), "-f", "kazgeo.worker"])
    )
    thread.start()
    with pytest.raises(QgsProcessingException, match="the next run starts it again"):
        run_slow(tmp_path / "o.gpkg")
    thread.join()
    assert run("local_moran", **quick(layer, tmp_path / "o.gpkg"))["OUTPUT"]


def test_engine_that_was_killed_while_idle_is_replaced(client, tmp_path):
    layer = make_squares()
    run("local_moran", **quick(layer, tmp_path / "a.gpkg"))
    subprocess.run(["pkill", "-9", "-P", str(os.getpid()), "-f", "kazgeo.worker"])
    time.sleep(0.3)
    assert run("local_moran", **quick(layer, tmp_path / "b.gpkg"))["OUTPUT"]


def test_idle_engine_ends_and_comes_back(client, tmp_path, monkeypatch):
    from kazgeo_qgis import settings

    monkeypatch.setitem(settings.DEFAULTS, "idle_minutes", 0.01)
    layer = make_squares()
    run("local_moran", **quick(layer, tmp_path / "a.gpkg"))
    end = time.monotonic() + 10
    while children() and time.monotonic() < end:
        time.sleep(0.1)
    assert children() == []
    assert run("local_moran", **quick(layer, tmp_path / "b.gpkg"))["OUTPUT"]


def test_without_an_engine_everything_is_listed_and_one_sentence_says_what_to_do(provider, monkeypatch):
    monkeypatch.delenv("KAZGEO_PYTHON")
    assert len(provider.algorithms()) >= 16
    good, why = provider.algorithm("local_moran").canExecute()
    assert not good
    assert "Create environment" in why
    assert "\n" not in why


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('exec /usr/bin/python3 "$@"', "has no KazGeo"),
        ('echo \'{"type": "hello", "protocol": 99, "kazgeo": "9"}\'; sleep 60', "protocol 99, the plugin 1"),
        ("echo broken >&2; exit 3", "can't start: broken"),
    ],
)
def test_an_engine_that_does_not_fit_is_refused_in_a_sentence(provider, engine, monkeypatch, tmp_path, script, said):
    from kazgeo_qgis.engine.client import client
    from qgis.core import QgsProcessingException

    client.stop()
    fake = tmp_path / "python"
    fake.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("KAZGEO_PYTHON", str(fake))
    with pytest.raises(QgsProcessingException) as error:
        run("local_moran", **quick(make_squares(), tmp_path / "o.gpkg"))
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert children() == []


def test_two_runs_at_once_wait_for_each_other(client, provider, tmp_path):
    from qgis.core import QgsApplication, QgsProcessingAlgRunnerTask, QgsProcessingContext, QgsProcessingFeedback

    layers = [make_squares(), make_squares()]
    done, keep = [], []
    for i, layer in enumerate(layers):
        context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
        algorithm = provider.algorithm("local_moran").create()
        given = {**quick(layer, tmp_path / f"o{i}.gpkg"), "PERMUTATIONS": 9999}
        task = QgsProcessingAlgRunnerTask(algorithm, given, context, feedback)
        task.executed.connect(lambda good, results: done.append((good, results)))
        keep.append((context, feedback, algorithm, task))
        QgsApplication.taskManager().addTask(task)
    end = time.monotonic() + MINUTE
    while len(done) < 2 and time.monotonic() < end:
        QgsApplication.processEvents()
        time.sleep(0.01)
    assert [good for good, _ in done] == [True, True]
    assert all((tmp_path / f"o{i}.gpkg").is_file() for i in range(2))
    assert len(children()) == 1


def test_leaks_of_qgis_do_not_reach_the_engine(client, tmp_path, monkeypatch):
    for name in ("PYTHONPATH", "PYTHONHOME", "PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "GDAL_DRIVER_PATH"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("PYTHONEXECUTABLE", "/usr/bin/python3")
    client.stop()
    assert run("local_moran", **quick(make_squares(), tmp_path / "o.gpkg"))["OUTPUT"]


def test_50_runs_leave_no_child_no_file_and_no_handle(client, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # what others leave in /tmp is not ours
    client.stop()
    layer = make_squares()
    out = tmp_path / "o.gpkg"
    for _ in range(3):
        run("local_moran", **quick(layer, out))
    gc.collect()
    before = handles()
    for _ in range(50):
        run("local_moran", **quick(layer, out))
    gc.collect()
    assert len(children()) == 1
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("kazgeo_")] == []
    assert handles() <= before + 2
    client.stop()
    assert children() == []


def test_cancel_is_heard_by_an_engine_that_talks_without_end(provider, engine, tmp_path, monkeypatch):
    from kazgeo_qgis.engine.client import client
    from qgis.core import QgsProcessingFeedback

    client.stop()
    fake = tmp_path / "python"
    fake.write_text(
        "#!/usr/bin/python3\nimport time\n"
        'print(\'{"type": "hello", "protocol": 1, "kazgeo": "0"}\', flush=True)\n'
        'while True:\n    print(\'{"type": "log", "text": "x"}\', flush=True)\n    time.sleep(0.01)\n',
        encoding="utf-8",
    )
    fake.chmod(0o755)
    monkeypatch.setenv("KAZGEO_PYTHON", str(fake))
    feedback = QgsProcessingFeedback()
    threading.Timer(1.0, feedback.cancel).start()
    started = time.monotonic()
    run("local_moran", feedback=feedback, **quick(make_squares(), tmp_path / "o.gpkg"))
    assert time.monotonic() - started < 2.5
    assert children() == []


def test_cancel_while_the_result_is_written_leaves_nothing_beside_it(client, tmp_path):
    """The engine hears nothing while GDAL writes; it goes by itself and takes the unfinished file along."""
    from kazgeo_qgis.engine.client import Cancelled
    from qgis.core import QgsProcessingFeedback

    code = (
        "import sys, time, types\n"
        "from kazgeo.provenance import replacing\n"
        "from kazgeo.worker import jobs\n"
        "def long(job, progress, tell):\n"
        "    with replacing(job['target']) as beside:\n"
        "        beside.with_name(beside.name + '-journal').write_text('x')\n"
        "        time.sleep(30)\n"
        "jobs._answer = long\n"
        "sys.argv = ['worker', '--idle', '60']\n"
        "from kazgeo.worker.__main__ import main\n"
        "main()\n"
    )
    fake = tmp_path / "python"
    (tmp_path / "slow.py").write_text(code, encoding="utf-8")
    fake.write_text(f"#!/bin/sh\nexec {os.environ['KAZGEO_PYTHON']} {tmp_path / 'slow.py'}\n", encoding="utf-8")
    fake.chmod(0o755)
    out = tmp_path / "out"
    out.mkdir()
    feedback = QgsProcessingFeedback()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAZGEO_PYTHON", str(fake))
        client.stop()
        threading.Timer(3.0, feedback.cancel).start()
        started = time.monotonic()
        with pytest.raises(Cancelled):
            client.run({"type": "x", "target": str(out / "o.gpkg")}, feedback)
        assert time.monotonic() - started < 4.0
        client.stop()
    assert list(out.iterdir()) == []


def test_cancelled_and_failed_runs_leave_no_file(client, tmp_path, monkeypatch):
    from qgis.core import QgsProcessingException, QgsProcessingFeedback

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    layer = make_squares()
    run("local_moran", **quick(layer, tmp_path / "warm.gpkg"))
    for i in range(5):
        feedback = QgsProcessingFeedback()
        threading.Timer(0.2, feedback.cancel).start()
        run_slow(tmp_path / f"c{i}.gpkg", feedback)
        with pytest.raises(QgsProcessingException):
            run("local_moran", **{**quick(layer, tmp_path / f"f{i}.gpkg"), "K": 1, "ALPHA": 99})
    assert [p.name for p in tmp_path.iterdir() if "kazgeo_" in p.name or p.name.startswith(("c", "f", "."))] == []
