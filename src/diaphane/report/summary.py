"""The first screen: what is predicted, how well, what is wrong, and what to do next."""

from __future__ import annotations

from ..selection import report_metrics
from ..selection.metric_report import MetricRow, MetricsReport
from .inside import network_step
from .markup import LONGEST, Markup, clean, joined, paragraph, tag
from .numbers import count, number, percent, plural
from .part import Absent
from .sections.columns import column_names
from .sections.diagnosis import MEANINGS
from .sections.scores import rows_called
from .subject import Subject

__all__ = ["summary"]

COMPANIONS = {
    "classification": ("accuracy", "balanced_accuracy", "auc", "log_loss"),
    "regression": ("r2", "mae", "rmse"),
}
TILES = 3
STEPS = 3
FEW = 100
ASKED_FOR = "score once on test data"
"""A step of the diagnosis that was done where there are test rows."""
IN_WORDS = {
    "accuracy": ("It is right in {value} of", "{baseline} would be right without learning"),
    "balanced_accuracy": ("On average over the classes it finds {value} of each among", "{baseline} without learning"),
    "r2": ("It explains {value} of how the target varies over", "{baseline} without learning"),
    "mae": ("It is off by {value} on average on", "{baseline} where nothing is learnt"),
}
"""How scores are said; those that are shares are said in percent."""
SHARES = ("accuracy", "balanced_accuracy", "r2")
RANKS = 0.1
"""How far AUC must be above that of chance for a model to be of use whatever its answers at ½ are."""
CHOSEN_BY = {
    "validation": "Something may have been chosen by these rows, so that new ones are a little harder.",
    "held out": "Each network was stopped by the rows that it held out, so that new ones are a little harder.",
}


THRESHOLD_STEP = (
    "choose on validation rows from which probability on the rare class is said (selection.choose_threshold, "
    "--threshold auto), or let it count more (class_weight)"
)


def summary(subject: Subject) -> Markup:
    """What a reader with one minute needs."""
    head, useful, flattered, ranks = [tag("h1", clean(subject.name, 120)), _what(subject)], True, False, None
    try:
        scores = subject.main_scores
        main = _main(subject, scores)
        better = [row.beats_baseline for row in scores.scores]
        useful, flattered = main.beats_baseline or sum(better) > len(better) / 2, scores.word is not None
        ranks = _ranks(scores)
        said = [_good(subject, scores, main), _tiles(scores, main), _warnings(subject, scores)]
    except Exception as error:
        said = [paragraph(f"Its predictions could not be scored: {error}", class_="warning")]
    verdict = _verdict(subject, useful=useful, flattered=flattered, ranks=ranks)
    return tag("header", *head, *said, verdict, class_="summary")


def _what(subject: Subject) -> Markup:
    columns = len(column_names(subject.estimator, subject.learnt.X))
    kind = f"{len(subject.classes)} classes" if subject.classes is not None else "a number"
    model = network_step(subject.estimator)
    members = len(getattr(model, "members_", ()))
    name = getattr(model, "called", type(model).__name__) + (f" of {members} networks" if members > 1 else "")
    return paragraph(
        "Predicts ", tag("b", clean(subject.target, LONGEST)), f" ({kind}) from {plural(columns, 'column')}, "
        f"learnt from {plural(len(subject.learnt), 'row')} by {name}.",
        class_="what",
    )  # fmt: skip


def _row(scores: MetricsReport, name: str) -> MetricRow | None:
    return next((row for row in scores.scores if row.metric.name == name), None)


def _main(subject: Subject, scores: MetricsReport) -> MetricRow:
    found = _row(scores, subject.metric.name)
    if found is not None:
        return found
    metric, part = subject.metric, subject.judged
    if not metric.suits(subject.model, part.y):
        # R² of one row: the first that there is.
        return scores.scores[0]
    # Asked for by name: it is not among those that are always reported.
    return report_metrics(subject.model, part.X, part.y, y_train=subject.learnt.y, metrics=[metric]).scores[0]


def _good(subject: Subject, scores: MetricsReport, row: MetricRow) -> Markup:
    start, end = IN_WORDS.get(
        row.metric.name, (f"Its {row.metric.title} is {{value}} on", "{baseline} without learning")
    )
    value, baseline = (percent(v) if row.metric.name in SHARES else number(v) for v in (row.value, row.baseline))
    rows = f"{count(len(subject.judged))} {rows_called(subject.judged)}"
    better = "" if row.beats_baseline else " By this score it is no better than no learning."
    return paragraph(
        tag("b", start.format(value=value)),
        f" {rows}; {end.format(baseline=baseline)} (a rule that {scores.baseline}).{better}",
        class_="lead" if row.beats_baseline else "lead bad",
    )  # fmt: skip


def _tiles(scores: MetricsReport, main: MetricRow) -> Markup:
    others = [row for name in COMPANIONS[main.metric.task] if (row := _row(scores, name)) is not None]
    shown = [main, *(row for row in others if row.metric.name != main.metric.name)][:TILES]
    tiles = [
        tag(
            "div",
            tag("dt", row.metric.title),
            tag("dd", number(row.value, 3), class_="value"),
            tag("dd", f"without learning {number(row.baseline, 3)}", class_="beside-it"),
            class_="tile" if row.beats_baseline else "tile bad",
        )
        for row in shown
    ]
    return tag("dl", *tiles, class_="tiles")


def _warnings(subject: Subject, scores: MetricsReport) -> Markup:
    said = []
    if scores.word is not None:
        said.append(f"{scores.word[0].upper()}{scores.word[1:]}.")
    if subject.judged.name == "learnt from":
        said.append(
            "These are rows that it learnt from: of new ones it will know less. Give test=(X, y) for an honest score."
        )
    elif len(subject.judged) < FEW:
        one = percent(1 / len(subject.judged))
        less = f": one row more or less is {one}" if subject.metric.name == "accuracy" else ""
        said.append(f"Judged by {plural(len(subject.judged), 'row')} only{less}.")
    if subject.judged.name in CHOSEN_BY:
        said.append(CHOSEN_BY[subject.judged.name])
    said += [f"{note[0].upper()}{note[1:].rstrip('.')}." for note in subject.judged.notes]
    return joined(*(paragraph(words, class_="warning") for words in said))


def _ranks(scores: MetricsReport) -> float | None:
    """The AUC, where it says that probabilities tell the classes apart."""
    auc = _row(scores, "auc")
    return auc.value if auc is not None and auc.value >= auc.baseline + RANKS else None


def _verdict(subject: Subject, *, useful: bool, flattered: bool, ranks: float | None) -> Markup:
    try:
        diagnosis = subject.diagnosis
    except Absent as error:
        return paragraph(f"{str(error)[0].upper()}{str(error)[1:].rstrip('.')}.", class_="cut")
    first = diagnosis.findings[0]
    verdict, meaning, kind = f"Verdict: {first.kind}. ", MEANINGS.get(first.kind, first.kind), "verdict bad"
    if diagnosis.healthy and useful:
        # Green beside a warning would be read as "all is well".
        kind = "verdict" if flattered else "verdict good"
    elif diagnosis.healthy and ranks is not None:
        verdict, meaning = (
            "Verdict: choose a threshold. ",
            "Its answers are no better than no learning, and its probabilities tell the classes apart "
            f"(AUC {ranks:.3f})",
        )
    elif diagnosis.healthy:
        # Its training may be sound, and what came of it of no use.
        verdict, meaning = (
            "Verdict: of no use as it is. ",
            "It is no better than no learning, and nothing was found why",
        )
    said = paragraph(tag("b", verdict), f"{meaning}: {clean(first.words)}.", class_=kind)
    steps = [step for step in diagnosis.next_steps if subject.test is None or not step.startswith(ASKED_FOR)][:STEPS]
    if not steps:
        return said
    if not useful and diagnosis.healthy and ranks is not None:
        steps = [THRESHOLD_STEP]
    listed = tag("ol", *(tag("li", clean(step)) for step in steps))
    return joined(said, tag("div", tag("b", "What to do next"), listed, class_="next"))
