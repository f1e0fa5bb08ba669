"""
The perceptron, and why it stops
================================

Rosenblatt's rule turns the boundary at each mistake. Where a hyperplane separates the classes there are at most R²/γ²
mistakes, R and γ being those of the augmented points (x, 1).
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from diaphane.estimators import Perceptron
from diaphane.insight.displays import ConvergenceDisplay, DecisionBoundaryDisplay, PerceptronDisplay
from diaphane.insight.theory import convergence_certificate

rng = np.random.default_rng(3)
X = rng.normal(size=(60, 2)) + np.where(np.arange(60) < 30, -2.0, 2.4)[:, None] * [1.0, 0.6] + [5, 3]
y = np.repeat(["blue", "orange"], 30)
model = Perceptron(shuffle=False, tol=None, record=True).fit(X, y)
print(f"{model.n_mistakes_} mistakes in {model.n_iter_} epochs")

figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
updates = PerceptronDisplay.from_estimator(model, X, y, ax=axes[0])
DecisionBoundaryDisplay.from_estimator(model, X, y, ax=axes[1])

# %%
# As a page to step through by hand, of one file:
page = updates.animate(Path(tempfile.mkdtemp()) / "perceptron.html")
print(page.name, f"{page.stat().st_size / 1000:.0f} kB")

# %%
# The proof at each mistake: along the best separator w̃* grows at least as fast as t·γ, while its length grows no faster
# than √t·R. A straight line and a root cannot keep that order for ever.
certificate = convergence_certificate(X, y)
print(certificate)
ConvergenceDisplay.from_estimator(model, X, y)
plt.show()
