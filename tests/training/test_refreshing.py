"""Running averages for given parameters: PyTorch's update_bn."""

import numpy as np
import pytest

from diaphane import nn
from diaphane.training import refresh


def test_it_is_torchs_update_bn_with_the_layers_momentum():
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(2, 3, (20, 4))
    net = nn.Network(nn.Sequential([nn.Dense(5, "tanh"), nn.BatchNorm(), nn.Dense(1)]), (4,), dtype="float64")
    state = net.initial_state(np.random.default_rng(1))
    found = refresh(net, state, x, batch_size=8, passes=2)
    linear, norm = torch.nn.Linear(4, 5).double(), torch.nn.BatchNorm1d(5).double()
    for tensor, path in ((linear.weight, "dense_1/kernel"), (linear.bias, "dense_1/bias")):
        tensor.data = torch.tensor(state[net.variable(path)].T.copy())
    for _ in range(2):
        for start in (0, 8, 16):
            norm(torch.tanh(linear(torch.tensor(x[start : start + 8]))))
    np.testing.assert_allclose(found[net.variable("batch_norm_1/mean")], norm.running_mean.numpy(), rtol=1e-10)
    np.testing.assert_allclose(found[net.variable("batch_norm_1/variance")], norm.running_var.numpy(), rtol=1e-10)
    for p in net.parameters:
        np.testing.assert_array_equal(found[p], state[p])


def test_a_network_that_keeps_nothing_comes_back_as_it_is():
    net = nn.Network(nn.Dense(1), (4,))
    state = net.initial_state()
    assert refresh(net, state, np.ones((3, 4))) is state
    with pytest.raises(ValueError, match="passes"):
        refresh(nn.Network(nn.BatchNorm(), (4,)), state, np.ones((3, 4)), passes=0)
