"""
Searching with halving
======================

Eighty-one candidates, a few epochs each; the best third goes on from where it is. Nothing is computed twice, and most
of the epochs go to candidates that are worth them.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from diaphane.estimators import MLPClassifier
from diaphane.selection import Search

# All epochs are wanted, converged or not.
warnings.simplefilter("ignore", ConvergenceWarning)
X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

space = {"learning_rate_init": loguniform(1e-5, 1), "alpha": loguniform(1e-6, 10)}
model = MLPClassifier((64,), max_iter=81, tol=0, n_iter_no_change=81)
search = Search(model, space, strategy="halving", n_iter=81, cv=3, random_state=0)
search.fit(X_train, y_train)

table = search.cv_results_
for epochs in np.unique(table["n_resources"]):
    scores = table["mean_test_score"][table["n_resources"] == epochs]
    print(f"{epochs:3} epochs: {len(scores):2} candidates, the best has {scores.max():.3f}")
print(f"best: {', '.join(f'{name}={value:.2g}' for name, value in search.best_params_.items())}")
print(f"on test rows, which no candidate saw: {search.score(X_test, y_test):.3f}")

# %%
# Where the candidates were, and how far each came: the larger the point, the more epochs it got.
fig, ax = plt.subplots(figsize=(6, 4.5))
rates, penalties = (np.array([p[name] for p in table["params"]]) for name in space)
order = np.argsort(table["n_resources"], kind="stable")
points = ax.scatter(
    rates[order],
    penalties[order],
    s=12 + 60 * np.log(table["n_resources"][order]),
    c=table["mean_test_score"][order],
    edgecolors="white",
    cmap="viridis",
)
ax.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="α, the strength of the L2 penalty")
ax.set_title("accuracy in cross-validation")
fig.colorbar(points)
plt.show()
