"""What the command promises on data that people have."""

from __future__ import annotations

import re
import statistics

import pytest


def score(text: str) -> float:
    return float(re.search(r"(?:accuracy|R²): (-?[\d.]+)", text)[1])


@pytest.mark.slow
def test_digits_are_read_rightly_by_one_network_and_by_two(diaphane):
    found = [score(diaphane("train", "digits", "--seed", seed, "--model", "mlp").out) for seed in range(3)]
    assert statistics.median(found) >= 0.96
    assert score(diaphane("train", "digits", "--members", 2).out) >= 0.97


@pytest.mark.slow
def test_incomes_of_a_census_are_told_on_rows_never_seen(diaphane, real_file):
    train, test = real_file("adult_train.csv"), real_file("adult_test.csv")
    assert diaphane("train", train, "--members", 1).code == 0
    answer = diaphane("predict", "model", test)
    assert len(answer.out.splitlines()) == 16282
    assert "over 16281 rows" in answer.err
    assert score(answer.err) >= 0.85


def test_prices_of_cars_are_told_from_a_file_without_a_header(diaphane, real_file):
    source = real_file("auto_imports.csv")
    answer = diaphane("train", source, "--no-header")
    assert score(answer.out) >= 0.75
    assert len(diaphane("predict", "model", source, "--no-header").out.splitlines()) == 202


def test_a_file_with_a_third_of_its_values_missing_runs_as_it_stands(diaphane, real_file):
    source = real_file("horse_colic.csv")
    answer = diaphane("train", source, "--no-header", "--members", 2)
    assert (answer.code, answer.err) == (0, "")
    assert diaphane("predict", "model", source, "--no-header", "--out", "p.csv").code == 0
