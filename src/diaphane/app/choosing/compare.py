"""``diaphane compare``: our models beside scikit-learn's on the same folds."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table as RichTable

from ...data import Target, choose_target
from ...graph.node import Array
from ..errors import UserError
from ..parts import Part
from ..scoring import Judge, choose_metric
from ..training import make_writable, plain_console, read_source
from ..writing import need_other_file, write_text
from .contenders import Contender, choose_contenders
from .folds import folds_of, refuse_small_classes

__all__ = ["compare"]


@dataclass(frozen=True)
class Compared:
    """How one model did.

    Attributes
    ----------
    contender : Contender
    scores : array, shape (folds,)
    seconds : float
        Mean of learning and predicting, a fold.
    """

    contender: Contender
    scores: Array
    seconds: float


def compare(
    source: str,
    *,
    target: str | None,
    task: str,
    header: bool,
    models: str | None,
    metric: str | None,
    folds: int,
    seed: int,
    out: Path,
) -> None:
    """Judge each model on each fold, print a table, the best first, and write it.

    Raises
    ------
    KeyboardInterrupt
        When interrupted, after the models that have all folds were told and written.
    """
    contenders = choose_contenders(models)
    if not 2 <= folds <= 1000:
        raise UserError(f"--folds must be from 2 to 1000, got {folds}")
    need_other_file(out, source, "--out")
    table = read_source(source, header=header)
    make_writable(out.parent, "--out")
    wanted = choose_target(table, target, task)
    judge = Judge(choose_metric(metric, wanted), len(wanted.labels))
    rows = Part(table.drop([wanted.name]).take(wanted.rows), wanted.y)
    refuse_small_classes(wanted, rows.y, folds)
    console = plain_console()
    console.print(f"{source}: {wanted.describe()}", style="bold")
    found, notes, interrupted = _judged(contenders, rows, wanted, judge, folds, seed, console)
    notes += table.notes
    if interrupted:
        known = [one.contender for one in found]
        notes.append(f"interrupted before {', '.join(c.name for c in contenders if c not in known)}")
    if found:
        found = sorted(found, key=lambda one: _rank(one, judge))
        _tell(console, found, judge, f"{len(rows)} rows in {folds} folds")
        write_text(out, _csv(found))
    for note in notes:
        console.print(f"note: {note}")
    if found:
        console.print(f"wrote {out}")
    if interrupted:
        raise KeyboardInterrupt
    if not found:
        raise UserError("no model could be trained on every fold; the notes say why")


def _judged(
    contenders: Sequence[Contender],
    rows: Part,
    target: Target,
    judge: Judge,
    folds: int,
    seed: int,
    console: Console,
) -> tuple[list[Compared], list[str], bool]:
    """Those that have all folds, what there is to say of the others, and whether it was interrupted."""
    found: list[Compared] = []
    notes: list[str] = []
    splits = folds_of(target, rows, folds, seed)
    for contender in contenders:
        scores, started = [], time.perf_counter()
        try:
            with console.status(f"{contender.title} …"):
                for learnt, judged in splits:
                    held = _some(rows, judged)
                    outputs = contender.outputs(_some(rows, learnt), held, target, seed)
                    scores.append(judge.score(held.y, outputs))
        except KeyboardInterrupt:
            return found, notes, True
        except (ValueError, ArithmeticError) as error:
            notes.append(f"{contender.name} is left out: {' '.join(str(error).split())}")
            continue
        found.append(Compared(contender, np.array(scores), (time.perf_counter() - started) / len(splits)))
    return found, notes, False


def _some(rows: Part, places: Array) -> Part:
    return Part(rows.features.take(places), rows.y[places])


def _rank(one: Compared, judge: Judge) -> float:
    """Less for the better; what is not defined comes last."""
    mean = float(np.mean(one.scores))
    if math.isnan(mean):
        return math.inf
    return -mean if judge.metric.greater_is_better else mean


def _difference(one: Compared, best: Compared) -> tuple[float, float]:
    """The mean of the folds' differences, and its standard error."""
    apart = one.scores - best.scores
    return float(apart.mean()), _error(apart)


def _error(values: Array) -> float:
    return float(np.std(values, ddof=1) / math.sqrt(len(values)))


def _tell(console: Console, found: Sequence[Compared], judge: Judge, rows: str) -> None:
    table = RichTable()
    table.add_column("", justify="left")
    for name in (judge.metric.title, "difference to the best", "seconds a fold"):
        table.add_column(name, justify="right")
    for one in found:
        difference = "–" if one is found[0] else "{:+.4f} ± {:.4f}".format(*_difference(one, found[0]))
        score = f"{np.mean(one.scores):.4f} ± {_error(one.scores):.4f}"
        table.add_row(one.contender.title, score, difference, f"{one.seconds:.2f}")
    console.print(table)
    way = "more" if judge.metric.greater_is_better else "less"
    console.print(f"{rows}, the same for all; mean ± standard error over folds, {way} is better")


def _csv(found: Sequence[Compared]) -> str:
    folds = [f"fold_{k + 1}" for k in range(len(found[0].scores))]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["model", "mean", "standard_error", "difference", "difference_error", "seconds", *folds])
    for one in found:
        numbers: list[Any] = [np.mean(one.scores), _error(one.scores), *_difference(one, found[0])]
        cells = [repr(float(number)) for number in (*numbers, one.seconds, *one.scores)]
        writer.writerow([one.contender.name, *cells])
    return buffer.getvalue()
