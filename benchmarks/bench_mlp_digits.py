"""MLPClassifier beside scikit-learn's, with scikit-learn's defaults, on digits in float64.

Prints the held-out accuracy of both over ten seeds, and the time of a whole ``fit`` of both, run in turn.

    python benchmarks/bench_mlp_digits.py
"""

from __future__ import annotations

import statistics
import time
import warnings

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier as SklearnMLPClassifier

from diaphane.estimators import MLPClassifier

SEEDS = range(10)
ENGINES = ("reference", "native")


def fitted(kind, settings, X, y):
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = kind(**settings).fit(X, y)
    return model, time.perf_counter() - started


def main() -> None:
    X, y = load_digits(return_X_y=True)
    rivals = {"scikit-learn": (SklearnMLPClassifier, {})}
    rivals |= {f"diaphane, {engine}": (MLPClassifier, {"engine": engine}) for engine in ENGINES}
    accuracy = {name: [] for name in rivals}
    seconds = {name: [] for name in rivals}
    epochs = {name: [] for name in rivals}
    for seed in SEEDS:
        parts = train_test_split(X, y, test_size=0.2, stratify=y, random_state=seed)
        for name, (kind, settings) in rivals.items():
            model, elapsed = fitted(kind, {**settings, "random_state": seed}, parts[0], parts[2])
            accuracy[name].append(model.score(parts[1], parts[3]))
            seconds[name].append(elapsed)
            epochs[name].append(model.n_iter_)
    print(f"digits, {len(X)} × {X.shape[1]} float64, defaults, {len(SEEDS)} seeds")
    print(f"{'':22} {'test accuracy':>17} {'epochs':>7} {'fit, median':>12} {'ratio of the pairs':>19}")
    base = seconds["scikit-learn"]
    for name in rivals:
        ratios = [ours / theirs for ours, theirs in zip(seconds[name], base, strict=True)]
        print(
            f"{name:22} {statistics.mean(accuracy[name]):8.4f} ± {statistics.stdev(accuracy[name]):.4f} "
            f"{statistics.mean(epochs[name]):7.1f} {statistics.median(seconds[name]):10.2f} s "
            f"{statistics.median(ratios):18.2f}x"
        )


if __name__ == "__main__":
    main()
