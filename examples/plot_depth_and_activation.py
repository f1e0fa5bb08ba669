"""
Depth and activation
====================

What each activation makes of depth: the same digits, the same optimizer and initialisation, 2 to 16 hidden layers.

φ′ ≤ ¼ for the sigmoid, so the gradient of the first layer vanishes with depth and nothing is learnt; tanh, with φ′ ≤ 1,
goes deeper; ReLU passes gradients whole where a unit is active. But a step that is too long leaves a ReLU on its flat
side for all examples, and its gradient is then 0 for good: such units are dead. A leak keeps them alive.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import diaphane as dia
from diaphane.training import DivergenceError, Trainer

X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32")
x_train, y_train, x_test, y_test = X[:1200], y[:1200], X[1200:], y[1200:]

ACTIVATIONS, DEPTHS = ["sigmoid", "tanh", "relu", "leaky_relu", "selu", "gelu"], [2, 4, 8, 16]
CHANCE = np.bincount(y_test).max() / len(y_test)


def accuracy(outputs, target):
    return (outputs.argmax(1) == target).mean()


def network_of(activation, depth, initializer="glorot_uniform"):
    hidden = [dia.nn.Dense(32, activation, kernel_initializer=initializer) for _ in range(depth)]
    return dia.nn.Network(dia.nn.Sequential([*hidden, dia.nn.Dense(10)]), (64,))


def gradients(network, state):
    """Of the mean loss by the first kernel and by the last."""
    [output] = dia.substitute([network.output], {network.input: dia.constant(x_train)})
    loss = dia.mean(dia.nn.losses.categorical_cross_entropy(output, dia.constant(y_train)))
    kernels = [p for p in network.parameters if p.ndim > 1]
    return dia.evaluate(dia.gradient(loss, [kernels[0], kernels[-1]]), state)


def gradient_ratio(network):
    """How much smaller the gradient of the first kernel is than that of the last, before any training."""
    first, last = gradients(network, network.initial_state(np.random.default_rng(0)))
    return np.linalg.norm(first) / np.linalg.norm(last)


def learnt(network, rate, epochs=8):
    """Test accuracy, and the network's values at the end."""
    trainer = Trainer(
        network, "categorical_cross_entropy", dia.optim.Adam(rate), epochs=epochs, metrics={"accuracy": accuracy},
        random_state=0,
    )  # fmt: skip
    try:
        result = trainer.fit(x_train, y_train)
    except DivergenceError as error:
        result = error.result
    return trainer.evaluate(result.state, x_test, y_test)["accuracy"], result.state


# %%
# Accuracy by depth, and how much of the gradient arrives at the first layer.
scores, ratios = {}, {}
print(f"{'':>12}" + "".join(f"{depth:>16} layers" for depth in DEPTHS))
for activation in ACTIVATIONS:
    networks = [network_of(activation, depth) for depth in DEPTHS]
    ratios[activation] = [gradient_ratio(network) for network in networks]
    scores[activation] = [learnt(network, 0.003)[0] for network in networks]
    cells = zip(scores[activation], ratios[activation])
    print(f"{activation:>12}" + "".join(f"{100 * s:>10.1f} % {r:>9.0e} " for s, r in cells))

# %%
# Dead units: those of the first layer that no example's gradient reaches any more, by the learning rate.
RATES = [0.001, 0.003, 0.01, 0.03, 0.1]


def dead_share_and_accuracy(activation, rate):
    network = network_of(activation, 4, "he_normal")
    score, state = learnt(network, rate)
    of_units = np.abs(gradients(network, state)[0]).max(axis=0)
    return (of_units == 0).mean(), score


dead = {name: np.transpose([dead_share_and_accuracy(name, rate) for rate in RATES]) for name in ("relu", "leaky_relu")}
for name, (shares, found) in dead.items():
    cells = [f"ε = {r:g}: {100 * s:.0f} % dead, {100 * a:.0f} % right" for r, s, a in zip(RATES, shares, found)]
    print(f"{name:>12}: " + "; ".join(cells))

# %%
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
styles = dict(zip(ACTIVATIONS, ["o-", "s-", "^-", "v--", "D:", "P-."]))
for name in ACTIVATIONS:
    left.plot(DEPTHS, ratios[name], styles[name], label=name)
    middle.plot(DEPTHS, scores[name], styles[name])
middle.axhline(CHANCE, color="#7a828c", linewidth=0.8)
middle.text(DEPTHS[0], CHANCE - 0.05, "one class for all", fontsize="small", color="#7a828c")
left.set(title="gradient of the first layer over the last's", xlabel="hidden layers", yscale="log", xticks=DEPTHS)
middle.set(title="test accuracy after 8 epochs", xlabel="hidden layers", ylim=(0, 1), xticks=DEPTHS)
for name, (shares, found) in dead.items():
    [line] = right.plot(RATES, shares, styles[name], label=f"{name}: dead units of the first layer")
    right.plot(RATES, found, styles[name][0], linestyle=":", color=line.get_color(), label=f"{name}: test accuracy")
right.set(title="4 layers: what a large rate does", xlabel="learning rate", xscale="log", ylim=(-0.02, 1.02))
for ax in (left, right):
    ax.legend(frameon=False, fontsize="small")
plt.show()
