"""BLAS's threads: one where products are too small to share.

Measured on two cores in float32: 1.3 million multiply-adds take 30 µs on one thread and 32 on two, 8.4 million take
199 and 107. Where other processes compete, threads that wait for each other cost far more than that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

__all__ = ["SHARED_FROM", "SINGLE_BELOW", "threads_for"]

SHARED_FROM = 1 << 22
"""Multiply-adds from which a product is worth two threads."""
SINGLE_BELOW = 1 << 16
"""Multiply-adds below which BLAS stays on one thread by itself."""


class _OneThread:
    """The process's setting, changed by the first who wants one thread and given back by the last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._limit: Any = None

    def enter(self) -> None:
        with self._lock:
            if self._depth == 0:
                self._limit = _controller().limit(limits=1)
            self._depth += 1

    def leave(self) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                self._limit.restore_original_limits()
                self._limit = None


_ONE_THREAD = _OneThread()


@contextmanager
def threads_for(largest_product: int) -> Iterator[None]:
    """Inside, BLAS has one thread where the largest product, in multiply-adds, is too small for more."""
    if not SINGLE_BELOW <= largest_product < SHARED_FROM:
        yield
        return
    _ONE_THREAD.enter()
    try:
        yield
    finally:
        _ONE_THREAD.leave()


@lru_cache(maxsize=1)
def _controller() -> Any:
    import scipy.linalg  # noqa: F401  its BLAS must be loaded to be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")
