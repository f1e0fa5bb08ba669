"""Sliding windows and the convolution made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ShapeError
from ..node import Node, NodeLike, apply
from ..operation import Operation, operands
from ..sizes import Extent, Shape, show
from .indexing import pad
from .linear import matmul
from .shaping import reshape

__all__ = ["conv2d", "windows"]


@dataclass(frozen=True)
class Windows(Operation):
    """Every window of some sizes over the axes after the first, at strides: (N, H, W, C) → (N, H', W', h, w, C)."""

    sizes: tuple[int, ...]
    strides: tuple[int, ...]

    def shape(self, *inputs: Node) -> Shape:
        a = inputs[0]
        counts = tuple(self._count(a.shape[i + 1], i) for i in range(len(self.sizes)))
        return (a.shape[0], *counts, *self.sizes, *a.shape[len(self.sizes) + 1 :])

    def _count(self, extent: Extent, i: int) -> Extent:
        count = (extent - self.sizes[i]) // self.strides[i] + 1
        if isinstance(count, int) and count < 1:
            raise ShapeError(f"windows: a window of {self.sizes[i]} does not fit into an axis of {extent}")
        return count

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.windows(arrays[0], self.sizes, self.strides)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (apply(Fold(self.sizes, self.strides, node.inputs[0].shape), upstream),)


@dataclass(frozen=True)
class Fold(Operation):
    """Windows added up where they lay: the derivative of taking them."""

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    target: Shape

    def shape(self, *inputs: Node) -> Shape:
        return self.target

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.fold(arrays[0], self.sizes, self.strides, backend.sizes(self.target))

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (apply(Windows(self.sizes, self.strides), upstream),)


def windows(a: NodeLike, sizes: Sequence[int], strides: Sequence[int] | None = None) -> Node:
    """Every window over the axes after the first.

    Parameters
    ----------
    a : node, shape (N, L₁, …, Lₖ, C, …)
    sizes : k ints
        The window's extents.
    strides : k ints, optional
        Steps between windows; 1 by default.

    Returns
    -------
    Node, shape (N, ⌊(L₁ − s₁)/t₁⌋ + 1, …, s₁, …, sₖ, C, …)

    Examples
    --------
    >>> windows([[1.0, 2.0, 3.0]], [2]).value
    array([[[1., 2.],
            [2., 3.]]])
    """
    [node] = operands(a)
    steps = tuple(strides) if strides is not None else (1,) * len(sizes)
    if node.ndim < len(sizes) + 1 or len(steps) != len(sizes) or min(*sizes, *steps, 1) < 1:
        raise ShapeError(
            f"windows: sizes {tuple(sizes)} and strides {steps} must be ≥ 1, one for each of the axes after the first "
            f"that they run over; {node.label()} has shape {show(node.shape)}"
        )
    return apply(Windows(tuple(sizes), steps), node)


def conv2d(
    image: NodeLike,
    kernel: NodeLike,
    strides: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
) -> Node:
    """yₙᵢⱼₖ = Σₐ,b,c xₙ,(i·s+a),(j·t+b),c · kₐ,b,c,k: convolution as the field says it (cross-correlation).

    Parameters
    ----------
    image : node, shape (N, H, W, C)
    kernel : node, shape (h, w, C, K)
    strides : (int, int)
    padding : (int, int)
        Zeros added on both sides of H and of W.

    Returns
    -------
    Node, shape (N, ⌊(H + 2p − h)/s⌋ + 1, ⌊(W + 2q − w)/t⌋ + 1, K)

    Notes
    -----
    LeCun et al. 1998, *Gradient-based learning applied to document recognition*, section II.

    Examples
    --------
    >>> import numpy as np
    >>> y = conv2d(np.ones((1, 3, 3, 1)), np.ones((2, 2, 1, 1)))
    >>> y.value[0, :, :, 0]
    array([[4., 4.],
           [4., 4.]])
    """
    x, k = operands(image, kernel)
    if x.ndim != 4 or k.ndim != 4 or x.shape[3] != k.shape[2]:
        raise ShapeError(
            f"conv2d: the image has axes (N, H, W, C) and the kernel (h, w, C, K) with the same C, got {show(x.shape)} "
            f"and {show(k.shape)}"
        )
    p, q = padding
    height, width, channels, kernels = (_whole(e) for e in k.shape)
    patches = windows(pad(x, [(0, 0), (p, p), (q, q), (0, 0)]), (height, width), strides)
    rows = reshape(patches, (*patches.shape[:3], height * width * channels))
    return matmul(rows, reshape(k, (height * width * channels, kernels)))


def _whole(extent: Extent) -> int:
    if not isinstance(extent, int):
        raise ShapeError(f"conv2d: a kernel's shape is whole numbers, got {extent}")
    return extent
