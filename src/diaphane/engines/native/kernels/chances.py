"""Random values, the same as the reference engine's: see ``graph/counter.py``."""

from __future__ import annotations

__all__ = ["KERNELS"]

COUNTERS = """
    seed, step, scan = registers[SEED], registers[STEP] + registers[ITERATION], registers[SCAN]
"""

KERNELS = {
    # Numbers: rows, columns, stream, the first row.
    "bernoulli": f"""{COUNTERS.rstrip()}
    p = carray(f64(base[b[0]] + b[1]), 1)[0] * 4294967296.0
    limit = uint64(0)
    if p >= 1.0:
        limit = uint64(p) if p < 4294967296.0 else uint64(4294967296)
    n, width, blocks = b[4], b[5], b[5] // 4
    y = carray(u8(base[b[2]] + b[3]), (n, width))
    for i in range(n):
        for j in range(blocks):
            c0, c1, c2, c3 = philox(b[7] + i, j, step, scan, seed, b[6])
            y[i, 4 * j] = c0 < limit
            y[i, 4 * j + 1] = c1 < limit
            y[i, 4 * j + 2] = c2 < limit
            y[i, 4 * j + 3] = c3 < limit
        if width % 4:
            c0, c1, c2, c3 = philox(b[7] + i, blocks, step, scan, seed, b[6])
            y[i, 4 * blocks] = c0 < limit
            if width % 4 > 1:
                y[i, 4 * blocks + 1] = c1 < limit
            if width % 4 > 2:
                y[i, 4 * blocks + 2] = c2 < limit
""",
    "words": f"""{COUNTERS.rstrip()}
    n, width = b[2], b[3]
    y = carray(u32(base[b[0]] + b[1]), (n, width))
    for i in range(n):
        for j in range(0, width, 4):
            c0, c1, c2, c3 = philox(b[5] + i, j // 4, step, scan, seed, b[4])
            y[i, j] = c0
            if j + 1 < width:
                y[i, j + 1] = c1
            if j + 2 < width:
                y[i, j + 2] = c2
            if j + 3 < width:
                y[i, j + 3] = c3
""",
    "uniform": """
    n, each = b[4], b[5]
    x, y = carray(u32(base[b[0]] + b[1]), n * each), carray(P(base[b[2]] + b[3]), n)
    for i in range(n):
        y[i] = UNIT(x, i * each)
""",
    # Box & Muller 1958.
    "normal": """
    n, each = b[4], b[5]
    x, y = carray(u32(base[b[0]] + b[1]), 2 * n * each), carray(P(base[b[2]] + b[3]), n)
    for i in range(n):
        u, v = UNIT(x, 2 * i * each), UNIT(x, (2 * i + 1) * each)
        y[i] = sqrt(T(-2) * log1p(-u)) * cos(T(6.283185307179586) * v)
""",
    # The keys' places, merged from runs of 1, 2, 4 … which stay in order where keys are equal.
    "permutation": """
    n = b[6]
    x, y = carray(u32(base[b[0]] + b[1]), (n, 2)), carray(ints(base[b[2]] + b[3]), n)
    scratch = carray(ints(base[b[4]] + b[5]), 2 * n)
    keys, other = carray(u64(base[b[4]] + b[5]), n), scratch[n:]
    for i in range(n):
        keys[i] = (uint64(x[i, 0]) << uint64(32)) | uint64(x[i, 1])
        y[i] = i
    size = 1
    while size < n:
        start = 0
        while start < n:
            middle, stop = min(start + size, n), min(start + 2 * size, n)
            i, j = start, middle
            for k in range(start, stop):
                if i < middle and (j >= stop or keys[y[i]] <= keys[y[j]]):
                    other[k] = y[i]
                    i += 1
                else:
                    other[k] = y[j]
                    j += 1
            start = stop
        for k in range(n):
            y[k] = other[k]
        size *= 2
""",
}
