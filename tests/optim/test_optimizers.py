"""Every optimizer against PyTorch's, or scikit-learn's, on one small network and on a curved valley."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

import diaphane as dia
from diaphane import optim

STEPS = 50

# Ours, PyTorch's class and its settings: first the defaults of the formula, then others.
PAIRS: list[tuple[optim.Optimizer, str, dict[str, Any]]] = [
    (optim.SGD(0.1), "SGD", {"lr": 0.1}),
    (optim.SGD(0.003), "SGD", {"lr": 0.003}),
    (optim.Momentum(0.02), "SGD", {"lr": 0.02, "momentum": 0.9}),
    (optim.Momentum(0.05, momentum=0.5), "SGD", {"lr": 0.05, "momentum": 0.5}),
    (optim.Momentum(0.05, momentum=0.0), "SGD", {"lr": 0.05}),
    (optim.Nesterov(0.02), "SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True}),
    (optim.Nesterov(0.05, momentum=0.3), "SGD", {"lr": 0.05, "momentum": 0.3, "nesterov": True}),
    (optim.Adagrad(), "Adagrad", {}),
    (optim.Adagrad(0.2, epsilon=0.05), "Adagrad", {"lr": 0.2, "eps": 0.05}),
    (optim.Adadelta(), "Adadelta", {}),
    (optim.Adadelta(0.3, rho=0.95, epsilon=1e-5), "Adadelta", {"lr": 0.3, "rho": 0.95, "eps": 1e-5}),
    (optim.RMSProp(), "RMSprop", {}),
    (optim.RMSProp(0.004, alpha=0.6, epsilon=0.02), "RMSprop", {"lr": 0.004, "alpha": 0.6, "eps": 0.02}),
    (optim.Adam(), "Adam", {}),
    (
        optim.Adam(0.03, beta_1=0.5, beta_2=0.9, epsilon=1e-2),
        "Adam",
        {"lr": 0.03, "betas": (0.5, 0.9), "eps": 1e-2},
    ),
    (optim.AMSGrad(), "Adam", {"amsgrad": True}),
    (
        optim.AMSGrad(0.05, beta_1=0.8, beta_2=0.5, epsilon=1e-3),
        "Adam",
        {"lr": 0.05, "betas": (0.8, 0.5), "eps": 1e-3, "amsgrad": True},
    ),
    (optim.AdamW(), "AdamW", {}),
    (
        optim.AdamW(0.02, beta_1=0.7, beta_2=0.95, epsilon=1e-4, weight_decay=0.3),
        "AdamW",
        {"lr": 0.02, "betas": (0.7, 0.95), "eps": 1e-4, "weight_decay": 0.3},
    ),
]
IDS = [repr(ours) for ours, _, _ in PAIRS]
ONE_OF_EACH = [kind(0.05) for kind in optim.OPTIMIZERS.values()]


def small_network(dtype: str) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    shapes = [(3, 4), (4,), (4, 2), (2,), (1, 1, 3)]
    first = [rng.normal(0, 0.7, shape).astype(dtype) for shape in shapes]
    return first, rng.normal(size=(6, 3)).astype(dtype), rng.normal(size=(6, 2)).astype(dtype)


def network_loss(m: Any, x: Any, y: Any, w1: Any, b1: Any, w2: Any, b2: Any, curved: Any) -> Any:
    """The same formula for PyTorch's tensors and for nodes: a tanh network, and a valley in three more numbers."""
    out = m.tanh(x @ w1 + b1) @ w2 + b2
    u, v = curved[0, 0, :-1], curved[0, 0, 1:]
    return ((out - y) ** 2).mean() + (0.3 * (v - u**2) ** 2 + (1 - u) ** 2).sum()


class Descent:
    """One optimizer on that problem, as a program."""

    def __init__(self, optimizer: optim.Optimizer, dtype: str = "float64") -> None:
        first, x, y = small_network(dtype)
        self.nodes = [dia.variable(value, f"p{i}") for i, value in enumerate(first)]
        loss = network_loss(dia, dia.constant(x), dia.constant(y), *self.nodes)
        self.flat = optim.flatten(self.nodes)
        [self.loss] = dia.substitute([loss], self.flat.views)
        g = self.flat.gradient(dia.gradient(self.loss, list(self.flat.views.values())))
        self.updates = optimizer.updates(self.flat.vector, g)
        self.program = dia.Program([self.loss, g], self.updates.next_values, loss=self.loss)
        self.state = self.program.initial_state()

    def step(self) -> None:
        (_, self.last_gradient), self.state = self.program.run(self.state)

    def run(self, steps: int = STEPS) -> list[np.ndarray]:
        for _ in range(steps):
            self.step()
        return self.values()

    def values(self) -> list[np.ndarray]:
        found = self.flat.unpack(self.state[self.flat.vector])
        return [found[node] for node in self.nodes]

    def set(self, name: str, value: float) -> None:
        self.state = self.state.replace({self.updates.hyperparameters[name]: value})


def torch_descent(kind: str, settings: dict[str, Any], dtype: str, steps: int = STEPS) -> list[np.ndarray]:
    torch = pytest.importorskip("torch")
    first, x, y = small_network(dtype)
    tensors = [torch.tensor(value, requires_grad=True) for value in first]
    optimizer = getattr(torch.optim, kind)(tensors, **settings)
    for _ in range(steps):
        optimizer.zero_grad()
        network_loss(torch, torch.tensor(x), torch.tensor(y), *tensors).backward()
        optimizer.step()
    return [t.detach().numpy() for t in tensors]


@pytest.mark.parametrize(("ours", "kind", "settings"), PAIRS, ids=IDS)
def test_fifty_steps_agree_with_pytorch_to_a_millionth_in_float64(ours, kind, settings):
    want = torch_descent(kind, settings, "float64")
    for got, expected in zip(Descent(ours).run(), want, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize(("ours", "kind", "settings"), PAIRS, ids=IDS)
def test_fifty_steps_agree_with_pytorch_to_a_ten_thousandth_in_float32(ours, kind, settings):
    want = torch_descent(kind, settings, "float32")
    for got, expected in zip(Descent(ours, "float32").run(), want, strict=True):
        assert got.dtype == expected.dtype == np.float32
        assert np.linalg.norm(got - expected) <= 1e-4 * np.linalg.norm(expected)


@pytest.mark.parametrize("ours", ONE_OF_EACH, ids=repr)
def test_every_optimizer_leaves_a_parameter_of_zero_gradient_finite(ours):
    w = dia.variable(np.ones(3), "w")
    updates = ours.updates(w, dia.constant(np.zeros(3)))
    _, state = dia.Program([], updates.next_values).run()
    assert all(np.isfinite(state[v]).all() for v in state)


@pytest.mark.parametrize("ours", ONE_OF_EACH, ids=repr)
def test_every_optimizer_goes_down_on_a_bowl(ours):
    w = dia.variable(np.array([3.0, -2.0]), "w")
    loss = dia.sum(w**2)
    program = dia.Program(loss, ours.updates(w, dia.gradient(loss, [w])[0]).next_values)
    state = program.initial_state()
    for _ in range(30):
        _, state = program.run(state)
    assert (state[w] ** 2).sum() < 13


@pytest.mark.parametrize(
    "settings", [{}, {"learning_rate": 0.02, "beta_1": 0.6, "beta_2": 0.8, "epsilon": 1e-2}], ids=["defaults", "others"]
)
def test_adam_with_uncorrected_epsilon_is_scikit_learns(settings):
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    descent = Descent(optim.Adam(uncorrected_epsilon=True, **settings))
    oracle_settings = dict(settings)
    oracle_settings["learning_rate_init"] = oracle_settings.pop("learning_rate", 0.001)
    [vector] = parameters = [descent.state[descent.flat.vector].copy()]
    oracle = AdamOptimizer(parameters, **oracle_settings)
    for _ in range(STEPS):
        descent.step()
        oracle.update_params(parameters, [descent.last_gradient])
    np.testing.assert_allclose(descent.state[descent.flat.vector], vector, rtol=1e-12)


def test_the_two_places_of_adams_epsilon_differ():
    large = {"learning_rate": 0.05, "epsilon": 0.1}
    one = Descent(optim.Adam(**large)).run(5)[0]
    other = Descent(optim.Adam(uncorrected_epsilon=True, **large)).run(5)[0]
    assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize(("kind", "nesterov"), [(optim.Momentum, False), (optim.Nesterov, True)])
def test_momentum_under_a_changing_learning_rate_is_scikit_learns(kind, nesterov):
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    descent = Descent(kind(0.05, momentum=0.8))
    [vector] = parameters = [descent.state[descent.flat.vector].copy()]
    oracle = SGDOptimizer(parameters, 0.05, momentum=0.8, nesterov=nesterov)
    for t in range(1, 31):
        oracle.learning_rate = 0.05 / t
        descent.set("learning_rate", 0.05 / t)
        descent.step()
        oracle.update_params(parameters, [descent.last_gradient])
    np.testing.assert_allclose(descent.state[descent.flat.vector], vector, rtol=1e-10)


def test_weight_decay_of_adamw_is_decoupled_from_the_gradient():
    w = dia.variable(np.array([2.0, -4.0]), "w")
    updates = optim.AdamW(0.1, weight_decay=0.25).updates(w, dia.constant(np.zeros(2)))
    _, state = dia.Program([], updates.next_values).run()
    np.testing.assert_allclose(state[w], (1 - 0.1 * 0.25) * np.array([2.0, -4.0]), rtol=1e-15)


@pytest.mark.parametrize("ours", ONE_OF_EACH, ids=repr)
def test_changing_the_learning_rate_in_the_state_changes_the_step_and_plans_nothing_anew(ours, monkeypatch):
    from diaphane.engines.reference import ReferenceEngine

    descent = Descent(ours)
    planned = []
    prepare = ReferenceEngine.prepare
    monkeypatch.setattr(ReferenceEngine, "prepare", lambda self, d: planned.append(d) or prepare(self, d))
    program = descent.program
    nodes = set(dia.ancestors(program.definition.wanted))
    before = descent.state[descent.flat.vector]
    _, by_one = program.run(descent.state)
    descent.set("learning_rate", 0.1)
    _, by_two = program.run(descent.state)
    first, second = by_one[descent.flat.vector] - before, by_two[descent.flat.vector] - before
    np.testing.assert_allclose(second, 2 * first, rtol=1e-9, atol=1e-12)
    assert set(dia.ancestors(program.definition.wanted)) == nodes
    assert planned == []


@pytest.mark.parametrize("ours", ONE_OF_EACH, ids=repr)
def test_every_float_setting_is_an_input_of_the_program(ours):
    w = dia.variable(np.ones(2), "w")
    hyperparameters = ours.updates(w, dia.constant(np.ones(2))).hyperparameters
    floats = {f.name for f in dataclasses.fields(ours) if isinstance(getattr(ours, f.name), float)}
    assert set(hyperparameters) == (floats if ours.weight_decay else floats - {"weight_decay"})
    assert all(node.op.role == "hyperparameter" for node in hyperparameters.values())


def test_setting_every_hyperparameter_in_the_state_equals_building_with_it():
    built = Descent(optim.AdamW(0.02, beta_1=0.7, beta_2=0.95, epsilon=1e-4, weight_decay=0.3))
    changed = Descent(optim.AdamW())
    for name, node in built.updates.hyperparameters.items():
        changed.set(name, float(built.state[node]))
    for got, want in zip(changed.run(5), built.run(5), strict=True):
        np.testing.assert_array_equal(got, want)


BAD: list[tuple[type[optim.Optimizer], str, Any]] = [
    *[(kind, "learning_rate", bad) for kind in optim.OPTIMIZERS.values() for bad in (0, 0.0, -0.1, float("nan"))],
    *[(optim.SGD, "learning_rate", bad) for bad in ("0.1", float("inf"), None, True)],
    (optim.Momentum, "momentum", 1.5),
    (optim.Momentum, "momentum", -0.1),
    (optim.Nesterov, "momentum", 1.5),
    (optim.Nesterov, "momentum", float("nan")),
    (optim.Adagrad, "epsilon", 0.0),
    (optim.Adagrad, "epsilon", -1e-8),
    (optim.Adadelta, "rho", 1.1),
    (optim.RMSProp, "alpha", -0.5),
    (optim.RMSProp, "alpha", "a lot"),
    (optim.Adam, "beta_1", 1.5),
    (optim.Adam, "beta_1", 1.0),
    (optim.Adam, "beta_2", 1.0),
    (optim.AMSGrad, "beta_2", float("nan")),
    (optim.AdamW, "weight_decay", -0.01),
    (optim.AdamW, "weight_decay", float("inf")),
]


@pytest.mark.parametrize(("kind", "name", "value"), BAD, ids=[f"{k.__name__}-{n}-{v!r}" for k, n, v in BAD])
def test_a_bad_setting_is_refused_by_class_field_and_value(kind, name, value):
    with pytest.raises(ValueError) as error:  # noqa: PT011  the message is what is looked at
        kind(**{name: value})
    for word in (kind.__name__, name, repr(value)):
        assert word in str(error.value)


@pytest.mark.parametrize("value", [1, np.int64(1), np.float32(1), np.float64(1)], ids=repr)
def test_whole_numbers_and_numpys_are_settings_too(value):
    assert optim.SGD(value) == optim.SGD(1.0)
    assert type(optim.SGD(value).learning_rate) is float
    assert json.dumps(optim.SGD(value).to_json()) == json.dumps(optim.SGD(1.0).to_json())


@pytest.mark.parametrize(
    "ours", [*ONE_OF_EACH, *(ours for ours, _, _ in PAIRS), optim.Adam(uncorrected_epsilon=True)], ids=repr
)
def test_every_optimizer_comes_back_from_json_equal(ours):
    text = json.dumps(ours.to_json())
    assert optim.Optimizer.from_json(json.loads(text)) == ours


def test_json_with_a_bad_setting_is_refused_as_the_constructor_would():
    data = {**optim.Momentum(0.1).to_json(), "momentum": 2.0}
    with pytest.raises(ValueError, match="Momentum: momentum"):
        optim.Optimizer.from_json(data)


@pytest.mark.parametrize("data", [{"type": "Sdg", "learning_rate": 0.1}, {"type": "Dense", "units": 3}, 3, None])
def test_json_of_something_else_is_no_optimizer(data):
    with pytest.raises(ValueError):  # noqa: PT011
        optim.Optimizer.from_json(data)


def test_optimizers_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        optim.SGD(0.1).learning_rate = 0.2  # type: ignore[misc]


@pytest.mark.parametrize(("name", "kind"), optim.OPTIMIZERS.items())
def test_every_optimizer_is_found_by_name_with_settings(name, kind):
    assert optim.find_optimizer(name, learning_rate=0.25) == kind(learning_rate=0.25)


def test_an_unknown_optimizer_lists_those_there_are():
    with pytest.raises(ValueError, match=r"adamm.*sgd.*adam") as error:
        optim.find_optimizer("adamm")
    assert all(name in str(error.value) for name in optim.OPTIMIZERS)


def test_an_optimizer_of_ones_own_moves_parameters():
    @dataclasses.dataclass(frozen=True)
    class SignDescent(optim.Optimizer):
        def formula(self, g, slots):
            return slots.move(-(slots["learning_rate"] * dia.sign(g)))

    w = dia.variable(np.array([1.0, -1.0]), "w")
    _, state = dia.Program([], SignDescent(0.5).updates(w, 2 * w).next_values).run()
    np.testing.assert_array_equal(state[w], [0.5, -0.5])
