"""
Digits, with dropout and early stopping
=======================================

scikit-learn's estimator with what it lacks: dropout, validation data, and the graph behind it.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from diaphane.estimators import MLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, test_size=0.2, stratify=y, random_state=0)
X_fit, X_held, y_fit, y_held = train_test_split(X_train, y_train, test_size=0.2, stratify=y_train, random_state=0)

model = MLPClassifier(
    (128, 64), dropout=0.2, early_stopping=True, learning_rate_init=0.003, max_iter=400, random_state=0
)
model.fit(X_fit, y_fit, validation_data=(X_held, y_held))
print("epochs", model.n_iter_, " test accuracy", round(model.score(X_test, y_test), 3))
print(model.network_.output)

# %%
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(model.history_["loss"], label="training, with dropout")
ax.plot(model.history_["validation_loss"], label="validation, without")
ax.set(xlabel="epoch", ylabel="mean cross-entropy", yscale="log")
ax.legend(frameon=False)
plt.show()
