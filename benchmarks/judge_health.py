"""How right the verdict of gradient health is: nets built to fail in one way each, and healthy runs.

Prints the confusion matrix: a row for what a net was built for, a column for the first finding of its verdict. The
thresholds were fixed on the seeds below 1000 (``--development``); those from 5000 on judge them.

    python benchmarks/judge_health.py [--development] [--failing 40] [--healthy 100] [--verbose]
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np
from health_cases import KINDS, Case, draw
from tables import console, machine, new_table

from diaphane.insight import GradientHealth

LEARNT = 0.75
"""Share of its first loss, or of a constant output's, that a healthy run ends below."""


def judged(case: Case) -> tuple[list[str], bool]:
    """The kinds of a run's findings, causes first, and whether it learnt."""
    health = GradientHealth()
    losses = case.run(health)
    found = [finding.kind for finding in health.verdict()]
    start = max([health.looks[0].constant_loss, *losses[:1]])
    return found, bool(np.isfinite(losses[-1]) and losses[-1] < LEARNT * start)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--development", action="store_true", help="the seeds that thresholds were fixed on")
    parser.add_argument("--failing", type=int, default=40, help="nets of each way to fail")
    parser.add_argument("--healthy", type=int, default=100, help="healthy runs")
    parser.add_argument("--seed", type=int, default=5000, help="the first one")
    parser.add_argument("--verbose", action="store_true", help="what was judged wrongly")
    asked = parser.parse_args()
    started, first = time.process_time(), 0 if asked.development else asked.seed
    firsts, named, passed_over, warned = Counter[tuple[str, str]](), Counter[str](), 0, 0
    for kind in KINDS:
        wanted, seed = asked.healthy if kind == "healthy" else asked.failing, first
        while wanted:
            case = draw(kind, seed)
            found, learnt = judged(case)
            seed += 1
            if kind == "healthy" and not learnt:
                passed_over, warned = passed_over + 1, warned + bool(found)
                if asked.verbose:
                    console.print(f"not learnt: {case.words}: {found}")
                continue
            wanted -= 1
            verdict = found[0] if found else "healthy"
            firsts[kind, verdict] += 1
            named[kind] += kind in found or (kind == "healthy" and not found)
            if asked.verbose and verdict != kind:
                console.print(f"{kind} → {found} (seed {seed - 1}): {case.words}")
    columns = [*KINDS, *sorted({verdict for _, verdict in firsts} - set(KINDS))]
    console.print(machine("numpy"))
    table = new_table(
        f"built for (rows), first finding (columns); seeds from {first}", "", *columns, "among the findings",
        caption=f"{passed_over} sane runs did not learn ({warned} of them with findings) and are not counted; "
        f"{time.process_time() - started:.0f} s of CPU",
    )  # fmt: skip
    for kind in KINDS:
        total = sum(firsts[kind, c] for c in columns)
        table.add_row(kind, *(str(firsts[kind, c] or "·") for c in columns), f"{named[kind]}/{total}")
    console.print(table)
    alarms = 1 - firsts["healthy", "healthy"] / max(asked.healthy, 1)
    console.print(f"false alarms: {100 * alarms:.1f} % of {asked.healthy} healthy runs (at most 5 %)")


if __name__ == "__main__":
    main()
