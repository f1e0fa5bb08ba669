"""A kernel's source to machine code by numba, and machine code to an address by LLVM alone.

Loading needs no compiler: a process whose kernels are all kept never imports numba.
"""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

__all__ = ["Kernel", "compile_kernel", "load_kernel"]

NUMBA_ALONE = (
    "NRT_Allocate",
    "NRT_Free",
    "NRT_MemInfo_alloc",
    "NRT_MemInfo_alloc_aligned",
    "NRT_MemInfo_call_dtor",
    "numba_do_raise",
    "numba_gil_ensure",
    "numba_gil_release",
    "numba_runtime_build_excinfo_struct",
    "numba_unpickle",
)
"""Functions of numba's that code for an exception refers to. Kernels raise none and allocate nothing."""


@dataclass(frozen=True)
class Kernel:
    """Compiled code.

    Attributes
    ----------
    address : int
        Where it is called.
    owner
        What it lies in, and lives as long as.
    """

    address: int
    owner: Any


def compile_kernel(source: str, name: str) -> tuple[Kernel, bytes]:
    """Compile the function ``kernel`` of a module's source; with it what :func:`load_kernel` takes."""
    from llvmlite import binding
    from numba import cfunc

    _allow_overlap_checks()
    module: dict[str, Any] = {"__name__": f"diaphane_{name}"}
    exec(compile(source, f"<kernel {name}>", "exec"), module)
    function = module["kernel"]
    # Its name becomes the symbol's, which is looked up among all that is loaded.
    function.__name__ = function.__qualname__ = f"kernel_{name}"
    compiled: Any = cfunc(module["SIGNATURE"], **module["OPTIONS"])(function)
    library, symbol = compiled._library, compiled._wrapper_name
    optimised = binding.parse_assembly(str(library._final_module))
    code = library._codegen._tm.emit_object(optimised)
    return Kernel(compiled.address, compiled), symbol.encode() + b"\0" + code


def load_kernel(kept: bytes, name: str) -> Kernel:
    """Machine code into memory."""
    from llvmlite import binding

    symbol, _, code = kept.partition(b"\0")
    engine = _engine(name)
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return Kernel(int(engine.get_function_address(symbol.decode())), engine)


def _engine(name: str) -> Any:
    """A place for a kernel's code."""
    from llvmlite import binding

    _ready()
    module = binding.parse_assembly("")
    module.name = name
    engine = binding.create_mcjit_compiler(module, _target().create_target_machine(jit=True))
    return engine


@lru_cache(maxsize=1)
def _target() -> Any:
    from llvmlite import binding

    return binding.Target.from_default_triple()


@lru_cache(maxsize=1)
def _ready() -> None:
    """LLVM made ready, as numba would, and numba's names given to it where numba has not done so."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    library = ctypes.CDLL("msvcrt" if os.name == "nt" else None)
    never = ctypes.cast(library.abort, ctypes.c_void_p).value
    for symbol in NUMBA_ALONE:
        # numba gives its own when it first compiles: one symbol without an address, and none of the others get theirs.
        if binding.address_of_symbol(symbol) is None:
            binding.add_symbol(symbol, never)


@lru_cache(maxsize=1)
def _allow_overlap_checks() -> None:
    """Let LLVM vectorise loops over many arrays: by default it gives up where more than eight pairs may overlap."""
    from llvmlite import binding

    binding.set_option("diaphane", "-runtime-memory-check-threshold=512")
    binding.set_option("diaphane", "-memory-check-merge-threshold=512")
