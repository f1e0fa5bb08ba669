"""
Gradient health
===============

A callback looks at a few rows as a network trains, and says in words what keeps it from learning: here a deep net of
sigmoids, where the gradient dies out on its way down, beside the same depth of rectifiers.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

from diaphane.insight import GradientHealth, gradient_health
from diaphane.nn import Dense, Network, Sequential, Uniform
from diaphane.training import Trainer

X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32")


def trained(activation, initializer):
    layers = [Dense(32, activation, kernel_initializer=initializer) for _ in range(6)]
    network = Network(Sequential([*layers, Dense(10)]), (64,))
    health = GradientHealth(cost=None)
    Trainer(network, "categorical_cross_entropy", "sgd", epochs=15, callbacks=[health], random_state=0).fit(X, y)
    return health


sigmoids = trained("sigmoid", "glorot_uniform")
print(sigmoids)
sigmoids.plot()

# %%
# Rectifiers with weights made for them: the gradient is as large at the first layer as at the last.
rectifiers = trained("relu", "he_normal")
print(rectifiers)
rectifiers.plot()

# %%
# One moment is enough for what a network is built with: weights up to ±5 saturate the tanh of sums of 64 inputs.
layers = [Dense(50, "tanh", kernel_initializer=Uniform(5.0)), Dense(10)]
network = Network(Sequential(layers), (64,))
print(gradient_health(network, X, y, loss="categorical_cross_entropy"))
plt.show()
