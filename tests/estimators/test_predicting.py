"""Predictions take the short road where scikit-learn's check has nothing to do, and give the same either way."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier as Theirs

from diaphane.estimators import MLPClassifier, MLPRegressor, from_sklearn, inputs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_classification(60, 5, n_informative=3, n_classes=3, random_state=0)
XR, YR = make_regression(60, 5, random_state=0)
SETTINGS = {"hidden_layer_sizes": (6,), "max_iter": 4, "random_state": 0}
ENGINES = pytest.mark.parametrize("engine", ["reference", "native"])


@pytest.fixture
def no_check(monkeypatch):
    def refuse(*arguments, **settings):
        raise AssertionError("scikit-learn was asked")

    return lambda: monkeypatch.setattr(inputs, "validate_data", refuse)


PLAIN = {
    "float64": lambda: X,
    "float32": lambda: X.astype("float32"),
    "columns first": lambda: np.asfortranarray(X),
    "one row": lambda: X[:1],
    "some rows": lambda: X[7:12],
    "read-only": lambda: np.frombuffer(X.tobytes()).reshape(X.shape),
    "huge numbers": lambda: X * 1e200,
    "many rows": lambda: np.tile(X, (200, 1)),
    "every other row": lambda: X[::2],
    "backwards": lambda: X[::-1],
    "columns of a wider array": lambda: np.hstack([X, X])[:, :5],
}
OTHERS = {
    "whole numbers": lambda: X.astype(int),
    "half precision": lambda: X.astype("float16"),
    "big-endian": lambda: X.astype(">f8"),
    "objects": lambda: X.astype(object),
    "a list": lambda: X.tolist(),
    "a matrix's subclass": lambda: X.view(Subclass),
    "csr": lambda: sparse.csr_matrix(X),
    "csc": lambda: sparse.csc_array(X),
    "a frame": lambda: pytest.importorskip("pandas").DataFrame(X),
}
WRONG = {
    "NaN": lambda: np.where(X[3, 2] == X, np.nan, X),
    "infinity": lambda: np.where(X[3, 2] == X, -np.inf, X),
    "infinity among many": lambda: np.tile(np.where(X[3, 2] == X, np.inf, X), (100, 1)),
    "too few columns": lambda: X[:, :4],
    "too many columns": lambda: np.hstack([X, X]),
    "one axis": lambda: X[0],
    "three axes": lambda: X[None],
    "no rows": lambda: X[:0],
    "words": lambda: np.array([list("abcde")]),
    "no columns": lambda: X[:, :0],
    "a number": lambda: np.float64(3.0),
}


class Subclass(np.ndarray):
    """An array whose meaning is somebody else's."""


@ENGINES
@pytest.mark.parametrize("rows", [*PLAIN, *OTHERS])
@pytest.mark.parametrize("names", [False, True], ids=["no names", "names"])
def test_rows_of_any_form_give_what_scikit_learn_gives_of_the_same_weights(rows, names, engine):
    given = {**PLAIN, **OTHERS}[rows]()
    training = pytest.importorskip("pandas").DataFrame(X, columns=list("abcde")) if names else X
    theirs = Theirs(**SETTINGS).fit(training, Y)
    ours = from_sklearn(theirs).set_params(engine=engine)
    answers = []
    for model in (theirs, ours):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                answers.append((model.predict_proba(given), [str(w.message) for w in caught if "names" in str(w)]))
            except ValueError as error:
                # Where names are wanted and others are given.
                answers.append((str(error), []))
    (want, warned), (got, warned_too) = answers
    assert warned_too == warned
    if isinstance(want, str):
        assert got == want
    else:
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rows", PLAIN)
def test_plain_rows_take_the_short_road(rows, no_check):
    model = MLPClassifier(**SETTINGS).fit(X, Y)
    given = PLAIN[rows]()
    want = model.predict(given.tolist())
    no_check()
    np.testing.assert_array_equal(model.predict(given), want)


@pytest.mark.parametrize("rows", OTHERS)
def test_others_are_left_to_scikit_learn(rows, no_check):
    model = MLPClassifier(**SETTINGS).fit(X, Y)
    no_check()
    with pytest.raises(AssertionError, match="scikit-learn was asked"):
        model.predict(OTHERS[rows]())


@pytest.mark.parametrize("rows", WRONG)
def test_what_cannot_be_is_refused_in_scikit_learns_words(rows):
    given = WRONG[rows]()
    theirs = Theirs(**SETTINGS).fit(X, Y)
    with pytest.raises(ValueError) as want:  # noqa: PT011  the message is theirs to say
        theirs.predict(given)
    with pytest.raises(ValueError) as got:  # noqa: PT011
        MLPClassifier(**SETTINGS).fit(X, Y).predict(given)
    assert str(got.value) == str(want.value)


def test_whoever_assumes_finite_numbers_gets_through_with_others():
    model = MLPClassifier(**SETTINGS).fit(X, Y)
    with config_context(assume_finite=True):
        assert model.predict_proba(WRONG["NaN"]()).shape == (60, 3)


def test_no_prediction_before_a_fit():
    for model in (MLPClassifier(), MLPRegressor()):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            model.predict(X)


@ENGINES
def test_predictions_follow_weights_that_are_changed_in_place_or_replaced(engine):
    model = MLPRegressor(**SETTINGS, engine=engine).fit(XR, YR)

    def by_hand():
        hidden = np.maximum(XR @ model.coefs_[0] + model.intercepts_[0], 0)
        return (hidden @ model.coefs_[1] + model.intercepts_[1]).ravel()

    np.testing.assert_allclose(model.predict(XR), by_hand())
    model.coefs_[0][:] *= 2
    model.intercepts_[1] += 100
    np.testing.assert_allclose(model.predict(XR), by_hand())
    model.coefs_[1] = np.ones((6, 1))
    np.testing.assert_allclose(model.predict(XR), by_hand())
    model.coefs_ = [-c for c in model.coefs_]
    np.testing.assert_allclose(model.predict(XR[:1]), by_hand()[:1])
    model.coefs_[1] = np.ones((7, 1))
    with pytest.raises(ValueError, match=r"kernel has shape \(6, 1\), got an array of shape \(7, 1\)"):
        model.predict(XR)


@ENGINES
@pytest.mark.parametrize("way", ["predict", "predict_proba", "predict_log_proba", "decision_function"])
def test_threads_get_what_one_gets(engine, way):
    x = np.random.default_rng(0).normal(size=(300, 5))
    model = MLPClassifier(**SETTINGS, engine=engine).fit(X, Y)
    pieces = [x[i : i + n] for i, n in zip(range(280), [1, 2, 17] * 100, strict=False)]
    want = [getattr(model, way)(piece) for piece in pieces]
    # A copy has nothing planned, so that the threads meet at that too.
    fresh = from_sklearn(model)
    fresh.set_params(engine=engine)
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(getattr(fresh, way), pieces))
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)
