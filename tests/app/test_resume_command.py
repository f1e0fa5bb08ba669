"""A training that ends before its end: what is kept, and going on with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest

from diaphane.app.options import Options
from diaphane.app.resuming import how_to_go_on

from .test_command_mistakes import assert_one_line

RUN = ("--hidden", "16,8", "--epochs", 60, "--patience", 60, "--batch-size", 8, "--dropout", 0.2, "--seed", 3)
PARTS = ("--schedule", "warmup:3+cosine", "--averaging", "ema:0.95", "--mixup", 0.2)

KILLED_AT = """
import os, signal, sys
from diaphane.app import command
from diaphane.training import EarlyStopping

at, seen = int(sys.argv.pop(1)), []
end = EarlyStopping.on_epoch_end
def counted(self, run):
    seen.append(1)
    if len(seen) == at:
        os.kill(os.getpid(), signal.SIGKILL)
    end(self, run)
EarlyStopping.on_epoch_end = counted
command.main(sys.argv[1:])
"""

INTERRUPTED_AT = KILLED_AT.replace("SIGKILL", "SIGINT")


@pytest.fixture
def kept(tmp_path):
    return "--checkpoint", tmp_path / "kept"


@pytest.mark.parametrize("extra", [(), PARTS], ids=["plain", "everything"])
def test_a_killed_training_goes_on_to_the_same_bytes(diaphane, script, tmp_path, good, kept, extra):
    whole = diaphane("train", good, *RUN, *extra, "--out", "whole")
    assert whole.code == 0
    for at in (7, 20) if extra else (12,):
        arguments = ("train", good, *RUN, *extra, *kept, "--resume", "--out", tmp_path / "model")
        assert script(KILLED_AT, at, *arguments).returncode == -signal.SIGKILL
        assert not (tmp_path / "model/model.safetensors").exists()
    assert diaphane("train", good, *RUN, *extra, *kept, "--resume", "--out", "model").code == 0
    assert (tmp_path / "model/model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()
    records = [json.loads(line) for line in (tmp_path / "model/history.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in records] == list(range(1, len(records) + 1))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill a process at once")
def test_a_training_killed_at_any_moment_goes_on_to_the_same_bytes(background, diaphane, tmp_path, good, kept):
    arguments = ("train", good, *RUN, "--checkpoint-every", "0.01s")
    assert diaphane(*arguments, "--out", "whole").code == 0
    running = background(*arguments, *kept, "--out", tmp_path / "model", stdout=subprocess.DEVNULL)
    while not list(tmp_path.glob("kept/checkpoint-*")) and running.poll() is None:
        time.sleep(0.002)
    running.kill()
    running.wait()
    assert diaphane(*arguments, *kept, "--resume", "--out", "model").code == 0
    assert (tmp_path / "model/model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()


def test_an_interrupted_training_says_what_is_kept_and_how_to_go_on(diaphane, script, tmp_path, good, kept):
    assert diaphane("train", good, *RUN, "--out", "whole").code == 0
    answer = script(INTERRUPTED_AT, 9, "train", good, *RUN, *kept, "--out", tmp_path / "model")
    assert answer.returncode == 0
    assert f"checkpoints are in {tmp_path / 'kept'}: to go on, give the same command with --resume" in answer.stdout
    assert diaphane("predict", "model", good).code == 0
    assert diaphane("train", good, *RUN, *kept, "--resume", "--out", "model").code == 0
    assert (tmp_path / "model/model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()


def test_without_checkpoints_an_interruption_names_the_option_for_them():
    assert "start it with --checkpoint FOLDER" in how_to_go_on(Options())


def test_resume_alone_keeps_its_checkpoints_beside_the_model(diaphane, script, tmp_path, good):
    command = ("train", good, *RUN, "--resume", "--out", tmp_path / "model")
    assert diaphane("train", good, *RUN, "--out", "whole").code == 0
    assert script(KILLED_AT, 9, *command).returncode == -signal.SIGKILL
    assert list(tmp_path.glob("model/checkpoints/checkpoint-*.safetensors"))
    assert diaphane(*command).code == 0
    assert (tmp_path / "model/model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()


def test_the_options_beside_the_checkpoints_are_enough_to_go_on(diaphane, tmp_path, good, kept):
    assert diaphane("train", good, *RUN, *PARTS, *kept).code == 0
    before = (tmp_path / "model/model.safetensors").read_bytes()
    again = diaphane("train", "--config", tmp_path / "kept/options.toml", "--resume")
    assert (again.code, again.err) == (0, "")
    assert (tmp_path / "model/model.safetensors").read_bytes() == before


def test_more_epochs_go_on_with_a_training_that_had_come_to_its_end(diaphane, tmp_path, good, kept):
    short = ("--hidden", 8, "--patience", 60, "--batch-size", 8)
    assert diaphane("train", good, *short, "--epochs", 9, "--out", "whole").code == 0
    assert diaphane("train", good, *short, "--epochs", 4, *kept).code == 0
    assert diaphane("train", good, *short, "--epochs", 9, *kept, "--resume").code == 0
    assert (tmp_path / "model/model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (["--dropout", 0.5], ["--dropout is 0.5, and not given in the run that", "options.toml"]),
        (["--hidden", "9"], ["--hidden is 9, and 8 in"]),
        (["--learning-rate", 0.1], ["--learning-rate is 0.1, and not given in"]),
        (["--optimizer", "sgd"], ["--optimizer is sgd, and adam in"]),
        (["--seed", 7], ["--seed is 7, and 0 in"]),
        (["--batch-size", 4], ["--batch-size is 4, and 8 in"]),
        (["--schedule", "cosine"], ["--schedule is cosine, and not given in"]),
        (["--class-weight", "balanced"], ["--class-weight is balanced, and not given in"]),
        (["--stream"], ["--stream is given, and not given in"]),
        (["--test", "good.csv"], ["--test is given, and not given in"]),
    ],
)
def test_options_of_another_run_are_refused_by_name(diaphane, good, kept, other, said):
    first = ("train", good, "--hidden", 8, "--epochs", 2, "--batch-size", 8, *kept)
    assert diaphane(*first).code == 0
    assert_one_line(diaphane(*first, *other, "--resume"), "--resume: ", *said)


def test_more_epochs_under_a_schedule_that_stretches_are_another_run(diaphane, good, kept):
    first = ("train", good, "--hidden", 8, *kept, "--schedule")
    assert diaphane(*first, "cosine", "--epochs", 2).code == 0
    assert_one_line(diaphane(*first, "cosine", "--epochs", 4, "--resume"), "--epochs is 4, and 2 in")


def test_other_data_are_refused(diaphane, good, write, kept):
    first = ("--hidden", 8, "--epochs", 2, "--target", "y", *kept)
    assert diaphane("train", good, *first).code == 0
    other = write(good.read_text().replace("0.1", "0.2"), "other.csv")
    assert_one_line(diaphane("train", other, *first, "--resume"), "kept", "data")


def test_checkpoints_of_a_former_training_are_not_begun_over(diaphane, good, kept):
    first = ("train", good, "--hidden", 8, "--epochs", 2, *kept)
    assert diaphane(*first).code == 0
    assert_one_line(diaphane(*first), "holds the checkpoints of a former training", "--resume goes on")


def test_a_folder_for_checkpoints_that_cannot_be_used_is_named(diaphane, good, write, tmp_path):
    file = write("x", "file")
    assert_one_line(diaphane("train", good, "--checkpoint", file), "--checkpoint", "is a file")
    assert_one_line(diaphane("train", good, "--checkpoint", file / "below"), "--checkpoint: cannot write to")
    if os.geteuid():
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o500)
        assert_one_line(diaphane("train", good, "--checkpoint", closed), "--checkpoint: cannot write to")


def test_a_linear_model_has_no_checkpoints(diaphane, good, kept):
    assert_one_line(diaphane("train", good, "--model", "logistic", *kept), "has no use for --checkpoint")
    assert_one_line(diaphane("train", good, "--model", "logistic", "--resume"), "has no use for --resume")


def test_a_damaged_checkpoint_is_passed_over_with_a_word(diaphane, good, tmp_path, kept):
    assert diaphane("train", good, *RUN, *kept).code == 0
    before = (tmp_path / "model/model.safetensors").read_bytes()
    newest = sorted((tmp_path / "kept").glob("checkpoint-*"))[-1]
    newest.write_bytes(newest.read_bytes()[:-100])
    answer = diaphane("train", good, *RUN, *kept, "--resume")
    assert answer.code == 0
    assert f"note: {newest}" in answer.out
    assert "goes on from" in answer.out
    assert (tmp_path / "model/model.safetensors").read_bytes() == before
