"""``diaphane search``: the best settings of a network for a table, by cross-validation."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...data import ColumnEncoder, TargetScaler, choose_target
from ...data.errors import closest
from ...graph.node import Array
from ...selection.metrics import Metric
from ..errors import UserError
from ..options import Options
from ..options.config import dump_config
from ..parts import Parts, divide
from ..scoring import Judge, choose_metric
from ..tabular import labels_of
from ..training import make_writable, plain_console, read_source, read_test_file, train_and_write
from ..writing import write_text
from .folds import folds_of, refuse_small_classes
from .results import Result, as_csv, tell_results
from .spaces import PARAMETERS, Space, default_space, read_space, settings_of

__all__ = ["SearchOptions", "search"]

STRATEGIES = ("halving", "random", "grid", "bayes")
CANDIDATES = 27
MOST_CANDIDATES = 100_000
FEW_EPOCHS, MANY_EPOCHS, MANY_ROWS = 81, 243, 2000
"""An epoch of few rows has few steps. Powers of three: halving gives a third of them to a rung's next one."""
RESULTS, BEST = "search.csv", "best.toml"


@dataclass(frozen=True)
class SearchOptions:
    """What a person may set of a search; the rest is that of ``diaphane train``.

    Attributes
    ----------
    strategy : str
    candidates : int or None
    folds : int
    epochs : int or None
        Of a candidate that comes to the end; by the number of rows where none is given.
    words : sequence of str
        ``name=values``, of ``--try``.
    space : Path or None
    threads : int or None
    """

    strategy: str = "halving"
    candidates: int | None = None
    folds: int = 5
    epochs: int | None = None
    words: Sequence[str] = ()
    space: Path | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            hint = closest(self.strategy, STRATEGIES)
            raise UserError(f"--strategy must be one of {', '.join(STRATEGIES)}; got {self.strategy!r}.{hint}")
        if self.strategy == "grid" and self.candidates is not None:
            raise UserError("--candidates is for draws, and a grid tries every combination; leave it out")
        for name, least in (("candidates", 1), ("folds", 2), ("threads", 1), ("epochs", 1)):
            value = getattr(self, name)
            if value is not None and not least <= value <= MOST_CANDIDATES:
                raise UserError(f"--{name} must be from {least} to {MOST_CANDIDATES}, got {value}")


def search(options: Options, wanted: SearchOptions) -> None:
    """Search, train the best anew, say what came of it, and write.

    Raises
    ------
    UserError
        For what cannot be searched for, before anything is trained; or if no candidate could be judged.
    KeyboardInterrupt
        When interrupted, after what is known was told and written.
    """
    assert options.source is not None
    space = read_space(wanted.words, wanted.space, grid=wanted.strategy == "grid")
    table = read_source(options.source, header=not options.no_header)
    test = read_test_file(options)
    make_writable(options.out, "--out")
    target = choose_target(table, options.target, options.task)
    metric = choose_metric(options.metric, target)
    parts = divide(table, target, options.seed, test, learn_from_both=True)
    refuse_small_classes(target, parts.train.y, wanted.folds)
    console = plain_console()
    rest = len(parts.of["test"])
    where = (
        "set aside first: they are looked at once, at the end" if test is None else f"of {test.path} wait for the end"
    )
    console.print(f"{options.source}: {rest} test rows {where}; {len(parts.train)} rows in {wanted.folds} folds")
    judged = Judge(metric, len(target.labels))
    crossed = _Crossed(parts, judged, wanted, options.seed)
    interrupted = crossed.run(space or _default(wanted, len(parts.train)))
    found = crossed.results()
    if not found and not interrupted:
        raise UserError(f"no candidate has a {metric.title} on every fold; take fewer --folds, or another --metric")
    if not found:
        raise KeyboardInterrupt
    tell_results(console, found, crossed.baseline(), score=metric.title, baseline_name=judged.baseline_name)
    best = replace(options, model="mlp", epochs=crossed.epochs, **settings_of(found[0].settings))
    write_text(options.out / RESULTS, as_csv(found))
    write_text(options.out / BEST, dump_config(best))
    written = [options.out / RESULTS, options.out / BEST]
    notes = [*crossed.notes, "the best was chosen by its folds, whose score is too good for that; the test rows tell"]
    if interrupted:
        for note in crossed.notes:
            console.print(f"note: {note}")
        for path in written:
            console.print(f"wrote {path}")
        console.print(
            f"interrupted: what is known so far; diaphane train --config {options.out / BEST} trains the best"
        )
        raise KeyboardInterrupt
    train_and_write(best, table, test, console, notes=notes, written=written, search=crossed.search)


def _default(wanted: SearchOptions, rows: int) -> Space:
    space = default_space(rows)
    if wanted.strategy != "grid":
        return space
    # One, two and three layers of other widths each: a grid of all would take hours.
    return {"learning_rate": [1e-3, 3e-3, 1e-2], "alpha": [1e-4, 1e-2, 1.0], "hidden": space["hidden"][::5]}


@dataclass(frozen=True)
class _OfScaled:
    """A scorer of an estimator that predicts a scaled number: greater is better."""

    metric: Metric
    scaler: TargetScaler | None

    def __call__(self, estimator: Any, X: Array, y: Array) -> float:
        if self.scaler is None:
            return float(self.metric.scorer(estimator, X, y))
        value = self.metric.measure(self.scaler.inverse(y), self.scaler.inverse(estimator.predict(X)))
        return value if self.metric.greater_is_better else -value


class _Crossed:
    """The candidates over folds of the rows to learn from, whose columns are encoded once, without the test rows."""

    def __init__(self, parts: Parts, judge: Judge, wanted: SearchOptions, seed: int) -> None:
        self.parts, self.judge, self.wanted, self.seed = parts, judge, wanted, seed
        train, target = parts.train, parts.target
        self.encoder = ColumnEncoder.fit(train.features)
        self.x = self.encoder.transform(train.features)
        self.scaler = None if target.labels else TargetScaler.fit(train.y)
        self.y = labels_of(target, train.y) if self.scaler is None else self.scaler.transform(train.y)
        self.folds = folds_of(target, train, wanted.folds, seed)
        self.epochs = wanted.epochs or (FEW_EPOCHS if len(train) >= MANY_ROWS else MANY_EPOCHS)
        self.notes: list[str] = []
        self.search: Any = None

    def run(self, space: Space) -> bool:
        """Search; whether it was interrupted.

        Raises
        ------
        UserError
            If the space and the strategy do not fit each other, or no candidate could be trained.
        """
        from sklearn.exceptions import FitFailedWarning

        from ...selection import Search

        wanted = self.wanted
        own = {PARAMETERS[name]: values for name, values in space.items()}
        draws = wanted.candidates if wanted.strategy != "grid" else None
        if wanted.strategy in ("random", "bayes", "halving") and draws is None:
            draws = CANDIDATES
        self.search = Search(
            self._network(),
            own,
            strategy=wanted.strategy,
            n_iter=draws,
            cv=self.folds,
            scoring=_OfScaled(self.judge.metric, self.scaler),
            refit=False,
            random_state=self.seed,
            n_jobs=wanted.threads,
            verbose=1,
        )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                self.search.fit(self.x, self.y)
            except KeyboardInterrupt:
                return True
            except (ValueError, TypeError, ImportError) as error:
                raise UserError(_plainly(str(error))) from None
            finally:
                failed = [str(w.message) for w in caught if issubclass(w.category, FitFailedWarning)]
                self.notes += [_plainly(text) for text in failed]
        return False

    def _network(self) -> Any:
        from ...estimators import MLPClassifier, MLPRegressor

        usual, epochs = Options(), self.epochs
        return (MLPClassifier if self.scaler is None else MLPRegressor)(
            hidden_layer_sizes=usual.hidden,
            activation=usual.activation,
            alpha=usual.alpha,
            weight_init="he_normal",
            momentum=0.0,
            nesterovs_momentum=False,
            max_iter=epochs,
            # All epochs, to judge settings by: a tenth of a fold's rows would say too little of when to stop.
            tol=0.0,
            n_iter_no_change=epochs,
        )

    def results(self) -> list[Result]:
        """The best first; of halving those first that came furthest."""
        table = getattr(self.search, "cv_results_", None)
        if table is None:
            return []
        names = {parameter: name for name, parameter in PARAMETERS.items()}
        sign = 1 if self.judge.metric.greater_is_better else -1
        found = []
        for i, params in enumerate(table["params"]):
            scores = tuple(sign * float(table[f"split{k}_test_score"][i]) for k in range(len(self.folds)))
            epochs = int(table["n_resources"][i]) if "n_resources" in table else self.epochs
            settings = {names[name]: value for name, value in params.items() if name in names}
            seconds = float(table["mean_fit_time"][i]) * len(self.folds)
            found.append(Result(settings, epochs, scores, seconds))
        # One that failed has no score.
        return sorted((r for r in found if np.isfinite(r.mean)), key=lambda r: (-r.epochs, -sign * r.mean))

    def baseline(self) -> Result:
        """What needs no learning, on the same folds."""
        y = self.parts.train.y
        scores = tuple(self.judge.baseline(y[held], y[learnt]) for learnt, held in self.folds)
        return Result({}, 0, scores, 0.0)


def _plainly(text: str) -> str:
    """What a search says, in the words of the command."""
    text = text.split("The first of them:")[0].strip()
    for ours, theirs in (
        ("strategy='bayes'", "--strategy bayes"),
        ("n_iter", "--candidates"),
        ("max_iter", "--epochs"),
    ):
        text = text.replace(ours, theirs)
    for name, parameter in sorted(PARAMETERS.items(), key=lambda pair: -len(pair[1])):
        if name != parameter:
            text = text.replace(f"{parameter}=", f"{name}=")
    return " ".join(text.split())
