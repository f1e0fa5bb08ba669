"""Items made ahead of time on another thread."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Generic, TypeVar

__all__ = ["ReadAhead"]

T = TypeVar("T")


class ReadAhead(Generic[T]):
    """The items of an iterator, made on a thread that is so many ahead of whoever takes them.

    What goes wrong on the thread is raised where the item would have come. The thread ends with the iterator, when
    the ``with`` block is left, by an exception and Ctrl-C too, and when nobody holds this any more.

    Parameters
    ----------
    make : callable
        Gives the iterator; called on the thread.
    ahead : int
        How many items wait at most. One more is in the making, and one in the taker's hands.

    Examples
    --------
    >>> with ReadAhead(lambda: iter("abc")) as letters:
    ...     print(next(letters), list(letters))
    a ['b', 'c']
    """

    def __init__(self, make: Callable[[], Iterator[T]], ahead: int = 1) -> None:
        self._found: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._slots, self._stop = threading.Semaphore(ahead), threading.Event()
        self._ended = False
        # The thread holds nothing of this object, so that one that is forgotten is collected, and ends the thread.
        self._thread = threading.Thread(
            target=_work, args=(make, self._found, self._slots, self._stop), name="diaphane-read-ahead", daemon=True
        )
        self._finalizer = weakref.finalize(self, _end, self._slots, self._stop)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._ended:
            raise StopIteration
        kind, value = self._found.get()
        if kind == "item":
            self._slots.release()
            found: T = value
            return found
        self._ended = True
        self._thread.join()
        if kind == "error":
            raise value
        raise StopIteration

    def close(self) -> None:
        """End the thread, and wait until it has ended."""
        self._ended = True
        self._finalizer()
        self._thread.join()

    def __enter__(self) -> ReadAhead[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _work(
    make: Callable[[], Iterator[Any]],
    found: SimpleQueue[tuple[str, Any]],
    slots: threading.Semaphore,
    stop: threading.Event,
) -> None:
    try:
        items = make()
        try:
            for item in items:
                found.put(("item", item))
                # Not held while the next is made: it may be large.
                del item
                slots.acquire()
                if stop.is_set():
                    return
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()
        found.put(("end", None))
    except BaseException as error:
        found.put(("error", error))


def _end(slots: threading.Semaphore, stop: threading.Event) -> None:
    stop.set()
    slots.release()
