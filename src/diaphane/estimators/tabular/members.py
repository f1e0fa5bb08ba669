"""Several networks on one table, each with other rows held out to stop by, side by side in threads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...graph.node import Array
from .network import TabularPlan
from .recipe import Recipe

__all__ = ["Look", "Member", "batch_and_epochs", "fit_members", "folds_of"]


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
    """

    values: dict[str, Array]
    curve: tuple[Look, ...]
    held_out: Array
    best_epoch: int


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


def batch_and_epochs(rows: int, recipe: Recipe) -> tuple[int, int]:
    """Rows of a step, and how often they are all seen."""
    batch = 2 ** round(math.log2(max(rows / recipe.fewest_batches, 1)))
    batch = min(max(batch, recipe.smallest_batch), recipe.largest_batch, rows)
    epochs = round(recipe.steps / math.ceil(rows / batch))
    return batch, min(max(epochs, recipe.fewest_epochs), recipe.most_epochs)


def fit_members(
    plan: TabularPlan, x: Array, target: Array, held_out: Sequence[Array], seeds: Sequence[int], n_threads: int
) -> list[Member]:
    """Fit one network for each set of rows to hold out."""
    plan.prepare()

    def fit(number: int) -> Member:
        return _fit_one(plan, x, target, held_out[number], seeds[number])

    with ThreadPoolExecutor(max(1, min(n_threads, len(seeds)))) as pool:
        return list(pool.map(fit, range(len(seeds))))


def _fit_one(plan: TabularPlan, x: Array, target: Array, held: Array, seed: int) -> Member:
    recipe, rng = plan.recipe, np.random.default_rng(seed)
    kept = np.setdiff1d(np.arange(len(target)), held)
    batch, epochs = batch_and_epochs(len(kept), recipe)
    # What is less than a batch waits for another epoch, so that one table of instructions does for all.
    per_epoch = len(kept) // batch
    state = plan.first_state(epochs * per_epoch, rng)
    data, program = plan.step.data(x, target), plan.step.program
    curve: list[Look] = []
    best, best_state, best_epoch = math.inf, plan.step.network_state(state), 0
    for done, count in looks(epochs, recipe.looks):
        orders = np.stack([rng.permutation(kept)[: per_epoch * batch] for _ in range(count)])
        outputs, state = program.run_batches(state, data, orders, batch, seed=seed, first_step=done * per_epoch)
        network_state = plan.step.network_state(state)
        found = plan.judge(plan.outputs(network_state, x[held]), target[held])
        curve.append(Look(done + count, float(np.mean(outputs["loss"])), found))
        if found <= best:
            best, best_state, best_epoch = found, network_state, done + count
        elif done + count - best_epoch > recipe.patience * epochs:
            break
    return Member(plan.values(best_state), tuple(curve), held, best_epoch)


def looks(epochs: int, most: int) -> list[tuple[int, int]]:
    """When to judge: the epochs done before, and how many are done in one go.

    Examples
    --------
    >>> looks(7, 3)
    [(0, 3), (3, 3), (6, 1)]
    """
    at_once = math.ceil(epochs / most)
    return [(done, min(at_once, epochs - done)) for done in range(0, epochs, at_once)]
