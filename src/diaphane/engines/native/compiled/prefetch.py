"""A word to the processor about memory that will be read soon."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from .intrinsics import intrinsic

__all__ = ["prefetch"]

I32 = ir.IntType(32)
ANY = ir.IntType(8).as_pointer()
READ, KEEP, DATA = I32(0), I32(3), I32(1)


@intrinsic
def prefetch(typing_context: Any, address: Any) -> Any:
    """Have the cache line at an address on its way; an address that cannot be read does no harm."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [ANY, I32, I32, I32])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [builder.inttoptr(values[0], ANY), READ, KEEP, DATA])
        return context.get_dummy_value()

    return types.none(types.int64), codegen
