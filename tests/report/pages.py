"""A page read as a browser reads it: elements, texts and tables."""

from __future__ import annotations

import re
from html.parser import HTMLParser

NASTY = "<script>alert('x')</script>"
EMPTY = {"br", "col", "hr", "img", "meta", "input", "link"}


class Page(HTMLParser):
    """Every element with its attributes, what encloses it, and the text of each table and section."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[dict] = []
        self.elements: list[dict] = []
        self.mismatched: list[str] = []
        self.feed(html)
        self.close()
        self.mismatched += [e["tag"] for e in self.open]

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", "within": [e["tag"] for e in self.open], "inside": list(self.open)}
        element.update(dict(attrs))
        element["names"] = [name for name, _ in attrs]
        self.elements.append(element)
        if tag not in EMPTY:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1]["tag"] != tag:
            self.mismatched.append(tag)
            return
        self.open.pop()

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag):
        return [e for e in self.elements if e["tag"] == tag]

    def section(self, key):
        [found] = [e for e in self.all("section") if e.get("id") == key]
        return found

    def rows(self, caption):
        """The cells of a table, by its caption's beginning: the header first."""
        [table] = [
            t
            for t in self.all("table")
            if any(c["text"].startswith(caption) and t in c["inside"] for c in self.all("caption"))
        ]
        rows = [r for r in self.all("tr") if table in r["inside"]]
        return [[c["text"] for c in self.elements if c["tag"] in ("th", "td") and r in c["inside"]] for r in rows]


def as_number(text):
    """The first number of a cell, as it was before it was written for a reader."""
    plain = text.replace("\u202f", "").replace("−", "-")
    return float(re.match(r"-?[\d.]+(e-?\d+)?", plain)[0])
