"""A training that is killed again and again in the middle of its epochs ends with the bytes of an undisturbed one."""

import json
import os
import subprocess
import sys

import pytest

KILLS = 5
"""Of each engine."""

# One process imports everything once; each training is a fork of it, made while no thread is running.
PROGRAM = """
import os, signal, sys
from pathlib import Path
import numpy as np
import numba, scipy.linalg, safetensors.numpy
from diaphane import engines, nn, optim
from diaphane.training import Callback, Checkpoint, EarlyStopping, Trainer

engine, place, kills = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
rng = np.random.default_rng(0)
x, y = rng.normal(size=(103, 3)), rng.normal(size=(103, 2))
STEPS = 11  # an epoch's, the last batch short


class Kill(Callback):
    def __init__(self, at):
        self.at = at

    def on_step_end(self, run):
        if run.steps == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def fit(folder, at, name):
    network = nn.Network(nn.Sequential([nn.Dense(5, "tanh"), nn.Dropout(0.2), nn.Dense(2)]), (3,))
    optimizer = optim.Adam(0.02, schedule=optim.ExponentialDecay(0.05))
    trainer = Trainer(
        network, "squared_error", optimizer, batch_size=8, epochs=4 + 2 * kills, random_state=7, engine=engine,
        checkpoint=Checkpoint(folder, every_epochs=1) if folder else None,
        callbacks=[EarlyStopping(patience=50), Kill(at)],
    )
    result = trainer.fit(x, y, sample_weight=np.ones(103), validation_fraction=0.2, resume=folder is not None)
    records = [{k: v for k, v in record.items() if k != "seconds"} for record in result.history]
    values = b"".join(v.name.encode() + a.tobytes() for v, a in result.step_state.items())
    (place / name).write_bytes(values + repr((records, result.steps, result.history.stopped)).encode())


def in_a_process(*arguments):
    pid = os.fork()
    if not pid:
        try:
            fit(*arguments)
            os._exit(0)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


steps = -(-(103 - round(0.2 * 103)) // 8)
moments = [2 * i * steps + int(rng.integers(steps + 1, 2 * steps)) for i in range(kills)]
ends = [in_a_process(place / "run", at, "no") for at in moments]
ends.append(in_a_process(place / "run", -1, "killed"))
ends.append(in_a_process(None, -1, "whole"))
print(ends)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("engine", ["reference", "native"])
def test_five_kills_in_the_middle_of_an_epoch_change_no_byte_and_lose_one_epoch_at_most(tmp_path, engine):
    command = [sys.executable, "-c", PROGRAM, engine, str(tmp_path), str(KILLS)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert answer.stdout.strip() == repr([-9] * KILLS + [0, 0]), answer.stderr
    assert (tmp_path / "killed").read_bytes() == (tmp_path / "whole").read_bytes()
    assert not (tmp_path / "no").exists()
    lines = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == list(range(1, 4 + 2 * KILLS + 1))
    assert not [path.name for path in (tmp_path / "run").iterdir() if path.name.startswith(".")]


# The process is killed at moments of no choosing, while checkpoints are written after every batch.
ENDLESS = PROGRAM[: PROGRAM.index("def in_a_process")].replace("every_epochs=1", "every_seconds=1e-9")


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no SIGKILL")
def test_a_kill_at_any_moment_leaves_a_whole_checkpoint_of_no_more_than_one_interval_before(tmp_path):
    from diaphane.files.runs import RunFolder

    steps_seen = ENDLESS.replace("os.kill(os.getpid(), signal.SIGKILL)", "pass").replace(
        "        if run.steps == self.at:", "        print(run.steps, flush=True)\n        if False:"
    )
    code = steps_seen + "\nfit(place / 'run', -1, 'done')\n"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "reference", str(tmp_path), "1000"], stdout=subprocess.PIPE, text=True
    )
    seen = 0
    for line in process.stdout:
        seen = int(line)
        if seen >= 37:
            break
    process.kill()
    seen = max([seen, *(int(line) for line in process.stdout.read().split("\n")[:-1])])
    process.wait()
    process.stdout.close()
    folder = RunFolder(tmp_path / "run")
    found = folder.newest()
    folder.close()
    assert not found.refused
    # The one before it was on the disk before anybody was told of the step.
    assert seen - 1 <= found.content["position"]["steps"] <= seen + 1
