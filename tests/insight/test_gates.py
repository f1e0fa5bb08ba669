"""The sixteen functions of two inputs: fourteen by one threshold, two refuted."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from diaphane.insight.theory import GATES, Refutation, all_gates, threshold_gate

ROWS = np.array(list(product((0, 1), repeat=2)))


def test_there_are_sixteen_gates_and_fourteen_are_possible():
    gates = all_gates()
    assert {gate.table for gate in gates} == set(product((0, 1), repeat=4))
    assert [gate.name for gate in gates if not gate.possible] == ["XOR", "XNOR"]


@pytest.mark.parametrize("gate", [gate for gate in all_gates() if gate.possible], ids=lambda gate: gate.name)
def test_the_weights_of_a_gate_give_its_truth_table(gate):
    assert tuple((ROWS @ gate.weights >= gate.threshold).astype(int)) == gate.table
    assert all(float(value).is_integer() for value in (*gate.weights, gate.threshold))


@pytest.mark.parametrize("name", ["XOR", "XNOR"])
def test_the_refutation_adds_up_to_a_contradiction(name):
    gate = threshold_gate(GATES[name])
    left = np.zeros(3)
    strict = 0
    proof = gate.refutation
    for times, row, output in zip(proof.multipliers, proof.rows, proof.outputs, strict=True):
        assert output == GATES[name][2 * row[0] + row[1]]
        # wᵀx − θ ≥ 0 where 1 is to come out, θ − wᵀx > 0 where 0 is: coefficients of (w₁, w₂, θ).
        demand = np.array([*row, -1])
        left += times * (demand if output else -demand)
        strict += times * (1 - output)
    assert (left == 0).all()
    assert strict > 0
    assert proof.holds
    assert "0 > 0" in str(gate)


def test_a_refutation_that_does_not_add_up_does_not_hold():
    rows = ((0, 0), (0, 1), (1, 0), (1, 1))
    assert Refutation(rows, (0, 1, 1, 0), (1, 1, 1, 1)).holds
    assert not Refutation(rows, (0, 1, 1, 0), (2, 1, 1, 1)).holds
    assert not Refutation(rows, (0, 1, 1, 1), (1, 1, 1, 1)).holds
    assert not Refutation(((0, 1),), (1,), (0,)).holds


@pytest.mark.parametrize(("n_inputs", "count"), [(1, 4), (2, 14), (3, 104)])
def test_the_number_of_threshold_functions_is_the_known_one(n_inputs, count):
    # Muroga 1971: 4, 14, 104, 1882, 94572, …
    gates = [threshold_gate(table) for table in product((0, 1), repeat=2**n_inputs)]
    assert sum(gate.possible for gate in gates) == count
    assert all(gate.refutation.holds for gate in gates if not gate.possible)


def test_parity_of_four_inputs_is_refuted():
    parity = [sum(row) % 2 for row in product((0, 1), repeat=4)]
    assert threshold_gate(parity).refutation.holds


@pytest.mark.parametrize("table", [[0, 1, 1], [0], [0, 2], ["0", "1"], [], None, 6])
def test_tables_that_are_none_are_refused(table):
    with pytest.raises(ValueError, match="truth table"):
        threshold_gate(table)


def test_too_many_inputs_are_refused():
    with pytest.raises(ValueError, match="expected at most 8"):
        threshold_gate([0] * 512)
