"""Diagnosis in words: each trouble by its name, health by its own, bad input by what is wrong with it."""

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, brier_score_loss, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from diaphane.data import Table
from diaphane.estimators import MLPClassifier, MLPRegressor, TabularClassifier
from diaphane.selection import diagnose
from diaphane.selection.diagnosis.evidence import Suspicions
from diaphane.selection.diagnosis.noise import find_noise
from diaphane.selection.diagnosis.row_verdict import find_shifted, judge_rows
from diaphane.selection.diagnosis.rows import Rows
from diaphane.selection.diagnosis.scores import Scale, Scored
from diaphane.selection.diagnosis.suspicions import find_shift, most_correlated
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


def test_a_network_without_penalty_on_few_rows_of_many_columns_overfits_by_all_rows_in_turns():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((160, 40))
    y = X[:, 0] + X[:, 1] + 0.8 * rng.standard_normal(160)
    model = MLPRegressor(hidden_layer_sizes=(80,), alpha=0.0, tol=0.0, max_iter=80, n_iter_no_change=1000,
                         learning_rate_init=0.005, batch_size=32, random_state=0)  # fmt: skip
    diagnosis = diagnose(model.fit(X, y), X, y)
    assert diagnosis.verdict == "overfitting"
    assert (diagnosis.evidence.folds, diagnosis.evidence.n_judged) == (4, 160)


def test_three_epochs_are_too_few_and_ten_times_as_many_are_what_it_says_to_try(moons):
    [finding] = diagnose(network(max_iter=3, learning_rate_init=0.002).fit(*moons), *moons).findings
    assert finding.kind == "stopped too early"
    assert "ten times the epochs" in finding.next_steps[0]


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


def test_of_many_rows_the_suspect_ones_are_named_by_their_place_in_all_of_them():
    X, y = make_moons(5000, noise=0.1, random_state=0)
    flipped = np.random.default_rng(0).random(len(y)) < 0.2
    noisy, held = np.where(flipped, 1 - y, y), make_moons(200, noise=0.1, random_state=1)
    diagnosis = diagnose(LogisticRegression().fit(X, noisy), X, noisy, validation_data=held, refit=False)
    named = diagnosis.evidence.suspicions.noise.rows
    assert named.max() > 3000
    assert flipped[named].mean() > 0.9


def test_rows_alike_but_for_their_targets_are_no_copies_and_rows_alike_in_all_are():
    rng = np.random.default_rng(0)
    X, noise = np.repeat(rng.standard_normal((150, 3)), 2, axis=0), rng.standard_normal(300)
    for y, found in ((X.sum(axis=1) + 0.3 * noise, "well fitted"), (np.repeat(noise[:150], 2), "leakage")):
        assert diagnose(LinearRegression().fit(X, y), X, y).verdict == found


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


class OnlyOnce(LogisticRegression):
    """Refuses to be fitted again."""

    def fit(self, X, y):
        assert not hasattr(self, "classes_"), "fitted twice"
        return super().fit(X, y)


def test_as_it_is_fitted_nothing_is_fitted_again_and_the_words_say_what_was_not_tried(moons):
    model = OnlyOnce()
    diagnosis = diagnose(model.fit(*moons), *moons, validation_data=make_moons(200, noise=0.15, random_state=1),
                         refit=False)  # fmt: skip
    assert diagnosis.verdict == "underfitting"
    assert {row["kind"] for row in diagnosis.table()} == {"model", "baseline"}
    assert str(diagnosis).startswith("as it was fitted to 400 rows")
    [finding] = diagnose(network().fit(*moons), *moons, validation_data=moons[:2], refit=False).findings
    assert finding.kind == "leakage"
    with pytest.raises(ValueError, match="give validation_data"):
        diagnose(model, *moons, refit=False)


def messy(rows, seed):
    """Words, dates, gaps and an identifier; the words of the last column tell the target."""
    rng = np.random.default_rng(seed)
    size, y = rng.standard_normal(rows), rng.choice(["no", "yes"], rows)
    columns = {
        "ticket": [f"T{seed}-{i}" for i in range(rows)],
        "size": np.where(rng.random(rows) < 0.1, np.nan, size),
        "colour": rng.choice(["red", "blue", "green"], rows),
        "day": [f"2024-0{1 + i % 9}-1{i % 7}" for i in range(rows)],
        "refund": np.where(y == "yes", rng.choice(["paid", "sent"], rows), rng.choice(["none", "-"], rows)),
    }
    return Table(columns), y


@pytest.mark.filterwarnings("ignore::diaphane.estimators.tabular.TableWarning")
@pytest.mark.parametrize("as_frame", [False, True])
def test_a_table_as_it_is_is_judged_and_the_column_of_words_that_tells_the_target_is_named(as_frame):
    pytest.importorskip("skrub")
    (table, y), (other, truth) = messy(200, 0), messy(100, 1)
    given = [t.to_frame() if as_frame else t for t in (table, other)]
    model = TabularClassifier(1, random_state=0).fit(given[0], y)
    finding = diagnose(model, given[0], y, validation_data=(given[1], truth), refit=False).findings[0]
    assert finding.kind == "leakage"
    assert "column 'refund' alone" in finding.words


def test_a_frame_of_five_thousand_columns_is_judged_by_the_two_hundred_nearest_to_the_target():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((160, 5000))
    y = (X[:, 4321] > 0).astype(int)
    model = LogisticRegression().fit(X[:80], y[:80])
    diagnosis = diagnose(model, X[:80], y[:80], validation_data=(X[80:], y[80:]), refit=False)
    assert diagnosis.evidence.suspicions.teller.name == "column 4321"
    assert diagnosis.verdict == "leakage"


def test_probabilities_are_scored_as_brier_did():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 2))
    y = (X[:, 0] + rng.standard_normal(200) > 0).astype(int)
    model, rows = LogisticRegression().fit(X, y), Rows.of_numbers(X, y)
    scored = Scored.of("", Scale.of(True, [(rows, rows)]), model, rows, rows)
    expected = brier_score_loss(y, model.predict_proba(X)[:, 1], scale_by_half=False)
    assert scored.doubts.mean() == pytest.approx(expected)


def test_skill_of_numbers_is_r2_and_of_classes_the_share_of_errors_that_a_constant_makes():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 2))
    y = X[:, 0] + rng.standard_normal(100)
    model = LinearRegression().fit(X, y)
    rows = Rows.of_numbers(X, y)
    scored = Scored.of("", Scale.of(False, [(rows, rows)]), model, rows, rows)
    assert scored.judged == pytest.approx(r2_score(y, model.predict(X)))
    labels = (y > 0.5).astype(int)
    classifier, rows = LogisticRegression().fit(X, labels), Rows.of_numbers(X, labels)
    scored = Scored.of("", Scale.of(True, [(rows, rows)]), classifier, rows, rows)
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
        (lambda X, y: (X[:39], y[:39]), "39 rows; at least 40 are needed"),
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


@pytest.mark.parametrize("step", [None, SelectKBest(k=20)])
def test_noise_of_very_many_columns_foretells_nothing_however_columns_are_chosen(step):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 1000)), rng.integers(0, 2, 200)
    model = make_pipeline(step, LogisticRegression()) if step else LogisticRegression(C=1e-4)
    diagnosis = diagnose(model.fit(X, y), X, y)
    assert max(row["judged"] for row in diagnosis.table()) < 0.2
    assert not {"leakage", "label noise"} & {finding.kind for finding in diagnosis.findings}


def test_suspect_rows_are_called_by_the_numbers_given(moons):
    X, y = moons
    flipped = np.random.default_rng(0).random(len(y)) < 0.2
    noisy, held = np.where(flipped, 1 - y, y), make_moons(200, noise=0.15, random_state=1)
    model = LogisticRegression().fit(X, noisy)
    plain, called = (
        diagnose(model, X, noisy, validation_data=held, refit=False, row_numbers=numbers)
        for numbers in (None, 1000 + 2 * np.arange(400))
    )
    rows = plain.evidence.suspicions.noise.rows
    np.testing.assert_array_equal(called.evidence.suspicions.noise.rows, 1000 + 2 * rows)
    assert str(1000 + 2 * rows[0]) in called.findings[0].next_steps[0]
    with pytest.raises(ValueError, match="row_numbers has shape"):
        diagnose(model, X, noisy, validation_data=held, refit=False, row_numbers=[1, 2])


@pytest.mark.parametrize(("n", "positive"), [(100, 2), (100, 1), (20_000, 5)])
def test_a_class_of_a_few_rows_is_judged(n, positive):
    rng = np.random.default_rng(0)
    y = (np.arange(n) < positive).astype(int)
    X = rng.standard_normal((n, 3)) + 2 * y[:, None]
    held = rng.standard_normal((60, 3)), (np.arange(60) < 1).astype(int)
    diagnosis = diagnose(LogisticRegression().fit(X, y), X, y, validation_data=held, refit=False)
    assert diagnosis.evidence.own.judged_errors.shape == (60,)


def test_a_column_of_one_value_is_no_nearer_to_the_target_than_one_that_says_something():
    rng = np.random.default_rng(0)
    y = np.sort(rng.integers(0, 2, 300))
    X = np.column_stack([np.zeros((300, 5)), y + 0.5 * rng.standard_normal(300)])
    assert 5 in most_correlated(Rows.of_numbers(X, y), 1)


def test_thirty_classes_drawn_alike_are_no_shift_and_others_are_named_without_the_inputs():
    hits = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        y, other = rng.integers(0, 30, 300), rng.integers(0, 30, 100)
        x, z = rng.standard_normal((300, 1)), rng.standard_normal((100, 1))
        shift = find_shift(Rows.of_numbers(x, y), Rows.of_numbers(z, other), True, seed)
        hits += bool(find_shifted(Suspicions(0, 0, False, True, True, None, shift, None)))
    assert hits == 0
    moved = find_shift(Rows.of_numbers(x, y), Rows.of_numbers(z, other // 4), True, 0)
    [finding] = find_shifted(Suspicions(0, 0, False, True, True, None, moved, None))
    assert "targets' laws" in finding.words
    assert "AUC" not in finding.words


def test_probabilities_of_a_rare_class_foretell_where_answers_do_not():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4000, 3))
    y = (X[:, 0] + rng.standard_normal(4000) > 2.6).astype(int)
    held, model = (X[2000:], y[2000:]), LogisticRegression().fit(X[:2000], y[:2000])
    diagnosis = diagnose(model, X[:2000], y[:2000], validation_data=held, refit=False)
    assert "nothing here foretells" not in str(diagnosis)


def test_sound_targets_that_grow_by_factors_are_no_noise():
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((600, 3))
        y = np.exp(1 + X[:, 0] + 0.5 * X[:, 1] + 0.5 * rng.standard_normal(600))
        noise = find_noise(Rows.of_numbers(X, y), False, seed)
        assert not judge_rows(Suspicions(0, 0, False, True, False, None, None, noise))
