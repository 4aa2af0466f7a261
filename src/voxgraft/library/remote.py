"""ask: one HTTP request for the rest of a file, and what its answer means."""

from __future__ import annotations

import email.utils
import http.client
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import quote, urlsplit

SCHEMES = ("http", "https")
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_WHOLE = re.compile(r"bytes \*/(\d+)")
_LONGEST_WAIT = 120.0
_PIECE = 2**16
# Bytes a second below which a server counts as stalled.
_SLOWEST = 100
_AGENT = "voxgraft"


class Refused(Exception):
    """This source will not give the file, however often it is asked; the message says why."""


class Interrupted(Exception):
    """The transfer failed in a way that another try may mend. `wait`: seconds the server asked for, if any."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass(frozen=True)
class Answer:
    """What a server sends. `start`: the first byte's place in the file; `total`: the whole file's size, if it says.

    `tag` and `date` are its ETag and Last-Modified. `complete`: there is nothing after `start`.
    """

    body: IO[bytes] | None
    start: int
    total: int | None
    tag: str | None
    date: str | None
    complete: bool = False


@contextmanager
def ask(url: str, start: int, condition: str | None, timeout: float) -> Iterator[Answer]:
    """Ask for a file from byte `start` on, provided that it still is what `condition` (ETag or date) says.

    Raises Refused, Interrupted.
    """
    headers = {"User-Agent": _AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if condition is not None:
            headers["If-Range"] = condition
    opener = urllib.request.build_opener(_Redirects())
    try:
        address = quote(url, safe="%/:=&?~#+!$,;'@()*[]")
        response = opener.open(urllib.request.Request(address, headers=headers), timeout=timeout)
    except urllib.error.HTTPError as fault:
        with fault:
            yield _failure(fault, start)
        return
    except (http.client.HTTPException, OSError) as fault:
        if isinstance(getattr(fault, "reason", fault), socket.gaierror):
            raise Refused(f"{urlsplit(url).hostname} can't be found: there may be no connection") from fault
        raise Interrupted(_words(fault)) from fault
    except ValueError as fault:
        raise Refused(f"no address that can be asked: {str(fault)[:100]}") from fault
    with response:
        yield _answer(response, start)


def pieces(body: IO[bytes], timeout: float) -> Iterator[bytes]:
    """What a server sends, as it comes. Raises Interrupted where it stops, or all but stops, before the end."""
    read = getattr(body, "read1", body.read)
    came, began = 0, time.monotonic()
    while True:
        try:
            piece = read(_PIECE)
        except (http.client.HTTPException, OSError, ValueError) as fault:
            raise Interrupted(_words(fault)) from fault
        if not piece:
            return
        yield piece
        came += len(piece)
        spent = time.monotonic() - began
        if spent > timeout:
            if came < _SLOWEST * spent:
                raise Interrupted(f"less than {_SLOWEST} bytes came a second")
            came, began = 0, time.monotonic()


def check_address(url: str) -> None:
    """Raise Refused for anything but http and https with a host."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as fault:
        raise Refused(f"no valid address: {fault}") from fault
    if parts.scheme.lower() not in SCHEMES or not host or any(ord(letter) <= 32 for letter in url):
        raise Refused(f"only http and https addresses are fetched, not {url[:80]!r}")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https alone, and never from https to http."""

    max_redirections = 8

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        check_address(newurl)
        if req.full_url.lower().startswith("https:") and not newurl.lower().startswith("https:"):
            raise Refused(f"it redirects from https to an address without encryption: {newurl[:80]}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        """As in the parent, which refuses other schemes with an error that reads like the server's."""
        target = headers.get("location") or headers.get("uri") or ""
        scheme = urlsplit(target).scheme
        if scheme and scheme.lower() not in SCHEMES:
            raise Refused(f"it redirects to {target[:80]!r}: only http and https are followed")
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _answer(response: Any, start: int) -> Answer:
    headers = response.headers
    kind = headers.get_content_type() if headers.get("Content-Type") else ""
    if kind in ("text/html", "application/xhtml+xml"):
        raise Refused(WEB_PAGE)
    coding = (headers.get("Content-Encoding") or "identity").lower()
    if coding != "identity":
        raise Refused(f"it sends the file compressed ({coding[:20]}), though asked not to")
    tag, date = headers.get("ETag"), headers.get("Last-Modified")
    if response.status == 206:
        found = _RANGE.fullmatch((headers.get("Content-Range") or "").strip())
        if found is None:
            raise Refused("it sends a part of the file and doesn't say which")
        total = None if found[3] == "*" else int(found[3])
        return Answer(response, int(found[1]), total, tag, date)
    if response.status != 200:
        raise Refused(f"it answers with status {response.status}")
    length = headers.get("Content-Length")
    return Answer(response, 0, int(length) if length and length.isdecimal() else None, tag, date)


WEB_PAGE = "a web page came instead of the file: it needs a login or a browser"


def _failure(fault: urllib.error.HTTPError, start: int) -> Answer:
    if fault.code == 416 and start:
        whole = _WHOLE.fullmatch((fault.headers.get("Content-Range") or "").strip())
        total = int(whole[1]) if whole else None
        return Answer(None, start, total, fault.headers.get("ETag"), fault.headers.get("Last-Modified"), total == start)
    if fault.code in (408, 425, 429) or fault.code >= 500:
        raise Interrupted(f"status {fault.code} {fault.reason}", _wait(fault.headers.get("Retry-After")))
    why = {401: "it needs a login", 403: "access is denied: it may need a login", 404: "the file is not there"}
    raise Refused(f"status {fault.code}: {why.get(fault.code, fault.reason)}")


def _wait(text: str | None) -> float | None:
    """Seconds of a Retry-After header: a number or a date."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return min(float(text), _LONGEST_WAIT)
    try:
        when = email.utils.parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(when - time.time(), 0.0), _LONGEST_WAIT)


def _words(fault: BaseException) -> str:
    reason = getattr(fault, "reason", None) or fault
    if isinstance(reason, TimeoutError):
        return "nothing came in time"
    if isinstance(reason, http.client.IncompleteRead):
        return "the connection ended early"
    return " ".join(str(reason).split())[:160] or type(reason).__name__
