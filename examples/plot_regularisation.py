"""
Regularisation, side by side
============================

One wide network, 80 noisy points, and every way there is to keep it from learning the noise. Each is a part of the
training step's graph, given to the trainer by name.
"""

import matplotlib.pyplot as plt
import numpy as np

from diaphane import optim
from diaphane.data import moons
from diaphane.nn import Dense, Dropout, GaussianNoise, LabelSmoothing, Network, Sequential
from diaphane.training import Mixup, Trainer

train, test = moons(80, noise=0.35, random_state=0), moons(4000, noise=0.35, random_state=1)
LOSS = "categorical_cross_entropy"


def network(dropout=0.0, noise=0.0):
    hidden = [Dense(128, "relu"), *[Dropout(dropout)] * (dropout > 0)]
    first = [GaussianNoise(noise)] * (noise > 0)
    return Network(Sequential([*first, *hidden, *hidden, Dense(2)]), (2,))


ways = {
    "nothing": (network(), LOSS, {}),
    "L2": (network(), LOSS, {"penalty": optim.L2(0.003)}),
    "L1": (network(), LOSS, {"penalty": optim.L1(0.0005)}),
    "max-norm": (network(), LOSS, {"constraint": optim.MaxNorm(0.8)}),
    "dropout": (network(dropout=0.5), LOSS, {}),
    "input noise": (network(noise=0.3), LOSS, {}),
    "label smoothing": (network(), LabelSmoothing(LOSS, 0.2), {}),
    "mixup": (network(), LOSS, {"mixup": Mixup(1.0)}),
    "averaging": (network(), LOSS, {"averaging": optim.SWA(start_epoch=100)}),
}


def accuracy(outputs, y):
    return float(np.mean(outputs.argmax(1) == y))


# %%
# The same data, optimizer and number of epochs for all: what differs is the part of the step.

a, b = np.meshgrid(np.linspace(-2, 3, 120), np.linspace(-1.8, 2.3, 100))
plane = np.column_stack([a.ravel(), b.ravel()])
figure, axes = plt.subplots(3, 3, figsize=(9, 8), sharex=True, sharey=True, layout="constrained")
for ax, (name, (net, loss, parts)) in zip(axes.flat, ways.items(), strict=True):
    trainer = Trainer(
        net,
        loss,
        optim.Adam(0.005),
        batch_size=20,
        epochs=400,
        metrics={"accuracy": accuracy},
        random_state=0,
        **parts,
    )
    state = trainer.fit(*train).state
    fit, held = trainer.evaluate(state, *train), trainer.evaluate(state, *test)
    size = np.sqrt(sum(np.sum(state[p] ** 2.0) for p in net.parameters if p.ndim > 1))
    print(
        f"{name:16} ‖W‖ {size:5.1f}   training loss {fit['loss']:.3f}   test loss {held['loss']:.3f}"
        f"   test accuracy {held['accuracy']:.3f}"
    )
    logits = net.predict(state, plane)
    probability = 1 / (1 + np.exp(np.clip(logits[:, 0] - logits[:, 1], -50, 50)))
    ax.contourf(a, b, probability.reshape(a.shape), levels=np.linspace(0, 1, 11), cmap="RdBu")
    ax.scatter(*train[0].T, c=train[1], cmap="RdBu", edgecolor="black", s=18)
    ax.set_title(f"{name}: test loss {held['loss']:.2f}", fontsize=10)
plt.show()
