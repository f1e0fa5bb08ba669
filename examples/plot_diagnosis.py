"""
Diagnosis in words
==================

Underfitting, overfitting, a learning rate that is too small, wrong labels: :func:`diaphane.selection.diagnose` fits the
model again, watched, beside simple rivals and with one thing changed at a time, and says what it found and what to try.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning

from diaphane.estimators import MLPClassifier
from diaphane.selection import diagnose

warnings.simplefilter("ignore", ConvergenceWarning)
X, y = make_moons(600, noise=0.2, random_state=0)

# %%
# One hidden unit draws one straight line.
small = MLPClassifier((1,), learning_rate_init=0.02, max_iter=150, random_state=0).fit(X, y)
diagnosis = diagnose(small, X, y)
print(diagnosis)
diagnosis.plot()

# %%
# Enough units, and a learning rate with which 100 epochs lead nowhere.
slow = MLPClassifier((32,), learning_rate_init=1e-5, max_iter=100, random_state=0).fit(X, y)
print(*diagnose(slow, X, y).findings, sep="\n")

# %%
# A fifth of the labels is wrong. The rows to look at first are named.
rng = np.random.default_rng(0)
wrong = np.where(rng.random(len(y)) < 0.2, 1 - y, y)
taught = MLPClassifier((32,), learning_rate_init=0.01, alpha=1.0, max_iter=150, random_state=0).fit(X, wrong)
print(*diagnose(taught, X, wrong).findings, sep="\n")

# %%
# Nothing wrong: said too, with the numbers it rests on.
good = MLPClassifier((32,), learning_rate_init=0.01, max_iter=150, random_state=0).fit(X, y)
print(diagnose(good, X, y))

# %%
# In a second, on any classifier or regressor as it is fitted: what can be said without fitting it again.
held_out = make_moons(300, noise=0.2, random_state=1)
print(diagnose(small, X, y, validation_data=held_out, refit=False))
plt.show()
