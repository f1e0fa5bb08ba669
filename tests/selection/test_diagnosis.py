"""Diagnosis in words: each trouble by its name, health by its own, bad input by what is wrong with it."""

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from diaphane.estimators import MLPClassifier, MLPRegressor
from diaphane.selection import diagnose
from diaphane.selection.diagnosis.rows import Rows
from diaphane.selection.diagnosis.scores import Scale, Scored
from diaphane.training import DivergenceError

pytestmark = pytest.mark.filterwarnings(
    f"ignore::{ConvergenceWarning.__module__}.{ConvergenceWarning.__name__}", "ignore::RuntimeWarning"
)


@pytest.fixture(scope="module")
def moons():
    return make_moons(400, noise=0.15, random_state=0)


def network(**settings):
    return MLPClassifier(**{"hidden_layer_sizes": (32,), "learning_rate_init": 0.01, "max_iter": 80, "random_state": 0,
                            "batch_size": 32, **settings})  # fmt: skip


def kinds(model, X, y, **settings):
    return [finding.kind for finding in diagnose(model.fit(X, y), X, y, **settings).findings]


def test_a_network_that_is_as_good_as_its_rivals_is_well_fitted(moons):
    diagnosis = diagnose(network().fit(*moons), *moons, validation_data=make_moons(300, noise=0.15, random_state=1))
    assert (diagnosis.verdict, diagnosis.healthy) == ("well fitted", True)


def test_a_straight_line_through_two_moons_underfits(moons):
    assert kinds(LogisticRegression(C=1e-3), *moons) == ["underfitting"]


def test_a_penalty_that_leaves_nothing_underfits_and_no_penalty_is_what_it_says_to_try(moons):
    [finding] = diagnose(network(alpha=1000.0).fit(*moons), *moons).findings
    assert finding.kind == "underfitting"
    assert "no penalties" in finding.next_steps[0]


def test_a_tree_that_remembers_noise_overfits():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, 20))
    y = (X[:, 0] + X[:, 1] + rng.standard_normal(600) > 0).astype(int)
    tree, held_out = DecisionTreeClassifier(random_state=0), (X[300:], y[300:])
    assert kinds(tree, X[:300], y[:300], validation_data=held_out)[0] == "overfitting"


def test_a_learning_rate_of_a_millionth_is_too_small(moons):
    assert kinds(network(learning_rate_init=1e-6), *moons) == ["rate too small"]


def test_a_training_that_diverged_is_diagnosed_although_fit_raised():
    X = np.random.default_rng(0).standard_normal((200, 3))
    model = MLPRegressor(hidden_layer_sizes=(16,), solver="sgd", learning_rate_init=100.0, max_iter=50, random_state=0)
    with pytest.raises(DivergenceError):
        model.fit(X, X.sum(axis=1))
    assert diagnose(model, X, X.sum(axis=1)).verdict == "rate too large"


def test_eight_layers_of_sigmoids_have_vanishing_gradients(moons):
    model = network(hidden_layer_sizes=(16,) * 8, activation="logistic", weight_init="glorot_uniform", max_iter=40)
    assert kinds(model, *moons)[0] == "vanishing gradients"


def test_a_fifth_of_the_labels_flipped_is_label_noise_and_most_rows_it_names_were_flipped(moons):
    X, y = moons
    flipped = np.random.default_rng(0).random(len(y)) < 0.2
    noisy = np.where(flipped, 1 - y, y)
    diagnosis = diagnose(network(alpha=1.0).fit(X, noisy), X, noisy)
    assert diagnosis.verdict == "label noise"
    named = diagnosis.evidence.suspicions.noise.rows
    assert flipped[named].mean() > 0.9


def test_a_column_that_tells_the_target_is_leakage(moons):
    X, y = moons
    rng = np.random.default_rng(0)
    hard = (X[:, 0] + rng.standard_normal(len(y)) > 0).astype(int)
    told = np.column_stack([X, hard + 0.01 * rng.standard_normal(len(y))])
    [finding] = diagnose(network().fit(told, hard), told, hard).findings
    assert finding.kind == "leakage"
    assert "column 2" in finding.words


def test_validation_rows_that_were_learnt_from_are_leakage(moons):
    X, y = moons
    new = make_moons(200, noise=0.15, random_state=1)
    both = np.concatenate([X[:100], new[0]]), np.concatenate([y[:100], new[1]])
    finding = diagnose(network().fit(X, y), X, y, validation_data=both).findings[0]
    assert (finding.kind, finding.evidence["repeated"]) == ("leakage", pytest.approx(1 / 3))


def test_moved_validation_rows_are_a_shift_and_those_drawn_alike_are_none(moons):
    X, y = make_moons(300, noise=0.15, random_state=1)
    model = network().fit(*moons)
    assert "distribution shift" in [f.kind for f in diagnose(model, *moons, validation_data=(X + [1, 0], y)).findings]
    assert diagnose(model, *moons, validation_data=(X, y)).healthy


def test_skill_of_numbers_is_r2_and_of_classes_the_share_of_errors_that_a_constant_makes():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 2))
    y = X[:, 0] + rng.standard_normal(100)
    model = LinearRegression().fit(X, y)
    rows = Rows(X, X, y)
    scored = Scored.of("", Scale.of(False, rows, rows), model, rows, rows)
    assert scored.judged == pytest.approx(r2_score(y, model.predict(X)))
    labels = (y > 0.5).astype(int)
    classifier, rows = LogisticRegression().fit(X, labels), Rows(X, X, labels)
    scored = Scored.of("", Scale.of(True, rows, rows), classifier, rows, rows)
    wrong = 1 - accuracy_score(labels, classifier.predict(X))
    assert scored.judged == pytest.approx(1 - wrong / min(labels.mean(), 1 - labels.mean()))


def test_the_same_seed_gives_the_same_numbers_and_the_estimator_stays_as_it_is(moons):
    model = make_pipeline(StandardScaler(), network()).fit(*moons)
    before = [c.copy() for c in model[-1].coefs_]
    first, second = (diagnose(model, *moons, random_state=3) for _ in range(2))
    assert repr(first.table()) == repr(second.table())
    assert str(first) == str(second)
    assert all((a == b).all() for a, b in zip(before, model[-1].coefs_, strict=True))
    assert {row["kind"] for row in first.table()} >= {"model", "baseline"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda X, y: (np.where(X[3, 1] == X, np.nan, X), y), "NaN or infinity, the first in column 1"),
        (lambda X, y: (X, np.zeros_like(y)), "one class only"),
        (lambda X, y: (X[:50], y[:50]), "50 rows; at least 80 are needed"),
        (lambda X, y: (X, y[:-1]), "399 targets"),
        (lambda X, y: (X, np.where(np.arange(len(y)) == 0, np.nan, y)), "1 missing targets"),
    ],
)
def test_rows_that_cannot_be_judged_are_refused_with_what_is_wrong(moons, change, words):
    with pytest.raises(ValueError, match=words):
        diagnose(LogisticRegression().fit(*moons), *change(*moons))


def test_an_estimator_that_is_not_fitted_is_refused(moons):
    with pytest.raises(ValueError, match="not fitted: call fit"):
        diagnose(MLPClassifier(), *moons)
    with pytest.raises(TypeError, match="neither a classifier nor a regressor"):
        diagnose(StandardScaler(), *moons)


def test_a_validation_class_that_was_never_learnt_is_refused(moons):
    X, y = moons
    with pytest.raises(ValueError, match="has class 7, which y has not"):
        diagnose(LogisticRegression().fit(X, y), X, y, validation_data=(X, np.where(y == 1, 7, y)))


def test_the_picture_has_a_row_a_model_and_a_point_a_number_of_rows(moons):
    pytest.importorskip("matplotlib").use("agg")
    diagnosis = diagnose(network(hidden_layer_sizes=(1,)).fit(*moons), *moons)
    display = diagnosis.plot()
    shown = [row for row in diagnosis.table() if row["kind"] != "fewer rows"]
    assert len(display.axes_[0].get_yticklabels()) == len(shown)
    assert len(display.axes_[2].lines[0].get_xdata()) == 1 + len(diagnosis.table()) - len(shown)
