"""Max-norm: each unit's incoming weights, as torch.renorm holds them, and nothing else touched."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diaphane as dia
from diaphane import nn, optim
from diaphane.engines.native.engine import NativeEngine
from diaphane.optim import MaxNorm
from diaphane.training.step import TrainingStep

RNG = np.random.default_rng(4)
X, Y = RNG.normal(size=(16, 6)), RNG.integers(0, 3, 16)
ENGINES = {"reference": "reference", "native": "native", "watched": NativeEngine(debug=True)}
PROPERTY = settings(max_examples=25, deadline=None, derandomize=True)


def step_of(constraint, optimizer=None, engine="native", dtype="float64", width=9, **parts):
    net = nn.Network(nn.Sequential([nn.Dense(width, "relu"), nn.BatchNorm(), nn.Dense(3)]), (6,), dtype=dtype)
    loss = nn.find_loss("categorical_cross_entropy")
    step = TrainingStep(
        net, loss, optimizer or optim.SGD(0.5), target_dtype=Y.dtype, constraint=constraint, engine=engine, **parts
    )
    return net, step, step.initial_state(net.initial_state(np.random.default_rng(0)))


def run(step, state, steps=1):
    for _ in range(steps):
        _, state = step.program.run_batches(state, step.data(X, Y), batch_size=16)
    return state


@PROPERTY
@given(
    shapes=st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), min_size=1, max_size=3),
    limit=st.floats(0.1, 5),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_it_is_torchs_renorm_of_the_kernels_columns(shapes, limit, dtype):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(len(shapes))
    nodes = [dia.variable(rng.normal(size=s).astype(dtype), f"w{i}") for i, s in enumerate(shapes)]
    flat = optim.flatten([*nodes, dia.variable(rng.normal(size=7).astype(dtype), "b")])
    for engine in ("reference", "native"):
        found, _ = dia.Program(MaxNorm(limit)(flat, flat.vector), engine=engine).run()
        *kernels, bias = flat.unpack(found).values()
        for node, kernel in zip(nodes, kernels, strict=True):
            want = torch.renorm(torch.tensor(node.value), 2, 1, limit).numpy()
            np.testing.assert_allclose(kernel, want, rtol=3e-6 if dtype == "float32" else 1e-6)
            short = np.linalg.norm(node.value.astype("float64"), axis=0) < limit * (1 - 1e-9)
            np.testing.assert_array_equal(kernel[:, short], node.value[:, short])
        np.testing.assert_array_equal(bias, flat.vector.value[-7:])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_after_every_step_no_unit_is_longer_and_short_ones_moved_as_without_it(engine, dtype):
    net, step, state = step_of(MaxNorm(0.8), engine=ENGINES[engine], dtype=dtype)
    _, free, _ = step_of(None, engine=ENGINES[engine], dtype=dtype)
    clipped = 0
    for _ in range(5):
        plain = {
            p.name: v
            for p, v in zip(
                net.parameters, free.flat.unpack(run(free, free.adopt(state))[free.flat.vector]).values(), strict=True
            )
        }
        state = run(step, state)
        found = step.network_state(state)
        for p in net.parameters:
            if p.ndim < 2:
                np.testing.assert_array_equal(found[p], plain[p.name])
                continue
            length = np.linalg.norm(plain[p.name].astype("float64"), axis=0)
            clipped += (length > 0.8).sum()
            want = plain[p.name] * np.where(length > 0.8, 0.8 / length, 1)
            np.testing.assert_allclose(found[p], want, rtol=1e-6 if dtype == "float32" else 1e-14)
            np.testing.assert_array_equal(found[p][:, length < 0.8], plain[p.name][:, length < 0.8])
    assert clipped > 5


@pytest.mark.parametrize("optimizer", [optim.Adam(0.05), optim.Nesterov(0.1)], ids=repr)
def test_all_engines_agree_with_optimizers_that_keep_state_and_with_an_average(optimizer):
    found = []
    for engine in ENGINES.values():
        _, step, state = step_of(MaxNorm(0.7), optimizer, engine, averaging=optim.EMA(0.9))
        state = run(step, state, 6)
        found.append((state[step.flat.vector], step.flat.pack(step.network_state(state))))
    for vector, average in found[1:]:
        np.testing.assert_allclose(vector, found[0][0], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(average, found[0][1], rtol=1e-9, atol=1e-12)


def test_on_the_native_engine_nothing_calls_python_and_nothing_is_copied():
    _, plain, _ = step_of(None, optim.Adam(), width=300)
    _, step, _ = step_of(MaxNorm(2.0), optim.Adam(), width=300)
    with_it, without = (s.program.profile(None, s.data(X, Y), batch_size=16, steps=1) for s in (step, plain))
    assert not with_it.fallbacks
    more = [i.operation for i in with_it.instructions]
    for i in without.instructions:
        more.remove(i.operation)
    # One for each kernel, and the limit's cast to the parameters' precision where there is one.
    assert more.count("clip_columns") == 2
    assert set(more) <= {"clip_columns", "float64", "float32", "slice"}, more


def test_two_threads_and_one_give_the_same_bits():
    vectors = []
    for threads in (1, 2):
        _, step, state = step_of(MaxNorm(0.5), engine=NativeEngine(n_threads=threads), dtype="float32", width=301)
        vectors.append(run(step, state, 3)[step.flat.vector])
    np.testing.assert_array_equal(*vectors)


def test_another_limit_is_set_in_the_state():
    _, step, state = step_of(MaxNorm(5.0))
    state = run(step, state.replace({step.hyperparameters["max_norm/limit"]: 0.3}), 2)
    lengths = [np.linalg.norm(v, axis=0).max() for p, v in step.network_state(state).items() if p.ndim > 1]
    assert max(lengths) <= 0.3 * (1 + 1e-12)


def test_a_diverging_kernel_is_not_set_to_zero():
    node = dia.variable(np.array([[1e30, np.nan, np.inf], [1e30, 1.0, 1.0]], "float32"), "w")
    flat = optim.flatten([node])
    for engine in ("reference", "native"):
        found, _ = dia.Program(MaxNorm(1.0)(flat, flat.vector), engine=engine).run()
        kernel = found.reshape(2, 3)
        np.testing.assert_allclose(kernel[:, 0], np.sqrt(0.5), rtol=1e-6)
        assert np.isnan(kernel[0, 1:]).all()


@pytest.mark.parametrize("limit", [0, 0.0, -1.0, np.nan, np.inf])
def test_a_limit_that_cannot_be_is_refused_with_what_to_do(limit):
    with pytest.raises(ValueError, match=r"MaxNorm: limit.*constraint=None"):
        MaxNorm(limit)


def test_wrong_types_are_refused():
    with pytest.raises(TypeError, match="MaxNorm: limit"):
        MaxNorm("2")
    for wrong in (2.0, MaxNorm, "max_norm"):
        with pytest.raises(TypeError, match=r"MaxNorm\(2.0\)"):
            step_of(wrong)


def test_it_is_a_record_that_json_holds():
    assert MaxNorm.from_json(MaxNorm(3.5).to_json()) == MaxNorm(3.5)
