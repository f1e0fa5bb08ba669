"""What only a process of its own shows: signals, pipes, a terminal, what is loaded."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

HEAVY = ("matplotlib", "pandas", "polars", "sklearn", "jax", "torch", "numba", "skrub", "scipy", "numpy")

INTERRUPTED_AT = """
import signal, sys
from diaphane.app import command, training
from diaphane.training import EarlyStopping
from diaphane.training.epochs import Epochs

def interrupt(function, at):
    calls = []
    def wrapped(*args, **kwargs):
        result = function(*args, **kwargs)
        calls.append(1)
        if len(calls) == at:
            signal.raise_signal(signal.SIGINT)
        return result
    return wrapped

signal.signal(signal.SIGINT, signal.default_int_handler)
where = sys.argv.pop(1)
if where == "reading":
    training.read_table = interrupt(training.read_table, 1)
elif where == "first epoch":
    Epochs._losses = interrupt(Epochs._losses, 1)
elif where == "fifth epoch":
    Epochs._losses = interrupt(Epochs._losses, 5)
command.main(sys.argv[1:])
"""


def test_an_interrupted_training_keeps_the_last_whole_epochs_and_says_so(script, diaphane, tmp_path, good):
    answer = script(INTERRUPTED_AT, "fifth epoch", "train", good, "--hidden", 8, "--out", tmp_path / "model")
    assert answer.returncode == 0
    assert "Traceback" not in answer.stderr
    assert "4 epochs (kept: epoch" in answer.stdout
    assert "interrupted by user after 4 epochs" in answer.stdout
    assert diaphane("predict", "model", good).code == 0


@pytest.mark.parametrize("where", ["reading", "first epoch"])
def test_an_interruption_before_there_is_anything_to_keep_ends_with_130(script, tmp_path, good, where):
    answer = script(INTERRUPTED_AT, where, "train", good, "--hidden", 8, "--out", tmp_path / "model")
    assert answer.returncode == 130
    assert answer.stderr == "diaphane: interrupted\n"
    assert answer.stdout == ""
    assert not list(tmp_path.glob("model/*"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_person_at_a_terminal_sees_a_bar_and_may_stop_with_ctrl_c(background, tmp_path, good):
    import pty

    ours, theirs = pty.openpty()
    arguments = ("--epochs", 1000000, "--patience", 1000000, "--hidden", 4, "--out", tmp_path / "model")
    running = background("train", good, *arguments, stdout=-1, stderr=theirs)
    os.close(theirs)
    shown = b""
    while b"validation loss" not in shown:
        shown += os.read(ours, 4096)
    running.send_signal(signal.SIGINT)
    try:
        while os.read(ours, 4096):
            pass
    except OSError:  # how Linux says that nobody is at the other end any more
        pass
    finally:
        os.close(ours)
    out, _ = running.communicate(timeout=100)
    assert running.returncode == 0
    assert b"interrupted by user" in out
    assert (tmp_path / "model/model.safetensors").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a pipe in another way")
def test_a_reader_that_has_seen_enough_gets_no_traceback(background, classes, write):
    source = write("a,b\n" + "1,2\n" * 300_000)
    running = background("predict", classes, source, "--proba", stdout=-1, stderr=-1)
    assert running.stdout.readline() == b"y,p(neg),p(pos)\n"
    running.stdout.close()
    assert running.stderr.read() == b""
    assert running.wait(timeout=100) in (0, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_an_output_that_is_full_is_said(process, classes, good):
    with Path("/dev/full").open("w") as full:
        answer = process("predict", classes, good, stdout=full)
    assert answer.returncode == 2
    assert answer.stderr.splitlines()[-1] == "diaphane: error: cannot read or write the output: No space left on device"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no shell that closes outputs")
def test_closed_outputs_are_no_error(process, classes, good):
    answer = process("predict", classes, good, "--out", "p.csv", preexec_fn=lambda: (os.close(1), os.close(2)))
    assert answer.returncode == 0
    assert Path("p.csv").exists()


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], *([name, "--help"] for name in ("train", "search", "compare", "predict", "draw"))],
)
def test_help_loads_neither_numpy_nor_anything_above_it(script, arguments):
    answer = script(
        "import sys\n"
        "from diaphane.app.command import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "finally:\n    print(*sys.modules, file=sys.stderr)",
        *arguments,
    )
    assert answer.returncode == 0
    assert not set(HEAVY) & set(answer.stderr.split())


def test_importing_the_library_loads_nothing_of_what_only_some_need(script):
    loaded = script("import sys, diaphane; print(*sys.modules)").stdout.split()
    assert not set(HEAVY) & set(loaded)


def test_a_plain_training_loads_neither_frames_nor_other_engines(script, tmp_path, good):
    answer = script(
        "import sys\n"
        "from diaphane.app.command import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "finally:\n    print('loaded:', *sys.modules)",
        *("train", good, "--epochs", 1, "--hidden", 4, "--out", tmp_path / "model"),
    )
    loaded = answer.stdout.split("loaded:")[1].split()
    # scikit-learn, which splits the rows, loads pandas where it is installed.
    assert not {"polars", "jax", "torch", "numba", "skrub"} & set(loaded)


def test_the_version_is_the_packages(process):
    import diaphane

    assert process("--version").stdout == f"diaphane {diaphane.__version__}\n"


def test_help_names_every_set_option_and_default(diaphane):
    said = diaphane("train", "--help").said
    for name in ("digits", "iris", "wine", "breast_cancer", "diabetes", "xor", "moons", "circles", "spirals"):
        assert name in said
    options = ("target", "no-header", "task", "hidden", "epochs", "patience", "learning-rate", "batch-size", "seed")
    for option in (*options, "out", "debug"):
        assert f"--{option} " in said
    assert "256,128" in said
    for command in ("predict", "draw"):
        assert "The folder that 'diaphane train' wrote" in diaphane(command, "--help").said


def test_no_command_shows_the_help(diaphane):
    answer = diaphane()
    assert answer.code == 2
    assert {"train", "predict", "draw"} <= set(answer.said.split())
