"""
A layer, a loss and a callback of one's own
===========================================

A layer is frozen data with a forward from nodes to nodes, a loss a function of two nodes, a callback
overrides named moments. Gradients come by themselves.
"""

from dataclasses import dataclass

import numpy as np

import diaphane as dia
from diaphane.nn import Dense, Layer, Network, Sequential
from diaphane.training import Callback, Trainer


@dataclass(frozen=True)
class Gate(Layer):
    """x·σ(s·x), with one learnt s a unit."""

    initial: float = 1.0

    def forward(self, x, context):
        return x * dia.sigmoid(x * context.parameter("sharpness", x.shape[1:], self.initial))


def quantile_loss(prediction, target, q=0.9):
    """The loss whose minimum is the q-quantile (Koenker & Bassett 1978)."""
    error = dia.reshape(target, prediction.shape) - prediction
    return dia.sum(dia.maximum(q * error, (q - 1) * error), axis=1)


class HalveTheRate(Callback):
    def on_epoch_end(self, run):
        if run.epoch % 100 == 0:
            run.set_hyperparameter("learning_rate", run.hyperparameter("learning_rate") / 2)


rng = np.random.default_rng(0)
x = rng.uniform(-2, 2, (500, 1))
y = np.sin(2 * x[:, 0]) + 0.3 * rng.normal(size=500)

network = Network(Sequential([Dense(32), Gate(), Dense(1)]), (1,))
trainer = Trainer(network, quantile_loss, "adam", epochs=300, callbacks=[HalveTheRate()], random_state=0)
result = trainer.fit(x, y)
below = np.mean(y <= network.predict(result.state, x)[:, 0])
print(f"{below:.0%} of the points lie below the curve of the 0.9-quantile")
