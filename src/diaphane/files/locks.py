"""A folder that one process uses at a time: a file in it says which."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
from pathlib import Path
from typing import Any

from .checkpoint import FileError

__all__ = ["Lock"]

OURS = secrets.token_hex(8)
"""Tells this process from a former one that had its number, as in a container that was started again."""


class Lock:
    """``lock.json``, with the process's number and host; of a dead process it is taken over.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    FileError
        If another process uses the folder, by its number; or if it cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lock.json"
        # A second try, for the lock of a dead process is removed in the first; a third for one who came between.
        for _ in range(3):
            if self._taken():
                return
            self._refuse_or_clear()
        raise FileError(f"{folder} is used by another process; give each run a folder of its own")

    def release(self) -> None:
        """Let others use the folder."""
        self.path.unlink(missing_ok=True)

    def _taken(self) -> bool:
        owner = {"pid": os.getpid(), "host": socket.gethostname(), "started": _started(os.getpid()), "token": OURS}
        whole = self.path.with_name(f".lock.{secrets.token_hex(4)}")
        try:
            whole.write_text(json.dumps(owner), encoding="utf-8")
            _put_in_place(whole, self.path)
        except FileExistsError:
            return False
        except OSError as error:
            folder = self.path.parent
            raise FileError(
                f"cannot write to the checkpoint folder {folder}: {error.strerror}; make room there, or choose another"
            ) from None
        finally:
            with contextlib.suppress(OSError):
                whole.unlink(missing_ok=True)
        return True

    def _refuse_or_clear(self) -> None:
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        folder, owner = self.path.parent, _owner(text)
        if owner is not None and owner["host"] != socket.gethostname():
            raise FileError(
                f"{folder} is used by process {owner['pid']} on {owner['host']}; if that one is dead, "
                f"delete {self.path} and try again"
            )
        if owner is not None and _is_alive(owner["pid"], owner):
            who = "this process itself, for another fit" if owner["pid"] == os.getpid() else f"process {owner['pid']}"
            raise FileError(f"{folder} is used by {who}; wait for its end, or give each run a folder of its own")
        self._clear(text)

    def _clear(self, stale: str) -> None:
        """Remove a dead process's lock, but not that of one who was quicker to remove it and has it now."""
        aside = self.path.with_name(f".lock.{secrets.token_hex(4)}")
        try:
            os.replace(self.path, aside)
        except FileNotFoundError:
            return
        if aside.read_text(encoding="utf-8") != stale:
            with contextlib.suppress(FileExistsError):
                _put_in_place(aside, self.path)
        aside.unlink(missing_ok=True)


def _put_in_place(whole: Path, place: Path) -> None:
    """Give a file its name at once with all its content, unless there is one of that name."""
    try:
        os.link(whole, place)
    except FileExistsError:
        raise
    except OSError:
        # No hard links here: then it exists for a moment without its content.
        with open(place, "x", encoding="utf-8") as file:
            file.write(whole.read_text(encoding="utf-8"))


def _owner(text: str) -> dict[str, Any] | None:
    """Who wrote a lock; None where it was killed before it had written that down."""
    try:
        owner = json.loads(text)
        return {**owner, "pid": int(owner["pid"]), "host": str(owner["host"])}
    except (ValueError, KeyError, TypeError):
        return None


def _is_alive(pid: int, owner: dict[str, Any]) -> bool:
    """Whether the very process that wrote the lock lives, and not a later one of the same number."""
    if pid == os.getpid():
        return owner.get("token") == OURS
    if not _exists(pid):
        return False
    started = _started(pid)
    return started is None or owner.get("started") in (None, started)


def _exists(pid: int) -> bool:
    if os.name == "nt":
        import ctypes

        kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
        handle = kernel.OpenProcess(0x100000, False, pid)
        waiting = bool(handle) and kernel.WaitForSingleObject(handle, 0) == 0x102
        kernel.CloseHandle(handle)
        return bool(waiting)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _started(pid: int) -> str | None:
    """When a process began, in ticks since the machine did; None where that is not told, or it is dead."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return text.rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None
