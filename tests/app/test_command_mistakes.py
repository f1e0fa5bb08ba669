"""Whatever is given wrong: exit code 2, one line that says what it was, what was expected and what to do."""

from __future__ import annotations

import errno
import os
import random

import pytest

from diaphane.app import training
from diaphane.app.command import main


def assert_one_line(answer, *words: str) -> None:
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.startswith("diaphane: error: "), answer.err
    assert answer.err.endswith("\n")
    assert len(answer.err.splitlines()) == 1
    assert "Traceback" not in answer.err
    for word in words:
        assert word in answer.err, answer.err


def lines_with(cells: str) -> str:
    return "a,b,y\n" + "\n".join(cells.format(i=i, s=i % 2) for i in range(40)) + "\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("", ["t.csv is empty", "expected a header and rows"], id="an empty file"),
        pytest.param(" \n\n", ["t.csv is empty"], id="blank lines only"),
        pytest.param("a,b,y\n", ["a header and no rows", "expected at least one row"], id="a header only"),
        pytest.param(random.Random(0).randbytes(3000), ["does not hold text", "CSV"], id="bytes of no kind"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ["does not hold text"], id="a picture"),
        pytest.param("a,b,y\n1,2,x\n1,2\n", ["line 3: 2 cells where the header has 3"], id="a short row"),
        pytest.param("a,b,y\n1,2,x\n1,2,3,4\n", ["line 3: 4 cells where the header has 3"], id="a long row"),
        pytest.param('a,b,y\n1,"2,x\n', ["line 2 cannot be read", "quotes"], id="an open quote"),
        pytest.param("a,a,y\n1,2,x\n", ["more than one column 'a'", "--no-header"], id="a name twice"),
        pytest.param("y\n" + "p\nq\n" * 9, ["one column, 'y'", "at least one more"], id="the target only"),
        pytest.param(lines_with("{i},{s},x"), ["one class only, 'x'", "choose another column"], id="one class"),
        pytest.param(lines_with("{i},{s},c{i}"), ["40 classes in 40 rows"], id="a class a row"),
        pytest.param("a,b,y\n1,2,p\n3,4,q\n5,6,r\n", ["3 classes in 3 rows"], id="as many classes as rows"),
        pytest.param("a,b,y\n1,2,x\n", ["1 of 1 rows", "expected at least 2"], id="one row"),
        pytest.param("a,b,y\n1,2,0.5\n", ["1 of 1 rows", "expected at least 2"], id="one row with a number"),
        pytest.param("a,b,y\n1,2,0.5\n2,3,1.5\n", ["2 rows", "at least 3 are needed"], id="two rows"),
        pytest.param(lines_with("{i},{s},?"), ["0 of 40 rows", "the target 'y'"], id="no target at all"),
        pytest.param(lines_with("?,,c{s}"), ["no column is of use", "missing"], id="all columns missing"),
        pytest.param(lines_with("1,k,c{s}"), ["no column is of use", "1 in every row"], id="constant columns"),
        pytest.param(lines_with("{i},inf,c{s}"), ["column 'b' is infinite in row 1", "finite"], id="infinity"),
        pytest.param(lines_with("{i},1e999,c{s}"), ["column 'b' is infinite in row 1"], id="a number too large"),
        pytest.param(lines_with("{i},{s},-inf"), ["column 'y' is infinite in row 1"], id="an infinite target"),
        pytest.param(lines_with("{i},{s},{i}.5e300"), ["too far", "another unit"], id="a target too wide"),
    ],
)
def test_a_table_that_cannot_be_learnt_from_is_explained(diaphane, write, content, words):
    assert_one_line(diaphane("train", write(content, "t.csv"), "--epochs", 1, "--hidden", 4), *words)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("missing.csv", ["there is no file missing.csv", "CSV, TSV or Parquet"]),
        ("missing.parquet", ["there is no file missing.parquet"]),
        (".", [". is a folder", "expected a file"]),
        ("table.xlsx", ["'.xlsx'", "expected .csv, .tsv"]),
        ("digit", ["'digit' is neither a file nor a built-in set", "Did you mean 'digits'?"]),
        ("Iris", ["Did you mean 'iris'?"]),
        ("nothing_like_it", ["breast_cancer", "give a CSV"]),
    ],
)
@pytest.mark.parametrize("command", ["train", "predict"])
def test_a_source_that_is_not_there_is_named(diaphane, classes, write, command, source, words):
    write("x", "table.xlsx")
    before = ["predict", classes] if command == "predict" else ["train"]
    assert_one_line(diaphane(*before, source), *words)


def test_a_mistyped_source_leaves_no_folder_behind(diaphane, tmp_path):
    diaphane("train", "digit", "--out", "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["t.parquet", "t.csv.gz"])
def test_a_file_that_is_not_what_its_name_says_is_explained(diaphane, write, name):
    if name.endswith("parquet"):
        pytest.importorskip("polars")
    assert_one_line(diaphane("train", write("a,b\n1,2\n", name)), name, "not a whole")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("nope", ["no target column 'nope'", "the columns are a, b, y"]),
        ("Y", ["Did you mean 'y'?"]),
        ("3", ["no target column 3", "from -3 to 2"]),
        ("-4", ["no target column -4"]),
        ("", ["no target column ''"]),
    ],
)
def test_a_target_that_is_not_there_names_the_columns_that_are(diaphane, good, target, words):
    assert_one_line(diaphane("train", good, "--target", target), *words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--learning-rate", "0"], ["--learning-rate must be a number greater than 0, got 0.0"]),
        (["--learning-rate", "-0.1"], ["got -0.1", "try 0.001"]),
        (["--learning-rate", "nan"], ["got nan"]),
        (["--learning-rate", "inf"], ["got inf"]),
        (["--hidden", "0"], ["--hidden takes the units of each hidden layer", "got 0"]),
        (["--hidden", "8,0"], ["got 8,0"]),
        (["--hidden", "-8"], ["got -8"]),
        (["--hidden", "99999999999999999999"], ["from 1 to 1000000"]),
        (["--hidden", "abc"], ["whole numbers with commas between", "got 'abc'"]),
        (["--hidden", "8.5"], ["got '8.5'"]),
        (["--hidden", "8,,4"], ["got '8,,4'"]),
        (["--hidden", ","], ["got ','"]),
        (["--epochs", "0"], ["--epochs must be at least 1, got 0"]),
        (["--epochs", "-1"], ["--epochs must be at least 1, got -1"]),
        (["--patience", "0"], ["--patience must be at least 1, got 0"]),
        (["--batch-size", "0"], ["--batch-size must be at least 1, got 0"]),
        (["--seed", "-1"], ["--seed must be a whole number from 0", "got -1"]),
        (["--seed", "4294967296"], ["got 4294967296"]),
        (["--task", "foo"], ["--task must be auto, classification or regression, got 'foo'"]),
        (["--task", "regression"], ["the target 'y' holds text such as", "regression expects numbers"]),
        (["--task", "classification", "--target", "a"], ["the target 'a' has", "task regression"]),
    ],
)
def test_an_option_out_of_range_is_named_with_what_was_given(diaphane, good, options, words):
    assert_one_line(diaphane("train", good, *options), *words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "iris", "--learning-rate", "abc"], ["Invalid value for '--learning-rate'", "number"]),
        (["train", "iris", "--epochs", "many"], ["Invalid value for '--epochs'", "integer"]),
        (["train", "iris", "--epochs", "1.5"], ["Invalid value for '--epochs'"]),
        (["train", "iris", "--seed", "x"], ["Invalid value for '--seed'"]),
        (["train", "iris", "--epoch", "3"], ["No such option: --epoch", "--epochs"]),
        (["train", "iris", "--bogus"], ["No such option: --bogus"]),
        (["train"], ["Missing argument"]),
        (["predict", "folder"], ["Missing argument"]),
        (["draw"], ["Missing argument"]),
        (["train", "iris", "wine"], ["unexpected extra argument"]),
        (["trane", "iris"], ["No such command 'trane'"]),
    ],
)
def test_what_the_option_parser_cannot_read_is_a_usage_error(diaphane, arguments, words):
    answer = diaphane(*arguments)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.startswith("Usage: diaphane")
    assert "--help" in answer.err
    assert "Traceback" not in answer.err
    for word in words:
        assert word in answer.said


@pytest.mark.parametrize(
    "arguments", [["train", "missing.csv"], ["predict", "nowhere", "iris"], ["draw", "nowhere"]], ids=lambda a: a[0]
)
def test_debug_shows_where_a_mistake_was_found(diaphane, arguments):
    assert "Traceback" not in diaphane(*arguments).err
    answer = diaphane(*arguments, "--debug")
    assert answer.code == 2
    assert answer.err.startswith("Traceback")
    assert ".py" in answer.err


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("good.csv", ["good.csv is a file", "expected a folder"]),
        ("good.csv/below", ["cannot write to", "choose another folder"]),
        ("/dev/null/model", ["cannot write to /dev/null/model"]),
        ("/proc/model", ["cannot write to /proc/model"]),
    ],
)
def test_an_unwritable_folder_is_found_before_the_training(diaphane, monkeypatch, good, out, words):
    if out.startswith("/") and not os.path.exists(out.rsplit("/", 1)[0]):
        pytest.skip(f"there is no {out.rsplit('/', 1)[0]} here")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it was trained all the same")

    monkeypatch.setattr(training, "fit_table", refuse)
    assert_one_line(diaphane("train", good, "--out", out), "--out", *words)


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["os.fsync", "os.replace"])
def test_a_full_disk_leaves_the_model_that_was_there(diaphane, monkeypatch, classes, good, call):
    before = {path.name: path.read_bytes() for path in classes.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(call, no_space)
        answer = diaphane("train", good, "--epochs", 1, "--hidden", 4, "--out", classes)
    assert_one_line(answer, "cannot write", "No space left", "untouched")
    assert {path.name: path.read_bytes() for path in classes.iterdir()} == before


def test_a_disk_that_fills_after_the_model_says_where_the_model_is(diaphane, monkeypatch, tmp_path, good):
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", no_space)
    answer = diaphane("train", good, "--epochs", 1, "--hidden", 4, "--out", "model")
    assert_one_line(answer, "the model is in", "pictures are not", "No space left")
    assert diaphane("predict", "model", good).code == 0


def test_a_full_disk_leaves_the_predictions_that_were_there(diaphane, monkeypatch, classes, good, write):
    old = write("old", "predicted.csv")
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", no_space)
        answer = diaphane("predict", classes, good, "--out", old)
    assert_one_line(answer, "cannot write", "predicted.csv", "No space left", "--out")
    assert old.read_text() == "old"
    assert not [path for path in old.parent.iterdir() if ".part" in path.name]


@pytest.mark.parametrize(
    ("out", "why"),
    [("nowhere/p.csv", "cannot write"), ("classes", "is a folder"), ("good.csv/p.csv", "cannot write")],
)
def test_predictions_that_cannot_be_written_say_where(diaphane, classes, good, out, why):
    assert_one_line(diaphane("predict", classes, good, "--out", out), why, out, "--out")


@pytest.mark.parametrize("out", ["nowhere/n.svg", "good.csv/n.svg"])
def test_a_drawing_that_cannot_be_written_says_where(diaphane, classes, good, out):
    assert_one_line(diaphane("draw", classes, "--out", out), "n.svg")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,y\n1,pos\n", ["columns that are not there: b", "there are a"]),
        ("a,B\n1,2\n", ["not there: b", "Did you mean 'B'?"]),
        ("a,b\nword,2\n", ["column 'a' holds 'word' in row 1", "expected a number or an empty cell"]),
        ("a,b\n1,inf\n", ["column 'b' is infinite in row 1"]),
        ("a,b\n", ["a header and no rows"]),
        ("", ["is empty"]),
    ],
)
def test_a_table_that_the_model_cannot_take_is_explained(diaphane, classes, write, text, words):
    assert_one_line(diaphane("predict", classes, write(text)), *words)


def test_a_forgotten_no_header_is_suggested(diaphane, write, good):
    bare = write(good.read_text().split("\n", 1)[1], "bare.csv")
    diaphane("train", bare, "--no-header", "--epochs", 1, "--hidden", 4)
    assert_one_line(diaphane("predict", "model", bare), "column_0, column_1", "--no-header")


def test_words_where_the_target_was_a_number_cannot_be_scored(diaphane, values, good):
    assert_one_line(diaphane("predict", values, good), "'y' is a number in the model", "text")


def test_probabilities_of_a_number_are_refused(diaphane, values, numbers):
    assert_one_line(diaphane("predict", values, numbers, "--proba"), "--proba is for classes", "'y'")


@pytest.mark.parametrize("command", ["predict", "draw"])
def test_a_folder_without_a_model_is_told_from_none(diaphane, tmp_path, good, command):
    (tmp_path / "empty").mkdir()
    rest = [good] if command == "predict" else []
    assert_one_line(diaphane(command, "nowhere", *rest), "there is no nowhere", "diaphane train")
    assert_one_line(diaphane(command, "empty", *rest), "empty holds no model.safetensors", "diaphane train")


@pytest.mark.parametrize("command", ["predict", "draw"])
def test_a_file_that_is_no_model_is_refused(diaphane, classes, good, command):
    rest = [good] if command == "predict" else []
    assert_one_line(diaphane(command, good, *rest), "good.csv is not a file written by diaphane")
    (classes / "learning_curves.png").replace(classes / "model.safetensors")
    assert_one_line(diaphane(command, classes, *rest), "is not a file written by diaphane")


def test_a_network_saved_from_python_is_no_model_of_the_command(diaphane, tmp_path, good):
    import diaphane as dia

    network = dia.nn.Network(dia.nn.Sequential([dia.nn.Dense(2)]), (2,))
    dia.save(tmp_path / "network.safetensors", network, network.initial_state())
    assert_one_line(diaphane("predict", "network.safetensors", good), "without columns and target")


def test_a_model_cut_anywhere_is_refused(diaphane, classes, good):
    file = classes / "model.safetensors"
    data = file.read_bytes()
    for length in (0, 1, 8, 50, len(data) // 2, len(data) - 1):
        file.write_bytes(data[:length])
        assert_one_line(diaphane("predict", classes, good), "model.safetensors")


def test_a_model_with_a_flipped_bit_is_refused_wherever_the_bit_is(diaphane, classes, good):
    file = classes / "model.safetensors"
    data = file.read_bytes()
    draw = random.Random(0)
    places = [0, 7, 8, len(data) - 1, *(draw.randrange(len(data)) for _ in range(40))]
    for place in places:
        damaged = bytearray(data)
        damaged[place] ^= 1 << draw.randrange(8)
        file.write_bytes(damaged)
        assert_one_line(diaphane("predict", classes, good), "model.safetensors")


def test_a_learning_rate_at_which_training_diverges_writes_no_model(diaphane, tmp_path, good):
    answer = diaphane("train", good, "--learning-rate", "1e30", "--out", "model")
    assert_one_line(answer, "NaN or infinite in epoch 1", "no model was written", "smaller --learning-rate than 1e+30")
    assert not (tmp_path / "model/model.safetensors").exists()


def test_too_little_memory_is_said_in_one_line(diaphane, monkeypatch, good):
    def refuse(*_: object, **__: object) -> None:
        raise MemoryError("Unable to allocate 1.82 TiB")

    monkeypatch.setattr(training, "fit_table", refuse)
    assert_one_line(diaphane("train", good), "1.82 TiB", "--hidden")


def test_an_error_of_ours_is_not_passed_off_as_the_users(monkeypatch, good):
    def break_down(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(training, "fit_table", break_down)
    with pytest.raises(ZeroDivisionError):
        main(["train", str(good)])
