"""Several networks on one table, each with other rows held out to stop by, side by side in threads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...graph.node import Array
from ...training import EarlyStopping, History, TrainingResult
from .network import TabularPlan
from .recipe import Recipe

__all__ = ["Member", "fit_members", "folds_of"]


@dataclass
class Member:
    """One network.

    Attributes
    ----------
    values : dict of str to array
        Its parameters by name.
    history : History
    held_out : int array
        The rows it never learnt from.
    best_epoch : int
    """

    values: dict[str, Array]
    history: History
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

    def fit(number: int) -> Member:
        return _fit_one(plan, x, target, held_out[number], seeds[number])

    # What is planned at the first step is then there for all of them.
    trainer = plan.trainer()
    trainer.step_for(target, False)
    with ThreadPoolExecutor(max(1, min(n_threads, len(seeds)))) as pool:
        return list(pool.map(fit, range(len(seeds))))


def _fit_one(plan: TabularPlan, x: Array, target: Array, held: Array, seed: int) -> Member:
    kept = np.setdiff1d(np.arange(len(target)), held)
    trainer, recipe = plan.trainer(), plan.recipe
    trainer.batch_size, trainer.epochs = batch_and_epochs(len(kept), recipe)
    trainer.random_state = np.random.default_rng(seed)
    trainer.metrics = {"error": error_rate} if plan.task == "classification" else {}
    monitor = "validation_error" if recipe.monitor == "error" and trainer.metrics else "validation_loss"
    stopping = EarlyStopping(monitor, patience=max(10, round(recipe.patience * trainer.epochs)))
    trainer.callbacks = [stopping]
    result: TrainingResult = trainer.fit(x[kept], target[kept], validation_data=(x[held], target[held]))
    return Member(plan.values(result.state), result.history, held, stopping.best_epoch)


def error_rate(outputs: Array, target: Array) -> float:
    """The share of rows whose greatest output is another class's."""
    return float(np.mean(outputs.argmax(axis=1) != target))
