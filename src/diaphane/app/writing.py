"""Files of text that are whole or as they were."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import UserError

__all__ = ["write_text"]


def write_text(path: Path, text: str, flag: str = "--out") -> None:
    """Write a file under a temporary name first; ``flag`` is the option that chooses another place."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            temporary.write_text(text, encoding="utf-8", newline="")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another place with {flag}") from None
