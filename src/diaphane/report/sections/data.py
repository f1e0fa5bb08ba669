"""The data at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...insight.displays import TargetDisplay
from ..markup import LONGEST, Markup, clean, joined, paragraph, table, tag
from ..numbers import count, number, percent, plural
from ..pictures import picture
from ..section import Kind, Section
from ..subject import NAMELESS, Subject
from .columns import MOST_COLUMNS, column_names, facts_of_columns, first_columns, what_became

__all__ = ["DATA", "left_out"]

MOST_CLASSES = 30


def _made(subject: Subject) -> Section:
    names = column_names(subject.estimator, subject.learnt.X)
    seen = first_columns(subject.learnt.X, names)
    found = facts_of_columns(seen)
    became = what_became(subject.estimator, names)
    out = left_out(subject.estimator)
    gaps = float(np.mean([f.missing for f in found])) if found else 0.0
    of_first = f" in the first {len(found)} columns" if len(found) < len(names) else ""
    head = ["column", "holds", "kind", "missing", *(["becomes"] if became else [])]
    rows = [
        [clean(f.name, LONGEST), f.holds, f.kind, percent(f.missing), *([became.get(f.name, "–")] if became else [])]
        for f in found
    ]
    columns = table(
        head, rows, caption="The columns, in the rows learnt from", total=len(names), what="columns", words=[1, 2, 4]
    )
    facts = paragraph(
        f"{plural(len(subject.learnt), 'row')} to learn from, {plural(len(names), 'column')}",
        f", {len(out)} of them left out" if out else "",
        f"; {percent(gaps)} of the cells{of_first} are empty." if gaps else f"; no cell{of_first} is empty.",
    )
    called = "The target" if subject.target == NAMELESS else f"The target: {clean(subject.target, LONGEST)}"
    target = _classes(subject) if subject.classes is not None else _numbers(subject)
    return Section(
        "Look for columns with many gaps, for columns that one would not know in time, and at how the target is "
        "spread.",
        joined(facts, tag("h3", called), target, tag("h3", "The columns"), columns, _left(out)),
    )  # fmt: skip


def left_out(estimator: Any) -> Mapping[str, str]:
    """Columns that an estimator for tables does not use, with its reasons."""
    found = getattr(estimator, "left_out_", None)
    return found if isinstance(found, Mapping) else {}


def _left(out: Mapping[str, str]) -> Markup | None:
    if not out:
        return None
    rows = [[clean(name, LONGEST), clean(why, LONGEST)] for name, why in out.items()]
    return table(["column", "why"], rows, caption="Left out", most=MOST_COLUMNS, what="columns", words=[1])


def _classes(subject: Subject) -> Markup:
    assert subject.classes is not None
    y = subject.learnt.y
    labels = subject.classes.tolist()
    counts = {label: int(np.sum(y == label)) for label in labels}
    ordered = sorted(labels, key=lambda label: -counts[label]) if len(labels) > 2 else labels
    most = max(counts.values()) / len(y)
    rows = []
    for label in ordered:
        share = counts[label] / len(y)
        bar = tag("span", class_="bar", style=f"width:{100 * share / most:.1f}%")
        rows.append([clean(label, LONGEST), tag("td", bar, class_="barred"), count(counts[label]), percent(share)])
    return table(
        ["class", "", "rows", "share"], rows, caption="How many rows each class has", most=MOST_CLASSES, what="classes",
        order="most frequent",
    )  # fmt: skip


def _numbers(subject: Subject) -> Markup:
    y = np.asarray(subject.learnt.y, np.float64)
    shares = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
    names = ["least", "5 % below", "a quarter below", "middle", "a quarter above", "5 % above", "most"]
    rows = [[name, number(value)] for name, value in zip(names, np.quantile(y, shares), strict=True)]
    rows.append(["mean", number(y.mean())])
    shown = table(["", clean(subject.target, LONGEST)], rows, caption="How the target is spread")
    try:
        drawn = picture(
            lambda ax: TargetDisplay(y, clean(subject.target, 40)).plot(ax),
            title="How often each value of the target occurs",
            said=f"A histogram; the middle is {number(np.median(y))}, half of the rows are between "
            f"{number(np.quantile(y, 0.25))} and {number(np.quantile(y, 0.75))}",
        )
    except ImportError as error:
        drawn = paragraph(str(error), class_="cut")
    return tag("div", drawn, shown, class_="beside")


DATA = Kind("data", "The data at a glance", _made)
