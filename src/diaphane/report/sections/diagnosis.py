"""What keeps the model from doing better, with the evidence and what to try."""

from __future__ import annotations

from ...selection.diagnosis import DiagnosisFinding
from ..markup import Markup, clean, joined, paragraph, tag
from ..numbers import count, number
from ..pictures import panels
from ..section import Kind, Section
from ..subject import Subject

__all__ = ["DIAGNOSIS", "MEANINGS"]

MEANINGS = {
    "well fitted": "Nothing that was looked for is wrong with it",
    "underfitting": "It learns too little of what is in the data",
    "overfitting": "It remembers rows it learnt from rather than what they have in common",
    "too little data": "More rows would make it better",
    "rate too large": "Its learning rate is too large: training jumps about",
    "rate too small": "Its learning rate is too small: training did not get there",
    "stopped too early": "Training ended before it was done",
    "vanishing gradients": "Its first layers hardly learn: gradients vanish on their way to them",
    "label noise": "Some targets look wrong",
    "leakage": "It may know the answer in advance: the score is too good to be true",
    "distribution shift": "The rows it is judged by are unlike those it learnt from",
}
"""A finding's kind, for readers who do not know the word."""


def _made(subject: Subject) -> Section:
    diagnosis = subject.diagnosis
    evidence = diagnosis.evidence
    judged = paragraph(
        f"Looked at: {subject.examined.what}, with {count(evidence.n_learnt)} of the rows learnt from, judged by "
        f"{count(evidence.n_judged)} {subject.examined.words}.",
        class_="cut",
    )
    findings = tag("ol", *map(_finding, diagnosis.findings), class_="findings")
    return Section(
        "Look at the first finding: causes stand before consequences, and its first step is the one to try first.",
        joined(findings, judged, _pictures(subject)),
    )


def _finding(finding: DiagnosisFinding) -> Markup:
    kind, words, steps = finding.kind, finding.words, finding.next_steps
    head = tag("h3", f"{kind[0].upper()}{kind[1:]}", class_="good" if kind == "well fitted" else "bad")
    meaning = MEANINGS.get(kind)
    said = paragraph(f"{meaning}: " if meaning else None, tag("span", clean(words), class_="evidence"), ".")
    listed = (
        joined(paragraph("What to try:"), tag("ol", *(tag("li", clean(step)) for step in steps))) if steps else None
    )
    return tag("li", head, said, listed)


def _pictures(subject: Subject) -> Markup | None:
    """The learning curve where there is one; what rivals reach stands among the baselines."""
    diagnosis = subject.diagnosis
    fewer = [row for row in diagnosis.table() if row["kind"] == "fewer rows"]
    if not fewer:
        return None
    skills = (
        f"skill {number(diagnosis.evidence.own.judged, 2)} with all rows, {number(fewer[0]['judged'], 2)} with fewer"
    )
    try:
        return tag("div", *panels(diagnosis.plot, [None, None, ("With fewer rows", skills)]), class_="pictures")
    except ImportError as error:
        return paragraph(str(error), class_="cut")


DIAGNOSIS = Kind("diagnosis", "The diagnosis", _made)
