"""Runs to judge a diagnosis in words by: thirteen kinds of trouble, and health, each with sizes and tasks that vary.

What a run suffers from is fixed by how it is made, never by what is then found. Every task has the rule that made its
targets, so that a run can be confirmed against the truth on fresh rows: a run built to overfit that lost nothing is no
example of it, and one built to be healthy that is far from its rule is none of health. Those are not counted, and their
number is printed.

*Skill* is 1 − error/error of a constant: of wrong answers for classes, of squares for numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from diaphane.estimators import MLPClassifier, MLPRegressor
from diaphane.training import DivergenceError

__all__ = ["EXPECTED", "KINDS", "Case", "draw"]

Array = np.ndarray
FRESH = 2000


@dataclass(frozen=True)
class Task:
    """Rows, and the rule that made their targets.

    `score` gives one number a row and class (classification) or a row (regression); `spread` is the noise on it.
    """

    name: str
    inputs: int
    place: Callable[[np.random.Generator, int], Array]
    score: Callable[[Array], Array]
    spread: float
    classes: int = 0

    def rows(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        x = self.place(rng, n)
        return x, self.targets(rng, x)

    def targets(self, rng: np.random.Generator, x: Array) -> Array:
        score = self.score(x)
        noisy = score + self.spread * rng.standard_normal(score.shape)
        return noisy.argmax(1) if self.classes else noisy

    def rule(self, x: Array) -> Array:
        """The best prediction there is."""
        score = self.score(x)
        return score.argmax(1) if self.classes else score


@dataclass(frozen=True)
class Case:
    """One run: what it is built for, and all that `diagnose` takes."""

    kind: str
    words: str
    estimator: Any
    x: Array
    y: Array
    validation: tuple[Array, Array] | None
    confirmed: Callable[[Any], bool] = field(repr=False, default=lambda model: True)

    def fitted(self) -> Any:
        """The estimator, fitted as a user would have done."""
        return fit(self.estimator, self.x, self.y)


def fit(estimator: Any, x: Array, y: Array) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            return estimator.fit(x, y)
        except DivergenceError:
            return estimator


def draw(kind: str, seed: int) -> Case:
    """The case of a kind that a seed gives."""
    rng = np.random.default_rng([list(KINDS).index(kind), seed])
    return KINDS[kind](rng, seed)


def skill(task: Task, predicted: Array, y: Array) -> float:
    if task.classes:
        return float(1 - np.mean(predicted != y) / (1 - np.bincount(y.astype(int)).max() / len(y)))
    return float(1 - np.mean((predicted - y) ** 2) / y.var())


# Tasks.


def _normal(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.standard_normal((n, d))


def _linear(rng: np.random.Generator, d: int, classes: int, spread: float, useful: int | None = None) -> Task:
    w = rng.standard_normal((d, classes or 1))
    w[useful or d :] = 0
    w /= np.linalg.norm(w, axis=0)
    return Task(
        f"linear {useful or d} of {d}",
        d,
        lambda r, n: _normal(r, n, d),
        (lambda x: x @ w) if classes else (lambda x: (x @ w)[:, 0]),
        spread,
        classes,
    )


def _teacher(rng: np.random.Generator, d: int, units: int, classes: int, spread: float) -> Task:
    """A network of tanh with random weights; scores have variance 1."""
    w, b = rng.standard_normal((d, units)) * 2 / np.sqrt(d), rng.standard_normal(units) * 0.5
    v = rng.standard_normal((units, classes or 1))
    probe = np.tanh(_normal(rng, 4000, d) @ w + b) @ v
    mean, sd = probe.mean(0), probe.std(0)

    def score(x: Array) -> Array:
        found = (np.tanh(x @ w + b) @ v - mean) / sd
        return found if classes else found[:, 0]

    return Task(f"teacher of {units} in {d}", d, lambda r, n: _normal(r, n, d), score, spread, classes)


def _products(rng: np.random.Generator, classes: int) -> Task:
    """Pairs of features that tell nothing alone: many rows are needed to find which go together."""
    pairs, extra = int(rng.integers(2, 4)), int(rng.integers(0, 4))
    d = 2 * pairs + extra

    def score(x: Array) -> Array:
        found = sum(x[:, 2 * i] * x[:, 2 * i + 1] for i in range(pairs)) / np.sqrt(pairs)
        return np.stack([-found, found], 1) if classes else found

    return Task(f"{pairs} products in {d}", d, lambda r, n: _normal(r, n, d), score, 0.15, classes)


def _rings(rng: np.random.Generator, spread: float) -> Task:
    radii = np.sort(rng.uniform(0.8, 2.0, 2))
    radii[1] += 0.8
    extra = int(rng.integers(0, 3))

    def score(x: Array) -> Array:
        r = np.linalg.norm(x[:, :2], axis=1)
        inside = (r > radii[0]) & (r < radii[1])
        return np.where(inside[:, None], [0.0, 1.0], [1.0, 0.0])

    return Task("rings", 2 + extra, lambda r, n: 1.6 * _normal(r, n, 2 + extra), score, spread, 2)


def _checker(rng: np.random.Generator, spread: float) -> Task:
    pitch = float(rng.uniform(1.2, 2.0))

    def score(x: Array) -> Array:
        odd = (np.floor(x[:, 0] / pitch) + np.floor(x[:, 1] / pitch)) % 2
        return np.stack([1 - odd, odd], 1)

    return Task("checker", 2, lambda r, n: r.uniform(-2, 2, (n, 2)), score, spread, 2)


def _waves(rng: np.random.Generator, spread: float) -> Task:
    d, pace = int(rng.integers(1, 4)), float(rng.uniform(1.5, 3))

    def score(x: Array) -> Array:
        return np.sqrt(2) * np.sin(pace * x[:, 0]) + (0.5 * x[:, 1:] ** 2).sum(1)

    return Task(f"waves in {d}", d, lambda r, n: r.uniform(-2, 2, (n, d)), score, spread)


def _blobs(rng: np.random.Generator, apart: float) -> Task:
    """Normal classes around centres at least so many deviations apart."""
    d, k = int(rng.integers(2, 8)), int(rng.integers(2, 5))
    centres = rng.standard_normal((200, d)) * apart
    kept = [centres[0]]
    for c in centres[1:]:
        if len(kept) < k and min(np.linalg.norm(c - other) for other in kept) >= apart:
            kept.append(c)
    means = np.array(kept)

    def place(r: np.random.Generator, n: int) -> Array:
        return means[r.integers(len(means), size=n)] + _normal(r, n, d)

    def score(x: Array) -> Array:
        a = -((x[:, None, :] - means) ** 2).sum(2) / 2
        # Gumbel noise of these would draw from the posterior; normal noise of like spread is near it.
        return a

    return Task(f"{len(means)} blobs in {d}", d, place, score, 1.0, len(means))


def _curved(rng: np.random.Generator) -> Task:
    """A task that no straight line solves, and that a few hundred rows are enough for."""
    spread = float(rng.uniform(0, 0.25))
    which = int(rng.integers(3))
    return [_rings, _checker, _waves][which](rng, spread)


def _easy(rng: np.random.Generator) -> Task:
    """A task that a few hundred rows are enough for, with some noise that no rule foresees."""
    which = int(rng.integers(5))
    if which == 0:
        return _linear(rng, int(rng.integers(2, 9)), int(rng.choice([0, 2, 3])), float(rng.uniform(0.05, 0.7)))
    if which == 1:
        return _rings(rng, float(rng.uniform(0, 0.3)))
    if which == 2:
        return _waves(rng, float(rng.uniform(0.05, 0.6)))
    if which == 3:
        return _blobs(rng, float(rng.uniform(2, 5)))
    return _teacher(rng, int(rng.integers(2, 5)), int(rng.integers(2, 5)), int(rng.choice([0, 2])), 0.2)


# Estimators.


def _mlp(task: Task, **settings: Any) -> Any:
    return (MLPClassifier if task.classes else MLPRegressor)(**settings)


def _scaled(rng: np.random.Generator, model: Any) -> Any:
    return make_pipeline(StandardScaler(), model) if rng.random() < 0.4 else model


def _sane(rng: np.random.Generator, task: Task, seed: int, **more: Any) -> Any:
    """A network as one would choose it for a small table."""
    settings = {
        "hidden_layer_sizes": [(32,), (64,), (32, 32), (100,)][int(rng.integers(4))],
        "activation": str(rng.choice(["relu", "relu", "tanh"])),
        "alpha": float(rng.choice([1e-4, 1e-2, 0.1, 1.0])),
        "learning_rate_init": float(rng.choice([0.003, 0.01])),
        "batch_size": int(rng.choice([32, 64])),
        "max_iter": int(rng.choice([100, 200])),
        "random_state": seed,
        **more,
    }
    if settings["alpha"] < 0.1:
        settings["early_stopping"] = True
        settings["n_iter_no_change"] = 20
    return _scaled(rng, _mlp(task, **settings))


def _other(rng: np.random.Generator, task: Task, seed: int) -> Any:
    """Another of scikit-learn's estimators that suits the task."""
    straight = task.name.startswith(("linear", "blobs")) or "blobs" in task.name
    if task.classes:
        found = [HistGradientBoostingClassifier(max_iter=60), RandomForestClassifier(60, min_samples_leaf=3), SVC()]
        found += [LogisticRegression(max_iter=500)] if straight else []
    else:
        found = [HistGradientBoostingRegressor(max_iter=60)]
        found += [Ridge(), LinearRegression()] if straight else []
    model = found[int(rng.integers(len(found)))]
    return model.set_params(random_state=seed) if "random_state" in model.get_params() else model


# Cases.


def _split(
    rng: np.random.Generator, task: Task, n: int, held: int | None = None, given: float = 0.7
) -> tuple[Array, Array, tuple[Array, Array] | None]:
    x, y = task.rows(rng, n)
    validation = task.rows(rng, held or max(150, n // 2)) if rng.random() < given else None
    if validation is None:
        more = task.rows(rng, n // 3)
        x, y = np.concatenate([x, more[0]]), np.concatenate([y, more[1]])
    return x, y, validation


def _fresh(task: Task, seed: int) -> tuple[Array, Array]:
    return task.rows(np.random.default_rng([99, seed]), FRESH)


def _truths(task: Task, model: Any, x: Array, y: Array, seed: int) -> tuple[float, float, float, float]:
    """Skill of the model and of the rule, on the rows learnt from and on fresh ones."""
    fx, fy = _fresh(task, seed)
    with np.errstate(all="ignore"):
        return (
            skill(task, model.predict(x), y),
            skill(task, model.predict(fx), fy),
            skill(task, task.rule(x), y),
            skill(task, task.rule(fx), fy),
        )


def _confirm(task: Task, x: Array, y: Array, seed: int, test: Callable[[float, float, float, float], bool]) -> Any:
    def confirmed(model: Any) -> bool:
        found = _truths(task, model, x, y, seed)
        return test(*[v if np.isfinite(v) else -1e9 for v in found])

    return confirmed


def _healthy(rng: np.random.Generator, seed: int) -> Case:
    task = _easy(rng)
    x, y, validation = _split(rng, task, int(rng.integers(400, 1000)))
    model = _sane(rng, task, seed) if rng.random() < 0.75 else _other(rng, task, seed)
    test = _confirm(task, x, y, seed, lambda learnt, got, best_learnt, best: got >= best - 0.1)
    return Case("healthy", f"{task.name}, {x.shape}, {model}", model, x, y, validation, test)


def _underfit_small(rng: np.random.Generator, seed: int) -> Case:
    task = _curved(rng)
    x, y, validation = _split(rng, task, int(rng.integers(300, 900)))
    if rng.random() < 0.3:
        model: Any = LogisticRegression() if task.classes else LinearRegression()
    else:
        units = int(rng.integers(1, 3))
        model = _scaled(
            rng,
            _mlp(task, hidden_layer_sizes=(units,), learning_rate_init=0.02, batch_size=32, max_iter=200,
                 activation=str(rng.choice(["relu", "tanh"])), random_state=seed),
        )  # fmt: skip
    test = _confirm(task, x, y, seed, lambda learnt, got, bl, best: bl - learnt >= 0.2 and best - got >= 0.2)
    return Case("underfit_small", f"{task.name}, {x.shape}, {model}", model, x, y, validation, test)


def _underfit_penalty(rng: np.random.Generator, seed: int) -> Case:
    task = _curved(rng) if rng.random() < 0.6 else _easy(rng)
    x, y, validation = _split(rng, task, int(rng.integers(300, 900)))
    how = str(rng.choice(["alpha", "alpha", "max_norm", "l1"]))
    value = {
        "alpha": 10 ** rng.uniform(2, 3.3),
        "max_norm": 10 ** rng.uniform(-1.5, -0.7),
        "l1": 10 ** rng.uniform(-1.0, 0.5),
    }[how]
    model = _sane(rng, task, seed, **{"alpha": 1.0, how: float(value)})
    test = _confirm(task, x, y, seed, lambda learnt, got, bl, best: bl - learnt >= 0.2 and best - got >= 0.2)
    words = f"{how}={value:.3g}, {task.name}, {x.shape}"
    return Case("underfit_penalty", words, model, x, y, validation, test)


def _overfit(rng: np.random.Generator, seed: int) -> Case:
    d, useful = int(rng.integers(15, 60)), int(rng.integers(2, 6))
    task = _linear(rng, d, int(rng.choice([0, 2, 2])), float(rng.uniform(0.4, 0.8)), useful)
    x, y, validation = _split(rng, task, int(rng.integers(120, 350)), 300)
    if task.classes and rng.random() < 0.2:
        model: Any = DecisionTreeClassifier(random_state=seed)
    else:
        wide = int(rng.integers(100, 300))
        model = _scaled(
            rng,
            _mlp(task, hidden_layer_sizes=[(wide,), (wide // 2, wide // 2)][int(rng.integers(2))], alpha=0.0, tol=0.0,
                 learning_rate_init=0.005, batch_size=32, max_iter=150, n_iter_no_change=1000, random_state=seed),
        )  # fmt: skip
    test = _confirm(task, x, y, seed, lambda learnt, got, bl, best: learnt - got >= 0.25 and best - got >= 0.15)
    return Case("overfit", f"{task.name}, {x.shape}, {model}", model, x, y, validation, test)


def _rate_large(rng: np.random.Generator, seed: int) -> Case:
    task = _easy(rng)
    x, y, validation = _split(rng, task, int(rng.integers(300, 900)))
    how = str(rng.choice(["adam", "sgd", "rmsprop"]))
    rate = float(10 ** (rng.uniform(-0.3, 1) if how != "sgd" else rng.uniform(0.3, 2)))
    depth = int(rng.integers(1, 4))
    model = _scaled(
        rng,
        _mlp(task, hidden_layer_sizes=(int(rng.integers(16, 80)),) * depth, solver=how, learning_rate_init=rate,
             activation=str(rng.choice(["relu", "tanh"])), batch_size=32, max_iter=100, random_state=seed),
    )  # fmt: skip
    test = _confirm(task, x, y, seed, lambda learnt, got, bl, best: bl - learnt >= 0.15 and best - got >= 0.15)
    return Case("rate_large", f"{how} {rate:.3g}, {task.name}, {x.shape}", model, x, y, validation, test)


def _rate_small(rng: np.random.Generator, seed: int) -> Case:
    task = _easy(rng)
    x, y, validation = _split(rng, task, int(rng.integers(300, 900)))
    how = str(rng.choice(["adam", "sgd"]))
    rate = float(10 ** (rng.uniform(-6, -4.5) if how == "adam" else rng.uniform(-6, -4)))
    model = _scaled(
        rng,
        _mlp(task, hidden_layer_sizes=(int(rng.integers(16, 80)),) * int(rng.integers(1, 3)), solver=how,
             learning_rate_init=rate, activation=str(rng.choice(["relu", "tanh"])), batch_size=32,
             max_iter=int(rng.choice([50, 100, 200])), random_state=seed),
    )  # fmt: skip
    test = _confirm(task, x, y, seed, lambda learnt, got, bl, best: bl - learnt >= 0.2 and best - got >= 0.2)
    return Case("rate_small", f"{how} {rate:.3g}, {task.name}, {x.shape}", model, x, y, validation, test)


def _vanishing(rng: np.random.Generator, seed: int) -> Case:
    task = _curved(rng) if rng.random() < 0.7 else _easy(rng)
    x, y, validation = _split(rng, task, int(rng.integers(300, 800)))
    depth = int(rng.integers(6, 11))
    model = _scaled(
        rng,
        _mlp(task, hidden_layer_sizes=(int(rng.integers(10, 40)),) * depth, activation="logistic",
             solver=str(rng.choice(["adam", "sgd"])), learning_rate_init=float(rng.choice([0.001, 0.003, 0.01])),
             weight_init=str(rng.choice(["glorot_uniform", "lecun_normal"])), batch_size=64, max_iter=60,
             random_state=seed),
    )  # fmt: skip
    test = _confirm(task, x, y, seed, lambda learnt, got, bl, best: bl - learnt >= 0.2 and best - got >= 0.2)
    return Case("vanishing", f"{depth} sigmoids, {task.name}, {x.shape}", model, x, y, validation, test)


def _little_data(rng: np.random.Generator, seed: int) -> Case:
    task = _products(rng, int(rng.choice([0, 2])))
    x, y, validation = _split(rng, task, int(rng.integers(18, 32)) * task.inputs // 2, 300)
    model = _scaled(
        rng,
        _mlp(task, hidden_layer_sizes=(int(rng.integers(32, 100)),), alpha=float(rng.choice([0.03, 0.1, 0.3])),
             activation=str(rng.choice(["relu", "tanh"])), learning_rate_init=0.01, batch_size=16, max_iter=150,
             random_state=seed),
    )  # fmt: skip

    def confirmed(found: Any) -> bool:
        """Ten times the rows make it better, by the rule's own account."""
        fx, fy = _fresh(task, seed)
        mx, my = task.rows(np.random.default_rng([98, seed]), 9 * len(x))
        more = fit(clone(found), np.concatenate([x, mx]), np.concatenate([y, my]))
        got, then = skill(task, found.predict(fx), fy), skill(task, more.predict(fx), fy)
        return skill(task, task.rule(fx), fy) - got >= 0.2 and then - got >= 0.15

    return Case("little_data", f"{task.name}, {x.shape}", model, x, y, validation, confirmed)


def _noise_labels(rng: np.random.Generator, seed: int) -> Case:
    which = int(rng.integers(3))
    task = [
        lambda: _blobs(rng, float(rng.uniform(4, 6))),
        lambda: _linear(rng, int(rng.integers(2, 6)), 2, float(rng.uniform(0, 0.15))),
        lambda: _rings(rng, 0.05),
    ][which]()
    x, y, validation = _split(rng, task, int(rng.integers(300, 900)))
    share = float(rng.uniform(0.12, 0.3))

    def flipped(labels: Array) -> Array:
        other = (labels + rng.integers(1, task.classes, len(labels))) % task.classes
        return np.where(rng.random(len(labels)) < share, other, labels)

    y = flipped(y)
    validation = None if validation is None else (validation[0], flipped(validation[1]))
    model = _sane(rng, task, seed)
    return Case("noise_labels", f"{share:.2f} flipped, {task.name}, {x.shape}", model, x, y, validation)


def _noise_targets(rng: np.random.Generator, seed: int) -> Case:
    spread = float(rng.uniform(0.05, 0.25))
    task = [
        lambda: _linear(rng, int(rng.integers(2, 8)), 0, spread),
        lambda: _waves(rng, spread),
        lambda: _teacher(rng, int(rng.integers(2, 4)), 3, 0, spread),
    ][int(rng.integers(3))]()
    x, y, validation = _split(rng, task, int(rng.integers(300, 900)))
    share = float(rng.uniform(0.06, 0.2))

    def swapped(targets: Array) -> Array:
        hit = np.flatnonzero(rng.random(len(targets)) < share)
        found = targets.copy()
        found[hit] = targets[rng.permutation(hit)]
        return found

    y = swapped(y)
    validation = None if validation is None else (validation[0], swapped(validation[1]))
    model = _sane(rng, task, seed)
    return Case("noise_targets", f"{share:.2f} swapped, {task.name}, {x.shape}", model, x, y, validation)


def _leak_feature(rng: np.random.Generator, seed: int) -> Case:
    task = [
        lambda: _linear(rng, int(rng.integers(3, 9)), int(rng.choice([0, 2, 3])), float(rng.uniform(0.5, 1.0))),
        lambda: _teacher(rng, int(rng.integers(3, 8)), 4, int(rng.choice([0, 2])), 0.6),
        lambda: _rings(rng, 0.5),
    ][int(rng.integers(3))]()
    x, y, validation = _split(rng, task, int(rng.integers(300, 900)))
    place, scale, bent = int(rng.integers(x.shape[1] + 1)), float(rng.uniform(0.3, 3)), bool(rng.random() < 0.4)

    def leaking(rows: Array, targets: Array) -> Array:
        told = targets / max(np.std(y), 1e-9)
        told = np.arcsinh(2 * told) if bent else told
        told = scale * told + 0.02 * scale * rng.standard_normal(len(told))
        return np.insert(rows, place, told, axis=1)

    x, validation = leaking(x, y), None if validation is None else (leaking(*validation), validation[1])
    model = _sane(rng, task, seed)
    return Case("leak_feature", f"column {place} of {x.shape}, {task.name}", model, x, y, validation)


def _leak_rows(rng: np.random.Generator, seed: int) -> Case:
    task = _easy(rng)
    x, y, validation = _split(rng, task, int(rng.integers(300, 800)))
    share = float(rng.uniform(0.15, 0.6))
    if validation is None:
        again = rng.choice(len(x), int(share * len(x)))
        x, y = np.concatenate([x, x[again]]), np.concatenate([y, y[again]])
        mixed = rng.permutation(len(x))
        x, y = x[mixed], y[mixed]
    else:
        vx, vy = validation
        hit = np.flatnonzero(rng.random(len(vx)) < share)
        source = rng.choice(len(x), len(hit))
        vx, vy = vx.copy(), vy.copy()
        vx[hit], vy[hit] = x[source], y[source]
        validation = vx, vy
    model = _sane(rng, task, seed)
    return Case("leak_rows", f"{share:.2f} of them twice, {task.name}, {x.shape}", model, x, y, validation)


def _shift(rng: np.random.Generator, seed: int) -> Case:
    task = _easy(rng)
    x, y, _ = _split(rng, task, int(rng.integers(300, 800)), given=1.0)
    held, how = int(rng.integers(150, 400)), str(rng.choice(["moved", "spread", "selected"]))
    vx = task.place(rng, 6 * held)
    column = int(rng.integers(x.shape[1]))
    if how == "moved":
        vx[:, column] += float(rng.choice([-1, 1]) * rng.uniform(0.7, 1.5)) * x[:, column].std()
    elif how == "spread":
        vx[:, column] *= float(rng.choice([0.4, 1.9]))
    else:
        vx = vx[vx[:, column] > np.quantile(vx[:, column], rng.uniform(0.4, 0.7))]
    vx = vx[:held]
    model = _sane(rng, task, seed)
    return Case("shift", f"{how}, {task.name}, {x.shape}", model, x, y, (vx, task.targets(rng, vx)))


def _stopped_early(rng: np.random.Generator, seed: int) -> Case:
    task = _curved(rng) if rng.random() < 0.6 else _easy(rng)
    x, y, validation = _split(rng, task, int(rng.integers(300, 900)))
    how = str(rng.choice(["adam", "adam", "sgd"]))
    rate = float(10 ** (rng.uniform(-3, -2.3) if how == "adam" else rng.uniform(-2, -1.3)))
    model = _scaled(
        rng,
        _mlp(task, hidden_layer_sizes=(int(rng.integers(16, 80)),) * int(rng.integers(1, 3)), solver=how,
             learning_rate_init=rate, activation=str(rng.choice(["relu", "tanh"])), batch_size=32,
             max_iter=int(rng.integers(2, 9)), random_state=seed),
    )  # fmt: skip

    def confirmed(found: Any) -> bool:
        """Ten times the epochs make it better, by the rule's own account."""
        fx, fy = _fresh(task, seed)
        longer = clone(found)
        name = "mlpclassifier__max_iter" if task.classes else "mlpregressor__max_iter"
        epochs = "max_iter" if "max_iter" in longer.get_params() else name
        longer = fit(longer.set_params(**{epochs: 10 * longer.get_params()[epochs]}), x, y)
        got, then = skill(task, found.predict(fx), fy), skill(task, longer.predict(fx), fy)
        return skill(task, task.rule(fx), fy) - got >= 0.2 and then - got >= 0.15

    words = f"{how} {rate:.3g}, {task.name}, {x.shape}"
    return Case("stopped_early", words, model, x, y, validation, confirmed)


KINDS: dict[str, Callable[[np.random.Generator, int], Case]] = {
    "underfit_small": _underfit_small,
    "underfit_penalty": _underfit_penalty,
    "overfit": _overfit,
    "rate_large": _rate_large,
    "rate_small": _rate_small,
    "vanishing": _vanishing,
    "little_data": _little_data,
    "noise_labels": _noise_labels,
    "noise_targets": _noise_targets,
    "leak_feature": _leak_feature,
    "leak_rows": _leak_rows,
    "shift": _shift,
    "healthy": _healthy,
    "stopped_early": _stopped_early,
}

EXPECTED = {
    "underfit_small": "underfitting",
    "underfit_penalty": "underfitting",
    "overfit": "overfitting",
    "rate_large": "rate too large",
    "rate_small": "rate too small",
    "vanishing": "vanishing gradients",
    "little_data": "too little data",
    "noise_labels": "label noise",
    "noise_targets": "label noise",
    "leak_feature": "leakage",
    "leak_rows": "leakage",
    "shift": "distribution shift",
    "healthy": "well fitted",
    "stopped_early": "stopped too early",
}
"""The finding that each is to be named by."""
assert set(KINDS) == set(EXPECTED)
