"""The range test of an estimator: what it suggests is worth having, and the estimator stays as it was."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import diaphane as dia
from diaphane.estimators import MLPClassifier, MLPRegressor, find_learning_rate

WINE = load_wine(return_X_y=True)


def data(name: str) -> tuple[Any, Any]:
    x, y = {"digits": load_digits, "wine": load_wine, "diabetes": load_diabetes}[name](return_X_y=True)
    return (x / 16 if name == "digits" else scale(x)), (scale(y) if name == "diabetes" else y)


def loss_of(estimator: Any, x: Any, y: Any, rate: float) -> float:
    trained = clone(estimator).set_params(learning_rate_init=rate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            return trained.fit(x, y).loss_curve_[-1]
        except ValueError as error:
            assert "non-finite" in str(error)  # noqa: PT017
            return math.inf


CASES = [
    ("digits", MLPClassifier((32,), batch_size=32, max_iter=10, random_state=0)),
    ("digits", MLPClassifier((32,), batch_size=32, solver="sgd", max_iter=10, random_state=0)),
    ("wine", MLPClassifier((32,), batch_size=32, solver="sgd", max_iter=10, random_state=0)),
    ("diabetes", MLPRegressor(hidden_layer_sizes=(32,), batch_size=32, max_iter=10, random_state=0)),
]


@pytest.mark.parametrize(("name", "estimator"), CASES, ids=lambda v: v if isinstance(v, str) else v.solver)
def test_the_suggestion_beats_a_hundredth_and_the_hundredfold_of_it(name, estimator):
    x, y = data(name)
    found = find_learning_rate(estimator, x, y)
    less, at, more = (loss_of(estimator, x, y, found.suggestion * k) for k in (0.01, 1, 100))
    assert at < 0.7 * less
    assert not more < at


def test_the_estimator_stays_as_it_was():
    x, y = data("wine")
    estimator = MLPClassifier((8,), random_state=0)
    before = estimator.get_params()
    find_learning_rate(estimator, x, y)
    assert estimator.get_params() == before
    assert not hasattr(estimator, "coefs_")


def test_of_a_pipeline_the_last_step_is_tested_on_what_the_others_make():
    x, y = WINE
    last = MLPClassifier((8,), random_state=0)
    piped = find_learning_rate(make_pipeline(StandardScaler(), last), x, y)
    bare = find_learning_rate(last, StandardScaler().fit_transform(x), y)
    assert piped.losses.tolist() == bare.losses.tolist()


def test_weights_are_those_of_fit():
    x, y = data("wine")
    estimator = MLPClassifier((8,), random_state=0)
    weights = np.where(y == 0, 10.0, 0.1)
    weighted = find_learning_rate(estimator, x, y, sample_weight=weights)
    assert weighted.losses[0] != find_learning_rate(estimator, x, y).losses[0]


def test_it_is_drawn():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    x, y = data("wine")
    display = find_learning_rate(MLPClassifier((8,), random_state=0), x, y).plot()
    assert display.ax_.get_xscale() == "log"
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.mark.parametrize(
    ("estimator", "error", "word"),
    [
        (MLPClassifier(solver="lbfgs"), ValueError, "lbfgs"),
        (SGDClassifier(), TypeError, "SGDClassifier"),
        (MLPClassifier(batch_size=-1), ValueError, "batch_size"),
    ],
    ids=["lbfgs", "another library's", "bad parameter"],
)
def test_what_has_no_rate_to_test_is_refused(estimator, error, word):
    x, y = data("wine")
    with pytest.raises(error, match=word):
        find_learning_rate(estimator, x, y)


def test_a_solver_of_ones_own_is_tested_without_its_schedule():
    x, y = data("wine")
    plain = find_learning_rate(MLPClassifier((8,), solver=dia.optim.SGD(), random_state=0), x, y)
    scheduled = MLPClassifier((8,), solver=dia.optim.SGD(schedule="exponential:0.5,per=step"), random_state=0)
    assert find_learning_rate(scheduled, x, y).losses.tolist() == plain.losses.tolist()


def test_of_a_stream_the_first_rows_are_learnt_from():
    X, y = load_digits(return_X_y=True)
    model = MLPClassifier((16,), random_state=0, batch_size=50)

    def chunks():
        for start in range(0, 600, 300):
            yield X[start : start + 300] / 16, y[start : start + 300]

    streamed, inside = (
        find_learning_rate(model, dia.data.open_stream(chunks)),
        find_learning_rate(model, X[:300] / 16, y[:300]),
    )
    assert streamed.suggestion == inside.suggestion
