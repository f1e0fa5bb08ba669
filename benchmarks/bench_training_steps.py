"""Microseconds of a training step: diaphane's native engine, scikit-learn, PyTorch and JAX.

The same data, net, first weights, batches and optimizer (Adam, 0.001). Each timing is that of a whole epoch, taken in
turn; the others get the better of one and two threads. The floor is the time of the step's matrix products alone.
Then our own nets of tanh and sigmoid units beside those of ReLU.

    python benchmarks/bench_training_steps.py [--quick]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable
from dataclasses import replace

from rivals import Diaphane, Jax, Products, Sklearn, Torch, TorchCompiled
from tables import console, machine, new_table, verdict
from turns import Result, Turns
from works import Work

CONTENDERS = {
    "floor": (Products, (1, 2)),
    "diaphane": (Diaphane, (None,)),
    "scikit-learn": (Sklearn, (1, 2)),
    "PyTorch": (Torch, (1, 2)),
    "PyTorch, compiled": (TorchCompiled, (1, 2)),
    "JAX": (Jax, (1, 2)),
}
SMALL = {
    Work((20, 32, 2), 32, 1000): 30,
    Work((64, 100, 10), 200, 200): 8,
    Work((784, 256, 10), 128, 64): 2,
    Work((784, 256, 256, 10), 128, 64): 1.8,
}
LARGE = {
    Work((784, 1024, 1024, 10), 128, 20): 1.25,
    Work((784, 1024, 1024, 1024, 10), 128, 20, dropout=(0.2, 0.5)): 2,
}
DOUBLE = {replace(work, dtype="float64"): target for work, target in zip(SMALL, (20, 5, 1.6, 1.5), strict=True)}

ACTIVATIONS = ("relu", "tanh", "sigmoid")
SMOOTH = 1.2
"""How many times as long as with ReLU a step may take with another activation."""

SAME_LOSS = 0.01
"""By how much the last epoch's losses may differ, relative to the least."""


def agreement(work: Work, losses: list[float]) -> str:
    """Whether everybody trained the same net."""
    if work.has_dropout:
        return "own masks"
    spread = max(losses) / min(losses) - 1
    return f"{spread:.2%}" if spread <= SAME_LOSS else f"[red]{spread:.1%} apart[/]"


def cell(result: Result) -> str:
    """Microseconds with the number of threads, and the loss below."""
    if result.missing:
        return result.missing
    threads = "" if result.threads is None else f" ({result.threads})"
    loss = "" if math.isnan(result.loss) else f"\n[dim]{result.loss:.4f}[/]"
    return f"{result.step * 1e6:.1f}{threads}{loss}"


def show(title: str, works: dict[Work, float], turns: Turns, epochs: int) -> None:
    table = new_table(
        title,
        "net, batch",
        *CONTENDERS,
        "losses differ",
        "best other / ours",
        "target",
        caption="µs of a step (threads), and below it the last epoch's mean loss",
    )
    for work, target in works.items():
        with console.status(work.label):
            results = turns.run(dict.fromkeys(CONTENDERS, work), epochs)
        trained = {name: r for name, r in results.items() if not r.missing and name != "floor"}
        cells = [cell(r) for r in results.values()]
        if "diaphane" in trained and len(trained) > 1:
            best = min(r.step for name, r in trained.items() if name != "diaphane")
            ratio = verdict(best / trained["diaphane"].step, target)
        else:
            ratio = ("–", "–")
        table.add_row(work.label, *cells, agreement(work, [r.loss for r in trained.values()]), *ratio, end_section=True)
    console.print(table)


def show_activations(works: Iterable[Work], epochs: int) -> None:
    columns = [f"{name} / relu" for name in ACTIVATIONS[1:]]
    table = new_table(
        "diaphane's activations, float32", "net, batch", *ACTIVATIONS, *columns, "targets", caption="µs of a step"
    )
    with Turns(dict.fromkeys(ACTIVATIONS, (Diaphane, (None,)))) as turns:
        for work in works:
            with console.status(work.label):
                results = turns.run({name: replace(work, activation=name) for name in ACTIVATIONS}, epochs)
            relu, *others = (r.step for r in results.values())
            ratios, targets = zip(*(verdict(other / relu, SMOOTH, at_most=True) for other in others), strict=True)
            table.add_row(work.label, *(f"{r.step * 1e6:.1f}" for r in results.values()), *ratios, ", ".join(targets))
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer epochs, and the smaller nets")
    quick = parser.parse_args().quick
    console.print(machine("numpy", "scikit-learn", "torch", "jax"))
    single, epochs = dict(list(SMALL.items())[:3]) if quick else SMALL | LARGE, 3 if quick else 7
    with Turns(CONTENDERS) as turns:
        show("Training steps, float32", single, turns, epochs)
        show("Training steps, float64", dict(list(DOUBLE.items())[:1]) if quick else DOUBLE, turns, epochs)
    show_activations([work for work in single if not work.has_dropout], epochs)


if __name__ == "__main__":
    main()
