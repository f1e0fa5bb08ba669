"""Every activation by name against torch.nn.functional, in value and derivative."""

import numpy as np
import pytest

import diaphane as dia
from diaphane import nn

X = np.concatenate([np.linspace(-6, 6, 49), [-1000.0, -50.0, 50.0, 1000.0, 1e-8, -1e-8]]).reshape(5, 11)

TORCH = {
    "identity": lambda t, f, a: a * 1,
    "relu": lambda t, f, a: f.relu(a),
    "tanh": lambda t, f, a: t.tanh(a),
    "sigmoid": lambda t, f, a: t.sigmoid(a),
    "logistic": lambda t, f, a: t.sigmoid(a),
    "softplus": lambda t, f, a: f.softplus(a, threshold=1e9).where(a < 500, a),
    "leaky_relu": lambda t, f, a: f.leaky_relu(a, 0.01),
    "elu": lambda t, f, a: f.elu(a),
    "selu": lambda t, f, a: f.selu(a),
    "gelu": lambda t, f, a: f.gelu(a),
    "silu": lambda t, f, a: f.silu(a),
    "exp": lambda t, f, a: t.exp(a),
    "erf": lambda t, f, a: t.erf(a),
    "softmax": lambda t, f, a: f.softmax(a, -1),
    "log_softmax": lambda t, f, a: f.log_softmax(a, -1),
}


def test_every_activation_has_an_oracle():
    assert set(TORCH) == set(nn.ACTIVATIONS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", TORCH)
def test_value_and_gradient_are_torchs(name, dtype):
    torch = pytest.importorskip("torch")
    values = X[:, :7] if name in ("exp", "softplus") else X
    values = np.clip(values, -80, 80) if name in ("exp", "softplus") else values
    upstream = np.random.default_rng(0).normal(size=values.shape).astype(dtype)
    tensor = torch.tensor(values, dtype=getattr(torch, dtype), requires_grad=True)
    want = TORCH[name](torch, torch.nn.functional, tensor)
    want.backward(torch.tensor(upstream))
    a = dia.variable(values.astype(dtype), "a")
    out = nn.find_activation(name)(a)
    [slope] = dia.gradient(dia.sum(out * dia.constant(upstream)), [a])
    tolerance = {"float32": {"rtol": 2e-5, "atol": 2e-6}, "float64": {"rtol": 1e-11, "atol": 1e-13}}[dtype]
    assert out.dtype == slope.dtype == np.dtype(dtype)
    np.testing.assert_allclose(out.value, want.detach().numpy(), **tolerance)
    np.testing.assert_allclose(slope.value, tensor.grad.numpy(), **tolerance)


@pytest.mark.parametrize("name", sorted(set(TORCH) - {"exp"}))
def test_value_and_gradient_are_finite_where_the_input_is_very_large(name):
    a = dia.variable(np.array([[-1e300, -1000.0, 0.0, 1000.0, 1e300]]), "a")
    out = nn.find_activation(name)(a)
    assert np.isfinite(out.value).all()
    assert np.isfinite(dia.gradient(dia.sum(out), [a])[0].value).all()


def test_tanh_is_two_sigmoids_of_twice_the_input_minus_one():
    x = dia.constant(np.linspace(-5, 5, 31))
    np.testing.assert_allclose(dia.tanh(x).value, (2 * dia.sigmoid(2 * x) - 1).value, atol=1e-15)


def test_the_rectifiers_slope_at_zero_is_zero():
    a = dia.variable(0.0, "a")
    assert dia.gradient(nn.find_activation("relu")(a), [a])[0].value == 0


def test_softmax_sums_to_one_over_the_last_axis():
    a = dia.constant(np.random.default_rng(0).normal(0, 50, (4, 5, 6)))
    np.testing.assert_allclose(nn.find_activation("softmax")(a).value.sum(-1), 1, rtol=1e-14)


def test_softmax_of_two_is_the_sigmoid_of_the_difference():
    a = dia.constant(np.random.default_rng(0).normal(0, 5, (20, 2)))
    np.testing.assert_allclose(dia.softmax(a).value[:, 1], dia.sigmoid(a[:, 1] - a[:, 0]).value, rtol=1e-13)


def test_none_is_the_identity_and_a_function_is_itself():
    a = dia.constant([1.0, -2.0])
    assert nn.find_activation(None)(a) is a
    assert nn.find_activation(dia.tanh) is dia.tanh


def test_an_unknown_activation_lists_those_there_are():
    for wrong in (lambda: nn.find_activation("rellu"), lambda: nn.Dense(3, "rellu"), lambda: nn.Activation("rellu")):
        with pytest.raises(ValueError, match="rellu") as error:
            wrong()
        assert all(name in str(error.value) for name in nn.ACTIVATIONS)


def test_a_registered_function_has_a_name_and_is_saved(monkeypatch):
    def bent(a):
        return (dia.sqrt(a * a + 1) - 1) / 2 + a

    monkeypatch.setattr("diaphane.nn.activations.ACTIVATIONS", dict(nn.ACTIVATIONS))
    nn.register_activation("bent", bent)
    layer = nn.Layer.from_json(nn.Dense(2, "bent").to_json())
    assert layer == nn.Dense(2, "bent")
    network = nn.Network(layer, (3,), dtype="float64")
    state = network.initial_state(np.random.default_rng(0))
    a = np.ones((1, 3)) @ state[network.variable("dense_1/kernel")]
    np.testing.assert_allclose(network.predict(state, np.ones((1, 3))), (np.sqrt(a * a + 1) - 1) / 2 + a)
    nn.register_activation("bent", bent)
    with pytest.raises(ValueError, match="bent"):
        nn.register_activation("bent", dia.tanh)
