"""Formal neurons, by hand and learnt, and what a hidden layer makes of XOR."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Perceptron
from sklearn.neural_network import MLPClassifier as TheirMLPClassifier

from diaphane.estimators import (
    FormalNetwork,
    FormalNeuron,
    MLPClassifier,
    find_neuron,
    hidden_representation,
    hidden_space,
    learn_xor,
    xor_network,
)
from diaphane.insight.theory import GATES

X = np.array(list(product((0, 1), repeat=2)))
Y = np.array([0, 1, 1, 0])


@pytest.mark.parametrize("n_inputs", [1, 2, 3, 5])
@pytest.mark.parametrize(
    ("name", "function"),
    [("and", all), ("or", any), ("nand", lambda x: not all(x)), ("nor", lambda x: not any(x))],
)
def test_gates_by_name_are_pythons(name, function, n_inputs):
    neuron = FormalNeuron.gate(name, n_inputs)
    for row in product((0, 1), repeat=n_inputs):
        assert neuron(row) == int(function(row))


def test_not_is_not():
    assert [FormalNeuron.gate("NOT")([bit]) for bit in (0, 1)] == [1, 0]


@pytest.mark.parametrize("name", [name for name in GATES if name not in ("XOR", "XNOR")])
def test_every_possible_gate_has_a_neuron_with_its_truth_table(name):
    neuron = FormalNeuron.gate(name)
    assert neuron.truth_table().outputs == GATES[name]
    assert tuple(neuron(X)) == GATES[name]


@pytest.mark.parametrize("name", ["xor", "XNOR"])
def test_impossible_gates_are_refused_with_the_proof(name):
    with pytest.raises(ValueError, match=r"no formal neuron computes X.*\n(.*\n)*.*0 > 0"):
        FormalNeuron.gate(name)


def test_a_neuron_fires_at_its_threshold():
    neuron = FormalNeuron((0.5, -1.0), 0.5)
    assert neuron([1, 0]) == 1
    assert neuron([1, 1]) == 0
    assert neuron(np.zeros((4, 3, 2))).shape == (4, 3)


def test_a_truth_table_is_printed_row_by_row():
    assert str(FormalNeuron.gate("and").truth_table()).splitlines() == [
        "x₁ x₂ │ y",
        "0  0  │ 0",
        "0  1  │ 0",
        "1  0  │ 0",
        "1  1  │ 1",
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FormalNeuron((), 1), "weights are"),
        (lambda: FormalNeuron((1, np.nan), 1), "expected a sequence of finite numbers"),
        (lambda: FormalNeuron((1,), np.inf), "threshold is"),
        (lambda: FormalNeuron.gate("maybe"), "there is no gate 'maybe'; there are NOT"),
        (lambda: FormalNeuron.gate("not", 2), "NOT takes one input"),
        (lambda: FormalNeuron.gate("and", 0), "n_inputs is 0"),
        (lambda: FormalNeuron.gate("x₁", 3), "function of 2 inputs"),
        (lambda: FormalNeuron((1, 1), 1)([0, 2]), "inputs of 0 and 1"),
        (lambda: FormalNeuron((1, 1), 1)([0.5, 1]), "inputs of 0 and 1"),
        (lambda: FormalNeuron((1, 1), 1)([1, 1, 1]), r"shape \(3,\); expected 2"),
        (lambda: FormalNeuron((1,) * 20, 1).truth_table(), "2\\^20 rows"),
        (lambda: find_neuron([0, 1, 2, 3]), "truth table"),
        (lambda: FormalNetwork(()), "at least one layer"),
        (lambda: FormalNetwork(((FormalNeuron((1,), 1),) * 2,)), "one in the last"),
        (
            lambda: FormalNetwork(((FormalNeuron((1,), 1),), (FormalNeuron((1, 1), 1),))),
            "neuron of layer 2 has 2 weights; expected 1",
        ),
    ],
)
def test_neurons_that_cannot_be_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_hand_set_network_computes_xor():
    network = xor_network()
    assert tuple(network(X)) == (0, 1, 1, 0)
    assert [network(row) for row in X] == [0, 1, 1, 0]
    assert network.truth_table().outputs == GATES["XOR"]
    assert network.hidden(X).tolist() == [[0, 0], [1, 0], [1, 0], [1, 1]]


def test_drawings_are_svg_with_every_weight_and_threshold():
    for drawing, circles in ((xor_network().draw("XOR"), 5), (FormalNeuron((0.25, -3), 1.5, "unit").draw(), 3)):
        root = ElementTree.fromstring(drawing.svg)
        assert sum(node.tag.endswith("circle") for node in root.iter()) == circles
    texts = [node.text for node in root.iter() if node.tag.endswith("}text")]
    assert {"0.25", "−3", "≥ 1.5", "unit", "x₁", "x₂"} <= set(texts)


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_a_network_of_two_hidden_units_learns_xor(seed):
    network = learn_xor(seed)
    assert network.hidden_layer_sizes == (2,)
    assert network.random_state >= seed
    assert tuple(network.predict(X)) == (0, 1, 1, 0)
    np.testing.assert_array_equal(network.predict(X), learn_xor(seed).predict(X))
    np.testing.assert_array_equal(network.coefs_[0], learn_xor(seed).coefs_[0])


@pytest.mark.parametrize("model", [xor_network(), learn_xor()], ids=["hand-set", "learnt"])
def test_xor_is_separable_in_the_hidden_space_and_not_before(model):
    space = hidden_space(model, X, Y, max_mistakes=10_000)
    witness, signs = space.before.witness, np.where(Y == 1, 1, -1)
    assert not space.before.separable
    np.testing.assert_allclose(
        witness.multipliers * signs[witness.examples] @ np.eye(4)[witness.examples] @ X, 0, atol=1e-12
    )
    assert space.after.separable
    assert space.after.converged
    assert space.after.mistakes <= space.after.bound
    # The perceptron of another library draws the same conclusion.
    theirs = Perceptron(max_iter=10_000, tol=None, shuffle=False)
    assert theirs.fit(space.hidden, Y).score(space.hidden, Y) == 1.0
    assert Perceptron(max_iter=1000, tol=None).fit(X, Y).score(X, Y) < 1.0
    assert "not separable" in str(space)


def test_hidden_values_are_those_that_the_output_layer_takes():
    random = np.random.default_rng(0)
    rows = random.normal(size=(20, 3))
    labels = random.permutation(20) % 2
    for kind in (MLPClassifier, TheirMLPClassifier):
        model = kind((5, 4), activation="tanh", solver="lbfgs", max_iter=2000, random_state=0).fit(rows, labels)
        hidden = hidden_representation(model, rows)
        raw = (hidden @ model.coefs_[-1] + model.intercepts_[-1]).ravel()
        np.testing.assert_allclose(1 / (1 + np.exp(-raw)), model.predict_proba(rows)[:, 1], atol=1e-12)


def test_a_model_without_hidden_layers_is_refused():
    with pytest.raises(TypeError, match="Perceptron has no hidden layer"):
        hidden_representation(Perceptron(), X)


@pytest.mark.parametrize("seed", [-1, 0.5, None])
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises(ValueError, match="random_state is"):
        learn_xor(seed)


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(1, 6))
def test_a_neuron_fires_where_the_exact_sum_of_its_weights_reaches_the_threshold(data, n):
    numbers = st.sampled_from([0.1, 0.2, 0.3, -0.1, 0.7, 1.0, 1e16, -1e16, 5e-324, 1.7e308, -1.7e308])
    weights = data.draw(st.lists(numbers, min_size=n, max_size=n))
    threshold = data.draw(numbers | st.just(0.0) | st.just(sum(weights[:-1]) if abs(sum(weights)) < 1e300 else 0.0))
    neuron = FormalNeuron(weights, threshold)
    table = neuron.truth_table()
    for bits, fired in zip(table.rows.tolist(), table.outputs, strict=True):
        exact = sum((Fraction(w) for w, bit in zip(weights, bits, strict=True) if bit), Fraction(0))
        assert neuron(bits) == fired == (exact >= Fraction(threshold))


def test_ten_tenths_reach_1():
    assert FormalNeuron((0.1,) * 10, 1.0)([1] * 10) == 1
    assert Fraction(0.7) + Fraction(0.1) < Fraction(0.8)
    assert FormalNeuron((0.7, 0.1), 0.8)([1, 1]) == 0
