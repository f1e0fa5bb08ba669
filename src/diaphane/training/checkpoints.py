"""Nothing lost: a training's position is written down as it goes, and gone on from, to the same bits."""

from __future__ import annotations

import os
import threading
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..files import FileError
from ..files.runs import RunFolder
from .inputs import check_whole
from .logs import JSONLines
from .positions import HistoryLines, Position, hand_back, pack, unpack
from .random_states import random_state_of, set_random_state
from .setups import check_setup

if TYPE_CHECKING:
    from .bookmarks import Bookmark
    from .callbacks import Callback
    from .run import TrainingRun

__all__ = ["Checkpoint", "CheckpointWarning", "Keeper", "find_checkpoint"]

HISTORY = "history.jsonl"
LONGEST_PIECE = 0.5
"""Seconds of an epoch that are computed without coming back, where checkpoints are written by the clock."""
MUCH_WAITING, SOME_SECONDS = 0.5, 1.0
"""The share of a training's time, and how much of that, from which on waiting for the disk is worth a word."""


class CheckpointWarning(UserWarning):
    """A checkpoint could not be read or written, or writing them takes long; training goes on all the same."""


@dataclass(frozen=True)
class Checkpoint:
    """Where and how often a training's position is written down.

    Everything that the rest of it depends on: parameters, the optimizer's values, schedule, random state, the place in
    the data, history, and what callbacks keep. ``fit(resume=True)`` goes on from it to the very bits of a training that
    was never interrupted. Beside the checkpoints stands the history as JSON Lines, ``history.jsonl``.

    Parameters
    ----------
    folder : path-like
        One for each training; made if there is none. One process at a time uses it.
    every_epochs : int, optional
        After so many epochs; 1 by default, unless ``every_seconds`` is given.
    every_seconds : float, optional
        After so many seconds, also within an epoch, which is then computed in pieces. Where an epoch takes a few
        milliseconds this costs far less than a file for each, which takes as long as some epochs.
    keep : int
        How many stay, the newest ones.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> import diaphane as dia
    >>> from diaphane.training import Trainer
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> network = dia.nn.Network(dia.nn.Sequential([dia.nn.Dense(8, "tanh"), dia.nn.Dense(1)]), (1,))
    >>> def fit(folder, epochs):
    ...     trainer = Trainer(network, "squared_error", epochs=epochs, checkpoint=folder, random_state=0)
    ...     return trainer.fit(x, x**2, resume=True)
    >>> with tempfile.TemporaryDirectory() as place:
    ...     part, rest, whole = fit(place + "/a", 3), fit(place + "/a", 6), fit(place + "/b", 6)
    >>> len(rest.history), all((rest.state[p] == whole.state[p]).all() for p in network.parameters)
    (6, True)
    """

    folder: str | os.PathLike[str]
    every_epochs: int | None = None
    every_seconds: float | None = None
    keep: int = 3

    def __post_init__(self) -> None:
        if not isinstance(self.folder, str | os.PathLike) or not os.fspath(self.folder):
            raise TypeError(f"a checkpoint's folder is a path, got {self.folder!r}")
        if self.every_epochs is None and self.every_seconds is None:
            object.__setattr__(self, "every_epochs", 1)
        if self.every_epochs is not None:
            check_whole("every_epochs", self.every_epochs, 1)
        seconds = self.every_seconds
        if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float)):
            raise TypeError(f"every_seconds must be a number greater than 0, got {seconds!r}")
        if seconds is not None and not seconds > 0:
            raise ValueError(f"every_seconds must be greater than 0, got {seconds!r}")
        check_whole("keep", self.keep, 1)

    def keeper(self, resume: bool) -> Keeper:
        """What keeps one training."""
        return Keeper(self, resume)


def find_checkpoint(value: Any) -> Checkpoint | Bookmark | None:
    """A folder's path as a checkpoint after every epoch in it; a checkpoint, a bookmark, or None, as it is."""
    from .bookmarks import Bookmark

    return value if value is None or isinstance(value, Checkpoint | Bookmark) else Checkpoint(value)


class Keeper:
    """Keeps one training: finds where to go on, notes each position, writes those that are due beside the training.

    Parameters
    ----------
    checkpoint : Checkpoint
    resume : bool

    Attributes
    ----------
    callbacks : list of Callback
        Its own: the history as JSON Lines.
    batches : int
        How many may be computed before the clock is looked at again.
    checks_setup : bool
        Whether settings and data are compared with those that a training was begun with.

    Raises
    ------
    FileError
        If the folder cannot be used, or holds no checkpoint that can be read, or some and ``resume`` is not asked.
    """

    checks_setup = True

    def __init__(self, checkpoint: Checkpoint, resume: bool) -> None:
        self.checkpoint = checkpoint
        self.folder = RunFolder(checkpoint.folder)
        try:
            self.stored = self._find(resume)
        except BaseException:
            self.folder.close()
            raise
        self.callbacks: list[Callback] = [JSONLines(self.folder.path / HISTORY, overwrite=True)]
        self.batches = 1
        self._piece = 0.0
        self._content: dict[str, Any] = {}
        self._random: dict[str, Any] = {}
        self._run: TrainingRun | None = None
        self._lines = HistoryLines()
        self._latest: Position | None = None
        self._written = -1
        self._writer: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._begun = self._last = time.perf_counter()
        self._waited, self._warned_of_failure, self._warned_of_waiting = 0.0, False, False

    @property
    def by_clock(self) -> bool:
        """Whether the clock is to be looked at within an epoch."""
        return self.checkpoint.every_seconds is not None

    def begin_random(self, rng: Any) -> None:
        """Have the generator draw from where the training began, for its first draws are made again."""
        if self.stored is not None:
            before, now = self.stored.content["random"], random_state_of(rng)
            # Of another kind it is refused in a moment, with the rest of the settings.
            if before.keys() == now.keys() and before["bit_generator"] == now["bit_generator"]:
                set_random_state(rng, before)
        self._random = random_state_of(rng)

    def begin(self, run: TrainingRun, content: dict[str, Any], rng: Any) -> Position | None:
        """Take a training on; where one is gone on with, its position.

        Parameters
        ----------
        run : TrainingRun
        content : dict
            The settings and the data's digests, which must be those of the checkpoint.
        rng : Generator or RandomState
            Its first draws are done; it is to go on where it was.
        """
        self._run, self._content, self._variables = run, content, tuple(run.state)
        if self.stored is None:
            self.folder.refuse_little_room(sum(value.nbytes for value in run.state.values()))
            return None
        source = str(self.stored.path)
        check_setup({k: v for k, v in self.stored.content.items() if k in content}, content, source)
        position, records = unpack(self.stored, self._variables)
        run.history.records[:] = records
        set_random_state(rng, position.random)
        self._written = position.steps
        return position

    def hand_back(self, position: Position) -> None:
        """Give callbacks what they kept."""
        assert self._run is not None
        assert self.stored is not None
        hand_back(position.callbacks, self._run.callbacks, str(self.stored.path))
        self.stored = None

    def epochs_ahead(self, done: int) -> float:
        """How many epochs may be computed in one go, so many being done."""
        every = self.checkpoint.every_epochs
        return float("inf") if every is None else every - done % every

    def paced(self, batches: int, seconds: float) -> None:
        """So many batches took so long: settle how many come next."""
        assert self.checkpoint.every_seconds is not None
        goal = min(self.checkpoint.every_seconds / 4, LONGEST_PIECE)
        # At most doubled: the first batches may have been quick or slow for reasons of their own.
        self.batches = max(1, min(2 * self.batches, int(batches * goal / max(seconds, 1e-9))))
        self._piece = seconds * self.batches / batches

    def is_due(self, epoch: int, batches: int = 0) -> bool:
        """Whether a checkpoint is to be written after so many whole epochs and batches of the next."""
        every, seconds = self.checkpoint.every_epochs, self.checkpoint.every_seconds
        by_epochs = every is not None and not batches and epoch % every == 0
        # Before the time is over, where it would be after another piece.
        return by_epochs or (seconds is not None and time.perf_counter() - self._last + self._piece >= seconds)

    def note(self, position: Position) -> None:
        """Remember a position, and write it down where that is due."""
        self._latest = position
        if self.is_due(position.epoch, position.batches):
            self._write(position)

    def settle(self) -> None:
        """Wait for the checkpoint that is being written: of two epochs, one at least is on the disk."""
        if self._writer is None:
            return
        began = time.perf_counter()
        self._writer.join()
        self._writer = None
        now = time.perf_counter()
        self._waited += now - began
        failure, self._failure = self._failure, None
        if isinstance(failure, OSError | FileError):
            self._warn_of_failure(failure)
        elif failure is not None:
            raise failure
        self._warn_of_waiting(now - self._begun)

    def close(self) -> None:
        """Write the last position, if it is not, and let others use the folder."""
        try:
            self.settle()
            if self._latest is not None and self._latest.steps != self._written:
                self._write(self._latest)
                self.settle()
        finally:
            self.folder.close()

    def _find(self, resume: bool) -> Any:
        if not resume:
            there = self.folder.checkpoints()
            if there:
                raise FileError(
                    f"{self.folder.path} holds the checkpoints of a former training, the newest {there[-1].name}: "
                    "resume=True goes on with it; choose another folder, or move them away, to begin anew"
                )
            return None
        found = self.folder.newest()
        if found is not None and found.refused:
            reasons = "; ".join(map(str, found.refused))
            warnings.warn(f"{reasons}. Training goes on from {found.path} instead.", CheckpointWarning, stacklevel=5)
        return found

    def _write(self, position: Position) -> None:
        self.settle()
        assert self._run is not None
        plain, arrays = pack(position, self._variables, self._run.history, self._lines)
        content = {**self._content, "random": self._random, "position": plain}

        def write() -> None:
            try:
                self.folder.write(position.steps, arrays, content, self.checkpoint.keep)
                self._written = position.steps
            except BaseException as error:
                self._failure = error

        self._last = time.perf_counter()
        self._writer = threading.Thread(target=write, name="checkpoint")
        self._writer.start()

    def _warn_of_failure(self, failure: Exception) -> None:
        if not self._warned_of_failure:
            self._warned_of_failure = True
            warnings.warn(
                f"{failure}. Training goes on; the next checkpoint tries again.", CheckpointWarning, stacklevel=2
            )

    def _warn_of_waiting(self, seconds: float) -> None:
        if seconds > SOME_SECONDS and self._waited > MUCH_WAITING * seconds and not self._warned_of_waiting:
            self._warned_of_waiting = True
            warnings.warn(
                f"{self._waited / seconds:.0%} of the time goes by in waiting for checkpoints, for an epoch is shorter "
                f"than writing one: Checkpoint({os.fspath(self.checkpoint.folder)!r}, every_seconds=10) costs next to "
                "nothing",
                CheckpointWarning,
                stacklevel=2,
            )
