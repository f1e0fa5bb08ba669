"""Several networks on one table, each with other rows held out to stop by, side by side in threads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np

from ...engines import NonFiniteError
from ...graph.node import Array
from .network import TabularPlan
from .progress import EpochBar
from .recipe import Recipe

__all__ = ["Look", "Member", "Rows", "batch_and_epochs", "fit_members", "folds_of"]


@dataclass(frozen=True, eq=False)
class Rows:
    """What is learnt from: features (n, d), targets (n,) or (n, 1), and weights (n,) where rows differ in worth."""

    x: Array
    target: Array
    weights: Array | None = None

    def take(self, rows: Array) -> Rows:
        """Some of them."""
        return Rows(self.x[rows], self.target[rows], None if self.weights is None else self.weights[rows])


@dataclass(frozen=True)
class Look:
    """A member at one moment: the epochs done, the loss of the last ones, and what it is stopped by."""

    epoch: int
    loss: float
    validation: float


@dataclass(frozen=True, eq=False)
class Member:
    """One network.

    Attributes
    ----------
    values : dict of str to array
        Its parameters by name.
    curve : tuple of Look
    held_out : int array
        The rows that it never learnt from, of those with a target.
    best_epoch : int
        After which it had these values.
    held_outputs : array, shape (len(held_out), n_outputs)
        What it gave for the rows held out: logits, or numbers in units of the scaled target.
    """

    values: dict[str, Array]
    curve: tuple[Look, ...]
    held_out: Array
    best_epoch: int
    held_outputs: Array


def folds_of(target: Array, folds: int, rng: Any) -> Array:
    """For each row the number of its fold, so that each fold has its share of every class, or of high and low numbers.

    Examples
    --------
    >>> folds_of(np.array([0, 0, 0, 1, 1, 1]), 3, np.random.RandomState(0)).reshape(2, 3).sum(axis=1)
    array([3, 3])
    """
    shuffled = rng.permutation(len(target))
    ordered = shuffled[np.argsort(target[shuffled], kind="stable")]
    fold = np.empty(len(target), np.int64)
    # Neighbours in rank go to different folds, in an order of their own each time.
    for start in range(0, len(target), folds):
        block = ordered[start : start + folds]
        fold[block] = rng.permutation(folds)[: len(block)]
    return fold


def batch_and_epochs(rows: int, features: int, recipe: Recipe) -> tuple[int, int]:
    """Rows of a step, and how often they are all seen; less often where a step takes long for its many features."""
    batch = 2 ** round(math.log2(max(rows / recipe.fewest_batches, 1)))
    batch = min(max(batch, recipe.smallest_batch), recipe.largest_batch, rows)
    steps = recipe.steps * min(1.0, recipe.wide / features)
    epochs = round(steps / math.ceil(rows / batch))
    return batch, min(max(epochs, recipe.fewest_epochs), recipe.most_epochs)


def fit_members(
    plan: TabularPlan,
    rows: Rows,
    held_out: Sequence[Array],
    seeds: Sequence[int],
    n_threads: int,
    progress: bool = False,
) -> tuple[list[Member], bool]:
    """Fit one network for each set of rows to hold out, and say whether that was interrupted.

    At a KeyboardInterrupt members end with their next look, and those that wait for a thread are left out.

    Raises
    ------
    KeyboardInterrupt
        If no member has had a look yet.
    """
    plan.prepare()
    stop, interrupted = Event(), False
    lengths = [batch_and_epochs(len(rows.x) - len(held), rows.x.shape[1], plan.recipe)[1] for held in held_out]

    def fit(number: int) -> Member | None:
        if stop.is_set():
            return None
        try:
            return _fit_one(plan, rows, held_out[number], seeds[number], stop, bar)
        except BaseException:
            # The others need not go on to their end for an error.
            stop.set()
            raise

    with EpochBar(plan.step, sum(lengths), progress) as bar, ThreadPoolExecutor(min(n_threads, len(seeds))) as pool:
        futures: list[Future[Member | None]] = []
        try:
            futures += [pool.submit(fit, number) for number in range(len(seeds))]
            # Where a wait cannot be interrupted (on Windows), an interrupt is heard between two.
            while wait(futures, timeout=0.5).not_done:
                pass
        except KeyboardInterrupt:
            interrupted = True
        finally:
            stop.set()
    members = [member for member in (future.result() for future in futures) if member is not None]
    if not members:
        raise KeyboardInterrupt
    return members, interrupted


def _fit_one(plan: TabularPlan, rows: Rows, held: Array, seed: int, stop: Event, bar: EpochBar) -> Member | None:
    """A member at its best look; None where it was stopped before the first."""
    recipe, rng = plan.recipe, np.random.default_rng(seed)
    kept = np.setdiff1d(np.arange(len(rows.target)), held)
    batch, epochs = batch_and_epochs(len(kept), rows.x.shape[1], recipe)
    # What is less than a batch waits for another epoch, so that one table of instructions does for all.
    per_epoch = len(kept) // batch
    state = plan.first_state(epochs * per_epoch, rng)
    data, apart = plan.step.data(rows.x, rows.target, rows.weights), rows.take(held)
    curve: list[Look] = []
    best, best_state, best_outputs, best_epoch = math.inf, state, np.empty(0), 0
    for done, count in looks(epochs, recipe.looks):
        orders = np.stack([rng.permutation(kept)[: per_epoch * batch] for _ in range(count)])
        try:
            outputs, state = plan.step.program.run_batches(
                state, data, orders, batch, seed=seed, first_step=done * per_epoch
            )
        except NonFiniteError:
            if not curve:
                raise
            break
        if stop.is_set() and not curve:
            return None
        raw = plan.outputs(plan.step.network_state(state), apart.x)
        found = plan.judge(raw, apart.target, apart.weights)
        curve.append(Look(done + count, float(np.mean(outputs["loss"])), found))
        bar.advance(count, curve[-1].loss, found)
        if found <= best:
            best, best_state, best_outputs, best_epoch = found, state, raw, done + count
        elif done + count - best_epoch > recipe.patience * epochs:
            break
        if stop.is_set():
            break
    if not stop.is_set():
        bar.advance(epochs - curve[-1].epoch, curve[-1].loss, curve[-1].validation)
    return Member(plan.values(plan.step.network_state(best_state)), tuple(curve), held, best_epoch, best_outputs)


def looks(epochs: int, most: int) -> list[tuple[int, int]]:
    """When to judge: the epochs done before, and how many are done in one go.

    Examples
    --------
    >>> looks(7, 3)
    [(0, 3), (3, 3), (6, 1)]
    """
    at_once = math.ceil(epochs / most)
    return [(done, min(at_once, epochs - done)) for done in range(0, epochs, at_once)]
