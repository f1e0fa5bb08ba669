"""Every loss against PyTorch, scikit-learn or a loop; weighted means; the traps of shapes."""

import math

import numpy as np
import pytest

import diaphane as dia
from diaphane import nn
from diaphane.nn import losses

RNG = np.random.default_rng(21)
N, K = 12, 4
SCORES = RNG.normal(0, 2, (N, K))
CLASSES = RNG.integers(0, K, N)
ONE_HOT = np.eye(K)[CLASSES]
REAL = RNG.normal(0, 2, (N, K))
COUNTS = RNG.poisson(1.5, (N, K)).astype(float)
COUNTS[0] = 0
LABELS = RNG.integers(0, 2, (N, K)).astype(float)
SIGNS = 2 * LABELS - 1
PROBABILITIES = RNG.dirichlet(np.ones(K), N)


def ours(loss, scores, target):
    """Each example's loss, and the gradient of their sum by the scores."""
    a = dia.variable(np.asarray(scores), "a")
    each = nn.find_loss(loss)(a, dia.constant(target))
    [slope] = dia.gradient(dia.sum(each), [a])
    return each.value, slope.value


def in_torch(formula, scores, target):
    torch = pytest.importorskip("torch")
    a = torch.tensor(np.asarray(scores), requires_grad=True)
    each = formula(torch.nn.functional, a, torch.tensor(target))
    each.sum().backward()
    return each.detach().numpy(), a.grad.numpy()


def rows(f):
    return lambda F, a, t: f(F, a, t).flatten(1).sum(1)


TORCH = [
    ("squared_error", REAL, rows(lambda F, a, t: F.mse_loss(a, t, reduction="none"))),
    ("half_squared_error", REAL, rows(lambda F, a, t: 0.5 * F.mse_loss(a, t, reduction="none"))),
    ("absolute_error", REAL, rows(lambda F, a, t: F.l1_loss(a, t, reduction="none"))),
    ("huber", REAL, rows(lambda F, a, t: F.huber_loss(a, t, reduction="none"))),
    ("binary_cross_entropy", LABELS, rows(lambda F, a, t: F.binary_cross_entropy_with_logits(a, t, reduction="none"))),
    (
        "binary_cross_entropy",
        PROBABILITIES,
        rows(lambda F, a, t: F.binary_cross_entropy_with_logits(a, t, reduction="none")),
    ),
    ("categorical_cross_entropy", CLASSES, lambda F, a, t: F.cross_entropy(a, t, reduction="none")),
    ("categorical_cross_entropy", ONE_HOT, lambda F, a, t: F.cross_entropy(a, t, reduction="none")),
    ("categorical_cross_entropy", PROBABILITIES, lambda F, a, t: F.cross_entropy(a, t, reduction="none")),
    ("poisson", COUNTS, rows(lambda F, a, t: F.poisson_nll_loss(a, t, log_input=True, reduction="none"))),
    ("perceptron", SIGNS, rows(lambda F, a, t: F.relu(-a * t))),
    ("hinge", SIGNS, rows(lambda F, a, t: F.relu(1 - a * t))),
    ("squared_hinge", SIGNS, rows(lambda F, a, t: F.relu(1 - a * t) ** 2)),
]


@pytest.mark.parametrize(("loss", "target", "formula"), TORCH, ids=[f"{i}-{t[0]}" for i, t in enumerate(TORCH)])
def test_value_and_gradient_are_pytorchs(loss, target, formula):
    for got, want in zip(ours(loss, SCORES, target), in_torch(formula, SCORES, target), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("delta", [0.5, 1.0, 3.0])
def test_huber_is_pytorchs_for_any_delta(delta):
    def formula(F, a, t):
        return F.huber_loss(a, t, delta=delta, reduction="none").sum(1)

    got = ours(lambda a, t: losses.huber(a, t, delta), SCORES, REAL)
    for one, want in zip(got, in_torch(formula, SCORES, REAL), strict=True):
        np.testing.assert_allclose(one, want, rtol=1e-13, atol=1e-14)


def test_huber_is_quadratic_up_to_delta_and_linear_beyond():
    values, slopes = ours("huber", [0.0, 1.0, -1.0, 5.0, -1e200], np.zeros(5))
    np.testing.assert_allclose(values, [0, 0.5, 0.5, 4.5, 1e200])
    np.testing.assert_allclose(slopes, [0, 1, -1, 1, -1])


def test_binary_hinge_is_scikit_learns():
    from sklearn.metrics import hinge_loss

    values, _ = ours("hinge", SCORES[:, 0], SIGNS[:, 0])
    assert values.mean() == pytest.approx(hinge_loss(SIGNS[:, 0], SCORES[:, 0]), rel=1e-14)


def test_hinge_takes_the_score_and_not_its_sign():
    np.testing.assert_array_equal(ours("hinge", [0.25, 3.0, -2.0], np.array([1.0, 1.0, 1.0]))[0], [0.75, 0, 3])


@pytest.mark.parametrize("target", [CLASSES, ONE_HOT, CLASSES.astype("uint8")], ids=["indices", "one-hot", "bytes"])
def test_multiclass_hinge_is_crammer_and_singers(target):
    from sklearn.metrics import hinge_loss

    want, slope = np.zeros(N), np.zeros((N, K))
    for i, y in enumerate(CLASSES):
        rival = max((k for k in range(K) if k != y), key=lambda k: SCORES[i, k])
        want[i] = max(0.0, 1 + SCORES[i, rival] - SCORES[i, y])
        if want[i] > 0:
            slope[i, rival], slope[i, y] = 1, -1
    values, slopes = ours("multiclass_hinge", SCORES, target)
    np.testing.assert_allclose(values, want, rtol=1e-14)
    np.testing.assert_array_equal(slopes, slope)
    assert want.mean() == pytest.approx(hinge_loss(CLASSES, SCORES, labels=range(K)))


def test_multiclass_hinge_of_two_classes_is_the_hinge_of_the_difference():
    values, _ = ours("multiclass_hinge", SCORES[:, :2], (CLASSES > 1).astype(int))
    binary, _ = ours("hinge", SCORES[:, 1] - SCORES[:, 0], np.where(CLASSES > 1, 1.0, -1.0))
    np.testing.assert_allclose(values, binary, rtol=1e-13)


def test_zero_one_counts_wrong_signs_and_the_sign_of_zero_as_wrong():
    each = losses.zero_one(dia.constant([2.0, -1.0, 0.0, 0.0]), dia.constant([1.0, 1.0, 1.0, -1.0]))
    np.testing.assert_array_equal(each.value, [0, 1, 1, 1])


@pytest.mark.parametrize("target", [CLASSES, ONE_HOT], ids=["indices", "one-hot"])
def test_zero_one_of_several_columns_is_scikit_learns(target):
    from sklearn.metrics import zero_one_loss

    each = losses.zero_one(dia.constant(SCORES), dia.constant(target))
    assert each.value.mean() == pytest.approx(zero_one_loss(CLASSES, SCORES.argmax(1)))


@pytest.mark.parametrize(("a", "b"), [((4, 1), (4,)), ((4,), (4, 1)), ((4, 1), (4, 1))])
def test_zero_one_of_one_column_takes_signs_in_any_of_its_shapes(a, b):
    scores, signs = np.array([2.0, -1.0, 0.0, -3.0]), np.array([1.0, 1.0, 1.0, -1.0])
    each = losses.zero_one(dia.constant(scores.reshape(a)), dia.constant(signs.reshape(b)))
    np.testing.assert_array_equal(each.value, [0, 1, 1, 0])


def test_zero_one_has_no_gradient():
    a = dia.variable(SCORES, "a")
    each = losses.zero_one(a, dia.constant(CLASSES))
    with pytest.raises(TypeError, match="argmax"):
        dia.gradient(dia.sum(each), [a])


def test_half_poisson_deviance_is_scikit_learns():
    from sklearn.metrics import mean_poisson_deviance

    values, _ = ours("half_poisson_deviance", SCORES[:, 0], COUNTS[:, 0])
    assert 0 in COUNTS[:, 0]
    assert values.mean() == pytest.approx(mean_poisson_deviance(COUNTS[:, 0], np.exp(SCORES[:, 0])) / 2, rel=1e-12)


def test_half_poisson_deviance_has_the_gradient_of_poisson_and_zero_at_a_perfect_fit():
    np.testing.assert_allclose(
        ours("half_poisson_deviance", SCORES, COUNTS)[1], ours("poisson", SCORES, COUNTS)[1], rtol=1e-13
    )
    counts = np.array([1.0, 4.0, 9.0])
    np.testing.assert_allclose(ours("half_poisson_deviance", np.log(counts), counts)[0], 0, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_binary_cross_entropy_is_finite_and_right_at_huge_logits(dtype):
    logits = np.array([1000.0, 1000.0, -1000.0, -1000.0, 0.0], dtype)
    values, slopes = ours("binary_cross_entropy", logits, np.array([1, 0, 1, 0, 1]))
    np.testing.assert_allclose(values, [0, 1000, 1000, 0, math.log(2)], rtol=1e-6)
    np.testing.assert_allclose(slopes, [0, 1, -1, 0, -0.5], atol=1e-7)
    assert values.dtype == slopes.dtype == np.dtype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("one_hot", [True, False])
def test_categorical_cross_entropy_is_finite_and_right_at_huge_logits(one_hot, dtype):
    logits = np.array([[1000.0, -1000.0, 0.0], [1000.0, -1000.0, 0.0], [1000.0, 1000.0, -1000.0]], dtype)
    target = np.array([0, 1, 0])
    values, slopes = ours("categorical_cross_entropy", logits, np.eye(3, dtype=dtype)[target] if one_hot else target)
    np.testing.assert_allclose(values, [0, 2000, math.log(2)], rtol=1e-6)
    np.testing.assert_allclose(slopes, [[0, 0, 0], [1, -1, 0], [-0.5, 0.5, 0]], atol=1e-7)


def test_the_gradient_of_cross_entropy_is_output_minus_target():
    softmax = np.exp(SCORES) / np.exp(SCORES).sum(1, keepdims=True)
    np.testing.assert_allclose(ours("categorical_cross_entropy", SCORES, CLASSES)[1], softmax - ONE_HOT, rtol=1e-12)
    sigmoid = 1 / (1 + np.exp(-SCORES))
    np.testing.assert_allclose(ours("binary_cross_entropy", SCORES, LABELS)[1], sigmoid - LABELS, rtol=1e-12)


def test_two_classes_are_the_binary_case_of_the_difference():
    target = (CLASSES > 1).astype(int)
    two, slope = ours("categorical_cross_entropy", SCORES[:, :2], target)
    one, difference = ours("binary_cross_entropy", SCORES[:, 1] - SCORES[:, 0], target.astype(float))
    np.testing.assert_allclose(two, one, rtol=1e-12)
    np.testing.assert_allclose(slope, np.column_stack([-difference, difference]), rtol=1e-10)


PAIRED = [
    "hinge", "squared_hinge", "squared_error", "half_squared_error", "absolute_error", "huber",
    "binary_cross_entropy", "poisson", "half_poisson_deviance",
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), [((N, 1), (N,)), ((N,), (N, 1)), ((N, 1), (N, 1))])
@pytest.mark.parametrize("loss", PAIRED)
def test_a_column_beside_a_vector_pairs_row_by_row(loss, a, b):
    target = LABELS[:, 0]
    want, slope = ours(loss, SCORES[:, 0], target)
    got, got_slope = ours(loss, SCORES[:, 0].reshape(a), target.reshape(b))
    assert got.shape == (N,)
    np.testing.assert_allclose(got, want, rtol=1e-14)
    np.testing.assert_allclose(got_slope.ravel(), slope, rtol=1e-14)


@pytest.mark.parametrize("loss", PAIRED)
def test_a_column_beside_a_vector_pairs_row_by_row_at_any_batch_size(loss):
    n = dia.Dim("N")
    a, t = dia.placeholder((n, 1), "float64", "a"), dia.placeholder((n,), "float64", "t")
    each = nn.find_loss(loss)(a, t)
    assert each.shape == (n,)
    for size in (0, 1, 5):
        assert dia.evaluate(each, {a: SCORES[:size, :1], t: LABELS[:size, 0]}).shape == (size,)


@pytest.mark.parametrize("loss", PAIRED)
@pytest.mark.parametrize("shape", [(N, K + 1), (N - 1, K), (N,), (K, N)])
def test_targets_that_do_not_pair_up_are_refused_with_both_shapes(loss, shape):
    with pytest.raises(ValueError, match=rf"\({N}, {K}\).*{shape[0]}"):
        nn.find_loss(loss)(dia.constant(SCORES), dia.constant(np.ones(shape)))


@pytest.mark.parametrize("loss", ["categorical_cross_entropy", "multiclass_hinge"])
@pytest.mark.parametrize("target", [np.ones((N, 1), int), np.ones(N), np.ones((N, K + 1))], ids=["column", "f", "wide"])
def test_class_targets_that_are_neither_indices_nor_rows_are_refused(loss, target):
    with pytest.raises(ValueError, match="class indices"):
        nn.find_loss(loss)(dia.constant(SCORES), dia.constant(target))


@pytest.mark.parametrize("loss", nn.LOSSES)
def test_every_loss_gives_one_number_an_example_in_the_outputs_dtype(loss):
    n = dia.Dim("N")
    integer = loss in ("zero_one", "categorical_cross_entropy", "multiclass_hinge")
    a = dia.placeholder((n, 3), "float32", "a")
    t = dia.placeholder((n,), "int64", "t") if integer else dia.placeholder((n, 3), "float32", "t")
    each = nn.find_loss(loss)(a, t)
    assert each.shape == (n,)
    assert each.dtype == np.float32
    for size in (0, 1, 4):
        feeds = {a: np.ones((size, 3)), t: np.ones(size, int) if integer else np.ones((size, 3))}
        assert dia.evaluate(each, feeds).shape == (size,)


def test_an_unknown_loss_lists_those_there_are():
    with pytest.raises(ValueError, match="mse") as error:
        nn.find_loss("mse")
    assert all(name in str(error.value) for name in nn.LOSSES)


def test_a_loss_of_ones_own_is_any_function_of_two_nodes():
    def quartic(a, t):
        return dia.sum((a - t) ** 4, axis=1)

    assert nn.find_loss(quartic) is quartic
    np.testing.assert_allclose(ours(quartic, SCORES, REAL)[0], ((SCORES - REAL) ** 4).sum(1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_weighted_mean_divides_by_the_sum_of_weights(dtype):
    each, weights = np.abs(SCORES[:, 0]).astype(dtype), RNG.uniform(0, 3, N).astype(dtype)
    got = nn.mean_loss(dia.constant(each), dia.constant(weights))
    assert got.dtype == np.dtype(dtype)
    np.testing.assert_allclose(got.value, np.average(each, weights=weights), rtol=1e-6)
    np.testing.assert_allclose(nn.mean_loss(dia.constant(each)).value, each.mean(), rtol=1e-6)


def test_the_weighted_means_gradient_is_each_weights_share():
    each, weights = dia.variable(np.abs(SCORES[:, 0]), "l"), RNG.uniform(0, 3, N)
    [slope] = dia.gradient(nn.mean_loss(each, dia.constant(weights)), [each])
    np.testing.assert_allclose(slope.value, weights / weights.sum(), rtol=1e-13)


def test_a_batch_without_any_weight_has_loss_zero_and_gradient_zero():
    each = dia.variable(np.array([1.0, 2.0]), "l")
    mean = nn.mean_loss(each, dia.constant([0.0, 0.0]))
    assert mean.value == 0
    np.testing.assert_array_equal(dia.gradient(mean, [each])[0].value, [0, 0])


def test_a_loss_that_gives_no_number_an_example_is_refused():
    for shape in ((), (N, 2)):
        with pytest.raises(ValueError, match="each example"):
            nn.mean_loss(dia.constant(np.ones(shape)))
