"""Whether probabilities mean what they say."""

from __future__ import annotations

from ...insight.displays import ReliabilityDisplay
from ...selection import Reliability, reliability
from ..markup import clean, joined, paragraph, table, tag
from ..numbers import count, percent
from ..part import Absent
from ..pictures import picture
from ..section import Kind, Section
from ..subject import Subject

__all__ = ["CALIBRATION"]

WELL, BADLY = 0.02, 0.1


def _made(subject: Subject) -> Section | None:
    if subject.classes is None:
        return None
    if not hasattr(subject.model, "predict_proba"):
        raise Absent(f"{type(subject.estimator).__name__} has no predict_proba: wrap it in selection.TemperatureScaled")
    part = subject.judged
    positive = subject.classes.tolist()[1] if len(subject.classes) == 2 else None
    found = reliability(subject.model, part.X, part.y, n_bins=10, positive=positive)
    of = f"class {clean(positive, 40)}" if positive is not None else "the class it says"
    words = paragraph(f"Expected calibration error {percent(found.ece)}: {_judged(found, subject.seed)}")
    head = [f"said: {of}", "came true", "rows"]
    rows = [
        [percent(c), percent(a), count(n)]
        for c, a, n in zip(found.confidence, found.accuracy, found.counts, strict=True)
    ]
    shown = table(head, rows, caption="What was said, and how often it came true")
    try:
        drawn = picture(
            lambda ax: ReliabilityDisplay.from_curves({"the model": found}, ax=ax),
            title="How often it came true",
            said=f"Expected calibration error {percent(found.ece)}; on the diagonal what is said is true",
            size=(4.2, 4.5),
        )
    except ImportError as error:
        drawn = paragraph(str(error), class_="cut")
    return Section(
        "Look how near the points are to the diagonal: of the rows to which it gives 80 %, 80 % should come true.",
        joined(words, tag("div", drawn, shown, class_="beside")),
    )


def _judged(found: Reliability, seed: int) -> str:
    chance = found.ece_by_chance(random_state=seed)
    if found.ece <= chance:
        return f"no more than chance makes of right probabilities of so many rows (up to {percent(chance)})."
    if found.ece <= WELL:
        return "probabilities can be taken as they are."
    if found.ece >= BADLY:
        return "do not take its probabilities as such; selection.TemperatureScaled mends them."
    return "take its probabilities for rough ones."


CALIBRATION = Kind("calibration", "Can its probabilities be trusted?", _made)
