"""Averages of parameters: PyTorch's, their closed forms, and where they are used."""

import numpy as np
import pytest

from diaphane import nn, optim
from diaphane.optim import EMA, SWA
from diaphane.training.step import TrainingStep

RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(10, 3)), RNG.normal(size=10)


def trained(averaging, epochs, batch_size=4, engine="native", **parts):
    """The step, and the parameters and the network's values after each step: three steps an epoch, the last short."""
    net = nn.Network(nn.Sequential([nn.Dense(4, "tanh"), nn.Dense(1)]), (3,), dtype="float64")
    step = TrainingStep(net, nn.find_loss("squared_error"), optim.SGD(0.1, **parts), averaging=averaging, engine=engine)
    state = step.initial_state(net.initial_state(np.random.default_rng(0)))
    if "steps_per_epoch" in step.hyperparameters:
        state = state.replace({step.hyperparameters["steps_per_epoch"]: 3.0})
    raw, given = [], []
    for _ in range(epochs):
        for start in range(0, 10, batch_size):
            rows = np.arange(start, min(start + batch_size, 10))
            _, state = step.program.run_batches(state, step.data(X, Y), rows, batch_size)
            raw.append(state[step.flat.vector])
            given.append(step.flat.pack(step.network_state(state)))
    return np.array(raw), np.array(given)


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("decay", [0.0, 0.5, 0.99])
def test_ema_is_the_weighted_mean_of_all_parameters_so_far_without_bias(decay, engine):
    raw, given = trained(EMA(decay), 3, engine=engine)
    for t in range(1, len(raw) + 1):
        weights = decay ** np.arange(t - 1, -1, -1.0)
        np.testing.assert_allclose(given[t - 1], weights @ raw[:t] / weights.sum(), rtol=1e-10, atol=1e-13)


def test_ema_becomes_torchs_when_the_start_is_forgotten():
    torch = pytest.importorskip("torch")
    raw, given = trained(EMA(0.5), 20)
    model = torch.nn.ParameterList([torch.nn.Parameter(torch.tensor(raw[0]))])
    averaged = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.5))
    for vector in raw:
        model[0].data = torch.tensor(vector)
        averaged.update_parameters(model)
    np.testing.assert_allclose(given[-1], averaged.module[0].detach().numpy(), rtol=1e-10)


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize(("start", "every"), [(1, 1), (2, 1), (3, 2), (2, 3)])
def test_swa_is_torchs_averaged_model_at_the_ends_of_epochs(start, every, engine):
    torch = pytest.importorskip("torch")
    raw, given = trained(SWA(start, every), 9, engine=engine)
    model = torch.nn.ParameterList([torch.nn.Parameter(torch.tensor(raw[0]))])
    averaged = torch.optim.swa_utils.AveragedModel(model)
    taken = 0
    for i, (vector, ours) in enumerate(zip(raw, given, strict=True)):
        epoch, rest = divmod(i + 1, 3)
        if not rest and epoch >= start and (epoch - start) % every == 0:
            model[0].data = torch.tensor(vector)
            averaged.update_parameters(model)
            taken += 1
        want = averaged.module[0].detach().numpy() if taken else vector
        np.testing.assert_allclose(ours, want, rtol=1e-12, atol=1e-15)
    assert taken == len(range(start, 10, every))


def test_training_itself_goes_on_from_the_raw_parameters():
    for averaging in (EMA(0.9), SWA(1)):
        np.testing.assert_array_equal(trained(averaging, 4)[0], trained(None, 4)[0])


def test_swa_and_a_schedule_share_the_length_of_an_epoch():
    net = nn.Network(nn.Dense(1), (3,))
    schedule = optim.ExponentialDecay(0.1)
    step = TrainingStep(net, nn.find_loss("squared_error"), optim.SGD(0.1, schedule=schedule), averaging=SWA(1))
    assert [v.name for v in step.program.variables].count("steps_per_epoch") == 1
    names = [v.name for v in step.program.variables]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("decay", [1.0, 1.5, -0.1, np.nan])
def test_a_decay_outside_of_zero_to_one_is_refused(decay):
    with pytest.raises(ValueError, match=r"EMA: decay.*\[0, 1\)"):
        EMA(decay)


def test_other_bad_input_is_refused():
    with pytest.raises(TypeError, match="decay"):
        EMA("0.9")
    with pytest.raises(ValueError, match="start_epoch must be at least 1"):
        SWA(0)
    with pytest.raises(ValueError, match="every must be at least 1"):
        SWA(1, 0)
    with pytest.raises(TypeError, match="whole number"):
        SWA(1.5)
    with pytest.raises(TypeError, match="EMA"):
        trained(0.9, 1)


def test_they_are_records_that_json_holds():
    for averaging in (EMA(0.5), SWA(3, 2)):
        assert type(averaging).from_json(averaging.to_json()) == averaging
