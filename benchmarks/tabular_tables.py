"""Tables for networks: the six that are judged on, and others that defaults were chosen on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from datasets import data_folder
from sklearn import datasets
from sklearn.model_selection import train_test_split

from diaphane.data import read_table

__all__ = ["JUDGED", "Tabular", "development", "judged", "parts"]


@dataclass
class Tabular:
    """A table with its target, and whether that is a number."""

    name: str
    frame: pd.DataFrame
    target: np.ndarray
    regression: bool


JUDGED = {
    "german_credit": (False, False),
    "phoneme": (False, False),
    "horse_colic": (False, False),
    "winequality_white": (True, True),
    "auto_imports": (False, True),
    "adult_train": (True, False),
}
"""Whether the file has a header, and whether the target is a number."""


def judged(name: str) -> Tabular:
    """One of the six; its target is the last column."""
    header, regression = JUDGED[name]
    path = data_folder() / f"{name}.csv"
    if not path.exists():
        raise SystemExit(f"{path} is not there: set DIAPHANE_DATA to the folder that holds it")
    frame = read_table(path, header=header).to_frame()
    return Tabular(name, frame.iloc[:, :-1], frame.iloc[:, -1].to_numpy(), regression)


def parts(table: Tabular, split: int, share: float = 0.2) -> tuple[Any, Any, Any, Any]:
    """Training and test rows of a numbered split, then their targets."""
    found = train_test_split(table.frame, table.target, test_size=share, random_state=split)
    return tuple(found)


def development() -> Iterator[Tabular]:
    """Real tables that come with scikit-learn, an hourly series, and tables of known law: none of the six."""
    for name in ("breast_cancer", "wine", "diabetes"):
        found = getattr(datasets, f"load_{name}")(as_frame=True)
        yield Tabular(name, found.data, found.target.to_numpy(), name == "diabetes")
    yield _numbers("clusters", *_clusters(3000, 12, 6, 4, 0.1, 1), regression=False)
    yield _numbers("few_clusters", *_clusters(400, 15, 5, 2, 0.2, 2), regression=False)
    yield _numbers("friedman", *datasets.make_friedman1(1500, noise=1.5, random_state=1), regression=True)
    yield _numbers("hastie", *datasets.make_hastie_10_2(2500, random_state=0), regression=False)
    yield _mixed(800, regression=False)
    yield _mixed(300, regression=True)
    yield _waves()
    series = data_folder() / "beijing_pm25.csv"
    if series.exists():
        hours = pd.read_csv(series).dropna(subset=["pm2.5"]).sample(5000, random_state=0).drop(columns="No")
        yield Tabular("beijing_pm25", hours.drop(columns="pm2.5"), hours["pm2.5"].to_numpy(), True)


def _clusters(rows: int, columns: int, informative: int, clusters: int, wrong: float, seed: int) -> Any:
    return datasets.make_classification(
        rows,
        columns,
        n_informative=informative,
        n_clusters_per_class=clusters,
        flip_y=wrong,
        class_sep=0.8,
        random_state=seed,
    )


def _numbers(name: str, x: np.ndarray, y: np.ndarray, *, regression: bool) -> Tabular:
    return Tabular(name, pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])]), y, regression)


def _mixed(rows: int, *, regression: bool) -> Tabular:
    """Categories, skewed and whole numbers, steps, a wave, gaps, and columns that say nothing."""
    rng = np.random.RandomState(5)
    letters, codes = list("abcdefgh"), [f"k{i}" for i in range(25)]
    frame = pd.DataFrame(
        {
            "letter": rng.choice(letters, rows),
            "code": rng.choice(codes, rows),
            "skewed": rng.lognormal(size=rows),
            "level": rng.normal(size=rows),
            "count": rng.randint(0, 5, rows).astype(float),
            "noise": rng.normal(size=rows),
            "nothing": rng.choice(list("xyz"), rows),
        }
    )
    of_letter, of_code = pd.Series(rng.normal(size=8), letters), pd.Series(0.7 * rng.normal(size=25), codes)
    signal = frame["letter"].map(of_letter) + frame["code"].map(of_code) + np.sin(3 * np.log(frame["skewed"]))
    signal = signal + 1.5 * ((frame["level"] > 0.3) & (frame["count"] > 2))
    frame.loc[rng.rand(rows) < 0.1, "skewed"] = np.nan
    frame.loc[rng.rand(rows) < 0.1, "letter"] = None
    if regression:
        return Tabular("mixed_numbers", frame, np.exp(0.6 * signal).to_numpy() + 0.3 * rng.normal(size=rows), True)
    return Tabular("mixed_classes", frame, np.where(signal + 0.6 * rng.logistic(size=rows) > 0.5, "yes", "no"), False)


def _waves() -> Tabular:
    rng = np.random.RandomState(8)
    x = rng.normal(size=(4000, 5))
    signal = np.sin(4 * x[:, 0]) * np.cos(3 * x[:, 1]) + 0.8 * np.sin(5 * x[:, 2] * x[:, 3]) + 0.3 * x[:, 4]
    return _numbers("waves", x, (signal + 0.3 * rng.normal(size=4000) > 0.2).astype(int), regression=False)
