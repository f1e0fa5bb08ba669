"""Who does the tasks: threads of this process beside each other, or the workers of a joblib backend."""

from __future__ import annotations

import ctypes
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from joblib import Parallel, delayed
from joblib.parallel import SequentialBackend, ThreadingBackend, get_active_backend

from ...engines.native.threads import available_cores, one_blas_thread
from ...training import InterruptedWarning
from .folds import Folds
from .tasks import Outcome, Task, evaluate, evaluate_apart

__all__ = ["Workers", "threads_for"]

WAKE = 0.2
"""Seconds between two looks at whether an interrupt came: some systems do not wake a waiting thread for one."""

ANY_SIZE = 1 << 62


def threads_for(n_jobs: int | None) -> int:
    """How many threads: all cores left to the process by default; −1 is all of them, −2 all but one.

    Raises
    ------
    ValueError
        For 0, or what is no whole number.
    """
    if n_jobs is not None and (isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs == 0):
        raise ValueError(f"n_jobs must be a whole number other than 0, or None for all cores, got {n_jobs!r}")
    if n_jobs is None:
        n_jobs = get_active_backend(prefer="threads")[1] if _configured() else -1
    return n_jobs if n_jobs > 0 else max(1, available_cores() + 1 + n_jobs)


def _configured() -> bool:
    """Whether ``joblib.parallel_config`` says how many jobs there are, or that this is one of them."""
    backend, n_jobs = get_active_backend(prefer="threads")
    return n_jobs not in (None, 1) or isinstance(backend, SequentialBackend)


class Workers:
    """Does tasks, as many at once as there are threads.

    Where ``joblib.parallel_config`` names a backend of processes, such as ``dask`` or ``ray``, they are done there.

    Parameters
    ----------
    n_jobs : int or None
    settings : tuple
        What :func:`~diaphane.selection.search.tasks.evaluate` takes after the fold.
    """

    def __init__(self, n_jobs: int | None, settings: tuple[Callable[..., Any], Any, bool]) -> None:
        self.threads, self.n_jobs, self.settings = threads_for(n_jobs), n_jobs, settings

    def run(self, tasks: Sequence[Task], folds: Folds, done: Callable[[Task, Outcome], None]) -> None:
        """Do the tasks, in any order; ``done`` is told of each by one thread at a time.

        Raises
        ------
        Exception
            What a task raised; no other one is begun then, and all have ended.
        KeyboardInterrupt
            In the main thread only. What was computed at that moment is dropped.
        """
        # Of one shape fold by fold, so that few folds' rows are in memory at a time.
        ordered = sorted(tasks, key=lambda task: (task.shape or (), task.fold, task.candidate))
        if isinstance(get_active_backend(prefer="threads")[0], ThreadingBackend | SequentialBackend):
            with one_blas_thread(ANY_SIZE):
                _SideBySide(ordered, folds, done, self.settings).run(min(self.threads, len(ordered)))
            return
        parallel = Parallel(n_jobs=self.n_jobs, return_as="generator")
        X, y, *beside = folds.data
        calls = (
            delayed(evaluate_apart)(t, X, y, tuple(beside), *folds.splits[t.fold], *self.settings) for t in ordered
        )
        for task, outcome in zip(ordered, parallel(calls), strict=True):
            done(task, outcome)


class _SideBySide:
    """Threads that take tasks from one list.

    The first task of a shape plans what the others share. Meanwhile they wait, and tasks of another shape are done.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        folds: Folds,
        done: Callable[[Task, Outcome], None],
        settings: tuple[Callable[..., Any], Any, bool],
    ) -> None:
        self.folds, self.done, self.settings = folds, done, settings
        self._left = list(tasks)
        self._planning: set[Any] = set()
        self._planned: set[Any] = set()
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._stopped, self._at_work = False, 0

    def run(self, threads: int) -> None:
        team = [threading.Thread(target=self._work, name=f"search-{k}", daemon=True) for k in range(threads)]
        try:
            for each in team:
                with self._changed:
                    self._at_work += 1
                each.start()
            # Not by Thread.join, which takes a living thread for dead when it is interrupted.
            with self._changed:
                while self._at_work:
                    self._changed.wait(WAKE)
        except KeyboardInterrupt:
            self._stop()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", InterruptedWarning)
                begun = [each for each in team if each.ident is not None]
                for each in begun:
                    _interrupt(each)
                for each in begun:
                    each.join()
            raise
        for each in team:
            each.join()
        if self._failure is not None:
            raise self._failure

    def _stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _work(self) -> None:
        try:
            while (task := self._next()) is not None:
                outcome = evaluate(task, self.folds[task.fold], *self.settings)
                self._finish(task, outcome)
        except BaseException as error:
            with self._changed:
                self._failure = self._failure or error
            self._stop()
        finally:
            with self._changed:
                self._at_work -= 1
                self._changed.notify_all()

    def _next(self) -> Task | None:
        with self._changed:
            while self._left and not self._stopped:
                for k, task in enumerate(self._left):
                    shape = task.shape
                    if shape in self._planning:
                        continue
                    if shape not in self._planned:
                        self._planning.add(shape)
                    return self._left.pop(k)
                self._changed.wait()
            return None

    def _finish(self, task: Task, outcome: Outcome) -> None:
        with self._changed:
            if self._stopped:
                return
            self._planning.discard(task.shape)
            self._planned.add(task.shape)
            self._changed.notify_all()
            self.done(task, outcome)


def _interrupt(thread: threading.Thread) -> None:
    """Raise KeyboardInterrupt in a thread, when it next comes back to Python."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(KeyboardInterrupt))
