"""The loss and what training was stopped by, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...estimators.tabular import Recipe
from ...insight.displays import TrainingCurvesDisplay
from ..inside import network_step
from ..markup import Markup, joined, paragraph, table, tag
from ..numbers import number, plural
from ..part import Absent
from ..pictures import picture
from ..section import Kind, Section
from ..subject import Subject

__all__ = ["CURVES", "Curves", "curves_of"]

Lines = dict[str, tuple[Sequence[float], Sequence[float]]]


@dataclass
class Curves:
    """Lines by network: the loss, the validation loss on the same scale, and another score.

    Attributes
    ----------
    loss, validation_loss, score : dict of name to (epochs, values)
    score_name : str
    kept : dict of name to int
    """

    loss: Lines = field(default_factory=dict)
    validation_loss: Lines = field(default_factory=dict)
    score: Lines = field(default_factory=dict)
    score_name: str = "validation"
    kept: dict[str, int] = field(default_factory=dict)


def curves_of(subject: Subject) -> Curves:
    """From the run's records, or from what the estimator kept.

    Raises
    ------
    Absent
        If there are none.
    """
    if subject.run.curves:
        return _of_records(subject.run.curves)
    model = network_step(subject.estimator)
    if members := getattr(model, "members_", None):
        return _of_members(model, members)
    if (history := getattr(model, "history_", None)) is not None and len(history):
        return _with_scores(_of_records(list(history), kept=bool(getattr(model, "early_stopping", False))), model)
    if (losses := getattr(model, "loss_curve_", None)) is not None and len(losses):
        return _with_scores(Curves(loss={"network": (range(1, len(losses) + 1), losses)}), model)
    raise Absent(f"{type(model).__name__} does not learn by epochs: there is no curve")


def _of_records(records: Sequence[Mapping[str, Any]], *, kept: bool = True) -> Curves:
    found = Curves()
    for name, lines in (("loss", found.loss), ("validation_loss", found.validation_loss)):
        known = [(r["epoch"], float(r[name])) for r in records if r.get(name) is not None]
        if known:
            lines["network"] = [epoch for epoch, _ in known], [value for _, value in known]
    if not found.loss:
        raise Absent("the run's records have no loss")
    if found.validation_loss and kept:
        epochs, values = found.validation_loss["network"]
        found.kept["network"] = int(epochs[min(range(len(values)), key=values.__getitem__)])
    return found


def _with_scores(found: Curves, model: Any) -> Curves:
    scores = getattr(model, "validation_scores_", None)
    if scores is None or not len(scores):
        return found
    found.score = {"network": (range(1, len(scores) + 1), list(scores))}
    found.score_name = "validation score"
    found.kept = {"network": 1 + max(range(len(scores)), key=lambda i: np.nan_to_num(float(scores[i]), nan=-np.inf))}
    return found


def _of_members(model: Any, members: Sequence[Any]) -> Curves:
    recipe = model.recipe or Recipe()
    of_classes = "validation error rate" if recipe.monitor == "error" else "validation log-loss"
    found = Curves(score_name=of_classes if hasattr(model, "classes_") else "validation squared error")
    for k, member in enumerate(members, 1):
        name, epochs = f"member {k}", [look.epoch for look in member.curve]
        found.loss[name] = epochs, [look.loss for look in member.curve]
        found.score[name] = epochs, [look.validation for look in member.curve]
        found.kept[name] = member.best_epoch
    return found


def _made(subject: Subject) -> Section:
    found = curves_of(subject)
    try:
        drawn = tag("div", *_drawn(found), class_="pictures")
    except ImportError as error:
        drawn = paragraph(str(error), class_="cut")
    many = f" There are {len(found.loss)} networks, a line for each." if len(found.loss) > 1 else ""
    what = found.validation_loss or found.score
    ending = (
        "Look whether the lines are still falling at the end (it could learn on), and whether validation turns while "
        "training falls (it remembers)."
        if what
        else "Look whether the line is still falling at the end: then it could learn on."
    )
    return Section(ending + many, joined(drawn, _table(found)))


def _drawn(found: Curves) -> list[Markup]:
    loss = TrainingCurvesDisplay(found.loss, found.validation_loss, found.kept, "loss")
    shown = [picture(lambda ax: loss.plot(ax), title="Loss by epoch", said=_said(found.loss, "The training loss"))]
    if found.score:
        score = TrainingCurvesDisplay({}, found.score, found.kept, found.score_name)
        name = found.score_name[0].upper() + found.score_name[1:]
        shown.append(picture(lambda ax: score.plot(ax), title=f"{name} by epoch", said=_said(found.score, "It")))
    return shown


def _said(lines: Lines, what: str) -> str:
    epochs, values = next(iter(lines.values()))
    return f"{what} goes from {number(values[0])} to {number(values[-1])} in {plural(int(epochs[-1]), 'epoch')}"


def _table(found: Curves) -> Markup:
    others = [("validation loss", found.validation_loss), (found.score_name, found.score)]
    others = [(name, lines) for name, lines in others if lines]
    rows = []
    for name, (epochs, values) in found.loss.items():
        cells = [str(epochs[-1]), number(values[0]), number(values[-1])]
        for _, lines in others:
            seen = lines[name]
            kept = found.kept.get(name, -1)
            at = list(seen[0]).index(kept) if kept in seen[0] else len(seen[1]) - 1
            cells.append(number(seen[1][at]))
        rows.append([name, *cells, str(found.kept.get(name, epochs[-1]))])
    head = ["", "epochs", "first loss", "last loss", *(f"{name} when kept" for name, _ in others), "kept: epoch"]
    return table(head, rows, caption="How training went", most=20, what="networks")


CURVES = Kind("curves", "How it learnt", _made)
