"""How candidates are chosen: all of a grid, at random, by halving, or by what is known so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_samples

from ...estimators.parameters import check_choice, check_integer, check_number
from .bayes import Proposals
from .halving import Rung, epochs_parameters, rungs_for, smallest_sample, strongest, subsampled
from .session import Session
from .spaces import Space, draw, grid_of, is_list

if TYPE_CHECKING:
    from .search import Search

__all__ = ["RUN"]

AT_RANDOM, TO_HALVE = 10, 27
"""Candidates by default, of a random or Bayesian search and of halving."""

AT_ONCE = 4
"""Candidates of a Bayesian search between two looks at the scores: the same on any number of cores."""


def run_grid(search: Search, session: Session, space: Space) -> None:
    """Every combination."""
    session.evaluate(grid_of(space))


def run_random(search: Search, session: Session, space: Space) -> None:
    """Draws from the space."""
    session.evaluate(draw(space, _count(search, AT_RANDOM), search.random_state))


def run_bayes(search: Search, session: Session, space: Space) -> None:
    """Some at once, the next ones from what came of all before."""
    left = _count(search, AT_RANDOM)
    proposals = Proposals(space, int(check_random_state(search.random_state).randint(2**31 - 1)))
    while left:
        rows = session.evaluate(proposals.ask(min(left, AT_ONCE)))
        proposals.tell(session.scores(rows))
        left -= len(rows)


def run_halving(search: Search, session: Session, space: Space) -> None:
    """All a little, the better ones more."""
    check_number("factor", search.factor, 1, low_open=True)
    check_choice("resource", search.resource, ("epochs", "n_samples"))
    if is_list(space) and search.n_iter is None:
        candidates = grid_of(space)
    else:
        candidates = draw(space, _count(search, TO_HALVE), search.random_state)
    deal = _deal_epochs if search.resource == "epochs" else _deal_rows
    deal(search, session, candidates)


def _deal_epochs(search: Search, session: Session, candidates: list[dict[str, Any]]) -> None:
    """Each rung trains on to a later epoch."""
    limit, mark = epochs_parameters(session.base)
    if any(limit in params for params in candidates):
        raise ValueError(f"{limit} is what halving deals out: take it out of the space, and set it on the estimator")
    most = check_integer(limit, session.base.get_params()[limit])
    least = 1 if search.min_resource is None else check_integer("min_resource", search.min_resource)
    if least > most:
        raise ValueError(f"min_resource={least} epochs for the first rung are more than {limit}={most}")
    former: list[int] | None = None
    rungs = rungs_for(len(candidates), least, most, search.factor)
    for i, (rung, after) in enumerate(zip_longest(rungs, rungs[1:])):
        shown = {limit: rung.resource}
        rows = session.evaluate(
            candidates, more=_columns(i, rung), shown=shown, pause=(mark, rung.resource), former=former
        )
        best = _promoted(session, rows, after)
        session.forget([row for k, row in enumerate(rows) if k not in best])
        candidates, former = [candidates[k] for k in best], [rows[k] for k in best]
        if not best:
            return


def _deal_rows(search: Search, session: Session, candidates: list[dict[str, Any]]) -> None:
    """Each rung trains afresh on more rows."""
    most = int(_num_samples(session.data.X))
    least = smallest_sample(session.base, session.data.y, len(session.splits))
    if search.min_resource is not None:
        least = check_integer("min_resource", search.min_resource)
    if least > most:
        raise ValueError(
            f"the first rung of halving needs {least} rows (by default two for each class in each of the "
            f"{len(session.splits)} folds), and there are {most}: take fewer folds, a smaller min_resource, "
            "resource='epochs' or another strategy"
        )
    rungs = rungs_for(len(candidates), least, most, search.factor)
    for i, (rung, after) in enumerate(zip_longest(rungs, rungs[1:])):
        splits = subsampled(session.splits, rung.resource / most, search.random_state)
        rows = session.evaluate(candidates, splits=splits, more=_columns(i, rung))
        candidates = [candidates[k] for k in _promoted(session, rows, after)]
        if not candidates:
            return


def _promoted(session: Session, rows: Sequence[int], after: Rung | None) -> list[int]:
    """Which of these come to the next rung, in their order; of those that failed none does."""
    if after is None:
        return []
    best = strongest(session.scores(rows), after.candidates)
    return sorted(k for k in best if not session.has_failed(rows[k]))


def _columns(i: int, rung: Rung) -> dict[str, int]:
    return {"iter": i, "n_resources": rung.resource}


def _count(search: Search, default: int) -> int:
    return default if search.n_iter is None else check_integer("n_iter", search.n_iter)


RUN: dict[str, Callable[[Search, Session, Space], None]] = {
    "grid": run_grid,
    "random": run_random,
    "halving": run_halving,
    "bayes": run_bayes,
}
"""What each strategy does."""
