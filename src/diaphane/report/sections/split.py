"""Which rows were for what."""

from __future__ import annotations

from ..markup import joined, paragraph, table, tag
from ..numbers import count, percent
from ..part import Absent
from ..section import Kind, Section
from ..subject import Subject

__all__ = ["SPLIT"]

USES = {
    "learnt from": "to learn from",
    "validation": "to choose by: when to stop, which settings, which threshold",
    "held out": "the rows learnt from, each judged by the members that did not learn from it",
    "test": "to look at once, when all was chosen",
}


def _made(subject: Subject) -> Section:
    parts = [p for p in (subject.learnt, subject.validation, subject.test) if p is not None]
    total = sum(len(p) for p in parts if p.name != "held out")
    rows = [
        [p.name, count(len(p)), "–" if p.name == "held out" else percent(len(p) / total), USES[p.name]] for p in parts
    ]
    shown = table(["rows", "how many", "share", "what for"], rows, caption="The rows and what they were for", words=[3])
    how = (
        paragraph(f"{subject.run.split[0].upper()}{subject.run.split[1:].rstrip('.')}.") if subject.run.split else None
    )
    notes = [note for p in parts for note in p.notes]
    listed = tag("ul", *(tag("li", f"{note}.") for note in notes)) if notes else None
    return Section(_untouched(subject), joined(how, shown, listed))


def _untouched(subject: Subject) -> str:
    if subject.test is None:
        return (
            "Look at what is missing: there are no test rows. The scores are of rows that something was chosen by, or "
            "learnt from, and are better than what new rows will show."
        )
    if _looks_at_test_rows(subject):
        return (
            "The test rows were not touched before this page: nothing was learnt from them. Since there are no "
            "validation rows, the diagnosis below looks at them: who changes the model after it needs other rows to "
            "test on."
        )
    return (
        "The test rows were not touched before this page: nothing was learnt from them, nothing was chosen by them, "
        "and the diagnosis below does not look at them."
    )


def _looks_at_test_rows(subject: Subject) -> bool:
    try:
        return subject.examined.apart is subject.test
    except Absent:
        return False


SPLIT = Kind("split", "The split", _made)
