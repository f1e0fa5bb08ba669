"""Learning one hidden layer for its worst error over a grid, by L-BFGS on ever higher powers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine, Program, State
from ..graph import Dim, Node, gradient, mean, placeholder, substitute
from ..insight.theory.approximation import Box, OneHiddenLayer
from ..nn import Dense, Network, Sequential
from ..nn.activations import ActivationLike
from ..optim import flatten, minimize_lbfgs

__all__ = ["Learner", "Problem"]

Floats = NDArray[np.float64]

POWERS = (2, 8, 32, 128)
"""Least squares first, then means of higher powers of the error, which are ruled more and more by the worst one."""
LEAST_SINGULAR = 1e-6
"""Singular values below this share of the greatest are taken for 0: output weights stay of a moderate size."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What is to be approximated, where it is learnt from and where the error is measured."""

    box: Box
    learn: Floats
    learn_target: Floats
    points: Floats
    target: Floats
    max_iter: int

    def error(self, network: OneHiddenLayer) -> float:
        with np.errstate(all="ignore"):
            return float(np.abs(network(self.points) - self.target).max())


class Learner:
    """The programs of mean |f − g|^p and its gradient for one number of units, of inputs in [−1, 1]^d."""

    def __init__(self, problem: Problem, activation: ActivationLike, n_units: int, engine: str | Engine) -> None:
        self.problem, self.activation, self.n_units = problem, activation, n_units
        self.inputs = problem.box.unit(problem.learn)
        network = Network(Sequential([Dense(n_units, activation), Dense(1)]), (self.inputs.shape[1],), dtype="float64")
        self.parameters = network.parameters
        self.flat = flatten(self.parameters)
        self.x, self.y = network.input, placeholder((Dim("N"),), "float64", "target")
        self.programs = {}
        for power in POWERS:
            [loss] = substitute([mean((network.output[:, 0] - self.y) ** power)], self.flat.views)
            slope = self.flat.gradient(gradient(loss, list(self.flat.views.values())))
            self.programs[power] = Program({"loss": loss, "gradient": slope}, engine=engine)

    def start(self, random: np.random.RandomState) -> OneHiddenLayer:
        """Hyperplanes through random points, of random directions and steepness, and the best output for them.

        A unit of steepness s changes within 1/s: with more units there is a use for steeper ones.
        """
        d, n = self.inputs.shape[1], self.n_units
        direction = random.standard_normal((d, n))
        direction /= np.linalg.norm(direction, axis=0)
        kernel: Floats = direction * np.exp(random.uniform(0, np.log(2 + n), n))
        bias: Floats = -np.sum(kernel * random.uniform(-1, 1, (d, n)), axis=0)
        hidden = OneHiddenLayer(kernel, bias, np.zeros(n), 0.0, self.activation).hidden(self.inputs)
        design = np.column_stack([hidden, np.ones(len(hidden))])
        output = np.linalg.lstsq(design, self.problem.learn_target, rcond=LEAST_SINGULAR)[0].astype(
            np.float64, copy=False
        )
        return self._in_box(kernel, bias, output[:-1], float(output[-1]))

    def widened(self, narrower: OneHiddenLayer, random: np.random.RandomState) -> OneHiddenLayer:
        """A narrower network with further units that count nothing yet."""
        extra = self.start(random)
        known = narrower.n_units
        return OneHiddenLayer(
            np.hstack([narrower.kernel, extra.kernel[:, known:]]),
            np.r_[narrower.bias, extra.bias[known:]],
            np.r_[narrower.coef, np.zeros(self.n_units - known)],
            narrower.intercept,
            self.activation,
        )

    def improved(self, start: OneHiddenLayer) -> tuple[OneHiddenLayer, float]:
        """The best of what L-BFGS comes by, and its worst error."""
        best, error = start, self.problem.error(start)
        now = start
        scale = float(np.abs(self.problem.learn_target).max()) or 1.0
        for power in POWERS:
            now = self._minimised(power, now, scale)
            worst = self.problem.error(now)
            if not np.isfinite(worst):
                break
            if worst < error:
                best, error = now, worst
            # Errors of the order of 1 have powers that are neither 0 nor infinite.
            scale = float(np.abs(now(self.problem.learn) - self.problem.learn_target).max()) or 1.0
        return best, error

    def _minimised(self, power: int, start: OneHiddenLayer, scale: float) -> OneHiddenLayer:
        program, target = self.programs[power], self.problem.learn_target / scale
        feeds: dict[Node | str, Floats] = {self.x: self.inputs, self.y: target}

        def loss_and_gradient(vector: Floats) -> tuple[float, Floats]:
            outputs, _ = program.run(State({self.flat.vector: vector}), feeds)
            return float(outputs["loss"]), outputs["gradient"]

        found = minimize_lbfgs(
            loss_and_gradient,
            self._packed(start, scale),
            max_iterations=self.problem.max_iter,
            tolerance=1e-10,
            loss_tolerance=1e-12,
        )
        kernel, bias, coef, intercept = self.flat.unpack(found.parameters).values()
        return self._in_box(kernel, bias, scale * coef[:, 0], scale * float(intercept[0]))

    def _packed(self, network: OneHiddenLayer, scale: float) -> Floats:
        half, centre = self.problem.box.half[:, np.newaxis], self.problem.box.centre
        values = (
            network.kernel * half,
            network.bias + centre @ network.kernel,
            network.coef[:, np.newaxis] / scale,
            np.array([network.intercept / scale]),
        )
        return self.flat.pack(dict(zip(self.parameters, values, strict=True)))

    def _in_box(self, kernel: Floats, bias: Floats, coef: Floats, intercept: float) -> OneHiddenLayer:
        """A network of inputs in [−1, 1]^d as one of inputs in the box."""
        slopes = kernel / self.problem.box.half[:, np.newaxis]
        return OneHiddenLayer(slopes, bias - self.problem.box.centre @ slopes, coef, intercept, self.activation)
