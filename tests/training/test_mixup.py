"""Mixup: the law of its shares, and a step against a loop in PyTorch, with weights, batch norm and short batches."""

import numpy as np
import pytest
import scipy.stats

import diaphane as dia
from diaphane import nn, optim
from diaphane.training import Mixup, Trainer, TrainingStep, symmetric_beta

RNG = np.random.default_rng(6)


@pytest.mark.parametrize("alpha", [0.1, 0.2, 0.5, 1.0, 2.0, 50.0])
def test_the_share_follows_the_beta_law_by_kolmogorov_and_smirnov(alpha):
    u, v = np.random.default_rng(7).random((2, 20_000))
    draws = symmetric_beta(dia.constant(alpha), dia.constant(u), dia.constant(v)).value
    assert scipy.stats.kstest(draws, scipy.stats.beta(alpha, alpha).cdf).pvalue > 1e-3
    assert scipy.stats.kstest(draws, scipy.stats.beta(alpha * 1.3, alpha * 1.3).cdf).pvalue < 1e-3
    assert draws.min() >= 0
    assert draws.max() <= 1


def test_a_share_that_is_nearly_always_one_or_zero_follows_the_law_where_numbers_can_tell():
    u, v = np.random.default_rng(8).random((2, 20_000))
    draws = symmetric_beta(dia.constant(0.01), dia.constant(u), dia.constant(v)).value
    for place in (1e-12, 1e-6, 0.01, 0.5, 0.99, 1 - 1e-6):
        p = scipy.stats.beta(0.01, 0.01).cdf(place)
        assert abs(np.mean(draws <= place) - p) < 5 * np.sqrt(p * (1 - p) / 20_000)


def test_the_extremes_of_the_uniforms_and_of_alpha_give_numbers():
    u, v = (a.ravel() for a in np.meshgrid([0, 0.5, 1 - 2**-53], [0, 0.25, 0.5, 0.75, 1 - 2**-53]))
    for alpha in (1e-6, 1e-3, 1.0, 1e6):
        draws = symmetric_beta(dia.constant(alpha), dia.constant(u), dia.constant(v)).value
        assert np.isfinite(draws).all()
        assert ((draws >= 0) & (draws <= 1)).all()


def step_of(mixup, *, weighted=False, engine="native", loss="categorical_cross_entropy"):
    net = nn.Network(nn.Sequential([nn.Dense(5, "tanh"), nn.BatchNorm(), nn.Dense(3)]), (4,), dtype="float64")
    step = TrainingStep(
        net, nn.find_loss(loss), optim.SGD(0.1), target_dtype="int64", weighted=weighted, mixup=mixup, engine=engine
    )
    return net, step, step.initial_state(net.initial_state(np.random.default_rng(0)))


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("rows", [2, 7, 8])
def test_a_step_is_torchs_on_the_mixtures(rows, weighted, engine):
    torch = pytest.importorskip("torch")
    x, y, w = RNG.normal(size=(rows, 4)), RNG.integers(0, 3, rows), RNG.uniform(0.5, 2, rows)
    mixup = Mixup(0.7)
    net, step, state = step_of(mixup, weighted=weighted, engine=engine)
    share, _ = dia.Program(mixup.share()).run(seed=5, step=9)
    outputs, after = step.program.run_batches(
        state, step.data(x, y, w if weighted else None), batch_size=8, seed=5, first_step=9
    )
    layers = torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.BatchNorm1d(5), torch.nn.Linear(5, 3)
    module = torch.nn.Sequential(*layers).double()
    first = step.network_state(state)
    for tensor, p in zip(module.parameters(), net.parameters, strict=True):
        tensor.data = torch.tensor(first[p].T.copy())
    mixed = torch.tensor(share * x + (1 - share) * x[::-1])
    weights = torch.tensor(w if weighted else np.ones(rows))

    def mean_loss(target, weight):
        each = torch.nn.functional.cross_entropy(module(mixed), target, reduction="none")
        return (each * weight).sum() / weight.sum()

    targets = torch.tensor(y)
    total = share * mean_loss(targets, weights) + (1 - share) * mean_loss(targets.flip(0), weights.flip(0))
    total.backward()
    assert float(outputs["loss"][0]) == pytest.approx(total.item(), rel=1e-10)
    found = step.network_state(after)
    for tensor, p in zip(module.parameters(), net.parameters, strict=True):
        np.testing.assert_allclose(found[p].T, (tensor - 0.1 * tensor.grad).detach().numpy(), rtol=1e-8, atol=1e-11)


def test_a_lone_row_is_mixed_with_itself():
    losses = []
    for mixup in (Mixup(0.5), None):
        net = nn.Network(nn.Dense(3), (4,), dtype="float64")
        step = TrainingStep(
            net, nn.find_loss("categorical_cross_entropy"), optim.SGD(), target_dtype="int64", mixup=mixup
        )
        state = step.initial_state(net.initial_state(np.random.default_rng(0)))
        outputs, _ = step.program.run_batches(state, step.data(np.ones((1, 4)), np.array([1])), batch_size=8)
        losses.append(outputs["loss"][0])
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_each_batch_has_a_share_of_its_own_and_a_seed_gives_the_same_ones_again():
    program = dia.Program(Mixup(1.0).share())
    shares = [float(program.run(seed=1, step=i)[0]) for i in range(50)]
    assert len(set(shares)) == 50
    assert shares == [float(program.run(seed=1, step=i)[0]) for i in range(50)]
    assert shares != [float(program.run(seed=2, step=i)[0]) for i in range(50)]


def test_training_with_it_repeats_bit_for_bit_and_differs_from_training_without():
    x, y = RNG.normal(size=(30, 4)), RNG.integers(0, 3, 30)
    net = nn.Network(nn.Sequential([nn.Dense(5, "tanh"), nn.Dropout(0.2), nn.Dense(3)]), (4,))

    def fit(mixup):
        trainer = Trainer(net, "categorical_cross_entropy", batch_size=8, epochs=3, random_state=1, mixup=mixup)
        return [trainer.fit(x, y).state[p] for p in net.parameters]

    one, again, without = fit(Mixup(0.4)), fit(Mixup(0.4)), fit(None)
    for a, b, c in zip(one, again, without, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)


def test_bad_alphas_are_refused_with_what_to_do():
    for alpha in (0, -0.1, np.nan, np.inf):
        with pytest.raises(ValueError, match=r"Mixup: alpha.*mixup=None"):
            Mixup(alpha)
    with pytest.raises(TypeError, match="alpha"):
        Mixup("0.2")
    with pytest.raises(TypeError, match=r"Mixup\(0.2\)"):
        step_of(0.2)
    assert Mixup.from_json(Mixup(0.3).to_json()) == Mixup(0.3)
