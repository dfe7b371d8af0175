"""The options page and the window that makes the environment, used as a user does."""

import json
import threading

import pytest
from test_setup import HANG, PLACE, clean, python, script, until, wheel

assert clean
assert python


@pytest.fixture(autouse=True)
def no_window_stays(clean):
    """Delete windows while Qt still lives."""
    from qgis.PyQt.QtCore import QCoreApplication, QEvent
    from qgis.PyQt.QtWidgets import QApplication

    yield
    for window in QApplication.topLevelWidgets():
        window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_options_page_shows_stores_and_tells(tmp_path):
    from kazgeo_qgis import settings
    from kazgeo_qgis.options import OptionsFactory

    changes = []
    factory = OptionsFactory(lambda: changes.append(1))
    assert factory.title() == "KazGeo"
    assert not factory.icon().isNull()
    page = factory.createWidget(None)
    page.resize(640, 520)
    page.show()
    assert page.objectName() == "KazGeoOptions"
    assert "Create environment" in page.status.text()
    page.apply()
    assert not changes
    python = script(tmp_path / "python", "")
    page.python.setFilePath(f"  {python} ")
    page.language.setCurrentIndex(page.language.findData("kk"))
    assert page.note.isVisible()
    page.threads.setValue(1)
    page.log_level.setCurrentIndex(1)
    page.idle_minutes.setValue(7)
    page.apply()
    assert changes == [1]
    stored = {name: settings.get(name) for name in settings.DEFAULTS}
    assert stored == {
        "python_path": python, "language": "kk", "threads": 1, "log_level": "debug", "idle_minutes": 7
    }  # fmt: skip
    again = factory.createWidget(None)
    assert again.idle_minutes.value() == 7
    assert again.language.currentText() == "Қазақша"
    assert python in again.status.text()
    assert [w.objectName() for w in (page.python, page.check, page.create)] == ["python", "check", "create"]


def test_variable_wins_over_the_page_and_it_says_so(tmp_path, monkeypatch):
    from kazgeo_qgis.options import OptionsFactory

    python = script(tmp_path / "python", "")
    monkeypatch.setenv("KAZGEO_PYTHON", python)
    page = OptionsFactory().createWidget(None)
    assert python in page.status.text()
    assert "KAZGEO_PYTHON is set and wins" in page.status.text()


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (f"echo '{json.dumps({'kazgeo': '9.9', 'protocol': 1, 'python': '3.13.1'})}'", "KazGeo 9.9, protocol 1"),
        (f"echo '{json.dumps({'kazgeo': '9.9', 'protocol': 2, 'python': '3.13.1'})}'", "speaks protocol 2, the plugin"),
        ("echo \"No module named 'kazgeo'\" >&2; exit 1", "has no KazGeo"),
        ("echo 'ImportError: DLL' >&2; exit 1", "can't start: ImportError: DLL"),
        ("", "can't start"),
        (None, "can't be started"),
    ],
)
def test_check_tells_what_the_python_is(tmp_path, code, why):
    from kazgeo_qgis.options import OptionsFactory

    page = OptionsFactory().createWidget(None)
    page.python.setFilePath("/жоқ/python" if code is None else script(tmp_path / "python", code))
    page.check.click()
    assert not page.check.isEnabled()
    until(page.check.isEnabled)
    assert why in page.answer.text()


def test_check_without_any_engine_says_how_to_get_one():
    from kazgeo_qgis.options import OptionsFactory

    page = OptionsFactory().createWidget(None)
    page.check.click()
    assert "Create environment" in page.answer.text()


def dialog_with(python, folder=None):
    from kazgeo_qgis.install_dialog import InstallDialog

    dialog = InstallDialog()
    dialog.show()
    until(lambda: dialog.pythons.count())
    dialog.take(python.path)
    if folder is not None:
        dialog.offline.setChecked(True)
        dialog.folder.setFilePath(str(folder))
    return dialog


def test_dialog_installs_to_the_end(tmp_path, python):
    from kazgeo_qgis import settings
    from kazgeo_qgis.engine.find import find, interpreter_of, profile_environment

    settings.put("python_path", "/жоқ/python")
    dialog = dialog_with(python)
    dialog.offline.setChecked(True)
    dialog.start.click()
    assert "Choose the folder" in dialog.now.text()
    wheel(tmp_path / PLACE)
    dialog.folder.setFilePath(str(tmp_path / PLACE))
    dialog.start.click()
    assert dialog.stop.isEnabled()
    assert not dialog.start.isEnabled()
    assert dialog.bar.isVisible()
    until(lambda: not dialog.stop.isEnabled())
    assert "KazGeo 9.9 is ready" in dialog.now.text()
    assert str(profile_environment()) in dialog.now.text()
    assert "The options page names another Python" in dialog.now.text()
    assert "Successfully installed kazgeo-9.9" in dialog.log.toPlainText()
    settings.put("python_path", "")
    assert find().python == str(interpreter_of(profile_environment()))
    dialog.leave.click()
    assert not dialog.isVisible()


def test_dialog_tells_a_failure_and_can_start_again(tmp_path, python):
    (tmp_path / "w").mkdir()
    dialog = dialog_with(python, tmp_path / "w")
    dialog.start.click()
    until(lambda: not dialog.stop.isEnabled())
    assert "has no wheel of KazGeo" in dialog.now.text()
    assert dialog.start.isEnabled()
    dialog.take("/жоқ/python")
    assert "can be started" in dialog.now.text()


def test_closing_during_work_asks_and_cancels(tmp_path, python, monkeypatch):
    from kazgeo_qgis.engine.find import profile_environment

    wheel(tmp_path / "w", HANG)
    dialog = dialog_with(python, tmp_path / "w")
    answers = [False, True]
    monkeypatch.setattr(dialog, "_wants_to_leave", lambda: answers.pop(0))
    dialog.start.click()
    until(lambda: "started" in dialog.log.toPlainText())
    dialog.close()
    assert dialog.isVisible()
    assert dialog.stop.isEnabled()
    dialog.close()
    until(lambda: not dialog.isVisible())
    assert list(profile_environment().parent.glob("venv*")) == []


def test_dialog_waits_for_a_running_analysis(tmp_path, python):
    from kazgeo_qgis.engine.client import client

    dialog = dialog_with(python, wheel(tmp_path / "w").parent)
    with client._turn:
        dialog.start.click()
        assert "An analysis is running" in dialog.now.text()
        assert not dialog.stop.isEnabled()


def test_dialog_may_go_while_it_looks_for_pythons(monkeypatch):
    import gc

    from kazgeo_qgis import install_dialog

    gate = threading.Event()
    monkeypatch.setattr(install_dialog, "find_pythons", lambda: gate.wait(10) and [])
    dialog = install_dialog.InstallDialog()
    dialog.reject()
    dialog.deleteLater()
    del dialog
    gc.collect()
    until(lambda: True)
    gate.set()
    until(lambda: not install_dialog.Background._running)


def test_no_python_at_all_is_told(monkeypatch):
    from kazgeo_qgis import install_dialog

    monkeypatch.setattr(install_dialog, "find_pythons", list)
    dialog = install_dialog.InstallDialog()
    until(lambda: "No Python 3.11" in dialog.now.text())
    assert not dialog.start.isEnabled()
    assert dialog.browse.isEnabled()
