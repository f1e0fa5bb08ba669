"""Networks of every kind that a file can hold, and a process of its own that reads them."""

import subprocess
import sys

import numpy as np
import pytest

import diaphane as dia
from diaphane import nn

LAYERS = {
    "dense": (nn.Dense(3, "relu"), (4,)),
    "dense without bias": (nn.Dense(3, kernel_initializer=0.5, use_bias=False), (4,)),
    "activation": (nn.Sequential([nn.Dense(5), nn.Activation("gelu")]), (4,)),
    "prelu": (nn.Sequential([nn.Dense(5), nn.PRelu(0.1)]), (4,)),
    "maxout": (nn.Sequential([nn.Dense(6), nn.Maxout(3)]), (4,)),
    "dropout": (nn.Sequential([nn.Dense(5, "tanh"), nn.Dropout(0.3), nn.Dense(2)]), (4,)),
    "dropout of the paper": (nn.Sequential([nn.Dense(5, "tanh"), nn.Dropout(0.3, inverted=False), nn.Dense(2)]), (4,)),
    "batch norm": (nn.Sequential([nn.Dense(5), nn.BatchNorm(0.2, 1e-3), nn.Dense(2)]), (4,)),
    "flatten": (nn.Sequential([nn.Flatten(), nn.Dense(2)]), (2, 3)),
    "reshape": (nn.Sequential([nn.Reshape((3, 2)), nn.Dense(4, "elu"), nn.Reshape((-1,))]), (6,)),
    "nested": (nn.Sequential([nn.Dense(4), nn.Sequential([nn.BatchNorm(), nn.Sequential([nn.Dense(4)])])]), (4,)),
    "initialisers": (
        nn.Sequential([nn.Dense(4, "selu", nn.Orthogonal(1.5), nn.Uniform(0.2)), nn.Dense(2, "softmax", "he_normal")]),
        (4,),
    ),
    "nothing": (nn.Sequential([]), (4,)),
}


def recurrent(x):
    """A simple recurrent net, run both ways over (N, T, 3), its weights outside of the loop."""
    rng = np.random.default_rng(0)
    w = dia.variable(rng.normal(size=(3, 4)), "w")
    u = dia.variable(rng.normal(size=(4, 4)) / 2, "u")
    start = dia.sum(x, 1) @ w * 0.1

    def body(carry, item):
        after = dia.tanh(item @ w + carry @ u)
        return after, after * 2

    steps = dia.permute_dims(x, (1, 0, 2))
    last, every = dia.scan(body, start, steps)
    backwards, _ = dia.scan(body, last, steps, reverse=True)
    return backwards + dia.sum(every, 0)


def convolution(x):
    kernel = dia.variable(np.random.default_rng(1).normal(size=(3, 3, 2, 4)), "kernel")
    return dia.mean(dia.relu(dia.conv2d(x, kernel, strides=(2, 1), padding=(1, 1))), (1, 2))


def of_constants(x):
    strange = dia.constant([np.nan, np.inf, -0.0, 1e-320])
    chosen = dia.where(dia.constant([True, False, True, False]), x, x * dia.constant([1, 2, 3, 4]))
    scale = dia.variable(np.array(2.5), "scale")
    return dia.concat([chosen * scale, dia.broadcast_to(strange, x.shape), dia.take(x, [3, 0], axis=1)], axis=1)


def of_named_sizes(x):
    """N stands in reshapes, as a number, and halved."""
    column = dia.reshape(x, (1, x.shape[0], 4, 1))
    every_other = dia.sum(dia.conv2d(column, np.ones((2, 4, 1, 1)) / 8, strides=(2, 1)))
    pairs = dia.reshape(x, (x.shape[0] * 2, 2))
    count = dia.extent_value(x.shape[0], x.dtype)
    return dia.reshape(dia.softmax(pairs), (x.shape[0], 4)) * count + every_other / count


def shared(x):
    w = dia.variable(np.random.default_rng(2).normal(size=(4, 4)), "w")
    kept = dia.variable(np.ones(4), "kept", role="state")
    rate = dia.variable(0.5, "rate", role="hyperparameter")
    drawn = dia.variable(nn.GlorotUniform(), "drawn", shape=(4, 2), dtype="float64")
    unnamed = dia.variable(np.arange(4.0))
    return dia.concat([(dia.tanh(x @ w) @ w + unnamed) * rate - kept, x @ drawn], axis=1)


FUNCTIONS = {
    "recurrent": (recurrent, (5, 3)),
    "convolution": (convolution, (6, 7, 2)),
    "constants": (of_constants, (4,)),
    "named sizes": (of_named_sizes, (4,)),
    "shared weights": (shared, (4,)),
}
CASES = [(name, dtype) for name in LAYERS for dtype in ("float32", "float64")]
CASES += [(name, "float64") for name in FUNCTIONS]

READER = """
import pathlib, sys
import numpy as np
import diaphane as dia
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.safetensors")):
    network, state = dia.load(path)
    np.save(path.with_suffix(".read.npy"), network.predict(state, np.load(path.with_suffix(".x.npy"))))
"""


def make(name, dtype="float64"):
    """A network with values that are not the first ones, and rows to predict."""
    architecture, shape = (LAYERS | FUNCTIONS)[name]
    network = nn.Network(architecture, shape, dtype=dtype)
    rng = np.random.default_rng(3)
    state = network.initial_state(rng)
    moved = {v: a + rng.uniform(0.1, 0.3, a.shape) for v, a in state.items()}
    return network, state.replace(moved), rng.normal(size=(6, *shape)).astype(dtype)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Each case saved here and predicted in another process: name → (network, state, rows, path, what was read)."""
    folder = tmp_path_factory.mktemp("networks")
    cases = {}
    for i, case in enumerate(CASES):
        network, state, x = make(*case)
        path = dia.save(folder / f"{i}.safetensors", network, state)
        np.save(path.with_suffix(".x.npy"), x)
        cases[case] = network, state, x, path
    subprocess.run([sys.executable, "-c", READER, str(folder)], check=True, capture_output=True, text=True)
    return {case: (*values, np.load(values[-1].with_suffix(".read.npy"))) for case, values in cases.items()}
