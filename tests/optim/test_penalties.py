"""Penalties: their updates to the letter, and the same strength in PyTorch's and scikit-learn's terms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diaphane as dia
from diaphane import nn, optim
from diaphane.optim import L1, L2, PenaltySum
from diaphane.training.step import TrainingStep

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(12, 4)), RNG.integers(0, 3, 12)
PROPERTY = settings(max_examples=15, deadline=None, derandomize=True)


def network():
    layers = [nn.Dense(5, "tanh", "glorot_uniform", 0.3), nn.BatchNorm(), nn.Dense(3, None, "glorot_uniform", -0.2)]
    return nn.Network(nn.Sequential(layers), (4,), dtype="float64")


def stepped(net, penalty, optimizer, state, engine="reference", **parts):
    """The parameters by name after one step on all rows, and the step's program's loss."""
    step = TrainingStep(
        net,
        nn.find_loss("categorical_cross_entropy"),
        optimizer,
        target_dtype=Y.dtype,
        penalty=penalty,
        engine=engine,
        **parts,
    )
    outputs, after = step.program.run_batches(step.initial_state(state), step.data(X, Y), batch_size=12)
    found = step.network_state(after)
    return {p.name: found[p] for p in net.parameters}, float(outputs["loss"][0])


@pytest.mark.parametrize("engine", ["reference", "native"])
@PROPERTY
@given(rate=st.floats(1e-3, 0.5), strength=st.floats(0, 0.5), biases=st.booleans())
def test_descent_with_l2_is_one_minus_two_lambda_epsilon_times_w_minus_epsilon_times_the_gradient(
    engine, rate, strength, biases
):
    net = network()
    state = net.initial_state(np.random.default_rng(0))
    plain, loss = stepped(net, None, optim.SGD(rate), state, engine)
    with_l2, penalised = stepped(net, L2(strength, biases=biases), optim.SGD(rate), state, engine)
    for p in net.parameters:
        w = state[p]
        step = w - plain[p.name]  # ε·∇l
        shrinks = p.ndim > 1 or biases
        want = (1 - 2 * strength * rate) * w - step if shrinks else plain[p.name]
        np.testing.assert_allclose(with_l2[p.name], want, rtol=1e-12, atol=1e-14)
    squares = sum(np.sum(state[p] ** 2) for p in net.parameters if p.ndim > 1 or biases)
    assert penalised == pytest.approx(loss + strength * squares, rel=1e-12)


def test_l2_is_half_of_the_weight_decay_of_pytorchs_descent():
    torch = pytest.importorskip("torch")
    net = nn.Network(nn.Dense(3, use_bias=False), (4,), dtype="float64")
    state = net.initial_state(np.random.default_rng(1))
    got, _ = stepped(net, L2(0.05), optim.SGD(0.3), state)
    w = torch.tensor(state[net.parameters[0]], requires_grad=True)
    descent = torch.optim.SGD([w], lr=0.3, weight_decay=0.1)
    torch.nn.functional.cross_entropy(torch.tensor(X) @ w, torch.tensor(Y)).backward()
    descent.step()
    np.testing.assert_allclose(got[net.parameters[0].name], w.detach().numpy(), rtol=1e-12)


def test_l2_is_scikit_learns_alpha_over_twice_the_batch():
    from sklearn.neural_network import MLPClassifier

    alpha = 2.0
    net = nn.Network(nn.Sequential([nn.Dense(5, "tanh"), nn.Dense(3)]), (4,), dtype="float64")
    settings = {"alpha": alpha, "batch_size": 12, "momentum": 0.0, "learning_rate_init": 0.2, "shuffle": False}
    model = MLPClassifier((5,), activation="tanh", solver="sgd", random_state=0, **settings)
    model.partial_fit(X, Y, classes=[0, 1, 2])
    start = [a.copy() for pair in zip(model.coefs_, model.intercepts_, strict=True) for a in pair]
    model.partial_fit(X, Y)
    state = net.initial_state().replace(dict(zip(net.parameters, start, strict=True)))
    got, _ = stepped(net, L2(alpha / (2 * 12)), optim.SGD(0.2), state)
    want = [a for pair in zip(model.coefs_, model.intercepts_, strict=True) for a in pair]
    for p, value in zip(net.parameters, want, strict=True):
        np.testing.assert_allclose(got[p.name], value, rtol=1e-10)


def test_l1_moves_each_weight_by_epsilon_lambda_towards_zero_and_a_weight_of_zero_not_at_all():
    net = network()
    state = net.initial_state(np.random.default_rng(0))
    [kernel, *_] = net.parameters
    holed = np.where(RNG.random(kernel.shape) < 0.3, 0.0, state[kernel])
    state = state.replace({kernel: holed})
    plain, loss = stepped(net, None, optim.SGD(0.1), state)
    got, penalised = stepped(net, L1(0.02), optim.SGD(0.1), state)
    for p in net.parameters:
        want = plain[p.name] - (0.1 * 0.02 * np.sign(state[p]) if p.ndim > 1 else 0)
        np.testing.assert_allclose(got[p.name], want, rtol=1e-12, atol=1e-15)
    assert (holed == 0).any()
    assert penalised == pytest.approx(loss + 0.02 * sum(np.abs(state[p]).sum() for p in net.parameters if p.ndim > 1))


def test_a_sum_of_penalties_adds_their_values_and_names_each_strength():
    net = network()
    penalty = L1(0.1) + L2(0.2) + L2(0.3, biases=True)
    value = float(penalty(net, dia.constant(1.0)).value)
    each = [float(part(net, dia.constant(1.0)).value) for part in penalty.parts]
    assert value == pytest.approx(sum(each))
    step = TrainingStep(
        net, nn.find_loss("categorical_cross_entropy"), optim.SGD(), target_dtype=Y.dtype, penalty=penalty
    )
    assert {"l1/strength", "l2/strength", "l2_2/strength"} < set(step.hyperparameters)


def test_another_strength_is_set_in_the_state_and_plans_nothing_anew():
    net = network()
    state = net.initial_state(np.random.default_rng(0))
    step = TrainingStep(
        net, nn.find_loss("categorical_cross_entropy"), optim.SGD(0.1), target_dtype=Y.dtype, penalty=L2(0.5)
    )
    first = step.initial_state(state).replace({step.hyperparameters["l2/strength"]: 0.01})
    _, after = step.program.run_batches(first, step.data(X, Y), batch_size=12)
    want, _ = stepped(net, L2(0.01), optim.SGD(0.1), state, "native")
    for p, value in step.network_state(after).items():
        if p.name in want:
            np.testing.assert_array_equal(value, want[p.name])


def test_penalties_are_records_that_json_holds():
    for penalty in (L2(0.1), L1(0.2, biases=True), L1(0.1) + L2(0.3)):
        assert type(penalty).from_json(penalty.to_json()) == penalty


@pytest.mark.parametrize("value", [-1e-3, np.nan, np.inf])
def test_a_strength_that_cannot_be_is_refused(value):
    for kind in (L1, L2):
        with pytest.raises(ValueError, match=rf"{kind.__name__}: strength.*at least 0.*{value!r}"):
            kind(value)


@pytest.mark.parametrize("value", ["0.1", None, True, [0.1]])
def test_a_strength_of_another_type_is_refused(value):
    with pytest.raises(TypeError, match="L2: strength"):
        L2(value)


def test_nothing_to_penalise_and_what_is_no_penalty_are_refused_with_what_to_do():
    net = nn.Network(nn.PRelu(), (4,))
    with pytest.raises(ValueError, match="biases=True"):
        L2(0.1)(net, dia.constant(1.0))
    with pytest.raises(TypeError, match="L2"):
        L2(0.1) + 0.1
    with pytest.raises(TypeError, match="biases"):
        L2(0.1, biases=1)
    with pytest.raises(ValueError, match="penalty=None"):
        PenaltySum(())
    for wrong in (0.1, L2):
        with pytest.raises(TypeError, match=r"L2\(1e-4\)"):
            stepped(network(), wrong, optim.SGD(), network().initial_state())
