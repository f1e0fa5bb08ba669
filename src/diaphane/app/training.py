"""``diaphane train``."""

from __future__ import annotations

import json
import math
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from ..data import BUILT_IN, Table, is_built_in, load, read_table
from ..data.errors import closest
from ..files import FileError
from ..training import InterruptedWarning
from .errors import UserError
from .fitting import Options, Outcome, fit_table, refuse_idle
from .learnt import draw_what_was_learnt, need_pictures
from .model import save_model
from .pictures import draw_learning_curves, draw_model

__all__ = ["read_source", "train"]


def train(
    source: str,
    *,
    target: str | None,
    header: bool,
    task: str,
    hidden: str,
    out: Path,
    plot: bool = False,
    given: frozenset[str] = frozenset(),
    **settings: Any,
) -> None:
    """Read, train, say how it went, and write.

    ``given`` are the settings that were asked for by name, which a model that has no use for them refuses.
    """
    if task not in ("auto", "classification", "regression"):
        raise UserError(f"--task must be auto, classification or regression, got {task!r}")
    options = Options(target=target, task=task, hidden=_sizes(hidden), **settings)
    refuse_idle(options.model, given)
    if plot:
        need_pictures()
    table = read_source(source, header=header)
    # Before the training, not after it: whoever waited for a model should get it.
    make_writable(out)
    # Names of files and columns are shown as they are, and a path stays on one line.
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InterruptedWarning)
        outcome = fit_table(table, options)
    outcome.notes += [str(w.message) for w in caught if issubclass(w.category, InterruptedWarning)]
    written = write_outcome(out, outcome, source)
    if plot:
        written += draw_what_was_learnt(outcome, table, out)
    tell(console, outcome, source)
    for path in written:
        console.print(f"wrote {path}")


def read_source(source: str, *, header: bool) -> Table:
    """A built-in set by its name, or a file."""
    if is_built_in(source):
        return load(source)
    if not Path(source).suffix and not Path(source).exists():
        raise UserError(
            f"{source!r} is neither a file nor a built-in set; give a CSV, TSV or Parquet file, or one of "
            f"{', '.join(BUILT_IN)}.{closest(source, BUILT_IN)}"
        )
    return read_table(source, header=header)


def make_writable(folder: Path) -> None:
    """The folder, made and tried; raises where it cannot be written to."""
    if folder.is_file():
        raise UserError(f"--out: {folder} is a file; expected a folder, which is made where there is none")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"--out: cannot write to {folder}: {os.strerror(error.errno or 0)}; choose another folder"
        ) from None


def write_outcome(folder: Path, outcome: Outcome, source: str) -> list[Path]:
    """The model first, then what goes with it."""
    written = [save_model(folder, outcome.model)]
    try:
        if len(outcome.history):
            curves = draw_learning_curves(
                outcome.history, folder / "learning_curves.png", title=f"{Path(source).name}: {outcome.target.name}"
            )
            if curves is None:
                outcome.notes.append('no picture of the learning curves: pip install "diaphane[plot]"')
            else:
                written.append(curves)
        written.append(Path(draw_model(outcome.model).save(folder / "network.svg")))
        history = folder / "history.json"
        history.write_text(json.dumps(outcome.history.records, indent=1))
    except OSError as error:
        raise FileError(f"the model is in {written[0]}, but its pictures are not: {error.strerror}") from None
    return [*written, history]


def tell(console: Console, outcome: Outcome, source: str) -> None:
    """A short table: sizes, scores, the baseline beside them, seconds."""
    console.print(f"{source}: {outcome.target.describe()}", style="bold")
    table = RichTable()
    table.add_column("", justify="left")
    for name in ("rows", outcome.metric, f"baseline ({outcome.baseline})"):
        table.add_column(name, justify="right")
    for name, scores in outcome.scores.items():
        rows = len(getattr(outcome.split, name))
        table.add_row(name, f"{rows}", _shown(scores["score"]), _shown(scores["baseline"]))
    console.print(table)
    console.print(f"{outcome.n_parameters} parameters, {outcome.how}, {outcome.seconds:.1f} seconds")
    for note in outcome.notes:
        console.print(f"note: {note}")
    console.print(f"test {outcome.metric}: {_shown(outcome.scores['test']['score'])}", style="bold")


def _shown(score: float) -> str:
    """R² of one row, or of rows that are all alike, is no number."""
    return "–" if math.isnan(score) else f"{score:.4f}"


def _sizes(given: str) -> tuple[int, ...]:
    if not given.strip():
        return ()
    try:
        return tuple(int(part) for part in given.split(","))
    except ValueError:
        raise UserError(f"--hidden takes whole numbers with commas between, for example 64,32; got {given!r}") from None
