"""MLPClassifier beside scikit-learn's, with scikit-learn's defaults, on digits in float64.

Prints the held-out accuracy of both over ten seeds, and the time of a whole ``fit`` of both, run in turn.

    python benchmarks/bench_mlp_digits.py [--quick]
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings

from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier as SklearnMLPClassifier
from tables import console, machine, new_table

from diaphane.estimators import MLPClassifier

ENGINES = ("reference", "native")


def fitted(kind, settings, X, y):
    started = time.perf_counter()
    model = kind(**settings).fit(X, y)
    return model, time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer seeds")
    seeds = range(3 if parser.parse_args().quick else 10)
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, y = load_digits(return_X_y=True)
    rivals = {"scikit-learn": (SklearnMLPClassifier, {})}
    rivals |= {f"diaphane, {engine}": (MLPClassifier, {"engine": engine}) for engine in ENGINES}
    accuracy, seconds, epochs = ({name: [] for name in rivals} for _ in range(3))
    for seed in seeds:
        parts = train_test_split(X, y, test_size=0.2, stratify=y, random_state=seed)
        for name, (kind, settings) in rivals.items():
            model, elapsed = fitted(kind, {**settings, "random_state": seed}, parts[0], parts[2])
            accuracy[name].append(model.score(parts[1], parts[3]))
            seconds[name].append(elapsed)
            epochs[name].append(model.n_iter_)
    console.print(machine("numpy", "scikit-learn"))
    table = new_table(
        f"digits, {len(X)} × {X.shape[1]} float64, defaults, {len(seeds)} seeds",
        "",
        "test accuracy",
        "epochs",
        "fit, median",
        "ratio of the pairs",
    )
    base = seconds["scikit-learn"]
    for name in rivals:
        ratios = [ours / theirs for ours, theirs in zip(seconds[name], base, strict=True)]
        table.add_row(
            name,
            f"{statistics.mean(accuracy[name]):.4f} ± {statistics.stdev(accuracy[name]):.4f}",
            f"{statistics.mean(epochs[name]):.1f}",
            f"{statistics.median(seconds[name]):.2f} s",
            f"{statistics.median(ratios):.2f}x",
        )
    console.print(table)


if __name__ == "__main__":
    main()
