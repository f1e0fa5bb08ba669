"""A search beside scikit-learn's: a grid over digits, and a thousand candidates with halving on phoneme.

The grid: 5 alpha × 5 learning_rate_init, 100 units, 3 folds, 30 epochs; `GridSearchCV(MLPClassifier, n_jobs=2)` in turn
with `Search` on two threads, and what the matrix products of all these steps alone would take two cores. Phoneme comes
from the folder that DIAPHANE_DATA names (phoneme.csv).

    python benchmarks/bench_search.py [--quick]
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings

import numpy as np
from datasets import data_folder
from rivals import Products
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier as SklearnMLPClassifier
from sklearn.preprocessing import StandardScaler
from tables import console, machine, new_table, verdict
from threadpoolctl import threadpool_limits
from turns import PAUSE
from works import Work

from diaphane.estimators import MLPClassifier
from diaphane.selection import Search

GRID = {"alpha": np.logspace(-5, -1, 5), "learning_rate_init": np.logspace(-4, -1, 5)}
TARGETS = {"float32": 8.0, "float64": 4.0}
SETTINGS = {"hidden_layer_sizes": (100,), "max_iter": 30, "random_state": 0}
FITS, EPOCHS, STEPS, THREADS = 75, 30, 6, 2


def timed(search, X, y):
    started = time.perf_counter()
    search.fit(X, y)
    return time.perf_counter() - started, search.best_score_


def compare(dtype, rounds):
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(dtype)
    rivals = {
        "scikit-learn": GridSearchCV(SklearnMLPClassifier(**SETTINGS), GRID, cv=3, n_jobs=2),
        "diaphane": Search(MLPClassifier(**SETTINGS), GRID, cv=3, n_jobs=2),
    }
    seconds, scores = {name: [] for name in rivals}, {}
    for turn in range(rounds + 1):
        for name, search in rivals.items():
            elapsed, scores[name] = timed(search, X, y)
            if turn:
                seconds[name].append(elapsed)
            time.sleep(PAUSE)
    return {name: statistics.median(values) for name, values in seconds.items()}, scores


def floor(dtype):
    """Seconds of the products alone, on as many cores as there are threads."""
    epoch = Products(Work((64, 100, 10), 200, STEPS, dtype)).epoch
    with threadpool_limits(1):
        epoch(None)
        took = []
        for _ in range(300):
            started = time.perf_counter()
            epoch(None)
            took.append(time.perf_counter() - started)
    return statistics.median(took) * EPOCHS * FITS / THREADS


def halve_phoneme(candidates):
    path = data_folder() / "phoneme.csv"
    if not path.exists():
        console.print(f"{path} is not there: the second table is left out")
        return
    rows = np.loadtxt(path, delimiter=",")
    X, y = StandardScaler().fit_transform(rows[:, :-1]).astype(np.float32), rows[:, -1].astype(int)
    space = {
        "hidden_layer_sizes": [(16,), (32,), (64,), (128,), (32, 32), (64, 64)],
        "activation": ["relu", "tanh"],
        "alpha": stats.loguniform(1e-6, 1),
        "learning_rate_init": stats.loguniform(1e-4, 1e-1),
        "batch_size": [32, 128, 512],
    }
    model = MLPClassifier(max_iter=100, tol=0, n_iter_no_change=100)
    search = Search(model, space, strategy="halving", n_iter=candidates, cv=3, random_state=0)
    elapsed, score = timed(search, X, y)
    rungs = zip(*np.unique(search.cv_results_["n_resources"], return_counts=True), strict=True)
    table = new_table(f"phoneme, {len(X)} × {X.shape[1]} float32, {candidates} candidates, halving", "", "")
    table.add_row("seconds, refit included", f"{elapsed:.1f} s")
    table.add_row("epochs × candidates", ", ".join(f"{epochs} × {count}" for epochs, count in rungs))
    table.add_row("best accuracy over 3 folds", f"{score:.4f}")
    table.add_row("best candidate", ", ".join(f"{k}={v}" for k, v in search.best_params_.items()))
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer rounds and candidates")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore", ConvergenceWarning)
    console.print(machine("numpy", "scikit-learn"))
    rows = new_table(
        "digits: 25 candidates × 3 folds × 30 epochs, 100 units", "", "scikit-learn, n_jobs=2", "diaphane, 2 threads",
        "products alone", "ratio", "target", "best score, scikit-learn", "diaphane",
    )  # fmt: skip
    for dtype, target in TARGETS.items():
        seconds, scores = compare(dtype, 1 if quick else 5)
        ratio = verdict(seconds["scikit-learn"] / seconds["diaphane"], target)
        times = [f"{took:.2f} s" for took in (*seconds.values(), floor(dtype))]
        rows.add_row(dtype, *times, *ratio, *(f"{score:.4f}" for score in scores.values()))
    console.print(rows)
    halve_phoneme(100 if quick else 1000)


if __name__ == "__main__":
    main()
