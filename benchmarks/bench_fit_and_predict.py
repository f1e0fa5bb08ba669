"""Whole fits and predictions, diaphane's MLPClassifier beside scikit-learn's, in turn in one process.

The same settings, first weights and batches; scikit-learn gets the better of one and two BLAS threads.

    python benchmarks/bench_fit_and_predict.py [--quick]
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial

import numpy as np
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier as SklearnMLPClassifier
from tables import console, machine, new_table, verdict
from threadpoolctl import ThreadpoolController
from turns import medians

from diaphane.estimators import MLPClassifier, from_sklearn

THREADS = (1, 2)
DIGITS, IRIS = load_digits(return_X_y=True), load_iris(return_X_y=True)
FITS = [
    ("iris", IRIS, {"tol": 0, "n_iter_no_change": 200}, "float64", "float64", 8),
    ("digits", DIGITS, {"tol": 0}, "float64", "float64", 3),
    ("digits", DIGITS, {"tol": 0}, "float32", "float64", 6),
    ("digits", DIGITS, {"tol": 0}, "float32", "float32", None),
]
"""Data, settings beside the defaults, our dtype and theirs, and how many times as fast we are to be."""
PREDICTIONS = [(1, 1000, 4), (len(DIGITS[0]), 20, 3)]
"""Rows, how many predictions are timed together, and how many times as fast we are to be."""


def fitted(kind: type, settings: dict, X: np.ndarray, y: np.ndarray):
    return kind(random_state=0, **settings).fit(X, y)


class Timed:
    """A call that gives its seconds, on so many BLAS threads, and keeps its last result."""

    def __init__(self, function: Callable[[], object], threads: int | None = None, times: int = 1) -> None:
        self.function, self.threads, self.times, self.result = function, threads, times, None
        self.libraries = ThreadpoolController()

    def __call__(self) -> float:
        limit = self.libraries.limit(limits=self.threads, user_api="blas") if self.threads else nullcontext()
        with limit:
            started = time.perf_counter()
            for _ in range(self.times):
                self.result = self.function()
            return (time.perf_counter() - started) / self.times


def duel(
    ours: Callable[[], object], theirs: Callable[[], object], rounds: int, times: int = 1
) -> tuple[float, float, int, object, object]:
    """Our seconds and theirs, on which number of threads, and both results."""
    calls = {"ours": Timed(ours, times=times)} | {str(n): Timed(theirs, n, times) for n in THREADS}
    seconds = medians(calls, rounds)
    best = min(THREADS, key=lambda n: seconds[str(n)])
    return seconds["ours"], seconds[str(best)], best, calls["ours"].result, calls[str(best)].result


def ratio(ours: float, theirs: float, target: float | None) -> tuple[str, str]:
    return (f"{theirs / ours:.2f}x", "–") if target is None else verdict(theirs / ours, target)


def show_fits(rounds: int) -> None:
    table = new_table(
        "Fits",
        "data, our dtype, theirs",
        "diaphane",
        "scikit-learn",
        "theirs / ours",
        "target",
        "epochs",
        "our loss",
        "their loss",
        caption="ms of a whole fit (BLAS threads), and the last epoch's training loss",
    )
    for name, (X, y), settings, our_dtype, their_dtype, target in FITS:
        label = f"{name}, {our_dtype}, {their_dtype}"
        ours = partial(fitted, MLPClassifier, settings, X.astype(our_dtype), y)
        theirs = partial(fitted, SklearnMLPClassifier, settings, X.astype(their_dtype), y)
        with console.status(label):
            our_time, their_time, threads, our_model, their_model = duel(ours, theirs, rounds)
        table.add_row(
            label,
            f"{our_time * 1e3:.1f}",
            f"{their_time * 1e3:.1f} ({threads})",
            *ratio(our_time, their_time, target),
            " / ".join(str(n) for n in sorted({our_model.n_iter_, their_model.n_iter_})),
            f"{our_model.loss_:.6f}",
            f"{their_model.loss_:.6f}",
        )
    console.print(table)


def show_predictions(rounds: int) -> None:
    X, y = DIGITS
    theirs = SklearnMLPClassifier(random_state=0).fit(X, y)
    ours = from_sklearn(theirs)
    table = new_table(
        "predict_proba, the same weights, digits, float64",
        "rows",
        "diaphane",
        "scikit-learn",
        "theirs / ours",
        "target",
        "largest difference",
        caption="µs of a call (BLAS threads)",
    )
    for rows, times, target in PREDICTIONS:
        few = X[:rows]
        calls = partial(ours.predict_proba, few), partial(theirs.predict_proba, few)
        our_time, their_time, threads, our_result, their_result = duel(*calls, rounds, times)
        table.add_row(
            str(rows),
            f"{our_time * 1e6:.1f}",
            f"{their_time * 1e6:.1f} ({threads})",
            *ratio(our_time, their_time, target),
            f"{np.abs(our_result - their_result).max():.0e}",
        )
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore", ConvergenceWarning)
    console.print(machine("numpy", "scikit-learn"))
    show_fits(1 if quick else 9)
    show_predictions(3 if quick else 15)


if __name__ == "__main__":
    main()
