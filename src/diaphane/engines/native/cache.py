"""Kernels on disk: compiled once for a machine, never stale.

The folder's name is a hash of everything that a compiled kernel depends on besides its own source: the files of
this package, the versions of numba, llvmlite and SciPy, and the processor. A generated kernel is a module whose
name is the hash of its source.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import sys
import tempfile
import threading
import warnings
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["CacheWarning", "cache_folder", "generated", "generated_kernel"]


class CacheWarning(UserWarning):
    """Compiled kernels cannot be kept on disk, and will be compiled anew by each process."""


_LOCK = threading.Lock()
_KERNELS: dict[str, Any] = {}


@lru_cache(maxsize=1)
def cache_folder() -> Path:
    """Where kernels are kept: ``DIAPHANE_CACHE`` or the user's cache folder; a temporary one if that is read-only."""
    import llvmlite
    import numba
    import scipy
    from llvmlite import binding

    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    facts = (sys.version, numba.__version__, llvmlite.__version__, scipy.__version__, platform.machine())
    digest.update(repr((*facts, binding.get_host_cpu_name(), sorted(binding.get_host_cpu_features().items()))).encode())
    root = Path(os.environ.get("DIAPHANE_CACHE") or _user_cache() / "diaphane")
    folder = root / f"kernels-{digest.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        warnings.warn(
            f"compiled kernels cannot be kept in {folder} ({error.strerror}); "
            "set DIAPHANE_CACHE to a folder that can be written",
            CacheWarning,
            stacklevel=2,
        )
        folder = Path(tempfile.mkdtemp(prefix="diaphane-kernels-"))
    return folder


def allow_overlap_checks() -> None:
    """Let LLVM vectorise loops over many arrays: by default it gives up where more than eight pairs may overlap."""
    from llvmlite import binding

    binding.set_option("diaphane", "-runtime-memory-check-threshold=512")
    binding.set_option("diaphane", "-memory-check-merge-threshold=512")


def generated_kernel(source: str) -> Any:
    """The compiled kernel of a module's source."""
    return generated(source, "kernel")


def generated(source: str, name: str) -> Any:
    """What a module's source defines under a name: from memory, from disk, or compiled now."""
    with _LOCK:
        found = _KERNELS.get(source)
        if found is None:
            if not _KERNELS:
                allow_overlap_checks()
            found = _KERNELS[source] = getattr(_load(source), name)
        return found


def _load(source: str) -> ModuleType:
    name = f"kernel_{hashlib.sha256(source.encode()).hexdigest()[:24]}"
    path = cache_folder() / f"{name}.py"
    if not path.exists() or path.read_text() != source:
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".py")
        with os.fdopen(handle, "w") as file:
            file.write(source)
        os.replace(temporary, path)
    # numba keeps a kernel while its file's time is the same: the name is the content, so the time may as well be fixed.
    os.utime(path, (0, 0))
    spec = importlib.util.spec_from_file_location(f"diaphane_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # numba looks a cached kernel's module up by its name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
