"""One pass of an online rule: the kernel beside the plain reference, beside scikit-learn, and where it has to stop."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import SGDClassifier

from diaphane.engines.online import ONLINE_LOSSES, OnlineRule, OnlineState, one_pass, shuffle, storable

RNG = np.random.default_rng(5)
N, D = 61, 9
X = RNG.normal(size=(N, D)) * (RNG.random((N, D)) < 0.6)
POSITIVE = X[:, 0] + X[:, 1] - 0.3 + 0.5 * RNG.normal(size=N) > 0
WEIGHTS = RNG.integers(0, 3, N).astype(np.float64)
PENALTIES = {"none": (0.0, 0.0), "l2": (0.0, 0.03), "l1": (0.01, 0.0), "both": (0.005, 0.02)}
LAYOUTS = {
    "rows": lambda x: x,
    "columns": np.asfortranarray,
    "part of a wider one": lambda x: np.hstack([x, x])[:, :D],
    "every second column": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "sparse": sparse.csr_matrix,
    "sparse, int64": lambda x: _wide(sparse.csr_array(x)),
}
KINDS = [(layout, "f8", "f8") for layout in LAYOUTS]
KINDS += [("rows", "f4", "f4"), ("rows", "f4", "f8"), ("rows", "i1", "f4"), ("rows", "?", "f8")]
KINDS += [("sparse", "f4", "f4"), ("sparse", "f8", "f4")]
SKLEARN = {"logistic": "log_loss"}


def _wide(x):
    x.indptr, x.indices = x.indptr.astype(np.int64), x.indices.astype(np.int64)
    return x


def passes(rule, x, engine, *, dtype=np.float64, epochs=2, seed=11, weights=None, held_out=None, positive=POSITIVE):
    """The state after some epochs, and the last result."""
    state, order = (
        OnlineState(np.zeros(x.shape[1], dtype)),
        None if seed is None else np.arange(len(positive), dtype="i4"),
    )
    for _ in range(epochs):
        result = one_pass(
            rule,
            state,
            storable(x),
            positive,
            weights,
            order=order,
            seed=seed,
            held_out=held_out,
            record=True,
            engine=engine,
        )
    return state, result


def assert_same(found, wanted, tolerance):
    (state, result), (their_state, their_result) = found, wanted
    np.testing.assert_allclose(state.averaged[0], their_state.averaged[0], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(state.weights, their_state.weights, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(state.averaged[1], their_state.averaged[1], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(result.loss, their_result.loss, rtol=tolerance, atol=tolerance)
    assert (state.step, state.counted, result.learnt) == (their_state.step, their_state.counted, their_result.learnt)
    assert result.mistakes == their_result.mistakes
    np.testing.assert_array_equal(result.mistaken, their_result.mistaken)
    np.testing.assert_array_equal(result.steps, their_result.steps)


@pytest.mark.parametrize("loss", ONLINE_LOSSES)
@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("averages_after", [0, 20])
def test_the_kernel_does_what_the_rule_says_for_every_loss_penalty_and_average(loss, penalty, averages_after):
    l1, l2 = PENALTIES[penalty]
    rule = OnlineRule(loss, l1, l2, rate=0.05, averages_after=averages_after, positive_weight=1.5)
    for x in (X, sparse.csr_matrix(X)):
        native, reference = (passes(rule, x, e, weights=WEIGHTS) for e in ("native", "reference"))
        assert_same(native, reference, 1e-12)


@pytest.mark.parametrize(("layout", "stored", "dtype"), KINDS)
def test_rows_are_read_as_they_lie_in_every_layout_and_type(layout, stored, dtype):
    x = LAYOUTS[layout]((3 * X).astype(stored))
    rule = OnlineRule("hinge", 0.002, 0.02, rate=0.05, averages_after=1)
    native, reference = (passes(rule, x, e, dtype=np.dtype(dtype)) for e in ("native", "reference"))
    assert_same(native, reference, 1e-12 if dtype == "f8" else 2e-5)


@pytest.mark.parametrize(
    ("schedule", "seed", "held"), [*itertools.product(["optimal", "invscaling"], [None, 0, 7], [False, True])]
)
def test_schedules_orders_and_rows_held_out_are_the_same_in_both(schedule, seed, held):
    rule = OnlineRule("logistic", 0.0, 0.01, schedule, rate=0.1, alpha=0.01, power=0.25, fit_intercept=False)
    held_out = np.arange(N) % 5 == 0 if held else None
    native, reference = (passes(rule, X, e, seed=seed, held_out=held_out) for e in ("native", "reference"))
    assert_same(native, reference, 1e-12)
    assert native[1].learnt == (N - held_out.sum() if held else N)
    assert native[0].intercept == 0


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_examples_of_unit_length_give_what_rows_divided_by_their_augmented_length_give(fit_intercept):
    x = X[np.abs(X).sum(axis=1) > 0]
    positive = POSITIVE[np.abs(X).sum(axis=1) > 0]
    lengths = np.sqrt(np.square(x).sum(axis=1) + fit_intercept)
    augmented = np.column_stack([x, np.ones(len(x))])[:, : D + fit_intercept] / lengths[:, None]
    for engine in ("native", "reference"):
        unit, _ = passes(OnlineRule(unit=True, fit_intercept=fit_intercept), x, engine, positive=positive)
        by_hand, _ = passes(OnlineRule(fit_intercept=False), augmented, engine, positive=positive)
        np.testing.assert_allclose(np.append(unit.weights, unit.intercept)[: D + fit_intercept], by_hand.weights)


@pytest.mark.parametrize("loss", ONLINE_LOSSES)
@pytest.mark.parametrize("penalty", [None, "l2", "l1", "elasticnet"])
@pytest.mark.parametrize("average", [False, 10])
def test_the_same_seed_gives_scikit_learns_weights_to_rounding(loss, penalty, average):
    if average and penalty in ("l1", "elasticnet"):
        # scikit-learn's average does not know what the L1 penalty took off.
        average = False
    theirs = SGDClassifier(
        loss=SKLEARN.get(loss, loss),
        penalty=penalty,
        alpha=0.01,
        l1_ratio=0.3,
        learning_rate="invscaling",
        eta0=0.02,
        power_t=0.25,
        max_iter=4,
        tol=None,
        average=average,
        random_state=3,
    ).fit(X, POSITIVE)
    rng = np.random.RandomState(3)
    rng.randint(1, 2**31 - 1)
    ratio = {None: 0.0, "l2": 0.0, "l1": 1.0, "elasticnet": 0.3}[penalty]
    alpha = 0.0 if penalty is None else 0.01
    rule = OnlineRule(
        loss, alpha * ratio, alpha * (1 - ratio), "invscaling", rate=0.02, power=0.25, averages_after=int(average)
    )
    state, _ = passes(rule, X, "native", epochs=4, seed=int(rng.randint(2**31 - 1)))
    weights, intercept = state.averaged
    np.testing.assert_allclose(weights, theirs.coef_[0], rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(intercept, theirs.intercept_[0], rtol=1e-11, atol=1e-13)


def test_the_shuffle_is_a_permutation_and_every_pass_goes_on_from_the_last_order():
    first, second = np.arange(1000, dtype=np.int32), np.arange(1000, dtype=np.int32)
    shuffle(first, 9)
    assert sorted(first) == list(range(1000))
    x, positive = np.zeros((1000, 1)), np.ones(1000, bool)
    found = one_pass(OnlineRule(), OnlineState(np.zeros(1)), x, positive, order=second, seed=9, record=True)
    np.testing.assert_array_equal(first, second)
    assert found.mistaken[0] == first[0]
    shuffle(first, 9)
    one_pass(OnlineRule(), OnlineState(np.zeros(1)), x, positive, order=second, seed=9)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("n", [1, 2, 11, 12, 13])
def test_orders_shorter_than_what_is_asked_of_memory_ahead_are_right(n):
    rule = OnlineRule("hinge", rate=0.1)
    native, reference = (passes(rule, X[:n], e, positive=POSITIVE[:n], seed=4) for e in ("native", "reference"))
    assert_same(native, reference, 1e-12)


def test_features_of_very_many_steps_are_shrunk_as_one_by_one():
    # The scale that all weights share falls below where it is folded into them.
    rule = OnlineRule("hinge", l2=0.5, rate=1.0, averages_after=3)
    native, reference = (passes(rule, X, e, epochs=5) for e in ("native", "reference"))
    assert_same(native, reference, 1e-11)
    gone = OnlineRule("hinge", l2=2.0, rate=1.0, averages_after=3)
    assert_same(passes(gone, X, "native"), passes(gone, X, "reference"), 1e-12)


def test_weights_of_features_that_rows_lack_owe_their_l1_penalty_at_the_end():
    x = sparse.csr_matrix(np.array([[1.0, 0.0], *[[0.0, 0.0]] * 9]))
    state = OnlineState(np.zeros(2))
    positive = np.ones(10, bool)
    one_pass(OnlineRule("hinge", l1=0.01, fit_intercept=False), state, x, positive)
    np.testing.assert_allclose(state.weights, [1 - 10 * 0.01, 0], rtol=1e-12)


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_a_row_that_is_not_finite_ends_the_pass_where_it_lies(engine, bad, kind):
    x = X.copy()
    x[17, 4] = bad
    found = one_pass(OnlineRule(), OnlineState(np.zeros(D)), kind(x), POSITIVE, engine=engine)
    assert (found.stopped, found.reason, found.learnt) == (17, "not finite", 17)


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_row_of_zeros_has_no_direction_to_be_taken_at_length_1(engine):
    x = np.array([[1.0], [0.0]])
    rule = OnlineRule(unit=True, fit_intercept=False)
    found = one_pass(rule, OnlineState(np.zeros(1)), x, np.ones(2, bool), engine=engine)
    assert (found.stopped, found.reason) == (1, "zero row")
    found = one_pass(OnlineRule(unit=True), OnlineState(np.zeros(1)), x, np.ones(2, bool), engine=engine)
    assert found.stopped is None


@pytest.mark.parametrize("columns", [[0, 9], [0, -1]])
def test_places_outside_of_a_sparse_matrix_are_refused_and_not_written_to(columns):
    x = sparse.csr_matrix((np.ones(2), np.array([0, 1], np.int32), np.array([0, 1, 2], np.int32)), shape=(2, 9))
    x.indices[:] = columns
    with pytest.raises(ValueError, match="places outside"):
        storable(x)


def test_equal_places_of_a_sparse_row_add_up():
    twice = sparse.csr_matrix((np.array([1.0, 2.0]), np.array([1, 1]), np.array([0, 2])), shape=(1, 3))
    state = OnlineState(np.zeros(3))
    one_pass(OnlineRule(), state, twice, np.ones(1, bool))
    np.testing.assert_array_equal(state.weights, [0, 3, 0])


def test_what_lies_readably_is_not_copied():
    for x in (X, X.astype("f4"), np.asfortranarray(X), X[:, ::2], sparse.csr_matrix(X)):
        assert storable(x) is x
    for x in (X.astype("f2"), X[::-1], X.astype(">f8")):
        np.testing.assert_array_equal(storable(x), x)


@pytest.mark.parametrize(
    ("settings", "word"),
    [({"loss": "huber"}, "loss"), ({"schedule": "fast"}, "schedule"), ({"schedule": "optimal"}, "alpha")],
)
def test_rules_that_cannot_be_are_refused_by_name(settings, word):
    with pytest.raises(ValueError, match=word):
        OnlineRule(**settings)


def test_a_second_process_finds_the_kernel_and_never_loads_the_compiler(tmp_path):
    code = """
import sys
import numpy as np
from diaphane.engines.online import OnlineRule, OnlineState, one_pass
one_pass(OnlineRule("squared_hinge"), OnlineState(np.zeros(3)), np.ones((4, 3)), np.ones(4, bool))
print("numba" in sys.modules)
"""
    environment = {**os.environ, "DIAPHANE_CACHE": str(tmp_path)}
    said = [
        subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert [s.strip() for s in said] == ["True", "False"]
