"""``diaphane profile`` and ``diaphane warmup``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from ..data import Table, encode_labels
from ..engines import NativeEngine, Program
from ..engines.native.cache import cache_folder, compiled_here
from ..graph.node import Array
from ..nn.losses import find_loss
from ..optim import Adam
from ..training import TrainingStep
from .errors import UserError
from .fitting import penalty_of_weights
from .model import Model, load_model
from .training import read_source
from .warming import common_programs

__all__ = ["profile", "warmup"]


def profile(
    folder: Path, source: str, *, header: bool, batch_size: int, steps: int, threads: int | None, predicting: bool
) -> None:
    """Print where the time of a model's training step goes, or that of its prediction."""
    for name, value in (("batch-size", batch_size), ("steps", steps), ("threads", threads)):
        if value is not None and value < 1:
            raise UserError(f"--{name} must be at least 1, got {value}")
    model = load_model(folder)
    table = read_source(source, header=header)
    x = model.encoder.transform(table.drop([model.target]))
    if not len(x):
        raise UserError(f"{source} has no rows to compute with")
    size = min(batch_size, len(x))
    engine = NativeEngine(n_threads=threads)
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    if predicting:
        program = Program(model.network.output, engine=engine)
        what, found = "prediction", program.profile(model.state, {model.network.input: x}, batch_size=size, steps=steps)
    else:
        targets = _targets(model, table, source)
        step = TrainingStep(
            model.network,
            find_loss("categorical_cross_entropy" if model.scaler is None else "half_squared_error"),
            Adam(),
            target_shape=targets.shape[1:],
            target_dtype=targets.dtype,
            penalty=penalty_of_weights,
            engine=engine,
        )
        state = step.initial_state(model.state)
        what, found = "training step", step.program.profile(state, step.data(x, targets), batch_size=size, steps=steps)
    console.print(f"a {what} of {folder} on {size} row{'s' * (size > 1)} of {source}", style="bold")
    console.print(str(found))


def _targets(model: Model, table: Table, source: str) -> Array:
    """What the model would learn from; any class stands in for one that is missing, as the time is the same."""
    if model.target not in table.names:
        raise UserError(
            f"{source} has no column {model.target!r}, which a training step needs; "
            "give a table with it, or --predict to look into a prediction"
        )
    column = table[model.target]
    if model.scaler is None:
        return np.maximum(encode_labels(column, model.labels), 0).astype(np.int64)
    if column.dtype == object:
        raise UserError(f"the target {model.target!r} is a number in the model and has text in {source}")
    scaled: Any = model.scaler.transform(np.nan_to_num(column))
    return np.asarray(scaled, np.float32)[:, None]


def warmup() -> None:
    """Compile the kernels of common networks, so that no later run waits for them."""
    from rich.progress import track

    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    started = time.perf_counter()
    programs = common_programs()
    for prepare in track(programs, "compiling", console=console, transient=True):
        prepare()
    count, _ = compiled_here()
    console.print(
        f"{len(programs)} programs in {time.perf_counter() - started:.1f} s: {count} kernels compiled, "
        f"the others were there; they are in {cache_folder() or 'memory only'}"
    )
