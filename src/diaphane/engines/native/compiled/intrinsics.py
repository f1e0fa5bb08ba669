"""The few things that numba lacks: addresses as pointers, calls by address, selects without branches."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending, types

__all__ = ["call", "call_plain", "gemm", "ints", "load_atomic", "store_atomic"]

I64 = ir.IntType(64)
GEMM_ARGUMENTS = 13


def intrinsic(function: Any) -> Any:
    """numba's decorator; what it makes is called without the first argument, which type checkers would miss."""
    return extending.intrinsic(function)


def pointer(element: Any, llvm_element: Any) -> Any:
    """A function from an address to a pointer."""

    @intrinsic
    def cast(typing_context: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return builder.inttoptr(values[0], llvm_element.as_pointer())

        return types.CPointer(element)(types.int64), codegen

    return cast


ints = pointer(types.int64, I64)
f32 = pointer(types.float32, ir.FloatType())
f64 = pointer(types.float64, ir.DoubleType())
i32 = pointer(types.int32, ir.IntType(32))
u8 = pointer(types.uint8, ir.IntType(8))
i8 = pointer(types.int8, ir.IntType(8))
i16 = pointer(types.int16, ir.IntType(16))
u16 = pointer(types.uint16, ir.IntType(16))
u32 = pointer(types.uint32, ir.IntType(32))
u64 = pointer(types.uint64, I64)


@intrinsic
def call(typing_context: Any, address: Any, bases: Any, block: Any) -> Any:
    """Call a kernel by its address, with the bases and its block."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kernel = ir.FunctionType(ir.VoidType(), [I64, I64])
        builder.call(builder.inttoptr(values[0], kernel.as_pointer()), values[1:])
        return context.get_dummy_value()

    return types.none(types.int64, types.int64, types.int64), codegen


@intrinsic
def call_plain(typing_context: Any, address: Any) -> Any:
    """Call a function of no arguments by its address."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        function = ir.FunctionType(ir.VoidType(), [])
        builder.call(builder.inttoptr(values[0], function.as_pointer()), [])
        return context.get_dummy_value()

    return types.none(types.int64), codegen


@intrinsic
def load_atomic(typing_context: Any, address: Any) -> Any:
    """Read a word that another thread writes."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load_atomic(builder.inttoptr(values[0], I64.as_pointer()), "acquire", 8)

    return types.int64(types.int64), codegen


@intrinsic
def store_atomic(typing_context: Any, address: Any, value: Any) -> Any:
    """Write a word that another thread reads; what was written before is seen before it."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store_atomic(values[1], builder.inttoptr(values[0], I64.as_pointer()), "release", 8)
        return context.get_dummy_value()

    return types.none(types.int64, types.int64), codegen


@intrinsic
def gemm(
    typing_context: Any,
    address: Any,
    trans_a: Any,
    trans_b: Any,
    m: Any,
    n: Any,
    k: Any,
    alpha: Any,
    a: Any,
    lda: Any,
    b: Any,
    ldb: Any,
    beta: Any,
    c: Any,
    ldc: Any,
) -> Any:
    """Call BLAS's matrix product by its address; every other argument is an address too, as Fortran wants."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        product = ir.FunctionType(ir.VoidType(), [I64] * GEMM_ARGUMENTS)
        builder.call(builder.inttoptr(values[0], product.as_pointer()), values[1:])
        return context.get_dummy_value()

    return types.none(*[types.int64] * (GEMM_ARGUMENTS + 1)), codegen
