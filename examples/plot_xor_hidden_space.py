"""
XOR and the space that the hidden units make
============================================

No line separates XOR; two hidden units move the four points to where one does.
"""

import matplotlib.pyplot as plt
import numpy as np

import diaphane as dia
from diaphane.nn import Dense, Network, Sequential

points = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
labels = np.array([0.0, 1.0, 1.0, 0.0])

network = Network(Sequential([Dense(2, "tanh", "lecun_normal"), Dense(1)]), (2,), dtype="float64")
trainer = dia.training.Trainer(
    network, "binary_cross_entropy", dia.optim.Adam(0.1), batch_size=4, epochs=300, random_state=0
)
result = trainer.fit(points, labels)
print("loss", round(result.history.last("loss"), 4))
print("decisions", (network.predict(result.state, points)[:, 0] > 0).astype(int))

# %%
# The same weights, read as two pictures: what the inputs look like, and what the output unit sees.
kernel, bias = (result.state[network.variable(f"dense_1/{name}")] for name in ("kernel", "bias"))
hidden = np.tanh(points @ kernel + bias)
w, b = (result.state[network.variable(f"dense_2/{name}")] for name in ("kernel", "bias"))

figure, axes = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
for ax, where, title in zip(axes, (points, hidden), ("input space", "hidden space")):
    ax.scatter(*where.T, c=labels, cmap="coolwarm", s=120, edgecolors="black", zorder=3)
    ax.set(title=title)
    ax.grid(color="#e5e5e5")
t = np.linspace(-1.2, 1.2, 2)
axes[1].plot(t, -(w[0] * t + b) / w[1], color="black", linewidth=1)
axes[1].set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2))
plt.show()
