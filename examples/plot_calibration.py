"""
Probabilities that mean what they say
=====================================

A network that has learnt its rows by heart is too sure of itself: where it says 99 %, it is right less often. One
number, the temperature, mends much of that without a change of any answer.
"""

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss

from diaphane.estimators import MLPClassifier
from diaphane.selection import TemperatureScaled, reliability, split

# All epochs are wanted, converged or not.
warnings.simplefilter("ignore", ConvergenceWarning)
X, y = make_classification(6000, 20, n_informative=8, n_classes=3, flip_y=0.15, class_sep=1.0, random_state=0)
parts = split(X, y, fractions=(0.4, 0.2, 0.4), stratify=y, random_state=0)

model = MLPClassifier((128, 128), alpha=0.0, max_iter=100, tol=0, n_iter_no_change=100, random_state=0)
model.fit(parts.X_train, parts.y_train)
print(reliability(model, parts.X_test, parts.y_test))

# %%
# The temperature is chosen on validation rows: it divides the logits, so that the greatest stays the greatest.
scaled = TemperatureScaled(FrozenEstimator(model)).fit(parts.X_validation, parts.y_validation)
print(f"temperature {scaled.temperature_:.2f}")
for name, one in (("as it is", model), ("scaled", scaled)):
    accuracy = one.score(parts.X_test, parts.y_test)
    loss = log_loss(parts.y_test, one.predict_proba(parts.X_test))
    error = reliability(one, parts.X_test, parts.y_test).ece
    print(f"{name:>8}: accuracy {accuracy:.3f}, log-loss {loss:.3f}, expected calibration error {error:.3f}")

# %%
# On the diagonal, probabilities mean what they say; the larger a point, the more rows it stands for.
fig, axes = plt.subplots(1, 2, figsize=(9, 4.5))
for ax, (name, one) in zip(axes, (("as it is", model), (f"T = {scaled.temperature_:.2f}", scaled)), strict=True):
    reliability(one, parts.X_test, parts.y_test).plot(ax)
    ax.set_title(name)
fig.tight_layout()
plt.show()
