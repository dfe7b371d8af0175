"""Pages opened in Debian's Chromium, from a file, with the network off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def shared(shared: Path) -> Path:
    """Folder ``data`` of the shared test data."""
    return shared / "data"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


@dataclass
class Opened:
    """A page that is drawn, and everything it asked for or complained of."""

    page: Any
    requests: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def assert_clean(self) -> None:
        assert self.failed == []
        assert self.errors == []
        assert self.dialogs == []
        assert len(self.requests) == 1
        assert self.requests[0].startswith("file:")

    def colors(self, pane: str) -> dict[str, int]:
        """Pixels of the canvas in a pane by colour, #rrggbb; transparent ones are left out."""
        return dict(
            self.page.evaluate(
                """pane => {
                    const counts = {};
                    for (const canvas of document.querySelectorAll(`.leaflet-kz-${pane}-pane canvas`)) {
                        const copy = new OffscreenCanvas(canvas.width, canvas.height);
                        const pen = copy.getContext("2d", { willReadFrequently: true });
                        pen.drawImage(canvas, 0, 0);
                        const data = pen.getImageData(0, 0, copy.width, copy.height).data;
                        for (let i = 0; i < data.length; i += 4) {
                            if (data[i + 3] < 200) continue;
                            const hex = "#" + [0, 1, 2].map(k => data[i + k].toString(16).padStart(2, "0")).join("");
                            counts[hex] = (counts[hex] || 0) + 1;
                        }
                    }
                    return counts;
                }""",
                pane,
            )
        )

    def near(self, pane: str, color: str, tolerance: int = 3) -> int:
        """Pixels whose colour is the given one but for the rounding of half-transparent fills."""

        def channels(text: str) -> list[int]:
            return [int(text[i : i + 2], 16) for i in (1, 3, 5)]

        wanted = channels(color)
        return sum(
            n
            for seen, n in self.colors(pane).items()
            if all(abs(a - b) <= tolerance for a, b in zip(channels(seen), wanted, strict=True))
        )

    def legend(self) -> str:
        return str(self.page.inner_text("#kz-legend"))

    def where(self, lon: float, lat: float) -> tuple[float, float]:
        """Pixel of a place in the window."""
        x, y = self.page.evaluate(
            """([lat, lon]) => {
                const map = kazgeo.page.map, box = map.getContainer().getBoundingClientRect();
                const at = map.latLngToContainerPoint([lat, lon]);
                return [box.x + at.x, box.y + at.y];
            }""",
            [lat, lon],
        )
        return float(x), float(y)


Opener = Callable[..., Opened]


@pytest.fixture
def open_map(browser: Any, tmp_path: Path) -> Iterator[Opener]:
    """Save a map, open the file offline, wait until it is drawn."""
    from kazgeo.webmap import save

    contexts = []

    def opener(map_: Any, *, width: int = 1200, height: int = 800, touch: bool = False) -> Opened:
        path = save(map_, tmp_path / "map.html")
        context = browser.new_context(offline=True, viewport={"width": width, "height": height}, has_touch=touch)
        contexts.append(context)
        opened = Opened(context.new_page())
        page = opened.page
        page.on("request", lambda r: opened.requests.append(r.url))
        page.on("requestfailed", lambda r: opened.failed.append(r.url))
        page.on("console", lambda m: opened.errors.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda e: opened.errors.append(str(e)))

        def dismiss(dialog: Any) -> None:
            opened.dialogs.append(dialog.message)
            dialog.dismiss()

        page.on("dialog", dismiss)
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-kazgeo]", timeout=60_000)
        settle(page)
        return opened

    yield opener
    for context in contexts:
        context.close()


def settle(page: Any) -> None:
    """Wait for two animation frames, in the first of which the canvas is drawn, and until Leaflet looks again.

    Leaflet leaves out moves of the mouse within 32 ms of the last one it has looked at.
    """
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_timeout(50)
