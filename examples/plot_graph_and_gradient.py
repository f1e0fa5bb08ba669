"""
A graph, its value and its gradient
===================================

The textbook's example: f = (x + y)·z at (−2, 5, −4).
"""

import diaphane as dia

x, y, z = dia.variable(-2.0, "x"), dia.variable(5.0, "y"), dia.variable(-4.0, "z")
f = (x + y) * z
print(f, "=", f.value)

# %%
# Backpropagation takes a graph and returns a graph: gradients are nodes too.
for name, slope in zip("xyz", dia.gradient(f, [x, y, z])):
    print(f"df/d{name} = {slope} = {slope.value}")

# %%
# Each edge carries its value and, below, its contribution to the gradient.
dia.draw(f, gradients=True)

# %%
# The gradient of a gradient: a Hessian-vector product, checked against differences.
w = dia.variable([1.0, 2.0], "w")
[g] = dia.gradient(dia.sum(w**3), [w])
[hv] = dia.gradient(dia.sum(g * dia.constant([1.0, 0.0])), [w])
print(hv.value)
print(dia.check_gradient(dia.sum(dia.tanh(w) ** 2), [w]))
