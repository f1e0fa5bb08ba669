"""
Stepping through a network, forward and backward
================================================

One hidden layer, a softmax, a cross-entropy; each node with its value as it is computed.
"""

import numpy as np

import diaphane as dia

rng = np.random.default_rng(0)
x = dia.constant(rng.normal(size=(4, 3)), "x")
labels = dia.constant([0, 1, 1, 0], "labels")
W1, W2 = dia.variable(rng.normal(size=(3, 5)), "W1"), dia.variable(rng.normal(size=(5, 2)), "W2")

h = dia.sigmoid(x @ W1).named("h")
o = (h @ W2).named("logits")
loss = dia.mean(dia.nn.losses.categorical_cross_entropy(o, labels)).named("loss")
gradients = dia.gradient(loss, [W1, W2])

for step in dia.Program([loss, *gradients]).step_through():
    print(f"{step.phase:8}  {step.node.label():12} {step.value.shape!s:8} {step.value.mean():8.4f}")

# %%
# The textbook's formula for the last layer, hᵀ·(o − y)/N, gives the same numbers.
by_hand = h.value.T @ (dia.softmax(o).value - np.eye(2)[labels.op.array]) / 4
print(np.abs(by_hand - gradients[1].value).max())
