"""``diaphane train``."""

from __future__ import annotations

import json
import math
import os
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from ..data import BUILT_IN, DataError, Table, is_built_in, load, read_table
from ..data.errors import closest
from ..files import FileError
from .errors import UserError
from .fitting import Outcome, fit_stream, fit_table
from .learnt import draw_what_was_learnt, need_pictures
from .model import save_model
from .networks import check_recipe
from .options import Options
from .options.checks import AUTO
from .parts import TestFile
from .pictures import draw_learning_curves, draw_model
from .resuming import folder_of, how_to_go_on, refuse_another_run
from .streams import is_streamed
from .writing import write_text

ROOM = 2**20
"""Bytes: a small model with its pictures."""

__all__ = ["make_writable", "plain_console", "read_source", "read_test_file", "train", "train_and_write"]

REPORT = "report.html"


def train(options: Options, notes: Sequence[str] = ()) -> None:
    """Read, train, say how it went, and write; ``notes`` are what there is to say of the options."""
    streamed = is_streamed(options)
    if streamed and options.model == AUTO:
        options, notes = replace(options, model="mlp"), [*notes, f"--model mlp: {options.source} may not fit in memory"]
    assert options.source is not None
    check_recipe(options)
    refuse_another_run(options)
    if options.plot:
        need_pictures()
    started = time.perf_counter()
    table = None if streamed else read_source(options.source, header=not options.no_header)
    test = read_test_file(options)
    reading = time.perf_counter() - started
    # Before the training, not after it: whoever waited for a model should get it.
    make_writable(options.out, "--out")
    if folder := folder_of(options):
        make_writable(folder, "--checkpoint")
    train_and_write(options, table, test, plain_console(), notes=notes, seconds={"reading": reading})


def train_and_write(
    options: Options,
    table: Table | None,
    test: TestFile | None,
    console: Console,
    *,
    notes: Sequence[str] = (),
    written: Sequence[Path] = (),
    seconds: Mapping[str, float] | None = None,
    search: Any = None,
) -> None:
    """Train, say how it went, and write.

    Parameters
    ----------
    options : Options
    table : Table or None
        None for a source that is read in chunks.
    test : TestFile or None
    console : Console
    notes : sequence of str
        What there is to say already.
    written : sequence of Path
        What is in the folder already.
    seconds : mapping of str to float, optional
        What went before, by phase.
    search : Search, optional
        That found the options.
    """
    assert options.source is not None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outcome = fit_stream(options, test=test) if table is None else fit_table(table, options, test=test)
    outcome.notes[:0] = notes
    outcome.notes += _noted(caught)
    if outcome.history.stopped == "interrupted" and outcome.model.facts["model"] == "mlp":
        outcome.notes.append(how_to_go_on(options))
    paths = [*written, *write_outcome(options.out, outcome, options.source)]
    if options.plot:
        paths += draw_what_was_learnt(outcome, options.out)
    tell(console, outcome, options.source)
    # A page of the model that was there before would be taken for one of this.
    (options.out / REPORT).unlink(missing_ok=True)
    if options.report:
        before = {**(seconds or {}), "training": outcome.seconds}
        paths += _report(outcome, options, before, search, console)
    for path in paths:
        console.print(f"wrote {path}")


def _report(
    outcome: Outcome, options: Options, seconds: Mapping[str, float], search: Any, console: Console
) -> list[Path]:
    from .reporting import write_report

    try:
        return [write_report(outcome, options, options.out / REPORT, seconds, search)]
    except KeyboardInterrupt:
        console.print(f"interrupted while the report was made; the model is in {options.out}")
        raise
    except UserError as error:
        # Rows that a page cannot be made of are no reason to lose a model.
        console.print(f"note: {error}")
        return []
    except OSError as error:
        raise FileError(f"the model is in {options.out}, but its report is not: {error.strerror}") from None


def plain_console() -> Console:
    """Names of files and columns are shown as they are, and a path stays on one line."""
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def read_test_file(options: Options) -> TestFile | None:
    """The rows of ``--test``, where it is given."""
    if options.test is None:
        return None
    if Path(str(options.source)).exists() and options.test.exists() and options.test.samefile(str(options.source)):
        raise UserError(
            f"--test: {options.test} is the table itself, whose rows are learnt from: a score on them says nothing of "
            "new ones; leave --test out, and some rows are set aside"
        )
    try:
        return TestFile(options.test, read_source(str(options.test), header=not options.no_header))
    except DataError as error:
        raise DataError(f"--test: {error}") from None


def _noted(caught: Sequence[warnings.WarningMessage]) -> list[str]:
    """What this library warned of; the rest is for programmers."""
    ours = __name__.split(".")[0]
    return list(dict.fromkeys(str(w.message) for w in caught if w.category.__module__.split(".")[0] == ours))


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


def make_writable(folder: Path, flag: str) -> None:
    """The folder, made and tried; raises where it cannot be written to."""
    if folder.is_file():
        raise UserError(f"{flag}: {folder} is a file; expected a folder, which is made where there is none")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            # A full disk has room for a name, and none for what is in it.
            file.write(bytes(ROOM))
            file.flush()
    except OSError as error:
        raise UserError(
            f"{flag}: cannot write to {folder}: {os.strerror(error.errno or 0)}; choose another folder"
        ) from None


def write_outcome(folder: Path, outcome: Outcome, source: str) -> list[Path]:
    """The model first, then what goes with it."""
    written = [save_model(folder, outcome.model)]
    try:
        if len(outcome.history):
            curves = draw_learning_curves(
                outcome.history,
                folder / "learning_curves.png",
                title=f"{Path(source).name}: {outcome.target.name}",
                training=outcome.training_loss,
            )
            if curves is None:
                outcome.notes.append('no picture of the learning curves: pip install "diaphane[plot]"')
            else:
                written.append(curves)
        written.append(Path(draw_model(outcome.model).save(folder / "network.svg")))
        history = folder / "history.jsonl"
        write_text(history, "".join(f"{json.dumps(record)}\n" for record in outcome.history))
    except (OSError, UserError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise FileError(f"the model is in {written[0]}, but its pictures are not all there: {why}") from None
    return [*written, history]


def tell(console: Console, outcome: Outcome, source: str) -> None:
    """A short table: sizes, scores, the baseline beside them, seconds."""
    console.print(f"{source}: {outcome.target.describe()}", style="bold")
    table = RichTable()
    table.add_column("", justify="left")
    for name in ("rows", outcome.metric, f"baseline ({outcome.model.judge.baseline_name})"):
        table.add_column(name, justify="right")
    for name, scores in outcome.scores.items():
        shown = "held out" if name == "validation" and outcome.trained.held_outputs is not None else name
        table.add_row(shown, f"{outcome.parts.rows[name]}", _shown(scores["score"]), _shown(scores["baseline"]))
    console.print(table)
    console.print(f"{outcome.n_parameters} parameters, {outcome.trained.how}, {outcome.seconds:.1f} seconds")
    for note in outcome.notes:
        console.print(f"note: {note}")
    console.print(f"test {outcome.metric}: {_shown(outcome.scores['test']['score'])}", style="bold")


def _shown(score: float) -> str:
    """R² of one row, or of rows that are all alike, is no number."""
    return "–" if math.isnan(score) else f"{score:.4f}"
