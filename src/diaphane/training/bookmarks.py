"""A training that pauses after some epochs and goes on later, its position kept in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files.plain import decode_plain
from ..files.runs import StoredRun
from .callbacks import Callback
from .checkpoints import Keeper
from .positions import HistoryLines, Position, pack, unpack
from .random_states import random_state_of, set_random_state

if TYPE_CHECKING:
    from .run import TrainingRun

__all__ = ["Bookmark"]

PAUSED = "paused"
"""What a history says of a training that a bookmark has paused."""


class Bookmark:
    """Where a training stands, in memory: a trainer's or an estimator's ``checkpoint`` that pauses it.

    A fit ends after epoch ``until``; the next one with a later ``until`` goes on from there, to the very bits of a
    training that was never paused, as one from a checkpoint's folder does. Number of epochs and schedule are those of
    the whole training from the start. The data and the settings must be the same: nothing is compared.

    Parameters
    ----------
    until : int
        The epoch to pause after.

    Attributes
    ----------
    epochs : int
        How many are done.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from diaphane.estimators import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> mark = Bookmark(until=2)
    >>> model = MLPClassifier(max_iter=10, random_state=0, checkpoint=mark)
    >>> model.fit(X, y).n_iter_, model.history_.stopped
    (2, 'paused')
    >>> mark.go_on(until=5)
    >>> model.fit(X, y).n_iter_, mark.epochs
    (5, 5)
    """

    def __init__(self, until: int) -> None:
        self.until = until
        self.stored: StoredRun | None = None
        self._in_use = False

    @property
    def epochs(self) -> int:
        return 0 if self.stored is None else int(self.stored.content["position"]["epoch"])

    def go_on(self, until: int) -> None:
        """Let the next fit go on to a later epoch."""
        self.until, self._in_use = until, False

    def keeper(self, resume: bool = True) -> Keeper:
        """What keeps the fit that begins now.

        Raises
        ------
        ValueError
            If a fit was kept already since the last :meth:`go_on`: a bookmark is of one training.
        """
        if self._in_use:
            raise ValueError(
                "more than one training would go on from one bookmark: only an estimator that trains one network a fit "
                "can be paused"
            )
        self._in_use = True
        return _BookmarkKeeper(self)

    def __deepcopy__(self, memo: Any) -> Bookmark:
        # An estimator within another is cloned for each fit, and the clone's training is the one that goes on.
        return self


class _Pause(Callback):
    """Stops a training after an epoch, unless it has stopped by itself."""

    def __init__(self, until: int) -> None:
        self.until, self.done, self.paused = until, 0, False

    def on_fit_start(self, run: TrainingRun) -> None:
        self.done = run.epoch

    def on_epoch_end(self, run: TrainingRun) -> None:
        self.done = run.epoch
        if run.epoch >= self.until and not run.stopping:
            self.paused = True
            run.stop(PAUSED)

    def epochs_ahead(self) -> float:
        return max(1, self.until - self.done)


class _BookmarkKeeper(Keeper):
    """A keeper without a folder."""

    checks_setup = False

    def __init__(self, bookmark: Bookmark) -> None:
        self.bookmark, self.stored = bookmark, bookmark.stored
        self._pause = _Pause(bookmark.until)
        self.callbacks = [self._pause]
        self._random: dict[str, Any] = {}
        self._run: TrainingRun | None = None
        self._latest: Position | None = None

    def begin(self, run: TrainingRun, content: dict[str, Any], rng: Any) -> Position | None:
        self._run, self._variables = run, tuple(run.state)
        if self.stored is None:
            return None
        position, records = unpack(self.stored, self._variables)
        run.history.records[:] = records
        set_random_state(rng, position.random)
        return position

    @property
    def by_clock(self) -> bool:
        return False

    def begin_random(self, rng: Any) -> None:
        if self.stored is not None:
            set_random_state(rng, self.stored.content["random"])
        self._random = random_state_of(rng)

    def epochs_ahead(self, done: int) -> float:
        return float("inf")

    def note(self, position: Position) -> None:
        # A pause is not the training's end.
        self._latest = replace(position, stopping=False, stopped="epochs") if self._pause.paused else position

    def settle(self) -> None:
        """Nothing is written beside the training."""

    def close(self) -> None:
        if self._latest is None or self._run is None:
            return
        plain, arrays = pack(self._latest, self._variables, self._run.history, HistoryLines())
        plain["callbacks"] = decode_plain(plain["callbacks"])
        content = {"random": self._random, "position": plain}
        self.bookmark.stored = StoredRun(Path("the bookmark"), content, arrays)
