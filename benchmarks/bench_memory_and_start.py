"""Memory of an epoch, and the time from nothing to a fitted model.

- Peak memory of one epoch on rows shaped like MNIST's, beside what the process held once everything was imported.
- A new process that fits iris and ends, kernels on disk, beside the same with scikit-learn.
- The first one ever, which compiles: how long it takes, and that it says so.

    python benchmarks/bench_memory_and_start.py [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris
from tables import console, machine, new_table, verdict
from turns import THREADS, medians

BEYOND_DATA, COLD_START, FIRST_RUN = 60, 1.3, 8
"""MB beyond imports and data, times scikit-learn's start, seconds."""
MB = 1 << 20

EPOCH = """
import contextlib, importlib, json, sys, warnings
import numpy as np
import diaphane
from diaphane.nn import Dense, Network, Sequential
from diaphane.training import Trainer

def memory(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name)) * 1024

warnings.simplefilter("ignore")
for module in json.load(sys.stdin):
    with contextlib.suppress(ImportError):
        importlib.import_module(module)
rng = np.random.default_rng(0)
imported = memory("VmRSS")
x, y = rng.integers(0, 256, (60_000, 784), np.uint8), rng.integers(0, 10, 60_000)
network = Network(Sequential([Dense(256, "relu"), Dense(10)]), (784,), dtype="float32")
Trainer(network, "categorical_cross_entropy", batch_size=128, epochs=1, random_state=0).fit(x, y)
found = {"imported": imported, "data": x.nbytes + y.nbytes, "peak": memory("VmHWM"), "modules": sorted(sys.modules)}
print(json.dumps(found))
"""
"""Imports the modules that it is given, and says at its end which it needed; a process's own peak is VmHWM."""

FIT = """
import sys, warnings
import numpy as np
from {module} import MLPClassifier
warnings.simplefilter("ignore")
iris = np.load(sys.argv[1])
MLPClassifier(max_iter=200, tol=0, n_iter_no_change=200, random_state=0).fit(iris["X"], iris["y"])
"""


def process(script: str, *arguments: str, given: str = "", environment: Mapping[str, str] | None = None):
    """A Python that has run a script."""
    command = [sys.executable, "-c", script, *arguments]
    environment = {**os.environ, **(environment or {})}
    return subprocess.run(command, input=given, env=environment, capture_output=True, text=True, check=True)


def epoch(modules: list[str]) -> dict:
    return json.loads(process(EPOCH, given=json.dumps(modules)).stdout)


def show_memory(rounds: int) -> None:
    # The first may compile, which imports the compiler.
    epoch([])
    modules = epoch([])["modules"]
    runs = [epoch(modules) for _ in range(rounds)]
    run = max(runs, key=lambda run: run["peak"] - run["imported"])
    beyond = (run["peak"] - run["imported"] - run["data"]) / MB
    table = new_table(
        "Peak memory of an epoch: 60000 × 784 uint8, 784-256-10, 128",
        "",
        "MB",
        "target",
        caption=f"the most of {rounds}",
    )
    table.add_row("imported", f"{run['imported'] / MB:.0f}")
    table.add_row("data", f"{run['data'] / MB:.0f}")
    table.add_row("peak", f"{run['peak'] / MB:.0f}", end_section=True)
    table.add_row("beyond imports and data", *verdict(beyond, BEYOND_DATA, unit=" MB", at_most=True))
    console.print(table)


def seconds_of_fit(module: str, iris: Path, environment: Mapping[str, str]) -> tuple[float, str]:
    """How long a process takes that fits iris, and what it says."""
    started = time.perf_counter()
    done = process(FIT.format(module=module), str(iris), environment=environment)
    return time.perf_counter() - started, done.stderr.strip()


def show_start(iris: Path, rounds: int, first_rounds: int) -> None:
    calls = {"diaphane": lambda: seconds_of_fit("diaphane.estimators", iris, {})[0]} | {
        f"scikit-learn ({n})": lambda n=n: seconds_of_fit(
            "sklearn.neural_network", iris, dict.fromkeys(THREADS, str(n))
        )[0]
        for n in (1, 2)
    }
    table = new_table(
        "A process that fits iris, 200 epochs", "", "seconds", "ours / theirs", "target", caption="(BLAS threads)"
    )
    with console.status("cold start"):
        ours, *_ = seconds = medians(calls, rounds)
    best = min((name for name in seconds if name != ours), key=seconds.get)
    ratio = verdict(seconds[ours] / seconds[best], COLD_START, at_most=True)
    table.add_row(f"{ours}, kernels on disk", f"{seconds[ours]:.2f}", *ratio)
    table.add_row(best, f"{seconds[best]:.2f}", end_section=True)
    with console.status("first run"):
        firsts = [first_run(iris) for _ in range(first_rounds)]
    taken, said = max(firsts)
    table.add_row(f"{ours}, first run ever", f"{taken:.2f}", "", verdict(taken, FIRST_RUN, unit=" s", at_most=True)[1])
    console.print(table)
    console.print(f"The first run says: [dim]{said or '[red]nothing[/]'}[/]", highlight=False, soft_wrap=True)


def first_run(iris: Path) -> tuple[float, str]:
    with tempfile.TemporaryDirectory() as folder:
        taken, said = seconds_of_fit("diaphane.estimators", iris, {"DIAPHANE_CACHE": folder})
        return taken, said.replace(folder, "…")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    quick = parser.parse_args().quick
    console.print(machine("numpy", "scikit-learn"))
    if Path("/proc/self/status").exists():
        show_memory(1 if quick else 5)
    else:
        console.print("Peak memory is read from /proc, which is not here.")
    X, y = load_iris(return_X_y=True)
    with tempfile.TemporaryDirectory() as folder:
        iris = Path(folder) / "iris.npz"
        np.savez(iris, X=X, y=y)
        show_start(iris, 1 if quick else 11, 1 if quick else 3)


if __name__ == "__main__":
    main()
