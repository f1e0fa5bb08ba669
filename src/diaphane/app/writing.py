"""Files of text that are whole or as they were."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["need_file", "need_other_file", "write_figure", "write_text"]


def need_file(path: Path, flag: str) -> None:
    """Raise where a path names no file: a shell's unset variable is an empty one."""
    if not path.name:
        raise UserError(f"{flag} takes the path of a file to write, got {str(path)!r}")


def need_other_file(path: Path, source: str, flag: str) -> None:
    """Raise where what is to be written would take the place of the table that it is made of, or of a folder."""
    need_file(path, flag)
    if path.is_dir():
        raise UserError(f"{flag}: {path} is a folder; expected the path of a file to write")
    if path.exists() and Path(source).exists() and path.samefile(source):
        raise UserError(f"{flag}: {path} is the table itself, which would be lost; choose another file")


def write_text(path: Path, text: str, flag: str = "--out") -> None:
    """Write a file under a temporary name first; ``flag`` is the option that chooses another place."""
    _write(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline=""), flag)


def write_figure(path: Path, figure: Figure, flag: str = "--out", **settings: Any) -> None:
    """The same for a picture of matplotlib's."""
    kind = path.suffix.removeprefix(".")
    _write(path, lambda temporary: figure.savefig(temporary, format=kind, **settings), flag)


def _write(path: Path, write: Callable[[Path], object], flag: str) -> None:
    need_file(path, flag)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            write(temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another place with {flag}") from None
