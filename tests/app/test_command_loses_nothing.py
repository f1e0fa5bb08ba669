"""What a person has is not lost: tables, the word on a cell that changes a column, a page of another model."""

from __future__ import annotations

from .test_command_mistakes import assert_one_line


def test_a_table_is_not_overwritten_by_what_is_made_of_it(diaphane, classes, good):
    before = good.read_bytes()
    for answer in (
        diaphane("predict", classes, good, "--out", good),
        diaphane("compare", good, "--folds", "2", "--models", "constant,sklearn-linear", "--out", good),
    ):
        assert answer.code == 2
        assert_one_line(answer, "is the table itself", "choose another file")
    assert good.read_bytes() == before
    answer = diaphane("compare", good, "--out", classes)
    assert_one_line(answer, "is a folder", "path of a file")


def test_a_table_is_no_test_of_what_learnt_from_it(diaphane, good, tmp_path):
    answer = diaphane("train", good, "--test", good, "--out", tmp_path / "m")
    assert answer.code == 2
    assert_one_line(answer, "--test", "is the table itself")
    assert not (tmp_path / "m" / "model.safetensors").exists()


def test_a_cell_that_makes_words_of_a_column_of_numbers_is_named(diaphane, write, lines, sums, tmp_path):
    table = sums(60)
    table[4] = ("n/k", *table[4][1:])
    answer = diaphane("train", write(lines(table)), "--model", "logistic", "--out", tmp_path / "m")
    assert answer.code == 0
    assert "column 'a' is taken as words: 59 of 60 cells are numbers, and row 5 holds 'n/k'" in answer.said


def test_a_page_of_a_former_model_does_not_stay_beside_another(diaphane, good, tmp_path):
    out = tmp_path / "m"
    out.mkdir()
    (out / "report.html").write_text("of another model")
    assert diaphane("train", good, "--model", "logistic", "--no-report", "--out", out).code == 0
    assert not (out / "report.html").exists()
