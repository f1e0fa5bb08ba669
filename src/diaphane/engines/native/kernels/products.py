"""Matrix products, by BLAS."""

from __future__ import annotations

__all__ = ["KERNELS"]

KERNELS = {
    "matmul": """
    x, y, z = base[b[0]] + b[1], base[b[2]] + b[3], base[b[4]] + b[5]
    f = block + 88
    for i in range(b[7]):
        gemm(b[6], f, f + 8, f + 16, f + 24, f + 32, f + 40, y, f + 48, x, f + 56, f + 64, z, f + 72)
        x, y, z = x + b[8], y + b[9], z + b[10]
""",
}
