"""
Why a third set
===============

Rows that helped to choose a model make it look better than it is: by more, the more was tried and the fewer they are.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from diaphane.data import bayes_error, gaussians
from diaphane.estimators import MLPClassifier
from diaphane.insight.theory import bayes_classifier, excess_error
from diaphane.selection import expected_overstatement, split, study_overstatement

# %%
# Candidates that are all right with probability 0.8, as is known here. The best of a hundred, on 50 rows, seems to be
# right with 0.92. The lines are the closed form: the expected greatest of k scores that share their rows.
study = study_overstatement(n_candidates=(1, 2, 5, 10, 30, 100), n_test=(50, 200, 1000), accuracy=0.8)
print(study)
study.plot()

# %%
# A hundred who guess at heads or tails: on fifty tosses the best of them is right in two of three.
print(f"{0.5 + expected_overstatement(0.5, n_test=50, n_candidates=100):.3f}")

# %%
# The same with networks that have really learnt, and the truth known from the law of the data: the score that chose is
# above it; that on 500 rows more is not (but for chance, in which it errs to either side).
warnings.simplefilter("ignore", ConvergenceWarning)
means = [[-0.6] * 4, [0.6] * 4]
law = bayes_classifier(means, np.eye(4))
chosen, third, true = [], [], []
for seed in range(5):
    X, y = gaussians(590, random_state=seed, means=means, covariance=np.eye(4))
    X = X.astype(np.float32)
    parts = split(X, y, (40 / 590, 50 / 590, 500 / 590), random_state=seed)
    candidates = [
        MLPClassifier((width,), alpha=alpha, learning_rate_init=0.02, max_iter=40, random_state=start)
        for width in (2, 16)
        for alpha in (0.0, 0.1)
        for start in range(5)
    ]
    scores = [m.fit(parts.X_train, parts.y_train).score(parts.X_validation, parts.y_validation) for m in candidates]
    best = candidates[int(np.argmax(scores))]
    chosen.append(max(scores))
    third.append(best.score(parts.X_test, parts.y_test))
    true.append(1 - excess_error(best, law, n_samples=20_000, random_state=0).error)
for name, values in {"on rows that chose": chosen, "on a third set": third, "true": true}.items():
    print(f"{name:<20}{np.mean(values):.3f}   {np.round(values, 2)}")
print(f"{'best possible':<20}{1 - bayes_error(means, np.eye(4)):.3f}")

# %%
places = np.arange(len(chosen))
figure, ax = plt.subplots(layout="constrained")
for values, marker, name in (
    (chosen, "o", "on the rows that chose"),
    (third, "s", "on a third set"),
    (true, "_", "true"),
):
    ax.plot(places, values, marker, markersize=9, markeredgewidth=2, label=name)
ax.set(xlabel="data set", ylabel="accuracy of the best of 20 networks")
ax.legend(loc="lower right")
plt.show()
