"""When the loss stops being a number: the state is the last good one, and the node is the first."""

import numpy as np
import pytest

import diaphane as dia

N = dia.Dim("N")


def descent(formula, first, rate, dtype="float64"):
    """w ← w − rate·∇l for a loss made of w and a batch of numbers."""
    x = dia.placeholder((N,), dtype, "x")
    w = dia.variable(np.array(first, dtype), "w")
    loss = formula(x, w)
    [slope] = dia.gradient(loss, [w])
    return dia.Program(loss, {w: w - dia.constant(np.array(rate, dtype)) * slope}, loss=loss), x, w


def ways(program, x, rows):
    """The error of single runs, and that of one run over all batches of one row."""

    def one_by_one(state):
        for i, row in enumerate(rows):
            _, state = program.run(state, {x: [row]}, step=i)

    with pytest.raises(dia.NonFiniteError) as single:
        one_by_one(program.initial_state())
    with pytest.raises(dia.NonFiniteError) as batched:
        program.run_batches(program.initial_state(), {x: np.array(rows, x.dtype)}, batch_size=1)
    return single.value, batched.value


def finite_prefix(program, x, rows):
    """States of the loop as long as they are finite."""
    states = [program.initial_state()]
    for i, row in enumerate(rows):
        try:
            _, state = program.run(states[-1], {x: [row]}, step=i)
        except dia.NonFiniteError:
            break
        if not state.is_finite:
            break
        states.append(state)
    return states


def test_a_logarithm_of_a_negative_number_is_named_and_the_state_is_the_last_good_one():
    inner = []

    def formula(x, w):
        inner.append(dia.log(x * w))
        return dia.mean(dia.exp(-(inner[0] ** 2)) + w * 0)

    program, x, w = descent(formula, 1.0, 0.1)
    rows = [1.0, 2.0, 0.5, -1.0, 3.0]
    good = finite_prefix(program, x, rows)
    for error in ways(program, x, rows):
        assert error.node is inner[0]
        assert error.step == 3
        np.testing.assert_array_equal(error.state[w], good[3][w])
        assert "log" in str(error)
        assert "step 3" in str(error)
        assert "learning rate" in str(error)


def test_an_overflowing_exponential_is_named_though_the_loss_hides_it():
    inner = []

    def formula(x, w):
        inner.append(dia.exp(x * w))
        return dia.mean(inner[0] / (inner[0] + 1))

    program, x, _ = descent(formula, 1.0, 0.01)
    for error in ways(program, x, [1.0, 2.0, 5000.0]):
        assert error.node is inner[0]
        assert error.step == 2
        assert error.state.is_finite


def test_infinity_in_the_loss_counts_as_nan_does():
    program, x, _ = descent(lambda x, w: dia.mean(dia.exp(x * w)), 1.0, 0.01)
    for error in ways(program, x, [1.0, 1.0, 800.0]):
        assert error.step == 2
        assert error.state.is_finite


def test_the_outputs_of_the_steps_before_are_kept():
    program, x, _ = descent(lambda x, w: dia.mean(dia.log(x) * w), 1.0, 0.01)
    with pytest.raises(dia.NonFiniteError) as error:
        program.run_batches(program.initial_state(), {x: np.array([1.0, 2.0, 3.0, -1.0, 2.0])}, batch_size=2)
    assert error.value.step == 1
    assert len(error.value.outputs) == 1


def test_a_gradient_that_overflows_before_the_loss_does_leaves_the_state_from_before_it():
    """√(w − x)² at w = x: the loss is 0 and fine, but its slope ∞·0; the update would be NaN."""
    program, x, w = descent(lambda x, w: dia.mean(dia.sqrt((w - x) ** 2)), 1.0, 0.01)
    rows = [0.0, 0.25, 0.9]
    value = finite_prefix(program, x, rows)[-1][w]
    rows.append(float(value))
    good = finite_prefix(program, x, [*rows, 0.0])
    assert len(good) == 4
    for error in ways(program, x, [*rows, 0.0]):
        assert error.state.is_finite
        np.testing.assert_array_equal(error.state[w], good[-1][w])
        assert error.node is not None


@pytest.mark.parametrize("later", [0, 1, 2, 5])
def test_an_update_that_overflows_is_found_though_the_loss_stays_finite(later):
    """A large slope sends w to −∞, where the rectifier is 0 for ever: no loss tells, the state does."""
    program, x, w = descent(lambda x, w: dia.mean(dia.relu(x * w)), 1.0, 1e308)
    rows = [1e-320, 1000.0, *[1.0] * later]
    good = finite_prefix(program, x, rows)
    assert len(good) == 2
    for error in ways(program, x, rows):
        assert error.state.is_finite
        np.testing.assert_array_equal(error.state[w], good[-1][w])


@pytest.mark.parametrize("later", [0, 1, 3])
def test_an_optimizers_own_values_overflow_and_the_state_is_still_the_last_good_one(later):
    """g² overflows in float32 where g does not: Adam's step is g/∞ = 0 and the loss never tells."""
    x = dia.placeholder((N,), "float32", "x")
    w = dia.variable(np.float32(1.0), "w")
    loss = dia.mean(x * w)
    updates = dia.optim.Adam(0.01).updates(w, dia.gradient(loss, [w])[0])
    program = dia.Program(loss, updates.next_values, loss=loss)
    rows = [1.0, 2.0, 1e25, *[1.0] * later]
    good = finite_prefix(program, x, rows)
    assert len(good) == 3
    for error in ways(program, x, rows):
        assert error.state.is_finite
        for node in program.variables:
            np.testing.assert_array_equal(error.state[node], good[-1][node])


def test_bad_data_are_named_rather_than_what_became_of_them():
    program, x, _ = descent(lambda x, w: dia.mean((x * w) ** 2), 1.0, 0.01)
    for error in ways(program, x, [1.0, np.nan]):
        assert error.node is x
        assert error.step == 1


def test_infinities_that_belong_to_the_formula_are_not_blamed():
    """The hinge of several classes masks the true class; its overflow is elsewhere."""
    x = dia.placeholder((N, 3), "float64", "x")
    w = dia.variable(np.eye(3), "w")
    scores = dia.exp(x @ w)
    loss = dia.nn.mean_loss(dia.nn.losses.multiclass_hinge(scores, dia.placeholder((N,), "int64", "y")))
    program = dia.Program(loss, {w: w - dia.gradient(loss, [w])[0]}, loss=loss)
    with pytest.raises(dia.NonFiniteError) as error:
        program.run(None, {"x": np.full((2, 3), 1000.0), "y": [0, 1]})
    assert error.value.node is scores


def test_without_a_loss_nothing_is_checked():
    w = dia.variable(-1.0, "w")
    out, state = dia.Program(dia.log(w), {w: dia.log(w)}).run()
    assert np.isnan(out)
    assert np.isnan(state[w])


def test_the_error_is_an_arithmetic_one_and_says_where_the_node_was_made():
    program, x, _ = descent(lambda x, w: dia.mean(dia.log(x * w)), 1.0, 0.01)
    with pytest.raises(FloatingPointError, match=r"test_nonfinite_losses\.py:\d+"):
        program.run(None, {x: [-1.0]})
