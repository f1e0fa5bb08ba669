"""Sources of the kernels that are not elementwise.

Each is a small function over (bases, block): the block names its arrays by base and offset, in pairs, those that are
read before those that are written, then its numbers. ``T`` stands for the element type and ``P`` for its pointer,
``S`` for the pointer to another type that is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..element import POINTERS
from . import chances, columns, data, indexing, products, reductions

__all__ = ["fold_source", "kernel_source"]

HEADER = """import numpy as np
from math import cos, log, log1p, sqrt
from numba import carray, float32, float64, int8, int16, int32, int64, types, uint8, uint16, uint32, uint64
from diaphane.engines.native.compiled.counter import philox, unit_float32, unit_float64
from diaphane.engines.native.compiled.intrinsics import f32, f64, gemm, i8, i16, i32, ints, u8, u16, u32, u64
from diaphane.engines.native.compiled.mathematics import exp_float32, exp_float64
from diaphane.engines.native.compiled.refuse import refuse
from diaphane.engines.native.registers import FLAG_AT, ITERATION, NOT_FINITE, ONE_HOT, ROW, SCAN, SCATTER_ADD
from diaphane.engines.native.registers import SEED, STEP, TAKE

SIGNATURE = types.void(types.int64, types.int64)
OPTIONS = {"error_model": "numpy", "fastmath": FASTMATH}


def kernel(bases, block):
    base = carray(ints(bases), 64)
    registers = carray(ints(base[1]), 16)
    b = carray(ints(block), 64)
"""

KERNELS = {
    **data.KERNELS,
    **products.KERNELS,
    **reductions.KERNELS,
    **chances.KERNELS,
    **columns.KERNELS,
    **indexing.KERNELS,
}


def kernel_source(name: str, element: str = "float64", *others: str) -> str:
    """The source of a module with one kernel.

    Parameters
    ----------
    name : str
    element : str
        The element type.
    *others : str
        Types of what else is read, where a kernel has several: ``S``, ``I`` and ``J`` in its source.
    """
    words = {
        "T": "uint8" if element == "bool" else element,
        "P": POINTERS[element],
        "EXP": f"exp_{element}",
        "UNIT": f"unit_{element}",
        **{letter: POINTERS[other] for letter, other in zip("SIJ", (*others, *[element] * 3), strict=False)},
    }
    body = _typed(KERNELS[name], words, element)
    # A product's factors stay in their order: in another it may overflow on the way.
    freedom = '{"contract"}' if name == "prod_last" else '{"contract", "reassoc"}'
    return HEADER.replace("FASTMATH", freedom) + body.lstrip("\n")


def fold_source(element: str, axes: int) -> str:
    """The source of the kernel that adds windows up where they lay, over so many axes."""
    words = {"T": "uint8" if element == "bool" else element, "P": POINTERS[element]}
    return HEADER.replace("FASTMATH", '{"contract"}') + _typed(indexing.fold_body(axes), words, element)


def _typed(body: str, words: Mapping[str, str], element: str) -> str:
    """A kernel's body for an element type; what is true or false adds up as NumPy has it, to either."""
    body = re.sub(rf"\b({'|'.join(words)})\(", lambda found: f"{words[found[1]]}(", body)
    return re.sub(r"(y\[.*\]) \+=", r"\1 |=", body) if element == "bool" else body
