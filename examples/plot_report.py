"""
A report to hand over
=====================

One page of HTML on a fitted model, for a colleague who knows nothing of the code: how good it is beside no learning,
what is wrong with it, what it leans on, and how to make it again.
"""

import tempfile
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from diaphane.estimators import MLPClassifier
from diaphane.report import RunFacts, report
from diaphane.selection import choose_threshold, reliability, split

warnings.simplefilter("ignore", ConvergenceWarning)
X, y = load_breast_cancer(return_X_y=True, as_frame=True)
y = y.map({0: "malignant", 1: "benign"})
parts = split(X, y, random_state=0)
model = make_pipeline(StandardScaler(), MLPClassifier((32,), max_iter=40, random_state=0))
model.fit(parts.X_train, parts.y_train)

# %%
# A missed tumour costs ten times what a false alarm does: the threshold is chosen on the validation rows.
costs = [[0, 1], [10, 0]]  # benign, malignant: costs[truth][said]
choice = choose_threshold(model, parts.X_validation, parts.y_validation, costs=costs)
print(choice)

# %%
# The test rows are looked at here for the first time.
page = report(
    model,
    parts.X_train,
    parts.y_train,
    validation=(parts.X_validation, parts.y_validation),
    test=(parts.X_test, parts.y_test),
    name="Tumours",
    target="diagnosis",
    threshold=choice,
    run=RunFacts(split=parts.how),
)
with tempfile.TemporaryDirectory() as folder:
    path = page.save(Path(folder, "report.html"))
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB; left out: {dict(page.left_out)}")

# %%
# Its pictures are those of the displays, such as this one.
reliability(model, parts.X_test, parts.y_test, n_bins=10, positive="malignant").plot()
plt.show()
