"""What ``diaphane compare`` compares: our models and scikit-learn's, each from rows to outputs for other rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...data import ColumnEncoder, Target
from ...data.errors import closest
from ...graph.node import Array
from ..errors import UserError
from ..fitting import fit_rows
from ..options import Options
from ..parts import Part

__all__ = ["CONTENDERS", "Contender", "choose_contenders"]

NEIGHBOURS = 10

Fit = Callable[[Part, Part, Target, int], Array]


@dataclass(frozen=True)
class Contender:
    """One model.

    Attributes
    ----------
    name : str
        As ``--models`` has it.
    title : str
        As the table has it.
    outputs : callable
        (rows to learn from, rows to predict, target, seed) → probabilities (n, classes), or numbers (n,).
    """

    name: str
    title: str
    outputs: Fit


def choose_contenders(names: str | None) -> list[Contender]:
    """Those named, with commas between; all where nothing is said.

    Raises
    ------
    UserError
    """
    if names is None:
        return list(CONTENDERS)
    known = {contender.name: contender for contender in CONTENDERS}
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    if not chosen:
        raise UserError(f"--models names none; there are {', '.join(known)}")
    for name in chosen:
        if name not in known:
            raise UserError(f"--models: there is no {name!r}; there are {', '.join(known)}.{closest(name, known)}")
    return [known[name] for name in dict.fromkeys(chosen)]


def _ours(model: str) -> Fit:
    def outputs(learnt: Part, judged: Part, target: Target, seed: int) -> Array:
        name = model if model != "linear" or not target.labels else "logistic"
        options = Options(model=name, seed=seed)
        return fit_rows(learnt, target, options).outputs(judged.features)

    return outputs


def _theirs(make: Callable[[bool, int, int], Any]) -> Fit:
    """A model of scikit-learn's on the features that our networks see."""

    def outputs(learnt: Part, judged: Part, target: Target, seed: int) -> Array:
        encoder = ColumnEncoder.fit(learnt.features)
        model = make(bool(target.labels), len(learnt), seed)
        with warnings.catch_warnings():
            # What is not at its best fit after so many iterations is compared as it is.
            warnings.simplefilter("ignore")
            model.fit(encoder.transform(learnt.features), learnt.y)
        x = encoder.transform(judged.features)
        if not target.labels:
            return np.asarray(model.predict(x), np.float64)
        found = np.zeros((len(judged), len(target.labels)))
        found[:, model.classes_] = model.predict_proba(x)
        return found

    return outputs


def _constant(classify: bool, rows: int, seed: int) -> Any:
    from sklearn.dummy import DummyClassifier, DummyRegressor

    return DummyClassifier(strategy="prior") if classify else DummyRegressor()


def _linear(classify: bool, rows: int, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge

    return LogisticRegression(max_iter=1000) if classify else Ridge()


def _neighbours(classify: bool, rows: int, seed: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    return (KNeighborsClassifier if classify else KNeighborsRegressor)(min(NEIGHBOURS, rows))


def _forest(classify: bool, rows: int, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    return (RandomForestClassifier if classify else RandomForestRegressor)(random_state=seed, n_jobs=-1)


def _boosting(classify: bool, rows: int, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    return (HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor)(random_state=seed)


CONTENDERS = (
    Contender("constant", "constant (scikit-learn)", _theirs(_constant)),
    Contender("linear", "linear", _ours("linear")),
    Contender("sklearn-linear", "linear (scikit-learn)", _theirs(_linear)),
    Contender("neighbours", "nearest neighbours (scikit-learn)", _theirs(_neighbours)),
    Contender("mlp", "mlp", _ours("mlp")),
    Contender("forest", "random forest (scikit-learn)", _theirs(_forest)),
    Contender("boosting", "gradient boosting (scikit-learn)", _theirs(_boosting)),
    Contender("tabular", "tabular", _ours("tabular")),
)
"""The quickest first, for whoever interrupts."""
