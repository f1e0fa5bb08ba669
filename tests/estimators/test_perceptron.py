"""Rosenblatt's rule as an estimator: beside scikit-learn, beside the theorem, beside loops; and what it refuses."""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Perceptron as TheirPerceptron
from sklearn.linear_model import SGDClassifier
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import check_estimator

from diaphane.estimators.linear import (
    LinearClassifier,
    LogisticRegression,
    NotSeparatedWarning,
    Perceptron,
    VotersWarning,
)
from diaphane.estimators.linear import perceptron as module

IRIS, DIGITS = load_iris(return_X_y=True), load_digits(return_X_y=True)
RNG = np.random.default_rng(8)
NOISY = RNG.normal(size=(200, 6))
NOISY_LABELS = np.where(NOISY[:, 0] - NOISY[:, 1] + RNG.normal(size=200) > 0, "yes", "no")
APART, APART_LABELS = make_blobs(80, centers=[[0, 0], [6, 6]], random_state=0)
WEIGHTS = RNG.random(200) + 0.1
SETTINGS = [
    {},
    {"shuffle": False},
    {"eta0": 0.5, "fit_intercept": False},
    {"penalty": "l2", "alpha": 0.01},
    {"penalty": "l1", "alpha": 0.001},
    {"penalty": "elasticnet", "alpha": 0.001, "l1_ratio": 0.4},
    {"class_weight": "balanced"},
    {"class_weight": {"no": 1, "yes": 3}},
    {"early_stopping": True, "validation_fraction": 0.25, "n_iter_no_change": 3},
]

unfinished = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@unfinished
@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize("kind", ["f8", "whole numbers"])
def test_coefficients_are_scikit_learns_to_rounding(setting, kind):
    x = NOISY if kind == "f8" else np.round(4 * NOISY)
    ours, theirs = (
        P(max_iter=7, tol=None, random_state=5, **setting).fit(x, NOISY_LABELS) for P in (Perceptron, TheirPerceptron)
    )
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(ours.predict(x), theirs.predict(x))
    assert ours.n_iter_ == theirs.n_iter_


@unfinished
@pytest.mark.parametrize(("x", "y"), [IRIS, DIGITS], ids=["iris", "digits"])
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_several_classes_are_told_from_the_rest_as_scikit_learn_does_it(x, y, n_jobs):
    ours, theirs = (
        P(max_iter=5, tol=None, random_state=1, n_jobs=n_jobs).fit(x, y) for P in (Perceptron, TheirPerceptron)
    )
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ours.decision_function(x), theirs.decision_function(x), rtol=1e-9, atol=1e-7)


@unfinished
def test_weights_of_examples_move_as_far_as_scikit_learns():
    ours, theirs = (
        P(max_iter=5, tol=None, random_state=1).fit(NOISY, NOISY_LABELS, sample_weight=WEIGHTS)
        for P in (Perceptron, TheirPerceptron)
    )
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-10)


@unfinished
def test_it_ends_by_tol_in_the_same_epoch_as_scikit_learns():
    ours, theirs = (P(random_state=2).fit(NOISY, NOISY_LABELS) for P in (Perceptron, TheirPerceptron))
    assert 1 < ours.n_iter_ == theirs.n_iter_ < 1000
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9)


@unfinished
def test_the_averaged_perceptron_is_scikit_learns_averaged_sgd():
    ours = Perceptron(average="averaged", max_iter=6, tol=None, random_state=4).fit(NOISY, NOISY_LABELS)
    theirs = SGDClassifier(
        "perceptron", penalty=None, learning_rate="constant", eta0=1, average=True, max_iter=6, tol=None, random_state=4
    ).fit(NOISY, NOISY_LABELS)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-9)


@unfinished
def test_partial_fit_over_chunks_is_scikit_learns_also_averaged():
    parts = np.array_split(np.arange(200), 3)
    ours, theirs = (P(shuffle=False) for P in (Perceptron, TheirPerceptron))
    averaged = Perceptron(shuffle=False, average="averaged")
    for part in parts:
        for model in (ours, theirs, averaged):
            model.partial_fit(NOISY[part], NOISY_LABELS[part], classes=["no", "yes"])
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-12)
    assert ours.t_ == theirs.t_ == 201
    at_once = Perceptron(shuffle=False, average="averaged", max_iter=1, tol=None).fit(NOISY, NOISY_LABELS)
    np.testing.assert_allclose(averaged.coef_, at_once.coef_, rtol=1e-12)
    assert averaged.n_mistakes_ == at_once.n_mistakes_


@unfinished
def test_sparse_rows_give_what_dense_rows_give_the_intercept_too():
    thin = NOISY * (RNG.random(NOISY.shape) < 0.4)
    for setting in ({}, {"average": "averaged"}, {"average": "voted"}, {"normalize": True}, {"penalty": "l2"}):
        dense, thinned = (
            Perceptron(max_iter=4, tol=None, random_state=0, **setting).fit(x, NOISY_LABELS)
            for x in (thin, sparse.csr_matrix(thin))
        )
        np.testing.assert_allclose(dense.coef_, thinned.coef_, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(dense.intercept_, thinned.intercept_, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(dense.decision_function(thin), thinned.decision_function(sparse.csc_matrix(thin)))


@unfinished
def test_warm_start_goes_on_from_where_it_was_as_scikit_learns_does():
    ours, theirs = (P(max_iter=2, tol=None, warm_start=True, random_state=0) for P in (Perceptron, TheirPerceptron))
    for _ in range(3):
        ours.fit(NOISY, NOISY_LABELS)
        theirs.fit(NOISY, NOISY_LABELS)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-11)
    given = Perceptron(max_iter=2, tol=None, random_state=0).fit(NOISY, NOISY_LABELS, ours.coef_, ours.intercept_)
    np.testing.assert_allclose(given.coef_, ours.fit(NOISY, NOISY_LABELS).coef_, rtol=1e-11)


def rosenblatt(x, y, epochs):
    """The rule as the course writes it: every w̃ there was, and how many examples each survived."""
    w, path, votes = np.zeros(x.shape[1] + 1), [np.zeros(x.shape[1] + 1)], [0]
    for _ in range(epochs):
        for row, sign in zip(np.column_stack([x, np.ones(len(x))]), y, strict=True):
            if sign * (w @ row) <= 0:
                w = w + sign * row
                path.append(w)
                votes.append(0)
            votes[-1] += 1
    return np.array(path), np.array(votes)


@unfinished
def test_every_mistake_is_recorded_with_the_weights_before_and_after():
    signs = np.where(NOISY_LABELS == "yes", 1, -1)
    path, _ = rosenblatt(NOISY, signs, 3)
    model = Perceptron(shuffle=False, max_iter=3, tol=None, record=True).fit(NOISY, NOISY_LABELS)
    history = model.history_
    assert len(history) == model.n_mistakes_ == sum(model.mistakes_curve_) == len(path) - 1
    np.testing.assert_allclose([m.before for m in history], path[:-1], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose([m.after for m in history], path[1:], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(history[-1].after, np.append(model.coef_, model.intercept_), rtol=1e-12)
    for m in history:
        x = np.append(NOISY[m.example], 1)
        assert signs[m.example] * (m.before @ x) <= 0
        np.testing.assert_allclose(m.after - m.before, signs[m.example] * x, atol=1e-12)
    assert [sum(m.epoch == e for m in history) for e in (1, 2, 3)] == model.mistakes_curve_


@unfinished
def test_voters_vote_as_often_as_they_survived():
    signs = np.where(NOISY_LABELS == "yes", 1, -1)
    path, survived = rosenblatt(NOISY, signs, 2)
    model = Perceptron(shuffle=False, max_iter=2, tol=None, average="voted").fit(NOISY, NOISY_LABELS)
    [(voters, votes)] = model.voters_
    np.testing.assert_allclose(voters, path, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(votes, survived)
    probes = RNG.normal(size=(50, 6))
    by_hand = np.sign(np.column_stack([probes, np.ones(50)]) @ path.T) @ survived / survived.sum()
    np.testing.assert_allclose(model.decision_function(probes), by_hand, rtol=1e-12)
    averaged = Perceptron(shuffle=False, max_iter=2, tol=None, average="averaged").fit(NOISY, NOISY_LABELS)
    np.testing.assert_allclose(
        np.append(averaged.coef_, averaged.intercept_), survived @ path / survived.sum(), rtol=1e-12
    )


@unfinished
def test_voters_and_mistakes_of_several_chunks_and_classes_add_up():
    x, y = IRIS
    model = Perceptron(shuffle=False, average="voted", record=True)
    for part in np.array_split(np.random.default_rng(0).permutation(150), 2):
        model.partial_fit(x[part], y[part], classes=[0, 1, 2])
    assert [len(h) for h in model.history_] == model.n_mistakes_.tolist()
    assert [votes.sum() for _, votes in model.voters_] == [150] * 3
    assert {m.epoch for m in model.history_[1]} == {1, 2}
    assert model.decision_function(x).shape == (150, 3)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**31 - 1),
    st.floats(-30, 30),
    st.floats(0.01, 100),
    st.integers(1, 5),
    st.booleans(),
)
def test_mistakes_never_exceed_the_novikoff_bound(seed, shift, scale, features, normalize):
    rng = np.random.default_rng(seed)
    x = scale * (rng.normal(size=(30, features)) + shift * rng.normal(size=features))
    augmented = np.column_stack([x, np.ones(30)])
    separator = rng.normal(size=features + 1)
    y = np.sign(augmented @ separator + 1e-300)
    if len(set(y)) < 2:
        return
    seen = augmented / np.linalg.norm(augmented, axis=1, keepdims=True) if normalize else augmented
    # Any separator's margin bounds the mistakes; the one that made the labels is at hand.
    margin = (y * (seen @ separator)).min() / np.linalg.norm(separator)
    bound = np.square(seen).sum(axis=1).max() / margin**2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = Perceptron(tol=None, max_iter=300, shuffle=False, normalize=normalize).fit(x, y)
    assert model.n_mistakes_ <= bound * (1 + 1e-9)


def test_separable_data_end_with_an_epoch_without_mistakes_and_are_separated():
    model = Perceptron(tol=None, max_iter=10_000).fit(APART, APART_LABELS)
    assert model.mistakes_curve_[-1] == 0
    assert all(model.mistakes_curve_[:-1])
    assert model.n_iter_ == len(model.mistakes_curve_)
    assert model.score(APART, APART_LABELS) == 1
    augmented = np.column_stack([APART, np.ones(80)])
    svm = SVC(kernel="linear", C=1e8).fit(APART, APART_LABELS)
    assert svm.score(APART, APART_LABELS) == 1
    w = np.append(svm.coef_, svm.intercept_)
    margin = ((2 * APART_LABELS - 1) * (augmented @ w)).min() / np.linalg.norm(w)
    assert model.n_mistakes_ <= np.square(augmented).sum(axis=1).max() / margin**2


def test_a_score_of_0_is_a_mistake():
    # At w̃₀ = 0 every score is 0, and the first example is one whatever its label.
    for labels in ([1, 0], [0, 1]):
        model = Perceptron(shuffle=False, tol=None, record=True).fit([[1.0], [-1.0]], labels)
        assert model.history_[0].example == 0


def test_unit_length_is_that_of_the_augmented_example():
    # Of x alone both rows would be the same, and nothing could tell them apart.
    x, y = np.array([[1.0], [3.0]]), [0, 1]
    model = Perceptron(normalize=True, tol=None).fit(x, y)
    np.testing.assert_array_equal(model.predict(x), y)
    longer = Perceptron(normalize=True, tol=None, shuffle=False, record=True).fit(x, y)
    steps = [np.linalg.norm(m.after - m.before) for m in longer.history_]
    np.testing.assert_allclose(steps, 1)


@pytest.mark.parametrize("labels", [[False, True], [-1, 1], ["a", "b"], [2.0, 7.0], [10**12, -(10**12)]])
def test_labels_may_be_any_two_values(labels):
    y = np.array(labels)[APART_LABELS]
    model = Perceptron().fit(APART, y)
    np.testing.assert_array_equal(model.classes_, np.unique(labels))
    np.testing.assert_array_equal(model.predict(APART), y)


@unfinished
@pytest.mark.parametrize("dtype", ["f4", "i2", "u1"])
def test_other_types_of_data_are_computed_in_float32_and_stay_what_they_are(dtype):
    x = np.round(4 * NOISY + 20).astype(dtype)
    model = Perceptron(max_iter=5, tol=None).fit(x, NOISY_LABELS)
    exact = Perceptron(max_iter=5, tol=None, dtype="float64").fit(x, NOISY_LABELS)
    assert (model.coef_.dtype, exact.coef_.dtype) == (np.float32, np.float64)
    # Whole numbers of this size are exact in either.
    np.testing.assert_array_equal(model.coef_, exact.coef_)
    assert x.dtype == dtype


@pytest.mark.parametrize("dtype", ["i4", "i8", "u4", "u8", "f8"])
@pytest.mark.parametrize(
    "model", [Perceptron(tol=None), LinearClassifier("squared_hinge", solver="lbfgs"), LogisticRegression()], ids=str
)
@unfinished
def test_whole_numbers_that_float32_would_round_are_computed_in_float64(model, dtype):
    x, y = np.arange(2**24, 2**24 + 4).reshape(-1, 1).astype(dtype), [0, 0, 1, 1]
    assert len(np.unique(x.astype(np.float32))) < 4
    found = clone(model).set_params(max_iter=5).fit(x, y)
    exact = clone(model).set_params(max_iter=5).fit(x.astype(float), y)
    assert found.coef_.dtype == np.float64
    np.testing.assert_array_equal(found.coef_, exact.coef_)


@unfinished
def test_the_same_seed_gives_the_same_bits_and_copies_predict_the_same():
    first, second = (Perceptron(max_iter=9, random_state=3, average="voted").fit(NOISY, NOISY_LABELS) for _ in range(2))
    assert first.coef_.tobytes() == second.coef_.tobytes()
    again = pickle.loads(pickle.dumps(first))
    np.testing.assert_array_equal(again.decision_function(NOISY), first.decision_function(NOISY))
    other = clone(first).set_params(random_state=4).fit(NOISY, NOISY_LABELS)
    assert not np.array_equal(other.coef_, first.coef_)


@unfinished
def test_partial_fit_goes_on_from_weights_that_the_user_has_set():
    model = Perceptron(shuffle=False).partial_fit(NOISY, NOISY_LABELS, classes=["no", "yes"])
    model.coef_, model.intercept_ = np.zeros_like(model.coef_), np.zeros_like(model.intercept_)
    fresh = Perceptron(shuffle=False).partial_fit(NOISY, NOISY_LABELS, classes=["no", "yes"])
    np.testing.assert_array_equal(model.partial_fit(NOISY, NOISY_LABELS).coef_, fresh.coef_)


@unfinished
def test_the_reference_engine_gives_the_same():
    native, reference = (
        Perceptron(max_iter=3, tol=None, average="averaged", engine=e).fit(NOISY, NOISY_LABELS)
        for e in ("native", "reference")
    )
    np.testing.assert_allclose(native.coef_, reference.coef_, rtol=1e-12)


@pytest.mark.filterwarnings("ignore")
def test_check_estimator_fails_and_skips_only_what_it_does_for_scikit_learns_own():
    found = {c["check_name"]: c for c in check_estimator(Perceptron(), on_skip=None, on_fail=None)}
    own = {c["check_name"]: c for c in check_estimator(TheirPerceptron(), on_skip=None, on_fail=None)}
    assert set(own) <= set(found)
    for status in ("failed", "skipped"):
        ours, theirs = ({n for n, c in cs.items() if c["status"] == status} for cs in (found, own))
        assert ours <= theirs, {n: str(found[n]["exception"]) for n in ours - theirs}


def test_every_parameter_of_scikit_learns_is_there_with_its_default():
    theirs = TheirPerceptron().get_params()
    assert {n: Perceptron().get_params()[n] for n in theirs} == theirs


@pytest.mark.parametrize("tol", [None, 1e-12])
def test_mistakes_at_max_iter_are_said_with_what_to_do(tol):
    with pytest.warns(NotSeparatedWarning, match="not separable or not yet.*Raise max_iter.*averaged"):
        Perceptron(max_iter=3, tol=tol).fit(NOISY, NOISY_LABELS)
    assert issubclass(NotSeparatedWarning, ConvergenceWarning)


@unfinished
def test_many_voters_are_said(monkeypatch):
    monkeypatch.setattr(module, "MANY_BYTES", 1000)
    with pytest.warns(VotersWarning, match=r"GiB for \d+ mistakes.*averaged"):
        Perceptron(max_iter=3, tol=None, average="voted").fit(NOISY, NOISY_LABELS)


@pytest.mark.parametrize("y", [np.zeros(80), np.ones(80, int), ["same"] * 80])
def test_labels_all_alike_are_refused(y):
    with pytest.raises(ValueError, match="2 classes"):
        Perceptron().fit(APART, y)
    with pytest.raises(ValueError, match="2 classes"):
        Perceptron().partial_fit(APART, y, classes=np.unique(y))


def test_features_too_large_to_compute_with_are_said_and_the_last_good_weights_kept():
    x = APART.copy()
    model = Perceptron(tol=None)
    with pytest.raises(ValueError, match=r"overflow float64 in epoch 1.*as large as .*e\+300.*StandardScaler"):
        model.fit(1e300 * x, APART_LABELS)
    assert np.isfinite(model.coef_).all()
    model = Perceptron(shuffle=False).partial_fit(x, APART_LABELS, classes=[0, 1])
    kept = model.coef_.copy()
    x[-1] *= 1e306
    with pytest.raises(ValueError, match="overflow"):
        model.partial_fit(np.vstack([x, x[[-1, -1]]]), np.append(APART_LABELS, [0, 1]))
    np.testing.assert_array_equal(model.coef_, kept)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_numbers_that_are_not_finite_are_refused_as_scikit_learn_does_it(bad, kind, early_stopping):
    for row in range(0, 80, 13):
        x = APART.copy()
        x[row, 1] = bad
        model = Perceptron(early_stopping=early_stopping)
        with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
            model.fit(kind(x), APART_LABELS)
        assert not hasattr(model, "coef_")


def test_a_constant_feature_and_more_features_than_rows_are_nothing_special():
    x = np.column_stack([APART, np.full(80, 5.0)])
    assert Perceptron(tol=None, max_iter=10_000).fit(x, APART_LABELS).score(x, APART_LABELS) == 1
    wide = RNG.normal(size=(10, 200))
    labels = np.arange(10) % 2
    assert Perceptron(tol=None).fit(wide, labels).score(wide, labels) == 1


def test_rows_of_zeros_cannot_be_taken_at_length_1():
    x = np.vstack([APART, np.zeros(2)])
    y = np.append(APART_LABELS, 0)
    for rows in (x, sparse.csr_matrix(x)):
        with pytest.raises(ValueError, match=r"row 80 of X is all zeros.*fit_intercept=True"):
            Perceptron(normalize=True, fit_intercept=False).fit(rows, y)
        # With the intercept's 1 it has a length.
        Perceptron(normalize=True, tol=None, max_iter=10_000).fit(rows, y)


def test_a_chunk_with_a_class_that_was_not_named_is_refused():
    model = Perceptron().partial_fit(APART, APART_LABELS, classes=[0, 1])
    with pytest.raises(ValueError, match=r"y has \[2\], which are not among the classes \[0, 1\]"):
        model.partial_fit(APART[:3], [0, 2, 1])
    words = Perceptron().partial_fit(APART[:2], ["a", "b"], classes=["a", "b"])
    with pytest.raises(ValueError, match="'c'"):
        words.partial_fit(APART[:2], ["a", "c"])
    with pytest.raises(ValueError, match="classes"):
        Perceptron().partial_fit(APART, APART_LABELS)


def test_words_in_the_data_are_refused():
    with pytest.raises(ValueError, match="strings"):
        Perceptron().fit([["a", "b"], ["c", "d"]], [0, 1])


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"penalty": "l3"}, "penalty"),
        ({"max_iter": 0}, "max_iter"),
        ({"eta0": 0}, "eta0"),
        ({"tol": -1}, "tol"),
        ({"alpha": -1}, "alpha"),
        ({"average": True}, "average"),
        ({"record": 1}, "record"),
        ({"record": True, "penalty": "l2"}, "penalty=None"),
        ({"average": "voted", "penalty": "l1"}, "penalty=None"),
        ({"dtype": "int8"}, "dtype"),
        ({"engine": "gpu"}, "engine"),
        ({"penalty": "elasticnet", "l1_ratio": None}, "l1_ratio"),
    ],
)
def test_parameters_out_of_their_range_are_named(settings, word):
    with pytest.raises(ValueError, match=word):
        Perceptron(**settings).fit(APART, APART_LABELS)


@pytest.mark.parametrize("settings", [{"early_stopping": True}, {"class_weight": "balanced"}])
def test_what_needs_all_the_data_is_not_for_partial_fit(settings):
    with pytest.raises(ValueError, match="partial_fit"):
        Perceptron(**settings).partial_fit(APART, APART_LABELS, classes=[0, 1])


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("average", ["none", "averaged", "voted"])
def test_features_near_the_largest_float_are_refused_with_nothing_else_said(average, as_list):
    x = np.random.default_rng(0).choice([-1.7e308, 1.7e308], (20, 3))
    y = np.arange(20) % 3
    with pytest.raises(ValueError, match=r"overflow float64.*as large as 1.7e\+308: scale them"):
        Perceptron(average=average).fit(x.tolist() if as_list else x, y)
