"""
Learning rates that change
==========================

A schedule is a factor of the learning rate, ε_t = ε₀ · factor(t). They multiply, and follow one another.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

import diaphane as dia
from diaphane.insight.displays import ScheduleDisplay
from diaphane.optim import Adam, Cosine, Warmup

# %%
# Each has a short name; what it leaves out follows from the number of epochs.
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
ScheduleDisplay.from_schedules(
    ["step:0.5,10", "exponential:0.05", "inverse:0.2", "polynomial", "cosine"], epochs=40, ax=left
)
ScheduleDisplay.from_schedules(
    {
        "restarts: Cosine(8, multiplier=2)": Cosine(8, multiplier=2),
        "warmup:5+cosine": "warmup:5+cosine",
        "onecycle": "onecycle",
        "cosine times step": "cosine * step:0.5,10",
    },
    epochs=40,
    ax=right,
)

# %%
# Which rate to begin with: raise it step by step, and look where the loss falls and where it rises again.
X, y = load_digits(return_X_y=True)
X = X / 16
network = dia.nn.Network(dia.nn.Sequential([dia.nn.Dense(64, "relu"), dia.nn.Dense(10)]), (64,), dtype="float64")


def trainer(optimizer):
    return dia.training.Trainer(network, "categorical_cross_entropy", optimizer, epochs=15, random_state=0)


found = dia.training.rate_test(trainer(Adam()), X[:1200], y[:1200])
dia.insight.displays.RateTestDisplay.from_rate_test(found)
print(f"suggested: {found.suggestion:.2g}; the loss fell fastest at {found.steepest:.2g}")

# %%
# At that rate, constant and under two schedules.
_, ax = plt.subplots(layout="constrained")
for name, schedule in {
    "constant": None,
    "cosine": "cosine",
    "warm-up, then cosine": Warmup(3).then(Cosine(12), at=3),
}.items():
    result = trainer(Adam(found.suggestion, schedule=schedule)).fit(
        X[:1200], y[:1200], validation_data=(X[1200:], y[1200:])
    )
    history = result.history
    print(f"{name:>20}: last rate {history.last('learning_rate'):.5f}, loss {history.last('loss'):.5f}")
    ax.plot(history["epoch"], history["loss"], label=name)
ax.set(xlabel="epoch", ylabel="training loss", yscale="log")
ax.legend(frameon=False)
plt.show()
