"""Convolution against PyTorch, and windows with their adjoint."""

import hypothesis.strategies as st
import numpy as np
import pytest
from graph.operation_table import PROPERTY, central_difference, tensors
from hypothesis import assume, given

import diaphane.graph as dia

SETTINGS = [
    ((1, 1), (0, 0)),
    ((2, 1), (0, 0)),
    ((1, 1), (1, 2)),
    ((2, 3), (1, 1)),
    ((3, 2), (2, 0)),
]


def values(n=2):
    rng = np.random.default_rng(n)
    return rng.normal(size=(n, 6, 7, 3)), rng.normal(size=(2, 3, 3, 4))


def in_torch(torch, image, kernel, strides, padding):
    y = torch.nn.functional.conv2d(
        image.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1), stride=strides, padding=padding
    )
    return y.permute(0, 2, 3, 1)


@pytest.mark.parametrize(("strides", "padding"), SETTINGS)
def test_convolution_has_pytorchs_value_gradients_and_second_derivatives(strides, padding):
    torch = pytest.importorskip("torch")
    image, kernel = (dia.variable(v) for v in values())
    y = dia.conv2d(image, kernel, strides, padding)
    leaves = tensors(torch, values())
    there = in_torch(torch, *leaves, strides, padding)
    assert y.shape == tuple(there.shape)
    np.testing.assert_allclose(y.value, there.detach().numpy(), rtol=1e-12, atol=1e-13)
    first = dia.gradient(dia.sum(y**3), [image, kernel])
    first_there = torch.autograd.grad((there**3).sum(), leaves, create_graph=True)
    slope, slope_there = dia.sum(first[0] ** 2) + dia.sum(first[1]), (first_there[0] ** 2).sum() + first_there[1].sum()
    second, second_there = dia.gradient(slope, [image, kernel]), torch.autograd.grad(slope_there, leaves)
    for g, want in zip([*first, *second], [*first_there, *second_there], strict=True):
        want = want.detach().numpy()
        np.testing.assert_allclose(g.value, want, rtol=1e-10, atol=1e-12 * np.abs(want).max())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [0, 1, 4])
def test_one_graph_convolves_any_number_of_images(n, dtype):
    images, weights = values(n)
    image = dia.placeholder((dia.Dim("N"), 6, 7, 3), dtype, "image")
    kernel = dia.variable(weights.astype(dtype), "kernel")
    y = dia.conv2d(image, kernel, (2, 2), (1, 0))
    assert y.shape == (dia.Dim("N"), 4, 3, 4)
    got, *gradients = dia.evaluate([y, *dia.gradient(dia.sum(y * y), [image, kernel])], {image: images.astype(dtype)})
    assert got.dtype == dtype
    assert got.shape == (n, 4, 3, 4)
    for i in range(n):
        alone = dia.evaluate(y, {image: images[i : i + 1].astype(dtype)})
        np.testing.assert_allclose(got[i], alone[0], rtol=1e-4 if dtype == "float32" else 1e-12, atol=1e-5)
    assert [g.shape for g in gradients] == [images.shape, weights.shape]
    assert [g.dtype for g in gradients] == [dtype, dtype]


def test_images_of_any_height_and_width_fit_one_graph():
    image = dia.placeholder((1, dia.Dim("H"), dia.Dim("W"), 3), "float64", "image")
    weights = values()[1]
    y = dia.conv2d(image, weights, (2, 1), (1, 1))
    [g] = dia.gradient(dia.sum(y * y), [image])
    for h, w in [(2, 3), (5, 4), (6, 9)]:
        x = np.random.default_rng(0).normal(size=(1, h, w, 3))
        fixed = dia.variable(x)
        z = dia.conv2d(fixed, weights, (2, 1), (1, 1))
        got = dia.evaluate([y, g], {image: x})
        assert got[0].shape == z.shape
        np.testing.assert_array_equal(got[0], z.value)
        np.testing.assert_array_equal(got[1], dia.gradient(dia.sum(z * z), [fixed])[0].value)


def test_convolution_is_cross_correlation_the_kernel_is_not_turned():
    image = np.zeros((1, 3, 3, 1))
    image[0, 0, 0, 0] = 1.0
    kernel = np.arange(4.0).reshape(2, 2, 1, 1)
    assert dia.conv2d(image, kernel).value[0, :, :, 0].tolist() == [[0.0, 0.0], [0.0, 0.0]]
    image[0, 0, 0, 0], image[0, 0, 1, 0] = 0.0, 1.0
    assert dia.conv2d(image, kernel).value[0, :, :, 0].tolist() == [[1.0, 0.0], [0.0, 0.0]]


def test_the_gradients_are_the_central_differences():
    x, k = (v[..., :1] for v in values(1))
    x, k = x[:, :3, :4], k[:, :, :1]
    image, kernel = dia.variable(x), dia.variable(k)
    loss = dia.sum(dia.tanh(dia.conv2d(image, kernel, (1, 2), (1, 0))))
    want = central_difference(lambda a, b: dia.evaluate(loss, {image: a, kernel: b}), [x, k])
    for g, w in zip(dia.gradient(loss, [image, kernel]), want, strict=True):
        np.testing.assert_allclose(g.value, w, rtol=1e-6, atol=1e-8)


@PROPERTY
@given(
    st.integers(0, 3),
    st.lists(st.tuples(st.integers(1, 7), st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=3),
    st.integers(0, 2**32 - 1),
)
def test_windows_and_fold_are_adjoint(n, axes, seed):
    assume(all(size <= extent for extent, size, _ in axes))
    extents, sizes, strides = zip(*axes, strict=True)
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, *extents, 2))
    windows = dia.windows(x, sizes, strides)
    y = rng.normal(size=windows.shape)
    fold = dia.apply(dia.OPERATIONS["Fold"](sizes, strides, x.shape), dia.constant(y))
    counts = tuple((e - s) // t + 1 for e, s, t in axes)
    assert windows.shape == (n, *counts, *sizes, 2)
    assert fold.value.shape == x.shape
    np.testing.assert_allclose(np.sum(windows.value * y), np.sum(x * fold.value), rtol=1e-10, atol=1e-10)


@PROPERTY
@given(st.integers(1, 8), st.integers(1, 4), st.integers(1, 4))
def test_every_window_is_a_slice(length, size, stride):
    assume(size <= length)
    x = np.random.default_rng(0).normal(size=(2, length))
    got = dia.windows(x, [size], [stride]).value
    for i in range(got.shape[1]):
        np.testing.assert_array_equal(got[:, i], x[:, i * stride : i * stride + size])


def test_the_gradient_of_disjoint_windows_is_where_they_lay():
    x = dia.variable(np.zeros((1, 7)))
    [g] = dia.gradient(dia.sum(dia.windows(x, [2], [3])), [x])
    assert g.value.tolist() == [[1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0]]


def test_the_gradient_of_overlapping_windows_counts_them():
    x = dia.variable(np.zeros((1, 5)))
    [g] = dia.gradient(dia.sum(dia.windows(x, [3])), [x])
    assert g.value.tolist() == [[1.0, 2.0, 3.0, 2.0, 1.0]]


def test_a_window_wider_than_the_axis_is_refused_with_both_numbers():
    with pytest.raises(dia.ShapeError, match=r"window of 4.*axis of 3"):
        dia.windows(np.zeros((1, 3)), [4])


@pytest.mark.parametrize(("sizes", "strides"), [([0], None), ([2], [0]), ([2], [1, 1]), ([1, 1], None)])
def test_windows_of_wrong_sizes_are_refused(sizes, strides):
    with pytest.raises(dia.ShapeError, match=r"\(2, 3\)"):
        dia.windows(np.zeros((2, 3)), sizes, strides)


def test_a_window_wider_than_the_bound_axis_is_refused_when_it_runs():
    x = dia.placeholder((1, dia.Dim("T")), "float64", "x")
    y = dia.windows(x, [4])
    assert dia.evaluate(y, {x: np.zeros((1, 4))}).shape == (1, 1, 4)
    with pytest.raises(ValueError, match=r"window|larger"):
        dia.evaluate(y, {x: np.zeros((1, 2))})


def test_an_image_with_other_channels_than_the_kernel_is_refused_with_both_shapes():
    with pytest.raises(dia.ShapeError, match=r"\(1, 4, 4, 2\).*\(2, 2, 3, 1\)"):
        dia.conv2d(np.zeros((1, 4, 4, 2)), np.zeros((2, 2, 3, 1)))
