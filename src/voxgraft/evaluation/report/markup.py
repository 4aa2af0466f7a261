"""Pieces of HTML. Everything that comes from outside goes through `text` or an attribute of `tag`."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

VOID = frozenset({"img", "meta", "br"})


class Html(str):
    """Markup that is already safe."""

    __slots__ = ()


def text(content: object) -> Html:
    """Anything as text: escaped, unless it is markup already. None is a dash."""
    if isinstance(content, Html):
        return content
    return Html("–" if content is None else html.escape(str(content), quote=True))


def join(pieces: Iterable[object]) -> Html:
    """Pieces one after another, each as `text`."""
    return Html("".join(text(piece) for piece in pieces))


def tag(name: str, *content: object, attributes: Mapping[str, object] | None = None) -> Html:
    """An element; attributes with the value None are left out."""
    written = "".join(
        f' {key}="{html.escape(str(value), quote=True)}"'
        for key, value in (attributes or {}).items()
        if value is not None
    )
    return Html(f"<{name}{written}>") if name in VOID else Html(f"<{name}{written}>{join(content)}</{name}>")


def section(identity: str, title: str, *content: object) -> Html:
    """A section with a heading that can be linked to; nothing where there is no content."""
    inside = join(content)
    if not inside:
        return Html("")
    heading = tag("h2", title, attributes={"id": f"{identity}-title"})
    return tag("section", heading, inside, attributes={"id": identity, "aria-labelledby": f"{identity}-title"})


def table(caption: str, columns: Sequence[object], rows: Iterable[Sequence[object]]) -> Html:
    """A table whose first column names its rows, in a box that scrolls on narrow screens."""
    head = tag("tr", *(tag("th", column, attributes={"scope": "col"}) for column in columns))
    body = [
        tag("tr", tag("th", row[0], attributes={"scope": "row"}), *(tag("td", cell) for cell in row[1:]))
        for row in rows
    ]
    whole = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))
    return tag("div", whole, attributes={"class": "scroll", "tabindex": "0", "role": "region", "aria-label": caption})


def definitions(pairs: Mapping[str, object]) -> Html:
    """Names and values."""
    if not pairs:
        return Html("")
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs.items()))


def folded(summary: str, *content: object) -> Html:
    """Content that opens on a click."""
    return tag("details", tag("summary", summary), *content)
