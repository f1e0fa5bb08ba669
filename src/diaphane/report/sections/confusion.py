"""Which class is taken for which."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix

from ..markup import Markup, clean, joined, paragraph, table, tag
from ..numbers import count, percent, plural
from ..section import Kind, Section
from ..subject import Subject
from .scores import rows_called

__all__ = ["CONFUSION"]

MOST_CLASSES = 12
MOST_PAIRS = 15
LONGEST = 24
STRONGEST = 45
"""Percent of colour behind a number that is still read easily."""


def _made(subject: Subject) -> Section | None:
    if subject.classes is None:
        return None
    part = subject.judged
    found = confusion_matrix(part.y, subject.model.predict(part.X), labels=subject.classes)
    names = [clean(label, LONGEST) for label in subject.classes.tolist()]
    wrong = int(found.sum() - np.trace(found))
    said = paragraph(
        f"Of {count(found.sum())} {rows_called(part)}, {percent(np.trace(found) / found.sum())} are right and "
        f"{plural(wrong, 'is', 'are').replace(' is', '').replace(' are', '')} wrong."
    )
    pairs = _pairs(found, names)
    if len(names) <= MOST_CLASSES:
        small = joined(_matrix(found, names), pairs if len(names) > 2 else None)
    else:
        cut = paragraph(
            f"There are {len(names)} classes: instead of all pairs, those that are mixed up most.", class_="cut"
        )
        small = joined(cut, pairs)
    return Section(
        "Look at the numbers off the diagonal: each row of the table is a true class, each column what was said."
        if len(names) <= MOST_CLASSES
        else "Look at which classes are taken for one another.",
        joined(said, small),
    )


def _matrix(found: Any, names: list[str]) -> Markup:
    totals = np.maximum(found.sum(axis=1), 1)
    rows: list[list[object]] = []
    for i, name in enumerate(names):
        cells = [_cell(int(n), float(n / totals[i]), i == j) for j, n in enumerate(found[i])]
        rows.append([name, *cells, count(found[i].sum())])
    return table(["true ↓ said →", *names, "all"], rows, caption="Rows, and their share of the true class")


def _cell(n: int, share: float, right: bool) -> Markup:
    if not n:
        return tag("td", "0", class_="none")
    colour = "green" if right else "orange"
    shade = f"background:color-mix(in srgb, var(--{colour}) {STRONGEST * share:.0f}%, transparent)"
    return tag("td", count(n), tag("small", percent(share)), style=shade, class_="cell")


def _pairs(found: Any, names: list[str]) -> Markup | None:
    off = found - np.diag(np.diag(found))
    places = np.argsort(-off, axis=None, kind="stable")
    pairs = [(int(p // len(names)), int(p % len(names))) for p in places if off.flat[p] > 0]
    if not pairs:
        return paragraph("No class is taken for another.")
    rows = [[names[i], names[j], count(off[i, j]), percent(off[i, j] / found[i].sum())] for i, j in pairs[:MOST_PAIRS]]
    return table(
        ["true", "said", "rows", "of the true class"], rows, caption="Mixed up most", total=len(pairs), what="pairs",
        order="most frequent", words=[1],
    )  # fmt: skip


CONFUSION = Kind("confusion", "Mistakes: which class is taken for which", _made)
