"""Microseconds of a training step: diaphane's engines, scikit-learn, PyTorch (eager, where it is installed).

The same data, net, batch size, optimizer (Adam, 0.001) and first weights; each timing is that of a whole epoch,
taken in turn.
PyTorch gets the better of one and two threads.

    python benchmarks/bench_training_steps.py [--repeats 5]
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from itertools import pairwise

import numpy as np
from sklearn.neural_network import MLPClassifier

from diaphane.nn import Dense, Network, Sequential
from diaphane.training import Trainer

WORK = [((20, 32, 2), 32, 1600), ((64, 100, 10), 200, 200), ((784, 256, 10), 128, 64), ((784, 1024, 1024, 10), 128, 12)]


class Ours:
    def __init__(self, engine, sizes, batch, x, y, kernels):
        hidden = [Dense(units, "relu") for units in sizes[1:-1]]
        network = Network(Sequential([*hidden, Dense(sizes[-1])]), (sizes[0],))
        self.trainer = Trainer(
            network, "categorical_cross_entropy", "adam", batch_size=batch, epochs=1, random_state=0, engine=engine
        )
        state = network.initial_state()
        kernel_nodes = [p for p in network.parameters if p.ndim == 2]
        state = state.replace(dict(zip(kernel_nodes, kernels, strict=True)))
        self.step_state, self.data = self.trainer.step_for(y, False).initial_state(state), (x, y)

    def epoch(self):
        result = self.trainer.fit(*self.data, step_state=self.step_state)
        self.step_state = result.step_state
        return result.history.last("loss")


class Sklearn:
    def __init__(self, sizes, batch, x, y, kernels):
        self.model = MLPClassifier(sizes[1:-1], batch_size=batch, alpha=0.0, random_state=0)
        self.data, self.classes = (x, y), np.arange(sizes[-1])
        self.model.partial_fit(x, y, classes=self.classes)
        # Of two classes it has one output, and keeps first weights of its own.
        if self.model.n_outputs_ == sizes[-1]:
            for own, kernel in zip(self.model.coefs_, kernels, strict=True):
                own[...] = kernel

    def epoch(self):
        self.model.partial_fit(*self.data)
        return self.model.loss_


class Torch:
    def __init__(self, threads, sizes, batch, x, y, kernels):
        import torch

        self.torch, self.threads, self.batch = torch, threads, batch
        layers = []
        for i, kernel in enumerate(kernels):
            linear = torch.nn.Linear(*kernel.shape)
            with torch.no_grad():
                linear.weight.copy_(torch.tensor(kernel.T))
                linear.bias.zero_()
            layers += [linear, *([torch.nn.ReLU()] if i < len(kernels) - 1 else [])]
        self.net = torch.nn.Sequential(*layers)
        self.adam = torch.optim.Adam(self.net.parameters(), lr=0.001)
        self.x, self.y = torch.tensor(x), torch.tensor(y)
        self.loss = torch.nn.CrossEntropyLoss()

    def epoch(self):
        self.torch.set_num_threads(self.threads)
        order, total = self.torch.randperm(len(self.x)), 0.0
        for start in range(0, len(self.x), self.batch):
            rows = order[start : start + self.batch]
            self.adam.zero_grad(set_to_none=True)
            value = self.loss(self.net(self.x[rows]), self.y[rows])
            value.backward()
            self.adam.step()
            total += value.item()
        return total / (len(self.x) / self.batch)


def rivals(sizes, batch, x, y, kernels):
    found = {
        "diaphane, native": Ours("native", sizes, batch, x, y, kernels),
        "diaphane, reference": Ours("reference", sizes, batch, x, y, kernels),
        "scikit-learn": Sklearn(sizes, batch, x, y, kernels),
    }
    try:
        for threads in (1, 2):
            found[f"PyTorch, {threads} thread"] = Torch(threads, sizes, batch, x, y, kernels)
    except ImportError:
        print("PyTorch is not installed: left out")
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    warnings.simplefilter("ignore")
    print(f"{'net, batch':26} {'':20} {'µs a step':>10} {'times native':>13} {'loss':>8}")
    for sizes, batch, steps in WORK:
        rng = np.random.default_rng(0)
        x = rng.normal(size=(steps * batch, sizes[0])).astype(np.float32)
        y = (x[:, : sizes[-1]]).argmax(axis=1)
        pairs = list(pairwise(sizes))
        kernels = [(rng.normal(size=pair) / pair[0] ** 0.5).astype(np.float32) for pair in pairs]
        contenders = rivals(sizes, batch, x, y, kernels)
        times = {name: [] for name in contenders}
        losses = {}
        for turn in range(repeats + 1):
            for name, rival in contenders.items():
                started = time.perf_counter()
                losses[name] = rival.epoch()
                if turn:
                    times[name].append((time.perf_counter() - started) / steps * 1e6)
        medians = {name: statistics.median(values) for name, values in times.items()}
        for name, value in medians.items():
            label = f"{'-'.join(map(str, sizes))}, {batch}"
            ratio = value / medians["diaphane, native"]
            print(f"{label:26} {name:20} {value:10.1f} {ratio:12.2f}x {losses[name]:8.4f}")


if __name__ == "__main__":
    main()
