"""
Universal approximation, and where it fails
===========================================

One hidden layer comes as near as one likes to any continuous function on a compact set, if it has enough units and its
activation is not a polynomial (Cybenko 1989; Hornik 1991; Leshno et al. 1993). Measured here: the worst error over the
set, against the number of units.
"""

import matplotlib.pyplot as plt
import numpy as np

from diaphane.insight.theory import best_polynomial, modulus_of_continuity, relu_interpolant
from diaphane.selection import universal_approximation


def wave(x):
    return np.abs(x) + np.sin(3 * x) / 2


def square(a):
    return a * a


def cube(a):
    return a * a * a


# %%
# No training is needed to see why, with one variable: rectifiers at equally far knots draw a broken line through the
# function, whose error is at most how far the function goes between two knots.
for units in (4, 16, 64, 256):
    network = relu_interpolant(wave, (-1, 1), units + 1)
    x = np.linspace(-1, 1, 10_001)
    worst = np.abs(network(x[:, np.newaxis]) - wave(x)).max()
    promised = modulus_of_continuity(wave, 2 / units, (-1, 1), n_points=10_241)
    print(f"{units:4} rectifiers: worst error {worst:.5f}, at most {promised:.5f}")

# %%
# Learnt from several starts, the error of tanh and of rectifiers falls too. With a² or a³ every network is a polynomial
# of degree 2 or 3, however many units it has, and no better than the best one: the dashed lines.
study = universal_approximation(wave, (-1, 1), (1, 2, 4, 8, 16, 32), ["tanh", "relu", square, cube], n_starts=2)
print(study)
print(study.verdict)
study.plot()

# %%
# The same of two variables.


def saddle(x, y):
    return np.cos(3 * x) * y + np.abs(x - y) / 2


plane = universal_approximation(saddle, ((-1, 1), (-1, 1)), (1, 2, 4, 8, 16, 32), ["tanh", square], n_starts=2)
print(plane)
print("the best quadratic:", round(best_polynomial(saddle, ((-1, 1), (-1, 1)), 2).error, 3))
plane.plot()
plt.show()
