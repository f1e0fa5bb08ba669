"""Arrays and plain data in one file: safetensors, with a checksum, written so that nothing is half there.

The header's metadata hold a format version, a SHA-256 of all array bytes and of the plain data, and the
plain data as JSON. Reading runs no code from the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..graph.node import Array

__all__ = ["FORMAT", "VERSION", "FileError", "read", "write", "write_bytes"]

FORMAT = "diaphane"
VERSION = 1
LARGEST_HEADER = 100_000_000
MOST_PARTS = 1_000_000
"""Lists and objects in a header: an empty one takes two bytes of text and twenty times as many of memory."""


class FileError(ValueError):
    """A file that cannot be read as what it should be, or cannot be written."""


def write(path: str | os.PathLike[str], arrays: Mapping[str, Array], content: Mapping[str, Any]) -> Path:
    """Write arrays and plain data, under a temporary name first, so that the file is whole or as it was.

    Parameters
    ----------
    path : path-like
    arrays : mapping of str to ndarray
    content : mapping
        Of what JSON can hold.

    Returns
    -------
    Path

    Raises
    ------
    FileError
        If the place cannot be written to; nothing is left behind.
    """
    from safetensors.numpy import save

    packed = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    if text.count("[") + text.count("{") > MOST_PARTS // 2:
        raise FileError(
            f"what goes with the arrays of {path} has more than {MOST_PARTS // 2:,} parts, too many to read back"
        )
    metadata = {"format": FORMAT, "version": str(VERSION), "content": text, "sha256": _checksum(packed, text)}
    return write_bytes(path, _with_sorted_metadata(save(packed, metadata)))


def write_bytes(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write a file whole: under a temporary name, on to the disk, and then under its own.

    Raises
    ------
    FileError
        If the place cannot be written to; what was there before is untouched and nothing is left behind.
    """
    target = Path(path)
    # Not mkstemp, whose files nobody but their owner may read.
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise FileError(f"cannot write {target}: {error.strerror}; choose another folder") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise FileError(f"cannot write {target}: {error.strerror}; what was there before is untouched") from None
    finally:
        temporary.unlink(missing_ok=True)
    return target


def _sync_folder(folder: Path) -> None:
    """Have the new name on the disk too, where the system can: without it a power cut may bring back the old file."""
    if os.name == "nt":
        return
    # Not every file system syncs folders, and one may be written to that may not be read.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays and the plain data of a file.

    Raises
    ------
    FileError
        If there is no such file, it is not one of ours, is damaged, or is of a newer format.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    source = Path(path)
    try:
        data = source.read_bytes()
    except OSError as error:
        raise FileError(f"cannot read {source}: {error.strerror}") from None
    metadata = _metadata(source, data)
    version = metadata.get("version", "")
    if version not in map(str, range(1, VERSION + 1)):
        raise FileError(
            f"{source} is of format version {version or '?'}, this diaphane reads up to {VERSION}; update it"
        )
    try:
        arrays: dict[str, Array] = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise FileError(f"{source} is damaged: {error}; take another copy of it") from None
    text = metadata.get("content", "")
    if _checksum(arrays, text) != metadata.get("sha256"):
        raise FileError(f"{source} is damaged: its checksum is not that of what it holds; take another copy of it")
    try:
        content = _parsed(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise FileError(f"{source} is damaged: its content is no JSON that was written here: {error}") from None
    if not isinstance(content, dict):
        raise FileError(f"{source} is damaged: its content is {type(content).__name__}, expected an object")
    return arrays, content


def _metadata(source: Path, data: bytes) -> dict[str, str]:
    """The header's metadata; only as many bytes as the file has are ever looked at."""
    not_ours = f"{source} is not a file written by diaphane, or its beginning is damaged"
    if len(data) < 8:
        raise FileError(f"{source} is empty or cut off: {len(data)} bytes")
    (length,) = struct.unpack("<Q", data[:8])
    if length > min(len(data) - 8, LARGEST_HEADER):
        cut = data[8:9] == b"{" and FORMAT.encode() in data[:4096]
        raise FileError(f"{source} is cut off: its header alone has {length} bytes" if cut else not_ours)
    try:
        header = _parsed(data[8 : 8 + length].decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError, MemoryError):
        raise FileError(not_ours) from None
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise FileError(not_ours)
    return {str(k): str(v) for k, v in metadata.items()}


def _parsed(text: str) -> Any:
    """JSON as it is written here: no key twice, no NaN, and not so many parts that they fill the memory."""
    if text.count("[") + text.count("{") > MOST_PARTS:
        raise ValueError(f"it has more than {MOST_PARTS:,} parts")
    return json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_refuse_constant)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _with_sorted_metadata(data: bytes) -> bytes:
    """The same file with its metadata in one order, so that the same values are the same bytes."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def _checksum(arrays: Mapping[str, Array], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
