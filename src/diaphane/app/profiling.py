"""``diaphane profile`` and ``diaphane warmup``."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console

from ..engines import NativeEngine, Program
from ..engines.native.cache import cache_folder, compiled_here
from ..nn.losses import find_loss
from ..training import TrainingStep
from .errors import UserError
from .model import load_model
from .networks import extras_of, loss_of, optimizer_of, penalty_of
from .relearning import options_of, targets_of
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
    x = (model.encoder.transform if predicting else model.features)(table.drop([model.target]))
    if not len(x):
        raise UserError(f"{source} has no rows to compute with")
    size = min(batch_size, len(x))
    engine = NativeEngine(n_threads=threads)
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    if predicting:
        program = Program(model.network.output, engine=engine)
        what, found = "prediction", program.profile(model.state, {model.network.input: x}, batch_size=size, steps=steps)
    else:
        targets = targets_of(model, table, source, ", or --predict to look into a prediction")
        options, (network, values) = options_of(model), model.member()
        step = TrainingStep(
            network,
            find_loss(loss_of(options, model.scaler is None)),
            optimizer_of(options),
            target_shape=targets.shape[1:],
            target_dtype=targets.dtype,
            penalty=penalty_of(options),
            **extras_of(options),
            engine=engine,
        )
        state = step.initial_state(values)
        what = "training step" + f" of one of {model.n_members} networks" * (model.n_members > 1)
        found = step.program.profile(state, step.data(x, targets), batch_size=size, steps=steps)
    console.print(f"a {what} of {folder} on {size} row{'s' * (size > 1)} of {source}", style="bold")
    console.print(str(found))


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
