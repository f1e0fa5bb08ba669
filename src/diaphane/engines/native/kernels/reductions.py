"""One value from many: over the last axis of (n, width), or over the first."""

from __future__ import annotations

__all__ = ["KERNELS"]

ROWS = """
    n, width = b[4], b[5]
    x, y = carray(S(base[b[0]] + b[1]), (n, width)), carray(P(base[b[2]] + b[3]), n)
    for i in range(n):
"""

SOFTMAX_ROWS = """
    n, width = b[4], b[5]
    x, y = carray(P(base[b[0]] + b[1]), (n, width)), carray(P(base[b[2]] + b[3]), (n, width))
    for i in range(n):
"""

TOP = """
        top = x[i, 0]
        for j in range(width):
            if not x[i, j] <= top:
                top = x[i, j]
        if top - top != 0:
            top = T(0)
"""

SHIFTED = f"""
    n, width = b[6], b[7]
    x, y = carray(P(base[b[0]] + b[1]), (n, width)), carray(P(base[b[2]] + b[3]), (n, width))
    flat = carray(P(base[b[2]] + b[3]), n * width)
    for i in range(n):
        {TOP.strip()}
        for j in range(width):
            y[i, j] = x[i, j] - top
"""

KERNELS = {
    # In stretches, so that a long sum in float32 does not drown its last terms.
    "sum_last": f"""{ROWS.rstrip()}
        total = T(0)
        for start in range(0, width, 1024):
            part = T(0)
            for j in range(start, min(start + 1024, width)):
                part += T(x[i, j])
            total += part
        y[i] = total
""",
    "sum_first": """
    n, width = b[4], b[5]
    x, y = carray(S(base[b[0]] + b[1]), (n, b[6])), carray(P(base[b[2]] + b[3]), width)
    for j in range(width):
        y[j] = T(0)
    for i in range(n):
        for j in range(width):
            y[j] += T(x[i, j])
""",
    "prod_last": f"""{ROWS.rstrip()}
        total = T(1)
        for j in range(width):
            total *= T(x[i, j])
        y[i] = total
""",
    # Where there is a NaN it is the greatest, and the smallest too.
    "max_last": f"""
    start = carray(P(block + 48), 1)[0]
    {ROWS.strip()}
        best = start
        for j in range(width):
            value = x[i, j]
            best = value if value > best or value != value else best
        y[i] = best
""",
    "min_last": f"""
    start = carray(P(block + 48), 1)[0]
    {ROWS.strip()}
        best = start
        for j in range(width):
            value = x[i, j]
            best = value if value < best or value != value else best
        y[i] = best
""",
    "argmax_last": f"""{ROWS.rstrip()}
        best, place = x[i, 0], 0
        for j in range(1, width):
            value = x[i, j]
            if (value > best or value != value) and best == best:
                best, place = value, j
        y[i] = place
""",
    "logsumexp_last": f"""{ROWS.rstrip()}
        if width == 0:
            y[i] = -T(np.inf)
            continue
        {TOP.strip()}
        total = T(0)
        for j in range(width):
            total += EXP(x[i, j] - top)
        y[i] = top + log(total)
""",
    "log_softmax": f"""{SOFTMAX_ROWS.rstrip()}
        {TOP.strip()}
        # Shifted first, then the logarithm taken off: the sum of both would lose the smaller one's digits.
        total = T(0)
        for j in range(width):
            y[i, j] = x[i, j] - top
            total += EXP(y[i, j])
        shift = log(total)
        for j in range(width):
            y[i, j] -= shift
""",
    "softmax": f"""{SOFTMAX_ROWS.rstrip()}
        {TOP.strip()}
        total = T(0)
        for j in range(width):
            y[i, j] = EXP(x[i, j] - top)
            total += y[i, j]
        for j in range(width):
            y[i, j] = y[i, j] / total
""",
    # Rows too short to fill a vector: the exponentials of all of them in one loop.
    "log_softmax_short": f"""{SHIFTED.rstrip()}
    powers = carray(P(base[b[4]] + b[5]), n * width)
    for k in range(n * width):
        powers[k] = EXP(flat[k])
    for i in range(n):
        total = T(0)
        for j in range(width):
            total += powers[i * width + j]
        powers[i] = total
    for i in range(n):
        powers[i] = log(powers[i])
    for i in range(n):
        for j in range(width):
            y[i, j] -= powers[i]
""",
    "softmax_short": f"""{SHIFTED.rstrip()}
    for k in range(n * width):
        flat[k] = EXP(flat[k])
    for i in range(n):
        total = T(0)
        for j in range(width):
            total += y[i, j]
        for j in range(width):
            y[i, j] = y[i, j] / total
""",
}
