"""Linear models on a stream: the weights of the same rows in memory, and of scikit-learn's optimum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression as SklearnLogisticRegression

from diaphane.data import DataError, open_stream
from diaphane.data.streams import Stream
from diaphane.estimators.linear import LinearClassifier, LinearRegression, LogisticRegression


def some_rows(classes: int = 2, n: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(classes)
    x = rng.standard_normal((n, 4))
    return x, (x @ rng.standard_normal((4, classes)) + rng.standard_normal((n, classes))).argmax(axis=1)


def stream_of(x: Any, y: Any, w: Any = None, chunk: int = 170, window: int = 600) -> Stream:
    def chunks() -> Any:
        for start in range(0, len(x), chunk):
            here = slice(start, start + chunk)
            yield (x[here], y[here]) if w is None else (x[here], y[here], w[here])

    return open_stream(chunks, window=window)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_unshuffled_online_passes_find_the_weights_of_memory(classes: int, loss: str) -> None:
    x, y = some_rows(classes)
    settings = {"max_iter": 4, "tol": None, "shuffle": False, "average": True, "learning_rate": "constant"}
    streamed = LinearClassifier(loss, **settings).fit(stream_of(x, y))
    in_memory = LinearClassifier(loss, **settings).fit(x, y)
    np.testing.assert_allclose(streamed.coef_, in_memory.coef_, rtol=1e-11)
    np.testing.assert_allclose(streamed.intercept_, in_memory.intercept_, rtol=1e-11)
    np.testing.assert_allclose(streamed.loss_curve_, in_memory.loss_curve_, rtol=1e-9)
    np.testing.assert_array_equal(streamed.predict(x), in_memory.predict(x))


def test_one_shuffled_pass_is_as_good_as_the_optimum() -> None:
    x, y = some_rows(n=20_000)
    model = LinearClassifier("logistic", max_iter=1, tol=None, random_state=0).fit(stream_of(x, y))
    best = SklearnLogisticRegression(C=np.inf).fit(x, y)
    assert model.score(x, y) > best.score(x, y) - 0.01
    again = LinearClassifier("logistic", max_iter=1, tol=None, random_state=0).fit(stream_of(x, y))
    np.testing.assert_array_equal(model.coef_, again.coef_)


def test_passes_over_a_stream_end_by_tol() -> None:
    x, y = some_rows()
    model = LinearClassifier("logistic", max_iter=200, random_state=0).fit(stream_of(x, y))
    assert 5 < model.n_iter_ < 100


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("c", [0.01, np.inf])
def test_logistic_regression_on_a_stream_is_at_scikit_learns_optimum(classes: int, c: float) -> None:
    x, y = some_rows(classes)
    weights = np.random.default_rng(3).random(len(y))
    model = LogisticRegression(C=c, tol=1e-9).fit(stream_of(x, y, weights))
    best = SklearnLogisticRegression(C=c, tol=1e-10, max_iter=1000).fit(x, y, weights)
    np.testing.assert_allclose(model.predict_proba(x), best.predict_proba(x), atol=2e-6)
    in_memory = LogisticRegression(C=c, tol=1e-9, solver="newton").fit(x, y, weights)
    np.testing.assert_allclose(model.log_likelihood_, in_memory.log_likelihood_, rtol=1e-10)
    if c == np.inf:
        np.testing.assert_allclose(model.standard_errors_, in_memory.standard_errors_, rtol=1e-6)


def test_labels_of_words_are_classes() -> None:
    x, y = some_rows()
    words = np.array(["no", "yes"], dtype=object)[y]
    model = LogisticRegression().fit(stream_of(x, words))
    assert model.classes_.tolist() == ["no", "yes"]
    assert set(model.predict(x)) == {"no", "yes"}


def test_what_cannot_be_done_on_a_stream_is_refused_with_what_can() -> None:
    x, y = some_rows()
    stream = stream_of(x, y)
    with pytest.raises(ValueError, match=r"LinearClassifier\('logistic', max_iter=1\)"):
        LogisticRegression(solver="sgd").fit(stream)
    with pytest.raises(ValueError, match="one example at a time"):
        LinearClassifier(solver="lbfgs").fit(stream)
    with pytest.raises(ValueError, match="early_stopping"):
        LinearClassifier(early_stopping=True).fit(stream)
    with pytest.raises(TypeError, match="y cannot be given beside a stream"):
        LinearClassifier().fit(stream, y)
    with pytest.raises(DataError, match="at least 2 classes"):
        LinearClassifier().fit(stream_of(x, np.zeros(len(x))))
    with pytest.raises(DataError, match="expected classes"):
        LinearClassifier().fit(stream_of(x, x[:, 0]))
    with pytest.raises(ValueError, match="the weights overflow in epoch 1"):
        LinearClassifier("squared_error", learning_rate="constant", eta0=1e8).fit(stream_of(x * 1e150, y))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_least_squares_on_a_stream_is_the_solution_of_memory_in_one_pass(weighted: bool, fit_intercept: bool) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(100, [1, 2, 3], (4000, 3))
    y = x @ [1.0, -2.0, 0.5] + 7 + rng.standard_normal(4000)
    w = rng.random(4000) if weighted else None
    passes: list[int] = []

    def chunks() -> Any:
        passes.append(1)
        for part in np.array_split(np.arange(4000), 23):
            yield (x[part], y[part]) if w is None else (x[part], y[part], w[part])

    stream = open_stream(chunks, window=512)
    passes.clear()
    streamed = LinearRegression(fit_intercept=fit_intercept).fit(stream)
    assert len(passes) == 1
    in_memory = LinearRegression(fit_intercept=fit_intercept).fit(x, y, w)
    np.testing.assert_allclose(streamed.coef_, in_memory.coef_, rtol=1e-8)
    np.testing.assert_allclose(streamed.intercept_, in_memory.intercept_, rtol=1e-8)
    np.testing.assert_allclose(streamed.standard_errors_, in_memory.standard_errors_, rtol=1e-7)
    np.testing.assert_allclose(streamed.residual_variance_, in_memory.residual_variance_, rtol=1e-7)
    assert streamed.summary() == in_memory.summary()


def test_collinear_columns_get_the_solution_of_least_norm() -> None:
    rng = np.random.default_rng(6)
    x = rng.standard_normal((500, 2))
    x = np.column_stack([x, x[:, 0] + x[:, 1]])
    y = x @ [1.0, 2.0, 3.0]
    streamed, in_memory = LinearRegression().fit(stream_of(x, y)), LinearRegression().fit(x, y)
    np.testing.assert_allclose(streamed.coef_, in_memory.coef_, atol=1e-8)
    assert streamed.rank_ == in_memory.rank_ == 2
