"""
Generative or discriminative
============================

Model what each class looks like, or only where they part? On two Gaussians the best there is is known.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.naive_bayes import GaussianNB

from diaphane.data import bayes_error, gaussians
from diaphane.estimators import LogisticRegression
from diaphane.insight.displays import DensityDisplay, LearningCurvesDisplay
from diaphane.insight.theory import compare_classifiers

means = [(-1.2, 0.0), (1.2, 0.5)]
covariances = [[[1.0, 0.5], [0.5, 1.0]], [[1.5, -0.5], [-0.5, 0.6]]]
X, y = gaussians(300, 0, means=means, covariance=covariances)
boundaries = {
    "logistic regression": LogisticRegression().fit(X, y),
    "Gaussian naive Bayes": GaussianNB().fit(X, y),
}
DensityDisplay.from_gaussians(means, covariances, X=X, y=y, boundaries=boundaries)

# %%
# Naive Bayes takes features for independent. Where they are not quite, it is ahead with few examples and behind with
# many (Ng & Jordan 2002).
d = 20
mean = np.where(np.arange(d) % 4 == 0, 0.45, 0.25)
covariance = 0.25 * np.ones((d, d)) + 0.75 * np.eye(d)
X, y = gaussians(6000, 1, means=[-mean, mean], covariance=covariance)
classifiers = {"naive Bayes": GaussianNB(), "logistic regression": LogisticRegression(C=100.0)}
comparison = compare_classifiers(X, y, classifiers, sizes=[10, 20, 40, 80, 160, 320, 640, 1280, 2560], n_repeats=10)
print(comparison)
LearningCurvesDisplay.from_comparison(
    comparison,
    bayes_error=bayes_error([-mean, mean], covariance),
    mark=("naive Bayes", "logistic regression"),
)
plt.show()
