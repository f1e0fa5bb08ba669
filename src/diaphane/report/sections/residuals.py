"""How far numbers are off."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import PredictionErrorDisplay

from ...insight.displays.style import BLUE, INK, dress, plain
from ..markup import LONGEST, clean, joined, paragraph, table, tag
from ..numbers import number
from ..pictures import picture
from ..section import Kind, Section
from ..subject import Subject
from .scores import TITLES, rows_called

__all__ = ["RESIDUALS"]

MOST_POINTS = 700
WORST = 5


def _made(subject: Subject) -> Section | None:
    if subject.classes is not None:
        return None
    part = subject.judged
    truth, said = np.asarray(part.y, np.float64), np.asarray(subject.model.predict(part.X), np.float64)
    off = np.abs(truth - said)
    half, most, nearly_all = np.quantile(off, [0.5, 0.9, 0.99])
    words = paragraph(
        f"On the {rows_called(part)}, half of the predictions are off by less than ",
        tag("b", number(half, 3)), ", nine in ten by less than ", tag("b", number(most, 3)),
        f", and 99 of 100 by less than {number(nearly_all, 3)}.",
    )  # fmt: skip
    order = np.argsort(-off, kind="stable")[:WORST]
    rows = [[f"row {part.rows[i]}", number(truth[i]), number(said[i]), number(truth[i] - said[i])] for i in order]
    worst = table(
        [f"of the {TITLES[part.name]} rows as given, from 0", "true", "predicted", "true − predicted"],
        rows,
        caption="Missed by most",
    )
    name = clean(subject.target, 40)

    def drawn(kind: str, title: str, told: str) -> Any:
        return picture(lambda ax: _draw(ax, truth, said, kind, name, subject.seed), title=title, said=told)

    try:
        shown = tag(
            "div",
            drawn("actual_vs_predicted", "True against predicted", "Points near the diagonal are predicted well"),
            drawn(
                "residual_vs_predicted",
                "What is left against predicted",
                "Points near the line at 0 are predicted well",
            ),
            class_="pictures",
        )
    except ImportError as error:
        shown = paragraph(str(error), class_="cut")
    cut = (
        paragraph(f"{MOST_POINTS} of {len(truth)} rows are drawn.", class_="cut") if len(truth) > MOST_POINTS else None
    )
    look = "Look for a bend or a funnel: what is left should lie evenly around 0 wherever it is predicted"
    return Section(f"{look}; {clean(subject.target, LONGEST)} is in its own unit.", joined(words, shown, cut, worst))


def _draw(ax: Any, truth: Any, said: Any, kind: str, name: str, seed: int) -> None:
    PredictionErrorDisplay.from_predictions(
        truth, said, kind=kind, subsample=min(MOST_POINTS, len(truth)), random_state=seed, ax=ax,
        scatter_kwargs={"color": BLUE, "s": 9, "alpha": 0.5, "linewidths": 0},
        line_kwargs={"color": INK, "linewidth": 1, "linestyle": "--"},
    )  # fmt: skip
    left = f"{name} − predicted" if kind.startswith("residual") else name
    ax.set_aspect("auto")
    dress(ax, xlabel=f"predicted {plain(name)}", ylabel=plain(left))


RESIDUALS = Kind("residuals", "Mistakes: how far off", _made)
