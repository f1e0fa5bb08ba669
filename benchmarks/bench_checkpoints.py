"""What checkpoints cost: MNIST, 784-256-10, batches of 128, native engine, on a local disk.

Whole fits with and without them, in turn, first epoch and opening of the folder included; each is compared with the one
without beside it, and the median of these ratios counts. Then a net so small that an epoch takes milliseconds.

    python benchmarks/bench_checkpoints.py [--quick] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from datasets import mnist
from tables import console, machine, new_table, verdict
from turns import PAUSE

from diaphane.nn import Dense, Network, Sequential
from diaphane.training import Checkpoint, CheckpointWarning, Trainer
from diaphane.training.digests import describe_rows

TARGET = 1.03
"""How many times as long training with a checkpoint after each epoch may take."""


def fitting(
    network: Network, x: np.ndarray, y: np.ndarray, epochs: int, place: Path, **every: Any
) -> Callable[[], float]:
    """What fits once more and gives the seconds of an epoch; each fit keeps its checkpoints in a folder of its own."""
    trainer = Trainer(network, "categorical_cross_entropy", batch_size=128, epochs=epochs, random_state=0)
    numbers = count()

    def fit() -> float:
        trainer.checkpoint = Checkpoint(place / f"{id(trainer)} {next(numbers)}", **every) if every else None
        started = time.perf_counter()
        trainer.fit(x, y)
        return (time.perf_counter() - started) / epochs

    return fit


def show(title: str, calls: dict[str, Callable[[], float]], rounds: int, target: float | None) -> None:
    table = new_table(title, "checkpoints", "ms of an epoch", "of that without", "target")
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for k in range(rounds + 1):
        # The order is turned, so that what comes first has no advantage.
        for name in list(calls)[:: 1 if k % 2 else -1]:
            seconds[name].append(calls[name]())
            time.sleep(PAUSE)
    plain = seconds["none"][1:]
    for name, values in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(values[1:], plain, strict=True))
        judged = target is not None and name == "after each epoch"
        shown = verdict(ratio, target, at_most=True) if judged and target is not None else (f"{ratio:.3f}", "–")
        table.add_row(name, f"{1e3 * statistics.median(values[1:]):.2f}", *shown)
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer fits")
    parser.add_argument("--folder", help="where checkpoints are written; the system's temporary folder by default")
    arguments = parser.parse_args()
    rounds = 3 if arguments.quick else 9
    console.print(machine("numpy"))
    digits = mnist()
    x, y = digits["x_train"], digits["y_train"]
    pixels = (x * 255).round().astype(np.uint8)
    warnings.simplefilter("ignore", CheckpointWarning)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        place = Path(name)
        network = Network(Sequential([Dense(256, "relu"), Dense(10)]), (784,), dtype="float32")
        for kind, rows in {"bytes": pixels, "float32": x}.items():
            started = time.perf_counter()
            describe_rows(rows)
            seconds = time.perf_counter() - started
            console.print(f"digest of {rows.nbytes / 1e6:.0f} MB of {kind}: {1e3 * seconds:.1f} ms, once a fit")
        choices: dict[str, dict[str, Any]] = {
            "none": {},
            "after each epoch": {"every_epochs": 1},
            "after each fifth": {"every_epochs": 5},
            "each second": {"every_seconds": 1.0},
        }
        calls = {each: fitting(network, pixels, y, 10, place, **every) for each, every in choices.items()}
        show("MNIST, 784-256-10, fits of 10 epochs", calls, rounds, TARGET)
        found = sorted(place.rglob("checkpoint-*.safetensors"))[-1]
        console.print(f"A checkpoint has {found.stat().st_size / 1e6:.2f} MB.")
        small = Network(Sequential([Dense(16, "relu"), Dense(10)]), (784,), dtype="float32")
        calls = {each: fitting(small, pixels[:2000], y[:2000], 300, place, **every) for each, every in choices.items()}
        show("2000 of its digits, 784-16-10, fits of 300 epochs", calls, rounds, None)


if __name__ == "__main__":
    main()
