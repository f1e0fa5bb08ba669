"""TabularClassifier and TabularRegressor beside scikit-learn's perceptron and its boosted trees, on six real tables.

Splits of 80 to 20 by ``train_test_split(random_state=0…9)``, one for the census table; accuracy, or R² for numbers.
Nothing was chosen on these tables: the defaults come from the tables that ``--ablation`` goes over. The column of
RealMLP (Holzmüller, Grinsztajn & Steinwart 2024; pytabkit's RealMLP-TD) was measured once, over the first three splits.

    python benchmarks/bench_tabular.py [--quick] [--tables NAME …]
    python benchmarks/bench_tabular.py --ablation [--splits 3] [--only NAME …]
"""

from __future__ import annotations

import argparse
import time
import warnings
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from tables import console, machine, new_table
from tabular_tables import JUDGED, Tabular, development, judged, parts

from diaphane.estimators import TabularClassifier, TabularRegressor
from diaphane.estimators.tabular import Recipe

REALMLP = {
    "german_credit": (0.722, 6.1),
    "phoneme": (0.908, 25),
    "horse_colic": (0.817, 2.8),
    "winequality_white": (0.420, 25),
    "auto_imports": (0.910, 2.8),
    "adult_train": (0.852, 212),
}
"""Mean score and seconds of a fit."""

OURS, PERCEPTRON, BOOSTING, PUBLISHED = "diaphane", "MLP", "boosting", "RealMLP"

ABLATION: dict[str, dict[str, Any]] = {
    "all as it is": {},
    "one member": {"n_members": 1},
    "four members": {"n_members": 4},
    "no embedding of numbers": {"embedding": False},
    "frequencies of σ = 0.1": {"frequency_std": 0.1},
    "mean and deviation, not quartiles": {"robust": False},
    "no scale of features": {"feature_scale": False},
    "plain dense layers, rate 0.002": {"tangent": False, "learning_rate": 0.002},
    "rate in four waves": {"schedule": "coslog"},
    "no dropout": {"dropout": 0.0},
    "no weight decay": {"weight_decay": 0.0},
    "no smoothing of labels": {"label_smoothing": 0.0},
    "squared error": {"huber": 0.0},
    "rectifiers": {"activation": "relu"},
    "half as many steps": {"steps": 1000, "most_epochs": 85},
    "half as many steps again": {"steps": 3000, "most_epochs": 255},
}
"""What is changed, one at a time."""


def perceptron(regression: bool) -> Any:
    """scikit-learn's, on scaled numbers and marks for words, with early stopping; the target as it is."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    words = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")), (words, make_column_selector(dtype_exclude="number"))
    )
    kind = MLPRegressor if regression else MLPClassifier
    return make_pipeline(columns, kind(early_stopping=True, max_iter=500, random_state=0))


def boosting(regression: bool) -> Any:
    """scikit-learn's boosted trees, words as categories."""
    words = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing"),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    )
    columns = make_column_transformer(
        (words, make_column_selector(dtype_exclude="number")), remainder="passthrough", verbose_feature_names_out=False
    )
    kind = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    return make_pipeline(columns, kind(random_state=0))


def ours(regression: bool, split: int = 0, **changes: Any) -> Any:
    """Ours, with a recipe changed where that is asked for."""
    members = changes.pop("n_members", TabularClassifier().n_members)
    kind = TabularRegressor if regression else TabularClassifier
    return kind(members, recipe=Recipe(**changes) if changes else None, random_state=split)


def measured(model: Any, table: Tabular, split: int, share: float = 0.2) -> tuple[float, float]:
    """The score on the test rows, and the seconds of the fit."""
    train, test, wanted, truth = parts(table, split, share)
    started = time.perf_counter()
    model.fit(train, wanted)
    seconds = time.perf_counter() - started
    return float(model.score(test, truth)), seconds


def compare(names: list[str], splits: int) -> None:
    """Print a row a table, then what was wanted and whether it is so, and the mean ranks."""
    shown = new_table(
        f"Mean ± standard error of the score over {splits} splits (census table: one), and seconds of a fit",
        "table", OURS, "s", PERCEPTRON, "s", BOOSTING, "s", f"{PUBLISHED} (3 splits)", "s",
    )  # fmt: skip
    judgement = new_table(
        f"Differences, split by split where there are splits; to {PUBLISHED} in standard errors of the mean too",
        "table", f"{OURS} − {PERCEPTRON}", "better", f"{OURS} − {BOOSTING}", f"{OURS} − {PUBLISHED}", "errors",
        "no worse than one error", "share of its seconds",
    )  # fmt: skip
    ranks = []
    for name in names:
        scores, seconds = scores_of(name, 1 if name == "adult_train" else splits)
        published, published_seconds = REALMLP[name]
        cells = [cell for kind in scores for cell in (mean_and_error(scores[kind]), f"{seconds[kind]:.2f}")]
        shown.add_row(name, *cells, f"{published:.3f}", f"{published_seconds:g}")
        mine, above = scores[OURS], scores[OURS] - scores[PERCEPTRON]
        ahead, error = mine.mean() - published, standard_error(mine, name)
        verdict = "?" if np.isnan(error) else yes(ahead >= -error)
        judgement.add_row(
            name, mean_and_error(above), yes(above.mean() > 0), mean_and_error(mine - scores[BOOSTING]),
            f"{ahead:.3f}", f"{ahead / error:.1f}", verdict, f"{seconds[OURS] / published_seconds:.2f}",
        )  # fmt: skip
        ranks.append(rankdata([-np.mean(scores[kind]) for kind in scores] + [-published]))
        console.print(
            f"{name}: " + ", ".join(f"{k} {mean_and_error(v)} in {seconds[k]:.2f} s" for k, v in scores.items())
        )
    console.print(shown)
    console.print(judgement)
    means = dict(zip([OURS, PERCEPTRON, BOOSTING, PUBLISHED], np.mean(ranks, axis=0), strict=True))
    console.print("Mean rank: " + ", ".join(f"{kind} {rank:.2f}" for kind, rank in means.items()))


def scores_of(name: str, splits: int) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """For each model its score on every split of a table, and the median of its seconds."""
    table = judged(name)
    found: dict[str, list[tuple[float, float]]] = {OURS: [], PERCEPTRON: [], BOOSTING: []}
    for split in range(splits):
        for kind, model in (
            (OURS, ours(table.regression, split)),
            (PERCEPTRON, perceptron(table.regression)),
            (BOOSTING, boosting(table.regression)),
        ):
            found[kind].append(measured(model, table, split))
    scores = {kind: np.array(values)[:, 0] for kind, values in found.items()}
    return scores, {kind: float(np.median(np.array(values)[:, 1])) for kind, values in found.items()}


def standard_error(scores: np.ndarray, name: str) -> float:
    """Of the mean over splits; of one split, that of the share of its test rows that are right, NaN for R²."""
    if len(scores) > 1:
        return float(scores.std(ddof=1) / np.sqrt(len(scores)))
    table = judged(name)
    if table.regression:
        return float("nan")
    rows = len(parts(table, 0)[3])
    return float(np.sqrt(scores[0] * (1 - scores[0]) / rows))


def yes(holds: bool) -> str:
    """In a word."""
    return "yes" if holds else "no"


def mean_and_error(values: np.ndarray) -> str:
    """Mean and its standard error, as text."""
    error = f" ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}" if len(values) > 1 else ""
    return f"{values.mean():.3f}{error}"


def ablate(splits: int, only: list[str]) -> None:
    """Print what each ingredient is worth: the score with it less that without it, in hundredths, split by split."""
    if splits < 2:
        raise SystemExit("--ablation takes --splits of at least 2: of one there is no error to say")
    tables = [t for t in development() if not only or t.name in only]
    shown = new_table(
        f"Hundredths of accuracy or R² lost by a change, over {splits} splits of each of {len(tables)} tables that are "
        "not among the six", "change", "mean", "± error", "CPU seconds of a fit",
    )  # fmt: skip
    whole: np.ndarray | None = None
    for what, changes in ABLATION.items():
        started = time.process_time()
        scores = np.array(
            [[measured(ours(t.regression, s, **changes), t, 1000 + s, 0.25)[0] for s in range(splits)] for t in tables]
        )
        seconds = (time.process_time() - started) / scores.size
        if whole is None:
            whole, lost = scores, scores
        else:
            lost = whole - scores
        means = 100 * lost.mean(axis=1)
        # Of the mean over these tables: what differs from split to split, pooled, as few splits say little for one.
        error = 100 * float(np.sqrt(lost.var(axis=1, ddof=1).sum() / splits)) / len(tables)
        shown.add_row(what, f"{means.mean():.2f}", f"{error:.2f}", f"{seconds:.1f}")
        console.print(f"{what}: " + ", ".join(f"{t.name} {m:.2f}" for t, m in zip(tables, means, strict=True)))
    console.print(shown)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="two splits, without the census table")
    parser.add_argument("--tables", nargs="+", choices=list(JUDGED), help="which of the six; all by default")
    parser.add_argument("--ablation", action="store_true", help="what each ingredient is worth, on other tables")
    parser.add_argument("--splits", type=int, help="how many")
    parser.add_argument("--only", nargs="+", default=[], help="which tables of the ablation; all by default")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    console.print(machine("numpy", "scikit-learn"))
    if arguments.ablation:
        ablate(arguments.splits or 3, arguments.only)
        return
    names = arguments.tables or [n for n in JUDGED if not (arguments.quick and n == "adult_train")]
    compare(names, arguments.splits or (2 if arguments.quick else 10))


if __name__ == "__main__":
    main()
