"""Element types that kernels know."""

from __future__ import annotations

__all__ = ["FARTHEST", "POINTERS"]

POINTERS = {
    "float32": "f32",
    "float64": "f64",
    "int64": "ints",
    "int32": "i32",
    "int16": "i16",
    "int8": "i8",
    "uint64": "u64",
    "uint32": "u32",
    "uint16": "u16",
    "uint8": "u8",
    "bool": "u8",
}
"""The name of the cast for each element type; booleans are bytes of 0 and 1."""

FARTHEST = {"float32": 8192.0, "float64": 100_000.0}
"""The greatest |x| that the sin and cos of ``compiled.mathematics`` are right for."""
