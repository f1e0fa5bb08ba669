"""
First weights
=============

What each scheme does to the signal on its way up and to the gradient on its way down, before any step: through twelve
layers only the one made for the activation keeps both.
"""

import matplotlib.pyplot as plt
import numpy as np

from diaphane.insight import initialization
from diaphane.nn import Dense, Network, Sequential

X = np.random.default_rng(0).standard_normal((300, 128))


def deep(activation):
    return Network(Sequential([*[Dense(128, activation) for _ in range(12)], Dense(10)]), (128,), dtype="float64")


schemes = ["lecun_normal", "glorot_uniform", "he_normal", "orthogonal"]
study = initialization(deep("relu"), X, schemes=schemes)
for scheme in study.schemes:
    print(f"{scheme:>15}: forward × {study.forward(scheme):.2g}, backward × {study.backward(scheme):.2g}")
study.plot().figure_.suptitle("relu × 12")

# %%
# For tanh, N(0, 1/√d) loses a little at each layer, the less the smaller the signal has become and the more linear the
# units are; twice the variance holds it at a height where they bend it.
study = initialization(deep("tanh"), X, schemes=schemes)
for scheme in study.schemes:
    print(f"{scheme:>15}: forward × {study.forward(scheme):.2g}, backward × {study.backward(scheme):.2g}")
study.plot().figure_.suptitle("tanh × 12")
plt.show()
