"""Training on a Parquet file of more rows than are ever in memory, beside the same rows from memory.

A file of 30 million rows and 20 columns of float32 (2.5 GB) is written to a temporary folder, a million rows a row
group, and deleted in the end. Each measurement is a process of its own, which loads libraries and kernels before the
clock starts: one epoch of a 20-64-1 network (batches of 256, Adam), and one pass of logistic regression. The file's
pages are dropped from the page cache before it is read. "Peak" is the most memory the process ever had (VmHWM); "speed"
is the rows a second beside those of as many rows in memory as fit, the median of the rounds.

    python benchmarks/bench_larger_than_memory.py [--quick] [--rows 30000000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from tables import console, machine, new_table, verdict

FEATURES, GROUP_ROWS, BATCH = 20, 1_000_000, 256
MOST_IN_MEMORY = 10_000_000
TARGET_SPEED, TARGET_PEAK = 0.60, 768
MODELS = {"network": "20-64-1, one epoch", "logistic": "logistic regression, one pass"}


def block(group: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Normal features, and classes that a curved surface and some noise tell apart."""
    rng = np.random.default_rng([7, group])
    x = rng.standard_normal((rows, FEATURES), dtype=np.float32)
    score = x[:, 0] * x[:, 1] + x[:, 2] - 0.5 * x[:, 3] + 0.5 * rng.standard_normal(rows, dtype=np.float32)
    return x, (score > 0).astype(np.float32)


def write(path: Path, rows: int) -> None:
    """The file, a row group at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [*(f"x{i}" for i in range(FEATURES)), "y"]
    schema = pa.schema([(name, pa.float32()) for name in names])
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as file:
        for group, start in enumerate(range(0, rows, GROUP_ROWS)):
            x, y = block(group, min(GROUP_ROWS, rows - start))
            file.write_table(pa.table([*np.ascontiguousarray(x.T), y], schema=schema), row_group_size=GROUP_ROWS)


def in_memory(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The first rows of the file, as arrays."""
    x, y = np.empty((rows, FEATURES), np.float32), np.empty(rows, np.float32)
    for group, start in enumerate(range(0, rows, GROUP_ROWS)):
        here = slice(start, min(start + GROUP_ROWS, rows))
        x[here], y[here] = block(group, here.stop - start)
    return x, y


def fit_network(x: Any, y: Any) -> float:
    """Train one epoch; the mean loss."""
    import diaphane as dia
    from diaphane.training import Trainer

    layers = dia.nn.Sequential([dia.nn.Dense(64, "relu"), dia.nn.Dense(1)])
    network = dia.nn.Network(layers, (FEATURES,))
    trainer = Trainer(network, "binary_cross_entropy", "adam", batch_size=BATCH, epochs=1, random_state=0)
    return float(trainer.fit(x, y if y is None else y[:, None]).history.last("loss"))


def fit_logistic(x: Any, y: Any) -> float:
    """Go over the rows once; the mean loss."""
    from diaphane.estimators.linear import LinearClassifier

    model = LinearClassifier("logistic", max_iter=1, tol=None, random_state=0)
    return float(model.fit(x, y if y is None else y.astype(np.int64)).loss_curve_[0])


def measure(model: str, source: str, rows: int) -> dict[str, float]:
    """One measurement, in this process."""
    from diaphane.data import open_stream

    fit = {"network": fit_network, "logistic": fit_logistic}[model]
    target: Any = ["y"] if model == "network" else "y"
    # Kernels are compiled, and libraries loaded, before the clock starts.
    if source == "memory":
        x, y = in_memory(rows)
        fit(x[:1000], y[:1000])
        started = time.perf_counter()
        loss = fit(x, y)
    else:
        with tempfile.TemporaryDirectory() as folder:
            few = Path(folder, "few.parquet")
            write(few, 1000)
            fit(open_stream(few, target=target), None)
        drop_pages(Path(source))
        started = time.perf_counter()
        loss = fit(open_stream(source, target=target), None)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "rows": rows, "loss": loss, "peak": peak_bytes()}


def drop_pages(path: Path) -> None:
    """Have the file read from the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)


def peak_bytes() -> float:
    """The most memory that this process ever had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def measured_apart(model: str, source: str, rows: int) -> dict[str, float]:
    """One measurement, in a process of its own."""
    command = [sys.executable, __file__, "--measure", model, "--source", source, "--rows", str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two million rows, one round")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", choices=list(MODELS), help=argparse.SUPPRESS)
    parser.add_argument("--source", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure, given.source, given.rows)))
        return
    rows = given.rows or (2_000_000 if given.quick else 30_000_000)
    show(rows, 1 if given.quick else given.rounds)


def show(rows: int, rounds: int) -> None:
    few = min(rows, MOST_IN_MEMORY)
    table = new_table("", "", "rows", "seconds", "ns a row", "loss", "peak MB", "", "speed", "")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.parquet")
        write(path, rows)
        console.print(machine("pyarrow"))
        console.print(f"{path.stat().st_size / 1e9:.2f} GB of Parquet: {rows:,} rows, {FEATURES} columns of float32")
        for model, label in MODELS.items():
            # In turn, so that what else the machine does meets both.
            pairs = [
                (measured_apart(model, "memory", few), measured_apart(model, str(path), rows)) for _ in range(rounds)
            ]
            speeds = [m["seconds"] / m["rows"] / (s["seconds"] / s["rows"]) for m, s in pairs]
            for name, found in (("memory", [m for m, _ in pairs]), ("Parquet", [s for _, s in pairs])):
                seconds, peak = median(f["seconds"] for f in found), max(f["peak"] for f in found)
                count = int(found[0]["rows"])
                cells = [f"{peak / 2**20:.0f}", "", "", ""]
                if name == "Parquet":
                    cells = [
                        *verdict(peak / 2**20, TARGET_PEAK, unit="", at_most=True),
                        *verdict(median(speeds), TARGET_SPEED),
                    ]
                table.add_row(
                    f"{label}, from {name}",
                    f"{count:,}",
                    f"{seconds:.2f}",
                    f"{seconds / count * 1e9:.0f}",
                    f"{found[0]['loss']:.4f}",
                    *cells,
                )
    console.print(table)


if __name__ == "__main__":
    main()
