"""A server on this machine that misbehaves as servers do, each address in its own way."""

import hashlib
import random
import socket
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

CONTENT = random.Random(7).randbytes(300_000)
CHANGED = random.Random(8).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()
PAGE = b"<!DOCTYPE html><html><body>Please log in.</body></html>"
HALF = len(CONTENT) // 2


class Unruly(BaseHTTPRequestHandler):
    """`server.asked` counts requests by address; `server.ranges` lists the first bytes that were asked for."""

    def log_message(self, *_):
        """Quiet."""

    def do_GET(self):
        manner = unquote(self.path).strip("/").partition("?")[0]
        self.server.asked[manner] += 1
        self.nth = self.server.asked[manner]
        asked = self.headers.get("Range")
        self.start = int(asked.removeprefix("bytes=").partition("-")[0]) if asked else 0
        self.server.ranges.append(self.start)
        getattr(self, manner.replace("-", "_"), self.absent)()

    def absent(self):
        self.send_error(404)

    def send(self, content, *, status=200, length=None, tag='"one"', date=None, upto=None, **headers):
        """Headers, then `content` up to a byte at which the connection breaks."""
        self.send_response(status)
        if length != "none":
            self.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in (("ETag", tag), ("Last-Modified", date)):
            if value:
                self.send_header(name, value)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content[:upto])
        if upto is not None or length == "none":
            self.close_connection = True

    def rest(self, content=CONTENT, tag='"one"', upto=None, **headers):
        """As a good server answers: the range that was asked for, if the file is still the same."""
        same = self.headers.get("If-Range") in (None, tag, headers.get("date"))
        if not self.start or not same:
            self.send(content, tag=tag, upto=upto, **headers)
        elif self.start >= len(content):
            self.send(b"", status=416, tag=tag, Content_Range=f"bytes */{len(content)}")
        else:
            span = f"bytes {self.start}-{len(content) - 1}/{len(content)}"
            self.send(content[self.start :], status=206, tag=tag, upto=upto, Content_Range=span, **headers)

    def good(self):
        self.rest()

    def slow(self):
        """A few kilobytes at a time, so that a reader can be killed in between."""
        content = CONTENT[self.start :]
        self.send_response(206 if self.start else 200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", '"one"')
        if self.start:
            self.send_header("Content-Range", f"bytes {self.start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.end_headers()
        for place in range(0, len(content), 4096):
            self.wfile.write(content[place : place + 4096])
            self.wfile.flush()
            time.sleep(0.02)

    def tugão(self):
        """Not every address is ASCII."""
        self.rest()

    def good_dated(self):
        """No ETag; a date serves."""
        self.rest(tag=None, date="Mon, 01 Jan 2024 00:00:00 GMT", upto=HALF if self.nth == 1 else None)

    def weak(self):
        """A weak tag proves nothing about bytes."""
        self.rest(tag='W/"one"', upto=HALF if self.nth == 1 else None)

    def truncating(self):
        """Breaks off after 70,000 bytes, each time."""
        self.rest(upto=70_000)

    def truncating_whole(self):
        """Breaks off the first two times, and knows no ranges."""
        self.send(CONTENT, upto=HALF if self.nth < 3 else None)

    def always_truncating(self):
        self.send(CONTENT, upto=HALF)

    def unmarked(self):
        """Breaks off the first time, and has neither tag nor date."""
        self.rest(tag=None, upto=HALF if self.nth == 1 else None)

    def stalling(self):
        if self.nth == 1:
            self.send(CONTENT[:HALF], length=len(CONTENT))
            self.wfile.flush()
            time.sleep(3)
            self.close_connection = True
        else:
            self.rest()

    def dripping(self):
        self.send(b"", length=len(CONTENT))
        with_patience = time.monotonic() + 5
        while time.monotonic() < with_patience:
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.1)

    def too_long(self):
        """Says more than it has."""
        self.send(CONTENT[self.start :], length=len(CONTENT) + 5000, upto=len(CONTENT), status=200)

    def too_short(self):
        """Says less than it has, unless asked for the rest."""
        if self.start:
            self.rest()
        else:
            self.send(CONTENT, length=HALF)

    def no_length(self):
        self.send(CONTENT, length="none")

    def chunked_broken(self):
        self.send_response(200)
        self.protocol_version = "HTTP/1.1"
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n" % len(CONTENT) + CONTENT[:HALF])
        self.close_connection = True

    def changing(self):
        """Another file from the second request on."""
        if self.nth == 1:
            self.send(CONTENT, tag='"one"', upto=HALF)
        else:
            self.rest(CHANGED, tag='"two"')

    def changing_silently(self):
        """Another file from the second request on, which ignores If-Range."""
        if self.nth == 1:
            self.send(CONTENT, tag='"one"', upto=HALF)
        elif self.start:
            span = f"bytes {self.start}-{len(CHANGED) - 1}/{len(CHANGED)}"
            self.send(CHANGED[self.start :], status=206, tag='"two"', Content_Range=span)
        else:
            self.send(CHANGED, tag='"two"')

    def shrinking(self):
        """Only a third of the file is left from the second request on."""
        if self.nth == 1:
            self.send(CONTENT, upto=HALF)
        else:
            self.rest(CONTENT[: HALF // 2], tag='"two"') if not self.start else self.send(
                b"", status=416, tag='"two"', Content_Range=f"bytes */{HALF // 2}"
            )

    def deceiving(self):
        """Another file under the same tag."""
        self.send(CONTENT, upto=HALF) if self.nth == 1 else self.rest(CHANGED if self.start else CONTENT)

    def wrong_part(self):
        if self.start:
            span = f"bytes 10-{len(CONTENT) - 1}/{len(CONTENT)}"
            self.send(CONTENT[10:], status=206, Content_Range=span)
        else:
            self.send(CONTENT, upto=HALF if self.nth == 1 else None)

    def login(self):
        self.send(PAGE, Content_Type="text/html; charset=utf-8")

    def disguised_login(self):
        self.send(PAGE, Content_Type="application/octet-stream")

    def forbidden(self):
        self.send_error(403)

    def busy(self):
        if self.nth < 3:
            self.send(b"", status=503, Retry_After="0")
        else:
            self.rest()

    def compressed(self):
        self.send(CONTENT, Content_Encoding="gzip")

    def endless(self):
        self.send(b"", length="none")
        while True:
            try:
                self.wfile.write(CONTENT)
            except OSError:
                return

    def empty(self):
        self.send(b"")

    def moved(self):
        self.send(b"", status=302, Location="/good")

    def to_file(self):
        self.send(b"", status=302, Location="file:///etc/hostname")

    def to_ftp(self):
        self.send(b"", status=301, Location="ftp://127.0.0.1/x")

    def round_and_round(self):
        self.send(b"", status=302, Location=f"/round-and-round?{self.nth}")

    def negative(self):
        self.send_response(200)
        self.send_header("Content-Length", "-5")
        self.end_headers()
        self.wfile.write(CONTENT)
        self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A reader that goes away is part of the game."""


@contextmanager
def unruly_server():
    """A running server; its `url("manner")` is the address of each manner of misbehaving."""
    server = Server(("127.0.0.1", 0), Unruly)
    server.asked, server.ranges = Counter(), []
    server.url = lambda manner: f"http://127.0.0.1:{server.server_port}/{manner}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def unused_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
