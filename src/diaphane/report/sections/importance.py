"""Which columns the model leans on, and what it makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.utils import _safe_indexing

from ...data.errors import DataError
from ...estimators.tabular.frames import rows_of
from ...insight.displays import ImportanceDisplay, PartialDependenceDisplay
from ...selection import FeatureImportance, PartialDependence, feature_importance, partial_dependence
from ..markup import LONGEST, Markup, clean, joined, paragraph, table, tag
from ..numbers import count, number
from ..part import Absent, Part
from ..pictures import picture
from ..section import Kind, Section
from ..subject import Subject

__all__ = ["IMPORTANCE"]

ROWS, CELLS, REPEATS = 1000, 10_000, 4
"""Rows shuffled, fewer where there are many columns: their product is what takes the time."""
FEWEST_ROWS = 200
MOST_COLUMNS = 200
DEPENDENCE_ROWS, VALUES = 300, 20
MOST_WORDS = 12
MOST_OUTPUTS = 3
SHOWN = 12


def _made(subject: Subject) -> Section:
    part = subject.judged
    width = np.shape(part.X)[1] if hasattr(part.X, "shape") else len(part.X.names)
    if hasattr(part.X, "tocsr"):
        raise Absent("columns of a sparse matrix are not shuffled: give an array or a frame")
    if width > MOST_COLUMNS:
        raise Absent(
            f"importance is measured column by column, and there are {width}: more than {MOST_COLUMNS} take too long"
        )
    few = subject.frame(part.few(max(FEWEST_ROWS, min(ROWS, CELLS // width)), subject.seed))
    metric = subject.metric if subject.metric.suits(subject.estimator, few.y) else None
    deciding = subject.estimator if subject.threshold is None else subject.threshold.classifier
    found = feature_importance(deciding, few.X, few.y, metric=metric, n_repeats=REPEATS, random_state=subject.seed)
    rows = [[clean(r["column"], LONGEST), number(r["importance"], 3), number(r["deviation"], 2)] for r in found.rows()]
    change = "lost" if found.metric.greater_is_better else "added"
    shown = table(
        ["column", f"{found.metric.title} {change}", "±"], rows, caption="Where a column is shuffled", most=SHOWN,
        what="columns", order="most important",
    )  # fmt: skip
    said = ", ".join(f"{row[0]} {row[1]}" for row in rows[:3])
    of = "rows learnt from" if part.name in ("held out", "learnt from") else f"{part.name} rows"
    n = paragraph(f"Measured on {count(len(few))} {of}, {REPEATS} shuffles a column. Columns that say the same share "
                  "what they are worth.", class_="cut")  # fmt: skip
    try:
        named = replace(found, names=tuple(clean(name, 22) for name in found.names))
        height = 1.0 + 0.25 * min(SHOWN, len(rows))
        drawn: Markup = picture(
            lambda ax: ImportanceDisplay.from_importance(named, most=SHOWN, ax=ax), title="Importance", said=said,
            size=(4.2, height),
        )  # fmt: skip
    except ImportError as error:
        drawn = paragraph(str(error), class_="cut")
    return Section(
        "Look whether it leans on what an expert would expect, and on nothing that would not be known in time.",
        joined(tag("div", drawn, shown, class_="beside"), n, _dependences(subject, few, found)),
    )


def _dependences(subject: Subject, few: Part, found: FeatureImportance) -> Markup | None:
    """The two most important columns that have numbers or few words."""
    drawn: list[Markup] = []
    for place, mean in zip(found.columns, found.means, strict=True):
        if len(drawn) == 2 or mean <= 0:
            break
        try:
            if (dependence := _dependence(subject, few, place)) is not None:
                drawn.append(_drawn(dependence))
        except ImportError:
            return None
    if not drawn:
        return None
    head = tag("h3", "What it makes of the most important columns")
    look = paragraph(
        "Mean prediction where the column is set to a value in every row; the rest of the row stays as it is."
    )
    return joined(head, look, tag("div", *drawn, class_="pictures"))


def _dependence(subject: Subject, few: Part, place: int) -> PartialDependence | None:
    some = few.few(DEPENDENCE_ROWS, subject.seed)
    values = np.asarray(_safe_indexing(some.X, place, axis=1))
    known = np.array([v is not None and v == v for v in values.tolist()], bool)
    if values.dtype.kind not in "fiu" and len({str(v) for v in values[known]}) > MOST_WORDS:
        return None
    try:
        return _few_outputs(
            partial_dependence(
                subject.estimator, rows_of(some.X, np.flatnonzero(known)), place, grid_resolution=VALUES,
                random_state=subject.seed,
            )
        )  # fmt: skip
    except (DataError, ValueError):
        # A column of one value among these rows, say: the next one is tried.
        return None


def _few_outputs(found: PartialDependence) -> PartialDependence:
    """Of many classes those that the column moves most."""
    if len(found.outputs) <= MOST_OUTPUTS:
        return found
    kept = np.sort(np.argsort(-np.ptp(found.average, axis=1), kind="stable")[:MOST_OUTPUTS])
    outputs = tuple(found.outputs[i] for i in kept)
    return replace(found, outputs=outputs, average=found.average[kept], individual=found.individual[kept])


def _drawn(found: PartialDependence) -> Markup:
    first = found.average[0]
    words = replace(found, name=clean(found.name, 40), outputs=tuple(clean(o, 24) for o in found.outputs))
    if found.is_categorical:
        words = replace(words, values=np.array([clean(v, 14) for v in found.values.tolist()], object))

    def draw(ax: object) -> None:
        display = PartialDependenceDisplay.from_dependence(words, ax=ax)  # type: ignore[arg-type]
        if found.is_categorical and len(found.values) > 3:
            display.ax_.tick_params(axis="x", rotation=40)
            for label in display.ax_.get_xticklabels():
                label.set_horizontalalignment("right")

    return picture(
        draw,
        title=f"By {clean(found.name, 60)}",
        said=f"{words.outputs[0]} goes from {number(first[0], 3)} to {number(first[-1], 3)}, "
        f"between {number(first.min(), 3)} and {number(first.max(), 3)}",
    )


IMPORTANCE = Kind("importance", "What it leans on", _made)
