"""Columns that are held to a length."""

from __future__ import annotations

__all__ = ["KERNELS"]

KERNELS = {
    # In place, and written only where some column is too long. Eight rows at a time, so that a column's sum and its
    # factor are fetched and put back an eighth as often.
    "clip_columns": """
    limit = float64(carray(P(base[b[0]] + b[1]), 1)[0])
    n, columns = b[6], b[7]
    x, factor = carray(P(base[b[2]] + b[3]), (n, b[8])), carray(f64(base[b[4]] + b[5]), columns)
    for j in range(columns):
        factor[j] = 0.0
    even = n // 8 * 8
    for i in range(0, even, 8):
        for j in range(columns):
            total = 0.0
            for k in range(8):
                total += float64(x[i + k, j]) * float64(x[i + k, j])
            factor[j] += total
    for i in range(even, n):
        for j in range(columns):
            factor[j] += float64(x[i, j]) * float64(x[i, j])
    longer = 0
    for j in range(columns):
        length = sqrt(factor[j])
        if length > limit:
            factor[j] = limit / length
            longer += 1
        else:
            factor[j] = 1.0
    if longer:
        for i in range(0, even, 8):
            for j in range(columns):
                scale = T(factor[j])
                for k in range(8):
                    x[i + k, j] *= scale
        for i in range(even, n):
            for j in range(columns):
                x[i, j] *= T(factor[j])
""",
}
