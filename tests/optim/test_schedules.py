"""Every schedule against PyTorch's scheduler, alone and in every optimizer's program on both engines."""

from __future__ import annotations

import dataclasses
import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import diaphane as dia
from diaphane import optim

torch = pytest.importorskip("torch")
schedulers = torch.optim.lr_scheduler

EPOCHS = 24


def lambda_lr(formula):
    return lambda o: schedulers.LambdaLR(o, formula)


# Ours, and PyTorch's on an optimizer whose rate is 1.
PAIRS: list[tuple[optim.Schedule, Any]] = [
    (optim.Constant(), lambda o: schedulers.ConstantLR(o, factor=1.0)),
    (optim.StepDecay(0.5, every=7), lambda o: schedulers.StepLR(o, 7, gamma=0.5)),
    (optim.StepDecay(0.1, every=3), lambda o: schedulers.StepLR(o, 3, gamma=0.1)),
    (optim.MultiStep((3, 4, 11), alpha=0.3), lambda o: schedulers.MultiStepLR(o, [3, 4, 11], gamma=0.3)),
    (optim.ExponentialDecay(0.07), lambda o: schedulers.ExponentialLR(o, gamma=math.exp(-0.07))),
    (optim.InverseTime(0.3, power=0.75), lambda_lr(lambda t: 1 / (1 + 0.3 * t) ** 0.75)),
    (optim.Polynomial(15), lambda o: schedulers.PolynomialLR(o, total_iters=15)),
    (optim.Polynomial(30, power=2.5), lambda o: schedulers.PolynomialLR(o, total_iters=30, power=2.5)),
    (optim.Polynomial(12, minimum=0.2), lambda o: schedulers.LinearLR(o, 1.0, end_factor=0.2, total_iters=12)),
    (optim.Cosine(24), lambda o: schedulers.CosineAnnealingLR(o, T_max=24)),
    (optim.Cosine(24, minimum=0.05), lambda o: schedulers.CosineAnnealingLR(o, T_max=24, eta_min=0.05)),
    (optim.Cosine(6, multiplier=1), lambda o: schedulers.CosineAnnealingWarmRestarts(o, 6)),
    (optim.Cosine(3, multiplier=2), lambda o: schedulers.CosineAnnealingWarmRestarts(o, 3, T_mult=2)),
    (
        optim.Cosine(2, multiplier=3, minimum=0.1),
        lambda o: schedulers.CosineAnnealingWarmRestarts(o, 2, T_mult=3, eta_min=0.1),
    ),
    (optim.Warmup(5, start=0.1), lambda o: schedulers.LinearLR(o, start_factor=0.1, total_iters=5)),
    (optim.OneCycle(24), lambda o: schedulers.OneCycleLR(o, max_lr=1.0, total_steps=24)),
    (
        optim.OneCycle(26, rise=0.45, divisor=10, final_divisor=50),
        lambda o: schedulers.OneCycleLR(
            o, max_lr=1.0, total_steps=26, pct_start=0.45, div_factor=10, final_div_factor=50
        ),
    ),
    (
        optim.Warmup(4, start=0.25).then(optim.Cosine(20), at=4),
        lambda o: schedulers.SequentialLR(
            o,
            [schedulers.LinearLR(o, start_factor=0.25, total_iters=4), schedulers.CosineAnnealingLR(o, T_max=20)],
            milestones=[4],
        ),
    ),
    (
        0.5 * optim.StepDecay(0.5, every=5) * optim.ExponentialDecay(0.1),
        lambda_lr(lambda t: 0.5 * 0.5 ** (t // 5) * math.exp(-0.1 * t)),
    ),
]
IDS = [str(ours) for ours, _ in PAIRS]
SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {}),
    "adagrad": ("Adagrad", {}),
    "adadelta": ("Adadelta", {}),
    "rmsprop": ("RMSprop", {}),
    "adam": ("Adam", {}),
    "amsgrad": ("Adam", {"amsgrad": True}),
    "adamw": ("AdamW", {}),
}
RATE = {"sgd": 0.02, "momentum": 0.01, "nesterov": 0.01, "adadelta": 1.0}
START = np.array([1.3, -0.7, 0.4])


def pytorchs(make: Any, count: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, found = make(optimizer), []
    for i in range(count):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if i < count - 1:
            scheduler.step()
    return found


def valley(m: Any, w: Any) -> Any:
    return (0.3 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2).sum()


def descend(optimizer: optim.Optimizer, engine: str, steps: int = 50, per_epoch: float = 5.0) -> np.ndarray:
    w = dia.variable(START, "w")
    u, v = w[:-1], w[1:]
    loss = dia.sum(0.3 * (v - u**2) ** 2 + (1 - u) ** 2)
    updates = optimizer.updates(w, dia.gradient(loss, [w])[0])
    program = dia.Program(loss, updates.next_values, engine=engine)
    state = program.initial_state()
    if "steps_per_epoch" in updates.hyperparameters:
        state = state.replace({updates.hyperparameters["steps_per_epoch"]: per_epoch})
    for _ in range(steps):
        _, state = program.run(state)
    return state[w]


def torch_descend(kind: str, settings: dict[str, Any], factors: np.ndarray, decay: float = 0.0) -> np.ndarray:
    w = torch.tensor(START, requires_grad=True)
    optimizer = getattr(torch.optim, kind)([w], **settings)
    scheduler = schedulers.LambdaLR(optimizer, lambda t: factors[min(t, len(factors) - 1)])
    for _ in range(len(factors)):
        optimizer.zero_grad()
        valley(torch, w).backward()
        with torch.no_grad():
            w *= 1 - optimizer.param_groups[0]["lr"] * decay
        optimizer.step()
        scheduler.step()
    return w.detach().numpy()


@pytest.mark.parametrize(("ours", "make"), PAIRS, ids=IDS)
def test_every_schedule_has_pytorchs_values(ours, make):
    np.testing.assert_allclose(ours.values(EPOCHS), pytorchs(make, EPOCHS), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize(("ours", "make"), PAIRS, ids=IDS)
def test_fifty_scheduled_steps_of_every_optimizer_are_pytorchs(ours, make, engine, name):
    rate = RATE.get(name, 0.05)
    kind, settings = SETTINGS[name]
    # PyTorch's own values, each for five steps: an epoch.
    factors = np.repeat(pytorchs(make, 10), 5)
    want = torch_descend(kind, {"lr": rate, **settings}, factors)
    decays = {} if name != "adamw" else {"weight_decay": 0.01}
    got = descend(optim.find_optimizer(name, learning_rate=rate, schedule=ours, **decays), engine)
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)
    assert np.abs(got - START).max() > 1e-3


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize(("ours", "make"), PAIRS, ids=IDS)
def test_momentum_under_a_schedule_keeps_each_steps_rate_in_its_velocity(ours, make, engine, nesterov):
    factors = np.repeat(pytorchs(make, 10), 5)
    w, velocity = START.copy(), np.zeros(3)
    for factor in factors:
        x = torch.tensor(w, requires_grad=True)
        valley(torch, x).backward()
        push = 0.01 * factor * x.grad.numpy()
        velocity = 0.9 * velocity - push
        w = w + (0.9 * velocity - push if nesterov else velocity)
    got = descend((optim.Nesterov if nesterov else optim.Momentum)(0.01, schedule=ours), engine)
    np.testing.assert_allclose(got, w, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "settings"), SETTINGS.items(), ids=SETTINGS)
@pytest.mark.parametrize("engine", ["reference", "native"])
def test_decoupled_decay_takes_the_scheduled_rate_times_lambda_of_the_parameters(name, settings, engine):
    kind, own = settings
    schedule = optim.ExponentialDecay(0.03, per="step")
    factors, rate = schedule.values(50), RATE.get(name, 0.05)
    own = {**own, "weight_decay": 0.0} if name == "adamw" else own
    want = torch_descend(kind, {"lr": rate, **own}, factors, decay=0.2)
    got = descend(optim.find_optimizer(name, learning_rate=rate, schedule=schedule, weight_decay=0.2), engine)
    np.testing.assert_allclose(got, want, rtol=1e-9)


@pytest.mark.parametrize("kind", optim.OPTIMIZERS.values(), ids=optim.OPTIMIZERS)
def test_without_schedule_and_decay_a_step_has_no_node_more(kind):
    def count(**settings):
        w = dia.variable(START, "w")
        found = kind(0.1, **settings).updates(w, 2 * w)
        return len(dia.ancestors(found.next_values.values())), {v.name for v in found.next_values}

    bare, names = count(weight_decay=0.0)
    assert not names & {"schedule_step"}
    assert bare == count(weight_decay=0.0, schedule=None, decay_biases=True)[0]
    assert bare < count(weight_decay=0.1)[0]
    assert bare < count(weight_decay=0.0, schedule=optim.StepDecay())[0]


@pytest.mark.parametrize("ours", [ours for ours, _ in PAIRS], ids=IDS)
def test_an_epoch_holds_its_factor_for_all_of_its_steps_and_a_step_does_not(ours):
    by_epoch = ours.values(8)
    np.testing.assert_allclose(ours.values(32, steps_per_epoch=4), np.repeat(by_epoch, 4), rtol=1e-12)
    if isinstance(ours, optim.TimedSchedule):
        by_step = dataclasses.replace(ours, per="step")
        np.testing.assert_allclose(by_step.values(8, steps_per_epoch=4), by_epoch, rtol=1e-12)


@pytest.mark.parametrize("ours", [ours for ours, _ in PAIRS], ids=IDS)
def test_every_schedule_comes_back_from_json_equal_alone_and_in_an_optimizer(ours):
    assert optim.Schedule.from_json(json.loads(json.dumps(ours.to_json()))) == ours
    optimizer = optim.Adam(0.1, schedule=ours, weight_decay=0.1, decay_biases=True)
    assert optim.Optimizer.from_json(json.loads(json.dumps(optimizer.to_json()))) == optimizer


@pytest.mark.parametrize("ours", [ours for ours, _ in PAIRS], ids=IDS)
def test_every_schedule_is_drawn_with_its_clock(ours):
    factor = ours.factor(dia.variable(3.0, "step"), dia.variable(1.0, "steps_per_epoch"))
    assert float(factor.value) == pytest.approx(ours.values(4)[3], rel=1e-12)
    assert ">step<" in dia.draw(factor).svg


@pytest.mark.parametrize("ours", [ours for ours, _ in PAIRS], ids=IDS)
def test_another_number_of_a_schedule_in_the_state_is_as_another_schedule(ours):
    """So that a search over a schedule's numbers plans one program."""
    plain = ours.with_default_numbers()
    assert plain == ours.with_default_numbers().with_default_numbers()
    np.testing.assert_array_equal(plain.values(12, numbers=ours.numbers()), ours.values(12))
    built, changed = optim.SGD(0.05, schedule=ours), optim.SGD(0.7).with_default_numbers()
    changed = dataclasses.replace(changed, schedule=plain)
    w = dia.variable(START, "w")
    found = changed.updates(w, 2 * w)
    program = dia.Program([], found.next_values)
    state = program.initial_state().replace({found.hyperparameters[n]: v for n, v in built.numbers().items()})
    for _ in range(6):
        _, state = program.run(state)
    closed = START * np.prod(1 - 2 * 0.05 * ours.values(6))
    np.testing.assert_allclose(state[w], closed, rtol=1e-12)


@pytest.mark.parametrize("period", [1, 2, 3, 7, 10])
@pytest.mark.parametrize("multiplier", [1, 1.5, 2, 3, 5])
def test_a_restart_comes_when_the_periods_before_it_are_over_and_never_a_step_off(period, multiplier):
    begun, span, want = Fraction(0), Fraction(period), []
    for t in range(3000):
        if t >= begun + span:
            begun, span = begun + span, span * Fraction(multiplier)
        want.append(0.5 * (1 + math.cos(math.pi * float((t - begun) / span))))
    np.testing.assert_allclose(optim.Cosine(period, multiplier=multiplier).values(3000), want, atol=1e-9)


def test_a_schedule_of_ones_own_trains_and_is_refused_where_it_turns_negative():
    @dataclasses.dataclass(frozen=True)
    class FallingLine(optim.TimedSchedule):
        slope: float = 0.25

        def formula(self, t, numbers):
            return 1 - numbers["slope"] * t

    np.testing.assert_array_equal(FallingLine().values(4), [1.0, 0.75, 0.5, 0.25])
    FallingLine().check(epochs=5, steps_per_epoch=3)
    with pytest.raises(optim.ScheduleError, match=r"negative \(-0.25\) from step 15 on, in epoch 6"):
        FallingLine().check(epochs=6, steps_per_epoch=3)
    with pytest.raises(optim.ScheduleError, match="negative"):
        FallingLine(slope=1e-6, per="step").check(epochs=2, steps_per_epoch=10**6)
    FallingLine(slope=1e-6, per="step").check(epochs=1, steps_per_epoch=10**6)

    @dataclasses.dataclass(frozen=True)
    class Logarithm(optim.TimedSchedule):
        def formula(self, t, numbers):
            return dia.log(2 - t)

    with pytest.raises(optim.ScheduleError, match="in epoch 3"):
        Logarithm().check(epochs=2, steps_per_epoch=1, first_step=1)
    with pytest.raises(optim.ScheduleError, match="not a finite number"):
        Logarithm().check(epochs=4, steps_per_epoch=1, first_step=3)


def trained(epochs=6, optimizer=None, rows=20, **settings):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 3))
    network = dia.nn.Network(dia.nn.Sequential([dia.nn.Dense(4, "tanh"), dia.nn.Dense(1)]), (3,), dtype="float64")
    trainer = dia.training.Trainer(
        network, "squared_error", optimizer, batch_size=8, epochs=epochs, random_state=0, **settings
    )
    return trainer, x, x[:, :1] ** 2


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_a_trainers_steps_follow_the_schedule_by_epochs_of_its_own_length(engine):
    trainer, x, y = trained(optimizer=optim.SGD(0.1, schedule=optim.StepDecay(0.5, every=2)), engine=engine)
    result = trainer.fit(x, y)
    by_hand, _, _ = trained(epochs=1, optimizer=optim.SGD(0.1), engine=engine)
    rng = np.random.default_rng(0)
    by_hand.random_state = rng
    step, order = by_hand.step_for(y, False), np.arange(20)
    state = step.initial_state(by_hand.network.initial_state(rng))
    for epoch in range(6):
        order = order[rng.permutation(20)]
        state = state.replace({step.hyperparameters["learning_rate"]: 0.1 * 0.5 ** (epoch // 2)})
        _, state = step.program.run_batches(state, step.data(x, y), order, 8)
    want = step.network_state(state)
    for got, expected in zip(result.state.values(), want.values(), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)
    np.testing.assert_allclose(result.history["learning_rate"], [0.1, 0.1, 0.05, 0.05, 0.025, 0.025])


def test_a_text_lasts_as_long_as_the_training():
    trainer, x, y = trained(epochs=5, optimizer=optim.SGD(0.1, schedule="warmup:2+cosine"))
    rates = trainer.fit(x, y).history["learning_rate"]
    want = 0.1 * optim.Warmup(2).then(optim.Cosine(3), at=2).values(5)
    np.testing.assert_allclose(rates, want, rtol=1e-12)


def test_a_negative_rate_is_refused_before_anything_is_learnt():
    @dataclasses.dataclass(frozen=True)
    class DownTo(optim.TimedSchedule):
        last: float = 3.0

        def formula(self, t, numbers):
            return 1 - t / numbers["last"]

    class Seen(dia.training.Callback):
        epochs = 0

        def on_epoch_end(self, run):
            Seen.epochs += 1

    trainer, x, y = trained(epochs=6, optimizer=optim.SGD(0.1, schedule=DownTo()), callbacks=[Seen()])
    with pytest.raises(optim.ScheduleError, match="negative"):
        trainer.fit(x, y)
    assert Seen.epochs == 0
    trainer.epochs = 4
    trainer.fit(x, y)


def test_going_on_from_a_result_goes_on_in_the_schedule():
    optimizer = optim.Adam(0.05, schedule=optim.ExponentialDecay(0.2))
    whole, x, y = trained(epochs=6, optimizer=optimizer, shuffle=False)
    half, _, _ = trained(epochs=3, optimizer=optimizer, shuffle=False)
    first = half.fit(x, y)
    second = half.fit(x, y, step_state=first.step_state, first_step=first.steps)
    want = whole.fit(x, y)
    assert first.history["learning_rate"] + second.history["learning_rate"] == want.history["learning_rate"]
    for got, expected in zip(second.state.values(), want.state.values(), strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("decay_biases", [False, True])
def test_weight_decay_leaves_biases_alone_unless_asked(decay_biases):
    optimizer = optim.SGD(0.5, weight_decay=0.1, decay_biases=decay_biases)
    layers = dia.nn.Sequential([dia.nn.Dense(4, "relu", bias_initializer=1.0), dia.nn.BatchNorm(), dia.nn.Dense(2)])
    network = dia.nn.Network(layers, (3,), dtype="float64")
    trainer = dia.training.Trainer(
        network, lambda output, y: 0 * dia.sum(output, axis=1), optimizer, batch_size=5, epochs=2, random_state=0
    )
    start = network.initial_state(np.random.default_rng(0))
    result = trainer.fit(np.ones((5, 3)), np.zeros(5), state=start)
    for parameter in network.parameters:
        moved = parameter.ndim > 1 or decay_biases
        want = start[parameter] * ((1 - 0.05) ** 2 if moved else 1)
        np.testing.assert_allclose(result.state[parameter], want, rtol=1e-12, err_msg=parameter.name)


TEXTS: list[tuple[str, optim.Schedule]] = [
    ("constant", optim.Constant()),
    ("step:0.5,10", optim.StepDecay(0.5, every=10)),
    ("step", optim.StepDecay(0.1, every=7)),
    ("step:every=4,alpha=0.9,per=step", optim.StepDecay(0.9, every=4, per="step")),
    ("multistep", optim.MultiStep((10, 15), alpha=0.1)),
    ("multistep:3,8,alpha=0.5", optim.MultiStep((3, 8), alpha=0.5)),
    ("exponential:0.05", optim.ExponentialDecay(0.05)),
    ("exponential:1e-3,per=step", optim.ExponentialDecay(0.001, per="step")),
    ("inverse:0.1,0.75", optim.InverseTime(0.1, power=0.75)),
    ("polynomial:power=2", optim.Polynomial(20, power=2)),
    ("cosine", optim.Cosine(20)),
    ("COSINE:5,2", optim.Cosine(5, multiplier=2)),
    ("onecycle", optim.OneCycle(20)),
    ("warmup:5 + cosine", optim.Warmup(5).then(optim.Cosine(15), at=5)),
    ("constant@10+exponential:0.05", optim.Constant().then(optim.ExponentialDecay(0.05), at=10)),
    (
        "warmup:2+constant@8+polynomial",
        optim.Warmup(2).then(optim.Constant().then(optim.Polynomial(10), at=8), at=2),
    ),
    ("0.5*cosine", optim.Product(optim.Constant(0.5), optim.Cosine(20))),
    ("1e+1*constant", optim.Product(optim.Constant(10.0), optim.Constant())),
]


@pytest.mark.parametrize(("text", "want"), TEXTS, ids=[text for text, _ in TEXTS])
def test_a_text_is_read_as_the_schedule_that_it_names(text, want):
    assert optim.find_schedule(text, total=20) == want
    np.testing.assert_array_equal(optim.find_schedule(text, total=20).values(20), want.values(20))


@pytest.mark.parametrize("name", optim.SCHEDULES)
def test_every_name_alone_gives_a_schedule_that_is_sound_for_the_whole_training(name):
    for total in (2, 3, 10, 100):
        found = optim.find_schedule(name, total=total)
        found.check(total, 7)
        assert found.values(total).max() <= 1


BAD: list[tuple[Any, str]] = [
    ("cosin", "did you mean 'cosine'"),
    ("exponental:0.1", "did you mean 'exponential'"),
    ("step:0,10", "StepDecay: alpha must lie between 0 and 1, ends excluded, got 0.0"),
    ("step:1.0,10", "between 0 and 1"),
    ("step:0.5,0", "every must be greater than 0"),
    ("step:0.5,ten", "'ten' should be a number"),
    ("step:0.5,1,2", "'2' is one too many"),
    ("exponential:-0.1", "alpha must be greater than 0"),
    ("exponential:alpa=3", "did you mean 'alpha'"),
    ("cosine:0", "period must be greater than 0"),
    ("cosine:5,0.5", "multiplier must be at least 1"),
    ("cosine:per=step", "in steps"),
    ("cosine:per=epok", "did you mean 'epoch'"),
    ("-0.5*cosine", "value must be greater than 0"),
    ("warmup:30+cosine", "nothing is left of 20 epochs"),
    ("exponential+cosine", "how long does 'exponential' last"),
    ("constant@0+cosine", "more than 0 epochs"),
    ("cosine+", "something is missing beside '+'"),
    ("", "something is missing"),
    ("onecycle:1", "length must be at least 2"),
    ("multistep:5,3", "numbers that rise"),
    ("warmup:nan", "finite"),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=[str(text) for text, _ in BAD])
def test_a_text_that_makes_no_sense_is_refused_with_what_is_wrong(text, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011  the message is what is looked at
        optim.find_schedule(text, total=20)
    assert message in str(error.value)
    if "left" not in message:
        with pytest.raises(ValueError):  # noqa: PT011
            optim.SGD(0.1, schedule=text)


@pytest.mark.parametrize("make", [
    lambda: optim.Constant(-1.0),
    lambda: optim.StepDecay("a lot"),
    lambda: optim.StepDecay(True),
    lambda: optim.Cosine(5, multiplier="two"),
    lambda: optim.Cosine(5, minimum=-0.1),
    lambda: optim.MultiStep(()),
    lambda: optim.MultiStep(("a",)),
    lambda: optim.Warmup(0),
    lambda: optim.Warmup(5, start=2.0),
    lambda: optim.Polynomial(float("inf")),
    lambda: optim.OneCycle(10, divisor=0.5),
    lambda: optim.Warmup(5).then(optim.Cosine(5), at=0),
    lambda: optim.Warmup(5).then(optim.Cosine(5), at=1, per="steps"),
    lambda: optim.StepDecay(0.5, 3, per="batch"),
    lambda: -1 * optim.Cosine(5),
    lambda: optim.SGD(0.1, decay_biases="no"),
])  # fmt: skip
def test_a_bad_number_is_refused_where_it_is_given(make):
    with pytest.raises(ValueError, match="must"):
        make()


@pytest.mark.parametrize(
    "make",
    [lambda: optim.SGD(0.1, schedule=0.5), lambda: optim.Product(optim.Cosine(3), 2), lambda: optim.Cosine(3) * "a"],
)
def test_what_is_no_schedule_is_refused(make):
    with pytest.raises(TypeError):
        make()


def test_a_text_that_needs_the_number_of_epochs_says_so():
    with pytest.raises(ValueError, match=r"cosine needs its period \(cosine:period=…\), or the number of epochs"):
        optim.find_schedule("cosine")
