"""Checkpoints of ``diaphane train``, and going on from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..training import Callback, Checkpoint
from .errors import UserError
from .options import Options, every_option
from .options.config import dump_config, read_config
from .options.kinds import Kind
from .writing import write_text

if TYPE_CHECKING:
    from ..training import TrainingRun

__all__ = ["folder_of", "how_to_go_on", "kept_by", "refuse_another_run"]

OPTIONS_FILE = "options.toml"


def folder_of(options: Options) -> Path | None:
    """Where checkpoints are kept; None where nobody asked for them."""
    if options.checkpoint is not None:
        return options.checkpoint
    return options.out / "checkpoints" if options.resume else None


def kept_by(options: Options) -> dict[str, Any]:
    """What a trainer is made with, so that its run can be gone on with."""
    folder = folder_of(options)
    if folder is None:
        return {}
    every = options.checkpoint_every
    often: dict[str, Any] = {"every_epochs": int(every)} if every.isdecimal() else {"every_seconds": float(every[:-1])}
    return {"checkpoint": Checkpoint(folder, **often), "callbacks": [_KeepOptions(folder, options)]}


def refuse_another_run(options: Options) -> None:
    """Raise where options would go on with the checkpoints of a run that they do not describe.

    More epochs than before are the same run, unless the schedule stretches with them.
    """
    folder = folder_of(options)
    if folder is None or not folder.is_dir():
        return
    if not options.resume:
        if any(folder.glob("checkpoint-*.safetensors")):
            raise UserError(
                f"--checkpoint: {folder} holds the checkpoints of a former training; --resume goes on with it, another "
                "folder begins anew"
            )
        return
    if not (folder / OPTIONS_FILE).exists():
        return
    before = Options(**read_config(folder / OPTIONS_FILE))
    for option in every_option():
        was, now = getattr(before, option.name), getattr(options, option.name)
        if option.name == "epochs" and options.schedule == before.schedule and _same_schedule(options, before):
            continue
        if option.name == "test":
            was, now = was is not None, now is not None
        elif not option.matters:
            continue
        if was != now:
            raise UserError(
                f"--resume: {option.flag} is {_said(now)}, and {_said(was)} in the run that {folder} holds; give the "
                f"options that it was started with ({folder / OPTIONS_FILE} has them), or another --checkpoint folder"
            )


def how_to_go_on(options: Options) -> str:
    """A note for whoever interrupted a training."""
    folder = folder_of(options)
    if folder is None:
        return "to be able to go on with a training that was interrupted, start it with --checkpoint FOLDER"
    return f"checkpoints are in {folder}: to go on, give the same command with --resume"


def _same_schedule(options: Options, before: Options) -> bool:
    from .networks import schedule_of

    return schedule_of(options) == schedule_of(before)


def _said(value: Any) -> str:
    if value is None or value is False or value == ():
        return "not given"
    if value is True:
        return "given"
    plain = Kind.plain(value)
    return ",".join(map(str, plain)) if isinstance(plain, list) else str(plain)


class _KeepOptions(Callback):
    """Writes beside the checkpoints how the run was started, once it has the folder for itself."""

    def __init__(self, folder: Path, options: Options) -> None:
        self.folder, self.options = folder, options

    def on_fit_start(self, run: TrainingRun) -> None:
        write_text(self.folder / OPTIONS_FILE, dump_config(self.options), "--checkpoint")
