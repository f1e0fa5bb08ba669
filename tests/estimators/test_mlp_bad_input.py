"""Bad input gets an error that says what was given and what is wanted; a training that diverges says where."""

import contextlib
import warnings

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor

import diaphane as dia
from diaphane.estimators import MLPClassifier, MLPRegressor
from diaphane.optim import SGD
from diaphane.training import DivergenceError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_classification(60, 5, random_state=0)
XR, YR = make_regression(60, 5, random_state=0)
SETTINGS = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0}
BOTH = pytest.mark.parametrize(("kind", "y"), [(MLPClassifier, Y), (MLPRegressor, YR)], ids=["classes", "numbers"])


def spoiled(array, value):
    array = np.array(array, dtype=float)
    array.flat[7] = value
    return array


@BOTH
@pytest.mark.parametrize(("value", "named"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
def test_nan_and_infinity_are_refused_in_both_x_and_y(kind, y, value, named):
    with pytest.raises(ValueError, match=f"Input X contains {named}"):
        kind(**SETTINGS).fit(spoiled(X, value), y)
    with pytest.raises(ValueError, match=f"Input y contains {named}"):
        kind(**SETTINGS).fit(X, spoiled(y, value))
    model = kind(**SETTINGS).fit(X, y)
    with pytest.raises(ValueError, match=f"Input X contains {named}"):
        model.predict(spoiled(X, value))
    with pytest.raises(ValueError, match="Input sample_weight contains"):
        model.fit(X, y, spoiled(np.ones(60), value))


WRONG = {
    "learning_rate_init": ([0, -0.1, np.nan, np.inf, "small", None], r"learning_rate_init must be"),
    "alpha": ([-1, np.nan, "x"], "alpha must be"),
    "hidden_layer_sizes": ([0, -3, (4, 0), (2.5,), "4", None, [[3]], True], r"hidden_layer_sizes must be > 0"),
    "solver": (["adamm", None, ["adam"], 3], r"solver must be one of lbfgs, sgd,.*got"),
    "activation": (["rlu", None, ["relu"]], r"activation must be one of identity, relu,.*got"),
    "loss": (["mse", None, ["hinge"], 3], r"loss must be .*got"),
    "learning_rate": (["fast", None, 0.1], "learning_rate must be one of constant, invscaling, adaptive"),
    "batch_size": ([0, -1, 2.5, "foo", None], "batch_size must be"),
    "max_iter": ([0, -1, 2.5, "x", None], "max_iter must be"),
    "max_fun": ([0, 1.5], "max_fun must be"),
    "n_iter_no_change": ([0, 1.5, "x"], "n_iter_no_change must be"),
    "tol": ([-1, np.nan], "tol must be"),
    "momentum": ([-0.1, 1.1, "x"], "momentum must be"),
    "power_t": ([-1, "x"], "power_t must be"),
    "beta_1": ([-0.1, 1.0], "beta_1 must be"),
    "beta_2": ([-0.1, 1.0], "beta_2 must be"),
    "epsilon": ([0.0, -1], "epsilon must be"),
    "validation_fraction": ([-0.1, 1.0, "x"], "validation_fraction must be"),
    "shuffle": (["no", 2, None], "shuffle must be True or False"),
    "warm_start": (["no", None], "warm_start must be True or False"),
    "early_stopping": (["no", None], "early_stopping must be True or False"),
    "nesterovs_momentum": (["no", None], "nesterovs_momentum must be True or False"),
    "random_state": (["seed", -1], "seed|2\\*\\*32"),
}


@BOTH
@pytest.mark.parametrize(
    ("name", "value", "message"), [(name, v, message) for name, (values, message) in WRONG.items() for v in values]
)
def test_a_parameter_out_of_its_range_is_refused_by_name(kind, y, name, value, message):
    with pytest.raises(ValueError, match=message) as caught:
        kind(**{**SETTINGS, name: value}).fit(X, y)
    if name != "random_state":
        assert repr(value) in str(caught.value) or name == "hidden_layer_sizes"


@BOTH
def test_x_and_y_of_different_lengths_are_refused(kind, y):
    for given in (y[:-1], y[:0], np.r_[y, y]):
        with pytest.raises(ValueError, match=r"inconsistent numbers of samples|0 sample"):
            kind(**SETTINGS).fit(X, given)
    with pytest.raises(ValueError, match="sample_weight"):
        kind(**SETTINGS).fit(X, y, np.ones(59))


@BOTH
def test_what_is_no_table_of_numbers_is_refused(kind, y):
    for given, message in [
        (X[:, :, None], "dim"),
        (X[0], "2D"),
        (X[:0], "0 sample"),
        (X[:, :0], "0 feature"),
        ([["a", "b"]] * 60, "numeric|string"),
        (X + 1j, "Complex data not supported"),
    ]:
        with pytest.raises(ValueError, match=message):
            kind(**SETTINGS).fit(given, y)
    with pytest.raises(ValueError, match=r"string|float"):
        MLPRegressor(**SETTINGS).fit(X, ["a"] * 60)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.linspace(0, 1, 60), "Unknown label type"),
        (np.c_[Y, Y + 1], "Multioutput target"),
        (np.zeros((60, 2, 2)), "dim|Unknown label type"),
    ],
)
def test_labels_that_are_none_are_refused_as_by_scikit_learn(y, message):
    for kind in (TheirClassifier, MLPClassifier):
        with pytest.raises(ValueError, match=message):
            kind(**SETTINGS).fit(X, y)


def test_one_row_can_be_fitted_and_predicted():
    assert MLPClassifier(**SETTINGS).fit(X[:1], ["seul"]).predict(X[:1]) == ["seul"]
    assert MLPRegressor(**SETTINGS).fit(X[:1], [2.0]).predict(X[:1]).shape == (1,)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_one_class_is_taken_as_scikit_learn_takes_it(solver):
    theirs, ours = (kind(solver=solver, **SETTINGS).fit(X, ["non"] * 60) for kind in (TheirClassifier, MLPClassifier))
    assert list(ours.classes_) == list(theirs.classes_) == ["non"]
    assert set(ours.predict(X)) == {"non"}
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-8)


def test_more_classes_than_rows_are_taken():
    model = MLPClassifier(**SETTINGS).partial_fit(X[:3], [0, 1, 2], classes=range(10))
    assert model.predict_proba(X).shape == (60, 10)
    assert set(MLPClassifier(**SETTINGS).fit(X[:5], list("abcde")).predict(X)) <= set("abcde")


@pytest.mark.parametrize("dtype", ["U", object])
def test_labels_may_be_strings_with_accents(dtype):
    names = np.array(["Zürich", "Łódź", "東京", "crème brûlée"], dtype=dtype)[np.arange(60) % 4]
    model = MLPClassifier((30,), solver="lbfgs", random_state=0).fit(X, names)
    np.testing.assert_array_equal(model.classes_, np.unique(names))
    assert model.score(X, names) == 1


@pytest.mark.parametrize("values", [[False, True], [-1, 1], [0.0, 1.0], [10, 300], ["-", "+"]])
def test_labels_come_back_in_their_own_type(values):
    y = np.array(values)[Y]
    found = MLPClassifier((30,), solver="lbfgs", random_state=0).fit(X, y).predict(X)
    assert found.dtype == y.dtype
    np.testing.assert_array_equal(found, y)


def test_a_label_that_partial_fit_was_not_told_of_is_refused_with_those_it_knows():
    model = MLPClassifier(**SETTINGS).partial_fit(X, Y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"classes not in `self.classes_`.*\[0 1\].*\[1 2\]"):
        model.partial_fit(X, Y + 1)
    with pytest.raises(ValueError, match="not the same as on last call"):
        model.partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        MLPClassifier(**SETTINGS).partial_fit(X, Y)


def test_warm_start_with_other_classes_is_refused_as_by_scikit_learn():
    for kind in (TheirClassifier, MLPClassifier):
        model = kind(warm_start=True, **SETTINGS).fit(X, Y)
        for other in (Y + 1, np.arange(60) % 3, np.zeros(60, int)):
            with pytest.raises(ValueError, match="warm_start can only be used where `y` has the same classes"):
                model.fit(X, other)


@BOTH
def test_going_on_with_other_hidden_layers_is_refused_with_what_to_do(kind, y):
    model = kind(warm_start=True, **SETTINGS).fit(X, y)
    for sizes in ((9,), (4, 4), ()):
        model.set_params(hidden_layer_sizes=sizes)
        for method in (model.fit, model.partial_fit):
            with pytest.raises(ValueError, match=r"hidden_layer_sizes.*\[4\].*warm_start=False"):
                method(X, y)
        assert model.predict(X).shape == (60,)
    model.set_params(warm_start=False).fit(X, y)


def test_a_fit_that_was_refused_leaves_nothing_behind():
    bad = spoiled(X, np.nan)
    model = MLPClassifier(**SETTINGS)
    for attempt in (
        lambda: model.partial_fit(bad, Y, classes=[0, 1]),
        lambda: model.fit(bad, Y),
        lambda: model.set_params(class_weight={7: 1.0}).fit(X, Y),
        lambda: model.set_params(class_weight=None, dropout=(0.1, 0.2)).fit(X, Y),
    ):
        with pytest.raises(ValueError, match=r"."):
            attempt()
        with pytest.raises(NotFittedError):
            model.predict(X)
    model.set_params(dropout=0.0).fit(X, Y + 5)
    assert list(model.classes_) == [5, 6]


@BOTH
def test_predict_asks_for_what_scikit_learn_asks_for(kind, y):
    theirs = {MLPClassifier: TheirClassifier, MLPRegressor: TheirRegressor}[kind]
    models = [k(**SETTINGS) for k in (theirs, kind)]
    for given in (X[:0], X[:, :3], X[0], "text", None):
        for fitted in (False, True):
            messages = []
            for model in models:
                if fitted:
                    model.fit(X, y)
                with pytest.raises(ValueError, match=r".") as caught:
                    model.predict(given)
                messages.append(str(caught.value))
            if not isinstance(given, str):
                assert messages[0] == messages[1]


def test_early_stopping_with_too_few_rows_is_refused():
    for kind, y in ((MLPClassifier, Y), (MLPRegressor, YR)):
        with pytest.raises(ValueError, match=r"test_size|validation set is too small|train set will be empty"):
            kind(early_stopping=True, **SETTINGS).fit(X[:6], y[:6])


def test_partial_fit_is_not_there_for_lbfgs_nor_with_early_stopping():
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit"):
        _ = MLPRegressor(solver="lbfgs").partial_fit
    with pytest.raises(ValueError, match="does not support early_stopping"):
        MLPClassifier(early_stopping=True).partial_fit(X, Y, classes=[0, 1])


def test_losses_for_other_targets_are_refused():
    with pytest.raises(ValueError, match=r"squared_hinge.*3 classes"):
        MLPClassifier(loss="squared_hinge", **SETTINGS).fit(X, np.arange(60) % 3)
    with pytest.raises(ValueError, match=r"\(N,\)"):
        MLPClassifier(loss=lambda outputs, target: dia.square(outputs - target), **SETTINGS).fit(X, Y)


@pytest.mark.parametrize("given", ["heavy", {0: 1.0, 7: 1.0}, {7: 2.0}])
def test_class_weights_for_unknown_classes_or_of_unknown_names_are_refused(given):
    with pytest.raises(ValueError, match="class_weight"):
        MLPClassifier(class_weight=given, **SETTINGS).fit(X, np.where(Y, 0, 3))


def test_batches_larger_than_the_data_are_warned_of_as_by_scikit_learn():
    for kind in (TheirClassifier, MLPClassifier):
        with pytest.warns(UserWarning, match="larger than sample size"):
            kind(batch_size=61, **SETTINGS).fit(X, Y)


@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_too_few_iterations_are_warned_of_at_the_users_line(solver):
    with pytest.warns(ConvergenceWarning, match=r"iteration") as caught:
        MLPClassifier(solver=solver, **SETTINGS).fit(X, Y)
    assert [w.filename for w in caught] == [__file__]


# Divergence


def diverging(**parameters):
    settings = {"hidden_layer_sizes": (8,), "solver": "sgd", "learning_rate_init": 1e3, "random_state": 0}
    return MLPRegressor(**{**settings, "max_iter": 50, **parameters})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_fit_that_diverges_names_the_node_and_keeps_the_last_good_weights(dtype):
    model = diverging(dtype=dtype)
    with pytest.raises(
        DivergenceError, match=r"non-finite parameter weights.*first appeared in.*learning rate"
    ) as caught:
        model.fit(XR, YR)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value.node, dia.Node)
    assert all(np.isfinite(a).all() for a in model.coefs_ + model.intercepts_)
    assert all(np.isfinite(model.loss_curve_))
    with np.errstate(over="ignore", invalid="ignore"):
        assert model.predict(XR).shape == YR.shape


def test_the_last_good_weights_are_those_of_the_step_before():
    model = diverging(batch_size=60, shuffle=False)
    with pytest.raises(DivergenceError):
        model.fit(XR, YR)
    epochs = len(model.loss_curve_)
    assert epochs >= 1
    before = diverging(batch_size=60, shuffle=False, max_iter=epochs).fit(XR, YR)
    np.testing.assert_array_equal(model.coefs_[0], before.coefs_[0])


def test_a_diverged_estimator_can_be_fitted_again():
    model = diverging()
    with pytest.raises(DivergenceError):
        model.fit(XR, YR)
    model.set_params(learning_rate_init=1e-4).fit(XR, YR)
    fresh = diverging(learning_rate_init=1e-4).fit(XR, YR)
    np.testing.assert_array_equal(model.coefs_[0], fresh.coefs_[0])


def test_with_early_stopping_a_divergence_keeps_the_best_weights_and_warns():
    model = diverging(early_stopping=True)
    with pytest.warns(ConvergenceWarning, match=r"first appeared in.*best epoch are kept"):
        model.fit(XR, YR)
    assert all(np.isfinite(a).all() for a in model.coefs_)
    assert np.isnan(model.validation_scores_[-1])


@pytest.mark.parametrize("scale", [1e150, 1e300])
def test_inputs_too_large_to_compute_with_are_an_error_or_finite_weights_but_never_nan(scale):
    for solver in ("adam", "sgd", "lbfgs"):
        model = MLPRegressor(hidden_layer_sizes=(4,), solver=solver, max_iter=3, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with contextlib.suppress(DivergenceError):
                model.fit(XR * scale, YR)
        assert all(np.isfinite(a).all() for a in model.coefs_ + model.intercepts_)


@pytest.mark.parametrize(
    "extra",
    [
        "callbacks",
        "validation_data",
        "resume",
        *("schedule", "weight_decay", "l1", "max_norm", "clip_norm", "clip_value", "label_smoothing", "mixup"),
        *("averaging", "checkpoint"),
    ],
)
def test_lbfgs_refuses_what_it_would_not_use(extra, tmp_path):
    from diaphane.training import Callback

    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    values = {"callbacks": [Callback()], "schedule": "cosine", "averaging": "ema", "checkpoint": tmp_path / "c"}
    of_fit = {"validation_data": (X, y), "resume": True}
    settings = {} if extra in of_fit else {extra: values.get(extra, 0.1)}
    model = MLPClassifier(solver="lbfgs", **settings)
    with pytest.raises(ValueError, match=f"'lbfgs' has no epochs: {extra} .*need"):
        model.fit(X, y, **({extra: of_fit[extra]} if extra in of_fit else {}))
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"l1": -1.0}, r"l1 must be in \[0, inf\), got -1.0"),
        ({"max_norm": 0}, "max_norm=0 would hold everything at 0"),
        ({"max_norm": float("nan")}, "max_norm must be a finite number"),
        ({"max_norm": "2"}, "max_norm must be a finite number"),
        ({"clip_norm": 1.0, "clip_value": 1.0}, "two ways to clip"),
        ({"clip_norm": -1}, "clip_norm must be in"),
        ({"label_smoothing": 1.0}, "label_smoothing must be in"),
        ({"input_dropout": 1.0}, "input_dropout must be in"),
        ({"input_noise": -0.1}, "input_noise must be in"),
        ({"mixup": float("inf")}, "mixup must be a finite number"),
        ({"averaging": "emma:0.9"}, "averaging must be ema:DECAY"),
        ({"averaging": "ema:1.5"}, "averaging must be ema:DECAY"),
        ({"weight_decay": -1.0}, "weight_decay must be in"),
        ({"schedule": "cosin"}, "cosine"),
        ({"schedule": 0.5}, "schedule"),
        ({"schedule": "cosine", "solver": "sgd", "learning_rate": "adaptive"}, "two rules for one rate"),
        ({"schedule": "cosine", "solver": SGD(0.1)}, "goes into the optimizer"),
        ({"checkpoint": 3}, "a checkpoint's folder is a path"),
    ],
)
def test_what_cannot_regularise_or_schedule_is_refused_before_training(settings, said):
    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    with pytest.raises((ValueError, TypeError), match=said):
        MLPClassifier((4,), **settings).fit(X, y)


def test_resume_needs_a_checkpoint_and_the_same_held_out_rows(tmp_path):
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    with pytest.raises(ValueError, match="goes on from a checkpoint"):
        MLPClassifier((4,)).fit(X, y, resume=True)
    with pytest.raises(ValueError, match="set random_state"):
        MLPClassifier((4,), early_stopping=True, checkpoint=tmp_path).fit(X, y, resume=True)
