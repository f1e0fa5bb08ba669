from __future__ import annotations

import csv
import io

import numpy as np
import pytest

QUICK = ("--epochs", 2, "--hidden", 8, "--out", "model")


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def test_another_process_predicts_what_was_learnt(process, classes, good, sums):
    answer = process("predict", classes, good)
    assert answer.returncode == 0
    predicted = cells(answer.stdout)
    assert predicted[0] == ["y"]
    right = [row == [y] for row, (_, _, y) in zip(predicted[1:], sums(), strict=True)]
    assert np.mean(right) > 0.9
    assert answer.stderr == f"accuracy: {np.mean(right):.4f} over 60 rows with a known y\n"


def test_the_target_may_be_absent_and_then_there_is_no_score(diaphane, classes, good, write, sums, lines):
    with_it = diaphane("predict", classes, good)
    without = diaphane("predict", classes, write(lines([row[:2] for row in sums()], "a,b")))
    assert (without.code, without.err) == (0, "")
    assert without.out == with_it.out


def test_a_target_without_any_value_gives_no_score(diaphane, classes, values, write):
    source = write("a,b,y\n1,2,?\n2,3,\n")
    for folder in (classes, values):
        answer = diaphane("predict", folder, source)
        assert (answer.code, answer.err) == (0, "")
        assert len(answer.out.splitlines()) == 3


def test_columns_may_stand_in_another_order_with_others_between(diaphane, classes, good, write, sums, lines):
    moved = write(lines([(y, b, "word", a, "") for a, b, y in sums()], "y,b,new,a,empty"), "moved.csv")
    assert diaphane("predict", classes, moved).out == diaphane("predict", classes, good).out


def test_a_file_without_a_header_is_predicted_without_one(diaphane, write, sums, lines):
    source = write(lines(sums()).split("\n", 1)[1])
    diaphane("train", source, *QUICK, "--no-header")
    answer = diaphane("predict", "model", source, "--no-header")
    assert answer.code == 0
    assert len(answer.out.splitlines()) == 61


def test_one_row_and_missing_values_are_predicted(diaphane, classes, write):
    for text, rows in (("a,b\n1,2\n", 1), ("a,b\n,\n1,?\n\nNA,2\n", 3)):
        answer = diaphane("predict", classes, write(text))
        assert answer.code == 0
        assert len(answer.out.splitlines()) == rows + 1


def test_probabilities_sum_to_one_and_name_their_classes(diaphane, classes, good):
    table = cells(diaphane("predict", classes, good, "--proba").out)
    assert table[0] == ["y", "p(neg)", "p(pos)"]
    p = np.array([row[1:] for row in table[1:]], float)
    assert np.abs(p.sum(axis=1) - 1).max() < 1e-5
    assert [row[0] for row in table[1:]] == [("neg", "pos")[i] for i in p.argmax(axis=1)]


def test_numbers_are_predicted_and_scored(diaphane, values, numbers):
    answer = diaphane("predict", values, numbers)
    predicted = np.array([float(row[0]) for row in cells(answer.out)[1:]])
    truth = np.array([float(row[2]) for row in cells(numbers.read_text())[1:]])
    r2 = 1 - np.square(truth - predicted).sum() / np.square(truth - truth.mean()).sum()
    assert r2 > 0.9
    assert answer.err == f"R²: {r2:.4f} over 60 rows with a known y\n"


def test_r2_of_rows_that_are_all_alike_is_not_a_number_and_said(diaphane, values, write):
    answer = diaphane("predict", values, write("a,b,y\n1,2,5\n3,4,?\n"))
    assert answer.code == 0
    assert answer.err == "R²: not defined over 1 row with a known y\n"


def test_r2_of_very_large_numbers_does_not_overflow(diaphane, values, write):
    answer = diaphane("predict", values, write("a,b,y\n1,2,1e300\n3,4,-1e300\n"))
    assert answer.err.startswith("R²: 0.0000 over 2 rows")


def test_classes_that_the_model_does_not_know_are_counted(diaphane, classes, write):
    answer = diaphane("predict", classes, write("a,b,y\n2,2,pos\n2,2,pos.\n-2,-2,neg.\n"))
    assert answer.code == 0
    assert "accuracy: 0.3333 over 3 rows" in answer.err
    assert "2 of them of a class that the model does not know (it knows neg, pos)" in answer.err


def test_labels_of_any_letters_come_back_as_they_were(diaphane, write, sums, lines):
    labels = ('"café, crème"', '"l\'""été""\nsuite; 文"')
    source = write(lines(sums(labels=labels)))
    assert diaphane("train", source, *QUICK).code == 0
    table = cells(diaphane("predict", "model", source, "--proba").out)
    plain = ["café, crème", 'l\'"été"\nsuite; 文']
    assert table[0] == ["y", *(f"p({label})" for label in plain)]
    assert {row[0] for row in table[1:]} <= set(plain)
    assert len(table) == 61


def test_whole_numbers_as_classes_stay_whole(diaphane, write, sums, lines):
    source = write(lines(sums(labels=("0", "1"))))
    diaphane("train", source, *QUICK)
    assert {row[0] for row in cells(diaphane("predict", "model", source).out)[1:]} <= {"0", "1"}


def test_a_file_gets_what_the_screen_would(diaphane, classes, tmp_path, good):
    screen = diaphane("predict", classes, good, "--proba")
    answer = diaphane("predict", classes, good, "--proba", "--out", "predicted.csv")
    assert (answer.code, answer.out) == (0, "")
    assert answer.err == screen.err
    assert (tmp_path / "predicted.csv").read_bytes().decode() == screen.out


def test_a_mistake_leaves_the_output_file_as_it_was(diaphane, classes, values, write, tmp_path, good):
    old = write("what was there\n", "predicted.csv")
    assert diaphane("predict", classes, write("b\n1\n"), "--out", old).code == 2
    # The target cannot be scored: nothing is written either, on the screen or in the file.
    answer = diaphane("predict", values, good, "--out", old)
    assert (answer.code, answer.out) == (2, "")
    assert diaphane("predict", values, good).out == ""
    assert old.read_text() == "what was there\n"
    assert not [path for path in tmp_path.iterdir() if ".part" in path.name]


@pytest.mark.parametrize("given", ["classes", "classes/model.safetensors"])
def test_the_model_is_given_by_its_folder_or_its_file(diaphane, classes, good, given):
    assert diaphane("predict", given, good).code == 0


def test_a_model_goes_wherever_its_one_file_goes(diaphane, classes, tmp_path, good):
    (classes / "model.safetensors").rename(tmp_path / "mine.safetensors")
    assert diaphane("predict", "mine.safetensors", good).code == 0


def test_an_encoding_without_the_labels_letters_is_told_not_garbled(process, diaphane, tmp_path, write, sums, lines):
    source = write(lines(sums(labels=("été", "hiver"))))
    diaphane("train", source, *QUICK)
    answer = process("predict", tmp_path / "model", source, "--proba", env={"PYTHONIOENCODING": "ascii"})
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "ascii" in answer.stderr
    assert "--out" in answer.stderr
    arguments = ("predict", tmp_path / "model", source, "--out", tmp_path / "p.csv", "--proba")
    assert process(*arguments, env={"PYTHONIOENCODING": "ascii"}).returncode == 0
    assert "p(été)" in (tmp_path / "p.csv").read_text(encoding="utf-8")
