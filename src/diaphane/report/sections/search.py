"""What a search tried."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..markup import LONGEST, clean, joined, paragraph, table
from ..numbers import number, plural, seconds
from ..section import Kind, Section
from ..subject import Subject

__all__ = ["SEARCH"]

MOST = 12


def _made(subject: Subject) -> Section | None:
    search = subject.search if subject.search is not None else subject.estimator
    results = getattr(search, "cv_results_", None)
    if results is None:
        return None
    score = _score_name(search, results)
    ranks = np.asarray(results[f"rank_{score}"])
    means, spreads = np.asarray(results[f"mean_{score}"], float), np.asarray(results[f"std_{score}"], float)
    names = sorted({name for params in results["params"] for name in params})
    rungs = [name for name in ("iter", "n_resources") if name in results]
    # Of a halving the later rungs are the ones that count: scores of different rungs are not alike.
    order = np.lexsort((ranks, -np.asarray(results["iter"]) if "iter" in results else np.zeros(len(ranks))))
    rows = []
    for i in order[:MOST]:
        params = results["params"][i]
        cells: list[Any] = [clean(_value(params.get(name)), LONGEST) for name in names]
        cells += [str(results[name][i]) for name in rungs]
        rows.append(
            [str(ranks[i]), *cells, number(means[i]), number(spreads[i], 2), seconds(results["mean_fit_time"][i])]
        )
    head = ["rank", *(clean(name, LONGEST) for name in names), *rungs, "mean score", "±", "time to fit"]
    folds = getattr(search, "n_splits_", None)
    best = getattr(search, "best_params_", None)
    said = paragraph(
        f"{plural(len(ranks), 'candidate')}",
        f", {plural(folds, 'fold')} each" if folds else "",
        f". The best: {clean(', '.join(f'{k} = {_value(v)}' for k, v in best.items()), 300)}." if best else ".",
    )
    shown = table(
        head, rows, caption="What was tried", total=len(ranks), what="candidates", order="best",
        words=list(range(1, len(names) + 1)),
    )  # fmt: skip
    return Section(
        "Look whether the best stands at the edge of what was tried (then try beyond it), and how little parts it from "
        "the next.",
        joined(said, shown),
    )


def _score_name(search: Any, results: Any) -> str:
    """The score of several by which the best was chosen."""
    refit = getattr(search, "refit", None)
    if isinstance(refit, str) and f"mean_test_{refit}" in results:
        return f"test_{refit}"
    return next(str(name).removeprefix("mean_") for name in results if name.startswith("mean_test_"))


def _value(value: Any) -> str:
    return number(value) if isinstance(value, float) else str(value)


SEARCH = Kind("search", "What the search tried", _made)
