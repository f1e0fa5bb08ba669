"""What a trainer takes, and what it says of what it does not take."""

import numpy as np
import pytest
from scipy import sparse

from diaphane import nn
from diaphane.training import Trainer

X = np.random.default_rng(0).normal(size=(12, 3)) * (np.random.default_rng(1).random((12, 3)) > 0.4)
Y = np.arange(12.0)
NETWORK = nn.Network(nn.Sequential([nn.Dense(4, "tanh"), nn.Dense(1)]), (3,), dtype="float64")


def loss(outputs, y):
    return nn.losses.squared_error(outputs[:, 0], y)


def trainer(**settings):
    return Trainer(NETWORK, loss, **{"epochs": 3, "batch_size": 5, "random_state": 0, **settings})


def frame(library, array):
    pandas = pytest.importorskip(library)
    columns = {f"column {k}": array[:, k] for k in range(array.shape[1])}
    return pandas.DataFrame(columns)


def series(library, array):
    return pytest.importorskip(library).Series(array)


FORMS = {
    "lists": (lambda: X.tolist(), lambda: Y.tolist()),
    "pandas": (lambda: frame("pandas", X), lambda: series("pandas", Y)),
    "polars": (lambda: frame("polars", X), lambda: series("polars", Y)),
    "csr": (lambda: sparse.csr_matrix(X), lambda: Y),
    "csc": (lambda: sparse.csc_array(X), lambda: Y),
    "coo": (lambda: sparse.coo_matrix(X), lambda: Y),
}


@pytest.mark.parametrize("form", FORMS)
def test_frames_lists_and_sparse_matrices_give_the_bits_of_the_array(form):
    x, y = (make() for make in FORMS[form])
    want = trainer().fit(X, Y, validation_data=(X, Y))
    got = trainer().fit(x, y, validation_data=[x, y])
    for node in NETWORK.parameters:
        np.testing.assert_array_equal(got.state[node], want.state[node])
    assert got.history["validation_loss"] == want.history["validation_loss"]
    assert trainer().evaluate(want.state, x, y) == trainer().evaluate(want.state, X, Y)


def test_a_frame_with_its_rows_in_another_order_is_taken_as_it_lies():
    pandas = pytest.importorskip("pandas")
    shuffled = pandas.DataFrame(X, index=np.arange(12)[::-1])
    got, want = trainer().fit(shuffled, pandas.Series(Y, index=shuffled.index)), trainer().fit(X, Y)
    for node in NETWORK.parameters:
        np.testing.assert_array_equal(got.state[node], want.state[node])


SETTINGS = {
    "batch_size=0.5": ({"batch_size": 0.5}, TypeError, r"batch_size must be a whole number of at least 1, got 0\.5"),
    "batch_size='auto'": ({"batch_size": "auto"}, TypeError, "batch_size must be a whole number .* got 'auto'"),
    "batch_size=True": ({"batch_size": True}, TypeError, "batch_size must be a whole number .* got True"),
    "batch_size=0": ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
    "epochs=2.0": ({"epochs": 2.0}, TypeError, r"epochs must be a whole number of at least 0, got 2\.0"),
    "epochs=-1": ({"epochs": -1}, ValueError, "epochs must be at least 0, got -1"),
    "metrics as a list": ({"metrics": [max]}, TypeError, "metrics must map names to functions, such as .*accuracy"),
    "metrics by name": ({"metrics": "accuracy"}, TypeError, "metrics must map names to functions.*got 'accuracy'"),
    "a metric's name": ({"metrics": {"f1": "f1"}}, TypeError, "metrics must map names to functions.*'f1'"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_that_are_clearly_wrong_are_named_with_what_is_wanted(case):
    settings, error, message = SETTINGS[case]
    with pytest.raises(error, match=message):
        trainer(**settings)


def test_numpys_whole_numbers_are_whole_numbers():
    assert len(trainer(batch_size=np.int64(4), epochs=np.uint8(2)).fit(X, Y).history) == 2


def test_a_layer_is_no_network():
    with pytest.raises(TypeError, match=r"network must be a Network, got Dense; Network\(layers, input_shape\)"):
        Trainer(nn.Dense(3), "squared_error")


WORDS = np.array([["a", "b", "c"]] * 12)
DATA = {
    "validation_data=X": ({"validation_data": X}, TypeError, r"must be \(x, y\) .* got ndarray of shape \(12, 3\)"),
    "one in a tuple": ({"validation_data": (X,)}, TypeError, r"must be \(x, y\) or \(x, y, sample_weight\), got"),
    "a number": ({"validation_data": 0.2}, TypeError, r"validation_data must be \(x, y\) .* got 0\.2"),
    "other rows": ({"validation_data": (X, Y[:5])}, ValueError, "differ in their number of rows: x has 12, y has 5"),
    "words as x": ({"x": WORDS}, TypeError, "x must be numbers, got a ndarray of dtype <U1; diaphane.data.Column"),
    "words as y": ({"y": WORDS[:, 0]}, TypeError, "y must be numbers, got dtype <U1; give classes as whole numbers"),
}


@pytest.mark.parametrize("case", DATA)
def test_data_that_are_clearly_wrong_are_named_before_anything_is_learnt(case):
    given, error, message = DATA[case]
    with pytest.raises(error, match=message):
        trainer().fit(**{"x": X, "y": Y, **given})


def test_a_frame_with_words_says_what_makes_numbers_of_them():
    mixed = frame("pandas", X).assign(place=list("abcdefghijkl"))
    with pytest.raises(TypeError, match=r"x must be numbers, got a DataFrame of dtype object; .*ColumnEncoder"):
        trainer().fit(mixed, Y)
