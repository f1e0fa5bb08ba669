"""
Where accuracy misleads
=======================

One row in a hundred is of the class that matters. Say "no" to all, and 99 % of the answers are right.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.dummy import DummyClassifier

from diaphane.data import bayes_error, gaussians
from diaphane.estimators import LogisticRegression
from diaphane.insight.displays import MetricsDisplay
from diaphane.selection import choose_threshold, report_metrics, split

means = [[-1.0, 0.0], [1.0, 0.0]]
X, y = gaussians(80_000, random_state=0, means=means)
yes = np.flatnonzero(y == 1)
kept = np.sort(np.concatenate([np.flatnonzero(y == 0), yes[: len(yes) // 99]]))
X, y = X[kept], np.array(["no", "yes"])[y[kept]]
parts = split(X, y, random_state=0)
print(parts)

# %%
# The model has learnt what can be learnt, and its accuracy hardly shows it: not even the best classifier there is has
# much more than "no" to all.
model = LogisticRegression(C=1e6).fit(parts.X_train, parts.y_train)
always_no = DummyClassifier().fit(parts.X_train, parts.y_train)
report = report_metrics(model, parts.X_test, parts.y_test, y_train=parts.y_train)
print(report)
print(f"the best accuracy there is: {1 - bayes_error(means, priors=[0.99, 0.01]):.4f}")

# %%
# A missed "yes" costs fifty times what a false alarm costs. The threshold is chosen on the validation rows; at the
# model's probabilities, which are right, the cheapest is near 1/(1 + 50).
choice = choose_threshold(model, parts.X_validation, parts.y_validation, costs=[[0, 1], [50, 0]])
print(choice)
choice.plot()

# %%
# Every score, on the test rows: "no" to all has the best accuracy, or nearly so, and no other score is fooled.
moved = choice.classifier
reports = {
    "at ½": report,
    "at the chosen threshold": report_metrics(moved, parts.X_test, parts.y_test, y_train=parts.y_train),
    "no to all": report_metrics(always_no, parts.X_test, parts.y_test, y_train=parts.y_train),
}
print(reports["at the chosen threshold"])
MetricsDisplay.from_reports(reports)
plt.show()
