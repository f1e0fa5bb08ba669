"""Every operation, a file per family; the functions here are what the nodes' operators call."""

from .activation import elu, gelu, leaky_relu, maxout, prelu, relu, selu, silu
from .arithmetic import abs, add, divide, floor, multiply, negative, power, sign, sqrt, square, subtract
from .casting import astype, stop_gradient
from .columns import clip_columns
from .comparison import (
    clip,
    equal,
    greater,
    greater_equal,
    isfinite,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    not_equal,
    where,
)
from .exponential import cos, erf, exp, expm1, log, log1p, sigmoid, sin, softplus, tanh
from .indexing import arange, index, one_hot, pad, scatter_add, slice_axis, take
from .linear import matmul
from .random import bernoulli, normal, permutation, uniform
from .reduction import argmax, extent_value, log_softmax, logsumexp, max, mean, min, prod, softmax, sum, var
from .scan import scan
from .shaping import broadcast_to, concat, expand_dims, permute_dims, reshape, split, squeeze, stack, transpose
from .windows import conv2d, windows

__all__ = [
    "abs", "add", "arange", "argmax", "astype", "bernoulli", "broadcast_to", "clip", "clip_columns", "concat",
    "conv2d", "cos", "divide", "elu", "equal", "erf", "exp", "expand_dims", "expm1", "extent_value", "floor", "gelu",
    "greater", "greater_equal", "index", "isfinite", "leaky_relu", "less", "less_equal", "log", "log1p",
    "log_softmax", "logical_and", "logical_not", "logical_or", "logsumexp", "matmul", "max", "maximum",
    "maxout", "mean", "min", "minimum", "multiply", "negative", "normal", "not_equal", "one_hot", "pad",
    "permutation", "permute_dims", "power", "prelu", "prod", "relu", "reshape", "scan", "scatter_add", "selu",
    "sigmoid", "sign", "silu", "sin", "slice_axis", "softmax", "softplus", "split", "sqrt", "square",
    "squeeze", "stack", "stop_gradient", "subtract", "sum", "take", "tanh", "transpose", "uniform", "var",
    "where", "windows",
]  # fmt: skip
