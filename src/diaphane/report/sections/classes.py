"""Precision, recall and F1 of each class."""

from __future__ import annotations

from sklearn.metrics import precision_recall_fscore_support

from ..markup import LONGEST, clean, joined, paragraph, table
from ..numbers import count, number
from ..section import Kind, Section
from ..subject import Subject

__all__ = ["CLASSES"]

MOST = 30


def _made(subject: Subject) -> Section | None:
    if subject.classes is None:
        return None
    part = subject.judged
    found = precision_recall_fscore_support(
        part.y, subject.model.predict(part.X), labels=subject.classes, zero_division=0
    )
    rows = list(zip(subject.classes.tolist(), *found, strict=True))
    if len(rows) > MOST:
        rows.sort(key=lambda row: float(row[3]))
    cells = [[clean(label, LONGEST), *(number(v, 3) for v in scores), count(n)] for label, *scores, n in rows]
    shown = table(
        ["class", "precision", "recall", "F1", "rows"], cells, caption="By class", most=MOST, what="classes",
        order="worst",
    )  # fmt: skip
    means = paragraph(
        "Precision: of the rows said to be of the class, the share that are. Recall: of the rows of the class, the "
        "share that were found. F1: their harmonic mean.",
        class_="cut",
    )
    return Section("Look for classes that are rarely found (low recall) or often said in vain (low precision).",
                   joined(shown, means))  # fmt: skip


CLASSES = Kind("classes", "Class by class", _made)
