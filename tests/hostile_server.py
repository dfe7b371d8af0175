"""A small web server on loopback that behaves, or misbehaves, as its path says: ``/<mode>/<file name>``.

Not a model of any real server: each mode is one fault that a download must survive or tell.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Asked:
    """One request as the server saw it."""

    path: str
    range: str
    if_range: str


@dataclass
class Site:
    """What the server offers, and what it was asked."""

    files: dict[str, bytes]
    address: str = ""
    etag: str = '"one"'
    drops_left: int = 1
    errors_left: int = 1
    asked: list[Asked] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def url(self, mode: str, name: str) -> str:
        return f"{self.address}/{mode}/{name}"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""

    def do_GET(self) -> None:
        mode, _, name = self.path.lstrip("/").partition("/")
        headers = self.headers
        self.site.asked.append(Asked(self.path, headers.get("Range", ""), headers.get("If-Range", "")))
        getattr(self, f"mode_{mode}")(name)

    def reply(self, body: bytes, code: int = 200, sent: bytes | None = None, plain: bool = False, **extra: str) -> None:
        """Answer with headers for ``body`` but send ``sent``."""
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        if not plain:
            self.send_header("ETag", self.site.etag)
        for key, value in extra.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body if sent is None else sent)
        if sent is not None:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def mode_ranges(self, name: str) -> None:
        """Serve ranges as a good server does."""
        body = self.site.files.get(name)
        if body is None:
            self.reply(b"no such file", 404)
            return
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(match[1]) if match and self.headers.get("If-Range") == self.site.etag else 0
        if not start:
            self.reply(body)
        elif start >= len(body):
            self.reply(b"", 416, Content_Range=f"bytes */{len(body)}")
        else:
            self.reply(body[start:], 206, Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")

    def mode_plain(self, name: str) -> None:
        """Ignore ranges, and give no mark to know the file by."""
        self.reply(self.site.files[name], plain=True)

    def mode_norange(self, name: str) -> None:
        self.reply(self.site.files[name])

    def mode_drops(self, name: str) -> None:
        """Break the connection midway, ``drops_left`` times; then serve ranges."""
        if self.site.drops_left:
            self.site.drops_left -= 1
            body = self.site.files[name]
            self.reply(body, sent=body[: len(body) // 2])
        else:
            self.mode_ranges(name)

    def mode_dropsnorange(self, name: str) -> None:
        if self.site.drops_left:
            self.mode_drops(name)
        else:
            self.mode_norange(name)

    def mode_wrongrange(self, name: str) -> None:
        """Break once, then answer every range with another stretch than asked for."""
        body = self.site.files[name]
        if self.site.drops_left:
            self.mode_drops(name)
        elif self.headers.get("Range"):
            self.reply(body[7:], 206, Content_Range=f"bytes 7-{len(body) - 1}/{len(body)}")
        else:
            self.reply(body)

    def mode_truncated(self, name: str) -> None:
        """Never send more than half of what the headers promise."""
        body = self.site.files[name]
        self.reply(body, plain=True, sent=body[: len(body) // 2])

    def mode_error(self, name: str) -> None:
        """Be out of order ``errors_left`` times."""
        if self.site.errors_left:
            self.site.errors_left -= 1
            self.reply(b"out of order", 500)
        else:
            self.mode_ranges(name)

    def mode_forbidden(self, _name: str) -> None:
        self.reply(b"no", 403)

    def mode_empty(self, _name: str) -> None:
        self.reply(b"")

    def mode_login(self, _name: str) -> None:
        self.reply(b"<html>please log in</html>", Content_Type="text/html; charset=utf-8")

    def mode_circle(self, name: str) -> None:
        self.reply(b"", 302, Location=f"/circle/{name}")

    def mode_tofile(self, _name: str) -> None:
        self.reply(b"", 302, Location="file:///etc/hostname")

    def mode_moved(self, name: str) -> None:
        self.reply(b"", 302, Location=f"/ranges/{name}")

    def mode_endless(self, _name: str) -> None:
        """Send without a length and without an end."""
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        with contextlib.suppress(OSError):
            for _ in range(1000):
                self.wfile.write(b"x" * 65536)

    def mode_slow(self, name: str) -> None:
        """Send in small pieces until the gate opens."""
        body = self.site.files[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", self.site.etag)
        self.end_headers()
        with contextlib.suppress(OSError):
            for at in range(0, len(body), 40_000):
                self.wfile.write(body[at : at + 40_000])
                if not self.site.gate.is_set():
                    time.sleep(0.02)

    def mode_silent(self, _name: str) -> None:
        """Accept the request and never answer."""
        self.site.gate.wait(10)
        self.close_connection = True

    def mode_md5(self, name: str) -> None:
        """State the MD5 of a file as Geofabrik does: ``<hash>  <name>``."""
        body = self.site.files[name.removesuffix(".md5")]
        self.reply(f"{hashlib.md5(body, usedforsecurity=False).hexdigest()}  {name}\n".encode())

    def mode_badmd5(self, _name: str) -> None:
        self.reply(b"0" * 32 + b"  other\n")


@contextlib.contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Site]:
    """Serve ``files`` on a free loopback port."""
    site = Site(files)
    handler = type("Handler", (_Handler,), {"site": site})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    site.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.gate.set()
        server.shutdown()
        server.server_close()


def dead_address() -> str:
    """Return a loopback address where nothing listens: a network that is off."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
