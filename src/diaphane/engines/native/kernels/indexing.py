"""Parts of arrays by index, and windows added up."""

from __future__ import annotations

__all__ = ["KERNELS", "fold_body"]

KERNELS = {
    # Numbers: outer, n, inner, indices in this share, indices in all.
    "take": """
    outer, n, inner, count = b[6], b[7], b[8], b[9]
    x, place = carray(P(base[b[0]] + b[1]), (outer, n, inner)), carray(ints(base[b[2]] + b[3]), count)
    y = carray(P(base[b[4]] + b[5]), (outer, b[10], inner))
    for o in range(outer):
        for i in range(count):
            at = place[i]
            if at < 0 or at >= n:
                refuse(registers[FLAG_AT], at, n, TAKE)
                return
            for j in range(inner):
                y[o, i, j] = x[o, at, j]
""",
    # Numbers: outer, n, inner, indices, columns in this share.
    "scatter_add": """
    outer, n, inner, count = b[6], b[7], b[8], b[9]
    x, place = carray(P(base[b[0]] + b[1]), (outer, count, inner)), carray(ints(base[b[2]] + b[3]), count)
    y = carray(P(base[b[4]] + b[5]), (outer, n, inner))
    for o in range(outer):
        for i in range(n):
            for j in range(b[10]):
                y[o, i, j] = T(0)
        for i in range(count):
            at = place[i]
            if at < 0 or at >= n:
                refuse(registers[FLAG_AT], at, n, SCATTER_ADD)
                return
            for j in range(b[10]):
                y[o, at, j] += x[o, i, j]
""",
}


def fold_body(axes: int) -> str:
    """Numbers: n, channels, then for each axis its extent, how many windows, the window's size, the stride."""
    shape = ", ".join(f"l{d}" for d in range(axes))
    counts, sizes = (", ".join(f"{letter}{d}" for d in range(axes)) for letter in "cs")
    lines = ["    n, channels = b[4], b[5]"]
    lines += [
        f"    l{d}, c{d}, s{d}, t{d} = b[{6 + 4 * d}], b[{7 + 4 * d}], b[{8 + 4 * d}], b[{9 + 4 * d}]"
        for d in range(axes)
    ]
    lines.append(f"    x = carray(P(base[b[0]] + b[1]), (n, {counts}, {sizes}, channels))")
    lines.append(f"    y = carray(P(base[b[2]] + b[3]), (n, {shape}, channels))")
    lines.append("    for m in range(n):")
    lines.append("        y[m] = T(0)")
    pad = "        "
    for letter, extent in (("i", "c"), ("a", "s")):
        for d in range(axes):
            lines.append(f"{pad}for {letter}{d} in range({extent}{d}):")
            pad += "    "
    lines.append(f"{pad}for k in range(channels):")
    target = ", ".join(f"i{d} * t{d} + a{d}" for d in range(axes))
    windows, inside = (", ".join(f"{letter}{d}" for d in range(axes)) for letter in "ia")
    lines.append(f"{pad}    y[m, {target}, k] += x[m, {windows}, {inside}, k]")
    return "\n".join(lines) + "\n"
