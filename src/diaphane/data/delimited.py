"""Text with a delimiter, turned into a table."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice

import numpy as np

from diaphane.data.cells import as_numbers, as_strings, looks_like_data
from diaphane.data.errors import DataError
from diaphane.data.table import Column, Table

__all__ = ["decode", "parse_delimited", "sniff_delimiter"]

# In order of preference when two fit a file equally well: the comma is also a decimal mark and punctuation.
DELIMITERS = ("\t", ";", ",")
_ROWS_PER_CHUNK = 8192
_TEXT_CONTROLS = frozenset(b"\t\n\v\f\r\x1a")


def decode(raw: bytes, name: str) -> str:
    """Return the text of a file: UTF-8 or UTF-16 by its mark, UTF-8 without one, else Windows-1252.

    Windows-1252 is what older spreadsheet programs of western Europe write.

    Parameters
    ----------
    raw : bytes
    name : str
        What to call the file in an error.

    Raises
    ------
    DataError
        If the bytes are not text.

    Examples
    --------
    >>> decode("é".encode("cp1252"), "f.csv"), decode("é".encode("utf-8-sig"), "f.csv")
    ('é', 'é')
    """
    not_text = DataError(
        f"{name} does not hold text; expected a table with one row a line "
        "(a spreadsheet is read after saving it as CSV)"
    )
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252")
        if any(byte < 32 and byte not in _TEXT_CONTROLS for byte in raw[:65536]):
            raise not_text
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text
    raise not_text


def sniff_delimiter(text: str) -> str:
    r"""Return the delimiter, of tab, semicolon and comma, that cuts most of the first lines alike.

    Examples
    --------
    >>> sniff_delimiter("a;b\n1,5;2\n2,5;3\n")
    ';'
    """
    best, best_share = ",", 0.0
    for delimiter in DELIMITERS:
        try:
            counts = Counter(len(cells) for _, cells in islice(_records(text, delimiter), 50))
        except DataError:
            continue
        width, agreeing = counts.most_common(1)[0] if counts else (0, 0)
        share = agreeing / counts.total() if width > 1 else 0.0
        if share > best_share:
            best, best_share = delimiter, share
    return best


def parse_delimited(text: str, *, delimiter: str, header: bool = True, name: str = "the file") -> Table:
    r"""Return the table that a text holds.

    A column is numeric when every cell that is not missing is a number. Columns without a name are called
    ``column_0``, ``column_1`` and so on by their place.

    Parameters
    ----------
    text : str
    delimiter : str
        Beside another delimiter than the comma, ``3,5`` is read as 3.5 where a whole column is written so.
    header : bool
        Whether the first line names the columns.
    name : str
        What to call the file in an error.

    Returns
    -------
    Table
        With a note where the header reads like a row of values.

    Raises
    ------
    DataError
        If there are no rows, or rows of different lengths, or a quote that is never closed.

    Examples
    --------
    >>> table = parse_delimited("size,colour\n1,red\n?,blue\n", delimiter=",")
    >>> table["size"], table["colour"]
    (array([ 1., nan]), array(['red', 'blue'], dtype=object))
    """
    # Cells are read as numbers until one is not; what was read before is then needed as text, so the file
    # is read once more with that known. The usual file shows in its first chunk what its columns are, and
    # no file is ever held as one Python string a cell.
    as_text: frozenset[int] = frozenset()
    while True:
        names, columns, found = _read_columns(text, delimiter, header, name, as_text)
        if found == as_text:
            break
        as_text = found
    return Table(dict(zip(names, columns, strict=True)), _header_notes(names, header))


def _read_columns(
    text: str, delimiter: str, header: bool, name: str, as_text: frozenset[int]
) -> tuple[list[str], list[Column], frozenset[int]]:
    records = _rectangle(text, delimiter, header, name)
    _, first = next(records, (0, []))
    if not first:
        raise DataError(f"{name} is empty; expected {'a header and rows' if header else 'rows'} of values")
    names = _column_names(first, name) if header else [f"column_{i}" for i in range(len(first))]
    rows: Iterator[list[str]] = (cells for _, cells in records)
    if not header:
        rows = chain([first], rows)

    texts = set(as_text)
    parts: list[list[Column]] = [[] for _ in names]
    seen: list[dict[str, str | None]] = [{} for _ in names]
    restart = False
    while chunk := list(islice(rows, _ROWS_PER_CHUNK)):
        for i, cells in enumerate(zip(*chunk, strict=True)):
            if i not in texts:
                numbers = as_numbers(cells, decimal_comma=delimiter != ",")
                if numbers is not None:
                    parts[i].append(numbers)
                    continue
                texts.add(i)
                restart = restart or bool(parts[i])
            strings = np.empty(len(cells), dtype=object)
            strings[:] = as_strings(cells, seen[i])
            parts[i].append(strings)
    if not parts[0]:
        raise DataError(f"{name} has a header and no rows; expected at least one row of values below it")
    if restart:
        return names, [], frozenset(texts)
    return names, [np.concatenate(part) for part in parts], as_text


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not blank with the number of its first line, counted from 1."""
    # newline="" keeps line ends inside quotes as they are; csv takes all three kinds of line ends itself.
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=delimiter != "\t", strict=True
    )
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"line {line} cannot be read: {error}; expected quotes around whole cells, closed, and doubled inside"
        ) from error


def _rectangle(text: str, delimiter: str, header: bool, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the records, all as wide as the first."""
    width, first_line = 0, 0
    try:
        for line, cells in _records(text, delimiter):
            if not width:
                width, first_line = len(cells), line
            elif len(cells) != width:
                # A line of blanks only is no row, unless the table has one column, where it is a missing
                # value.
                if len(cells) == 1 and not cells[0].strip():
                    continue
                what = "the header" if header else f"line {first_line}"
                raise DataError(
                    f"{name}, line {line}: {len(cells)} cells where {what} has {width}; "
                    f"every line needs {width}, cut at {_spoken(delimiter)}"
                )
            yield line, cells
    except DataError as error:
        if str(error).startswith(name):
            raise
        raise DataError(f"{name}, {error}") from error


def _column_names(cells: Sequence[str], name: str) -> list[str]:
    names = [cell.strip() or f"column_{i}" for i, cell in enumerate(cells)]
    twice = [column for column, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            f"{name}: the header names more than one column {twice[0]!r}; give each its own name, "
            "or say that there is no header (header=False, --no-header)"
        )
    return names


def _header_notes(names: Sequence[str], header: bool) -> tuple[str, ...]:
    if header and looks_like_data(names):
        shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
        return (
            f"the first line ({shown}) was taken for the columns' names but reads like a row of values; "
            "if there is no header, say so (header=False, --no-header)",
        )
    return ()


def _spoken(delimiter: str) -> str:
    return {"\t": "tabs", ";": "semicolons", ",": "commas"}.get(delimiter, repr(delimiter))
