"""
Optimizers on a valley
======================

Every optimizer is a graph formula, so one program a rule is all it takes to follow its path.
"""

import matplotlib.pyplot as plt
import numpy as np

import diaphane as dia

START = [-1.5, 1.6]
rules = {
    "SGD": dia.optim.SGD(0.002),
    "momentum": dia.optim.Momentum(0.001, momentum=0.9),
    "Adagrad": dia.optim.Adagrad(0.4),
    "RMSProp": dia.optim.RMSProp(0.02),
    "Adam": dia.optim.Adam(0.05),
}


def valley(w):
    """Rosenbrock's function; the minimum is at (1, 1)."""
    return (1 - w[0]) ** 2 + 30 * (w[1] - w[0] ** 2) ** 2


def path(rule, steps=300):
    w = dia.variable(START, "w")
    loss = valley(w)
    [slope] = dia.gradient(loss, [w])
    program = dia.Program(loss, rule.updates(w, slope).next_values)
    state, points = program.initial_state(), [START]
    for _ in range(steps):
        _, state = program.run(state)
        points.append(state[w])
    return np.array(points)


u, v = np.meshgrid(np.linspace(-2, 2, 200), np.linspace(-0.8, 2.4, 200))
figure, ax = plt.subplots(figsize=(8, 5), layout="constrained")
ax.contourf(u, v, np.log1p((1 - u) ** 2 + 30 * (v - u**2) ** 2), levels=25, cmap="Greys")
for name, rule in rules.items():
    points = path(rule)
    ax.plot(*points.T, label=name, linewidth=2)
    print(f"{name:9} ends {np.linalg.norm(points[-1] - 1):.3f} from the minimum")
ax.plot(1, 1, "k*", markersize=14)
ax.legend(frameon=False)
plt.show()
