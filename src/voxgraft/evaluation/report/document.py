"""The document: head, style and policy around the sections of a page that loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from voxgraft.evaluation.report.markup import Html, join, tag

# Nothing on the page may run or load, whatever a transcript says.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; base-uri 'none'; form-action 'none'"
)


def document(title: str, lead: str, header: Sequence[Html], sections: Sequence[Html], made_by: str = "") -> str:
    """A self-contained HTML document; paragraphs of the lead are parted by an empty line."""
    body = tag(
        "body",
        tag("header", tag("h1", title), _lead(lead), *header),
        tag("main", *sections),
        tag("footer", tag("p", made_by or _made_by())),
    )
    style = Html((files("voxgraft.evaluation.report") / "style.css").read_text("utf-8"))
    head = tag(
        "head",
        tag("meta", attributes={"charset": "utf-8"}),
        tag("meta", attributes={"http-equiv": "Content-Security-Policy", "content": POLICY}),
        tag("meta", attributes={"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("meta", attributes={"name": "color-scheme", "content": "light dark"}),
        tag("title", title),
        tag("style", style),
    )
    return "<!doctype html>\n" + tag("html", head, body, attributes={"lang": "en"}) + "\n"


def _made_by() -> str:
    from voxgraft import __version__

    return f"Made by voxgraft {__version__}."


def _lead(lead: str) -> Html:
    return join(tag("p", paragraph, attributes={"class": "lead"}) for paragraph in lead.split("\n\n") if paragraph)
