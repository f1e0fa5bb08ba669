"""Whole fits of linear classifiers on large data, diaphane beside scikit-learn, in turn in one process.

Both read the same rows in the same order, drawn from the same seed. "Agreement" is the share of rows that both put into
the same class.

    python benchmarks/bench_linear.py [--quick]
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Perceptron as SklearnPerceptron
from sklearn.linear_model import SGDClassifier
from tables import console, machine, new_table, verdict
from turns import medians

from diaphane.estimators.linear import LinearClassifier, Perceptron

ROWS, FEATURES = 500_000, 100
TEXTS, WORDS, WORDS_A_TEXT = 200_000, 50_000, 60
ONE_EPOCH = {"max_iter": 1, "tol": None, "random_state": 0}


@dataclass(frozen=True)
class Work:
    """A fit of ours and one of theirs.

    Attributes
    ----------
    label : str
    data : callable
        Gives rows and labels.
    ours, theirs : callable
        Make an estimator each.
    target : float
        How many times as fast we are to be.
    """

    label: str
    data: Callable[[], tuple[Any, np.ndarray]]
    ours: Callable[[], Any]
    theirs: Callable[[], Any]
    target: float


def dense() -> tuple[np.ndarray, np.ndarray]:
    """Normal features in float32, and classes that overlap."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS, FEATURES), dtype=np.float32)
    return x, (x[:, :10].sum(axis=1) + rng.standard_normal(ROWS) > 0).astype(np.int64)


def texts(dtype: str) -> tuple[sparse.csr_array, np.ndarray]:
    """Rows like texts: few words of many, the frequent ones far more often, each of some weight."""
    rng = np.random.default_rng(0)
    words = np.sort((WORDS * rng.random((TEXTS, WORDS_A_TEXT)) ** 3).astype(np.int32), axis=1)
    values = rng.random(words.size).astype(dtype) / np.dtype(dtype).type(np.sqrt(WORDS_A_TEXT))
    starts = np.arange(0, words.size + 1, WORDS_A_TEXT, dtype=np.int32)
    x = sparse.csr_array((values, words.ravel(), starts), shape=(TEXTS, WORDS))
    scores = x @ rng.standard_normal(WORDS).astype(dtype)
    return x, (scores + 0.3 * scores.std() * rng.standard_normal(TEXTS) > 0).astype(np.int64)


WORKS = [
    Work(
        "perceptron, one epoch",
        dense,
        lambda: Perceptron(**ONE_EPOCH),
        lambda: SklearnPerceptron(**ONE_EPOCH),
        4,
    ),
    Work(
        "logistic, one SGD epoch, one example at a time",
        dense,
        lambda: LinearClassifier("logistic", **ONE_EPOCH),
        lambda: SGDClassifier("log_loss", **ONE_EPOCH),
        4,
    ),
    Work(
        "hinge, one epoch, sparse rows, float64",
        lambda: texts("float64"),
        lambda: LinearClassifier("hinge", **ONE_EPOCH),
        lambda: SGDClassifier("hinge", **ONE_EPOCH),
        1,
    ),
    Work(
        "hinge, one epoch, sparse rows, float32",
        lambda: texts("float32"),
        lambda: LinearClassifier("hinge", **ONE_EPOCH),
        lambda: SGDClassifier("hinge", **ONE_EPOCH),
        1,
    ),
]
"""Fits whose time is that of reading the data; those to convergence are added below."""


class Timed:
    """A fit that gives its seconds and keeps its model."""

    def __init__(self, make: Callable[[], Any], x: Any, y: np.ndarray) -> None:
        self.make, self.x, self.y, self.model = make, x, y, None

    def __call__(self) -> float:
        model = self.make()
        started = time.perf_counter()
        self.model = model.fit(self.x, self.y)
        return time.perf_counter() - started


def show(works: list[Work], rounds: int) -> None:
    table = new_table(
        "Whole fits",
        "work",
        "diaphane",
        "scikit-learn",
        "theirs / ours",
        "target",
        "agreement",
        "our accuracy",
        "their accuracy",
        caption=f"ms of a whole fit; dense: {ROWS:,} × {FEATURES} float32; sparse: {TEXTS:,} × {WORDS:,}, "
        f"{WORDS_A_TEXT} non-zeros a row",
    )
    for work in works:
        with console.status(work.label):
            x, y = work.data()
            ours, theirs = Timed(work.ours, x, y), Timed(work.theirs, x, y)
            seconds = medians({"ours": ours, "theirs": theirs}, rounds)
            found = [timed.model.predict(x) for timed in (ours, theirs)]
        table.add_row(
            work.label,
            f"{seconds['ours'] * 1e3:.1f}",
            f"{seconds['theirs'] * 1e3:.1f}",
            *verdict(seconds["theirs"] / seconds["ours"], work.target),
            f"{np.mean(found[0] == found[1]):.4f}",
            *(f"{np.mean(f == y):.4f}" for f in found),
        )
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore", ConvergenceWarning)
    console.print(machine("numpy", "scikit-learn"))
    show(WORKS, 2 if quick else 9)


if __name__ == "__main__":
    main()
