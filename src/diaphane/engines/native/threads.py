"""Threads: how many a step is worth, who does its shares, and what BLAS does meanwhile.

The rule, measured on two cores: a step whose work is less than :data:`SHARED_STEP` is not cut, since waiting for each
other at each of its instructions costs as much as is gained (a step of a 4-100-3 net on 150 rows takes 21 µs on one
thread, 26 on two; one of a 64-100-10 net on 200 rows 59 and 37). All shares of a step are done by one thread where no
core is free, and where the whole run is shorter than it takes to wake another: the bits are the same.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from itertools import product
from typing import Any

__all__ = [
    "CLOCK_CALLBACK",
    "Pace",
    "SHARED_RUN",
    "available_cores",
    "clock",
    "cores",
    "one_blas_thread",
    "pool",
    "shares_for",
    "yielding",
]

SHARED_STEP = 60e3
"""Nanoseconds of work, as rules estimate it, from which a step is cut into shares: some 35 that it really takes."""

SHARED_RUN = 1e6
"""Nanoseconds of work from which several threads do a run: to wake one takes 20 µs, 200 where its core sleeps."""


def available_cores() -> int:
    """The cores this process is left: those it may run on, fewer where its environment says so.

    joblib and other pools set ``OMP_NUM_THREADS`` and the like for their workers; a daemonic worker of
    multiprocessing is one of many and takes one.
    """
    named = [os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")]
    limits = [int(n) for n in named if n.isdigit() and int(n) > 0]
    return 1 if _is_daemonic() else min([_processors(), *limits])


@lru_cache(maxsize=1)
def _processors() -> int:
    from joblib import cpu_count

    return int(cpu_count())


def _is_daemonic() -> bool:
    import multiprocessing

    return bool(multiprocessing.current_process().daemon)


def shares_for(work: float, n_threads: int | None) -> int:
    """Into how many shares a step of so many nanoseconds is cut."""
    if n_threads is not None:
        return n_threads
    return available_cores() if work >= SHARED_STEP else 1


ALONE, LONG = 0.5, 0.01
"""Seconds for which one thread does all shares after several took longer than one would have, and so long at least: a
thread that is slow to wake is no sign that others have the cores."""


class Pace:
    """Whether several threads are worth it just now, of a step's shares.

    They wait for each other at every meeting. Where other processes have the cores, a thread that is waited for may not
    be running, and a step on two threads takes many times as long as on one.

    Examples
    --------
    >>> pace = Pace()
    >>> pace.note(threads=2, seconds=0.03, alone=0.02)
    >>> pace.is_alone
    True
    >>> pace.note(threads=1, seconds=0.5, alone=0.5)
    >>> pace.is_alone
    False
    """

    def __init__(self) -> None:
        self._left = 0.0

    @property
    def is_alone(self) -> bool:
        """Whether one thread is to do all shares."""
        return self._left > 0

    def note(self, threads: int, seconds: float, alone: float) -> None:
        """So many threads took so long for what one may take so long for."""
        if threads == 1:
            self._left -= seconds
        elif seconds > max(alone, LONG):
            self._left = ALONE


class Cores:
    """How many of the process's cores are at work in runs."""

    def __init__(self) -> None:
        self._lock, self._busy = threading.Lock(), 0

    @contextmanager
    def taken(self, wanted: int) -> Iterator[int]:
        """As many cores as are free, at least the caller's own."""
        with self._lock:
            count = max(1, min(wanted, max(available_cores(), 1) - self._busy)) if wanted > 1 else 1
            self._busy += count
        try:
            yield count
        finally:
            with self._lock:
                self._busy -= count


cores = Cores()


class Pool:
    """Threads that wait for shares; made anew in a child of fork."""

    def __init__(self) -> None:
        self._forget()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._executor: ThreadPoolExecutor | None = None
        self._size = 0
        self._lock = threading.Lock()
        cores.__init__()  # type: ignore[misc]

    def submit(self, count: int, function: Any, *arguments: Any) -> Any:
        """Run a function on one of so many threads, on another core than this one."""
        with self._lock:
            if self._executor is None or self._size < count:
                self._size = max(count, available_cores())
                self._executor = ThreadPoolExecutor(self._size, "diaphane")
            return self._executor.submit(_apart, _core(), function, *arguments)


def _apart(core: int, function: Any, *arguments: Any) -> Any:
    """Call a function, on another core where there is one.

    A thread that slept for a while may be woken on the core of the one that wakes it, and stay there for tens of
    milliseconds while others are idle: both then take twice as long.
    """
    if core >= 0 and _core() == core:
        allowed = os.sched_getaffinity(0)
        others = allowed - {core}
        if others:
            os.sched_setaffinity(0, others)
            os.sched_setaffinity(0, allowed)
    return function(*arguments)


def _core() -> int:
    """Which core this thread is on; −1 where that is not said."""
    ask = _asking()
    return int(ask()) if ask is not None else -1


@lru_cache(maxsize=1)
def _asking() -> Any:
    known = sys.platform == "linux" and hasattr(os, "sched_setaffinity")
    return getattr(ctypes.CDLL(None), "sched_getcpu", None) if known else None


pool = Pool()


@lru_cache(maxsize=1)
def yielding() -> int:
    """The address of the function that lets another process run; 0 where there is none."""
    if sys.platform == "win32":
        function = ctypes.WinDLL("kernel32").SwitchToThread
    else:
        function = getattr(ctypes.CDLL(None), "sched_yield", None)
    return int(ctypes.cast(function, ctypes.c_void_p).value or 0) if function is not None else 0


CLOCK_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)


@lru_cache(maxsize=1)
def clock() -> tuple[int, int, Any]:
    """The address of a clock, what it is told, and what keeps it alive: it writes seconds and nanoseconds."""
    if hasattr(time, "CLOCK_MONOTONIC"):
        function = ctypes.CDLL(None).clock_gettime
        return int(ctypes.cast(function, ctypes.c_void_p).value or 0), time.CLOCK_MONOTONIC, function

    @CLOCK_CALLBACK
    def read(kind: int, at: int) -> None:
        words = (ctypes.c_int64 * 2).from_address(at)
        words[0], words[1] = divmod(time.perf_counter_ns(), 10**9)

    return int(ctypes.cast(read, ctypes.c_void_p).value or 0), 0, read


class _OneThread:
    """BLAS's setting, changed by the first who wants one thread and given back by the last.

    In a child of fork the runs of other threads are no more, and what they have taken is given back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._before: list[int] = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._still, after_in_parent=self._go_on, after_in_child=self._alone)

    def __enter__(self) -> None:
        with self._lock:
            if self._depth == 0:
                self._before = [get() for get, _ in _blas_settings()]
                self._set([1] * len(self._before))
            self._depth += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                self._set(self._before)

    def _set(self, threads: list[int]) -> None:
        for (_, change), count, before in zip(_blas_settings(), threads, self._before, strict=True):
            if before != 1:
                change(count)

    def _still(self) -> None:
        self._lock.acquire()

    def _go_on(self) -> None:
        self._lock.release()

    def _alone(self) -> None:
        if self._depth:
            self._depth = 0
            self._set(self._before)
        self._lock = threading.Lock()


_ONE_THREAD = _OneThread()
ALONE_BELOW = 1 << 16
"""Multiply-adds below which BLAS stays on one thread by itself."""


def one_blas_thread(largest_product: int) -> AbstractContextManager[None]:
    """Inside, BLAS has one thread: it is the shares that are done side by side."""
    return _NOTHING if largest_product < ALONE_BELOW else _ONE_THREAD


_NOTHING: AbstractContextManager[None] = nullcontext()


@lru_cache(maxsize=1)
def _blas_settings() -> list[tuple[Callable[[], int], Callable[[int], Any]]]:
    """For each BLAS of the process, what says how many threads it has, and what changes it."""
    import scipy.linalg  # noqa: F401  its BLAS must be loaded to be found
    from threadpoolctl import ThreadpoolController

    return [_setting(library) for library in ThreadpoolController().select(user_api="blas").lib_controllers]


def _setting(library: Any) -> tuple[Callable[[], int], Callable[[int], Any]]:
    if library.internal_api == "openblas" and getattr(library, "threading_layer", "") == "pthreads":
        # The setting is the process's. threadpoolctl lets one thread of Python alone change it, and takes its time.
        for prefix, suffix in product(("", "scipy_"), ("", "64_", "_64")):
            names = (f"{prefix}openblas_{what}_num_threads{suffix}" for what in ("get", "set"))
            get, change = (getattr(library.dynlib, name, None) for name in names)
            if get is not None and change is not None:
                return get, change
    return library.get_num_threads, library.set_num_threads
