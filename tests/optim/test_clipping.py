"""Clipping: PyTorch's numbers, and no divergence hidden."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diaphane as dia
from diaphane import nn, optim
from diaphane.engines import NonFiniteError
from diaphane.optim import ClipNorm, ClipValue
from diaphane.training.step import TrainingStep

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)


@PROPERTY
@given(
    values=st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=20),
    limit=st.floats(0.01, 100),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_both_are_torchs(values, limit, dtype):
    torch = pytest.importorskip("torch")
    g = np.array(values, dtype)
    for kind, utility in ((ClipNorm, "clip_grad_norm_"), (ClipValue, "clip_grad_value_")):
        parameter = torch.nn.Parameter(torch.zeros(len(g), dtype=getattr(torch, dtype)))
        parameter.grad = torch.tensor(g)
        getattr(torch.nn.utils, utility)([parameter], limit)
        for engine in ("reference", "native"):
            (clipped, watched), _ = dia.Program(list(kind(limit)(dia.constant(g))), engine=engine).run()
            np.testing.assert_allclose(clipped, parameter.grad.numpy(), rtol=4e-6 if dtype == "float32" else 1e-12)
            assert np.isfinite(watched)


def test_training_with_it_is_torchs():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, y = 5 * rng.normal(size=(20, 3)), 5 * rng.normal(size=(20, 2))
    net = nn.Network(nn.Sequential([nn.Dense(4, "tanh"), nn.Dense(2)]), (3,), dtype="float64")
    step = TrainingStep(net, nn.find_loss("squared_error"), optim.SGD(0.1), target_shape=(2,), clipping=ClipNorm(0.5))
    state = step.initial_state(net.initial_state(np.random.default_rng(0)))
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)).double()
    first = step.network_state(state)
    for tensor, p in zip(module.parameters(), net.parameters, strict=True):
        tensor.data = torch.tensor(first[p].T.copy())
    descent = torch.optim.SGD(module.parameters(), lr=0.1)
    for _ in range(10):
        _, state = step.program.run_batches(state, step.data(x, y), batch_size=20)
        descent.zero_grad()
        ((module(torch.tensor(x)) - torch.tensor(y)) ** 2).sum(1).mean().backward()
        assert torch.nn.utils.clip_grad_norm_(module.parameters(), 0.5) > 0.5
        descent.step()
    for tensor, p in zip(module.parameters(), net.parameters, strict=True):
        np.testing.assert_allclose(step.network_state(state)[p].T, tensor.detach().numpy(), rtol=1e-10)


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("clipping", [ClipNorm(1.0), ClipValue(1.0)], ids=repr)
def test_an_infinite_gradient_of_a_finite_loss_is_divergence_and_is_taken_back(engine, clipping):
    # √a at 0: the loss is 0 and its slope has no bound.
    net = nn.Network(nn.Dense(1, kernel_initializer="zeros", use_bias=False), (1,), dtype="float64")
    step = TrainingStep(net, lambda out, y: dia.sqrt(out[:, 0] * y), optim.SGD(0.1), clipping=clipping, engine=engine)
    state = step.initial_state(net.initial_state())
    with pytest.raises(NonFiniteError) as found:
        step.program.run_batches(state, step.data(np.ones((4, 1)), np.ones(4)), batch_size=4)
    np.testing.assert_array_equal(found.value.state[step.flat.vector], state[step.flat.vector])
    assert found.value.node is not None


def test_a_norm_that_overflows_is_divergence_where_scaling_by_zero_would_hide_it():
    net = nn.Network(nn.Dense(1, kernel_initializer=1.0, use_bias=False), (1,), dtype="float32")
    step = TrainingStep(net, lambda out, y: out[:, 0] * y, optim.SGD(0.1), clipping=ClipNorm(1.0))
    state = step.initial_state(net.initial_state())
    with pytest.raises(NonFiniteError):
        step.program.run_batches(state, step.data(np.full((4, 1), 1e25), np.ones(4)), batch_size=4)


@pytest.mark.parametrize("kind", [ClipNorm, ClipValue])
def test_bad_limits_are_refused_with_what_to_do(kind):
    for limit in (0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match=rf"{kind.__name__}: limit.*clipping=None"):
            kind(limit)
    with pytest.raises(TypeError, match="limit"):
        kind("1")
    assert kind.from_json(kind(0.5).to_json()) == kind(0.5)
