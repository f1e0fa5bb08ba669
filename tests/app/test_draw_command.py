from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest


def words(path) -> str:
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return " ".join(root.itertext())


def test_the_layers_are_drawn_into_the_models_folder(diaphane, classes):
    (classes / "network.svg").unlink()
    answer = diaphane("draw", classes)
    assert answer.code == 0
    assert answer.out == f"wrote {classes / 'network.svg'}\n"
    assert {"Input", "Dense", "32", "relu"} <= set(words(classes / "network.svg").split())


def test_the_graph_is_drawn_beside_the_layers(diaphane, classes):
    layers = (classes / "network.svg").read_bytes()
    assert diaphane("draw", classes, "--graph").code == 0
    assert "dense_1/kernel" in words(classes / "graph.svg")
    assert (classes / "network.svg").read_bytes() == layers


def test_the_drawing_goes_where_it_is_told(diaphane, classes, tmp_path):
    assert diaphane("draw", classes, "--out", tmp_path / "mine.svg").code == 0
    assert "Dense" in words(tmp_path / "mine.svg")


def test_drawing_twice_gives_the_same_bytes(diaphane, values, tmp_path):
    for name in ("one.svg", "two.svg"):
        diaphane("draw", values / "model.safetensors", "--graph", "--out", tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


@pytest.mark.parametrize("out", ["mine.png", "classes", "mine"])
def test_a_drawing_that_is_not_to_be_svg_is_refused(diaphane, classes, out):
    answer = diaphane("draw", classes, "--out", out)
    assert answer.code == 2
    assert answer.err.startswith("diaphane: error: --out: a drawing is an SVG file")
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize("command", [("draw", "classes"), ("predict", "classes", "good.csv")])
def test_an_empty_path_is_refused_as_no_file(diaphane, classes, good, command):
    answer = diaphane(*command, "--out", "")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "diaphane: error: --out takes the path of a file to write, got '.'\n"


def test_a_drawing_that_cannot_be_written_names_its_own_path(diaphane, classes):
    answer = diaphane("draw", classes, "--out", "no/mine.svg")
    assert (answer.code, answer.err.count("cannot write no/mine.svg: No such file")) == (2, 1)


def test_a_long_name_does_not_push_the_drawing_aside(diaphane, write, sums, lines, tmp_path):
    diaphane("train", write(lines(sums(), f"a,b,{'long name ' * 30}")), "--hidden", 8, "--epochs", 1)
    assert float(ElementTree.parse(tmp_path / "model/network.svg").getroot().get("width").removesuffix("px")) < 1000
