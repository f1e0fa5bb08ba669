"""The decay on a plateau against PyTorch's, epoch by epoch."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import diaphane as dia
from diaphane.training import ReduceOnPlateau

torch = pytest.importorskip("torch")


class Run:
    """What the callback sees of a run: a history and a rate."""

    def __init__(self, rate: float) -> None:
        self.history, self.rate, self.epoch = dia.training.History(), rate, 0

    def hyperparameter(self, name: str) -> float:
        assert name == "learning_rate"
        return self.rate

    def set_hyperparameter(self, name: str, value: float) -> None:
        assert name == "learning_rate"
        self.rate = value


def rates(callback: ReduceOnPlateau, name: str, values: Any, rate: float = 1.0) -> list[float]:
    run, found = Run(rate), []
    callback.on_fit_start(run)  # type: ignore[arg-type]
    for value in values:
        run.epoch += 1
        run.history.append({"epoch": run.epoch, name: value})
        callback.on_epoch_end(run)  # type: ignore[arg-type]
        found.append(run.rate)
    return found


def pytorchs_rates(values: Any, **settings: Any) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, eps=0.0, **settings)
    found = []
    for value in values:
        scheduler.step(value)
        found.append(optimizer.param_groups[0]["lr"])
    return found


def curve(seed: int, mode: str) -> np.ndarray:
    rng = np.random.default_rng(seed)
    falling = 0.2 + np.exp(-np.arange(60) / 8) + 0.02 * rng.random(60)
    return falling if mode == "min" else 2 - falling


SETTINGS: list[dict[str, Any]] = [
    {"patience": 3},
    {"patience": 0, "factor": 0.9},
    {"patience": 2, "factor": 0.5, "cooldown": 4},
    {"patience": 2, "factor": 0.5, "threshold": 0.05},
    {"patience": 2, "factor": 0.5, "threshold": 0.01, "threshold_mode": "abs"},
    {"patience": 1, "factor": 0.3, "min_lr": 0.02},
]


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_rate_goes_down_when_pytorchs_does(settings, mode):
    ours = {
        "patience": settings["patience"],
        "alpha": settings.get("factor", 0.1),
        "cooldown": settings.get("cooldown", 0),
        "threshold": settings.get("threshold", 1e-4),
        "relative": settings.get("threshold_mode", "rel") == "rel",
        "min_rate": settings.get("min_lr", 0.0),
    }
    name = {"min": "validation_loss", "max": "validation_accuracy"}[mode]
    for seed in range(5):
        values = curve(seed, mode)
        want = pytorchs_rates(values, mode=mode, **settings)
        np.testing.assert_allclose(rates(ReduceOnPlateau(name, **ours), name, values), want, rtol=1e-12)
        assert want[-1] < 1


def test_a_loss_must_fall_and_a_score_must_rise():
    rising = np.linspace(0.1, 0.9, 10)
    assert rates(ReduceOnPlateau("validation_accuracy", patience=1), "validation_accuracy", rising)[-1] == 1.0
    assert rates(ReduceOnPlateau("validation_loss", patience=1), "validation_loss", rising)[-1] < 1.0
    assert rates(ReduceOnPlateau("validation_loss", patience=1, mode="max"), "validation_loss", rising)[-1] == 1.0


def test_a_negative_loss_that_stands_still_is_a_plateau():
    assert rates(ReduceOnPlateau("loss", patience=2, threshold=0.01), "loss", [-5.0] * 6)[-1] < 1.0
    assert rates(ReduceOnPlateau("loss", patience=2), "loss", -np.linspace(1, 2, 6))[-1] == 1.0


def test_nan_is_no_improvement():
    assert rates(ReduceOnPlateau("loss", patience=2), "loss", [1.0, *[float("nan")] * 3])[-1] == pytest.approx(0.1)
    assert rates(ReduceOnPlateau("loss", patience=2), "loss", [float("nan")] * 3)[-1] == pytest.approx(0.1)


@pytest.mark.parametrize("cut", [1, 7, 20, 41])
def test_what_it_keeps_goes_through_json_and_on_as_if_nothing_had_been(cut):
    values = curve(0, "min")
    settings: dict[str, Any] = {"monitor": "loss", "alpha": 0.5, "patience": 2, "cooldown": 3}
    whole, one, other = (ReduceOnPlateau(**settings) for _ in range(3))
    want = rates(whole, "loss", values)
    first = rates(one, "loss", values[:cut])
    plain, arrays = one.to_state()
    run = Run(first[-1])
    other.on_fit_start(run)  # type: ignore[arg-type]
    other.from_state(json.loads(json.dumps(plain)), arrays)
    for value in values[cut:]:
        run.history.append({"loss": value})
        run.epoch += 1
        other.on_epoch_end(run)  # type: ignore[arg-type]
        first.append(run.rate)
    assert first == want


def trainer_of(callback: ReduceOnPlateau, optimizer: dia.optim.Optimizer) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 2))
    network = dia.nn.Network(dia.nn.Dense(1), (2,), dtype="float64")
    trainer = dia.training.Trainer(
        network, "squared_error", optimizer, epochs=60, batch_size=10, callbacks=[callback], random_state=0
    )
    return trainer, x, np.abs(x[:, :1])


def test_a_training_has_the_rates_that_pytorch_gives_its_losses():
    callback = ReduceOnPlateau("loss", alpha=0.5, patience=4)
    trainer, x, y = trainer_of(callback, dia.optim.SGD(0.2))
    history = trainer.fit(x, y).history
    want = pytorchs_rates(history["loss"], factor=0.5, patience=4)
    np.testing.assert_allclose(history["learning_rate"][1:], 0.2 * np.array(want[:-1]), rtol=1e-12)
    assert len(callback.reductions) > 3
    assert [history["learning_rate"][epoch] for epoch in callback.reductions[:2]] == [0.1, 0.05]


def test_under_a_schedule_the_factor_multiplies_what_the_plateau_left():
    callback = ReduceOnPlateau("loss", alpha=0.5, patience=4)
    schedule = dia.optim.ExponentialDecay(0.01)
    trainer, x, y = trainer_of(callback, dia.optim.SGD(0.2, schedule=schedule))
    history = trainer.fit(x, y).history
    want = pytorchs_rates(history["loss"], factor=0.5, patience=4)
    got = np.array(history["learning_rate"][1:]) / schedule.values(60)[1:]
    np.testing.assert_allclose(got, 0.2 * np.array(want[:-1]), rtol=1e-12)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"alpha": 0.0}, ValueError),
        ({"alpha": 1.0}, ValueError),
        ({"alpha": -0.5}, ValueError),
        ({"alpha": "half"}, ValueError),
        ({"patience": -1}, ValueError),
        ({"patience": 1.5}, TypeError),
        ({"cooldown": -1}, ValueError),
        ({"threshold": -1.0}, ValueError),
        ({"min_rate": float("nan")}, ValueError),
        ({"mode": "up"}, ValueError),
    ],
    ids=str,
)
def test_bad_settings_are_refused_by_name(settings, error):
    with pytest.raises(error, match=next(iter(settings))):
        ReduceOnPlateau(**settings)


def test_a_value_that_is_not_recorded_is_refused_with_those_that_are():
    trainer, x, y = trainer_of(ReduceOnPlateau("validation_loss"), dia.optim.SGD(0.2))
    with pytest.raises(ValueError, match=r"validation_loss.*it has: epoch, loss"):
        trainer.fit(x, y)
