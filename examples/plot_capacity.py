"""
Capacity: too few hidden units, enough, too many
================================================

The same two classes learnt with 1, 2, 4 and 20 hidden units. One unit cuts the plane by a line, two by a band, three or
four can close a region around the inner class; twenty bend around single examples. The classes overlap, and their law
is known: so is the error that no classifier is below.
"""

import matplotlib.pyplot as plt

from diaphane.data import bayes_error, gaussians
from diaphane.estimators import MLPClassifier
from diaphane.insight.displays import HiddenUnitsDisplay
from diaphane.selection import capacity_curve

law = {"means": [[0, 0], [0.5, 0]], "covariance": [[[0.3, 0], [0, 0.3]], [[2, 0], [0, 2]]]}
X, y = gaussians(100, random_state=0, **law)
validation = gaussians(4000, random_state=1, **law)
least = bayes_error(**law)


def network(units):
    return MLPClassifier(
        (units,), "tanh", alpha=0.0, learning_rate_init=0.03, max_iter=3000, n_iter_no_change=100, random_state=0
    )


# %%
# The boundary, and the line of each hidden unit: where its wᵀx + b is 0.
models = [network(units).fit(X, y) for units in (1, 2, 4, 20)]
pictures = HiddenUnitsDisplay.from_estimators(models, X, y, validation=validation)
print(f"no classifier is below {100 * least:.1f} %")

# %%
# Training error falls with the number of units. Validation error falls as long as the units learn what the classes are,
# and rises when they learn what these 100 examples are. Five starts each; without ``validation``, folds.
curve = capacity_curve(network(4), X, y, "hidden_units", [1, 2, 3, 4, 6, 10, 20], validation=validation, n_repeats=5)
print(curve)

# %%
# Any other parameter, in the same way: a penalty α on the weights of twenty units takes back what they have too much.
penalty = capacity_curve(network(20), X, y, "alpha", [0.001, 0.01, 0.1, 1, 10, 100], validation=validation, n_repeats=3)
print(penalty)

figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained", sharey=True)
curve.plot(axes[0], bayes_error=least)
penalty.plot(axes[1], bayes_error=least)
plt.show()
