"""exp, tanh, σ, sin and cos that LLVM vectorises; the math library's calls it does not.

x = n·ln 2 + r with |r| ≤ ½ ln 2, a polynomial in r, times 2ⁿ by writing the exponent's bits (Cephes, Moshier
1989). Selects instead of branches; exp(−inf) = 0, exp(inf) = inf and NaN stays NaN. What would be subnormal is 0.

x = n·π/2 + r with |r| ≤ π/4, π/2 in three parts of which n times the first is exact (Cody & Waite 1980), and the
polynomials of sin r and cos r, of which n says which and with what sign. That holds up to ``element.FARTHEST``: beyond
it, loops call the math library, which knows π to more digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = [
    "cos_float32",
    "cos_float64",
    "exp_float32",
    "exp_float64",
    "sigmoid_float32",
    "sigmoid_float64",
    "sin_float32",
    "sin_float64",
    "tanh_float32",
    "tanh_float64",
]

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


def last_bits(real: Any, whole: Any, whole_ir: Any) -> Any:
    """A function from n + shifted to a whole number whose last bits are those of n."""

    @intrinsic
    def bits(typing_context: Any, moved: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return builder.bitcast(values[0], whole_ir)

        return whole(real), codegen

    return bits


bits32, bits64 = last_bits(types.float32, types.int32, I32), last_bits(types.float64, types.int64, I64)

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


@njit(error_model="numpy")
def _quarter_float32(x: Any, ahead: Any) -> Any:
    """Sin(x + ahead·π/2) in float32, from the polynomials of Cephes."""
    moved = x * f(0.6366197723675814) + SHIFT32
    n = moved - SHIFT32
    r = x - n * f(1.5703125)
    r = r - n * f(4.83751296997070312e-4)
    r = r - n * f(7.54978995489188216e-8)
    z = r * r
    sine = f(-1.9515295891e-4)
    sine = sine * z + f(8.3321608736e-3)
    sine = sine * z + f(-1.6666654611e-1)
    sine = sine * z * r + r
    cosine = f(2.443315711809948e-5)
    cosine = cosine * z + f(-1.388731625493765e-3)
    cosine = cosine * z + f(4.166664568298827e-2)
    cosine = cosine * z * z - f(0.5) * z + f(1)
    quarter = bits32(moved) + ahead
    value = cosine if quarter & np.int32(1) else sine
    return -value if quarter & np.int32(2) else value


@njit(error_model="numpy")
def _quarter_float64(x: Any, ahead: Any) -> Any:
    """Sin(x + ahead·π/2) in float64, from the polynomials of fdlibm (Sun Microsystems 1993)."""
    moved = x * 0.6366197723675814 + SHIFT64
    n = moved - SHIFT64
    r = x - n * 1.57079632673412561417
    r = r - n * 6.07710050630396597660e-11
    r = r - n * 2.02226624879595063154e-21
    z = r * r
    sine = 1.58969099521155010221e-10
    sine = sine * z + -2.50507602534068634195e-08
    sine = sine * z + 2.75573137070700676789e-06
    sine = sine * z + -1.98412698298579493134e-04
    sine = sine * z + 8.33333333332248946124e-03
    sine = sine * z + -1.66666666666666324348e-01
    sine = sine * z * r + r
    cosine = -1.13596475577881948265e-11
    cosine = cosine * z + 2.08757232129817482790e-09
    cosine = cosine * z + -2.75573143513906633035e-07
    cosine = cosine * z + 2.48015872894767294178e-05
    cosine = cosine * z + -1.38888888888741095749e-03
    cosine = cosine * z + 4.16666666666666019037e-02
    cosine = cosine * z * z - 0.5 * z + 1.0
    quarter = bits64(moved) + ahead
    value = cosine if quarter & 1 else sine
    return -value if quarter & 2 else value


@njit(error_model="numpy")
def sin_float32(x: Any) -> Any:
    """Sin in float32; −0 stays −0."""
    return x if x == f(0) else _quarter_float32(x, np.int32(0))


@njit(error_model="numpy")
def sin_float64(x: Any) -> Any:
    """Sin in float64; −0 stays −0."""
    return x if x == 0.0 else _quarter_float64(x, 0)


@njit(error_model="numpy")
def cos_float32(x: Any) -> Any:
    """Cos in float32."""
    return _quarter_float32(x, np.int32(1))


@njit(error_model="numpy")
def cos_float64(x: Any) -> Any:
    """Cos in float64."""
    return _quarter_float64(x, 1)
