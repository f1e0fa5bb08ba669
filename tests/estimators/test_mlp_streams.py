"""Multi-layer perceptrons on rows that memory need not hold."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from diaphane.data import open_stream
from diaphane.estimators import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning")


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X[:500] / 16).astype(np.float32), y[:500]


def streamed(X, y, weights=None, chunk=70, **settings):
    def chunks():
        for i in range(0, len(y), chunk):
            part = slice(i, i + chunk)
            yield (X[part], y[part]) if weights is None else (X[part], y[part], weights[part])

    return open_stream(chunks, **settings)


SETTINGS = {"hidden_layer_sizes": (16,), "max_iter": 4, "random_state": 0, "learning_rate_init": 0.01}


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_unshuffled_streams_give_the_bits_of_fitting_in_memory(digits, estimator, weighted):
    X, y = digits
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y)) if weighted else None
    inside = estimator(**SETTINGS, shuffle=False).fit(X, y, sample_weight=weights)
    outside = estimator(**SETTINGS, shuffle=False).fit(streamed(X, y, weights))
    for one, other in zip(inside.coefs_ + inside.intercepts_, outside.coefs_ + outside.intercepts_, strict=True):
        assert one.tobytes() == other.tobytes()
    assert (inside.loss_curve_, inside.t_) == (outside.loss_curve_, outside.t_)


@pytest.mark.parametrize(
    "labels", [np.array(list("abcdefghij")), np.arange(10) * 7, None], ids=["words", "numbers", "2"]
)
def test_classes_come_from_one_pass_over_the_target(digits, labels):
    X, y = digits
    named = labels[y] if labels is not None else np.where(y > 4, "high", "low")
    model = MLPClassifier(**SETTINGS).set_params(max_iter=15).fit(streamed(X, named))
    np.testing.assert_array_equal(model.classes_, np.unique(named))
    assert model.score(X, named) > 0.8


def test_early_stopping_scores_another_stream(digits):
    X, y = digits
    model = MLPClassifier(**SETTINGS, early_stopping=True)
    model.fit(streamed(X[:400], y[:400]), validation_data=streamed(X[400:], y[400:]))
    assert model.best_validation_score_ == pytest.approx(model.score(X[400:], y[400:]))


def test_a_stream_resumes_to_the_same_bits(digits, tmp_path):
    X, y = digits
    settings = {**SETTINGS, "dropout": 0.2, "schedule": "cosine", "max_iter": 6}
    source = {"window": 200, "chunk": 40}
    whole = MLPClassifier(**settings).fit(streamed(X, y, **source))
    MLPClassifier(**{**settings, "max_iter": 2, "schedule": "cosine:6"}, checkpoint=tmp_path / "run").fit(
        streamed(X, y, **source)
    )
    resumed = MLPClassifier(**{**settings, "schedule": "cosine:6"}, checkpoint=tmp_path / "run")
    resumed.fit(streamed(X, y, **source), resume=True)
    for one, other in zip(whole.coefs_, resumed.coefs_, strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(
    ("settings", "given", "said"),
    [
        ({"solver": "lbfgs"}, {}, "another solver than 'lbfgs'"),
        ({"early_stopping": True}, {}, "needs validation_data"),
        ({"class_weight": "balanced"}, {}, "a column of weights"),
        ({}, {"y": [1]}, "y cannot be given beside a stream"),
        ({}, {"sample_weight": [1]}, "sample_weight cannot be given beside a stream"),
    ],
)
def test_what_a_stream_cannot_have_is_refused(digits, settings, given, said):
    with pytest.raises((ValueError, TypeError), match=said):
        MLPClassifier(**SETTINGS, **settings).fit(streamed(*digits), **given)
