"""What a schedule, max-norm, dropout and the other parts of a step add to it: 784-1024-1024-1024-10, batches of 128.

Native engine, float32. Each variant trains the same net on the same rows, an epoch in turn with the plain one, and
each epoch is compared with the plain one beside it: the median of these ratios counts.

    python benchmarks/bench_regularisation.py [--quick]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from tables import console, machine, new_table, verdict
from turns import PAUSE
from works import LEARNING_RATE, Work

from diaphane.nn import Dense, Dropout, GaussianNoise, LabelSmoothing, Network, Sequential, find_loss
from diaphane.optim import EMA, L2, SWA, Adam, ClipNorm, ClipValue, Cosine, MaxNorm
from diaphane.training import Mixup, TrainingStep

WORK = Work((784, 1024, 1024, 1024, 10), 128, 20)
QUICK = Work((784, 1024, 1024, 1024, 10), 128, 6)
TOGETHER = "schedule, max-norm, hidden dropout"
TARGET = 1.15
"""How many times as long as a plain step one with these three may take."""

SCHEDULE: dict[str, Any] = {"schedule": Cosine(100)}
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "schedule": SCHEDULE,
    "max-norm, nothing too long": {"constraint": MaxNorm(4.0)},
    "max-norm, every unit too long": {"constraint": MaxNorm(0.5)},
    "hidden dropout 0.5": {"dropout": 0.5},
    TOGETHER: {**SCHEDULE, "constraint": MaxNorm(2.0), "dropout": 0.5},
    f"{TOGETHER}, every unit too long": {**SCHEDULE, "constraint": MaxNorm(0.5), "dropout": 0.5},
    "L2": {"penalty": L2(1e-4)},
    "clipping by value": {"clipping": ClipValue(1.0)},
    "clipping by norm": {"clipping": ClipNorm(1.0)},
    "EMA": {"averaging": EMA(0.999)},
    "SWA": {"averaging": SWA(1)},
    "input noise": {"noise": 0.1},
    "label smoothing": {"smoothing": 0.1},
    "mixup": {"mixup": Mixup(0.2)},
}


def epochs_of(
    work: Work,
    *,
    dropout: float = 0.0,
    noise: float = 0.0,
    smoothing: float = 0.0,
    schedule: Any = None,
    **parts: Any,
) -> Callable[[], float]:
    """What trains for one more epoch and gives the seconds of a step."""
    layers: list[Any] = [GaussianNoise(noise)] if noise else []
    for units in work.sizes[1:-1]:
        layers += [Dense(units, work.activation), *[Dropout(dropout)] * (dropout > 0)]
    network = Network(Sequential([*layers, Dense(work.sizes[-1])]), work.sizes[:1], dtype=work.dtype)
    x, y = work.data()
    loss = find_loss("categorical_cross_entropy")
    step = TrainingStep(
        network,
        LabelSmoothing(loss, smoothing) if smoothing else loss,
        Adam(LEARNING_RATE, schedule=schedule),
        target_dtype=y.dtype,
        **parts,
    )
    state = step.initial_state(network.initial_state(np.random.default_rng(0)))
    if "steps_per_epoch" in step.hyperparameters:
        state = state.replace({step.hyperparameters["steps_per_epoch"]: float(work.steps)})
    data, done = step.data(x, y), 0

    def epoch() -> float:
        nonlocal state, done
        started = time.perf_counter()
        _, state = step.program.run_batches(state, data, batch_size=work.batch, first_step=done)
        done += work.steps
        return (time.perf_counter() - started) / work.steps

    return epoch


def compared(work: Work, rounds: int) -> dict[str, tuple[float, float]]:
    """For each variant the median seconds of a step, and the median ratio to the plain step taken before it."""
    plain = epochs_of(work)
    found = {}
    for name, parts in VARIANTS.items():
        with console.status(name):
            epoch, seconds, ratios = epochs_of(work, **parts), [], []
            for i in range(rounds + 1):
                base, own = plain(), epoch()
                time.sleep(PAUSE)
                if i:
                    seconds.append(own)
                    ratios.append(own / base)
            found[name] = statistics.median(seconds), statistics.median(ratios)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer and shorter epochs")
    quick = parser.parse_args().quick
    work = QUICK if quick else WORK
    console.print(machine("numpy"))
    title = f"Parts of a training step, {work.label}, float32, native engine, Adam"
    table = new_table(title, "step", "ms", "/ plain", "target", caption="medians of epochs taken in turn")
    for name, (seconds, ratio) in compared(work, 3 if quick else 11).items():
        aim = verdict(ratio, TARGET, at_most=True)[1] if name.startswith(TOGETHER) else ""
        table.add_row(name, f"{seconds * 1e3:.2f}", f"{ratio:.3f}", aim)
    console.print(table)


if __name__ == "__main__":
    main()
