"""Contenders in processes of their own, timed in turn; and calls of this process, taken in turn.

A contender's process is blocked on a pipe between its turns, and the next one waits until its threads are at rest.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection

from rivals import Contender
from works import Work

__all__ = ["THREADS", "Result", "Turns", "medians"]

PAUSE = 0.2
"""Seconds between turns: libraries' threads spin before they sleep, OpenBLAS's for a tenth of a second.

With less, a step on two threads that comes after OpenBLAS's takes twice as long as it would alone.
"""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")
"""What libraries read the number of their threads from; the last one is XLA's."""


def medians(calls: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of what each call gives, over so many rounds in turn after one that warms up."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            found[name].append(call())
            time.sleep(PAUSE)
    return {name: statistics.median(values[1:]) for name, values in found.items()}


@dataclass(frozen=True)
class Result:
    """What came of a contender.

    Attributes
    ----------
    step : float
        Seconds, the median over epochs.
    loss : float
        The mean of the last epoch's steps.
    threads : int or None
        That were allowed; None for a contender's own choice.
    missing : str
        Why there is nothing, if so.
    """

    step: float = float("nan")
    loss: float = float("nan")
    threads: int | None = None
    missing: str = ""


@dataclass
class _Process:
    """A contender's process, and what it has said of the present work."""

    pipe: Connection
    threads: int | None
    seconds: list[float] = field(default_factory=list)
    loss: float = float("nan")
    missing: str = ""

    def ask(self, question: Work | int) -> tuple[float, float]:
        """Have a work prepared or an epoch done: its seconds and loss."""
        self.pipe.send(question)
        seconds, loss, self.missing = self.pipe.recv()
        if self.threads != 1 and not isinstance(question, Work):
            time.sleep(PAUSE)
        return seconds, loss

    def result(self, work: Work) -> Result:
        if self.missing:
            return Result(threads=self.threads, missing=self.missing)
        return Result(statistics.median(self.seconds) / work.steps, self.loss, self.threads)


class Turns:
    """A process for each contender and number of threads, kept for as many works as there are.

    Parameters
    ----------
    contenders : mapping of str to (Contender, sequence of int or None)
        By name; the best of its numbers of threads counts, None for what it takes by itself.
    """

    def __init__(self, contenders: Mapping[str, tuple[type[Contender], Sequence[int | None]]]) -> None:
        self._processes: dict[str, list[_Process]] = {}
        self._stack = ExitStack()
        for name, (kind, all_threads) in contenders.items():
            self._processes[name] = [self._stack.enter_context(_started(kind, threads)) for threads in all_threads]

    def __enter__(self) -> Turns:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, works: Mapping[str, Work], epochs: int) -> dict[str, Result]:
        """Time so many epochs of each contender's work, after one that warms up."""
        entries = [(process, works[name]) for name, group in self._processes.items() for process in group]
        for process, work in entries:
            process.seconds = []
            process.ask(work)
        for epoch in range(epochs + 1):
            for process, _ in entries:
                if process.missing:
                    continue
                seconds, process.loss = process.ask(epoch)
                if epoch:
                    process.seconds.append(seconds)
        return {name: _best([p.result(works[name]) for p in group]) for name, group in self._processes.items()}


def _best(results: Sequence[Result]) -> Result:
    return min((r for r in results if not r.missing), key=lambda r: r.step, default=results[0])


@contextmanager
def _started(kind: type[Contender], threads: int | None) -> Iterator[_Process]:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, kind))
    with _environment({} if threads is None else dict.fromkeys(THREADS, str(threads))):
        process.start()
    theirs.close()
    try:
        yield _Process(ours, threads)
    finally:
        ours.close()
        process.join()


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(pipe: Connection, kind: type[Contender]) -> None:
    """Prepare each work that comes, and do the epochs that are asked for, until the pipe is closed."""
    contender, work = None, None
    while True:
        try:
            question = pipe.recv()
        except EOFError:
            return
        seconds, loss, missing = 0.0, float("nan"), ""
        try:
            if isinstance(question, Work):
                contender, work = None, question
                contender = kind(work)
            else:
                order = work.order(question)
                started = time.perf_counter()
                loss = contender.epoch(order)
                seconds = time.perf_counter() - started
        except ImportError:
            missing = "not installed"
        except NotImplementedError as error:
            missing = str(error)
        except Exception as error:
            missing = type(error).__name__
        pipe.send((seconds, loss, missing))
