"""The options of ``diaphane train`` as parameters of the command line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer

from .every import Option, every_option
from .kinds import SWITCH

__all__ = ["takes_every_option"]

F = TypeVar("F", bound=Callable[..., None])


def takes_every_option(command: F) -> F:
    """Give a command a parameter for each option, in place of its ``**words``."""
    own = inspect.signature(command, eval_str=True).parameters
    named = [p for p in own.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    before = [p for p in named if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    after = [p for p in named if p.kind is inspect.Parameter.KEYWORD_ONLY]
    options = [_parameter(option) for option in every_option() if option.name not in own]
    command.__signature__ = inspect.Signature([*before, *options, *after])  # type: ignore[attr-defined]
    return command


def _parameter(option: Option) -> inspect.Parameter:
    declared = f"{option.flag}/--{option.opposite}" if option.opposite else option.flag
    info = typer.Option(
        declared, help=option.help, rich_help_panel=option.panel, show_default=option.kind is not SWITCH
    )
    kind: Any = option.kind.word if option.kind is SWITCH else option.kind.word | None
    return inspect.Parameter(
        option.name, inspect.Parameter.KEYWORD_ONLY, default=_shown(option), annotation=Annotated[kind, info]
    )


def _shown(option: Option) -> Any:
    """The default as it is typed; the parser shows it, and what nobody typed is not read."""
    plain = option.kind.plain(option.default)
    if isinstance(plain, list):
        return ",".join(map(str, plain)) or None
    return plain
