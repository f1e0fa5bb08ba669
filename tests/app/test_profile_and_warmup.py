from __future__ import annotations

import re

import pytest

from diaphane.engines.native import cache


def rows_of(printed: str) -> list[str]:
    """The numbered lines: one for each instruction."""
    return re.findall(r"^ *\d+ +\w+ .*$", printed, re.MULTILINE)


def test_a_profile_lists_the_instructions_of_a_training_step(diaphane, classes, good):
    answer = diaphane("profile", classes, good, "--steps", 3, "--batch-size", 20, "--threads", 1)
    assert answer.code == 0
    assert f"a training step of {classes} on 20 rows of {good}" in answer.out
    assert len(rows_of(answer.out)) > 15
    for said in ("matmul", "x @ dense_1/kernel", "GFLOP/s", "0 of which call Python", "the machine at best, 1 core"):
        assert said in answer.out


def test_a_prediction_has_no_instructions_of_training(diaphane, classes, good):
    whole = rows_of(diaphane("profile", classes, good, "--steps", 3).out)
    answer = diaphane("profile", classes, good, "--steps", 3, "--predict")
    assert answer.code == 0
    assert 0 < len(rows_of(answer.out)) < len(whole)
    assert "permute_dims @" not in answer.out


def test_a_number_to_predict_is_profiled_too(diaphane, values, numbers):
    assert len(rows_of(diaphane("profile", values, numbers, "--steps", 2).out)) > 10


def test_a_batch_is_at_most_the_table(diaphane, classes, write, lines, sums):
    answer = diaphane("profile", classes, write(lines(sums(7))), "--steps", 2, "--batch-size", 500)
    assert "on 7 rows of" in answer.out


@pytest.mark.parametrize("option", ["--batch-size", "--steps", "--threads"])
def test_numbers_below_one_are_refused(diaphane, classes, good, option):
    answer = diaphane("profile", classes, good, option, 0)
    assert answer.code == 2
    assert f"{option} must be at least 1, got 0" in answer.said


def test_a_step_needs_the_target_and_a_prediction_does_not(diaphane, classes, write):
    table = write("a,b\n1,2\n3,4\n")
    answer = diaphane("profile", classes, table)
    assert answer.code == 2
    assert "no column 'y'" in answer.said
    assert "--predict" in answer.said
    assert diaphane("profile", classes, table, "--predict", "--steps", 2).code == 0


def test_a_table_of_no_rows_is_refused(diaphane, classes, write):
    answer = diaphane("profile", classes, write("a,b,y\n"))
    assert answer.code == 2
    assert "no rows" in answer.said


@pytest.mark.parametrize("arguments", [("nowhere", "digits"), ("classes", "nowhere.csv")])
def test_what_is_not_there_is_named(diaphane, classes, arguments):
    answer = diaphane("profile", *(classes if a == "classes" else a for a in arguments))
    assert answer.code == 2
    assert "nowhere" in answer.said
    assert "Traceback" not in answer.said


def test_warmup_says_what_it_did_and_where_the_kernels_are(diaphane, monkeypatch):
    from diaphane.app import profiling

    few = profiling.common_programs()[:2]
    monkeypatch.setattr(profiling, "common_programs", lambda: few)
    answer = diaphane("warmup")
    assert answer.code == 0
    assert re.search(r"2 programs in \d+\.\d s: \d+ kernels compiled", answer.said)
    assert str(cache.cache_folder() or "memory only") in answer.out
