"""Options in a TOML file: ``diaphane train --config run.toml``, and what ``--dump-config`` writes."""

from __future__ import annotations

import json
import textwrap
import tomllib
from pathlib import Path
from typing import Any

from ...data.errors import closest, listed
from ..errors import UserError
from .every import Option, Options, dashed, every_option
from .kinds import Kind

__all__ = ["dump_config", "parsed_toml", "read_config"]

WIDTH = 100


def read_config(path: Path) -> dict[str, Any]:
    """The options that a file gives, by their names as fields of :class:`Options`.

    Keys are the options' names, with dashes or underscores: ``batch-size = 32``.

    Raises
    ------
    UserError
        If the file cannot be read, or a key or the type of a value is none of ours.
    """
    known = {option.name: option for option in every_option()}
    found: dict[str, Any] = {}
    for key, value in parsed_toml(path).items():
        name = key.replace("-", "_")
        if name not in known:
            names = [dashed(name) for name in known]
            raise UserError(
                f"{path}: there is no option {key!r}.{closest(key, names) or f' There are {listed(names)}'}"
            )
        if name in found:
            raise UserError(f"{path}: {dashed(name)} is there twice, with a dash and with an underscore; keep one")
        found[name] = _value(known[name], value, path)
    return found


def parsed_toml(path: Path, flag: str = "--config") -> dict[str, Any]:
    """What a TOML file says, as it is."""
    try:
        # Some editors put a mark before the first letter.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UserError(f"{flag}: cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(
            f"{flag}: {path} is no TOML: {error}; a line is, for example, epochs = 50, and a text has quotes"
        ) from None


def _value(option: Option, value: Any, path: Path) -> Any:
    try:
        if not option.kind.accepts(value):
            raise TypeError
        return option.kind.read(value)
    except (ValueError, TypeError, KeyError):
        raise UserError(f"{path}: {dashed(option.name)} takes {option.kind.expected}; got {value!r}") from None


def dump_config(options: Options) -> str:
    """All options with their values as TOML; those that are found out from the rest are comments."""
    lines: list[str] = []
    panel = ""
    for option in every_option():
        if option.panel != panel:
            panel = option.panel
            lines += ["", f"# ---- {panel} ----"]
        value = getattr(options, option.name)
        # What is not one of the file's own lines wraps, and stays a comment.
        lines += ["", *textwrap.wrap(option.help, WIDTH, initial_indent="# ", subsequent_indent="# ")]
        key = dashed(option.name)
        lines.append(f"# {key} =" if value is None else f"{key} = {_toml(Kind.plain(value))}")
    return "\n".join(lines).lstrip("\n") + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for one letter that JSON leaves as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_toml(k)} = {_toml(v)}' for k, v in value.items())}}}"
    return repr(value)
