"""What each loss trains: steps of gradient descent against the numerical gradient of the loss written in NumPy."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_softmax
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression

import diaphane as dia
from diaphane.estimators import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RATE, ALPHA, SEED = 0.1, 0.3, 7
BINARY = make_classification(40, 5, random_state=1)
MULTI = make_classification(40, 5, n_informative=5, n_redundant=0, n_classes=3, random_state=1)
LABELS = make_multilabel_classification(40, 5, n_classes=3, random_state=1)
NUMBERS = make_regression(40, 5, n_targets=2, noise=1.0, random_state=1)
NUMBERS = NUMBERS[0], NUMBERS[1] / 50
COUNTS = NUMBERS[0], np.round(np.abs(NUMBERS[1]))


def signs(y):
    return 2.0 * y.reshape(len(y), -1) - 1


def crammer_singer(scores, y):
    wrong = scores.copy()
    wrong[np.arange(len(y)), y] = -np.inf
    return np.maximum(0, 1 + wrong.max(1) - scores[np.arange(len(y)), y])


def cross_entropy(scores, y):
    y, p = y.reshape(len(y), -1), np.clip(expit(scores), 1e-300, 1)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum(1)


def huber(scores, y):
    error = np.abs(scores - y)
    return np.where(error <= 1, error**2 / 2, error - 0.5).sum(1)


def deviance(scores, y):
    rate, some = np.exp(scores), np.where(y > 0, y, 1)
    return (np.where(y > 0, y * np.log(some / rate), 0) - y + rate).sum(1)


def user_cubic(scores, y):
    return (np.abs(scores - y) ** 3).sum(1)


def user_cubic_graph(outputs, target):
    return dia.sum(dia.abs(outputs - target) ** 3, axis=1)


CASES = {
    "log loss of two classes": (MLPClassifier, "log_loss", BINARY, cross_entropy),
    "log loss of several classes": (
        MLPClassifier,
        "log_loss",
        MULTI,
        lambda s, y: -log_softmax(s, axis=1)[np.arange(len(y)), y],
    ),
    "log loss of several labels": (MLPClassifier, "log_loss", LABELS, cross_entropy),
    "hinge of two classes": (MLPClassifier, "hinge", BINARY, lambda s, y: np.maximum(0, 1 - signs(y) * s).sum(1)),
    "hinge of several classes": (MLPClassifier, "hinge", MULTI, crammer_singer),
    "hinge of several labels": (MLPClassifier, "hinge", LABELS, lambda s, y: np.maximum(0, 1 - signs(y) * s).sum(1)),
    "squared hinge": (
        MLPClassifier,
        "squared_hinge",
        BINARY,
        lambda s, y: (np.maximum(0, 1 - signs(y) * s) ** 2).sum(1),
    ),
    "squared error": (MLPRegressor, "squared_error", NUMBERS, lambda s, y: ((s - y) ** 2).sum(1) / 2),
    "absolute error": (MLPRegressor, "absolute_error", NUMBERS, lambda s, y: np.abs(s - y).sum(1)),
    "Huber": (MLPRegressor, "huber", NUMBERS, huber),
    "Poisson": (MLPRegressor, "poisson", COUNTS, deviance),
    "a function of the user's": (MLPRegressor, user_cubic_graph, NUMBERS, user_cubic),
}


def first_weights(sizes):
    """scikit-learn's first weights: U[±√(6/(d_in + d_out))], kernel then bias, layer by layer."""
    rng = np.random.RandomState(SEED)
    arrays = []
    for d_in, d_out in itertools.pairwise(sizes):
        bound = np.sqrt(6 / (d_in + d_out))
        arrays += [rng.uniform(-bound, bound, (d_in, d_out)), rng.uniform(-bound, bound, d_out)]
    return arrays


def packed(arrays):
    return np.concatenate([a.ravel() for a in arrays])


def unpacked(vector, like):
    ends = np.cumsum([a.size for a in like])
    return [vector[e - a.size : e].reshape(a.shape) for e, a in zip(ends, like, strict=True)]


def objective(vector, like, x, y, loss, weights):
    kernel, bias, out, out_bias = unpacked(vector, like)
    losses = loss(np.tanh(x @ kernel + bias) @ out + out_bias, y)
    penalty = ALPHA / 2 * ((kernel**2).sum() + (out**2).sum()) / weights.sum()
    return losses @ weights / weights.sum() + penalty


def slope(f, vector, step=1e-6):
    shifts = step * np.eye(len(vector))
    return np.array([(f(vector + s) - f(vector - s)) / (2 * step) for s in shifts])


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("case", CASES)
def test_three_steps_of_gradient_descent_follow_the_numerical_gradient_of_the_objective(case, weighted):
    kind, loss, (x, y), numpy_loss = CASES[case]
    weights = np.random.default_rng(2).uniform(0.5, 2, len(x)) if weighted else np.ones(len(x))
    model = kind(
        hidden_layer_sizes=(3,),
        activation="tanh",
        loss=loss,
        solver="sgd",
        momentum=0.0,
        learning_rate_init=RATE,
        alpha=ALPHA,
        max_iter=3,
        shuffle=False,
        random_state=SEED,
    )
    model.fit(x, y, weights if weighted else None)
    like = first_weights([5, 3, model.n_outputs_])

    def f(vector):
        return objective(vector, like, x, y, numpy_loss, weights)

    vector, losses = packed(like), []
    for _ in range(3):
        losses.append(f(vector))
        vector = vector - RATE * slope(f, vector)
    pairs = zip(model.coefs_, model.intercepts_, strict=True)
    np.testing.assert_allclose(packed([a for pair in pairs for a in pair]), vector, atol=1e-8)
    np.testing.assert_allclose(model.loss_curve_, losses, rtol=1e-8)


def test_a_linear_squared_hinge_machine_is_where_scipy_finds_the_least_of_its_objective():
    x, y = BINARY

    def f(vector):
        w, b = vector[:-1], vector[-1]
        return (np.maximum(0, 1 - (2 * y - 1) * (x @ w + b)) ** 2).mean() + 0.5 * w @ w / len(x)

    best = minimize(f, np.zeros(6), method="BFGS", options={"gtol": 1e-8})
    model = MLPClassifier((), loss="squared_hinge", solver="lbfgs", alpha=1.0, tol=1e-8, random_state=0).fit(x, y)
    np.testing.assert_allclose([*model.coefs_[0].ravel(), *model.intercepts_[0]], best.x, atol=1e-5)
    assert model.loss_ == pytest.approx(best.fun, rel=1e-9)
    np.testing.assert_array_equal(model.predict(x), x @ best.x[:-1] + best.x[-1] > 0)


def test_with_several_targets_lbfgs_ends_at_the_least_squares_solution():
    x, y = NUMBERS
    design = np.c_[x, np.ones(len(x))]
    expected = np.linalg.lstsq(design, y, rcond=None)[0]
    model = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0.0, tol=1e-9, random_state=0).fit(x, y)
    np.testing.assert_allclose(np.vstack([model.coefs_[0], model.intercepts_[0]]), expected, atol=1e-6)


@pytest.mark.parametrize(("loss", "statistic"), [("absolute_error", np.median), ("squared_error", np.mean)])
def test_without_inputs_to_tell_rows_apart_the_best_prediction_is_the_losss_own_statistic(loss, statistic):
    y = np.array([0.0, 0.1, 0.2, 0.3, 4.0])
    model = MLPRegressor(
        loss, (), solver="sgd", momentum=0, learning_rate_init=0.01, max_iter=3000, tol=0, random_state=0
    )
    model.fit(np.zeros((5, 1)), y)
    assert model.predict([[0.0]])[0] == pytest.approx(statistic(y), abs=0.02)


@pytest.mark.parametrize(("data", "columns"), [(BINARY, 1), (MULTI, 3), (LABELS, 3)], ids=["two", "three", "labels"])
def test_a_hinge_machine_has_margins_and_no_probabilities(data, columns):
    x, y = data
    model = MLPClassifier((4,), loss="hinge", max_iter=5, random_state=0).fit(x, y)
    for name in ("predict_proba", "predict_log_proba"):
        assert not hasattr(model, name)
        with pytest.raises(AttributeError, match=name):
            getattr(model, name)
    margins = model.decision_function(x)
    assert margins.shape == ((40,) if columns == 1 else (40, columns))
    expected = margins.argmax(1) if data is MULTI else (margins > 0).astype(int)
    np.testing.assert_array_equal(model.predict(x), expected)
    assert model.out_activation_ == "identity"


def test_probabilities_go_with_the_log_loss_and_with_functions_of_raw_outputs():
    x, y = BINARY
    default = MLPClassifier((4,), max_iter=5, random_state=0).fit(x, y)
    same = MLPClassifier(
        (4,), loss=lambda a, t: dia.sum(dia.softplus(a) - t * a, axis=1), max_iter=5, random_state=0
    ).fit(x, y)
    np.testing.assert_allclose(same.predict_proba(x), default.predict_proba(x), rtol=1e-10)


def test_a_function_for_several_classes_gets_their_indices():
    x, y = MULTI

    def brier(outputs, target):
        return dia.sum(dia.square(dia.softmax(outputs) - dia.one_hot(target, 3, outputs.dtype)), axis=1)

    names = np.array(["crème", "zéro", "école"])[y]
    model = MLPClassifier((8,), loss=brier, learning_rate_init=0.02, max_iter=200, random_state=0).fit(x, names)
    expected = ((model.predict_proba(x) - np.eye(3)[y]) ** 2).sum(1).mean()
    assert model.loss_curve_[0] > 3 * expected
    assert model.loss_ == pytest.approx(expected, rel=0.1)
    assert model.score(x, names) > 0.9


def test_poisson_predictions_are_rates_and_negative_targets_are_refused():
    x, y = COUNTS
    model = MLPRegressor("poisson", (4,), max_iter=5, random_state=0).fit(x, y)
    assert (model.predict(x) > 0).all()
    with pytest.raises(ValueError, match=r"poisson.*at least 0"):
        model.fit(x, y - 10)
