"""Networks for tables: scikit-learn's contract, frames as they are, and what is learnt."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

from diaphane.estimators import TabularClassifier, TabularRegressor
from diaphane.estimators.tabular import Recipe
from diaphane.estimators.tabular.members import batch_and_epochs, folds_of

SMALL = Recipe(hidden=(32,), steps=300)
OF_ENSEMBLES = {
    "check_sample_weight_equivalence_on_dense_data": "two rows may be held out apart, one of weight 2 may not"
}
"""What scikit-learn expects to fail for its BaggingClassifier, AdaBoostRegressor and others."""

BOTH = pytest.mark.parametrize("kind", [TabularClassifier, TabularRegressor])


def mixed(rows=240, seed=0):
    """Numbers with gaps, words with gaps, dates, truth values; classes and numbers that depend on all but the last."""
    rng = np.random.default_rng(seed)
    size, colour, old = rng.normal(size=rows), rng.choice(["red", "green", "blue"], rows), rng.random(rows) < 0.5
    day = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1000, rows), unit="D")
    signal = 2 * size + 2 * (colour == "red") - 2 * old + (day.month > 6)
    frame = pd.DataFrame({"size": size, "colour": colour, "old": old, "day": day, "nothing": rng.normal(size=rows)})
    frame.loc[rng.random(rows) < 0.05, "size"] = np.nan
    frame.loc[rng.random(rows) < 0.05, "colour"] = None
    return frame, np.where(signal > signal.mean(), "buy", "leave"), 1e6 + 1e4 * signal


@BOTH
@pytest.mark.filterwarnings("ignore")
def test_check_estimator_fails_nothing(kind):
    found = check_estimator(kind(2, recipe=SMALL), expected_failed_checks=OF_ENSEMBLES, on_skip=None, on_fail=None)
    failed = {c["check_name"]: str(c["exception"]) for c in found if c["status"] == "failed"}
    assert not failed
    assert {c["check_name"] for c in found if c["status"] == "skipped"} <= {"check_array_api_input"}


def test_a_frame_is_learnt_as_it_is():
    frame, classes, numbers = mixed(600)
    train, test = slice(0, 450), slice(450, None)
    classifier = TabularClassifier(3, random_state=0).fit(frame[train], classes[train])
    assert classifier.score(frame[test], classes[test]) > 0.85
    assert list(classifier.classes_) == ["buy", "leave"]
    assert list(classifier.feature_names_in_) == list(frame.columns)
    regressor = TabularRegressor(3, random_state=0).fit(frame[train], numbers[train])
    assert regressor.score(frame[test], numbers[test]) > 0.85


def test_pandas_polars_and_a_table_of_the_same_cells_give_the_same_probabilities():
    frame, classes, _ = mixed(120)
    other = pl.from_pandas(frame)
    first = TabularClassifier(1, recipe=SMALL, random_state=0).fit(frame, classes)
    second = TabularClassifier(1, recipe=SMALL, random_state=0).fit(other, classes)
    assert np.array_equal(first.predict_proba(frame), second.predict_proba(other))
    assert first.describe_columns() == second.describe_columns()


def test_numbers_written_as_words_and_every_mark_of_a_gap_are_read_as_in_a_file():
    frame = pd.DataFrame({"size": ["1", "2", "?", "4.5", "NA"] * 10, "word": ["a", "b", "a", None, "b"] * 10})
    model = TabularClassifier(1, recipe=SMALL, random_state=0).fit(frame, [0, 1, 0, 1, 0] * 10)
    assert model.describe_columns() == "size: a number, and whether it is missing\nword: 2 categories, and missing"


@pytest.mark.parametrize(
    "classes", [[True, False], [3, -1], [0.0, 1.0], ["no", "yes"], np.array(["x", "y"]), pd.Categorical(["x", "y"])]
)
def test_classes_are_of_any_kind(classes):
    x = np.arange(60.0)[:, None]
    y = np.asarray(classes)[(x[:, 0] > 30).astype(int)]
    found = TabularClassifier(2, recipe=SMALL, random_state=0).fit(x, y).predict(x)
    assert found.dtype == y.dtype
    assert np.mean(found == y) > 0.9


@BOTH
def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads_and_after_a_pickle(kind):
    frame, classes, numbers = mixed(100)
    y = classes if kind is TabularClassifier else numbers
    models = [kind(3, recipe=SMALL, n_jobs=n, random_state=7).fit(frame, y) for n in (1, 2)]
    predict = "predict_proba" if kind is TabularClassifier else "predict"
    first, second = (getattr(model, predict)(frame) for model in models)
    assert np.array_equal(first, second)
    assert np.array_equal(getattr(pickle.loads(pickle.dumps(models[0])), predict)(frame), first)
    other = clone(models[0]).set_params(random_state=8).fit(frame, y)
    assert not np.array_equal(getattr(other, predict)(frame), first)


def test_probabilities_are_the_mean_of_the_members_and_better_than_those_of_one_by_log_loss():
    frame, classes, _ = mixed(400)
    model = TabularClassifier(4, recipe=SMALL, random_state=0).fit(frame[:300], classes[:300])
    found = model.predict_proba(frame[300:])
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
    members = model.members_
    each = []
    for member in members:
        model.members_ = [member]
        each.append(model.predict_proba(frame[300:]))
    np.testing.assert_allclose(found, np.mean(each, axis=0), rtol=1e-12)
    assert log_loss(classes[300:], found) < np.mean([log_loss(classes[300:], one) for one in each])


def test_every_row_is_held_out_by_at_most_one_member_and_members_hold_out_shares_of_each_class():
    y = np.repeat([0, 1], [80, 20])
    fold = folds_of(y, 5, np.random.RandomState(0))
    assert [int((y[fold == k] == 1).sum()) for k in range(5)] == [4] * 5
    model = TabularClassifier(5, recipe=SMALL, random_state=0).fit(np.random.default_rng(0).normal(size=(100, 2)), y)
    assert sorted(np.concatenate([m.held_out for m in model.members_])) == list(range(100))


def test_a_member_stops_where_its_held_out_rows_say_so():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(150, 10)), rng.integers(0, 2, 150)
    for member in TabularClassifier(3, random_state=0).fit(x, y).members_:
        epochs = batch_and_epochs(150 - len(member.held_out), 10, Recipe())[1]
        assert member.curve[-1].epoch < epochs
        assert min(member.curve, key=lambda look: look.validation).epoch == member.best_epoch


def test_predictions_of_numbers_scale_and_shift_with_the_target():
    frame, _, numbers = mixed(150)
    plain, moved = (
        TabularRegressor(2, recipe=SMALL, random_state=0).fit(frame, y).predict(frame)
        for y in (numbers, 1e-9 * numbers - 5)
    )
    np.testing.assert_allclose(moved, 1e-9 * plain - 5, rtol=0, atol=1e-9 * np.ptp(numbers) * 0.02)


def test_a_few_wild_targets_spoil_a_linear_model_and_not_this_one():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3))
    y = x[:, 0] + 0.1 * rng.normal(size=300)
    wild = y.copy()
    wild[:3] = 1e4
    ours = TabularRegressor(2, random_state=0).fit(x, wild)
    assert np.median(np.abs(ours.predict(x[3:]) - y[3:])) < 0.4
    assert np.median(np.abs(LinearRegression().fit(x, wild).predict(x[3:]) - y[3:])) > 10


def test_a_number_far_beyond_those_of_training_is_answered_within_the_targets_of_training():
    x = np.linspace(0, 1, 100)[:, None]
    model = TabularRegressor(2, recipe=SMALL, random_state=0).fit(x, x[:, 0])
    assert 0 <= model.predict([[1e300]])[0] <= 1


def test_in_pipelines_and_cross_validation():
    frame, classes, _ = mixed(240)
    model = make_pipeline(FunctionTransformer(), TabularClassifier(2, recipe=SMALL, random_state=0))
    assert cross_val_score(model, frame, classes, cv=2).mean() > 0.7


def test_the_reference_engine_learns_the_same():
    frame, classes, _ = mixed(60)
    recipe = Recipe(hidden=(8,), steps=20, fewest_epochs=5)
    native, truth = (
        TabularClassifier(1, recipe=recipe, engine=engine, random_state=0).fit(frame, classes).predict_proba(frame)
        for engine in ("native", "reference")
    )
    np.testing.assert_allclose(native, truth, rtol=1e-3, atol=1e-4)


def test_a_function_that_is_far_from_smooth_needs_the_embedding_of_numbers():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, size=(800, 2))
    y = (np.sin(12 * x[:, 0]) * np.sin(9 * x[:, 1]) > 0).astype(int)
    scores = [
        TabularClassifier(2, recipe=Recipe(embedding=embedding), random_state=0)
        .fit(x[:600], y[:600])
        .score(x[600:], y[600:])
        for embedding in (True, False)
    ]
    assert scores[0] > scores[1] + 0.05
    assert scores[0] > DummyClassifier().fit(x, y).score(x, y) + 0.2
