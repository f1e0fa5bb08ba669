"""The contenders: each trains the same net, from the same weights, on the same batches, as fast as its library can.

Each is made of a :class:`Work`, and ``epoch(order)`` trains on all rows in that order and gives the mean loss of its
steps. Libraries are imported where they are used, since each contender runs in a process of its own.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Protocol

import numpy as np
from works import LEARNING_RATE, Work

__all__ = ["Contender", "Diaphane", "Jax", "Products", "Sklearn", "Torch", "TorchCompiled"]


class Contender(Protocol):
    """What takes part."""

    def __init__(self, work: Work) -> None: ...

    def epoch(self, order: np.ndarray) -> float: ...


class Diaphane:
    """The native engine, on as many threads as it takes."""

    def __init__(self, work: Work) -> None:
        from diaphane.nn import Dense, Dropout, Network, Sequential
        from diaphane.training import Trainer

        dense = [*(Dense(units, work.activation) for units in work.sizes[1:-1]), Dense(work.sizes[-1])]
        rates = [work.dropout[0], *[work.dropout[1]] * (len(dense) - 1)]
        layers = [
            each for rate, layer in zip(rates, dense, strict=True) for each in (*[Dropout(rate)] * (rate > 0), layer)
        ]
        network = Network(Sequential(layers), work.sizes[:1], dtype=work.dtype)
        trainer = Trainer(
            network,
            "categorical_cross_entropy",
            "adam",
            batch_size=work.batch,
            epochs=1,
            shuffle=False,
            engine="native",
        )
        x, y = work.data()
        self.step, self.batch, self.steps = trainer.step_for(y, weighted=False), work.batch, 0
        first = {
            network.variable(f"dense_{i}/{name}"): value
            for i, layer in enumerate(work.first_weights(), 1)
            for name, value in zip(("kernel", "bias"), layer, strict=True)
        }
        self.state = self.step.initial_state(network.initial_state().replace(first))
        self.data = self.step.data(x, y)

    def epoch(self, order: np.ndarray) -> float:
        outputs, self.state = self.step.program.run_batches(
            self.state, self.data, order, self.batch, first_step=self.steps
        )
        self.steps += len(outputs["loss"])
        return float(outputs["loss"].mean())


class Sklearn:
    """``MLPClassifier.partial_fit`` without penalty."""

    def __init__(self, work: Work) -> None:
        from sklearn.neural_network import MLPClassifier

        class Softmax(MLPClassifier):
            """Of two classes, scikit-learn has one logistic output; two columns with a softmax are the same net."""

            out_activation_ = property(lambda self: "softmax", lambda self, value: None)

        if work.has_dropout:
            raise NotImplementedError("no dropout")
        kind = Softmax if work.sizes[-1] == 2 else MLPClassifier
        self.model = kind(work.sizes[1:-1], batch_size=work.batch, alpha=0.0, shuffle=False, random_state=0)
        self.x, self.y = work.data()
        if kind is Softmax:
            self.y = np.eye(2, dtype=int)[self.y]
        self.classes = np.arange(work.sizes[-1])

    def epoch(self, order: np.ndarray) -> float:
        self.model.partial_fit(self.x[order], self.y[order], classes=self.classes)
        return self.model.loss_


def _torch_net(work: Work):
    from torch import from_numpy, nn

    modules, weights = [], work.first_weights()
    for i, (inputs, units) in enumerate(pairwise(work.sizes)):
        if work.dropout[i > 0]:
            modules.append(nn.Dropout(work.dropout[i > 0]))
        linear = nn.Linear(inputs, units)
        linear.weight.data, linear.bias.data = from_numpy(weights[i][0].T.copy()), from_numpy(weights[i][1])
        modules += [linear, nn.ReLU()]
    return nn.Sequential(*modules[:-1])


class Torch:
    """Eager, with the fused Adam; the rows are put in order once an epoch, and losses are read at its end."""

    def __init__(self, work: Work) -> None:
        import torch

        self.torch, self.work, self.net = torch, work, _torch_net(work)
        self.adam = torch.optim.Adam(self.net.parameters(), lr=LEARNING_RATE, fused=True)
        self.x, self.y = map(torch.from_numpy, work.data())

    def epoch(self, order: np.ndarray) -> float:
        rows = self.torch.from_numpy(order)
        total = self.torch.zeros(())
        for x, y in zip(self.x[rows].split(self.work.batch), self.y[rows].split(self.work.batch), strict=True):
            self.adam.zero_grad(set_to_none=True)
            loss = self.torch.nn.functional.cross_entropy(self.net(x), y)
            loss.backward()
            self.adam.step()
            total += loss.detach()
        return total.item() / self.work.steps


class TorchCompiled:
    """Forward pass, gradient and Adam as one function under ``torch.compile``, called through its C++ wrapper.

    A compiled model beside the fused Adam takes four times as long for the smallest net, and as long for large ones.
    """

    def __init__(self, work: Work) -> None:
        import torch

        self.torch, self.work = torch, work
        self.x, self.y = map(torch.from_numpy, work.data())
        # Rows of one element: what a compiled function adds to a float64 scalar is lost in PyTorch 2.13.
        self.total, self.t = torch.zeros(1, dtype=self.x.dtype), torch.zeros(1, dtype=self.x.dtype)
        # A function's code may be compiled for a few nets only before PyTorch goes back to eager.
        torch.compiler.reset()
        self.step = torch.compile(self._step(_torch_net(work)), fullgraph=True, options={"cpp_wrapper": True})

    def _step(self, net):
        torch, total, t = self.torch, self.total, self.t
        parameters = {name: p.detach() for name, p in net.named_parameters()}
        first = {name: torch.zeros_like(p) for name, p in parameters.items()}
        second = {name: torch.zeros_like(p) for name, p in parameters.items()}

        def loss_of(parameters, x, y):
            return torch.nn.functional.cross_entropy(torch.func.functional_call(net, parameters, (x,)), y)

        def step(x, y):
            gradients, loss = torch.func.grad_and_value(loss_of)(parameters, x, y)
            total.add_(loss)
            t.add_(1)
            for name, g in gradients.items():
                m = first[name].mul_(0.9).add_(g, alpha=0.1)
                v = second[name].mul_(0.999).addcmul_(g, g, value=0.001)
                parameters[name].sub_(LEARNING_RATE * m / (1 - 0.9**t) / ((v / (1 - 0.999**t)).sqrt() + 1e-8))

        return step

    def epoch(self, order: np.ndarray) -> float:
        rows = self.torch.from_numpy(order)
        self.total.zero_()
        with self.torch.no_grad():
            for x, y in zip(self.x[rows].split(self.work.batch), self.y[rows].split(self.work.batch), strict=True):
                self.step(x, y)
        return self.total.item() / self.work.steps


class Jax:
    """A whole epoch in one compiled scan that takes over the buffers of the weights and moments it is given."""

    def __init__(self, work: Work) -> None:
        import jax

        jax.config.update("jax_enable_x64", work.dtype == "float64")
        self.jax, self.work = jax, work
        self.x, self.y = map(jax.numpy.asarray, work.data())
        weights = jax.tree.map(jax.numpy.asarray, work.first_weights())
        zeros = jax.tree.map(jax.numpy.zeros_like, (weights, weights))
        self.carry = (weights, *zeros, jax.numpy.zeros((), work.dtype))
        self.run = jax.jit(self._epoch, donate_argnums=0)

    def _loss(self, weights, x, y, key):
        jax, (of_inputs, of_hidden) = self.jax, self.work.dropout
        x = self._dropped(x, of_inputs, key, 0)
        for i, (kernel, bias) in enumerate(weights[:-1], 1):
            x = self._dropped(jax.nn.relu(x @ kernel + bias), of_hidden, key, i)
        kernel, bias = weights[-1]
        logits = x @ kernel + bias
        return -(jax.nn.one_hot(y, logits.shape[1]) * jax.nn.log_softmax(logits)).sum(axis=1).mean()

    def _dropped(self, x, rate, key, layer):
        if not rate:
            return x
        kept = self.jax.random.bernoulli(self.jax.random.fold_in(key, layer), 1 - rate, x.shape)
        return self.jax.numpy.where(kept, x / (1 - rate), 0)

    def _epoch(self, carry, x, y, order):
        jax, jnp = self.jax, self.jax.numpy

        def step(carry, rows):
            weights, first, second, t = carry
            t = t + 1
            # XLA's own generator: JAX's default one takes longer.
            key = jax.random.fold_in(jax.random.key(0, impl="rbg"), t.astype(int))
            loss, gradients = jax.value_and_grad(self._loss)(weights, x[rows], y[rows], key)
            first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
            second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
            m_scale, v_scale = LEARNING_RATE / (1 - 0.9**t), 1 / (1 - 0.999**t)
            weights = jax.tree.map(
                lambda w, m, v: w - m_scale * m / (jnp.sqrt(v * v_scale) + 1e-8), weights, first, second
            )
            return (weights, first, second, t), loss

        carry, losses = jax.lax.scan(step, carry, order)
        return carry, losses.mean()

    def epoch(self, order: np.ndarray) -> float:
        rows = order.reshape(self.work.steps, self.work.batch)
        self.carry, loss = self.run(self.carry, self.x, self.y, rows)
        self.jax.block_until_ready(self.carry)
        return float(loss)


class Products:
    """The floor: a step's matrix products alone, by SciPy's BLAS from a compiled loop, on arrays that are there.

    Forward, the weights' gradients, and the gradients of each layer's input but the first, which nobody asks for.
    """

    def __init__(self, work: Work) -> None:
        from numba import njit

        @njit
        def products(values, kernels, kernel_gradients, value_gradients, steps):
            for _ in range(steps):
                for k in range(len(kernels)):
                    np.dot(values[k], kernels[k], values[k + 1])
                for k in range(len(kernels) - 1, -1, -1):
                    np.dot(values[k].T, value_gradients[k + 1], kernel_gradients[k])
                    if k > 0:
                        np.dot(value_gradients[k + 1], kernels[k].T, value_gradients[k])

        rng = np.random.default_rng(0)
        kernels = tuple(kernel for kernel, _ in work.first_weights())
        values, value_gradients = (
            tuple(rng.standard_normal((work.batch, n), dtype=np.dtype(work.dtype)) for n in work.sizes)
            for _ in range(2)
        )
        self.arguments = values, kernels, tuple(map(np.empty_like, kernels)), value_gradients, work.steps
        self.products = products

    def epoch(self, order: np.ndarray) -> float:
        self.products(*self.arguments)
        return float("nan")
