"""
Losses, and the margin they look for
====================================

What an example costs by its margin y·f(x); then the boundary that the hinge loss finds, with its support vectors, and
the probabilities that the logistic loss fits.
"""

import matplotlib.pyplot as plt

from diaphane.data import gaussians
from diaphane.estimators import LinearClassifier, LogisticRegression
from diaphane.insight.displays import DecisionBoundaryDisplay, LossDisplay, SigmoidDisplay

LossDisplay.from_losses()

# %%
# Only points with y·f(x) ≤ 1 pull at a hinge loss's boundary.
X, y = gaussians(120, 0, means=((-1.2, 0), (1.2, 0.5)))
figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
largest_margin = LinearClassifier(loss="hinge", alpha=1 / len(X), solver="lbfgs").fit(X, y)
DecisionBoundaryDisplay.from_estimator(largest_margin, X, y, ax=axes[0])
DecisionBoundaryDisplay.from_estimator(LogisticRegression().fit(X, y), X, y, ax=axes[1])

# %%
# One feature, and what each example adds to the likelihood.
model = LogisticRegression(C=float("inf")).fit(X[:, :1], y)
display = SigmoidDisplay.from_estimator(model, X[:, :1], y)
print(f"log-likelihood {display.log_likelihood:.3f}")
plt.show()
