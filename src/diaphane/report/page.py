"""The page as a whole."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from .._version import __version__
from ..insight.displays.style import written_whole
from .checking import checked_path
from .markup import Markup, clean, joined, paragraph, tag
from .section import Kind
from .stylesheet import stylesheet

__all__ = ["Report", "whole_page"]


@dataclass(frozen=True)
class Report:
    """A page, as it is written and as notebooks show it.

    Attributes
    ----------
    html : str
        All of it: no other file and no network is needed.
    seconds : dict of str to float
        What each section took.
    left_out : dict of str to str
        Sections that could not be made, and why; the page says so too.
    """

    html: str = field(repr=False)
    seconds: Mapping[str, float] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page; a file that is there is replaced once the new one is complete.

        Raises
        ------
        FileNotFoundError, IsADirectoryError
            If there is no such folder, or the path is one.
        OSError
            If the disk is full, say: then what was there is as it was.
        """
        target = checked_path(path)
        assert target is not None
        return written_whole(target, self.html)

    def _repr_html_(self) -> str:
        # Its rules are for a whole page, and not for the notebook's.
        source = tag("iframe", srcdoc=self.html, width="100%", height="640", style="border:0", title="Report")
        return str(source)


def whole_page(
    name: str, head: Markup, made: Sequence[tuple[Kind, Markup]], missing: Mapping[str, str], end: Markup
) -> str:
    """The document."""
    links = [(kind.key, kind.title) for kind, _ in made] + ([("missing", "What is not here")] if missing else [])
    nav = tag(
        "nav", tag("ul", *(tag("li", tag("a", title, href=f"#{key}")) for key, title in links)), aria_label="Sections"
    )
    body = joined(
        tag("a", "To the content", href="#content", class_="skip"),
        tag("div", head, nav, tag("main", *(shown for _, shown in made), _missing(missing), _footer(end), id="content"),
            class_="page"),
    )  # fmt: skip
    top = joined(
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", clean(name, 120)),
        Markup(f"<style>{stylesheet()}</style>"),
    )
    return f"<!DOCTYPE html>\n{tag('html', tag('head', top), tag('body', body), lang='en')}\n"


def _missing(missing: Mapping[str, str]) -> Markup | None:
    if not missing:
        return None
    lines = (tag("li", tag("b", f"{title}: "), clean(why, 400)) for title, why in missing.items())
    return tag(
        "section", tag("h2", "What is not here", id="missing-title"), tag("ul", *lines), id="missing",
        aria_labelledby="missing-title",
    )  # fmt: skip


def _footer(end: Markup) -> Markup:
    made = f"Made by diaphane {__version__} on {date.today().isoformat()}."
    return tag("footer", paragraph(made, " ", end))
