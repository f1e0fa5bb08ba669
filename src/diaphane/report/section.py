"""A section of the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .markup import Markup, joined, paragraph, tag
from .subject import Subject

__all__ = ["Kind", "Section"]


@dataclass(frozen=True)
class Section:
    """What a section says.

    Attributes
    ----------
    look : str
        One sentence: what to look at.
    body : Markup
    """

    look: str
    body: Markup


@dataclass(frozen=True)
class Kind:
    """A kind of section.

    Attributes
    ----------
    key : str
        Its name in the page's addresses.
    title : str
    make : callable
        Subject → Section, or None where it does not concern the subject. Raises ``Absent`` with the reason where it
        would and cannot be made.
    """

    key: str
    title: str
    make: Callable[[Subject], Section | None]

    def written(self, section: Section) -> Markup:
        """The section as part of a page."""
        head = tag("h2", self.title, id=f"{self.key}-title")
        return tag(
            "section",
            joined(head, paragraph(section.look, class_="look"), section.body),
            id=self.key,
            aria_labelledby=f"{self.key}-title",
        )
