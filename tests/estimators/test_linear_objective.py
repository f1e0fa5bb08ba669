"""The linear models' objective against PyTorch's derivatives, in every way its rows may lie."""

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.optimize._numdiff import approx_derivative

import diaphane as dia
from diaphane.estimators.linear import blocks
from diaphane.estimators.linear.coordinates import Coordinates
from diaphane.estimators.linear.objective import Objective

N, INPUTS, CLASSES, L2 = 300, 5, 4, 0.3
RNG = np.random.default_rng(7)
X = np.where(RNG.uniform(size=(N, INPUTS)) < 0.4, 0.0, RNG.normal(size=(N, INPUTS)))
WEIGHTS = RNG.integers(0, 4, N).astype(np.float64)
BINARY, CLASS = RNG.integers(0, 2, N), RNG.integers(0, CLASSES, N)
SIGNS, NUMBERS = 2.0 * BINARY - 1, RNG.normal(size=(N, 3))


def of_scores(function):
    return lambda scores, target: function(scores[:, 0], target)


CASES = {
    "binary_cross_entropy": (BINARY, 1, of_scores(lambda a, t: torch.nn.functional.softplus(a) - t * a)),
    "squared_hinge": (SIGNS, 1, of_scores(lambda a, t: torch.relu(1 - t * a) ** 2)),
    "poisson": (BINARY, 1, of_scores(lambda a, t: a.exp() - t * a)),
    "categorical_cross_entropy": (
        CLASS,
        CLASSES,
        lambda a, t: torch.nn.functional.cross_entropy(a, t.long(), reduction="none"),
    ),
    "half_squared_error": (NUMBERS, 3, lambda a, t: 0.5 * ((a - t) ** 2).sum(1)),
}
EACH_LOSS = pytest.mark.parametrize("loss", CASES)
EACH_WAY = pytest.mark.parametrize(("weighted", "fit_intercept"), [(False, True), (True, True), (True, False)])


def stored(kind, tmp_path):
    if kind == "memmap":
        np.save(tmp_path / "x.npy", X)
        return np.load(tmp_path / "x.npy", mmap_mode="r")
    return {"dense": X, "columns first": np.asfortranarray(X), "csr": sparse.csr_array(X)}[kind]


def torchs(loss, weighted, fit_intercept):
    """PyTorch's function of the flat vector."""
    target, outputs, formula = CASES[loss]
    x, t = torch.tensor(X), torch.tensor(target)
    s = torch.tensor(WEIGHTS) if weighted else torch.ones(N, dtype=torch.float64)

    def function(vector):
        coef = vector[: INPUTS * outputs].reshape(INPUTS, outputs)
        intercept = vector[INPUTS * outputs :] if fit_intercept else 0.0
        return (s * formula(x @ coef + intercept, t)).sum() / s.sum() + 0.5 * L2 * (coef**2).sum()

    return function


def ours(loss, weighted, fit_intercept, x=X, **settings):
    target, outputs, _ = CASES[loss]
    weights = WEIGHTS if weighted else None
    return Objective(loss, x, target, weights, outputs=outputs, l2=L2, fit_intercept=fit_intercept, **settings)


@EACH_LOSS
@EACH_WAY
@pytest.mark.parametrize("kind", ["dense", "columns first", "csr", "memmap"])
def test_value_gradient_and_hessian_are_pytorchs(loss, weighted, fit_intercept, kind, tmp_path, monkeypatch):
    # So that there are several blocks, the last of them short.
    monkeypatch.setattr(blocks, "BLOCK_ELEMENTS", 64)
    objective = ours(loss, weighted, fit_intercept, stored(kind, tmp_path))
    vector = np.random.default_rng(1).normal(size=objective.size)
    function, there = torchs(loss, weighted, fit_intercept), torch.tensor(vector, requires_grad=True)
    want = function(there)
    want.backward()
    value, slope = objective(vector)
    assert value == pytest.approx(want.item(), rel=1e-12)
    np.testing.assert_allclose(slope, there.grad.numpy(), atol=1e-12)
    curvature = torch.autograd.functional.hessian(function, torch.tensor(vector)).numpy()
    np.testing.assert_allclose(objective.hessian(vector), curvature, atol=1e-12)


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_engines_agree(engine):
    objective = ours("categorical_cross_entropy", True, True, engine=engine)
    vector = np.linspace(-1, 1, objective.size)
    function = torchs("categorical_cross_entropy", True, True)
    assert objective.value(vector) == pytest.approx(float(function(torch.tensor(vector))), rel=1e-12)


def test_a_users_own_loss_is_differentiated():
    def quartic(scores, target):
        return (scores[:, 0] - target) ** 4

    objective = Objective(quartic, X, SIGNS)
    vector = np.linspace(-1, 1, objective.size)
    scores = X @ vector[:INPUTS] + vector[INPUTS]
    augmented = np.column_stack([X, np.ones(N)])
    np.testing.assert_allclose(objective(vector)[1], augmented.T @ (4 * (scores - SIGNS) ** 3) / N, rtol=1e-11)
    curved = augmented.T @ (12 * (scores - SIGNS)[:, None] ** 2 * augmented) / N
    np.testing.assert_allclose(objective.hessian(vector), curved, rtol=1e-11)


def test_a_weight_of_two_is_a_row_twice():
    twice = np.repeat(np.arange(N), WEIGHTS.astype(int))
    weighted = Objective("binary_cross_entropy", X, BINARY, WEIGHTS, l2=L2)
    repeated = Objective("binary_cross_entropy", X[twice], BINARY[twice], l2=L2)
    vector = np.linspace(-1, 1, weighted.size)
    np.testing.assert_allclose(weighted(vector)[1], repeated(vector)[1], atol=1e-14)


def test_float32_rows_are_added_up_in_float64():
    rng = np.random.default_rng(0)
    x = rng.uniform(0.5, 1.5, size=(200_000, 2)).astype(np.float32)
    target = rng.integers(0, 2, len(x)).astype(np.uint8)
    objective = Objective("binary_cross_entropy", x, target, dtype="float32")
    vector = np.array([0.3, -0.2, 0.1])
    scores = x.astype(np.float64) @ vector[:2] + vector[2]
    slope = np.column_stack([x, np.ones(len(x))]).T @ (1 / (1 + np.exp(-scores)) - target) / len(x)
    value, found = objective(vector)
    assert value == pytest.approx(np.mean(np.logaddexp(0, scores) - target * scores), rel=1e-6)
    np.testing.assert_allclose(found, slope, atol=1e-6)


def test_flat_vectors_are_packed_and_unpacked():
    objective = ours("half_squared_error", False, True)
    coef, intercept = np.arange(15.0).reshape(INPUTS, 3), np.array([7.0, 8.0, 9.0])
    vector = objective.pack(coef, intercept)
    assert vector.shape == (objective.size,)
    for found, want in zip(objective.unpack(vector), (coef, intercept), strict=True):
        np.testing.assert_array_equal(found, want)
    np.testing.assert_allclose(objective.scores(vector), X @ coef + intercept)
    bare = ours("half_squared_error", False, False)
    np.testing.assert_array_equal(bare.unpack(coef.ravel())[1], np.zeros(3))


def test_a_changed_penalty_is_seen():
    objective = ours("poisson", False, True)
    vector = np.full(objective.size, 0.5)
    before = objective.value(vector)
    objective.l2 = 0.0
    assert objective.value(vector) == pytest.approx(before - 0.5 * L2 * INPUTS * 0.25)


def test_what_is_given_back_is_the_callers_to_change():
    objective = ours("poisson", False, True)
    vector = np.full(objective.size, 0.5)
    first = objective(vector)[1]
    first[:] = 0
    assert objective(vector)[1].any()


def test_rows_without_any_weight_are_refused():
    with pytest.raises(ValueError, match="no row counts"):
        Objective("poisson", X, BINARY, np.zeros(N))


def test_the_second_objective_of_a_kind_plans_nothing(monkeypatch):
    ours("squared_hinge", True, True).hessian(np.zeros(INPUTS + 1))
    monkeypatch.setattr(dia.Program, "__init__", None)
    ours("squared_hinge", True, True).hessian(np.ones(INPUTS + 1))


class TestCoordinates:
    """Parameters of even columns: the same loss, by another way."""

    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize("fit_intercept", [False, True])
    @pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
    def test_the_slope_is_scipys_finite_difference_and_there_and_back_is_the_same(self, kind, fit_intercept, weighted):
        x = X * [1, 1e3, 1, 1e-3, 1] + [0, 10, -50, 0, 7]
        objective = ours("categorical_cross_entropy", weighted, fit_intercept, kind(x))
        there = Coordinates.of(objective)
        inner = np.random.default_rng(1).normal(size=objective.size)
        np.testing.assert_allclose(there.inward(there.outward(inner)), inner, rtol=1e-9, atol=1e-9)
        slope = there.slope(objective(there.outward(inner))[1])
        want = approx_derivative(lambda v: objective.value(there.outward(v)), inner, method="3-point")
        np.testing.assert_allclose(slope, want, rtol=1e-5, atol=1e-7)

    @pytest.mark.parametrize("weighted", [False, True])
    def test_their_second_derivatives_are_of_one_size_where_those_of_the_columns_are_not(self, weighted):
        x = X * [1, 1e3, 1, 1e-3, 1] + [0, 1e5, -50, 0, 7]
        objective = Objective("half_squared_error", x, NUMBERS[:, 0], WEIGHTS if weighted else None)
        there = Coordinates.of(objective)
        back = np.stack([there.outward(unit) for unit in np.eye(objective.size)], axis=1)
        curvature = objective.hessian(np.zeros(objective.size))
        assert np.linalg.cond(curvature) > 1e9
        assert np.linalg.cond(back.T @ curvature @ back) < 3

    @pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
    def test_constant_columns_and_zeros_are_left_as_they_are(self, kind):
        x = np.column_stack([X[:, 0], np.full(N, 0.1), np.zeros(N)])
        there = Coordinates.of(Objective("poisson", kind(x), BINARY))
        np.testing.assert_allclose(there.sizes[1:], [0.1, 1.0])
