"""The first rows of a text file, and what they say about the rest."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from diaphane.data.cells import as_numbers
from diaphane.data.delimited import decode, parse_delimited, sniff_delimiter
from diaphane.data.errors import DataError, closest, listed
from diaphane.data.table import is_numeric

__all__ = ["Head", "open_text", "read_head"]

HEAD_BYTES = 1 << 18
TABS = (".tsv", ".tab")


@dataclass(frozen=True)
class Head:
    """How a delimited file is written.

    Attributes
    ----------
    encoding, delimiter : str
    header : bool
        Whether the first line names the columns.
    dtypes : mapping of str to dtype
        The columns: float64 where the first rows hold numbers and gaps alone, else object.
    decimal_comma : bool
        Whether some numbers are written as 3,5.
    """

    encoding: str
    delimiter: str
    header: bool
    dtypes: Mapping[str, np.dtype[Any]]
    decimal_comma: bool


def read_head(path: Path, header: bool = True, text: Sequence[str] = ()) -> Head:
    """Look at the first rows of a file.

    Parameters
    ----------
    path : Path
    header : bool
    text : sequence of str
        Columns that are words, whatever the first rows hold.

    Raises
    ------
    DataError
        If the file has no rows, or is no table.
    """
    raw, whole = _first_bytes(path)
    if not raw.strip():
        raise DataError(f"{path.name} is empty; expected {'a header and rows' if header else 'rows'} of values")
    encoding = _encoding(raw)
    try:
        shown = codecs.getincrementaldecoder(encoding)().decode(raw, final=whole)
    except UnicodeDecodeError:
        # Says that this is no text, as for a table that is read at once.
        decode(raw, path.name)
        raise
    decode(shown.encode(), path.name)
    if not whole:
        # The last line may have been cut; a cell with line ends of its own may have been too.
        shown = shown[: shown.rfind("\n") + 1]
    kinds = [suffix.lower() for suffix in path.suffixes]
    delimiter = "\t" if any(kind in TABS for kind in kinds[-2:]) else sniff_delimiter(shown)
    table = parse_delimited(shown, delimiter=delimiter, header=header, name=path.name)
    strange = [name for name in text if name not in table.columns]
    if strange:
        raise DataError(
            f"{path.name} has no column {strange[0]!r}, which text= names; the columns are {listed(table.names)}."
            f"{closest(strange[0], table.names)}"
        )
    words = {name for name in table.names if not is_numeric(table[name]) or name in text}
    dtypes = {name: np.dtype(object if name in words else np.float64) for name in table.names}
    return Head(encoding, delimiter, header, dtypes, delimiter != "," and _has_decimal_comma(shown, delimiter, words))


def open_text(path: Path, encoding: str) -> IO[str]:
    """The text of a file that may be compressed, line ends as they are."""
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def _first_bytes(path: Path) -> tuple[bytes, bool]:
    """The first bytes, and whether they are all."""
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            raw = file.read(HEAD_BYTES + 1)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(f"{path.name} is not a whole gzip file ({error}); compress it again") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; check the file's permissions") from error
    return raw[:HEAD_BYTES], len(raw) <= HEAD_BYTES


def _encoding(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(raw)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig" if raw.startswith(codecs.BOM_UTF8) else "utf-8"


def _has_decimal_comma(text: str, delimiter: str, words: set[str]) -> bool:
    first = text.splitlines()[-1].split(delimiter)
    return any("," in cell and as_numbers([cell], decimal_comma=True) is not None for cell in first)
