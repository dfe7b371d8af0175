"""Setting up: which engine is used, making its environment, really, with pip, without network."""

import os
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

PLACE = "Қызылорда облысы"
HELLO = 'import json; print(json.dumps({"kazgeo": "9.9", "protocol": %d, "python": "3.11"}))'
#: Says what it has started, then hangs.
HANG = (
    "import subprocess, sys, time; c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print('started', c.pid, flush=True); time.sleep(600)"
)


def wheel(folder: Path, code: str = HELLO % 1, needs: str = "") -> Path:
    """Write a wheel of a KazGeo that does only this."""
    folder.mkdir(parents=True, exist_ok=True)
    info = "kazgeo-9.9.dist-info"
    files = {
        "kazgeo/__init__.py": "",
        "kazgeo/worker/__init__.py": "",
        "kazgeo/worker/__main__.py": code,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: kazgeo\nVersion: 9.9\n"
        + (f"Requires-Dist: {needs}\n" if needs else ""),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    path = folder / "kazgeo-9.9-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def script(path: Path, text: str) -> str:
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def tree(folder: Path) -> dict:
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*") if not p.is_symlink()}


@pytest.fixture(autouse=True)
def clean(qgis_app, monkeypatch):
    """No engine named, nothing in the profile."""
    from kazgeo_qgis import settings
    from kazgeo_qgis.engine.find import profile_environment
    from kazgeo_qgis.engine.install import _remove

    monkeypatch.delenv("KAZGEO_PYTHON", raising=False)
    stored = {name: settings.get(name) for name in settings.DEFAULTS}
    for name, value in settings.DEFAULTS.items():
        settings.put(name, value)
    settings.put("language", "en")
    yield
    for name, value in stored.items():
        settings.put(name, value)
    for path in profile_environment().parent.glob("venv*"):
        _remove(path)


@pytest.fixture
def target(tmp_path):
    return tmp_path / PLACE / "kazgeo" / "venv"


@pytest.fixture(scope="session")
def python():
    from kazgeo_qgis.engine.install import probe

    return probe("/usr/bin/python3")


def make(python, target, **how):
    """Run an installation; return what it answered and what it told."""
    from kazgeo_qgis.engine.install import Installation

    told = []
    return Installation(python, target=target, **how).run(lambda kind, text: told.append((kind, text))), told


def refused(python, target, **how) -> str:
    from kazgeo_qgis.engine.install import InstallFault

    with pytest.raises(InstallFault) as fault:
        make(python, target, **how)
    assert "\n" not in str(fault.value)
    return str(fault.value)


def until(done, seconds=60):
    from qgis.PyQt.QtCore import QCoreApplication

    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "waited in vain"
        QCoreApplication.processEvents()
        time.sleep(0.01)


# --- which engine -------------------------------------------------------------------------------------------


def test_engine_is_named_by_variable_then_options_then_profile(tmp_path, monkeypatch):
    from kazgeo_qgis import settings
    from kazgeo_qgis.engine.find import find, interpreter_of, profile_environment

    own = interpreter_of(profile_environment())
    own.parent.mkdir(parents=True)
    own.write_text("")
    assert (find().python, find().origin) == (str(own), "the profile")
    by_page = script(tmp_path / "page", "")
    settings.put("python_path", by_page)
    assert (find().python, find().origin) == (by_page, "the options page")
    by_variable = script(tmp_path / "variable", "")
    monkeypatch.setenv("KAZGEO_PYTHON", by_variable)
    assert find().python == by_variable
    assert "KAZGEO_PYTHON" in find().origin


def test_no_engine_and_a_named_file_that_is_not_there_are_told():
    from kazgeo_qgis import settings
    from kazgeo_qgis.engine.find import EngineMissing, find

    with pytest.raises(EngineMissing, match="press «Create environment…»"):
        find()
    settings.put("python_path", "/жоқ/python")
    with pytest.raises(EngineMissing, match="options page names does not exist: /жоқ/python"):
        find()


# --- a Python -----------------------------------------------------------------------------------------------


def test_pythons_of_this_computer_are_found():
    from kazgeo_qgis.engine.install import find_pythons

    found = find_pythons()
    paths = [os.path.realpath(p.path) for p in found]
    assert os.path.realpath("/usr/bin/python3") in paths
    assert len(set(paths)) == len(paths)
    assert all(tuple(map(int, p.version.split(".")))[:2] >= (3, 11) for p in found)
    assert found[0].whole


def test_path_of_a_desktop_finds_them_too(monkeypatch):
    from kazgeo_qgis.engine.install import find_pythons

    monkeypatch.setenv("PATH", "")
    assert any(os.path.realpath(p.path) == os.path.realpath("/usr/bin/python3") for p in find_pythons())


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('[[3, 9, 5], "/x", true, true]', "Python 3.9.5; KazGeo needs 3.11"),
        ('[[3, 12, 1], "/x", true, false]', "not the usual 64-bit Python"),
        ('[[3, 12, 1], "C:/Users/A/AppData/Local/Microsoft/WindowsApps/python.exe", true, true]', "Microsoft Store"),
        ("hello", "is no Python that can be started"),
    ],
)
def test_unfit_pythons_are_refused_with_a_sentence(tmp_path, said, why):
    from kazgeo_qgis.engine.install import InstallFault, probe

    with pytest.raises(InstallFault, match=why):
        probe(script(tmp_path / "python", f"echo '{said}'"))


def test_hanging_and_absent_pythons_are_refused(tmp_path, monkeypatch):
    from kazgeo_qgis.engine import pythons

    monkeypatch.setattr(pythons, "PROBE_S", 0.3)
    for path in (script(tmp_path / "python", "exec sleep 60"), "/жоқ/python"):
        with pytest.raises(pythons.InstallFault, match="can be started"):
            pythons.probe(path)


def test_python_of_a_virtual_environment_leads_to_its_base(tmp_path, python):
    from kazgeo_qgis.engine.install import probe

    subprocess.run([python.path, "-m", "venv", "--without-pip", str(tmp_path / "v")], check=True)
    found = probe(str(tmp_path / "v" / "bin" / "python"))
    assert not found.path.startswith(str(tmp_path))
    assert os.path.realpath(found.path) == os.path.realpath("/usr/bin/python3")


@pytest.mark.parametrize(
    ("platform", "path", "ours"),
    [
        ("win32", r"C:\Program Files\QGIS 3.34.1\apps\Python312\python.exe", True),
        ("win32", r"C:\OSGeo4W\apps\Python39\python.exe", True),
        ("darwin", "/Applications/QGIS-LTR.app/Contents/MacOS/bin/python3", True),
        ("win32", r"C:\Users\qgis\AppData\Local\Programs\Python\Python312\python.exe", False),
        ("darwin", "/opt/homebrew/bin/python3.12", False),
        ("linux", "/usr/bin/python3", False),
    ],
)
def test_qgis_own_python_is_known(monkeypatch, platform, path, ours):
    from kazgeo_qgis.engine import pythons

    monkeypatch.setattr(pythons.sys, "platform", platform)
    monkeypatch.setattr(pythons.sys, "prefix", "/somewhere/else")
    monkeypatch.setattr(pythons.sys, "base_prefix", "/somewhere/else")
    monkeypatch.setattr(pythons.sys, "executable", "/somewhere/else/qgis")
    assert pythons.belongs_to_qgis(path) is ours


def test_answer_of_the_windows_launcher_is_read():
    from kazgeo_qgis.engine.pythons import launcher_paths

    said = (
        "Installed Pythons found by py\r\n -V:3.12 *        C:\\Program Files\\Python312\\python.exe\r\n"
        " -3.11-64        C:\\Users\\Әлия\\Python311\\python.exe\r\n * venv  nothing\r\n"
    )
    assert launcher_paths(said) == [
        "C:\\Program Files\\Python312\\python.exe",
        "C:\\Users\\Әлия\\Python311\\python.exe",
    ]


# --- an installation ----------------------------------------------------------------------------------------


def test_offline_installation_works_and_is_tried(tmp_path, target, python, monkeypatch):
    from kazgeo_qgis.engine.find import interpreter_of
    from kazgeo_qgis.engine.install import Told, ask

    for name, value in (("PIP_TARGET", "/nowhere"), ("PIP_USER", "1"), ("PYTHONHOME", "/жоқ")):
        monkeypatch.setenv(name, value)
    wheel(tmp_path / "дөңгелек")
    answer, told = make(python, target, folder=str(tmp_path / "дөңгелек"))
    assert answer == Told("9.9", 1, "3.11") == ask(str(interpreter_of(target)))
    assert next(text for kind, text in told if kind == "step").startswith("Making a virtual environment")
    assert any("Successfully installed kazgeo-9.9" in text for kind, text in told if kind == "line")
    assert sorted(p.name for p in target.parent.iterdir()) == ["venv"]
    assert not (target / "tmp").exists()


def test_new_environment_takes_the_place_of_the_old(tmp_path, target, python):
    target.mkdir(parents=True)
    (target / "ескі").write_text("old")
    answer, _ = make(python, target, requirement=str(wheel(tmp_path / "w")))
    assert answer.kazgeo == "9.9"
    assert not (target / "ескі").exists()
    assert sorted(p.name for p in target.parent.iterdir()) == ["venv"]


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("no folder", "has no wheel of KazGeo"),
        ("empty", "has no wheel of KazGeo"),
        ("needs more", "has no wheel of geopandas>=1.1 for Python 3.11"),
        ("protocol", "KazGeo 9.9 speaks protocol 7, the plugin 1: update the plugin"),
        ("silent", "can't start"),
    ],
)
def test_failures_are_one_sentence_and_the_old_environment_stays(tmp_path, target, python, what, why):
    folder = tmp_path / "w"
    if what == "empty":
        folder.mkdir()
    elif what != "no folder":
        code = HELLO % (7 if what == "protocol" else 1) if what != "silent" else "raise SystemExit('кесте жоқ')"
        wheel(folder, code, "geopandas>=1.1" if what == "needs more" else "")
    target.mkdir(parents=True)
    (target / "ескі").write_text("old")
    before = tree(target.parent)
    assert why in refused(python, target, folder=str(folder))
    assert tree(target.parent) == before


def test_no_network_leads_to_the_folder(tmp_path, target, python, monkeypatch):
    for name, value in (
        ("PIP_INDEX_URL", "http://127.0.0.1:9/simple"), ("PIP_RETRIES", "1"), ("PIP_CONFIG_FILE", os.devnull)
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    assert refused(python, target) == (
        "The package index can't be reached: look at the network, or install from a folder of wheels."
    )
    assert list(target.parent.iterdir()) == []


def test_a_python_without_venv_names_the_package(tmp_path, target):
    from kazgeo_qgis.engine.install import probe

    path = script(tmp_path / "python", f"""echo '[[3, 12, 1], "{tmp_path}/python", false, true]'""")
    assert "sudo apt install python3.12-venv" in refused(probe(path), target)
    assert not target.exists()


def test_full_disk_rights_and_long_paths_are_told(tmp_path, target, python):
    from kazgeo_qgis.engine.install import _os_sentence, _pip_sentence

    for said, why in (
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "is full"),
        ("ERROR: Could not install packages due to an OSError: [WinError 5] Отказано в доступе", "can't be written"),
        ("ERROR: [Errno 2] No such file\nHINT: ... Windows Long Path support enabled", "too long for Windows"),
        ("SSLError(SSLCertVerificationError(1, 'CERTIFICATE_VERIFY_FAILED'", "certificate"),
        ("ERROR: No matching distribution found for kazgeo", "has no kazgeo for Python 3.11"),
        ("noise\nERROR: Wheel 'x' is invalid.\n", "pip could not install KazGeo: ERROR: Wheel 'x' is invalid."),
    ):
        assert why in _pip_sentence(said, target, "", "3.11")
    other = "ERROR: Package 'soupsieve' requires a different Python: 3.11.2 not in '>=3.11.5'"
    assert "made with another Python" in _pip_sentence(other, target, "/wheels", "3.11.2")
    assert "is full" in _os_sentence(OSError(28, "Құрылғыда орын жоқ"), target)
    assert "can't be written" in _os_sentence(PermissionError(13, "Отказано"), target)
    (tmp_path / "file").write_text("")
    assert "can't be made" in refused(python, tmp_path / "file" / "venv", requirement=str(wheel(tmp_path / "w")))


@pytest.mark.parametrize("old", [True, False])
def test_cancel_leaves_what_was_there_and_no_process(tmp_path, target, python, old):
    from kazgeo_qgis.engine.install import Installation, InstallCancelled

    wheel(tmp_path / "w", HANG)
    target.parent.mkdir(parents=True)
    if old:
        target.mkdir()
        (target / "ескі").write_text("old")
    before, pids, outcome = tree(target.parent), [], []
    work = Installation(python, folder=str(tmp_path / "w"), target=target)

    def listen(kind, text):
        if text.startswith("started"):
            pids.append(int(text.split()[1]))

    def run():
        try:
            work.run(listen)
        except InstallCancelled as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: pids)
    assert alive(pids[0])
    began = time.monotonic()
    work.cancel()
    thread.join(10)
    assert time.monotonic() - began < 2
    assert outcome
    until(lambda: not alive(pids[0]), 5)
    assert tree(target.parent) == before
    assert str(tmp_path) not in subprocess.run(["ps", "ax", "-o", "args="], capture_output=True, text=True).stdout


def test_cancel_before_the_start_does_nothing(tmp_path, target, python):
    from kazgeo_qgis.engine.install import Installation, InstallCancelled

    work = Installation(python, requirement=str(wheel(tmp_path / "w")), target=target)
    work.cancel()
    with pytest.raises(InstallCancelled):
        work.run()
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("moment", ["renamed", "half built", "done", "put away"])
def test_what_a_crash_left_is_mended(target, moment):
    from kazgeo_qgis.engine.install import mend

    parent = target.parent
    parent.mkdir(parents=True)
    for name in {"renamed": ["venv.old"], "put away": ["venv.old"]}.get(moment, ["venv", "venv.old"]):
        (parent / name).mkdir()
        (parent / name / name).write_text("")
    if moment in ("half built", "put away"):
        (parent / "venv.unfinished").write_text("1")
    mend(target)
    mend(target)
    kept = "venv" if moment == "done" else "venv.old"
    assert sorted(p.name for p in parent.rglob("*")) == sorted(["venv", kept])


def test_two_at_once_are_refused_and_a_dead_lock_is_not(tmp_path, target, python):
    from kazgeo_qgis.engine.install import _locked

    target.parent.mkdir(parents=True)
    path = str(wheel(tmp_path / "w"))
    with _locked(target):
        assert "being made already" in refused(python, target, requirement=path)
    code = (
        "import os, sys; from qgis.PyQt.QtCore import QLockFile; l = QLockFile(sys.argv[1]); l.tryLock(0); os._exit(0)"
    )
    lock = f"{target}.lock"
    subprocess.run([sys.executable, "-c", code, lock], check=True, env={**os.environ})
    assert Path(lock).exists()
    assert make(python, target, requirement=path)[0].kazgeo == "9.9"
