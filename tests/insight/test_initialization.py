"""The variances of first weights are what the derivations promise, and another scheme fails the same test."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

import diaphane as dia
from diaphane.insight import initialization
from diaphane.nn import Dense, Network, Sequential

DRAWS = 6


def network(widths, activation=None, inputs=None):
    layers = [Dense(w, activation) for w in widths[:-1]]
    return Network(Sequential([*layers, Dense(widths[-1])]), (inputs or widths[0],), dtype="float64")


def rows(n, width, scale=1.0):
    return scale * np.random.default_rng(7).standard_normal((n, width))


def is_kept(ratio, depth, width, fourth=2.0):
    """Whether log ratio is within four standard deviations of 0.

    A layer multiplies a row's squared norm by a mean of ``width`` terms of relative variance ``fourth``: 2 for the
    square of a normal, 5 where a rectifier halves it (E[a⁴]/2 over (E[a²]/2)², less 1).
    """
    return abs(math.log(ratio)) <= 4 * math.sqrt(fourth * depth / (width * DRAWS))


@pytest.mark.parametrize("depth", [10, 20])
@pytest.mark.parametrize(("activation", "scale"), [(None, 1.0), ("tanh", 0.01)])
def test_lecun_normal_keeps_the_variance_of_preactivations_at_the_mean_square_of_the_input(depth, activation, scale):
    net = network([300] * depth + [1], activation)
    x = rows(40, 300, scale) + scale
    study = initialization(net, x, schemes=["lecun_normal", "he_normal"], n_draws=DRAWS)
    assert study.input_mean_square == pytest.approx(np.mean(x**2))
    a = [layer.preactivation for layer in study.of("lecun_normal")]
    for i in range(depth):
        # The rows have a mean that is not 0, and so have units over the rows: over the draws they have not.
        assert is_kept(a[i] / study.input_mean_square, i + 1, 300), i
    if activation is None:
        twice = [layer.preactivation for layer in study.of("he_normal")]
        assert not is_kept(twice[depth - 1] / study.input_mean_square, depth, 300)


@pytest.mark.parametrize("scheme", ["glorot_uniform", "glorot_normal"])
def test_glorot_is_the_compromise_of_forward_and_backward_whatever_the_widths(scheme):
    widths = [100, 300, 150, 400, 100, 200, 350, 120, 250, 180, 300]
    net = network(widths[1:], inputs=100)
    study = initialization(net, rows(200, 100), schemes=[scheme, "lecun_normal"], n_draws=DRAWS)
    pairs = list(itertools.pairwise(widths))
    forward = np.cumprod([2 * d_in / (d_in + d_out) for d_in, d_out in pairs])
    backward = np.cumprod([2 * d_out / (d_in + d_out) for d_in, d_out in reversed(pairs[1:])])[::-1]

    def misses(name):
        found = study.of(name)
        ahead = [f.preactivation / (study.input_mean_square * want) for f, want in zip(found, forward, strict=True)]
        back = [f.signal / (found[-1].signal * want) for f, want in zip(found, backward, strict=False)]
        return [not is_kept(r, len(widths), 100) for r in (*ahead, *back)]

    assert not any(misses(scheme))
    assert any(misses("lecun_normal"))


@pytest.mark.parametrize("depth", [10, 20])
@pytest.mark.parametrize("scheme", ["he_normal", "he_uniform"])
def test_he_keeps_the_mean_square_of_rectified_units_and_the_gradient_and_lecun_halves_both(depth, scheme):
    net = network([300] * depth + [10], "relu")
    study = initialization(net, rows(60, 300), schemes=[scheme, "lecun_normal"], n_draws=DRAWS)

    def ratios(name):
        found = study.of(name)
        return found[depth - 1].mean_square / found[0].mean_square, study.backward(name), study.forward(name)

    assert all(is_kept(r, depth - 1, 300, 5.0) for r in ratios(scheme))
    assert not any(is_kept(r, depth - 1, 300, 5.0) for r in ratios("lecun_normal"))
    assert all(is_kept(r * 2 ** (depth - 1), depth - 1, 300, 5.0) for r in ratios("lecun_normal"))


def test_every_variance_is_pytorchs():
    net = network([7, 5, 3], "tanh", inputs=4)
    x, y = rows(30, 4), np.random.default_rng(1).integers(0, 3, 30)
    study = initialization(
        net, x, y, [dia.insight.initial_variance.AS_BUILT], loss="categorical_cross_entropy", n_draws=1
    )
    rng = np.random.default_rng(0)
    state = net.initial_state(rng)
    values = [torch.tensor(state[p], requires_grad=True) for p in net.parameters]
    h, a, inputs = torch.tensor(x), [], []
    for i in range(3):
        a.append(h @ values[2 * i] + values[2 * i + 1])
        a[-1].retain_grad()
        h = torch.tanh(a[-1]) if i < 2 else a[-1]
        inputs.append(h)
    torch.nn.functional.cross_entropy(h, torch.tensor(y)).backward()
    with torch.no_grad():
        for i, layer in enumerate(study.layers):
            assert layer.preactivation == pytest.approx(float(a[i].var(correction=0)))
            assert layer.activation == pytest.approx(float(inputs[i].var(correction=0)))
            assert layer.mean_square == pytest.approx(float((inputs[i] ** 2).mean()))
            assert layer.signal == pytest.approx(float(((30 * a[i].grad) ** 2).mean()))
            assert layer.gradient == pytest.approx(float(values[2 * i].grad.var(correction=0)))


def test_all_schemes_are_studied_by_default_and_the_same_seed_gives_the_same_bits():
    net = network([6, 2], "relu", inputs=3)
    first, second = (initialization(net, rows(10, 3), n_draws=1, random_state=4) for _ in range(2))
    assert first == second
    assert first != initialization(net, rows(10, 3), n_draws=1, random_state=5)
    assert {"as built", "lecun_normal", "glorot_uniform", "he_normal", "orthogonal"} <= set(first.schemes)
    assert "zeros" not in first.schemes
    assert len(str(first).splitlines()) == 1 + len(first.layers) == 1 + len(first.rows())


def test_a_function_of_nodes_and_a_scheme_of_ones_own_are_studied():
    w, v = dia.variable(np.ones((4, 50)), "w"), dia.variable(np.ones((50, 1)), "v")
    net = Network(lambda x: dia.tanh(x @ w) @ v, (4,), dtype="float64")
    study = initialization(net, rows(500, 4), schemes={"mine": dia.nn.LecunNormal(), "as built": "as built"})
    assert [layer.layer for layer in study.of("mine")] == ["w", "v"]
    # All units of the net as built are one: a = Σx, of variance 4.
    assert study.of("as built")[0].preactivation == pytest.approx(rows(500, 4).sum(1).var())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"schemes": ["he_norml"]}, "Did you mean 'he_normal'"),
        ({"schemes": []}, "schemes is empty"),
        ({"schemes": "he_normal"}, "list of names"),
        ({"y": np.zeros(5)}, "y and loss go together"),
        ({"n_draws": 0}, "n_draws"),
    ],
)
def test_what_cannot_be_studied_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        initialization(network([3, 1], inputs=2), rows(5, 2), **settings)
    with pytest.raises(TypeError, match="network_"):
        initialization(object(), rows(5, 2))
    with pytest.raises(ValueError, match="there is no 'he_normal' here"):
        initialization(network([3, 1], inputs=2), rows(5, 2), schemes=["as built"]).of("he_normal")
