"""Batch normalisation against torch.nn, in training and at inference, over several steps."""

import numpy as np
import pytest

import diaphane as dia
from diaphane import nn


class Pair:
    """Our layer and PyTorch's, fed the same batches; channels lie last here and second there."""

    def __init__(self, shape, momentum=0.1, epsilon=1e-5):
        self.torch = pytest.importorskip("torch")
        units = shape[-1]
        rng = np.random.default_rng(4)
        self.network = nn.Network(nn.BatchNorm(momentum, epsilon), shape, dtype="float64")
        x = self.network.input
        forward = self.network.forward(x, training=True)
        self.upstream = dia.placeholder(x.shape, "float64", "upstream")
        loss = dia.sum(forward.output * self.upstream)
        slopes = dia.gradient(loss, [x, *self.network.parameters])
        self.program = dia.Program([forward.output, *slopes], forward.updates)
        scale, shift = rng.normal(size=units), rng.normal(size=units)
        self.state = self.network.initial_state().replace(
            {self.network.variable("batch_norm_1/scale"): scale, self.network.variable("batch_norm_1/shift"): shift}
        )
        kind = {1: "BatchNorm1d", 2: "BatchNorm1d", 3: "BatchNorm2d"}[len(shape)]
        self.module = getattr(self.torch.nn, kind)(units, eps=epsilon, momentum=momentum).double()
        self.module.weight.data = self.torch.tensor(scale)
        self.module.bias.data = self.torch.tensor(shift)

    def train(self, x, upstream):
        """(output, gradients by input, scale, shift) here and there."""
        ours, self.state = self.program.run(self.state, {self.network.input: x, self.upstream: upstream})
        t = self.torch.tensor(x, requires_grad=True)
        self.module.zero_grad()
        out = self.module.train()(t.movedim(-1, 1)).movedim(1, -1)
        (out * self.torch.tensor(upstream)).sum().backward()
        theirs = [out.detach(), t.grad, self.module.weight.grad, self.module.bias.grad]
        return ours, [v.numpy() for v in theirs]

    def infer(self, x):
        t = self.torch.tensor(x).movedim(-1, 1)
        want = self.module.eval()(t).movedim(1, -1).detach().numpy()
        return self.network.predict(self.state, x), want

    def running(self):
        ours = [self.state[self.network.variable(f"batch_norm_1/{name}")] for name in ("mean", "variance")]
        return ours, [self.module.running_mean.numpy(), self.module.running_var.numpy()]


@pytest.mark.parametrize("settings", [(), (0.4, 1e-2), (1.0, 1e-5)], ids=str)
@pytest.mark.parametrize("shape", [(3,), (4, 3), (4, 5, 3)], ids=str)
def test_output_gradients_and_running_statistics_are_torchs_over_several_steps(shape, settings):
    pair = Pair(shape, *settings)
    rng = np.random.default_rng(9)
    for n in (6, 3, 8, 2):
        x, upstream = rng.normal(2.0, 3.0, (n, *shape)), rng.normal(size=(n, *shape))
        for got, want in zip(*pair.train(x, upstream), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)
        for got, want in zip(*pair.running(), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(*pair.infer(x), rtol=1e-10, atol=1e-12)


def test_the_running_variance_is_unbiased():
    network = nn.Network(nn.BatchNorm(momentum=1.0), (1,), dtype="float64")
    forward = network.forward(network.input, training=True)
    x = np.array([[1.0], [2.0], [6.0]])
    _, state = dia.Program(forward.output, forward.updates).run(network.initial_state(), {"x": x})
    assert state[network.variable("batch_norm_1/variance")] == pytest.approx(x.var(ddof=1))
    assert abs(x.var(ddof=0) - x.var(ddof=1)) > 1


def test_inference_looks_at_the_running_statistics_and_not_at_the_batch():
    network = nn.Network(nn.BatchNorm(), (2,), dtype="float64")
    state = network.initial_state().replace(
        {network.variable("batch_norm_1/mean"): [1.0, 2.0], network.variable("batch_norm_1/variance"): [4.0, 9.0]}
    )
    x = np.random.default_rng(0).normal(size=(5, 2))
    together = network.predict(state, x)
    np.testing.assert_allclose(together, (x - [1, 2]) / np.sqrt(np.array([4, 9]) + 1e-5), rtol=1e-12)
    np.testing.assert_array_equal(np.concatenate([network.predict(state, row[None]) for row in x]), together)


def test_a_batch_of_one_gives_the_shift_and_finite_statistics():
    network = nn.Network(nn.BatchNorm(), (2,), dtype="float64")
    forward = network.forward(network.input, training=True)
    slopes = dia.gradient(dia.sum(forward.output**2), [network.input, *network.parameters])
    program = dia.Program([forward.output, *slopes], forward.updates)
    state = network.initial_state().replace({network.variable("batch_norm_1/shift"): [0.5, -1.0]})
    (out, *slopes), after = program.run(state, {"x": [[3.0, -7.0]]})
    np.testing.assert_array_equal(out, [[0.5, -1.0]])
    assert all(np.isfinite(s).all() for s in slopes)
    np.testing.assert_allclose(after[network.variable("batch_norm_1/mean")], [0.3, -0.7])
    np.testing.assert_allclose(after[network.variable("batch_norm_1/variance")], [0.9, 0.9])


def test_the_statistics_are_no_parameters():
    network = nn.Network(nn.BatchNorm(), (2,))
    assert [p.name for p in network.parameters] == ["batch_norm_1/scale", "batch_norm_1/shift"]
    assert network.n_parameters == 4


def test_an_inference_pass_updates_nothing():
    network = nn.Network(nn.BatchNorm(), (2,))
    assert network.forward(network.input).updates == {}


@pytest.mark.parametrize("settings", [{"momentum": 0.0}, {"momentum": 1.5}, {"momentum": -0.1}, {"epsilon": -1e-5}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        nn.BatchNorm(**settings)
