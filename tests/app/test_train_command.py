from __future__ import annotations

import json
import pickle
import struct
import sys
import xml.etree.ElementTree as ElementTree
import zlib

import pytest

from diaphane.data import BUILT_IN

QUICK = ("--epochs", 2, "--hidden", 8, "--out", "model")
WRITTEN = {"model.safetensors", "learning_curves.png", "network.svg", "history.jsonl"}


def test_there_are_ten_built_in_sets():
    assert len(BUILT_IN) == 10


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_set_is_trained_on_and_predicted(diaphane, tmp_path, name):
    answer = diaphane("train", name, *QUICK)
    assert (answer.code, answer.err) == (0, "")
    assert {path.name for path in (tmp_path / "model").iterdir()} == WRITTEN
    again = diaphane("predict", "model", name)
    assert again.code == 0
    assert ("R²" if name == "diabetes" else "accuracy") in again.err


def test_the_table_says_sizes_scores_baseline_and_seconds(diaphane):
    out = diaphane("train", "iris", *QUICK).out
    table = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if line.startswith("│")]
    assert [row[:2] for row in table] == [["train", "106"], ["validation", "22"], ["test", "22"]]
    assert all(0 <= float(row[2]) <= 1 and 0 < float(row[3]) < 0.5 for row in table)
    assert "baseline (majority class)" in out
    assert "2 epochs" in out
    assert "seconds" in out
    assert f"test accuracy: {table[2][2]}" in out


def test_regression_is_told_beside_the_mean(diaphane, numbers):
    out = diaphane("train", numbers, *QUICK).out
    assert "R²" in out
    assert "baseline (mean)" in out


def test_the_heading_comes_first_and_the_paths_last(diaphane, good):
    said = [line for line in diaphane("train", good, *QUICK).out.splitlines() if line.strip()]
    assert said[0] == f"{good}: target 'y': classification, 2 classes"
    assert [line.split()[0] for line in said[-4:]] == ["wrote"] * 4
    assert said[-5].startswith("test accuracy")


def test_the_learning_curves_are_a_whole_png(diaphane, tmp_path, good):
    diaphane("train", good, *QUICK)
    data = (tmp_path / "model/learning_curves.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place, kinds = 8, []
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        assert struct.unpack(">I", data[place + 8 + length : place + 12 + length])[0] == zlib.crc32(kind + body)
        kinds.append(kind)
        place += 12 + length
    assert (kinds[0], kinds[-1]) == (b"IHDR", b"IEND")


def test_the_network_picture_is_xml_whatever_the_target_is_called(diaphane, tmp_path, write, sums, lines):
    source = write(lines(sums(), 'a,b & c,"<y> ""&"" é"'))
    assert diaphane("train", source, *QUICK).code == 0
    root = ElementTree.fromstring((tmp_path / "model/network.svg").read_text(encoding="utf-8"))
    assert root.tag.endswith("svg")
    assert '<y> "&" é' in "".join(root.itertext())


def test_the_history_has_a_record_an_epoch(diaphane, tmp_path, good):
    diaphane("train", good, *QUICK)
    lines = (tmp_path / "model/history.jsonl").read_text(encoding="utf-8").splitlines()
    history = [json.loads(line) for line in lines]
    assert [record["epoch"] for record in history] == [1, 2]
    assert all({"loss", "validation_loss", "seconds"} <= set(record) for record in history)


def test_training_predicting_and_drawing_never_pickle(diaphane, monkeypatch, tmp_path, good):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("pickle was used")

    for name in ("dump", "dumps", "load", "loads"):
        monkeypatch.setattr(pickle, name, refuse)
    assert diaphane("train", good, *QUICK).code == 0
    assert diaphane("predict", "model", good).code == 0
    assert diaphane("draw", "model", "--graph").code == 0
    for path in (tmp_path / "model").iterdir():
        data = path.read_bytes()
        assert data[:2] not in {bytes([0x80, protocol]) for protocol in range(2, 6)}, path
        assert not data.startswith(b"PK\x03\x04"), path
        assert not any(word in data for word in (b"__reduce__", b"_reconstruct", b"copyreg", b"csklearn")), path


def test_the_model_file_is_a_header_and_numbers_to_its_last_byte(diaphane, tmp_path, good, parts_of):
    diaphane("train", good, *QUICK)
    header, numbers = parts_of(tmp_path / "model/model.safetensors")
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    assert max(ends) == len(numbers)


@pytest.mark.parametrize(
    ("name", "delimiter"), [("t.csv", ","), ("t.csv", ";"), ("t.tsv", "\t"), ("t.txt", "\t"), ("t.data", ",")]
)
def test_delimited_files_are_read_by_their_kind(diaphane, write, sums, lines, name, delimiter):
    source = write(lines(sums(), delimiter=delimiter), name)
    assert "target 'y': classification, 2 classes" in diaphane("train", source, *QUICK).out


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_a_parquet_file_gives_the_model_that_its_csv_gives(diaphane, tmp_path, good, parts_of, library):
    frames = pytest.importorskip(library)
    if library == "pandas":
        pytest.importorskip("pyarrow")
        frames.read_csv(good).to_parquet(tmp_path / "good.parquet")
    else:
        frames.read_csv(good).write_parquet(tmp_path / "good.parquet")
    assert diaphane("train", tmp_path / "good.parquet", *QUICK).code == 0
    model = parts_of(tmp_path / "model/model.safetensors")
    diaphane("train", good, *QUICK)
    assert parts_of(tmp_path / "model/model.safetensors") == model


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("y", "target 'y': classification"),
        ("2", "target 'y': classification"),
        ("-1", "target 'y': classification"),
        ("a", "target 'a': regression"),
        ("0", "target 'a': regression"),
        ("-2", "target 'b': regression"),
    ],
)
def test_the_target_is_named_or_counted_from_either_end(diaphane, good, target, said):
    assert said in diaphane("train", good, *QUICK, "--target", target).out


def test_a_column_named_by_a_number_is_meant_before_the_index(diaphane, write, sums, lines):
    source = write(lines(sums(), "2019,2020,2021"))
    assert "target '2020'" in diaphane("train", source, *QUICK, "--target", "2020").out


def test_without_a_header_the_first_line_is_data(diaphane, write, sums, lines):
    source = write(lines(sums()).split("\n", 1)[1])
    out = diaphane("train", source, *QUICK, "--no-header").out
    assert "target 'column_2'" in out
    assert sum(int(line.split("│")[2]) for line in out.splitlines() if line.startswith("│")) == 60


def test_a_header_that_reads_like_data_is_told(diaphane, write, sums, lines):
    source = write(lines(sums()).split("\n", 1)[1])
    answer = diaphane("train", source, *QUICK)
    assert answer.code == 0
    assert "note: the first line" in answer.out
    assert "--no-header" in answer.out


@pytest.mark.parametrize(("task", "metric"), [("classification", "accuracy"), ("regression", "R²")])
def test_the_task_can_be_said(diaphane, write, sums, lines, task, metric):
    source = write(lines(sums(labels=("0", "1"))))
    assert f"test {metric}" in diaphane("train", source, *QUICK, "--task", task).out


@pytest.mark.parametrize(
    ("hidden", "parameters"), [("8", 42), ("8,4", 70), (" 8 , 4 ", 70), ("1", 7), ("", 6), ("8,8,8", 186)]
)
def test_hidden_sets_the_layers_and_empty_means_none(diaphane, good, hidden, parameters):
    out = diaphane("train", good, "--epochs", 1, "--hidden", hidden).out
    assert f"\n{parameters} parameters, 1 epoch (" in out


def test_patience_ends_the_training_before_the_epochs_do(diaphane, good):
    out = diaphane("train", good, *QUICK, "--learning-rate", 0.5, "--epochs", 500, "--patience", 3).out
    assert "500 epochs" not in out


@pytest.mark.parametrize("options", [("--batch-size", 1), ("--batch-size", 100000), ("--learning-rate", 0.1)])
def test_batch_size_and_learning_rate_change_the_model(diaphane, tmp_path, good, options):
    diaphane("train", good, *QUICK)
    diaphane("train", good, *QUICK, *options, "--out", "other")
    one, other = (tmp_path / folder / "model.safetensors" for folder in ("model", "other"))
    assert one.read_bytes() != other.read_bytes()


def test_the_same_seed_gives_the_same_bytes_in_two_processes_and_another_seed_others(diaphane, process, tmp_path, good):
    arguments = ("train", good, "--epochs", 2, "--hidden", 8, "--out")
    said = [process(*arguments, tmp_path / folder, "--seed", 3).stdout for folder in ("one", "two")]
    assert diaphane(*arguments, tmp_path / "three", "--seed", 4).code == 0
    one, two, three = ((tmp_path / folder / "model.safetensors").read_bytes() for folder in ("one", "two", "three"))
    assert one == two
    assert one != three
    scores = [[line for line in text.splitlines() if line.startswith("│")] for text in said]
    assert len(scores[0]) == 3
    assert scores[0] == scores[1]


def test_the_folder_is_made_with_those_above_it(diaphane, tmp_path, good):
    assert diaphane("train", good, *QUICK, "--out", "here/and/there").code == 0
    assert (tmp_path / "here/and/there/model.safetensors").exists()


def test_a_folder_called_like_a_built_in_set_does_not_hide_it(diaphane, tmp_path):
    (tmp_path / "xor").mkdir()
    assert diaphane("train", "xor", *QUICK, "--out", "xor").code == 0
    assert diaphane("predict", "xor", "xor").code == 0


def test_names_are_shown_as_they_are_not_as_markup(diaphane, write, sums, lines):
    source = write(lines(sums(), "[red]a,b,[/y]"), "[bold]:smile:.csv")
    answer = diaphane("train", source, *QUICK, "--out", "[green]model")
    assert answer.code == 0
    assert f"{source}: target '[/y]'" in answer.out
    assert "wrote [green]model/model.safetensors" in answer.out.replace("\\", "/")


@pytest.mark.parametrize("name", ["price in $", "$x_{$", "$$", "価格 😀", "long name " * 30])
def test_any_name_of_a_target_can_stand_above_the_curves(diaphane, write, sums, lines, name):
    answer = diaphane("train", write(lines(sums(), f"a,b,{name}")), *QUICK)
    assert (answer.code, answer.err) == (0, "")


def test_a_long_path_stays_on_one_line_of_a_narrow_terminal(diaphane, monkeypatch, tmp_path, good):
    monkeypatch.setenv("COLUMNS", "60")
    folder = tmp_path / "a_rather_long_name_of_a_folder" / "that_goes_on_and_on"
    out = diaphane("train", good, *QUICK, "--out", folder).out
    assert f"wrote {folder / 'model.safetensors'}\n" in out


def test_a_pipe_gets_no_colours(process, tmp_path, good):
    answer = process("train", good, *QUICK, "--out", tmp_path / "model")
    assert answer.returncode == 0
    assert "\x1b" not in answer.stdout + answer.stderr
    assert answer.stderr == ""


def test_a_column_of_missing_values_is_left_out_and_said(diaphane, write, sums, lines):
    answer = diaphane("train", write(lines([(a, "?", y) for a, _, y in sums()])), *QUICK)
    assert answer.code == 0
    assert "left out: b (all its values are missing)" in answer.out


def test_many_columns_left_out_make_one_line(diaphane, write, sums, lines):
    table = [(a, b, *"1" * 20, y) for a, b, y in sums()]
    out = diaphane("train", write(lines(table, ",".join(["a", "b", *(f"c{i}" for i in range(20)), "y"]))), *QUICK).out
    (note,) = [line for line in out.splitlines() if "left out" in line]
    assert "c0 (1 in every row)" in note
    assert note.endswith("and 15 more")


def test_rows_without_a_target_are_left_out_and_counted(diaphane, write, sums, lines):
    table = [(a, b, "" if i % 5 == 0 else y) for i, (a, b, y) in enumerate(sums())]
    out = diaphane("train", write(lines(table)), *QUICK).out
    assert "12 rows without it left out" in out


def test_labels_with_accents_commas_quotes_and_blanks_are_learnt(diaphane, write, sums, lines):
    labels = ('"café, crème"', '"l\'""été"""')
    assert "2 classes" in diaphane("train", write(lines(sums(labels=labels))), *QUICK).out


def test_a_score_that_is_not_defined_is_a_dash(diaphane, write, sums, lines):
    table = [(a, b, f"{float(a) + float(b):.3f}") for a, b, _ in sums(5)]
    answer = diaphane("train", write(lines(table)), *QUICK)
    assert (answer.code, answer.err) == (0, "")
    assert "test R²: –" in answer.out


def test_four_rows_are_enough_and_what_could_not_be_done_is_told(diaphane, write):
    answer = diaphane("train", write("a,b,y\n1,2,x\n3,4,z\n2,2,x\n4,4,z\n"), *QUICK)
    assert answer.code == 0
    assert "split without" in answer.out
    assert "all their rows are in the training set" not in answer.out


def test_without_matplotlib_the_model_is_there_and_the_picture_is_offered(diaphane, monkeypatch, tmp_path, good):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    answer = diaphane("train", good, *QUICK)
    assert answer.code == 0
    assert "diaphane[plot]" in answer.out
    assert {path.name for path in (tmp_path / "model").iterdir()} == WRITTEN - {"learning_curves.png"}


def test_an_encoding_without_the_letters_is_no_error(process, tmp_path, numbers):
    arguments = ("train", numbers, *QUICK, "--out", tmp_path / "model")
    answer = process(*arguments, env={"PYTHONIOENCODING": "ascii"})
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "test R?:" in answer.stdout
