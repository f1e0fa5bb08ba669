"""How gradients reach the layers of our networks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...engines import State
from ...estimators.tabular import TabularClassifier, TabularRegressor
from ...estimators.tabular.frames import table_of
from ...insight.health import HealthReport, gradient_health
from ...nn import Network
from ..inside import network_step, rows_inside
from ..markup import clean, joined, paragraph, table, tag
from ..numbers import number, percent
from ..part import Part
from ..pictures import panels
from ..section import Kind, Section
from ..subject import Subject

__all__ = ["HEALTH", "health_of"]

ROWS = 256


def health_of(subject: Subject) -> HealthReport | None:
    """One look at the fitted network, at rows that it learnt from; None where it is no network of this library."""
    model = network_step(subject.estimator)
    few = subject.learnt.few(ROWS, subject.seed)
    tabular = isinstance(model, TabularClassifier | TabularRegressor)
    if not tabular and not isinstance(getattr(model, "network_", None), Network):
        return None
    rows = rows_inside(subject.estimator, few.X)
    if tabular:
        return _of_member(model, replace(few, X=rows))
    return gradient_health(model, _plain(rows), few.y, random_state=subject.seed)


def _plain(rows: Any) -> Any:
    return np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows)


def _of_member(model: Any, few: Part) -> HealthReport:
    """The first member, in the numbers that its columns become."""
    network = model._fitted_plan().network
    values = model.members_[0].values
    state = State({variable: values[name] for name, variable in network.named_variables().items()})
    x = model._features.transform(table_of(model, few.X, reset=False))
    if isinstance(model, TabularClassifier):
        target = np.searchsorted(model.classes_, few.y).astype(np.int64)
        return gradient_health(network, x, target, state=state, loss="categorical_cross_entropy")
    target = model._scaler.transform(np.asarray(few.y, np.float64)).astype(np.float32)[:, None]
    return gradient_health(network, x, target, state=state, loss="half_squared_error")


def _made(subject: Subject) -> Section | None:
    report = health_of(subject)
    if report is None:
        return None
    findings = report.verdict()
    said = (
        tag("ul", *(tag("li", tag("b", clean(f.kind)), f": {clean(f.words)}") for f in findings))
        if findings
        else paragraph("Nothing was found that keeps this network from learning.", class_="well")
    )
    head = ["layer", "gradient", "gradient at units", "weights", "saturated", "dead"]
    rows = [
        [layer.name, *map(number, (layer.gradient, layer.signal, layer.weights)), percent(layer.saturated),
         percent(layer.dead)]
        for layer in report.looks[-1].layers
    ]  # fmt: skip
    shown = table(head, rows, caption="Norms at the values that training ended with", most=40, what="layers")
    words = ("Gradient at the units, layer by layer", "from the first layer at the left to the last at the right")
    try:
        drawn = tag("div", *panels(report.plot, [words, None, None]), class_="pictures")
    except ImportError as error:
        drawn = paragraph(str(error), class_="cut")
    several = len(getattr(network_step(subject.estimator), "members_", ())) > 1
    first = " It is the first of several networks." if several else ""
    return Section(
        "Look whether gradients of all layers are of one size: where the first ones get thousands of times less, they "
        f"do not learn.{first}",
        joined(said, shown, drawn),
    )


HEALTH = Kind("health", "Gradient health", _made)
