"""Kernels on disk as machine code: compiled once for a machine, never stale.

The folder's name is a hash of everything that a compiled kernel depends on besides its own source: the files of
this package, the versions of numba, llvmlite and SciPy, and the processor. A kernel's file is named by a hash of its
source, and begins with a hash of what follows, so that a damaged one is compiled anew.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import sys
import tempfile
import threading
import time
import warnings
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from .machine_code import Kernel, compile_kernel, load_kernel

__all__ = ["CacheWarning", "cache_folder", "compiled_here", "generated_kernel"]

log = logging.getLogger("diaphane")

SAY_AFTER = 1.0
"""Seconds of compiling after which a word is said about it."""


class CacheWarning(UserWarning):
    """Compiled kernels cannot be kept on disk, and will be compiled anew by each process."""


class _Compiling:
    """What this process has compiled, and how long that took."""

    def __init__(self) -> None:
        self.kernels, self.seconds, self.said = 0, 0.0, False

    def add(self, seconds: float) -> None:
        self.kernels, self.seconds = self.kernels + 1, self.seconds + seconds
        if self.seconds > SAY_AFTER and not self.said:
            self.said = True
            log.warning(
                "diaphane: compiling kernels for this machine; they are kept in %s, so the next run starts at once "
                "(ahead of time: diaphane warmup)",
                cache_folder() or "memory only",
            )


_LOCK = threading.Lock()
_KERNELS: dict[str, Kernel] = {}
_COMPILING = _Compiling()


def compiled_here() -> tuple[int, float]:
    """How many kernels this process has compiled, and the seconds that took."""
    return _COMPILING.kernels, _COMPILING.seconds


@lru_cache(maxsize=1)
def cache_folder() -> Path | None:
    """Where kernels are kept: in ``DIAPHANE_CACHE`` or the user's cache folder; None if it cannot be written."""
    from llvmlite import binding

    digest = hashlib.sha256()
    here = Path(__file__).parent
    for source in sorted(here.rglob("*.py")):
        digest.update(source.relative_to(here).as_posix().encode() + source.read_bytes())
    facts = (sys.version, *map(version, ("numba", "llvmlite", "scipy")), platform.machine())
    digest.update(repr((*facts, binding.get_host_cpu_name(), sorted(binding.get_host_cpu_features().items()))).encode())
    root = Path(os.environ.get("DIAPHANE_CACHE") or _user_cache() / "diaphane")
    folder = root / f"kernels-{digest.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        _warn(folder, error)
        # What another process has put there can be read all the same.
        return folder if folder.is_dir() else None
    return folder


def generated_kernel(source: str) -> Kernel:
    """The compiled kernel of a module's source: from memory, from disk, or compiled now."""
    found = _KERNELS.get(source)
    if found is not None:
        return found
    with _LOCK:
        if source not in _KERNELS:
            _KERNELS[source] = _load(source)
        return _KERNELS[source]


def _load(source: str) -> Kernel:
    folder, name = cache_folder(), hashlib.sha256(source.encode()).hexdigest()[:24]
    path = None if folder is None else folder / f"{name}.kernel"
    if path is not None:
        try:
            kept = path.read_bytes()
        except OSError:
            kept = b""
        if hashlib.sha256(kept[32:]).digest() == kept[:32]:
            return load_kernel(kept[32:], name)
    started = time.perf_counter()
    kernel, code = compile_kernel(source, name)
    _COMPILING.add(time.perf_counter() - started)
    if path is not None:
        try:
            _write(path, hashlib.sha256(code).digest() + code)
        except OSError as error:
            _warn(path.parent, error)
    return kernel


def _write(path: Path, content: bytes) -> None:
    """A file that is whole or not there, whoever else writes it at the same time."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


_WARNED: list[str] = []


def _warn(folder: Path, error: OSError) -> None:
    if not _WARNED:
        _WARNED.append(str(folder))
        warnings.warn(
            f"compiled kernels cannot be kept in {folder} ({error.strerror}), and every process will compile its own; "
            "set DIAPHANE_CACHE to a folder that can be written",
            CacheWarning,
            stacklevel=2,
        )


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
