"""All scores, beside what is reached without learning."""

from __future__ import annotations

from ..markup import joined, paragraph, table, tag
from ..numbers import count, number
from ..part import Part
from ..section import Kind, Section
from ..subject import Subject

__all__ = ["SCORES", "rows_called"]

TITLES = {"test": "test", "validation": "validation", "held out": "held out", "learnt from": "learnt from"}


def rows_called(part: Part) -> str:
    """The part as a sentence has it."""
    return {
        "test": "test rows, which were kept back until now",
        "validation": "validation rows, which it did not learn from",
        "held out": "rows, each judged by the members that did not learn from it",
        "learnt from": "rows that it learnt from, which flatters it",
    }[part.name]


def _made(subject: Subject) -> Section:
    reports = subject.scores
    main = subject.main_scores
    head = ["score", f"{TITLES[subject.judged.name]}, {count(main.n_rows)} rows", "without learning"]
    others = {name: report for name, report in reports.items() if report is not main}
    head += [f"{TITLES[name]}, {count(report.n_rows)} rows" for name, report in others.items()]
    rows = []
    for row in main.scores:
        value = (
            number(row.value)
            if row.beats_baseline
            else joined(number(row.value), tag("span", " no better", class_="bad"))
        )
        also = [_of(report, row.metric.name) for report in others.values()]
        less = None if row.metric.greater_is_better else tag("small", "less is better")
        rows.append([joined(row.metric.title, less), value, number(row.baseline), *also])
    shown = table(head, rows, caption="Scores beside a baseline that has learnt nothing")
    baseline = paragraph(f"Without learning: a rule that {main.baseline} (from the rows learnt from).")
    formulas = tag(
        "details",
        tag("summary", "What each score is"),
        tag("dl", *(joined(tag("dt", r.metric.title), tag("dd", r.metric.formula)) for r in main.scores)),
    )
    word = None if main.word is None else paragraph(_sentence(main.word), class_="warning")
    look = "Look at the distance between the score and what is reached without learning"
    if "learnt from" in others:
        look += ", and whether it is much better on the rows learnt from than on others"
    return Section(f"{look}.", joined(word, shown, baseline, formulas))


def _of(report: object, name: str) -> str:
    try:
        return number(report[name])  # type: ignore[index]
    except KeyError:
        return "–"


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


SCORES = Kind("scores", "All scores", _made)
