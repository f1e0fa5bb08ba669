"""Programs: two-phase updates, state in and out, any size, errors at the border, steps, seeds, threads."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import diaphane as dia

N = dia.Dim("N")


@pytest.fixture
def planned(monkeypatch):
    """The definitions that the engine was asked to plan since."""
    from diaphane.engines.reference import ReferenceEngine

    seen, prepare = [], ReferenceEngine.prepare
    monkeypatch.setattr(ReferenceEngine, "prepare", lambda self, d: seen.append(d) or prepare(self, d))
    return seen


def regression():
    """A step of descent on a line, its loss and slope."""
    x, y = dia.placeholder((N, 3), "float64", "x"), dia.placeholder((N,), "float64", "y")
    w = dia.variable(np.array([0.5, -1.0, 2.0]), "w")
    loss = dia.mean((x @ w - y) ** 2)
    [slope] = dia.gradient(loss, [w])
    return x, y, w, loss, slope


# ── updates and state ────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_variables_swap_in_one_step():
    a, b = dia.variable([1.0, 2.0], "a"), dia.variable([3.0, 4.0], "b")
    program = dia.Program([a, b], {a: b, b: a})
    (first, second), state = program.run()
    np.testing.assert_array_equal([first, second], [[1, 2], [3, 4]])
    np.testing.assert_array_equal([state[a], state[b]], [[3, 4], [1, 2]])
    _, state = program.run(state)
    np.testing.assert_array_equal([state[a], state[b]], [[1, 2], [3, 4]])


def test_no_formula_reads_a_half_updated_state():
    a, b, c = (dia.variable(v, n) for v, n in ((1.0, "a"), (2.0, "b"), (4.0, "c")))
    _, state = dia.Program([], {a: a + b, b: a + b + c, c: a * b * c}).run()
    assert [float(state[v]) for v in (a, b, c)] == [3, 7, 8]


def test_outputs_are_those_before_the_update():
    w = dia.variable(1.0, "w")
    out, state = dia.Program(w * 1.0, {w: w + 1}).run()
    assert (float(out), float(state[w])) == (1, 2)


def test_a_run_changes_neither_the_state_nor_the_feeds_that_went_in():
    x, y, w, loss, slope = regression()
    program = dia.Program(loss, {w: w - slope})
    state, feeds = program.initial_state(), {x: np.ones((4, 3)), y: np.ones(4)}
    before = {v: state[v].copy() for v in state}, {p: v.copy() for p, v in feeds.items()}
    _, after = program.run(state, feeds)
    program.run_batches(state, feeds, batch_size=2)
    for old, now in zip(before, (state, feeds), strict=True):
        for key, value in old.items():
            np.testing.assert_array_equal(now[key], value)
    assert after is not state
    assert not np.array_equal(after[w], state[w])


def test_writing_into_one_states_arrays_changes_no_other_first_state():
    w = dia.variable(np.array([1.0, 2.0]), "w")
    program = dia.Program(w * 1.0)
    state = program.initial_state()
    try:
        state[w][0] = 99.0
    except ValueError:
        return  # refused: read-only arrays keep the promise too
    np.testing.assert_array_equal(program.initial_state()[w], [1, 2])
    np.testing.assert_array_equal(w.value, [1, 2])


def test_replace_gives_another_state_and_leaves_this_one():
    w, v = dia.variable([1.0, 2.0], "w"), dia.variable(3, "v")
    state = dia.initial_state([w, v])
    other = state.replace({w: [5, 6]})
    np.testing.assert_array_equal(state[w], [1, 2])
    np.testing.assert_array_equal(other[w], [5, 6])
    assert other[w].dtype == np.float64
    assert other[v] == 3


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        ([1.0, 2.0, 3.0], ValueError, r"w.*\(2,\).*\(3,\)"),
        (1.0, ValueError, r"w.*\(2,\).*\(\)"),
        ([[1.0, 2.0]], ValueError, r"w.*\(2,\).*\(1, 2\)"),
        (["a", "b"], TypeError, "w.*float64"),
        ([1j, 2j], TypeError, "w.*float64.*complex"),
    ],
)
def test_replace_refuses_what_does_not_fit_the_variable(value, error, words):
    w = dia.variable([1.0, 2.0], "w")
    with pytest.raises(error, match=words):
        dia.initial_state([w]).replace({w: value})


def test_replace_keeps_whole_numbers_whole():
    t = dia.variable(3, "t")
    with pytest.raises(TypeError, match=r"int64.*float64"):
        dia.initial_state([t]).replace({t: 2.5})


def test_a_state_is_a_mapping_that_says_what_it_holds():
    w, other = dia.variable([1.0, 2.0], "w"), dia.variable(1.0, "other")
    state = dia.initial_state([w])
    assert (list(state), len(state), w in state, other in state) == ([w], 1, True, False)
    assert state.get(other) is None
    assert state.get(other, 3) == 3
    with pytest.raises(ValueError, match=r"other.*it holds: .*w"):
        state[other]
    assert "w" in repr(state)


def test_a_state_knows_whether_it_is_finite():
    w, t = dia.variable([1.0, 2.0], "w"), dia.variable(3, "t")
    state = dia.initial_state([w, t])
    assert state.is_finite
    for bad in (np.nan, np.inf, -np.inf):
        assert not state.replace({w: [0.0, bad]}).is_finite


def test_values_that_the_program_does_not_know_stay_in_the_state():
    w, other = dia.variable(1.0, "w"), dia.variable(7.0, "other")
    _, state = dia.Program(w * 1.0, {w: w + 1}).run(dia.initial_state([w, other]))
    assert (state[w], state[other]) == (2, 7)


def test_a_state_without_one_of_the_programs_variables_names_it():
    w, v = dia.variable(1.0, "w"), dia.variable(1.0, "missing")
    with pytest.raises(ValueError, match="missing"):
        dia.Program(w * v).run(dia.initial_state([w]))


def test_a_variable_that_is_only_updated_is_in_the_state_too():
    w, seen = dia.variable(1.0, "w"), dia.variable(0.0, "seen", role="state")
    _, state = dia.Program([], {seen: w * 3}).run()
    assert state[seen] == 3


def test_initialisers_draw_from_the_generator_in_the_variables_order():
    first, second = (dia.variable(dia.nn.LecunNormal(), n, shape=(3, 2), dtype="float64") for n in "ab")
    state = dia.initial_state([first, second], np.random.default_rng(4))
    rng = np.random.default_rng(4)
    for node in (first, second):
        np.testing.assert_allclose(state[node], rng.standard_normal((3, 2)) / np.sqrt(3), rtol=1e-15)
    np.testing.assert_array_equal(dia.initial_state([first])[first], dia.initial_state([first])[first])


# ── structure and sizes ──────────────────────────────────────────────────────────────────────────────────────────────


def test_outputs_come_back_in_the_structure_that_was_given():
    w = dia.variable(2.0, "w")
    assert dia.Program(w * 3).run()[0] == 6
    assert dia.Program([w * 3, w * 4]).run()[0] == [6, 8]
    assert dia.Program({"a": w * 3, "b": w}).run()[0] == {"a": 6, "b": 2}
    assert dia.Program([]).run()[0] == []


@settings(max_examples=30, deadline=None, derandomize=True)
@given(sizes=st.lists(st.integers(0, 40), min_size=1, max_size=6))
def test_one_program_runs_for_any_number_of_examples(sizes):
    x = dia.placeholder((N, 3), "float64", "x")
    program = dia.Program({"rows": x * 2, "sum": dia.sum(x)})
    for n in sizes:
        rows = np.arange(3.0 * n).reshape(n, 3)
        out, _ = program.run(None, {x: rows})
        np.testing.assert_array_equal(out["rows"], 2 * rows)
        assert out["sum"] == rows.sum()


def test_another_size_is_not_planned_anew(planned):
    x, y, w, loss, slope = regression()
    program = dia.Program(loss, {w: w - 0.01 * slope}, engine="reference")
    nodes = set(dia.ancestors(program.definition.wanted))
    rng, state = np.random.default_rng(0), program.initial_state()
    for n in (1, 5, 128, 7, 1):
        data = {x: rng.normal(size=(n, 3)), y: rng.normal(size=n)}
        _, state = program.run(state, data)
        _, state = program.run_batches(state, data, batch_size=3)
    assert len(planned) == 1
    assert set(dia.ancestors(program.definition.wanted)) == nodes


def test_the_mean_divides_by_the_batchs_own_size():
    x, y, w, loss, slope = regression()
    program, rng = dia.Program([loss, slope]), np.random.default_rng(0)
    for n in (1, 4, 9):
        a, b = rng.normal(size=(n, 3)), rng.normal(size=n)
        (value, gradient), _ = program.run(None, {x: a, y: b})
        error = a @ w.value - b
        np.testing.assert_allclose(value, (error**2).sum() / n, rtol=1e-13)
        np.testing.assert_allclose(gradient, 2 * a.T @ error / n, rtol=1e-12)


# ── errors at the border ─────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_engine_lists_those_there_are():
    for wrong in (lambda: dia.find_engine("cuda"), lambda: dia.Program(dia.variable(1.0, "w"), engine="cuda")):
        with pytest.raises(ValueError, match=r"cuda.*there are:.*reference"):
            wrong()
    assert {name: dia.find_engine(name).name for name in dia.ENGINES}["reference"] == "reference"


def bad_feeds():
    x, y = np.ones((4, 3)), np.ones(4)
    return {
        "missing": ({"x": x}, ValueError, r"y.*not fed.*x \(N, 3\)"),
        "unknown name": ({"x": x, "y": y, "z": y}, ValueError, r"'z'.*x, y"),
        "width": ({"x": np.ones((4, 2)), "y": y}, ValueError, r"x.*\(N, 3\).*\(4, 2\)"),
        "axes": ({"x": np.ones(4), "y": y}, ValueError, r"x.*\(N, 3\).*\(4,\)"),
        "rows": ({"x": x, "y": np.ones(5)}, ValueError, r"N is 4 in x and 5 in y|differ.*x has 4, y has 5"),
        "strings": ({"x": x, "y": np.array(list("abcd"))}, TypeError, "y.*float64"),
        "complex": ({"x": x, "y": y * 1j}, TypeError, "y.*float64.*complex128"),
    }


@pytest.mark.parametrize("case", bad_feeds())
@pytest.mark.parametrize("way", ["run", "run_batches"])
def test_bad_feeds_are_refused_by_name_with_what_was_given_and_expected(case, way):
    *_, w, loss, slope = regression()
    program = dia.Program(loss, {w: w - slope})
    feeds, error, words = bad_feeds()[case]
    with pytest.raises(error, match=words):
        getattr(program, way)(program.initial_state(), feeds)


def test_a_placeholder_of_another_program_is_unknown():
    x, y, _, loss, _ = regression()
    other = dia.placeholder((N,), "float64", "other")
    with pytest.raises(ValueError, match=r"no placeholder.*other.*x \(N, 3\), y \(N,\)"):
        dia.Program(loss).run(None, {x: np.ones((2, 3)), y: np.ones(2), other: np.ones(2)})


@pytest.mark.parametrize("way", ["run", "run_batches"])
def test_fractions_are_not_cut_to_whole_numbers(way):
    t = dia.placeholder((N,), "int64", "t")
    program = dia.Program(t * 2)
    with pytest.raises(TypeError, match=r"t.*int64.*float64"):
        getattr(program, way)(program.initial_state(), {t: np.array([0.5, 1.5])})


def test_two_placeholders_of_one_name_are_fed_by_node():
    a, b = dia.placeholder((), "float64", "x"), dia.placeholder((), "float64", "x")
    program = dia.Program(a - b)
    with pytest.raises(ValueError, match="2 leaves are called 'x'"):
        program.run(None, {"x": 1.0})
    assert program.run(None, {a: 3.0, b: 1.0})[0] == 2


def test_an_update_of_what_is_no_variable_is_refused():
    x, _, _, loss, slope = regression()
    for node, words in ((x, "x"), (slope, "variables"), (dia.constant([1.0, 2.0, 3.0]), "constant")):
        with pytest.raises(TypeError, match=words):
            dia.Program(loss, {node: node})


@pytest.mark.parametrize(
    "value", [np.zeros(3), np.zeros((1, 2)), np.float64(0), np.zeros(2, "float32"), np.zeros(2, int)]
)
def test_an_update_of_another_shape_or_type_is_refused_with_both(value):
    w = dia.variable([1.0, 2.0], "w")
    with pytest.raises((ValueError, TypeError), match=r"update of.*w.*\(2,\) float64"):
        dia.Program([], {w: dia.constant(value)})


# ── stepping through ─────────────────────────────────────────────────────────────────────────────────────────────────


def phases_in_order(steps):
    found = [s.phase for s in steps]
    return found == sorted(found, key=["forward", "backward", "update"].index)


def test_stepping_goes_forward_then_backward_then_update_with_evaluates_values():
    x, y, w, loss, slope = regression()
    updates = dia.optim.Adam(0.1).updates(w, slope)
    program = dia.Program([loss, slope], updates.next_values, loss=loss)
    feeds = {x: np.ones((4, 3)), y: np.arange(4.0)}
    steps = list(program.step_through(None, feeds))
    assert {s.phase for s in steps} == {"forward", "backward", "update"}
    assert phases_in_order(steps)
    assert [s.index for s in steps] == sorted(s.index for s in steps)
    seen = set()
    for s in steps:
        assert all(i in seen or not i.inputs for i in s.node.inputs)
        seen.add(s.node)
        np.testing.assert_array_equal(s.value, dia.evaluate(s.node, feeds))
    phase = {s.node: s.phase for s in steps}
    assert phase[loss] == "forward"
    assert phase[slope] == "backward"
    assert phase[updates.next_values[w]] == "update"


def test_stepping_keeps_the_phases_apart_with_several_parameters():
    a, b = dia.variable(2.0, "a"), dia.variable(3.0, "b")
    rate = dia.variable(0.1, "rate", role="hyperparameter")
    loss = dia.tanh(a * b) + a
    slopes = dia.gradient(loss, [a, b])
    program = dia.Program(loss, {v: v - rate * g for v, g in zip((a, b), slopes, strict=True)})
    steps = list(program.step_through())
    assert phases_in_order(steps)
    phase = {s.node: s.phase for s in steps}
    assert {phase[g] for g in slopes} == {"backward"}
    assert {phase[v] for v in program.definition.wanted[1:]} == {"update"}


def test_stepping_through_a_training_step_shows_all_three_phases():
    network = dia.nn.Network(dia.nn.Sequential([dia.nn.Dense(3, "tanh"), dia.nn.Dense(1)]), (2,), dtype="float64")
    step = dia.training.TrainingStep(network, dia.nn.losses.squared_error, dia.optim.Momentum(0.1))
    state = step.initial_state(network.initial_state())
    feeds = {step.x: np.ones((5, 2)), step.y: np.ones(5)}
    steps = list(step.program.step_through(state, feeds))
    assert phases_in_order(steps)
    phase = {s.node: s.phase for s in steps}
    assert (phase[step.loss], phase[step.gradient]) == ("forward", "backward")
    outputs, after = step.program.run(state, feeds)
    values = {s.node: s.value for s in steps}
    np.testing.assert_array_equal(values[step.loss], outputs["loss"])
    for variable, node in step.program.definition.updates:
        np.testing.assert_array_equal(values[node], after[variable])


def test_stepping_commits_nothing():
    w = dia.variable(1.0, "w")
    program = dia.Program(w * 2, {w: w + 1})
    state = program.initial_state()
    list(program.step_through(state))
    assert state[w] == 1


# ── operations of one's own, seeds, threads ──────────────────────────────────────────────────────────────────────────


@dataclasses.dataclass(frozen=True)
class Cube(dia.Operation, abstract=True):
    """a³, written outside of the package."""

    def shape(self, *inputs):
        return inputs[0].shape

    def compute(self, backend, *arrays):
        return arrays[0] ** 3

    def gradient(self, node, upstream):
        return (upstream * 3 * node.inputs[0] ** 2,)


def test_an_operation_of_the_users_runs_in_a_program_and_is_differentiated():
    w = dia.variable([1.0, -2.0], "w")
    cubed = dia.apply(Cube(), w)
    [slope] = dia.gradient(dia.sum(cubed), [w])
    [curvature] = dia.gradient(dia.sum(slope), [w])
    outputs, state = dia.Program([cubed, slope, curvature], {w: cubed}).run()
    np.testing.assert_array_equal(outputs, [[1, -8], [3, 12], [6, -12]])
    np.testing.assert_array_equal(state[w], [1, -8])
    x = dia.placeholder((N,), "float64", "x")
    rows, _ = dia.Program(dia.apply(Cube(), x)).run_batches(dia.initial_state([]), {x: np.arange(5)}, batch_size=2)
    np.testing.assert_array_equal(rows, np.arange(5) ** 3)


def noisy():
    x = dia.placeholder((N, 6), "float64", "x")
    return x, dia.Program([x * dia.normal((N, 6), stream=0, dtype="float64"), dia.bernoulli(0.5, (N, 6), stream=1)])


def test_the_same_seed_and_step_give_the_same_bits_and_others_give_others():
    x, program = noisy()
    feeds = {x: np.ones((50, 6))}
    base, _ = program.run(None, feeds, seed=3, step=4)
    again, _ = program.run(None, feeds, seed=3, step=4)
    for one, other in zip(base, again, strict=True):
        np.testing.assert_array_equal(one, other)
    for seed, step in ((3, 5), (4, 4), (4, 3), (2**31 + 3, 4)):
        other, _ = program.run(None, feeds, seed=seed, step=step)
        assert np.mean(other[0] == base[0]) < 0.01
        assert 0.3 < np.mean(other[1] == base[1]) < 0.7


def test_the_step_counts_on_in_a_run_over_batches():
    x, program = noisy()
    rows = np.ones((12, 6))
    (values, _), _ = program.run_batches(dia.initial_state([]), {x: rows}, batch_size=4, seed=3, first_step=10)
    singly = [program.run(None, {x: rows[:4]}, seed=3, step=10 + i)[0][0] for i in range(3)]
    np.testing.assert_array_equal(values, np.concatenate(singly))


def test_threads_that_share_a_program_get_what_each_would_alone():
    network = dia.nn.Network(dia.nn.Sequential([dia.nn.Dense(8, "relu"), dia.nn.Dropout(0.5), dia.nn.Dense(1)]), (3,))
    step = dia.training.TrainingStep(network, dia.nn.losses.squared_error, dia.optim.Adam(0.01))

    def train(seed):
        rng = np.random.default_rng(seed)
        n = 20 + seed
        state = step.initial_state(network.initial_state(rng))
        data = step.data(rng.normal(size=(n, 3)), rng.normal(size=n))
        for epoch in range(5):
            outputs, state = step.program.run_batches(state, data, None, 7, seed=seed, first_step=epoch * 10)
        (loss,), state = [outputs["loss"][-1:]], step.program.run(state, {k: v[:5] for k, v in data.items()})[1]
        return np.append(state[step.flat.vector], loss)

    serial = [train(seed) for seed in range(12)]
    with ThreadPoolExecutor(6) as pool:
        threaded = list(pool.map(train, range(12)))
    for one, other in zip(serial, threaded, strict=True):
        np.testing.assert_array_equal(one, other)
