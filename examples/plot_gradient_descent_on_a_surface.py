"""
Gradient descent: the learning rate, and the batch
==================================================

θ ← θ − ε·∇l with ε too small, right and too large, on a bowl and on logistic regression's loss; then how far descent is
by the time that so many examples were seen.
"""

import matplotlib.pyplot as plt
import numpy as np

from diaphane.data import gaussians
from diaphane.insight.displays import DescentDisplay, ErrorAgainstExamplesDisplay

bowl = DescentDisplay.from_quadratic([[1.0, 0.0], [0.0, 8.0]])
for title in bowl.paths:
    print(f"{title}: {bowl.excess(title):.2g} above the minimum")

# %%
# The mean logistic loss of one feature is convex too. Its slope is bounded: too large an ε throws θ back and forth.
X, y = gaussians(300, random_state=0)
DescentDisplay.from_logistic(X[:, 0], y)

# %%
# The best step along each gradient can be searched for: each is at a right angle to the one before.
DescentDisplay.from_quadratic(learning_rates={"": "exact", "fixed": 0.2})

# %%
# A full batch sees every example for one step; single examples have made as many steps by then.
X, y = gaussians(2000, 0, means=[(-1, 0, 0, 0.3), (1, 0, 0, 0)], covariance=np.diag([1, 3, 1, 0.3]))
ErrorAgainstExamplesDisplay.from_data(X, y, random_state=0)
plt.show()
