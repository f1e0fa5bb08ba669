"""A run's checkpoints in a folder: the newest whole one is found, the last few are kept, one process writes."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engines import State
from ..graph import Node
from ..graph.node import Array
from . import checkpoint
from .checkpoint import FileError
from .graphs import READING_ERRORS
from .locks import Lock
from .plain import decode_plain, encode_plain

__all__ = ["RunFolder", "StoredRun", "name_values", "values_by_name"]

VERSION = 1
NAME = re.compile(r"checkpoint-(\d+)\.safetensors")
UNFINISHED = re.compile(r"\.checkpoint-\d+\.safetensors\.[0-9a-f]+")


@dataclass(frozen=True)
class StoredRun:
    """What a checkpoint holds.

    Attributes
    ----------
    path : Path
    content : dict
        Plain data.
    arrays : dict of str to ndarray
    refused : tuple of FileError
        Why newer ones were passed over.
    """

    path: Path
    content: dict[str, Any]
    arrays: dict[str, Array]
    refused: tuple[FileError, ...] = ()


class RunFolder:
    """A folder of checkpoints, which this process alone uses until :meth:`close`.

    Parameters
    ----------
    path : path-like
        Made if there is none.

    Raises
    ------
    FileError
        If the folder cannot be made or written to, or another process uses it.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = RunFolder(place + "/run")
    ...     for step in (10, 20, 30):
    ...         _ = folder.write(step, {"w": np.ones(3)}, {"loss": float("nan")}, keep=2)
    ...     newest, names = folder.newest(), [path.name for path in folder.checkpoints()]
    ...     folder.close()
    >>> names
    ['checkpoint-0000000020.safetensors', 'checkpoint-0000000030.safetensors']
    >>> newest.content, newest.arrays["w"]
    ({'loss': nan}, array([1., 1., 1.]))
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(
                f"cannot make the checkpoint folder {self.path}: {error.strerror}; choose another"
            ) from None
        self._lock = Lock(self.path)
        # Nobody else writes here: these are what a killed process had begun.
        for each in self.path.iterdir():
            if UNFINISHED.fullmatch(each.name):
                each.unlink(missing_ok=True)

    def close(self) -> None:
        """Let other processes use it."""
        self._lock.release()

    def checkpoints(self) -> list[Path]:
        """The files, the oldest first."""
        found = {path: NAME.fullmatch(path.name) for path in self.path.iterdir()}
        return sorted((path for path, match in found.items() if match), key=_step_of)

    def refuse_little_room(self, needed: int) -> None:
        """Raise where a file of so many bytes would not fit."""
        free = shutil.disk_usage(self.path).free
        if free < needed:
            raise FileError(
                f"the checkpoint folder {self.path} is full: a checkpoint takes {needed / 1e6:.1f} MB, "
                f"{free / 1e6:.1f} MB are free; make room, or choose another folder"
            )

    def newest(self) -> StoredRun | None:
        """The newest whole checkpoint; None where there is none at all.

        Raises
        ------
        FileError
            If there are some, but none can be read; or if the newest whole one is of another version of the format.
        """
        refused: list[FileError] = []
        for path in reversed(self.checkpoints()):
            try:
                arrays, content = checkpoint.read(path)
            except FileError as error:
                refused.append(error)
                continue
            if content.get("kind") != "run" or content.get("version") != VERSION:
                version = content.get("version", "?") if content.get("kind") == "run" else "?"
                raise FileError(
                    f"{path} is of version {version} of the format of checkpoints, this diaphane reads version "
                    f"{VERSION}; go on with the diaphane that wrote it, or begin anew in another folder"
                )
            try:
                doubles = {name: arrays[other] for name, other in content["same"].items()}
                return StoredRun(path, decode_plain(content["run"]), {**arrays, **doubles}, tuple(refused))
            except READING_ERRORS as error:
                raise FileError(f"{path} holds no run that can be read: {type(error).__name__}: {error}") from None
        if refused:
            raise FileError(
                f"none of the {len(refused)} checkpoints in {self.path} can be read; bring back a copy of one, or move "
                f"them away to begin anew. The newest: {refused[0]}"
            )
        return None

    def write(self, step: int, arrays: Mapping[str, Array], content: Mapping[str, Any], keep: int) -> Path:
        """Write a checkpoint; the last ``keep`` up to this step stay.

        Raises
        ------
        FileError
            If it cannot be written; what was there stays, and nothing half-written does.
        """
        own, same = _without_doubles(arrays)
        data = {"kind": "run", "version": VERSION, "same": same, "run": encode_plain(content)}
        path = checkpoint.write(self.path / f"checkpoint-{step:010d}.safetensors", own, data)
        # One after this step is a damaged one that was passed over; it comes to be written anew.
        for old in [p for p in self.checkpoints() if _step_of(p) <= step][:-keep]:
            old.unlink(missing_ok=True)
        return path


def name_values(values: Mapping[Node, Array]) -> dict[str, Array]:
    """A state's values by their variables' names; the second of a name is ``name#2``."""
    return dict(zip(_names(values), values.values(), strict=True))


def values_by_name(variables: Iterable[Node], arrays: Mapping[str, Array], source: str) -> State:
    """What :func:`name_values` was given, for the same variables.

    Raises
    ------
    FileError
        If one is missing, or is of another shape or dtype.
    """
    known = list(variables)
    values: dict[Node, Array] = {}
    for variable, name in zip(known, _names(known), strict=True):
        value = arrays.get(name)
        if value is None or value.shape != variable.shape or value.dtype != variable.dtype:
            found = "nothing" if value is None else f"{value.shape} {value.dtype}"
            raise FileError(f"{source}: {name} should be {variable.shape} {variable.dtype}, it is {found}")
        values[variable] = value
    return State(values)


def _names(variables: Iterable[Node]) -> list[str]:
    seen: Counter[str] = Counter()
    names: list[str] = []
    for variable in variables:
        name = str(variable.name)
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return names


def _without_doubles(arrays: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, str]]:
    """Each array once, and under which name the others of it are: the best state often is the present one."""
    own: dict[str, Array] = {}
    same: dict[str, str] = {}
    first: dict[int, str] = {}
    for name, array in arrays.items():
        if id(array) in first:
            same[name] = first[id(array)]
        else:
            first[id(array)] = name
            own[name] = array
    return own, same


def _step_of(path: Path) -> int:
    found = NAME.fullmatch(path.name)
    assert found is not None
    return int(found[1])
