"""The same data, parameters and random_state give scikit-learn's own numbers, in float64."""

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor

from diaphane.estimators import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Got `batch_size`:UserWarning"
)

N = 110


def regression(n_targets, sign=False):
    x, y = make_regression(N, 7, n_targets=n_targets, noise=1.0, random_state=0)
    return x, np.abs(y / 100) if sign else y / 100


def multilabel():
    x, y = make_multilabel_classification(N, 7, n_classes=3, random_state=0)
    return x / 5, y


DATA = {
    "binary": make_classification(N, 7, random_state=0),
    "multiclass": make_classification(N, 7, n_informative=5, n_classes=4, random_state=0),
    "multilabel": multilabel(),
    "one target": regression(1),
    "several targets": regression(3),
    "counts": regression(1, sign=True),
    "several counts": regression(2, sign=True),
}
CLASSES = ("binary", "multiclass", "multilabel")
NUMBERS = ("one target", "several targets", "counts", "several counts")
BASE = {"hidden_layer_sizes": (9, 5), "batch_size": 32, "max_iter": 5, "random_state": 3}
WEIGHTS = np.random.default_rng(0).uniform(0, 3, N)
WEIGHTS[::7] = 0


def pair(data, **parameters):
    kinds = (TheirClassifier, MLPClassifier) if data in CLASSES else (TheirRegressor, MLPRegressor)
    return tuple(kind(**{**BASE, **parameters}) for kind in kinds)


def fitted(data, fit=None, **parameters):
    x, y = DATA[data]
    return tuple(model.fit(x, y, **(fit or {})) for model in pair(data, **parameters))


def near(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-8, atol=1e-10)


def assert_same(theirs, ours, data, losses=True):
    for actual, expected in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        assert actual.dtype == expected.dtype
        near(actual, expected)
    assert (ours.n_iter_, ours.t_, ours.n_layers_, ours.n_outputs_, ours.out_activation_) == (
        theirs.n_iter_,
        theirs.t_,
        theirs.n_layers_,
        theirs.n_outputs_,
        theirs.out_activation_,
    )
    x, _ = DATA[data]
    if data in CLASSES:
        np.testing.assert_array_equal(ours.predict(x), theirs.predict(x))
        near(ours.predict_proba(x), theirs.predict_proba(x))
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    else:
        near(ours.predict(x), theirs.predict(x))
    if losses:
        near(ours.loss_, theirs.loss_)
        for name in ("loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"):
            expected = getattr(theirs, name, None)
            if expected is not None:
                near(getattr(ours, name), expected)


SETTINGS = {
    "adam": {},
    "adam with other moments": {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3, "learning_rate_init": 0.01},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.05},
    "nesterov": {"solver": "sgd", "learning_rate_init": 0.05, "momentum": 0.7},
    "no momentum": {"solver": "sgd", "momentum": 0.0},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.5, "power_t": 0.3},
    "adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "learning_rate_init": 0.2,
        "tol": 0.05,
        "n_iter_no_change": 2,
        "max_iter": 40,
    },
    "stops by itself": {"tol": 0.1, "n_iter_no_change": 2, "max_iter": 60},
    "early stopping": {"early_stopping": True, "max_iter": 30, "n_iter_no_change": 3, "learning_rate_init": 0.01},
    "a larger share held out": {"early_stopping": True, "validation_fraction": 0.4, "solver": "sgd"},
    "identity": {"activation": "identity"},
    "logistic": {"activation": "logistic"},
    "tanh": {"activation": "tanh"},
    "a batch of more than all": {"batch_size": 500},
    "the batch by default": {"batch_size": "auto"},
    "batches of one": {"batch_size": 1, "max_iter": 1},
    "in the given order": {"shuffle": False},
    "no hidden layer": {"hidden_layer_sizes": ()},
    "one size": {"hidden_layer_sizes": 4},
    "strong penalty": {"alpha": 3.0},
    "no penalty": {"alpha": 0.0},
    "L-BFGS": {"solver": "lbfgs", "max_iter": 8},
    "L-BFGS, logistic": {"solver": "lbfgs", "max_iter": 8, "activation": "logistic", "alpha": 0.1},
}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("data", CLASSES)
def test_classifiers_learn_scikit_learns_weights(data, setting):
    assert_same(*fitted(data, **SETTINGS[setting]), data)


@pytest.mark.parametrize("setting", ["adam", "nesterov", "early stopping", "L-BFGS", "no hidden layer"])
@pytest.mark.parametrize("data", ["one target", "counts"])
def test_regressors_learn_scikit_learns_weights(data, setting):
    assert_same(*fitted(data, **SETTINGS[setting]), data)


@pytest.mark.parametrize("setting", ["adam", "nesterov", "early stopping", "no hidden layer"])
@pytest.mark.parametrize("data", ["several targets", "several counts"])
def test_with_several_targets_the_weights_are_scikit_learns_and_the_losses_add_up(data, setting):
    # scikit-learn follows the gradient of the sum of squares and reports their mean over the targets.
    theirs, ours = fitted(data, **{**SETTINGS[setting], "alpha": 0.0, "tol": 0.0})
    assert_same(theirs, ours, data, losses=False)
    near(ours.loss_curve_, ours.n_outputs_ * np.array(theirs.loss_curve_))


@pytest.mark.parametrize("setting", ["adam", "early stopping", "L-BFGS"])
@pytest.mark.parametrize("fit", [None, {"sample_weight": WEIGHTS}], ids=["", "weighted"])
def test_poisson_regressors_learn_scikit_learns_weights(setting, fit):
    assert_same(*fitted("counts", fit, loss="poisson", **SETTINGS[setting]), "counts")


@pytest.mark.parametrize("setting", ["adam", "nesterov", "early stopping", "L-BFGS"])
@pytest.mark.parametrize("data", [*CLASSES, "one target"])
def test_sample_weights_mean_what_they_mean_to_scikit_learn(data, setting):
    assert_same(*fitted(data, {"sample_weight": WEIGHTS}, **SETTINGS[setting]), data)


@pytest.mark.parametrize("setting", ["adam", "nesterov", "invscaling", "adaptive", "early stopping", "L-BFGS"])
@pytest.mark.parametrize("data", ["binary", "multiclass", "one target"])
def test_a_second_fit_with_warm_start_goes_on_as_scikit_learns_does(data, setting):
    models = fitted(data, warm_start=True, **SETTINGS[setting])
    x, y = DATA[data]
    for model in models:
        model.fit(x, y)
    assert_same(*models, data)


@pytest.mark.parametrize("setting", ["adam", "nesterov", "invscaling", "adaptive"])
@pytest.mark.parametrize("data", [*CLASSES, "one target"])
def test_several_partial_fits_go_on_as_scikit_learns_do(data, setting):
    x, y = DATA[data]
    models = pair(data, **SETTINGS[setting])
    for model in models:
        first = {} if data not in CLASSES else {"classes": np.arange(3) if y.ndim == 2 else np.unique(y)}
        model.partial_fit(x, y, **first)
        for rows in (slice(0, 50), slice(40, 110), slice(10, 12), slice(0, 110)):
            model.partial_fit(x[rows], y[rows])
    assert_same(*models, data)


@pytest.mark.parametrize("setting", ["adam", "nesterov"])
def test_partial_fit_after_fit_goes_on_with_the_optimizers_values(setting):
    models = fitted("binary", **SETTINGS[setting])
    x, y = DATA["binary"]
    for model in models:
        model.set_params(learning_rate_init=0.5)
        model.partial_fit(x, y, WEIGHTS).partial_fit(x, y)
    assert_same(*models, "binary")


def test_a_random_state_instance_is_drawn_from_as_often_as_by_scikit_learn():
    states = np.random.RandomState(5), np.random.RandomState(5)
    x, y = DATA["multiclass"]
    for _ in range(2):
        models = [m.set_params(random_state=s).fit(x, y) for m, s in zip(pair("multiclass"), states, strict=True)]
        assert_same(*models, "multiclass")
    assert states[0].randint(2**31) == states[1].randint(2**31)


def test_the_global_random_state_is_drawn_from_as_by_scikit_learn():
    x, y = DATA["binary"]
    models = []
    for model in pair("binary", random_state=None):
        np.random.seed(11)  # noqa: NPY002
        models.append(model.fit(x, y))
    assert_same(*models, "binary")


def test_float32_stays_near_scikit_learns_float32():
    x, y = DATA["multiclass"]
    theirs, ours = (m.fit(x.astype("float32"), y) for m in pair("multiclass"))
    for actual, expected in zip(ours.coefs_, theirs.coefs_, strict=True):
        assert actual.dtype == expected.dtype == np.float32
        np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-5)


def test_logarithms_of_probabilities_are_finite_where_the_probability_rounds_to_zero():
    x, y = DATA["binary"]
    model = MLPClassifier(**BASE).fit(x, y)
    far = 1e4 * x
    assert (model.predict_proba(far) == 0).any()
    logs = model.predict_log_proba(far)
    assert np.isfinite(logs).all()
    np.testing.assert_allclose(logs[:, 1] - logs[:, 0], model.decision_function(far), rtol=1e-12)
    near(model.predict_log_proba(x), np.log(model.predict_proba(x)))


def test_one_line_an_epoch_is_printed_as_by_scikit_learn(capsys):
    x, y = DATA["binary"]
    printed = []
    for model in pair("binary", verbose=True, early_stopping=True):
        model.fit(x, y)
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
