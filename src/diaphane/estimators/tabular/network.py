"""The network of a recipe, with the programs that train and predict: planned once for all members and fits."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from ...engines import Engine, State
from ...engines.rows import RowProgram
from ...graph import log_softmax
from ...graph.node import Array
from ...nn import Activation, Dense, Dropout, LabelSmoothing, Layer, Network, Sequential
from ...nn.embeddings import FeatureScale, PeriodicEmbedding, TangentDense
from ...nn.losses import Loss, find_loss, huber
from ...optim import AdamW
from ...training import Trainer
from .recipe import Recipe

__all__ = ["TabularPlan", "plan_of"]

MOST_SHARED = 8
"""Plans kept for other estimators: a cross-validation fits one after another."""


def architecture(features: int, numbers: int, outputs: int, recipe: Recipe) -> Sequential:
    """Numbers embedded, each feature scaled, hidden layers with dropout, raw outputs."""
    layers: list[Layer] = []
    if recipe.embedding and 0 < numbers <= recipe.most_embedded:
        layers.append(PeriodicEmbedding(numbers, recipe.width, recipe.frequencies, recipe.frequency_std))
    if recipe.feature_scale:
        layers.append(FeatureScale())
    for units in recipe.hidden:
        if recipe.tangent:
            layers.append(TangentDense(units, recipe.activation, bias_std=recipe.bias_std))
        else:
            layers.append(Dense(units, recipe.activation, "he_normal"))
        if recipe.dropout:
            layers.append(Dropout(recipe.dropout))
    layers.append(TangentDense(outputs, kernel_std=0.0 if recipe.zero_start else 1.0) if recipe.tangent else Dense(outputs))
    return Sequential(layers)


class TabularPlan:
    """A network with its trainer and its predictor.

    Attributes
    ----------
    network : Network
    """

    def __init__(self, features: int, numbers: int, outputs: int, task: str, recipe: Recipe, engine: str | Engine) -> None:
        self.recipe, self.task, self.engine = recipe, task, engine
        self.network = Network(architecture(features, numbers, outputs, recipe), (features,), dtype="float32")

    @cached_property
    def _loss(self) -> Loss:
        if self.task == "regression":
            delta = self.recipe.huber
            return (lambda a, t: huber(a, t, delta)) if delta else find_loss("half_squared_error")
        if self.recipe.label_smoothing:
            return LabelSmoothing("categorical_cross_entropy", self.recipe.label_smoothing)
        return find_loss("categorical_cross_entropy")

    @cached_property
    def _trainer(self) -> Trainer:
        r = self.recipe
        optimizer = AdamW(r.learning_rate, 0.9, r.beta_2, weight_decay=r.weight_decay, schedule=r.schedule)
        return Trainer(self.network, self._loss, optimizer, engine=self.engine)

    def trainer(self) -> Trainer:
        """One to set up for a member; what it has planned is shared."""
        return copy(self._trainer)

    @cached_property
    def predictor(self) -> RowProgram:
        """Raw outputs of rows."""
        return RowProgram(self.network.output, self.network.input, engine=self.engine)

    def outputs(self, state: State, x: Array) -> Array:
        """Raw outputs of a member for rows of features."""
        return self.predictor(state, x)

    def state(self, values: dict[str, Array]) -> State:
        """A member's values in the places of the network's variables."""
        return State({v: values[name] for name, v in self.network.named_variables().items()})

    def values(self, state: State) -> dict[str, Array]:
        """The same as plain arrays by name, which a pickle may hold."""
        return {name: np.asarray(state[v]) for name, v in self.network.named_variables().items()}


@lru_cache(MOST_SHARED)
def plan_of(
    features: int, numbers: int, outputs: int, task: str, recipe: Recipe, engine: str | Engine
) -> TabularPlan:
    """The plan of these sizes, another estimator's where there is one."""
    return TabularPlan(features, numbers, outputs, task, recipe, engine)
