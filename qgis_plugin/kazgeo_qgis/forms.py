"""What the plugin's small dialogs share."""

from __future__ import annotations

from qgis.PyQt.QtWidgets import QDialogButtonBox


def ok_cancel(dialog) -> QDialogButtonBox:
    """Return the buttons that accept and reject a dialog."""
    kinds = QDialogButtonBox.StandardButton
    buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel)
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    return buttons
