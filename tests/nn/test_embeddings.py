"""Layers for columns of numbers: outputs and gradients against PyTorch, on every engine, and through a file."""

import math

import numpy as np
import pytest

import diaphane as dia
from diaphane import nn
from diaphane.training import TrainingStep

RNG = np.random.default_rng(5)


def in_torch(layer, values, x):
    """The same layer written with PyTorch's functions, on tensors of its parameters."""
    import torch

    p = {name.rpartition("/")[2]: value for name, value in values.items()}
    if isinstance(layer, nn.TangentDense):
        return torch.tanh(x @ p["kernel"] / math.sqrt(x.shape[1]) + layer.bias_rate * p["bias"])
    if isinstance(layer, nn.FeatureScale):
        return x * (1 + layer.rate * p["scale"])
    numbers, r = x[:, : layer.columns], layer.rate
    waves = torch.cos(2 * math.pi * torch.einsum("nd,dk->ndk", numbers, r * p["frequency"]) + r * p["shift"])
    mixed = torch.einsum("ndk,dko->ndo", waves, r * p["kernel"]) + r * p["bias"]
    return torch.cat([x, mixed.flatten(1)], dim=1)


LAYERS = [
    nn.TangentDense(7, "tanh", bias_std=0.5),
    nn.FeatureScale(3.0),
    nn.PeriodicEmbedding(columns=3, width=4, frequencies=5, std=0.7),
    nn.PeriodicEmbedding(columns=6, width=2, frequencies=4, rate=1.0),
]
EACH = pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: f"{type(layer).__name__}-{layer.label()}")


@EACH
@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 2e-5)])
def test_outputs_and_gradients_are_those_of_pytorch(layer, engine, dtype, tolerance):
    torch = pytest.importorskip("torch")
    network = nn.Network(layer, (6,), dtype=dtype)
    # Not the first values, of which some are 0.
    values = {v.name: RNG.normal(size=v.shape).astype(dtype) for v in network.parameters}
    x = RNG.normal(size=(9, 6)).astype(dtype)
    upstream = RNG.normal(size=(9, network.output_shape[0])).astype(dtype)
    wanted = [network.input, *network.parameters]
    factor = dia.placeholder(network.output.shape, dtype, "upstream")
    program = dia.Program([network.output, *dia.gradient(dia.sum(network.output * factor), wanted)], engine=engine)
    state = dia.State({v: values[v.name] for v in network.parameters})
    found, _ = program.run(state, {network.input: x, factor: upstream})
    tensors = {name: torch.tensor(value.astype(np.float64), requires_grad=True) for name, value in values.items()}
    inputs = torch.tensor(x.astype(np.float64), requires_grad=True)
    truth = in_torch(layer, tensors, inputs)
    truth.backward(torch.tensor(upstream.astype(np.float64)))
    expected = [truth.detach(), inputs.grad, *(tensors[v.name].grad for v in network.parameters)]
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=0, atol=tolerance * float(theirs.abs().max() + 1))


@EACH
def test_a_network_of_it_is_read_back_from_a_file(layer, tmp_path):
    network = nn.Network(nn.Sequential([layer]), (6,))
    state = network.initial_state(np.random.default_rng(0))
    dia.save(tmp_path / "network.safetensors", network, state)
    again, values = dia.load(tmp_path / "network.safetensors")
    assert again.architecture == network.architecture
    x = RNG.normal(size=(4, 6)).astype(np.float32)
    assert np.array_equal(again.predict(values, x), network.predict(state, x))


def test_the_first_outputs_of_a_tangent_layer_have_the_variance_of_its_inputs_at_any_width():
    for inputs in (10, 1000):
        network = nn.Network(nn.TangentDense(2000), (inputs,))
        found = network.predict(network.initial_state(np.random.default_rng(0)), np.ones((1, inputs), np.float32))
        assert found.std() == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("inputs", [16, 1024])
def test_a_first_step_of_adam_moves_the_output_of_a_tangent_layer_by_the_mean_size_of_inputs_times_root_d(inputs):
    network = nn.Network(nn.TangentDense(1, bias_rate=0.0), (inputs,), dtype="float64")
    step = TrainingStep(network, nn.find_loss("squared_error"), dia.optim.Adam(0.01), target_shape=(1,))
    before = network.initial_state(np.random.default_rng(0))
    x = RNG.normal(size=(1, inputs))
    _, after = step.program.run(step.initial_state(before), {step.x: x, step.y: np.array([[50.0]])})
    moved = network.predict(step.network_state(after), x) - network.predict(before, x)
    assert moved[0, 0] == pytest.approx(0.01 * np.abs(x).sum() / math.sqrt(inputs), rel=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.TangentDense(0), "units must be a whole number of at least 1, got 0"),
        (lambda: nn.TangentDense(2, kernel_std=-1.0), "kernel_std must be a finite number of at least 0"),
        (lambda: nn.FeatureScale(math.inf), "rate must be a finite number"),
        (lambda: nn.PeriodicEmbedding(2, width=1), "width must be a whole number of at least 2, got 1"),
        (lambda: nn.PeriodicEmbedding(2, rate=0.0), "rate must be greater than 0"),
        (lambda: nn.Network(nn.PeriodicEmbedding(7), (6,)), "at least 7 columns"),
    ],
)
def test_what_makes_no_layer_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
