"""What the estimators have beyond scikit-learn's."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.metrics import log_loss
from sklearn.utils import compute_sample_weight

import diaphane as dia
from diaphane.estimators import MLPClassifier, MLPRegressor
from diaphane.training import Callback

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 150
X, Y = make_classification(N, 6, n_informative=4, n_classes=3, weights=[0.6, 0.3, 0.1], random_state=0)
XV, YV = make_classification(40, 6, n_informative=4, n_classes=3, random_state=1)
X2, Y2 = make_classification(N, 6, random_state=0)
XR, YR = make_regression(N, 6, noise=1.0, random_state=0)
YR = YR / 50
LABELS = make_multilabel_classification(N, 6, n_classes=3, random_state=0)[1]


def classifier(**parameters):
    return MLPClassifier(**{"hidden_layer_sizes": (12, 7), "max_iter": 8, "random_state": 0, **parameters})


def regressor(**parameters):
    return MLPRegressor(**{"hidden_layer_sizes": (12, 7), "max_iter": 8, "random_state": 0, **parameters})


def assert_equal_weights(a, b, rtol=0.0):
    for left, right in zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_, strict=True):
        np.testing.assert_allclose(left, right, rtol=rtol, atol=rtol)


def rates(model):
    """What each hidden layer of the network drops."""
    return [float(value) for node, value in model.state_.items() if node.name.endswith("rate")]


# Dropout


def test_one_dropout_rate_is_that_of_each_hidden_layer():
    one, each = classifier(dropout=0.25).fit(X, Y), classifier(dropout=(0.25, 0.25)).fit(X, Y)
    assert rates(one) == rates(each) == [0.25, 0.25]
    assert_equal_weights(one, each)


@pytest.mark.parametrize("given", [[0.0, 0.5], (0.0, 0.5), np.array([0.0, 0.5])])
def test_each_hidden_layer_may_have_a_rate_of_its_own(given):
    assert rates(classifier(dropout=given).fit(X, Y)) == [0.5]


def test_dropout_of_nothing_is_no_dropout_to_the_bit():
    assert_equal_weights(classifier(dropout=0.0).fit(X, Y), classifier(dropout=(0, 0)).fit(X, Y))
    assert_equal_weights(classifier(dropout=0.0).fit(X, Y), classifier().fit(X, Y))


def test_dropout_is_for_training_alone():
    plain, dropping = classifier().fit(X, Y), classifier(dropout=0.5).fit(X, Y)
    assert abs(dropping.coefs_[0] - plain.coefs_[0]).max() > 1e-4
    np.testing.assert_array_equal(dropping.predict_proba(X), dropping.predict_proba(X))
    forward = np.maximum(
        np.maximum(X @ dropping.coefs_[0] + dropping.intercepts_[0], 0) @ dropping.coefs_[1] + dropping.intercepts_[1],
        0,
    )
    raw = forward @ dropping.coefs_[2] + dropping.intercepts_[2]
    np.testing.assert_allclose(dropping.decision_function(X), raw, rtol=1e-10)


def test_dropout_masks_are_the_same_for_the_same_random_state_and_others_for_another():
    assert_equal_weights(classifier(dropout=0.5).fit(X, Y), classifier(dropout=0.5).fit(X, Y))
    weights = [
        classifier(dropout=0.5, shuffle=False, weight_init=0.1, random_state=s).fit(X, Y).coefs_[0] for s in (1, 2)
    ]
    assert not np.array_equal(*weights)


def test_dropout_keeps_an_overgrown_network_from_learning_noise_by_heart():
    x, noise = X2[:60], np.random.default_rng(0).integers(0, 2, 60)
    settings = {"hidden_layer_sizes": (200,), "max_iter": 60, "learning_rate_init": 0.01}
    plain, dropping = (classifier(dropout=rate, **settings).fit(x, noise) for rate in (0.0, 0.8))
    assert log_loss(noise, dropping.predict_proba(x)) > 2 * log_loss(noise, plain.predict_proba(x))


@pytest.mark.parametrize("given", [(0.1,), (0.1, 0.2, 0.3), ()])
def test_rates_for_another_number_of_hidden_layers_are_refused(given):
    with pytest.raises(ValueError, match=r"dropout.*2 hidden layers"):
        classifier(dropout=given).fit(X, Y)


@pytest.mark.parametrize("given", [1.0, 1, -0.1, np.nan, (0.5, 1.0), "half", None])
def test_rates_that_are_no_probability_of_dropping_are_refused(given):
    with pytest.raises(ValueError, match=r"dropout must be.*\[0, 1\)"):
        classifier(dropout=given).fit(X, Y)


# Weights of classes


@pytest.mark.parametrize("weights", ["balanced", {0: 1.0, 1: 2.0, 2: 5.0}])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_class_weights_are_the_sample_weights_they_stand_for(weights, solver):
    by_class = classifier(class_weight=weights, solver=solver).fit(X, Y)
    by_row = classifier(solver=solver).fit(X, Y, compute_sample_weight(weights, Y))
    assert_equal_weights(by_class, by_row)


def test_class_weights_and_sample_weights_multiply():
    weights = np.random.default_rng(0).uniform(0, 2, N)
    both = classifier(class_weight="balanced").fit(X, Y, weights)
    assert_equal_weights(both, classifier().fit(X, Y, weights * compute_sample_weight("balanced", Y)))


def test_class_weights_of_several_labels_are_scikit_learns():
    weights = [{0: 1, 1: 2}, {0: 1, 1: 1}, {0: 3, 1: 1}]
    for given in ("balanced", weights):
        by_row = classifier().fit(X, LABELS, compute_sample_weight(given, LABELS))
        assert_equal_weights(classifier(class_weight=given).fit(X, LABELS), by_row)


def test_class_weights_go_by_label_also_where_labels_are_strings():
    names = np.array(["œuf", "lait", "blé"])[Y]
    by_name = classifier(class_weight={"lait": 2.0, "blé": 3.0, "œuf": 1.0}).fit(X, names)
    assert_equal_weights(by_name, classifier().fit(X, names, np.array([1.0, 2.0, 3.0])[Y]))


def test_balanced_weights_raise_the_recall_of_the_rare_class():
    rare = Y == 2
    plain, balanced = (classifier(class_weight=w, max_iter=30).fit(X, Y) for w in (None, "balanced"))
    assert (balanced.predict(X[rare]) == 2).mean() > (plain.predict(X[rare]) == 2).mean()


# First weights


@pytest.mark.parametrize("name", sorted(dia.nn.initializers.INITIALIZERS))
def test_every_initialiser_goes_by_name_with_intercepts_of_zero(name):
    model = classifier(weight_init=name, learning_rate_init=1e-12, max_iter=1).fit(X, Y)
    rng = np.random.RandomState(0)
    sizes = [6, 12, 7, 3]
    drawn = [dia.nn.find_initializer(name).sample(rng, pair, np.dtype("float64")) for pair in pairwise(sizes)]
    for coef, intercept, expected in zip(model.coefs_, model.intercepts_, drawn, strict=True):
        np.testing.assert_allclose(coef, expected, atol=1e-10)
        np.testing.assert_allclose(intercept, 0, atol=1e-10)


def test_an_initialiser_of_ones_own_settings_or_a_number_may_be_given():
    settings = {"learning_rate_init": 1e-12, "max_iter": 1}
    np.testing.assert_allclose(classifier(weight_init=0.25, **settings).fit(X, Y).coefs_[1], 0.25, atol=1e-10)
    bounded = classifier(weight_init=dia.nn.Uniform(0.01), **settings).fit(X, Y).coefs_[0]
    assert 0.005 < abs(bounded).max() < 0.01 + 1e-10


def test_an_unknown_initialiser_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match=r"'glorot'.*glorot_uniform"):
        classifier(weight_init="glorot").fit(X, Y)


# Validation data


def test_validation_data_are_scored_after_each_epoch_and_never_learnt_from():
    watched = classifier().fit(X, Y, validation_data=(XV, YV))
    assert_equal_weights(watched, classifier().fit(X, Y))
    assert len(watched.history_["validation_loss"]) == len(watched.history_["validation_score"]) == watched.n_iter_
    assert watched.history_.last("validation_score") == watched.score(XV, YV)
    assert watched.history_.last("validation_loss") == pytest.approx(log_loss(YV, watched.predict_proba(XV)))


def test_validation_rows_may_carry_weights():
    weights = np.random.default_rng(0).uniform(0, 2, len(YV))
    model = classifier().fit(X, Y, validation_data=(XV, YV, weights))
    assert model.history_.last("validation_score") == pytest.approx(model.score(XV, YV, weights))
    expected = log_loss(YV, model.predict_proba(XV), sample_weight=weights)
    assert model.history_.last("validation_loss") == pytest.approx(expected)


def test_a_regressors_validation_score_is_the_coefficient_of_determination():
    x, y = XR[:50], YR[:50]
    model = regressor().fit(XR, YR, validation_data=(x, y))
    assert model.history_.last("validation_score") == pytest.approx(model.score(x, y))
    assert model.history_.last("validation_loss") == pytest.approx(((model.predict(x) - y) ** 2).mean() / 2)


def test_several_labels_are_scored_by_rows_that_are_right_in_all():
    model = classifier().fit(X, LABELS, validation_data=(X[:60], LABELS[:60]))
    assert model.history_.last("validation_score") == model.score(X[:60], LABELS[:60])


def test_early_stopping_watches_validation_data_in_place_of_a_share_and_keeps_the_best_weights():
    model = classifier(early_stopping=True, max_iter=200, n_iter_no_change=4, learning_rate_init=0.02)
    model.fit(X, Y, validation_data=(XV, YV))
    assert model.n_iter_ < 200
    assert model.t_ == N * model.n_iter_
    assert len(model.validation_scores_) == model.n_iter_
    assert model.score(XV, YV) == max(model.validation_scores_) == model.best_validation_score_
    best = int(np.argmax(model.validation_scores_)) + 1
    assert_equal_weights(model, classifier(max_iter=best, learning_rate_init=0.02).fit(X, Y))


def test_validation_data_need_not_have_every_class():
    some = YV < 2
    for model in (classifier(), classifier(warm_start=True)):
        model.fit(X, Y).fit(X, Y, validation_data=(XV[some], YV[some]))
        assert model.history_.last("validation_score") == model.score(XV[some], YV[some])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((XV[:, :3], YV), "3 features"),
        ((XV, YV[:-1]), "inconsistent numbers of samples"),
        ((XV, YV + 5), r"classes not in"),
        ((np.full_like(XV, np.nan), YV), "NaN"),
        ((XV,), r"validation_data must be \(X, y\)"),
        (XV, r"validation_data must be \(X, y\)"),
        ((XV, YV, np.ones(3)), "sample_weight"),
    ],
)
def test_validation_data_that_do_not_fit_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        classifier().fit(X, Y, validation_data=data)


# Callbacks


class Recorder(Callback):
    def __init__(self):
        self.moments = []

    def on_fit_start(self, run):
        self.moments.append("fit start")

    def on_epoch_start(self, run):
        self.moments.append(f"epoch {run.epoch} start")

    def on_step_end(self, run):
        self.moments.append(f"step {run.steps}")

    def on_epoch_end(self, run):
        self.moments.append(f"epoch {run.epoch} end")

    def on_fit_end(self, run):
        self.moments.append("fit end")


def test_callbacks_hear_of_every_moment_in_order_and_change_nothing():
    recorder = Recorder()
    model = classifier(callbacks=[recorder], max_iter=2, batch_size=100).fit(X, Y)
    epochs = [[f"epoch {e} start", f"step {2 * e - 1}", f"step {2 * e}", f"epoch {e} end"] for e in (1, 2)]
    assert recorder.moments == ["fit start", *epochs[0], *epochs[1], "fit end"]
    assert_equal_weights(model, classifier(max_iter=2, batch_size=100).fit(X, Y))


def test_a_callback_may_stop_the_fit_and_set_the_learning_rate():
    class Halving(Callback):
        def on_epoch_end(self, run):
            run.set_hyperparameter("learning_rate", run.hyperparameter("learning_rate") / 2)
            if run.epoch == 3:
                run.stop("enough")

    model = classifier(callbacks=[Halving()], learning_rate_init=0.08).fit(X, Y)
    assert model.n_iter_ == 3
    assert model.history_.stopped == "enough"
    np.testing.assert_allclose(model.history_["learning_rate"], [0.08, 0.04, 0.02])


# Solvers


@pytest.mark.parametrize("name", sorted(dia.optim.OPTIMIZERS))
def test_every_optimizer_goes_by_name_with_the_learning_rate_of_the_estimator(name):
    rate = 20.0 if name == "adadelta" else 0.02
    model = classifier(solver=name, learning_rate_init=rate, max_iter=25).fit(X, Y)
    assert model.loss_ < 0.95 * model.loss_curve_[0]
    assert model.history_["learning_rate"] == pytest.approx([rate] * 25)


@pytest.mark.parametrize("kind", ["Adagrad", "RMSProp", "Adadelta"])
def test_a_name_means_the_optimizer_with_its_own_defaults(kind):
    named = classifier(solver=kind.lower(), learning_rate_init=0.03).fit(X, Y)
    given = classifier(solver=getattr(dia.optim, kind)(learning_rate=0.03)).fit(X, Y)
    assert_equal_weights(named, given)


def test_an_optimizer_may_be_given_with_its_own_settings():
    plain = classifier(solver=dia.optim.SGD(0.05)).fit(X, Y)
    # Another formula of the same steps: rounded otherwise.
    momentum = classifier(solver="sgd", momentum=0.0, learning_rate_init=0.05).fit(X, Y)
    assert_equal_weights(plain, momentum, rtol=1e-12)
    decayed = classifier(solver=dia.optim.AdamW(0.01, weight_decay=1.0), alpha=0.0, max_iter=60).fit(X, Y)
    free = classifier(learning_rate_init=0.01, alpha=0.0, max_iter=60).fit(X, Y)
    assert np.linalg.norm(decayed.coefs_[0]) < np.linalg.norm(free.coefs_[0])


@pytest.mark.parametrize("number", [np.float32(0.01), np.float64(0.01), np.float16(0.01)])
def test_parameters_may_be_numbers_of_numpys(number):
    model = classifier(
        learning_rate_init=number, momentum=np.float32(0.5), beta_1=np.float32(0.5), max_iter=np.int32(2)
    )
    model.set_params(hidden_layer_sizes=np.array([3]), batch_size=np.int64(50), alpha=np.float32(0.1)).fit(X, Y)
    assert model.history_["learning_rate"] == pytest.approx([float(number)] * 2)
    model.set_params(solver="sgd").fit(X, Y)


# Types


@pytest.mark.parametrize(
    ("given", "dtype", "expected"),
    [
        ("float64", None, "float64"),
        ("float32", None, "float32"),
        ("float16", None, "float32"),
        ("uint8", None, "float32"),
        ("int64", None, "float32"),
        ("bool", None, "float32"),
        ("float64", "float32", "float32"),
        ("float32", np.float64, "float64"),
        ("int64", "float64", "float64"),
    ],
)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_computation_is_in_float64_for_float64_and_in_float32_for_the_rest_unless_said(given, dtype, expected, solver):
    x = (X - X.min() if given == "uint8" else X).astype(given)
    for model, y in ((classifier(solver=solver, dtype=dtype), Y), (regressor(solver=solver, dtype=dtype), YR)):
        model.fit(x, y)
        assert {a.dtype.name for a in model.coefs_ + model.intercepts_} == {expected}
        assert model.network_.dtype == expected
    assert model.predict(x).dtype == expected


def test_bytes_give_the_same_bits_as_the_same_numbers_in_float32():
    x = np.random.default_rng(0).integers(0, 256, (N, 6), dtype=np.uint8)
    bytes_, floats = (classifier().fit(data, Y) for data in (x, x.astype("float32")))
    assert_equal_weights(bytes_, floats)
    np.testing.assert_array_equal(bytes_.predict_proba(x), floats.predict_proba(x.astype("float32")))


@pytest.mark.parametrize("dtype", ["float16", "int64", "no such thing", 3])
def test_other_types_of_computation_are_refused(dtype):
    with pytest.raises(ValueError, match=r"dtype must be float32, float64 or None"):
        classifier(dtype=dtype).fit(X, Y)


# The graph behind


def test_engines_are_known_by_name_and_an_unknown_one_refused_with_the_names_there_are():
    assert_equal_weights(classifier(engine="reference").fit(X, Y), classifier().fit(X, Y), rtol=1e-12)
    with pytest.raises(ValueError, match=r"'warp'.*reference"):
        classifier(engine="warp").fit(X, Y)


@pytest.mark.parametrize("target", [Y, Y2, LABELS], ids=["several classes", "two classes", "labels"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_network_and_state_give_what_the_decision_function_gives(target, dtype):
    model = classifier(dtype=dtype, dropout=0.1).fit(X, target)
    raw = model.network_.predict(model.state_, X.astype(dtype))
    np.testing.assert_array_equal(raw.reshape(model.decision_function(X).shape), model.decision_function(X))
    values = [model.state_[p] for p in model.network_.parameters]
    for value, expected in zip(values[0::2], model.coefs_, strict=True):
        np.testing.assert_array_equal(value, expected)


def test_decision_function_probabilities_and_classes_agree():
    two = classifier().fit(X2, Y2)
    np.testing.assert_allclose(two.predict_proba(X2)[:, 1], 1 / (1 + np.exp(-two.decision_function(X2))), rtol=1e-10)
    several = classifier().fit(X, Y)
    exponentials = np.exp(several.decision_function(X))
    np.testing.assert_allclose(several.predict_proba(X), exponentials / exponentials.sum(1, keepdims=True), rtol=1e-10)


def test_a_fitted_network_can_be_saved_and_read_back(tmp_path):
    for model, target in ((classifier(dropout=0.2), Y), (regressor(dtype="float32"), YR)):
        model.fit(X, target)
        network, state = dia.load(dia.save(tmp_path / "model.safetensors", model.network_, model.state_))
        x = X.astype(network.dtype)
        np.testing.assert_array_equal(network.predict(state, x), model.network_.predict(model.state_, x))


def test_the_gradient_of_an_output_by_the_inputs_can_be_taken():
    model = regressor(activation="tanh").fit(XR, YR)
    network = model.network_
    [slope] = dia.gradient(dia.sum(network.output), [network.input])
    found, _ = dia.Program(slope).run(model.state_, {network.input: XR[:3]})
    step = 1e-6 * np.eye(6)
    expected = [[(model.predict([x + s])[0] - model.predict([x - s])[0]) / 2e-6 for s in step] for x in XR[:3]]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_history_has_a_record_an_epoch():
    model = classifier(max_iter=5).fit(X, Y)
    assert len(model.history_) == model.n_iter_ == 5
    assert model.history_["loss"] == model.loss_curve_
    assert model.history_["epoch"] == [1, 2, 3, 4, 5]
    assert model.history_.stopped == "epochs"
    stopped = classifier(max_iter=300, tol=0.5, n_iter_no_change=2).fit(X, Y)
    assert "loss did not improve" in stopped.history_.stopped


@pytest.mark.parametrize("name", ["network_", "state_", "history_"])
def test_before_a_fit_there_is_no_graph_to_look_into(name):
    assert not hasattr(classifier(), name)


@pytest.mark.parametrize("activation", ["gelu", "elu", "softplus", "silu", "leaky_relu", dia.tanh])
def test_any_activation_of_the_library_and_any_function_of_a_node_may_be_used(activation):
    model = classifier(activation=activation, learning_rate_init=0.02, max_iter=40).fit(X, Y)
    assert model.loss_ < 0.8 * model.loss_curve_[0]


def test_a_function_of_a_node_is_the_activation_it_computes():
    assert_equal_weights(classifier(activation=dia.tanh).fit(X, Y), classifier(activation="tanh").fit(X, Y))


def test_a_fit_by_lbfgs_can_be_gone_on_with_by_adam():
    model = classifier(solver="lbfgs", warm_start=True).fit(X, Y)
    start = log_loss(Y, model.predict_proba(X))
    model.set_params(solver="adam", max_iter=30).fit(X, Y)
    assert model.loss_ < start
    model.set_params(early_stopping=True).fit(X, Y)
    model.set_params(early_stopping=False).partial_fit(X, Y)
    assert len(model.loss_curve_) > model.n_iter_
