"""Weights that scikit-learn or PyTorch trained."""

import itertools

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor

from diaphane.estimators import MLPClassifier, MLPRegressor, from_sklearn, from_torch

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, TWO = make_classification(90, 6, random_state=0)
FOUR = make_classification(90, 6, n_informative=5, n_redundant=0, n_classes=4, random_state=0)[1]
LABELS = make_multilabel_classification(90, 6, n_classes=3, random_state=0)[1]
NUMBER = make_regression(90, 6, random_state=0)[1]
NUMBERS = make_regression(90, 6, n_targets=2, random_state=0)[1]
SETTINGS = {"hidden_layer_sizes": (7, 4), "max_iter": 5, "random_state": 0}
TARGETS = {
    "two classes": (TheirClassifier, TWO),
    "four classes": (TheirClassifier, FOUR),
    "strings": (TheirClassifier, np.array(["été", "où"])[TWO]),
    "labels": (TheirClassifier, LABELS),
    "one number": (TheirRegressor, NUMBER),
    "two numbers": (TheirRegressor, NUMBERS),
}


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("target", TARGETS)
def test_a_fitted_estimator_of_scikit_learns_predicts_the_same_as_ours(target, solver):
    kind, y = TARGETS[target]
    theirs = kind(solver=solver, activation="tanh", **SETTINGS).fit(X, y)
    ours = from_sklearn(theirs)
    assert type(ours) is (MLPClassifier if kind is TheirClassifier else MLPRegressor)
    assert {name: ours.get_params()[name] for name in theirs.get_params()} == theirs.get_params()
    if kind is TheirClassifier:
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
        for method in ("predict_proba", "predict_log_proba"):
            np.testing.assert_allclose(getattr(ours, method)(X), getattr(theirs, method)(X), rtol=1e-9)
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    else:
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-9)
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y))
    assert ours.loss_ == theirs.loss_


@pytest.mark.parametrize("target", TARGETS)
def test_what_came_from_scikit_learn_can_be_fitted_on(target):
    kind, y = TARGETS[target]
    theirs = kind(**SETTINGS, learning_rate_init=0.01).fit(X, y)
    ours = from_sklearn(theirs)
    epochs = len(theirs.loss_curve_)
    for _ in range(10):
        ours.partial_fit(X, y)
    # The optimizer begins anew, so these are not scikit-learn's next numbers; but it goes on from the weights.
    assert len(ours.loss_curve_) == epochs + 10
    scale = 2 if target == "two numbers" else 1
    assert ours.loss_curve_[-1] < scale * theirs.loss_curve_[-1]
    assert ours.t_ == theirs.t_ + 10 * len(X)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_warm_start_from_scikit_learns_weights_gives_scikit_learns_next_fit(solver):
    theirs = TheirClassifier(solver=solver, warm_start=True, **SETTINGS).fit(X, FOUR)
    ours = from_sklearn(theirs)
    for model in (theirs, ours):
        model.fit(X, FOUR)
    for a, b in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_)


def test_the_original_is_left_as_it_was():
    theirs = TheirClassifier(**SETTINGS).fit(X, TWO)
    weights, curve = [c.copy() for c in theirs.coefs_], list(theirs.loss_curve_)
    from_sklearn(theirs).partial_fit(X, TWO).coefs_[0][:] = 0
    assert theirs.loss_curve_ == curve
    for a, b in zip(theirs.coefs_, weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_names_of_columns_come_along():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=list("abcdef"))
    ours = from_sklearn(TheirClassifier(**SETTINGS).fit(table, TWO))
    assert list(ours.feature_names_in_) == list("abcdef")
    with pytest.raises(ValueError, match="feature names"):
        ours.predict(table[list("fedcba")])


def test_early_stoppings_scores_come_along():
    theirs = TheirRegressor(early_stopping=True, **SETTINGS).fit(X, NUMBER)
    ours = from_sklearn(theirs)
    assert ours.validation_scores_ == theirs.validation_scores_
    assert ours.best_validation_score_ == theirs.best_validation_score_


@pytest.mark.parametrize("given", [TheirClassifier(), clone(TheirRegressor()), object(), None, {"coefs_": []}])
def test_what_is_no_fitted_mlp_is_refused(given):
    with pytest.raises(TypeError, match=r"a fitted MLPClassifier or MLPRegressor of scikit-learn"):
        from_sklearn(given)


# PyTorch


def sequential(torch, sizes, activation, dtype, bias=True):
    torch.manual_seed(0)
    layers = []
    for i, (d_in, d_out) in enumerate(itertools.pairwise(sizes)):
        layers += [activation()] if i else []
        layers.append(torch.nn.Linear(d_in, d_out, bias=bias))
    return torch.nn.Sequential(*layers).to(getattr(torch, dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("module", "activation"), [("ReLU", "relu"), ("Tanh", "tanh"), ("Sigmoid", "logistic")])
@pytest.mark.parametrize("sizes", [(6, 1), (6, 5, 1), (6, 8, 5, 2)])
@pytest.mark.parametrize("bias", [True, False])
def test_a_sequential_of_pytorchs_gives_the_same_numbers(sizes, module, activation, dtype, bias):
    torch = pytest.importorskip("torch")
    theirs = sequential(torch, sizes, getattr(torch.nn, module), dtype, bias)
    ours = from_torch(theirs.state_dict(), activation=activation)
    x = X.astype(dtype)
    expected = theirs(torch.from_numpy(x)).detach().numpy()
    found = ours.predict(x)
    assert found.dtype == dtype
    np.testing.assert_allclose(
        found.reshape(expected.shape), expected, rtol=1e-12 if dtype == "float64" else 1e-4, atol=1e-6
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sequential_with_one_logit_is_a_classifier_of_two_classes(dtype):
    torch = pytest.importorskip("torch")
    theirs = sequential(torch, (6, 5, 1), torch.nn.Tanh, dtype)
    ours = from_torch(theirs.state_dict(), activation="tanh", classes=["non", "oui"])
    yes = torch.sigmoid(theirs(torch.from_numpy(X.astype(dtype)))).detach().numpy().ravel()
    np.testing.assert_allclose(ours.predict_proba(X)[:, 1], yes, rtol=1e-5)
    np.testing.assert_array_equal(ours.predict(X), np.where(yes > 0.5, "oui", "non"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sequential_with_several_logits_is_a_classifier_of_as_many_classes(dtype):
    torch = pytest.importorskip("torch")
    theirs = sequential(torch, (6, 5, 4), torch.nn.ReLU, dtype)
    ours = from_torch(theirs.state_dict(), classes=[1, 3, 5, 7])
    expected = torch.softmax(theirs(torch.from_numpy(X.astype(dtype))), 1).detach().numpy()
    np.testing.assert_allclose(ours.predict_proba(X), expected, rtol=1e-4)
    np.testing.assert_array_equal(ours.predict(X), np.array([1, 3, 5, 7])[expected.argmax(1)])


def test_pytorchs_weights_are_copied_and_can_be_trained_on():
    torch = pytest.importorskip("torch")
    theirs = sequential(torch, (6, 5, 4), torch.nn.ReLU, "float32")
    before = theirs[0].weight.detach().numpy().copy()
    ours = from_torch(theirs.state_dict(), classes=[0, 1, 2, 3]).set_params(learning_rate_init=0.02)
    for _ in range(30):
        ours.partial_fit(X, FOUR)
    assert ours.loss_curve_[-1] < 0.9 * ours.loss_curve_[0]
    np.testing.assert_array_equal(theirs[0].weight.detach().numpy(), before)


W = np.ones((3, 2))
WRONG = {
    "empty": ({}, {}, "state dict of a Sequential"),
    "no weights": ({"alpha": np.ones(3)}, {}, r"alpha \(3,\)"),
    "a convolution": ({"0.weight": np.ones((3, 2, 5, 5))}, {}, r"0.weight \(3, 2, 5, 5\)"),
    "batch normalisation": ({"0.weight": W, "1.weight": np.ones(3), "1.bias": np.ones(3)}, {}, r"1.weight \(3,\)"),
    "a recurrent net": ({"rnn.weight_ih_l0": W}, {}, "weight_ih_l0"),
    "layers that do not fit": ({"0.weight": W, "2.weight": np.ones((1, 4))}, {}, "gives 3 outputs.*takes 4 inputs"),
    "a bias that does not fit": ({"0.weight": W, "0.bias": np.ones(5)}, {}, r"0.weight.*3 outputs.*\(5,\)"),
    "a bias alone": ({"0.weight": W, "1.bias": np.ones(3)}, {}, r"1.bias \(3,\)"),
    "too many outputs for two classes": ({"0.weight": W}, {"classes": [0, 1]}, "2 classes take 1 outputs.*has 3"),
    "too few classes": ({"0.weight": np.ones((4, 2))}, {"classes": [0, 1, 2]}, "3 classes take 3 outputs.*has 4"),
    "classes out of order": ({"0.weight": W}, {"classes": ["c", "a", "b"]}, "classes must be sorted"),
    "an unknown activation": ({"0.weight": W}, {"activation": "rlu"}, "no activation 'rlu'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_state_dict_of_something_else_is_refused_with_what_is_wanted(case):
    state_dict, options, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        from_torch(state_dict, **options)


def test_a_module_in_place_of_its_state_dict_is_refused_with_advice():
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match=r"model\.state_dict\(\)"):
        from_torch(torch.nn.Sequential(torch.nn.Linear(2, 1)))


def test_two_logits_for_two_classes_become_their_difference():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 2))
    x = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    want = net(torch.tensor(x)).softmax(1).detach().numpy()
    model = from_torch(net.state_dict(), activation="tanh", classes=["no", "yes"])
    np.testing.assert_allclose(model.predict_proba(x), want, rtol=1e-5, atol=1e-6)
