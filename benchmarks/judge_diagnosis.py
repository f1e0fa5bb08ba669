"""How right a diagnosis in words is: thirteen kinds of trouble, and health, on rows made for it; and the real tables.

Prints the confusion matrix: a row for what a run was built for, a column for the first finding. The thresholds were
fixed on the seeds below 1000 (``--development``) and on 5000 to 5030, where an earlier version was judged; those from
9000 on judge them.

    python benchmarks/judge_diagnosis.py [--development] [--trouble 8] [--healthy 60] [--as-fitted] [--verbose]
    python benchmarks/judge_diagnosis.py --tables
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import Counter

import pandas as pd
from datasets import data_folder
from diagnosis_cases import EXPECTED, KINDS, draw
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tables import console, machine, new_table

from diaphane.estimators import MLPClassifier, MLPRegressor
from diaphane.selection import diagnose

TABLES = {
    "german_credit.csv": (None, -1, "class"),
    "phoneme.csv": (None, -1, "class"),
    "horse_colic.csv": (None, -1, "class"),
    "auto_imports.csv": (None, -1, "number"),
    "winequality_white.csv": (0, -1, "number"),
    "adult_train.csv": (0, -1, "class"),
    "beijing_pm25.csv": (0, 5, "number"),
}
"""Whether there is a header, which column is the target, and what it is."""
MOST_ROWS = 5000


def judge_tables() -> None:
    """Two networks a table: one as one would choose it, and one that is trained long without any penalty."""
    for name, (header, place, target) in TABLES.items():
        path = data_folder() / name
        if not path.exists():
            console.print(f"{path} is not there: set DIAPHANE_DATA to the folder that holds it")
            continue
        rows = pd.read_csv(path, header=header, na_values="?", skipinitialspace=True)
        rows.columns = [str(column) for column in rows.columns]
        rows = rows[rows.iloc[:, place].notna()]
        rows = rows.sample(MOST_ROWS, random_state=0) if len(rows) > MOST_ROWS else rows
        x, y = rows.drop(columns=rows.columns[place]), rows.iloc[:, place].to_numpy()
        if target == "number":
            y = (y - y.mean()) / y.std()
        kind = MLPClassifier if target == "class" else MLPRegressor
        for words, settings in (
            ("early stopping", {"early_stopping": True, "n_iter_no_change": 20}),
            ("no penalty, 200 epochs", {"alpha": 0.0, "tol": 0.0, "n_iter_no_change": 1000}),
        ):
            network = kind(
                hidden_layer_sizes=(64,),
                learning_rate_init=0.005,
                batch_size=64,
                max_iter=200,
                random_state=0,
                **settings,
            )
            model = make_pipeline(_to_numbers(x), network)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                started = time.perf_counter()
                diagnosis = diagnose(model.fit(x, y), x, y, random_state=0)
            console.print(f"[bold]{name}, {words}, {time.perf_counter() - started:.0f} s[/]")
            console.print(str(diagnosis), markup=False, highlight=False)
            console.print()


def _to_numbers(x: pd.DataFrame) -> ColumnTransformer:
    numeric = list(x.select_dtypes("number").columns)
    words = [column for column in x.columns if column not in numeric]
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), numeric),
            ("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False), words),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--development", action="store_true", help="the seeds that thresholds were fixed on")
    parser.add_argument("--trouble", type=int, default=8, help="runs of each kind of trouble")
    parser.add_argument("--healthy", type=int, default=60, help="healthy runs")
    parser.add_argument("--seed", type=int, default=9000, help="the first one")
    parser.add_argument("--as-fitted", action="store_true", help="refit=False; runs without validation rows are none")
    parser.add_argument("--kinds", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--tables", action="store_true", help="the real tables alone")
    parser.add_argument("--verbose", action="store_true", help="what was judged wrongly")
    asked = parser.parse_args()
    console.print(machine("numpy", "scikit-learn"))
    if asked.tables:
        judge_tables()
        return
    started, first = time.process_time(), 0 if asked.development else asked.seed
    firsts, named, unlike = Counter[tuple[str, str]](), Counter[str](), Counter[str]()
    for kind in asked.kinds:
        wanted, seed = asked.healthy if kind == "healthy" else asked.trouble, first
        while wanted:
            case = draw(kind, seed)
            model, seed = case.fitted(), seed + 1
            if (asked.as_fitted and case.validation is None) or not case.confirmed(model):
                unlike[kind] += 1
                continue
            wanted -= 1
            found = [
                finding.kind
                for finding in diagnose(
                    model,
                    case.x,
                    case.y,
                    validation_data=case.validation,
                    refit=not asked.as_fitted,
                    random_state=seed,
                ).findings
            ]
            firsts[kind, found[0]] += 1
            named[kind] += EXPECTED[kind] in found
            if asked.verbose and found[0] != EXPECTED[kind]:
                console.print(f"{kind} → {found} (seed {seed - 1}): {case.words}"[:290], markup=False)
    columns = list(dict.fromkeys(EXPECTED.values()))
    table = new_table(
        f"built for (rows), first finding (columns); seeds from {first}", "",
        *[c.replace(" ", "\n") for c in columns], "among\nthem", "not\nlike it",
        caption=f"{time.process_time() - started:.0f} s of CPU",
    )  # fmt: skip
    for kind in asked.kinds:
        total = sum(firsts[kind, c] for c in columns)
        counts = (str(firsts[kind, c] or "·") for c in columns)
        table.add_row(kind, *counts, f"{named[kind]}/{total}", str(unlike[kind] or "·"))
    console.print(table)
    troubles = [k for k in asked.kinds if k != "healthy"]
    right, of = sum(firsts[k, EXPECTED[k]] for k in troubles), asked.trouble * len(troubles)
    if of:
        console.print(
            f"first finding right: {right} of {of} ({100 * right / of:.0f} %), named: {sum(named[k] for k in troubles)}"
        )
    if "healthy" in asked.kinds and asked.healthy:
        alarms = asked.healthy - firsts["healthy", "well fitted"]
        share = 100 * alarms / asked.healthy
        console.print(f"false alarms: {alarms} of {asked.healthy} healthy runs ({share:.1f} %; at most 5 %)")


if __name__ == "__main__":
    main()
