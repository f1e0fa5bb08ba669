"""From which probability on a row is called positive."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import confusion_matrix

from ...insight.displays import ThresholdDisplay
from ..markup import clean, joined, paragraph, table, tag
from ..numbers import count, number
from ..pictures import picture
from ..section import Kind, Section
from ..subject import Subject

__all__ = ["THRESHOLD"]


def _made(subject: Subject) -> Section | None:
    choice = subject.threshold
    if choice is None:
        return None
    positive = clean(choice.positive, 40)
    words = paragraph(
        f"A row is called {positive} from ", tag("b", number(choice.threshold)),
        f" on: {choice.measure} {number(choice.score)} on the validation rows, {number(choice.default_score)} at "
        f"{number(choice.default_threshold)}.",
    )  # fmt: skip
    try:
        drawn = picture(
            lambda ax: ThresholdDisplay.from_choice(choice, ax=ax),
            title=f"{choice.measure[0].upper()}{choice.measure[1:]} by threshold, validation rows",
            said=f"The best is {number(choice.score)} at {number(choice.threshold)}",
        )
    except ImportError as error:
        drawn = paragraph(str(error), class_="cut")
    return Section(
        "Look how flat the curve is around the threshold: where it is flat, another one is as good.",
        joined(words, tag("div", drawn, _effect(subject), class_="beside")),
    )


def _effect(subject: Subject) -> object:
    """What changes on the rows judged by."""
    part, choice = subject.judged, subject.threshold
    assert choice is not None
    assert subject.classes is not None
    positive, plain = choice.positive, subject.model.without_threshold()
    said = {"as it is": plain.predict(part.X), "with the threshold": subject.model.predict(part.X)}
    truth = np.asarray(part.y) == positive
    rows = []
    for name, labels in said.items():
        tn, fp, fn, tp = confusion_matrix(truth, labels == positive, labels=[False, True]).ravel()
        rows.append([name, count(tp), count(fn), count(fp), count(tn)])
    return table(["", "found", "missed", "false alarms", "rightly not said"], rows, caption=f"On the {part.name} rows")


THRESHOLD = Kind("threshold", "The threshold", _made)
