"""Training under ``kill -9`` at random moments, again and again: what is lost, and whether the end has the same bits.

Each training is a process, killed after a random time and gone on from its checkpoints, until one comes to its end;
that is compared byte for byte with an undisturbed one, and the next training begins. Both engines, checkpoints after
each epoch and by the clock, in turn.

    python benchmarks/soak_kill.py [--kills 200] [--seed 0]
"""

from __future__ import annotations

import argparse
import mmap
import os
import signal
import struct
import tempfile
import time
import traceback
from itertools import cycle
from pathlib import Path
from typing import Any

import numba  # noqa: F401 - loaded before the processes are forked, so that none of them waits for it
import numpy as np
import safetensors.numpy  # noqa: F401
import scipy.linalg  # noqa: F401
from tables import console, machine

from diaphane import engines, nn, optim  # noqa: F401
from diaphane.files.runs import RunFolder
from diaphane.training import Callback, Checkpoint, EarlyStopping, Trainer

ROWS, BATCH, EPOCHS = 2003, 8, 40
SECONDS = 0.2
"""Between checkpoints by the clock."""
SLACK = 0.25
"""Seconds that writing one may take on a busy machine."""
LONGEST_LIFE = 0.5
"""Seconds until a process is killed, at most."""
CASES = [(engine, every) for every in ("epoch", "clock") for engine in ("native", "reference")]


class Progress(Callback):
    """Tells whoever kills, in memory that both see, when each step and each epoch was done."""

    def __init__(self, shared: mmap.mmap) -> None:
        self.shared = shared

    def on_step_end(self, run: Any) -> None:
        struct.pack_into("<d", self.shared, 8 * (run.steps + 1), time.monotonic())
        struct.pack_into("<q", self.shared, 0, run.steps)


def fit(engine: str, checkpoint: Checkpoint | None, shared: mmap.mmap, to: Path) -> None:
    """Train, and write all that must be the same."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(ROWS, 6)), rng.normal(size=(ROWS, 2))
    network = nn.Network(nn.Sequential([nn.Dense(16, "tanh"), nn.Dropout(0.2), nn.Dense(2)]), (6,))
    trainer = Trainer(
        network,
        "squared_error",
        optim.Adam(0.01, schedule=optim.Cosine(5, multiplier=2)),
        batch_size=BATCH,
        epochs=EPOCHS,
        callbacks=[EarlyStopping(patience=EPOCHS), Progress(shared)],
        checkpoint=checkpoint,
        random_state=1,
        engine=engine,
    )
    result = trainer.fit(x, y, sample_weight=rng.random(ROWS), validation_fraction=0.1, resume=checkpoint is not None)
    records = [{k: v for k, v in record.items() if k != "seconds"} for record in result.history]
    values = b"".join(str(v.name).encode() + a.tobytes() for v, a in result.step_state.items())
    to.write_bytes(values + repr((records, result.steps, result.history.stopped)).encode())


def in_a_process(life: float | None, *arguments: Any) -> bool:
    """Fit in a process of its own, killed after so many seconds; whether it came to its end."""
    pid = os.fork()
    if not pid:
        try:
            fit(*arguments)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    if life is not None:
        time.sleep(life)
        os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code not in (0, -signal.SIGKILL):
        raise SystemExit(f"the training failed with {code}")
    return code == 0


def check_loss(folder: Path, every: str, shared: mmap.mmap, born: float) -> float:
    """Assert that no more than an interval is lost of what a process did; gives it, in epochs or seconds."""
    run = RunFolder(folder)
    found = run.newest()
    run.close()
    (steps,) = struct.unpack_from("<q", shared, 0)
    per_epoch = -(-(ROWS - round(0.1 * ROWS)) // BATCH)
    if found is None:
        done, epochs = 0, 0
    else:
        assert not found.refused, found.refused
        done, epochs = found.content["position"]["steps"], found.content["position"]["epoch"]
    if every == "epoch":
        lines = len((folder / "history.jsonl").read_text().splitlines()) if (folder / "history.jsonl").exists() else 0
        assert lines - epochs <= 1, f"epoch {lines} was over, the newest checkpoint is of {epochs}"
        return max(0.0, (steps - done) / per_epoch)
    if found is None or steps <= done:
        return 0.0
    last, kept = (struct.unpack_from("<d", shared, 8 * (k + 1))[0] for k in (steps, done))
    lost = float(last - max(kept, born))
    assert lost <= SECONDS + SLACK, f"{lost:.2f} s were lost"
    return lost


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng, kills, ends, worst = np.random.default_rng(arguments.seed), 0, 0, {"epoch": 0.0, "clock": 0.0}
    console.print(machine("numpy"))
    shared = mmap.mmap(-1, 8 * (2 + EPOCHS * ROWS))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        whole: dict[str, bytes] = {}
        for engine in ("native", "reference"):
            in_a_process(None, engine, None, shared, place / engine)
            whole[engine] = (place / engine).read_bytes()
        for number, (engine, every) in enumerate(cycle(CASES)):
            folder = place / f"run {number}"
            checkpoint = Checkpoint(folder, every_epochs=1) if every == "epoch" else Checkpoint(folder, None, SECONDS)
            over = False
            while not over and kills < arguments.kills:
                struct.pack_into("<q", shared, 0, 0)
                born = time.monotonic()
                over = in_a_process(rng.uniform(0, LONGEST_LIFE), engine, checkpoint, shared, place / "killed")
                if not over:
                    kills += 1
                    if folder.exists():
                        worst[every] = max(worst[every], check_loss(folder, every, shared, born))
            if not over:
                in_a_process(None, engine, checkpoint, shared, place / "killed")
            assert (place / "killed").read_bytes() == whole[engine], f"other bits: {engine}, by the {every}"
            ends += 1
            if kills >= arguments.kills:
                break
    console.print(
        f"{kills} kills in {time.perf_counter() - started:.0f} s; {ends} trainings came to their end, each with the "
        f"bytes of an undisturbed one. Lost at most: {worst['epoch']:.2f} epochs with a checkpoint after each, "
        f"{worst['clock']:.2f} s with one every {SECONDS} s."
    )


if __name__ == "__main__":
    main()
