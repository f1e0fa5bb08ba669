"""Weights of rows and of classes in networks for tables: what they weigh, and what they are equal to."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, mean_squared_error, recall_score
from sklearn.utils import compute_sample_weight

from diaphane.estimators import TabularClassifier, TabularRegressor
from diaphane.estimators.tabular import Recipe

SMALL = Recipe(hidden=(32,), steps=300)
BOTH = pytest.mark.parametrize("kind", [TabularClassifier, TabularRegressor])
RNG = np.random.default_rng(0)
X = pd.DataFrame({"size": RNG.normal(size=120), "colour": RNG.choice(["red", "blue"], 120)})
SIGNAL = X["size"] + (X["colour"] == "red") + 0.5 * RNG.normal(size=120)
W = RNG.integers(0, 4, 120).astype(float)


def made(kind, members=2, **settings):
    return kind(members, recipe=SMALL, random_state=0, **settings)


def targets(kind):
    return np.where(SIGNAL > 1, "much", "little") if kind is TabularClassifier else SIGNAL.to_numpy()


def answers(model, x=X):
    return model.predict_proba(x) if isinstance(model, TabularClassifier) else model.predict(x)


@BOTH
def test_a_row_of_weight_0_is_as_if_it_were_not_there(kind):
    kept = np.flatnonzero(W)
    weighted = made(kind).fit(X, targets(kind), W)
    without = made(kind).fit(X.iloc[kept], targets(kind)[kept], W[kept])
    assert np.array_equal(answers(weighted), answers(without))
    assert set(weighted.held_out_predictions()[0]) <= set(kept)


@BOTH
@pytest.mark.parametrize("one", [1.0, 1e-200, 1e300])
def test_weights_that_are_all_alike_change_no_bit(kind, one):
    plain = made(kind).fit(X, targets(kind))
    assert np.array_equal(answers(made(kind).fit(X, targets(kind), np.full(120, one))), answers(plain))


def test_a_weighted_mean_is_what_is_learnt_where_the_columns_know_no_more():
    # Three quarters of the weight on 1, and then a quarter, in groups of as many rows of each.
    side, y = np.repeat(["left", "right"], 100), np.tile([0.0, 1.0], 100)
    weights = np.where((side == "left") == (y == 1), 3.0, 1.0)
    frame = pd.DataFrame({"side": side})
    both = pd.DataFrame({"side": ["left", "right"]})
    numbers = made(TabularRegressor).fit(frame, y, weights).predict(both)
    np.testing.assert_allclose(numbers, [0.75, 0.25], atol=0.05)
    plain = Recipe(hidden=(32,), steps=300, label_smoothing=0.0)
    chances = TabularClassifier(2, recipe=plain, random_state=0).fit(frame, y, weights).predict_proba(both)
    np.testing.assert_allclose(chances[:, 1], [0.75, 0.25], atol=0.05)
    np.testing.assert_allclose(made(TabularRegressor).fit(frame, y).predict(both), [0.5, 0.5], atol=0.05)


def test_the_look_at_held_out_rows_is_weighed_as_scikit_learn_weighs_its_metrics():
    weights = W + 0.5
    classifier, regressor = (made(k).fit(X, targets(k), weights) for k in (TabularClassifier, TabularRegressor))
    for member in classifier.members_:
        chances = np.exp(member.held_outputs.astype(float))
        chances /= chances.sum(axis=1, keepdims=True)
        known, of = targets(TabularClassifier)[member.held_out], weights[member.held_out]
        found = next(look.validation for look in member.curve if look.epoch == member.best_epoch)
        assert found == pytest.approx(log_loss(known, chances, sample_weight=of), rel=1e-4)
        assert found != pytest.approx(log_loss(known, chances), rel=1e-3)
    scale = regressor._scaler.scale
    for member in regressor.members_:
        predicted = regressor._scaler.inverse(member.held_outputs[:, 0])
        error = mean_squared_error(SIGNAL[member.held_out], predicted, sample_weight=weights[member.held_out])
        assert min(look.validation for look in member.curve) == pytest.approx(error / scale**2, rel=1e-4)


@pytest.mark.parametrize("class_weight", ["balanced", {"much": 5}])
def test_weights_of_classes_are_those_of_their_rows(class_weight):
    y = targets(TabularClassifier)
    by_class = made(TabularClassifier, class_weight=class_weight).fit(X, y, W)
    by_row = made(TabularClassifier).fit(X, y, W * compute_sample_weight(class_weight, y))
    # "balanced" is of the rows that have a weight.
    if class_weight == "balanced":
        kept = W > 0
        by_row = made(TabularClassifier).fit(X[kept], y[kept], W[kept] * compute_sample_weight("balanced", y[kept]))
    assert np.array_equal(answers(by_class), answers(by_row))


def test_a_rare_class_is_found_more_often_where_classes_weigh_the_same():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(600, 2))
    y = (x[:, 0] + rng.normal(size=600) > 2.3).astype(int)
    plain, balanced = (
        made(TabularClassifier, class_weight=weight).fit(x[:400], y[:400]) for weight in (None, "balanced")
    )
    found = [recall_score(y[400:], model.predict(x[400:])) for model in (plain, balanced)]
    assert found[1] > found[0] + 0.3


@BOTH
@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(119), r"sample_weight.shape == \(119,\), expected \(120,\)"),
        (np.where(np.arange(120) == 3, -1.0, 1.0), "Negative values"),
        (np.where(np.arange(120) == 3, np.nan, 1.0), "NaN"),
        (np.zeros(120), "at least one non-zero"),
    ],
)
def test_weights_that_cannot_be_are_refused(kind, weights, message):
    with pytest.raises(ValueError, match=message):
        made(kind).fit(X, targets(kind), weights)


def test_weights_on_rows_without_a_target_only_are_refused():
    y = targets(TabularRegressor).copy()
    y[0] = np.nan
    with (
        pytest.warns(UserWarning, match="1 of 120 rows has no target"),
        pytest.raises(ValueError, match="every row with a target has weight 0"),
    ):
        made(TabularRegressor).fit(X, y, np.arange(120) == 0)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ("balance", "class_weight.*balanced"),
        ({"much": 0}, "'much' is 0; expected a finite number above 0"),
        ({"mach": 2.0}, "'mach', which is no class; the classes are little, much.*'much'"),
    ],
)
def test_class_weights_that_cannot_be_are_refused(class_weight, message):
    with pytest.raises(ValueError, match=message):
        made(TabularClassifier, class_weight=class_weight).fit(X, targets(TabularClassifier))


def test_a_class_of_one_row_is_learnt_and_answered():
    y = np.array(["often"] * 119 + ["once"])
    for class_weight in (None, "balanced"):
        model = made(TabularClassifier, class_weight=class_weight).fit(X, y)
        assert list(model.classes_) == ["often", "once"]
        assert np.isfinite(model.predict_proba(X)).all()
