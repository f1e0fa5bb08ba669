"""Schedules, regularisation and checkpoints as parameters of the multi-layer perceptrons."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.utils.extmath import row_norms

from diaphane.estimators import MLPClassifier, MLPRegressor
from diaphane.estimators.machine import _shared

pytestmark = pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning")


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X[:600] / 16).astype(np.float32), y[:600]


def fitted(digits, **settings):
    shared = {"hidden_layer_sizes": (24,), "max_iter": 5, "batch_size": 50, "random_state": 0, "engine": "native"}
    return MLPClassifier(**{**shared, **settings}).fit(*digits)


def test_max_norm_holds_every_unit(digits):
    free, held = fitted(digits), fitted(digits, max_norm=0.8)
    longest = [np.sqrt(row_norms(c.T, squared=True)).max() for c in held.coefs_]
    assert max(longest) <= 0.8 * (1 + 1e-6)
    assert max(np.linalg.norm(c, axis=0).max() for c in free.coefs_) > 0.9


def test_decoupled_decay_shrinks_by_one_minus_rate_times_decay_a_step(digits):
    """Inputs of 0 leave the first layer's coefficients to the decay alone."""
    X, y = np.zeros_like(digits[0]), digits[1]
    settings = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.1, "alpha": 0.0, "max_iter": 1}
    plain, decayed = fitted((X, y), **settings), fitted((X, y), **settings, weight_decay=0.5)
    steps = len(y) // 50
    np.testing.assert_allclose(decayed.coefs_[0], plain.coefs_[0] * (1 - 0.1 * 0.5) ** steps, rtol=1e-5)
    biased = fitted((X, y), **settings, hidden_layer_sizes=(), weight_decay=0.5)
    np.testing.assert_array_equal(
        biased.intercepts_[0], fitted((X, y), **settings, hidden_layer_sizes=()).intercepts_[0]
    )


def test_l1_makes_coefficients_smaller_in_sum_and_many_near_zero(digits):
    plain, sparse = fitted(digits, max_iter=30), fitted(digits, max_iter=30, l1=3e-3)
    assert np.abs(sparse.coefs_[0]).sum() < 0.6 * np.abs(plain.coefs_[0]).sum()
    assert (np.abs(sparse.coefs_[0]) < 3e-3).mean() > 2 * (np.abs(plain.coefs_[0]) < 3e-3).mean()


def test_the_schedule_moves_the_rate_in_the_history(digits):
    model = fitted(digits, schedule="step:0.5,2", learning_rate_init=0.01)
    np.testing.assert_allclose(model.history_["learning_rate"], [0.01, 0.01, 0.005, 0.005, 0.0025])


def test_averaged_coefficients_are_the_mean_of_the_epochs_ends(digits):
    ends = [fitted(digits, max_iter=n).coefs_ for n in (3, 4, 5)]
    averaged = fitted(digits, averaging="swa:3").coefs_
    for layer, found in enumerate(averaged):
        np.testing.assert_allclose(found, np.mean([e[layer] for e in ends], axis=0), atol=1e-6)


def test_smoothed_labels_end_in_less_sure_probabilities(digits):
    X, _ = digits
    sure = fitted(digits, max_iter=60).predict_proba(X).max(axis=1).mean()
    smoothed = fitted(digits, max_iter=60, label_smoothing=0.3).predict_proba(X).max(axis=1).mean()
    assert smoothed < sure - 0.1


@pytest.mark.parametrize(
    "settings",
    [{"clip_norm": 0.1}, {"clip_value": 0.01}, {"input_dropout": 0.3}, {"input_noise": 0.3}, {"mixup": 0.4}],
    ids=lambda s: next(iter(s)),
)
def test_each_changes_what_is_learnt_and_the_seed_repeats_it(digits, settings):
    settings = {"learning_rate_init": 0.01, **settings}
    plain = fitted(digits, learning_rate_init=0.01)
    first, again = fitted(digits, **settings), fitted(digits, **settings)
    assert not np.array_equal(plain.coefs_[0], first.coefs_[0])
    np.testing.assert_array_equal(first.coefs_[0], again.coefs_[0])
    assert first.score(*digits) > 0.5


def test_a_search_over_strengths_plans_once(digits):
    """They are inputs of the step."""
    _shared.cache_clear()
    grid = {"max_norm": [0.5, 1.0], "label_smoothing": [0.1, 0.2], "mixup": [0.1, 0.2], "l1": [1e-5, 1e-4]}
    search = GridSearchCV(
        MLPClassifier((8,), max_iter=1, random_state=0, schedule="exponential:0.05"), grid, cv=2, refit=False
    )
    search.fit(*digits)
    assert _shared.cache_info().misses == 1


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("stopping", [False, True], ids=["all epochs", "early stopping"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_resumed_fit_ends_with_the_same_bits(digits, estimator, stopping, solver, tmp_path):
    X, y = digits
    settings = {"hidden_layer_sizes": (16,), "batch_size": 64, "random_state": 3, "solver": solver}
    settings |= {"dropout": 0.2, "early_stopping": stopping, "averaging": "ema:0.9", "max_norm": 2.0}
    settings |= {"learning_rate": "invscaling"} if solver == "sgd" else {"schedule": "step:0.5,2"}
    whole = estimator(**settings, max_iter=6).fit(X, y)
    estimator(**settings, max_iter=2, checkpoint=tmp_path / "run").fit(X, y)
    resumed = estimator(**settings, max_iter=6, checkpoint=tmp_path / "run").fit(X, y, resume=True)
    for one, other in zip(whole.coefs_ + whole.intercepts_, resumed.coefs_ + resumed.intercepts_, strict=True):
        assert one.tobytes() == other.tobytes()
    assert (resumed.loss_curve_, resumed.n_iter_) == (whole.loss_curve_, whole.n_iter_)
    assert (resumed.t_, resumed.validation_scores_) == (whole.t_, whole.validation_scores_)


def test_resume_refuses_other_rows(digits, tmp_path):
    X, y = digits
    model = MLPClassifier((8,), max_iter=2, random_state=0, checkpoint=tmp_path / "run").fit(X, y)
    with pytest.raises(ValueError, match="x has other values"):
        clone(model).fit(X[::-1].copy(), y, resume=True)


def test_partial_fit_leaves_checkpoints_to_fit(digits, tmp_path):
    X, y = digits
    model = MLPClassifier((8,), random_state=0, checkpoint=tmp_path / "run")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.partial_fit(X, y, classes=np.arange(10))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("averaging", ["ema:0.9", "swa:2"])
def test_passes_of_partial_fit_are_the_epochs_of_a_fit_with_averages_too(digits, averaging):
    """The optimizer goes on from the parameters, and not from their average."""
    X, y = digits
    settings = {"averaging": averaging, "schedule": "step:0.5,2", "max_norm": 1.0, "shuffle": False, "random_state": 0}
    whole = MLPClassifier((8,), **settings, max_iter=4).fit(X, y)
    passes = MLPClassifier((8,), **settings)
    for _ in range(4):
        passes.partial_fit(X, y, classes=np.arange(10))
    for one, other in zip(whole.coefs_ + whole.intercepts_, passes.coefs_ + passes.intercepts_, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("settings", [{"input_dropout": 0.3}, {"input_noise": 0.3}], ids=lambda s: next(iter(s)))
def test_what_lbfgs_draws_follows_the_random_state(digits, settings):
    def fit(seed):
        model = MLPClassifier((), solver="lbfgs", max_iter=5, random_state=seed, weight_init=0.0, **settings)
        return model.fit(*digits).coefs_[0]

    np.testing.assert_array_equal(fit(1), fit(1))
    assert not np.array_equal(fit(1), fit(2))
