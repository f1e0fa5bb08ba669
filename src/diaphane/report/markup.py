"""HTML from plain values: whatever is not markup already is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

__all__ = ["Markup", "clean", "joined", "paragraph", "table", "tag"]

FORBIDDEN = re.compile("[^\t\n\r\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Control characters, lone surrogates and non-characters: some are no HTML, others cannot be written as UTF-8."""
EMPTY = frozenset({"br", "col", "hr", "img", "meta"})
LONGEST = 60


class Markup(str):
    """Text that is HTML; any other is escaped where it is put among some."""


def clean(text: object, longest: int | None = None) -> str:
    r"""A user's words without what no page may hold, the middle left out where they are too long.

    Examples
    --------
    >>> clean("a\x00b"), clean("abcdefgh", longest=5)
    ('a�b', 'ab…gh')
    """
    words = FORBIDDEN.sub("�", str(text))
    if longest is None or len(words) <= longest:
        return words
    head = (longest - 1) // 2
    return f"{words[: longest - 1 - head]}…{words[len(words) - head :]}"


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """An element.

    Parameters
    ----------
    name : str
    children
        None is nothing.
    attributes
        ``class_`` and ``for_`` lose their underscore, other ones become hyphens; None is left out, True has no value.

    Examples
    --------
    >>> tag("p", "1 < 2, ", tag("b", "<script>"), class_="note", aria_label='"')
    '<p class="note" aria-label="&quot;">1 &lt; 2, <b>&lt;script&gt;</b></p>'
    """
    written = "".join(
        _attribute(key, value) for key, value in attributes.items() if value is not None and value is not False
    )
    if name in EMPTY:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(*children)}</{name}>")


def _attribute(key: str, value: object) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(clean(value))}"'


def joined(*children: object) -> Markup:
    """One after another."""
    shown = (child for child in children if child is not None)
    return Markup("".join(c if isinstance(c, Markup) else escape(clean(c), quote=False) for c in shown))


def paragraph(*children: object, **attributes: object) -> Markup:
    """A paragraph."""
    return tag("p", *children, **attributes)


def table(
    head: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    caption: str,
    most: int | None = None,
    total: int | None = None,
    what: str = "rows",
    order: str = "first",
    words: Sequence[int] = (),
) -> Markup:
    """A table that scrolls by itself where the page is narrow; the first cell of each row is its name.

    Parameters
    ----------
    head : sequence
        A name for each column.
    rows : iterable of sequences
    caption : str
        What it is of.
    most : int, optional
        Of more rows only so many are shown, and below them it says how many there are.
    total : int, optional
        How many there are, where not all are given.
    what : str
        The rows' name in that sentence.
    order : str
        Which of them are shown: ``"first"``, ``"largest"``, …
    words : sequence of int
        Columns of words, which stand at the left; others are numbers.

    Examples
    --------
    >>> shown = table(["class", "rows"], [["<a>", 3], ["b", 4]], caption="How many", most=1, what="classes")
    >>> '<th scope="row">&lt;a&gt;</th><td>3</td>' in shown, "the first 1 of 2 classes" in shown
    (True, True)
    """
    all_rows = [list(row) for row in rows]
    shown = all_rows if most is None else all_rows[:most]
    left = dict.fromkeys((0, *words), "words")
    header = tag("tr", *(tag("th", cell, scope="col", class_=left.get(i)) for i, cell in enumerate(head)))
    body = [
        tag("tr", tag("th", row[0], scope="row"), *(_cell(cell, left.get(i)) for i, cell in enumerate(row[1:], 1)))
        for row in shown
    ]
    whole = tag("table", tag("caption", tag("span", caption)), tag("thead", header), tag("tbody", *body))
    scrolling = tag("div", whole, class_="scroll", role="region", aria_label=caption, tabindex="0")
    there_are = max(len(all_rows), total or 0)
    if len(shown) == there_are:
        return scrolling
    return joined(scrolling, paragraph(f"Shown: the {order} {len(shown)} of {there_are} {what}.", class_="cut"))


def _cell(cell: Any, kind: str | None) -> Markup:
    if isinstance(cell, Markup) and cell.startswith("<td"):
        return cell
    return tag("td", cell, class_=kind)
