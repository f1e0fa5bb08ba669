"""What gradient health costs a training: with the callback on and off, in turn.

MNIST's shapes 784-256-10 (60 000 rows of noise that a net can learn a little of: the time is the shapes') and digits'
64-100-10, with Adam, on the native engine. A first fit plans the program that looks; the others find it planned.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python benchmarks/bench_health.py [--quick]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from tables import console, machine, new_table, verdict
from turns import medians
from works import LEARNING_RATE, Work

from diaphane.insight import GradientHealth
from diaphane.nn import Dense, Network, Sequential
from diaphane.optim import Adam
from diaphane.training import Callback, Trainer

MOST = 20.0
WORKS = {
    "MNIST": (Work((784, 256, 10), 128, 469), 3),
    "digits": (Work((64, 100, 10), 200, 9), 300),
    "digits, 20 epochs": (Work((64, 100, 10), 200, 9), 20),
    "tiny": (Work((20, 32, 2), 32, 16), 1000),
}


def fitting(work: Work, epochs: int, watched: bool) -> tuple[Callable[[], float], list[int]]:
    """A function that trains anew and gives its seconds, and how many looks each training took."""
    x, y = work.data()
    layers = [Dense(width, "relu") for width in work.sizes[1:-1]]
    network = Network(Sequential([*layers, Dense(work.sizes[-1])]), x.shape[1:])
    looks: list[int] = []
    trainer = Trainer(
        network, "categorical_cross_entropy", Adam(LEARNING_RATE), batch_size=work.batch, epochs=epochs, random_state=0
    )

    def fit() -> float:
        health = GradientHealth()
        trainer.callbacks = [health] if watched else [Callback()]
        started = time.perf_counter()
        trainer.fit(x, y)
        seconds = time.perf_counter() - started
        looks.append(len(health.looks))
        return seconds

    return fit, looks


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 3 if parser.parse_args().quick else 9
    console.print(machine("numpy"))
    table = new_table("gradient health", "", "epochs", "looks", "first fit more", "off", "on", "cost, median", "target")
    for name, (work, epochs) in WORKS.items():
        (off, _), (on, looks) = fitting(work, epochs, False), fitting(work, epochs, True)
        off()
        first = -off() + on()
        # Short fits vary more, above all on a busy machine.
        found = medians({"off": off, "on": on}, rounds if work.rows > 10_000 else 4 * rounds)
        cost, wanted = verdict(100 * (found["on"] / found["off"] - 1), MOST, unit=" %", at_most=True)
        table.add_row(
            f"{name} {work.label}", str(epochs), str(looks[-1]), f"{1000 * first:.0f} ms",
            f"{1000 * found['off']:.1f} ms", f"{1000 * found['on']:.1f} ms", cost, wanted,
        )  # fmt: skip
    console.print(table)


if __name__ == "__main__":
    main()
