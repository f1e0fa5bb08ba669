"""LogisticRegression beside scikit-learn's with its defaults, to convergence, whole fits in turn.

Prints seconds, iterations, and by how much each one's objective is above the lowest that was found: the same optimum.

    python benchmarks/bench_logistic.py [--quick]
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
from scipy.sparse import random_array
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as SklearnLogisticRegression
from tables import console, machine, new_table, verdict
from turns import medians

from diaphane.estimators.linear.logistic import LogisticRegression

TARGET = 1.5
Data = tuple[np.ndarray, np.ndarray]


def independent(n: int) -> Data:
    """Features of one size, each on its own."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 100), dtype=np.float32)
    return X, labels(X @ (rng.normal(size=100) / 5).astype(np.float32), rng)


def correlated(n: int) -> Data:
    """Ten factors behind a hundred features of different sizes: many iterations."""
    rng = np.random.default_rng(1)
    factors = rng.standard_normal((n, 10), dtype=np.float32) @ rng.standard_normal((10, 100), dtype=np.float32)
    X = factors + 0.5 * rng.standard_normal((n, 100), dtype=np.float32)
    X *= np.geomspace(0.1, 1, 100, dtype=np.float32)
    return X, labels(X @ (rng.normal(size=100) / 10).astype(np.float32), rng)


def several(n: int) -> Data:
    """Five classes."""
    rng = np.random.default_rng(2)
    X = rng.standard_normal((n, 50), dtype=np.float32)
    scores = X @ (rng.normal(size=(50, 5)) / 5).astype(np.float32) + rng.gumbel(size=(n, 5))
    return X, scores.argmax(axis=1)


def sparse(n: int) -> Data:
    """Words of texts: 60 of 50 000 in each row."""
    rng = np.random.default_rng(3)
    X = random_array((n, 50_000), density=60 / 50_000, format="csr", dtype=np.float32, rng=rng)
    return X, labels(X @ rng.normal(size=50_000), rng)


def labels(scores: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (rng.uniform(size=len(scores)) < expit(scores)).astype(np.int64)


WORKS: dict[str, tuple[Callable[[int], Data], int]] = {
    "independent, 100 features": (independent, 500_000),
    "correlated, 100 features": (correlated, 500_000),
    "5 classes, 50 features": (several, 200_000),
    "sparse, 50 000 features": (sparse, 100_000),
}


def objective(model: LogisticRegression | SklearnLogisticRegression, data: Data) -> float:
    """The mean loss with its penalty, in float64."""
    X, y = data
    scores = X @ model.coef_.T.astype(np.float64) + model.intercept_
    if len(model.classes_) == 2:
        losses = np.logaddexp(0, np.where(y == model.classes_[1], -1, 1) * scores[:, 0])
    else:
        top = scores.max(axis=1)
        losses = top + np.log(np.exp(scores - top[:, None]).sum(axis=1)) - scores[np.arange(len(y)), y]
    return float(losses.mean() + 0.5 * np.square(model.coef_, dtype=np.float64).sum() / len(y))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, fewer rounds")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore", ConvergenceWarning)
    rivals = {
        "scikit-learn": SklearnLogisticRegression(),
        "diaphane": LogisticRegression(),
        "scikit-learn, newton-cholesky": SklearnLogisticRegression(solver="newton-cholesky"),
        "diaphane, newton": LogisticRegression(solver="newton"),
    }
    console.print(machine("numpy", "scipy", "scikit-learn"))
    for name, (make, rows) in WORKS.items():
        data = make(rows // 10 if quick else rows)
        # The square matrix of all parameters is out of reach for words.
        given = {k: m for k, m in rivals.items() if "newton" not in k or data[0].shape[1] < 1000}

        def timed(model: LogisticRegression | SklearnLogisticRegression, data: Data = data) -> float:
            started = time.perf_counter()
            model.fit(*data)
            return time.perf_counter() - started

        seconds = medians({k: lambda m=m: timed(m) for k, m in given.items()}, 2 if quick else 5)
        values = {k: objective(m, data) for k, m in given.items()}
        table = new_table(
            f"{name}: {data[0].shape[0]} × {data[0].shape[1]} {data[0].dtype}",
            "",
            "iterations",
            "above the lowest",
            "fit, median",
            "scikit-learn's / this",
            "wanted",
        )
        for k, model in given.items():
            ratio = seconds["scikit-learn"] / seconds[k]
            wanted = verdict(ratio, TARGET)[1] if k == "diaphane" else ""
            above = values[k] - min(values.values())
            table.add_row(k, str(model.n_iter_[0]), f"{above:.1e}", f"{seconds[k]:.3f} s", f"{ratio:.2f}x", wanted)
        console.print(table)


if __name__ == "__main__":
    main()
