"""Rows of data into a batch, outputs out of it, and what is checked on the way."""

from __future__ import annotations

__all__ = ["KERNELS"]

KERNELS = {
    # Rows of the data, in the order given, cast to the type of the computation.
    "gather": """
    source, place, out = base[b[0]] + b[1], carray(ints(base[b[2]]), 1 << 40), base[b[4]] + b[5]
    row, width, wide = registers[ROW] + b[11], b[7], b[8]
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
    # The same of a sparse matrix in compressed rows: equal columns add up.
    "gather_sparse": """
    values, starts = carray(S(base[b[0]]), 1 << 40), carray(I(base[b[2]]), 1 << 40)
    columns, place = carray(J(base[b[4]]), 1 << 40), carray(ints(base[b[6]]), 1 << 40)
    row, width = registers[ROW] + b[12], b[11]
    y = carray(P(base[b[8]] + b[9]), (b[10], width))
    for i in range(b[10]):
        at = place[row + i]
        for j in range(width):
            y[i, j] = T(0)
        for k in range(starts[at], starts[at + 1]):
            y[i, int64(columns[k])] += T(values[k])
""",
    # One step's output into its place in the stack of all steps'.
    "keep": """
    out = base[b[2]] + b[3] + registers[ITERATION] * b[5]
    x, y = carray(u8(base[b[0]] + b[1]), b[4]), carray(u8(out), b[4])
    for i in range(b[4]):
        y[i] = x[i]
""",
    "check_finite": """
    value = carray(P(base[b[0]] + b[1]), 1)[0]
    if value - value != 0:
        carray(ints(registers[FLAG_AT]), 1)[0] = NOT_FINITE
""",
    "check_range": """
    x, y = carray(P(base[b[0]] + b[1]), b[4]), carray(P(base[b[2]] + b[3]), b[4])
    for i in range(b[4]):
        if x[i] < 0 or x[i] >= b[5]:
            refuse(registers[FLAG_AT], x[i], b[5], ONE_HOT)
        y[i] = x[i]
""",
    "fill": """
    x, value = carray(P(base[b[0]] + b[1]), b[2]), carray(P(block + 24), 1)[0]
    for i in range(b[2]):
        x[i] = value
""",
}
