"""
Activations and their derivatives
=================================

Each φ with its φ′, which is what backpropagation multiplies by: where it is near 0, nothing is learnt.
"""

import matplotlib.pyplot as plt
import numpy as np

import diaphane as dia

names = ["sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus"]
a = dia.variable(np.linspace(-4, 4, 401), "a")

figure, axes = plt.subplots(3, 3, figsize=(9, 7), sharex=True, layout="constrained")
for name, ax in zip(names, axes.flat):
    phi = dia.nn.find_activation(name)(a)
    [slope] = dia.gradient(dia.sum(phi), [a])
    ax.plot(a.value, phi.value, color="#2f6fb5", label="φ")
    ax.plot(a.value, slope.value, color="#d1661f", label="φ′")
    ax.set(title=name, ylim=(-2, 4))
    ax.grid(color="#e5e5e5")
axes[0, 0].legend(frameon=False)
plt.show()
