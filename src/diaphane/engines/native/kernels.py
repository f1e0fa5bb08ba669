"""Sources of the kernels that are not elementwise.

Each is a small function over (bases, block): the block names its arrays by base and offset, in pairs, then its
numbers. ``T`` stands for the element type and ``P`` for its pointer.
"""

from __future__ import annotations

import re

from .intrinsics import POINTERS

__all__ = ["REGISTERS", "kernel_source"]

REGISTERS = ("iteration", "row", "rows", "flag", "seed", "step")
"""Words of base 1: which step of this run it is, the batch's first place in the order, its
rows, why the loop stopped; and what random kernels draw from: the seed, and the step before the run's first."""

HEADER = """from math import floor, log
from numba import carray, cfunc, float32, float64, int8, int16, int32, int64, types, uint8, uint16, uint32, uint64
from diaphane.engines.native.intrinsics import f32, f64, gemm, i8, i16, i32, ints, u8, u16, u32, u64
from diaphane.engines.native.mathematics import exp_float32, exp_float64


LOW, HALF = uint64(0xFFFFFFFF), uint64(32)


@cfunc(types.void(types.int64, types.int64), cache=True, error_model="numpy", fastmath={"contract", "reassoc"})
def kernel(bases, block):
    base = carray(ints(bases), 64)
    b = carray(ints(block), 64)
"""

KERNELS = {
    # Rows of the data, in the order given, cast to the type of the computation.
    "gather": """
    source, place, out = base[b[0]] + b[1], carray(ints(base[b[2]]), 1 << 40), base[b[4]] + b[5]
    row, width, wide = carray(ints(base[1]), 4)[1], b[7], b[8]
    for i in range(b[6]):
        y = carray(P(out + i * wide), width)
        if b[10] == 1:
            x = carray(S(source + place[row + i] * b[9]), width)
            for j in range(width):
                y[j] = T(x[j])
        else:
            z = carray(S(source + place[row + i] * b[9]), width * b[10])
            for j in range(width):
                y[j] = T(z[j * b[10]])
""",
    "matmul": """
    x, y, z = base[b[0]] + b[1], base[b[2]] + b[3], base[b[4]] + b[5]
    f = block + 88
    for i in range(b[7]):
        gemm(b[6], f, f + 8, f + 16, f + 24, f + 32, f + 40, y, f + 48, x, f + 56, f + 64, z, f + 72)
        x, y, z = x + b[8], y + b[9], z + b[10]
""",
    "sum_last": """
    n, width = b[4], b[5]
    x, y = carray(P(base[b[0]] + b[1]), (n, width)), carray(P(base[b[2]] + b[3]), n)
    for i in range(n):
        total = T(0)
        for j in range(width):
            total += x[i, j]
        y[i] = total
""",
    "sum_first": """
    n, width = b[4], b[5]
    x, y = carray(P(base[b[0]] + b[1]), (n, width)), carray(P(base[b[2]] + b[3]), width)
    for j in range(width):
        y[j] = T(0)
    for i in range(n):
        for j in range(width):
            y[j] += x[i, j]
""",
    "log_softmax": """
    n, width = b[4], b[5]
    x, y = carray(P(base[b[0]] + b[1]), (n, width)), carray(P(base[b[2]] + b[3]), (n, width))
    for i in range(n):
        top = x[i, 0]
        for j in range(width):
            if not x[i, j] <= top:
                top = x[i, j]
        if top - top != 0:
            top = T(0)
        total = T(0)
        for j in range(width):
            total += EXP(x[i, j] - top)
        shift = top + log(total)
        for j in range(width):
            y[i, j] = x[i, j] - shift
""",
    "softmax": """
    n, width = b[4], b[5]
    x, y = carray(P(base[b[0]] + b[1]), (n, width)), carray(P(base[b[2]] + b[3]), (n, width))
    for i in range(n):
        top = x[i, 0]
        for j in range(width):
            if not x[i, j] <= top:
                top = x[i, j]
        if top - top != 0:
            top = T(0)
        total = T(0)
        for j in range(width):
            y[i, j] = EXP(x[i, j] - top)
            total += y[i, j]
        for j in range(width):
            y[i, j] = y[i, j] / total
""",
    # Philox4x32-10, as in graph/counter.py: the words of four neighbouring columns at once.
    "bernoulli": """
    registers, limit = carray(ints(base[1]), 6), floor(carray(f64(base[b[0]] + b[1]), 1)[0] * 4294967296.0)
    n, width = b[4], b[5]
    y = carray(u8(base[b[2]] + b[3]), (n, width))
    seed, stream = uint64(registers[4]) & LOW, uint64(b[6]) & LOW
    step = uint64(registers[5] + registers[0]) & LOW
    for i in range(n):
        for j in range(0, width, 4):
            c0, c1, c2, c3 = uint64(i) & LOW, uint64(j // 4), step, uint64(0)
            k0, k1 = seed, stream
            for _ in range(10):
                left, right = c0 * uint64(0xD2511F53), c2 * uint64(0xCD9E8D57)
                c0, c1, c2, c3 = (right >> HALF) ^ c1 ^ k0, right & LOW, (left >> HALF) ^ c3 ^ k1, left & LOW
                k0, k1 = (k0 + uint64(0x9E3779B9)) & LOW, (k1 + uint64(0xBB67AE85)) & LOW
            y[i, j] = float64(c0) < limit
            if j + 1 < width:
                y[i, j + 1] = float64(c1) < limit
            if j + 2 < width:
                y[i, j + 2] = float64(c2) < limit
            if j + 3 < width:
                y[i, j + 3] = float64(c3) < limit
""",
    "check_finite": """
    value = carray(P(base[b[0]] + b[1]), 1)[0]
    if value - value != 0:
        carray(ints(base[1]), 4)[3] = 1
""",
    "check_range": """
    x, y = carray(P(base[b[0]] + b[1]), b[4]), carray(P(base[b[2]] + b[3]), b[4])
    for i in range(b[4]):
        if x[i] < 0 or x[i] >= b[5]:
            carray(ints(base[1]), 4)[3] = 2
        y[i] = x[i]
""",
    "fill": """
    x, value = carray(P(base[b[0]] + b[1]), b[2]), carray(P(block + 24), 1)[0]
    for i in range(b[2]):
        x[i] = value
""",
    # One step's output into its place in the stack of all steps'.
    "keep": """
    iteration = carray(ints(base[1]), 4)[0]
    x, y = carray(u8(base[b[0]] + b[1]), b[4]), carray(u8(base[b[2]] + b[3] + iteration * b[4]), b[4])
    for i in range(b[4]):
        y[i] = x[i]
""",
}


def kernel_source(name: str, element: str = "float64", source: str = "float64") -> str:
    """The source of a module with one kernel for one element type (``gather`` reads another)."""
    words = {
        "T": "uint8" if element == "bool" else element,
        "P": POINTERS[element],
        "S": POINTERS[source],
        "EXP": f"exp_{element}",
    }
    body = re.sub(r"\b(T|P|S|EXP)\(", lambda found: f"{words[found[1]]}(", KERNELS[name])
    return HEADER + body.lstrip("\n")
