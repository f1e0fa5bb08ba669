"""``report.html`` of a training: the page of :mod:`diaphane.report`, with what the command knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..graph.node import Array
from .errors import UserError
from .fitted import fitted_of
from .fitting import Outcome
from .options import Options
from .parts import FRACTIONS, WITHOUT_TEST, Part
from .pictures import draw_model
from .repeating import as_command, as_python
from .tabular import labels_of

__all__ = ["write_report"]


def write_report(
    outcome: Outcome, options: Options, path: Path, seconds: Mapping[str, float], search: Any = None
) -> Path:
    """Write the page; ``seconds`` are those of each phase.

    Raises
    ------
    UserError
        If it cannot be made of these rows.
    OSError
        If it cannot be written.
    """
    from ..report import RunFacts, report

    model, parts = outcome.model, outcome.parts
    names = parts.train.features.names
    fitted: Any = outcome.trained.estimator
    if fitted is None:
        fitted = fitted_of(model, names)
    choice = None if outcome.threshold is None else replace(outcome.threshold, estimator=fitted)
    # The networks of tabular know which of the rows that they learnt from each of them has not seen.
    validation = None if outcome.trained.held_outputs is not None else parts.of["validation"]
    facts = RunFacts(
        split=_split(outcome, options),
        seconds=seconds,
        code=as_python(options, str(model.facts["model"]), classify=bool(outcome.target.labels)),
        command=as_command(options),
        notes=tuple(outcome.notes),
        # The networks of tabular have theirs with them.
        curves=None if outcome.trained.estimator is not None else list(outcome.history) or None,
        network=draw_model(model),
    )
    try:
        page = report(
            fitted,
            *_rows(outcome, parts.train),
            validation=None if validation is None else _rows(outcome, validation),
            test=_rows(outcome, parts.of["test"]),
            name=Path(str(options.source)).name,
            target=outcome.target.name,
            metric=model.judge.metric.name,
            threshold=choice,
            search=search,
            run=facts,
            random_state=options.seed,
        )
    except ValueError as error:
        raise UserError(f"no report: {error}") from None
    return page.save(path)


def _rows(outcome: Outcome, part: Part) -> tuple[Any, Array]:
    """Rows with their labels; one of a class that the model does not know has none."""
    if not outcome.target.labels:
        return part.features, part.y
    known = np.flatnonzero(part.y >= 0)
    features = part.features if len(known) == len(part) else part.features.take(known)
    return features, labels_of(outcome.target, part.y[known])


def _split(outcome: Outcome, options: Options) -> str:
    counts = outcome.parts.rows
    learnt, stopped = (
        f"{share:.0%}".replace("%", " %") for share in (FRACTIONS if options.test is None else WITHOUT_TEST)[:2]
    )
    how = "at random, with each class in proportion" if outcome.target.labels else "at random"
    tested = f"the {counts['test']} rows of {options.test}" if options.test else f"{counts['test']} rows, {how}"
    if outcome.trained.held_outputs is not None:
        use = (
            f"{counts['train']} rows were learnt from, each held out by one of the networks to stop by and to choose by"
        )
    else:
        use = f"{counts['train']} rows were learnt from ({learnt}), {counts['validation']} kept for choices ({stopped})"
    return f"Test: {tested}; they were looked at once, when all was chosen. {use}."
