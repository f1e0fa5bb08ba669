"""The network of a recipe, with the programs that train and predict: planned once for all members and fits."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from ...engines import Engine, State
from ...engines.rows import RowProgram
from ...graph.node import Array
from ...nn import Dense, Dropout, LabelSmoothing, Layer, Network, Sequential
from ...nn.embeddings import FeatureScale, PeriodicEmbedding, TangentDense
from ...nn.losses import Loss, find_loss, huber
from ...optim import AdamW
from ...training.step import TrainingStep
from .rates import CosineLog, WarmCosine
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
    layers.append(
        TangentDense(outputs, kernel_std=0.0 if recipe.zero_start else 1.0) if recipe.tangent else Dense(outputs)
    )
    return Sequential(layers)


class TabularPlan:
    """A network with its trainer and its predictor.

    Attributes
    ----------
    network : Network
    """

    def __init__(
        self, features: int, numbers: int, outputs: int, task: str, recipe: Recipe, weighted: bool, engine: str | Engine
    ) -> None:
        self.recipe, self.task, self.weighted, self.engine = recipe, task, weighted, engine
        self.network = Network(architecture(features, numbers, outputs, recipe), (features,), dtype="float32")

    def prepare(self) -> None:
        """Make what is made once, before threads ask for it."""
        for made in (self.step, self._watcher):
            assert made is not None

    @cached_property
    def _loss(self) -> Loss:
        if self.task == "regression":
            delta = self.recipe.huber
            return (lambda a, t: huber(a, t, delta)) if delta else find_loss("half_squared_error")
        if self.recipe.label_smoothing:
            return LabelSmoothing("categorical_cross_entropy", self.recipe.label_smoothing)
        return find_loss("categorical_cross_entropy")

    @cached_property
    def step(self) -> TrainingStep:
        """The graph of a training step, the same for any length of a fit."""
        optimizer = self.optimizer(1)
        shape, dtype = ((1,), "float32") if self.task == "regression" else ((), "int64")
        return TrainingStep(
            self.network,
            self._loss,
            optimizer,
            target_shape=shape,
            target_dtype=np.dtype(dtype),
            weighted=self.weighted,
            engine=self.engine,
        )

    def optimizer(self, steps: int) -> AdamW:
        """For a fit of so many steps."""
        r = self.recipe
        schedule = {"cosine": WarmCosine, "coslog": CosineLog}[r.schedule](float(steps), per="step")
        return AdamW(r.learning_rate, 0.9, r.beta_2, weight_decay=r.weight_decay, schedule=schedule)

    def first_state(self, steps: int, rng: Any) -> State:
        """What a fit of so many steps begins with."""
        state = self.step.initial_state(self.network.initial_state(rng))
        numbers = self.optimizer(steps).numbers()
        known = self.step.hyperparameters
        return state.replace({known[name]: value for name, value in numbers.items() if name in known})

    @cached_property
    def _watcher(self) -> RowProgram:
        """Raw outputs while a member is trained."""
        return RowProgram(self.network.output, self.network.input, engine=self.engine)

    @cached_property
    def _predictor(self) -> tuple[Network, RowProgram]:
        """The same in float64: a row's prediction then hardly depends on the rows beside it."""
        exact = Network(self.network.architecture, self.network.input_shape, dtype="float64")
        return exact, RowProgram(exact.output, exact.input, engine=self.engine)

    def outputs(self, state: State, x: Array) -> Array:
        """Raw outputs in training, for rows of features."""
        return self._watcher(state, x)

    def predict(self, values: dict[str, Array], x: Array) -> Array:
        """Raw outputs of a member that has these values, in float64."""
        network, program = self._predictor
        return program(State({v: values[name] for name, v in network.named_variables().items()}), x)

    def judge(self, outputs: Array, target: Array, weights: Array | None = None) -> float:
        """What a member is stopped by, the less the better: a mean over rows, by their weights."""
        return float(np.average(self._errors(outputs, target), weights=weights))

    def _errors(self, outputs: Array, target: Array) -> Array:
        if self.task == "regression":
            return np.square(outputs - target, dtype=np.float64)[:, 0]
        if self.recipe.monitor == "error":
            return np.asarray(outputs.argmax(axis=1) != target)
        own = outputs[np.arange(len(target)), target]
        return np.asarray(np.logaddexp.reduce(outputs, axis=1) - own)

    def values(self, state: State) -> dict[str, Array]:
        """A state as plain arrays by name, which a pickle may hold."""
        return {name: np.asarray(state[v]) for name, v in self.network.named_variables().items()}


@lru_cache(MOST_SHARED)
def plan_of(
    features: int, numbers: int, outputs: int, task: str, recipe: Recipe, weighted: bool, engine: str | Engine
) -> TabularPlan:
    """The plan of these sizes, another estimator's where there is one."""
    return TabularPlan(features, numbers, outputs, task, recipe, weighted, engine)
