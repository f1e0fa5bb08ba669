"""Every layer's output and gradients against torch.nn; layers as data; layers of one's own."""

import dataclasses
import json

import numpy as np
import pytest

import diaphane as dia
from diaphane import nn

RNG = np.random.default_rng(11)


def network_of(*layers, shape, dtype="float64"):
    return nn.Network(nn.Sequential(layers), shape, dtype=dtype)


def output_and_gradients(network, state, x, upstream):
    """The training output, and dl/dx and dl/dp of l = Σ output·upstream, by parameter path."""
    out = network.forward(network.input, training=True).output
    factor = dia.placeholder(out.shape, out.dtype, "upstream")
    wanted = [network.input, *network.parameters]
    program = dia.Program([out, *dia.gradient(dia.sum(out * factor), wanted)])
    (value, *slopes), _ = program.run(state, {network.input: x, factor: upstream})
    return value, dict(zip(["x", *(p.name for p in network.parameters)], slopes, strict=True))


def in_torch(module, x, upstream):
    import torch

    tensor = torch.tensor(x, requires_grad=True)
    out = module(tensor)
    (out * torch.tensor(upstream)).sum().backward()
    return out.detach().numpy(), tensor.grad.numpy()


def set_to(network, values):
    state = network.initial_state(np.random.default_rng(0))
    return state.replace({network.variable(path): value for path, value in values.items()})


@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5)], ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_dense_is_torchs_linear_in_value_and_gradients(shape, bias):
    torch = pytest.importorskip("torch")
    x, upstream = RNG.normal(size=(4, *shape)), RNG.normal(size=(4, *shape[:-1], 7))
    w, b = RNG.normal(size=(5, 7)), RNG.normal(size=7)
    network = network_of(nn.Dense(7, use_bias=bias), shape=shape)
    state = set_to(network, {"dense_1/kernel": w, **({"dense_1/bias": b} if bias else {})})
    linear = torch.nn.Linear(5, 7, bias=bias, dtype=torch.float64)
    linear.weight.data = torch.tensor(w.T)
    if bias:
        linear.bias.data = torch.tensor(b)
    want, want_x = in_torch(linear, x, upstream)
    got, slopes = output_and_gradients(network, state, x, upstream)
    np.testing.assert_allclose(got, want, rtol=1e-12)
    np.testing.assert_allclose(slopes["x"], want_x, rtol=1e-12)
    np.testing.assert_allclose(slopes["dense_1/kernel"], linear.weight.grad.numpy().T, rtol=1e-12)
    if bias:
        np.testing.assert_allclose(slopes["dense_1/bias"], linear.bias.grad.numpy(), rtol=1e-12)
    assert len(network.parameters) == 1 + bias


def test_a_dense_layer_is_x_times_w_plus_b_with_a_kernel_of_inputs_by_units():
    network = network_of(nn.Dense(3), shape=(2,))
    state = set_to(network, {"dense_1/kernel": [[1.0, 2, 3], [4, 5, 6]], "dense_1/bias": [0.5, 0, 0]})
    np.testing.assert_array_equal(network.predict(state, [[1.0, 10.0]]), [[41.5, 52, 63]])


def test_prelu_is_torchs_with_one_slope_a_unit():
    torch = pytest.importorskip("torch")
    x, upstream, slope = RNG.normal(size=(6, 4)), RNG.normal(size=(6, 4)), RNG.normal(size=4)
    network = network_of(nn.PRelu(), shape=(4,))
    module = torch.nn.PReLU(4, dtype=torch.float64)
    assert network.initial_state()[network.parameters[0]] == pytest.approx(module.weight.detach().numpy())
    module.weight.data = torch.tensor(slope)
    want, want_x = in_torch(module, x, upstream)
    got, slopes = output_and_gradients(network, set_to(network, {"p_relu_1/slope": slope}), x, upstream)
    np.testing.assert_allclose(got, want, rtol=1e-14)
    np.testing.assert_allclose(slopes["x"], want_x, rtol=1e-14)
    np.testing.assert_allclose(slopes["p_relu_1/slope"], module.weight.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("pieces", [1, 2, 3, 6])
def test_maxout_is_the_maximum_of_each_group_of_neighbours(pieces):
    pytest.importorskip("torch")
    x, upstream = RNG.normal(size=(5, 6)), RNG.normal(size=(5, 6 // pieces))
    network = network_of(nn.Maxout(pieces), shape=(6,))
    got, slopes = output_and_gradients(network, network.initial_state(), x, upstream)
    want, want_x = in_torch(lambda t: t.reshape(5, 6 // pieces, pieces).amax(-1), x, upstream)
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(slopes["x"], want_x)


@pytest.mark.parametrize("pieces", [0, -1, 4])
def test_maxout_refuses_groups_that_do_not_part_the_units(pieces):
    with pytest.raises(ValueError, match="6"):
        network_of(nn.Maxout(pieces), shape=(6,))


@pytest.mark.parametrize("shape", [(), (6,), (2, 3), (2, 3, 4)], ids=str)
def test_flatten_keeps_the_examples_and_joins_the_rest_in_rows(shape):
    x = RNG.normal(size=(5, *shape))
    network = network_of(nn.Flatten(), shape=shape)
    np.testing.assert_array_equal(network.predict(network.initial_state(), x), x.reshape(5, -1))


@pytest.mark.parametrize(("shape", "target"), [((6,), (2, 3)), ((2, 3), (6,)), ((6,), (-1, 2)), ((2, 6), (3, -1))])
def test_reshape_keeps_the_examples_and_is_numpys(shape, target):
    x = RNG.normal(size=(5, *shape))
    network = network_of(nn.Reshape(target), shape=shape)
    np.testing.assert_array_equal(network.predict(network.initial_state(), x), x.reshape(5, *target))


def test_reshape_to_another_size_is_refused_at_the_layer():
    with pytest.raises(ValueError, match="layer 1, Reshape"):
        network_of(nn.Activation("relu"), nn.Reshape((4, 2)), shape=(6,))


def test_reshapes_gradient_is_the_upstream_in_the_inputs_shape():
    x, upstream = RNG.normal(size=(3, 6)), RNG.normal(size=(3, 2, 3))
    network = network_of(nn.Reshape((2, 3)), nn.Flatten(), nn.Reshape((2, 3)), shape=(6,))
    got, slopes = output_and_gradients(network, network.initial_state(), x, upstream)
    np.testing.assert_array_equal(got, x.reshape(3, 2, 3))
    np.testing.assert_array_equal(slopes["x"], upstream.reshape(3, 6))


def test_a_whole_network_has_torchs_gradients():
    torch = pytest.importorskip("torch")
    network = network_of(nn.Dense(8, "tanh"), nn.BatchNorm(), nn.Dense(5, "gelu"), nn.PRelu(), nn.Dense(2), shape=(4,))
    state = network.initial_state(np.random.default_rng(5))
    t = torch.nn
    module = t.Sequential(
        t.Linear(4, 8), t.Tanh(), t.BatchNorm1d(8), t.Linear(8, 5), t.GELU(), t.PReLU(5), t.Linear(5, 2)
    ).double()
    paths = {
        "dense_1/kernel": module[0].weight, "dense_1/bias": module[0].bias,
        "batch_norm_1/scale": module[2].weight, "batch_norm_1/shift": module[2].bias,
        "dense_2/kernel": module[3].weight, "dense_2/bias": module[3].bias,
        "p_relu_1/slope": module[5].weight,
        "dense_3/kernel": module[6].weight, "dense_3/bias": module[6].bias,
    }  # fmt: skip
    for path, tensor in paths.items():
        tensor.data = torch.tensor(state[network.variable(path)].T.copy())
    x, upstream = RNG.normal(size=(9, 4)), RNG.normal(size=(9, 2))
    want, want_x = in_torch(module, x, upstream)
    got, slopes = output_and_gradients(network, state, x, upstream)
    np.testing.assert_allclose(got, want, rtol=1e-10)
    np.testing.assert_allclose(slopes["x"], want_x, rtol=1e-8, atol=1e-12)
    assert set(slopes) == {"x", *paths}
    for path, tensor in paths.items():
        np.testing.assert_allclose(slopes[path], tensor.grad.numpy().T, rtol=1e-8, atol=1e-12)


def test_activation_layers_take_names_and_functions():
    x = RNG.normal(size=(3, 4))
    named, own = network_of(nn.Activation("tanh"), shape=(4,)), network_of(nn.Activation(lambda a: a * a), shape=(4,))
    np.testing.assert_allclose(named.predict(named.initial_state(), x), np.tanh(x), rtol=1e-14)
    np.testing.assert_array_equal(own.predict(own.initial_state(), x), x * x)


LAYERS = [
    nn.Dense(3),
    nn.Dense(4, "relu", kernel_initializer="he_normal", bias_initializer=0.1, use_bias=False),
    nn.Dense(2, kernel_initializer=nn.Orthogonal(gain=2.0), bias_initializer=nn.ConstantInitializer(-1.0)),
    nn.Activation("selu"),
    nn.PRelu(0.1),
    nn.Maxout(3),
    nn.Dropout(0.25),
    nn.Dropout(0.5, inverted=False),
    nn.GaussianNoise(0.2),
    nn.BatchNorm(0.2, epsilon=1e-3),
    nn.Flatten(),
    nn.Reshape((2, -1)),
    nn.TangentDense(3, "relu", kernel_std=0.5),
    nn.FeatureScale(2.0),
    nn.PeriodicEmbedding(2, width=3, frequencies=5),
    nn.Sequential([nn.Dense(3, "tanh"), nn.Sequential([nn.Dropout(0.1), nn.Dense(1)])]),
]


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_every_layer_comes_back_from_json_equal(layer):
    back = nn.Layer.from_json(json.loads(json.dumps(layer.to_json())))
    assert back == layer
    assert type(back) is type(layer)
    assert hash(back) == hash(layer)


def test_the_round_trip_has_every_layer_there_is():
    kinds = {getattr(nn, name) for name in nn.__all__ if isinstance(getattr(nn, name), type)}
    assert {k for k in kinds if issubclass(k, nn.Layer)} - {nn.Layer} == {type(layer) for layer in LAYERS}


def test_layers_of_equal_settings_are_equal_and_of_others_are_not():
    assert nn.Dense(3, "relu") == nn.Dense(3, activation="relu")
    assert nn.Dense(3, "relu") != nn.Dense(3, "tanh")
    assert nn.Sequential([nn.Dense(3)]) == nn.Sequential((nn.Dense(3),))
    assert nn.Reshape([2, 3]) == nn.Reshape((2, 3))
    assert len({nn.Dropout(0.5), nn.Dropout(0.5), nn.Dropout(0.4)}) == 2


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_layers_are_frozen(layer):
    for field in dataclasses.fields(layer):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(layer, field.name, None)


def test_a_network_rebuilt_from_json_predicts_the_same():
    layers = nn.Sequential([nn.Dense(5, "elu"), nn.BatchNorm(), nn.Dropout(0.3), nn.Dense(2)])
    again = nn.Sequential.from_json(json.loads(json.dumps(layers.to_json())))
    one, other = nn.Network(layers, (3,)), nn.Network(again, (3,))
    x = RNG.normal(size=(4, 3))
    first = one.initial_state(np.random.default_rng(2))
    second = other.initial_state(np.random.default_rng(2))
    np.testing.assert_array_equal(one.predict(first, x), other.predict(second, x))


def test_a_function_cannot_be_written_and_the_error_says_what_to_do():
    with pytest.raises(TypeError, match=r"Dense\.activation.*register_activation"):
        nn.Dense(3, activation=lambda a: a).to_json()


@pytest.mark.parametrize("data", [{"type": "Dens"}, {"type": "SGD"}, [], "Dense", None, 3])
def test_json_of_something_else_is_no_layer(data):
    with pytest.raises(ValueError):  # noqa: PT011
        nn.Layer.from_json(data)


def test_json_with_an_unknown_field_names_those_there_are():
    with pytest.raises(ValueError, match=r"unit\b.*units"):
        nn.Layer.from_json({"type": "Dense", "unit": 3})


@pytest.mark.parametrize("units", [0, -1, 2.5, "3", True, None])
def test_a_dense_layer_refuses_what_is_no_number_of_units(units):
    with pytest.raises(ValueError, match="units="):
        nn.Dense(units)


def test_numpys_whole_numbers_are_numbers_of_units():
    assert json.dumps(nn.Dense(np.int64(3)).to_json()) == json.dumps(nn.Dense(3).to_json())


def test_a_function_in_a_sequential_is_refused_with_what_to_do():
    with pytest.raises(TypeError, match="Activation"):
        nn.Sequential([nn.Dense(3), dia.relu])


def test_a_layer_that_does_not_fit_is_named_by_its_place():
    with pytest.raises(ValueError, match=r"layer 2, Maxout\(pieces=2\)"):
        network_of(nn.Dense(4), nn.Dense(3), nn.Maxout(2), shape=(2,))


def test_a_layer_of_ones_own_learns_and_is_saved():
    @dataclasses.dataclass(frozen=True)
    class Gated(nn.Layer):
        units: int
        bias: float = 1.0

        def forward(self, x, context):
            kernel = context.parameter("kernel", (x.shape[-1], self.units), "lecun_normal")
            gate = context.parameter("gate", (x.shape[-1], self.units), "lecun_normal")
            return (x @ kernel) * dia.sigmoid(x @ gate + self.bias)

    layer = nn.Sequential([Gated(3), Gated(2, bias=0.0)])
    assert nn.Layer.from_json(json.loads(json.dumps(layer.to_json()))) == layer
    network = nn.Network(layer, (4,), dtype="float64")
    assert [p.name for p in network.parameters] == ["gated_1/kernel", "gated_1/gate", "gated_2/kernel", "gated_2/gate"]
    state = network.initial_state(np.random.default_rng(1))
    x = RNG.normal(size=(5, 4))
    k1, g1, k2, g2 = (state[p] for p in network.parameters)
    h = (x @ k1) / (1 + np.exp(-(x @ g1 + 1)))
    np.testing.assert_allclose(network.predict(state, x), (h @ k2) / (1 + np.exp(-(h @ g2))), rtol=1e-12)


def test_a_layer_without_a_forward_says_so():
    @dataclasses.dataclass(frozen=True)
    class Hollow(nn.Layer):
        pass

    with pytest.raises(NotImplementedError, match="Hollow"):
        nn.Network(Hollow(), (3,))
