from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

EXTRAS = ("pandas", "polars", "skrub", "skops", "pyarrow")


@pytest.fixture
def real_file() -> Callable[[str], Path]:
    """Return the path of one of the real data sets, or skip."""
    root = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("DIAPHANE_DATA", root.parent / "shared" / "data"))

    def find(name: str) -> Path:
        if not (folder / name).exists():
            pytest.skip(f"{name} is not there: set DIAPHANE_DATA to the folder that holds it")
        return folder / name

    return find


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file and return its path."""

    def write_file(content: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def bare_install(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the libraries of the extra `table` impossible to import."""
    for module in [name for name in sys.modules if name.split(".")[0] in EXTRAS]:
        monkeypatch.delitem(sys.modules, module)
    real_import = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] in EXTRAS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real_import(name, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", refuse)
        yield
