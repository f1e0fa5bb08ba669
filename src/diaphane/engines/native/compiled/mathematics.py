"""exp, tanh and σ that LLVM vectorises; the math library's calls it does not.

x = n·ln 2 + r with |r| ≤ ½ ln 2, a polynomial in r, times 2ⁿ by writing the exponent's bits (Cephes, Moshier
1989). Selects instead of branches; exp(−inf) = 0, exp(inf) = inf and NaN stays NaN. What would be subnormal is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["exp_float32", "exp_float64", "sigmoid_float32", "sigmoid_float64", "tanh_float32", "tanh_float64"]

F32, F64, I32, I64 = ir.FloatType(), ir.DoubleType(), ir.IntType(32), ir.IntType(64)


def two_to_the(real: Any, real_ir: Any, whole_ir: Any, bias: int, mantissa: int, shifted: float) -> Any:
    """A function from n + shifted, whose last bits are those of n, to 2ⁿ."""

    @intrinsic
    def power(typing_context: Any, moved: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            bits = builder.bitcast(values[0], whole_ir)
            raised = builder.shl(builder.add(bits, whole_ir(bias)), whole_ir(mantissa))
            return builder.bitcast(raised, real_ir)

        return real(real), codegen

    return power


power32 = two_to_the(types.float32, F32, I32, 127, 23, 12582912.0)
power64 = two_to_the(types.float64, F64, I64, 1023, 52, 6755399441055744.0)

f = np.float32
SHIFT32, SHIFT64 = f(12582912.0), 6755399441055744.0


@njit(error_model="numpy")
def exp_float32(x: Any) -> Any:
    """eˣ in float32, to 2e-7 relative."""
    moved = x * f(1.4426950408889634) + SHIFT32
    n = moved - SHIFT32
    r = x - n * f(0.693359375) + n * f(2.12194440e-4)
    p = f(1.9875691500e-4)
    p = p * r + f(1.3981999507e-3)
    p = p * r + f(8.3334519073e-3)
    p = p * r + f(4.1665795894e-2)
    p = p * r + f(1.6666665459e-1)
    p = p * r + f(5.0000001201e-1)
    # In two steps, since 2ⁿ alone overflows just below the greatest eˣ.
    value = (p * r * r + r + f(1)) * power32(moved - f(1)) * f(2)
    value = f(np.inf) if x > f(88.7228) else value
    return f(0) if x < f(-86.9) else value


@njit(error_model="numpy")
def exp_float64(x: Any) -> Any:
    """eˣ in float64, to 3e-16 relative."""
    moved = x * 1.4426950408889634 + SHIFT64
    n = moved - SHIFT64
    r = x - n * 0.693145751953125
    r = r - n * 1.42860682030941723212e-6
    p = 1.6059043836821613e-10
    p = p * r + 2.08767569878681e-09
    p = p * r + 2.505210838544172e-08
    p = p * r + 2.755731922398589e-07
    p = p * r + 2.7557319223985893e-06
    p = p * r + 2.48015873015873e-05
    p = p * r + 1.984126984126984e-04
    p = p * r + 1.388888888888889e-03
    p = p * r + 8.333333333333333e-03
    p = p * r + 4.1666666666666664e-02
    p = p * r + 1.6666666666666666e-01
    p = p * r + 0.5
    value = (p * r * r + r + 1.0) * power64(moved - 1.0) * 2.0
    value = np.inf if x > 709.782712893384 else value
    return 0.0 if x < -707.7 else value


@njit(error_model="numpy")
def sigmoid_float32(x: Any) -> Any:
    """1/(1 + e⁻ˣ) in float32, relative to its own size also where that is small."""
    e = exp_float32(-abs(x))
    return (f(1) if x >= f(0) else e) / (f(1) + e)


@njit(error_model="numpy")
def sigmoid_float64(x: Any) -> Any:
    """1/(1 + e⁻ˣ) in float64, relative to its own size also where that is small."""
    e = exp_float64(-abs(x))
    return (1.0 if x >= 0.0 else e) / (1.0 + e)


@njit(error_model="numpy")
def tanh_float32(x: Any) -> Any:
    """Tanh in float32: a polynomial near 0, exponentials elsewhere."""
    size = abs(x)
    z = x * x
    p = f(-5.70498872745e-3)
    p = p * z + f(2.06390887954e-2)
    p = p * z + f(-5.37397155531e-2)
    p = p * z + f(1.33314422036e-1)
    p = p * z + f(-3.33332819422e-1)
    near = p * z * x + x
    far = f(1) - f(2) / (exp_float32(size + size) + f(1))
    far = -far if x < f(0) else far
    return near if size < f(0.625) else far


@njit(error_model="numpy")
def tanh_float64(x: Any) -> Any:
    """Tanh in float64: a rational function near 0, exponentials elsewhere."""
    size = abs(x)
    z = x * x
    p = -9.64399179425052238628e-1
    p = p * z + -9.92877231001918586564e1
    p = p * z + -1.61468768441708447952e3
    q = z + 1.12811678491632931402e2
    q = q * z + 2.23548839060100448583e3
    q = q * z + 4.84406305325125486048e3
    near = x + x * z * (p / q)
    far = 1.0 - 2.0 / (exp_float64(size + size) + 1.0)
    far = -far if x < 0.0 else far
    return near if size < 0.625 else far
