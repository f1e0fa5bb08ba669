"""One pass of an online rule over rows of data, as a kernel: see :mod:`diaphane.engines.online` for the rule.

Weights are kept as scale·v, so that shrinking them all is one product, and what averages need as A·v + lag with A
the sum of scales so far: a step costs the non-zeros of its row (Bottou 2012, §5; Xu 2011).
"""

from __future__ import annotations

import ctypes
import re
from functools import cache
from textwrap import dedent, indent
from typing import Any

import numpy as np

from ..cache import generated_kernel
from ..element import POINTERS

__all__ = ["AHEAD", "NUMBERS", "WORDS", "compiled_pass", "pass_source"]

AHEAD = 12
"""Rows between that which is asked of memory and that which is learnt from."""

WORDS = (
    "rows starts columns row_stride column_stride order held positive weights v lag owed mistakes "
    "n d ordered shuffled random averages_after schedule clipped unit step counted wrong learnt stopped reason"
).split()
"""The kernel's whole numbers and addresses, in their places."""

NUMBERS = (
    "intercept lag_intercept l2 l1 rate alpha first power fit_intercept positive_weight negative_weight "
    "loss weighed owed_until"
).split()
"""The kernel's real numbers, in their places."""

HEADER = """from math import log1p, sqrt
from numba import carray, float32, float64, int64, types, uint64
from diaphane.engines.native.compiled.intrinsics import f32, f64, i8, i16, i32, ints, u8, u16, u32, u64
from diaphane.engines.native.compiled.mathematics import exp_float64
from diaphane.engines.native.compiled.prefetch import prefetch

SIGNATURE = types.void(types.int64, types.int64)
OPTIONS = {"error_model": "numpy", "fastmath": {"contract", "reassoc"}}


def kernel(words, numbers):
    b, f = carray(ints(words), WORD_COUNT), carray(f64(numbers), NUMBER_COUNT)
"""

LOSSES = {
    "perceptron": """
        wrong = y * score <= 0
        loss, slope = (-y * score, -y) if wrong else (0.0, 0.0)
""",
    "hinge": """
        wrong = y * score <= 0
        loss, slope = (1.0 - y * score, -y) if y * score <= 1 else (0.0, 0.0)
""",
    "squared_hinge": """
        wrong = y * score <= 0
        gap = 1.0 - y * score
        loss, slope = (gap * gap, -2.0 * y * gap) if gap > 0 else (0.0, 0.0)
""",
    "squared_error": """
        wrong = y * score <= 0
        loss, slope = 0.5 * (score - y) * (score - y), score - y
""",
    "logistic": """
        wrong = y * score <= 0
        e = exp_float64(-abs(score))
        loss = log1p(e) + (0.0 if y * score > 0 else abs(score))
        slope = -y * (e if y * score > 0 else 1.0) / (1.0 + e)
""",
}
"""From the score and y = ±1: whether it is a mistake, the loss and its slope by the score."""

DENSE = {
    "ARRAYS": "pass",
    "EACH": "for j in range(d):",
    "PLACE": "j",
    "ROW": "row = carray(S(b[ROWS] + at * b[ROW_STRIDE]), d)",
    "VALUE": "T(row[j])",
    "FETCH": """
                address = b[ROWS] + at * b[ROW_STRIDE]
                for line in range(0, d * WIDE_ROWS, 64):
                    prefetch(address + line)
""",
}
STRIDED = {
    **DENSE,
    "ROW": "row = carray(S(b[ROWS] + at * b[ROW_STRIDE]), d * b[COLUMN_STRIDE])",
    "VALUE": "T(row[j * b[COLUMN_STRIDE]])",
    "FETCH": "                pass\n",
}
SPARSE = {
    "ARRAYS": (
        "row, starts, columns = carray(S(b[ROWS]), 1 << 40), carray(I(b[STARTS]), n + 1), "
        "carray(J(b[COLUMNS]), 1 << 40)"
    ),
    "EACH": "for k in range(starts[at], starts[at + 1]):",
    "PLACE": "columns[k]",
    "ROW": "pass",
    "VALUE": "T(row[k])",
    "FETCH": """
                for k in range(starts[at], starts[at + 1], 8):
                    prefetch(b[ROWS] + k * WIDE_ROWS)
                    prefetch(b[COLUMNS] + k * WIDE_COLUMNS)
""",
}

BODY = """
    n, d, scale, total = b[N], b[D], 1.0, 0.0
    v, lag, owed = carray(P(b[V]), d), carray(f64(b[LAG]), d), carray(f64(b[OWED]), d)
    order, positive, weights = carray(i32(b[ORDER]), n), carray(u8(b[POSITIVE]), n), carray(f64(b[WEIGHTS]), n)
    held, mistakes = carray(u8(b[HELD]), n), carray(ints(b[MISTAKES]), 2 * n)
    ARRAYS
    ordered, shuffled, masked, weighted = b[ORDERED] != 0, b[SHUFFLED] != 0, b[HELD] != 0, b[WEIGHTS] != 0
    recorded, clipped, unit = b[MISTAKES] != 0, b[CLIPPED] != 0, b[UNIT] != 0
    averages_after, schedule, step, random = b[AVERAGES_AFTER], b[SCHEDULE], b[STEP], uint64(b[RANDOM])
    counted, learnt = b[COUNTED], 0
    intercept, lag_intercept, l2, l1, rate = f[INTERCEPT], f[LAG_INTERCEPT], f[L2], f[L1], f[RATE]
    alpha, first, power, moves = f[ALPHA], f[FIRST], f[POWER], f[FIT_INTERCEPT]
    owed_until, losses, weighed, wrongs = f[OWED_UNTIL], 0.0, 0.0, 0
    for i in range(-AHEAD, n):
        # Fisher & Yates from the front: a place is settled when its turn has come, so that a few ahead are enough.
        ahead = i + AHEAD
        if ahead < n:
            if shuffled and ahead < n - 1:
                random ^= (random << uint64(13)) & LOW
                random ^= random >> uint64(17)
                random ^= (random << uint64(5)) & LOW
                other = ahead + int64((random & uint64(0x7FFFFFFF)) % uint64(n - ahead))
                here = order[ahead]
                order[ahead] = order[other]
                order[other] = here
            if ordered:
                at = int64(order[ahead])
                prefetch(b[POSITIVE] + at)
                FETCH
        if i < 0:
            continue
        at = int64(order[i]) if ordered else i
        if masked and held[at] != 0:
            continue
        ROW
        dot = T(0)
        EACH
            dot += v[PLACE] * VALUE
        score = float64(dot) * scale + intercept
        if score - score != 0:
            b[STOPPED], b[REASON] = at, NOT_FINITE
            break
        y, weight = (1.0, f[POSITIVE_WEIGHT]) if positive[at] != 0 else (-1.0, f[NEGATIVE_WEIGHT])
        if weighted:
            weight *= weights[at]
        LOSS
        if schedule == OPTIMAL:
            rate = 1.0 / (alpha * (first + step - 1))
        elif schedule == INVSCALING:
            rate = f[RATE] / float64(step) ** power
        if clipped:
            slope = min(max(slope, -MOST_SLOPE), MOST_SLOPE)
        move = -rate * slope * weight
        if unit and move != 0:
            square = moves
            EACH
                square += float64(VALUE) * float64(VALUE)
            if square == 0:
                b[STOPPED], b[REASON] = at, ZERO_ROW
                break
            move /= sqrt(square)
            loss /= sqrt(square)
        losses += weight * loss
        weighed += weight
        if wrong and weight != 0:
            if recorded:
                mistakes[2 * wrongs], mistakes[2 * wrongs + 1] = at, step
            wrongs += 1
        if l2 != 0:
            scale *= max(0.0, 1.0 - rate * l2)
            if scale < SMALLEST_SCALE:
                FOLD
        if move != 0:
            part = T(move / scale)
            EACH
                v[PLACE] += part * VALUE
            intercept += moves * move
            if total != 0:
                behind = total * (move / scale)
                EACH
                    lag[PLACE] -= behind * float64(VALUE)
        if l1 != 0:
            owed_until += rate * l1
            EACH
                TRUNCATE
        if averages_after != 0 and step >= averages_after:
            total += scale
            lag_intercept += intercept
            counted += 1
        step += 1
        learnt += 1
    # What rows had no part in owes its share of the penalty still, and whoever looks wants the weights themselves.
    if l1 != 0:
        for j in range(d):
            TRUNCATE_ALL
    FOLD
    b[STEP], b[COUNTED], b[WRONG], b[LEARNT] = step, counted, wrongs, learnt
    f[INTERCEPT], f[LAG_INTERCEPT], f[OWED_UNTIL] = intercept, lag_intercept, owed_until
    f[LOSS], f[WEIGHED] = losses, weighed
"""

FOLD = """
if total != 0:
    for j in range(d):
        lag[j] += total * float64(v[j])
for j in range(d):
    v[j] *= T(scale)
scale, total = 1.0, 0.0
"""
"""The scale into the weights: A·v goes to the lag first, for A counts what v was."""

TRUNCATE = """
before = v[WHERE]
gone = before
if before > 0:
    gone = T(max(0.0, float64(before) - (owed_until + owed[WHERE]) / scale))
elif before < 0:
    gone = T(min(0.0, float64(before) + (owed_until - owed[WHERE]) / scale))
v[WHERE] = gone
owed[WHERE] += scale * (float64(gone) - float64(before))
if total != 0:
    lag[WHERE] -= total * (float64(gone) - float64(before))
"""
"""The cumulative L1 penalty, never past 0 (Tsuruoka, Tsujii & Ananiadou 2009, §3.2)."""

CONSTANTS = {
    "OPTIMAL": 1,
    "INVSCALING": 2,
    "NOT_FINITE": 1,
    "ZERO_ROW": 2,
    "MOST_SLOPE": 1e12,
    # Of smaller ones A·v and lag would be of a size in which the average's last digits drown.
    "SMALLEST_SCALE": 1e-3,
    "AHEAD": AHEAD,
    "WORD_COUNT": len(WORDS),
    "NUMBER_COUNT": len(NUMBERS),
    "LOW": "uint64(0xFFFFFFFF)",
}
UNSIGNED = {"int32": "u32", "int64": "u64"}
"""Places without a sign: numba looks at a negative one's other end."""

PASS_TYPE = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)


def pass_source(
    loss: str, element: str, stored: str, *, strided: bool = False, starts: str | None = None, columns: str = "int32"
) -> str:
    """The source of a kernel for one pass.

    Parameters
    ----------
    loss : str
        One of ``LOSSES``.
    element : str
        The type of the weights.
    stored : str
        The type of the data.
    strided : bool
        Whether a row's numbers lie apart.
    starts, columns : str, optional
        The types of a sparse matrix's row starts and columns.
    """
    layout = STRIDED if strided else DENSE if starts is None else SPARSE
    pieces = {
        **layout,
        "LOSS": LOSSES[loss],
        "FOLD": FOLD,
        "TRUNCATE": TRUNCATE.replace("WHERE", layout["PLACE"]),
        "TRUNCATE_ALL": TRUNCATE.replace("WHERE", "j"),
    }
    lines = re.compile(rf"^( *)({'|'.join(pieces)})$", re.MULTILINE)
    body = lines.sub(lambda found: indent(dedent(pieces[found[2]]).strip("\n"), found[1]), BODY)
    types = {"T": element, "P": POINTERS[element], "S": POINTERS[stored]}
    if starts is not None:
        types |= {"I": POINTERS[starts], "J": UNSIGNED[columns]}
    body = re.sub(rf"\b({'|'.join(types)})\(", lambda found: f"{types[found[1]]}(", body)
    words = {"VALUE": layout["VALUE"].replace("T(", f"{element}("), "PLACE": layout["PLACE"]}
    words |= {name: str(value) for name, value in CONSTANTS.items()}
    words |= {"WIDE_ROWS": str(np.dtype(stored).itemsize), "WIDE_COLUMNS": str(np.dtype(columns).itemsize)}
    body = re.sub(rf"\b({'|'.join(words)})\b", lambda found: words[found[1]], HEADER + body.lstrip("\n"))
    for letter, places in (("b", WORDS), ("f", NUMBERS)):
        body = re.sub(rf"\b{letter}\[([A-Z_0-9]+)\]", _place_in(letter, places), body)
    return body


@cache
def compiled_pass(loss: str, element: str, stored: str, **layout: Any) -> Any:
    """The function (address of whole numbers, address of real numbers) that does a pass; Python's lock is given up.

    Arguments are those of :func:`pass_source`.
    """
    return PASS_TYPE(generated_kernel(pass_source(loss, element, stored, **layout)).address)


def _place_in(letter: str, places: list[str]) -> Any:
    return lambda found: f"{letter}[{places.index(found[1].lower())}]"
