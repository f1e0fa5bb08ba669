import itertools
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diaphane as dia
from diaphane.graph.drawing import Drawing, draw
from diaphane.graph.drawing.content import symbol
from diaphane.graph.drawing.figures import number, summary
from diaphane.graph.drawing.layers import LayerBox, draw_layers
from diaphane.graph.drawing.layout import arrange
from diaphane.graph.drawing.text import text_width

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=["dot", "igraph"])
def layout(request, monkeypatch):
    if request.param == "dot":
        if shutil.which("dot") is None:
            pytest.skip("graphviz's dot is not installed")
    else:
        monkeypatch.setattr(shutil, "which", lambda name, *args, **kwargs: None)
    return request.param


@pytest.fixture(params=["LR", "TB"])
def direction(request):
    return request.param


def textbook():
    x, y, z = dia.variable(-2.0, "x"), dia.variable(5.0, "y"), dia.variable(-4.0, "z")
    return ((x + y).named("q") * z).named("f")


def softmax_network():
    rng = np.random.default_rng(0)
    n = dia.Dim("N")
    x, t = dia.placeholder((n, 4), "float64", "x"), dia.placeholder((n, 3), "float64", "t")
    w1, b1 = dia.variable(rng.normal(size=(4, 8)), "W¹"), dia.variable(np.zeros(8), "b¹")
    w2, b2 = dia.variable(rng.normal(size=(8, 3)), "W²"), dia.variable(np.zeros(3), "b²")
    h = dia.sigmoid(x @ w1 + b1).named("h")
    loss = -dia.mean(dia.sum(t * dia.log_softmax(h @ w2 + b2), axis=1))
    return loss.named("loss"), {x: rng.normal(size=(16, 4)), t: np.eye(3)[rng.integers(0, 3, 16)]}


def recurrent():
    rng = np.random.default_rng(0)
    sequence = dia.placeholder((dia.Dim("T"), 3), "float64", "x")
    w, u = dia.variable(rng.normal(size=(3, 4)), "W"), dia.variable(rng.normal(size=(4, 4)), "U")

    def cell(carry, item):
        new = dia.tanh(carry @ u + item @ w).named("hidden")
        return new, new

    last, states = dia.scan(cell, dia.constant(np.zeros(4)), sequence)
    return dia.sum(last**2) + dia.mean(states), {sequence: rng.normal(size=(5, 3))}


def random_graph(count, seed, reach):
    rng = np.random.default_rng(seed)
    nodes = [dia.variable(float(i), f"v{i}") for i in range(6)]
    while len(nodes) < count:
        a, b = (nodes[-1 - int(rng.integers(0, min(reach, len(nodes))))] for _ in range(2))
        nodes.append([dia.add, dia.multiply, dia.subtract, dia.maximum][int(rng.integers(0, 4))](a, b))
    used = {value for node in nodes for value in node.inputs}
    total, *others = [node for node in nodes if node not in used]
    for node in others:
        total = total + node
    return total


def wide_graph():
    return dia.stack([dia.tanh(dia.variable(float(i), f"variable number {i}")) for i in range(100)])


def deep_graph():
    node = dia.variable(1.0, "start")
    for _ in range(100):
        node = dia.tanh(node) + node
    return node


def parsed(drawing):
    return ET.fromstring(drawing.svg)


def groups(drawing, kind):
    return [g for g in parsed(drawing).iter(f"{SVG}g") if kind in g.get("class", "").split()]


def texts(element):
    return [t.text for t in element.iter(f"{SVG}text")]


def rectangle(group):
    """Left, top, right, bottom of a box."""
    shape = next(e for e in group if "box" in e.get("class", "").split())
    if shape.tag == f"{SVG}rect":
        x, y, w, h = (float(shape.get(name)) for name in ("x", "y", "width", "height"))
        return x, y, x + w, y + h
    points = np.array([p.split(",") for p in shape.get("points").split()], float)
    return *points.min(0), *points.max(0)


def boxes(drawing):
    return [rectangle(g) for g in groups(drawing, "node")]


def edges(drawing):
    body = next(g for g in parsed(drawing).iter(f"{SVG}g") if g.get("transform"))
    return [g for g in body if g.get("class") is None]


def path_points(group):
    """Points along an edge's line, curves sampled."""
    line = next(p for p in group.iter(f"{SVG}path") if p.get("class").startswith("line"))
    points = []
    for command, numbers in re.findall(r"([MLC])([^MLC]*)", line.get("d")):
        new = np.array(numbers.split(), float).reshape(-1, 2)
        if command == "C":
            a, (b, c, d) = points[-1], new
            for t in np.linspace(0, 1, 12)[1:, None]:
                points.append((1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d)
        else:
            points += [points[-1] + (new[0] - points[-1]) * t for t in (0.25, 0.5, 0.75)] if points else []
            points.append(new[0])
    return np.array(points)


def overlap(a, b, margin=0.0):
    return min(a[2], b[2]) - max(a[0], b[0]) > margin and min(a[3], b[3]) - max(a[1], b[1]) > margin


def overlaps(rectangles):
    return [pair for pair in itertools.combinations(rectangles, 2) if overlap(*pair)]


def label_rectangles(group, downwards):
    for text in group.iter(f"{SVG}text"):
        x, y = float(text.get("x")), float(text.get("y"))
        role, *anchor = text.get("class").split()
        width = text_width(text.text, role)
        left = x - {"start": 0.0, "end": width}.get(anchor[0] if anchor else "", width / 2)
        yield left, y - 9, left + width, y + 2


GRAPHS = {
    "textbook": lambda: (textbook(), {}),
    "network": softmax_network,
    "recurrent": recurrent,
    "200 nodes, near": lambda: (random_graph(200, 0, 12), {}),
    "200 nodes, far": lambda: (random_graph(200, 1, 60), {}),
    "wide": lambda: (dia.sum(wide_graph()), {}),
    "deep": lambda: (deep_graph(), {}),
}


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize(("gradients", "direction"), [(False, "TB"), (True, "LR")])
def test_no_two_boxes_overlap_and_no_line_crosses_a_box(graph, gradients, direction, layout):
    node, feeds = GRAPHS[graph]()
    drawing = draw(node, gradients=gradients, feeds=feeds, direction=direction)
    found = boxes(drawing)
    assert overlaps(found) == []
    sides = np.array(found)
    for edge in edges(drawing):
        x, y = path_points(edge).T[:, :, None]
        inside = (sides[:, 0] + 0.2 < x) & (x < sides[:, 2] - 0.2) & (sides[:, 1] + 0.2 < y) & (y < sides[:, 3] - 0.2)
        assert not inside.any()


@pytest.mark.parametrize("graph", ["textbook", "network", "recurrent", "deep"])
def test_labels_of_edges_lie_on_no_box_and_not_on_each_other(graph, layout, direction):
    node, feeds = GRAPHS[graph]()
    drawing = draw(node, gradients=True, feeds=feeds, direction=direction)
    labels = [r for edge in edges(drawing) for r in label_rectangles(edge, direction == "TB")]
    assert labels
    assert overlaps(labels) == []
    assert not [pair for pair in itertools.product(labels, boxes(drawing)) if overlap(*pair)]


@pytest.mark.parametrize("graph", ["textbook", "network", "recurrent"])
def test_lines_start_and_end_at_the_borders_of_boxes(graph, layout, direction):
    node, feeds = GRAPHS[graph]()
    drawing = draw(node, feeds=feeds, direction=direction)
    found = boxes(drawing)
    across, near, far = (0, 1, 3) if direction == "TB" else (1, 0, 2)
    assert edges(drawing)
    for edge in edges(drawing):
        start = path_points(edge)[0]
        head = next(p for p in edge.iter(f"{SVG}path") if p.get("class") == "head").get("d")
        tip = np.array(re.findall(r"-?[\d.]+", head)[:2], float)
        within = [(start, far), (tip, near)]
        for point, side in within:
            assert any(
                abs(point[1 - across] - box[side]) < 0.3 and box[across] < point[across] < box[across + 2]
                for box in found
            )


@given(st.integers(1, 30), st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=40, deadline=None)
def test_boxes_and_labels_of_any_size_get_places_of_their_own(count, seed, labelled):
    rng = np.random.default_rng(seed)
    sizes = [tuple(size) for size in rng.uniform(5, 200, (count, 2))]
    links = [(int(rng.integers(0, b)), b) for b in range(1, count) for _ in range(int(rng.integers(0, 4)))]
    labels = [tuple(rng.uniform(5, 80, 2)) if labelled and rng.random() < 0.7 else None for _ in links]
    placed = arrange(sizes, links, labels)
    things = [*zip(placed.boxes, sizes, strict=True)]
    things += [(c, s) for c, s in zip(placed.labels, labels, strict=True) if c is not None]
    rectangles = [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for (x, y), (w, h) in things]
    assert [pair for pair in itertools.combinations(rectangles, 2) if overlap(*pair, 1e-6)] == []
    for (source, target), runs in zip(links, placed.lines, strict=True):
        assert placed.boxes[source][0] < placed.boxes[target][0]
        assert all(a.end < b.start for a, b in itertools.pairwise(runs))


def test_legend_and_captions_fit_into_a_narrow_picture(direction):
    drawing = draw(dia.placeholder((), "float64", "x" * 20) * textbook(), gradients=True, direction=direction)
    width = float(parsed(drawing).get("width"))
    below = [t for t in parsed(drawing).iter(f"{SVG}text") if "small" in t.get("class")]
    assert len(below) >= 3
    assert all(float(t.get("x")) + text_width(t.text, "small") <= width for t in below)


def test_the_textbook_example_has_its_values_above_and_its_gradients_below_each_edge(layout):
    drawing = draw(textbook(), gradients=True)
    found = set()
    for edge in edges(drawing):
        value, gradient = edge.findall(f"{SVG}text")
        middle = path_points(edge)
        assert float(value.get("y")) < middle[:, 1].max()
        assert float(gradient.get("y")) > middle[:, 1].min()
        assert float(value.get("y")) < float(gradient.get("y"))
        found.add((edge.find(f"{SVG}title").text.split("\n")[0], value.text, gradient.text))
    assert found == {
        ("x → q, input 1 of 2", "−2", "−4"),
        ("y → q, input 2 of 2", "5", "−4"),
        ("q → f, input 1 of 2", "3", "−4"),
        ("z → f, input 2 of 2", "−4", "3"),
        ("the result; its gradient with respect to itself is 1", "−12", "1"),
    }
    assert [texts(g) for g in groups(drawing, "variable")[:3]] == [
        ["x", "−2", "∂ −4"],
        ["y", "5", "∂ −4"],
        ["z", "−4", "∂ 3"],
    ]


def test_contributions_at_a_fan_out_differ_and_add_up():
    x, y = dia.variable(2.0, "x"), dia.variable(3.0, "y")
    drawing = draw(x * y + x * x + dia.sin(y), gradients=True)
    parts = {}
    for edge in edges(drawing):
        source = edge.find(f"{SVG}title").text.split(" →")[0]
        if source in "xy":
            parts.setdefault(source, []).append(float(texts(edge)[1].replace("−", "-")))
    assert sorted(parts["x"]) == [2.0, 2.0, 3.0]
    assert sum(parts["y"]) == pytest.approx(2 + np.cos(3.0), abs=1e-3)
    assert len(groups(drawing, "sum")) == 2
    assert len(groups(draw(textbook(), gradients=True), "sum")) == 0


def test_the_gradients_drawn_are_those_of_the_network():
    loss, feeds = softmax_network()
    drawing = draw(loss, gradients=True, feeds=feeds)
    variables = [n for n in dia.ancestors([loss]) if n.name in ("W¹", "b¹", "W²", "b²")]
    drawn = {
        texts(g)[0]: [t for t in texts(g) if "∂" in t] for g in groups(drawing, "variable") if "node" in g.get("class")
    }
    for node, gradient in zip(variables, dia.evaluate(dia.gradient(loss, variables), feeds), strict=True):
        assert drawn[node.name] == [f"∂ {summary(gradient)[0]}"]


def test_gradients_of_what_is_not_one_number_are_refused_as_gradient_refuses_them():
    x = dia.variable([1.0, 2.0], "x")
    with pytest.raises(dia.ShapeError, match="upstream"):
        draw(x * 2, gradients=True)
    with pytest.raises(dia.ShapeError, match="2 nodes"):
        draw([dia.sum(x), dia.mean(x)], gradients=True)
    with pytest.raises(dia.NotDifferentiableError):
        draw(dia.sum(dia.astype(dia.argmax(x), "float64")), gradients=True, wrt=[x])


def test_without_feeds_the_drawing_goes_on_and_says_what_is_missing():
    loss, _ = softmax_network()
    drawing = draw(loss, gradients=True)
    assert "no values and gradients: they need t, x (feeds={…})" in drawing.svg
    assert "(N, 4) float64" in drawing.svg
    weights = next(g for g in groups(drawing, "variable") if texts(g)[:1] == ["W¹"])
    assert len(weights.findall(f"{SVG}text")) == 4  # its name, its shape, and what it starts from


def test_feeds_that_do_not_fit_are_an_error_and_not_a_missing_value():
    x = dia.placeholder((3,), "float64", "x")
    with pytest.raises(dia.ShapeError):
        draw(x * 2, feeds={x: [1.0, 2.0]})
    with pytest.raises(dia.FeedError):
        draw(x * 2, feeds={"y": 1.0})


def test_any_node_can_be_fed_and_is_then_where_the_picture_begins():
    x = dia.placeholder((), "float64", "x")
    h = dia.tanh(x).named("h")
    drawing = draw(h * 2, feeds={h: 3.0})
    assert [texts(g) for g in groups(drawing, "node")] == [["h", "3"], ["6"], ["2"]]


def test_a_single_leaf_and_a_node_named_twice_are_pictures_too():
    x = dia.variable(2.0, "x")
    assert texts(groups(draw(x, gradients=True), "node")[0]) == ["x", "2", "∂ 1"]
    assert len(boxes(draw([x, x]))) == 1
    assert len(boxes(draw(dia.constant(2.0)))) == 1


def test_a_scan_is_one_box_with_its_parts():
    node, feeds = recurrent()
    drawing = draw(node, gradients=True, feeds=feeds)
    [scan] = [g for g in groups(drawing, "scan") if "node" in g.get("class")]
    assert texts(scan) == ["scan", "T steps"]
    parts = [texts(g)[0] for g in groups(drawing, "part") if "node" in g.get("class")]
    assert sorted(parts) == ["hidden (each step)", "last carry"]
    assert "at each step" in drawing.svg


def test_small_constants_are_drawn_at_each_use_and_other_nodes_once():
    x = dia.variable(3.0, "x")
    big = dia.constant(np.arange(8.0))
    drawing = draw(dia.sum((x + 2) * big + (2 / x) * big))
    constants = [texts(g)[0] for g in groups(drawing, "constant") if "node" in g.get("class")]
    assert sorted(constants) == ["2", "2", "constant"]


def test_of_a_graph_that_is_too_large_the_nearest_nodes_are_drawn(layout):
    drawing = draw(deep_graph(), max_nodes=20)
    nodes = groups(drawing, "node")
    more = [texts(g)[0] for g in nodes if "more" in g.get("class")]
    assert len(nodes) - len(more) == 20
    hidden = sum(int(n) for text in more for n in re.findall(r"\d+", text))
    assert hidden == 201 - 20
    assert "181 of 201 nodes" in drawing.svg
    assert overlaps(boxes(drawing)) == []


def test_a_graph_of_thousands_of_nodes_is_drawn_in_part():
    node = dia.variable(1.0, "start")
    for _ in range(5000):
        node = node * 0.5 + 1
    assert "more" in draw(node, max_nodes=50).svg


@pytest.mark.parametrize("name", ["<b>&\"'", "naïve é Ω", "a\x00b\x1b", "日本語の名前", "x" * 300, "]]>", "two\nlines"])
def test_any_name_gives_valid_xml(name):
    drawing = draw(dia.variable(1.0, name) * 2, title=name)
    shown = texts(groups(drawing, "variable")[0])[0]
    assert len(shown) <= 24
    assert shown[0] == name[0]
    tooltip = groups(drawing, "variable")[0].find(f"{SVG}title").text
    assert "parameter () float64" in tooltip


def test_long_text_fits_its_box():
    drawing = draw(dia.variable(np.full(6, -1.23456e-7), "W" * 60))
    [(left, _, right, _)] = boxes(drawing)
    assert right - left < 450
    for text in groups(drawing, "node")[0].iter(f"{SVG}text"):
        assert text_width(text.text, text.get("class")) <= right - left


def test_the_tooltip_tells_formula_shape_and_place():
    drawing = draw(textbook())
    product = next(g for g in groups(drawing, "output"))
    tooltip = product.find(f"{SVG}title").text
    assert "q·z" in tooltip
    assert "operation () float64" in tooltip
    assert "test_drawing.py:" in tooltip
    assert __file__ not in drawing.svg


def test_a_value_that_is_not_finite_is_marked():
    x = dia.variable([1.0, 0.0], "x")
    alarming = groups(draw(dia.log(x)), "alarm")
    assert [texts(g)[-1] for g in alarming if "node" in g.get("class")] == ["[0, −∞]"]
    assert groups(draw(dia.exp(x)), "alarm") == []


def test_the_same_graph_gives_the_same_picture_every_time(layout):
    node, feeds = softmax_network()
    assert draw(node, gradients=True, feeds=feeds).svg == draw(node, gradients=True, feeds=feeds).svg


def test_several_nodes_are_drawn_in_one_picture():
    x = dia.variable(2.0, "x")
    assert len(groups(draw([x**2, dia.sin(x), x]), "output")) == 3


def test_arguments_that_cannot_be_meant():
    x = dia.variable(1.0, "x")
    with pytest.raises(dia.DTypeError, match="takes a node"):
        draw([1.0])
    with pytest.raises(ValueError, match="no node"):
        draw([])
    with pytest.raises(ValueError, match="direction"):
        draw(x, direction="RL")
    with pytest.raises(ValueError, match="max_nodes"):
        draw(x, max_nodes=0)


def test_saving_replaces_the_file_whole_and_leaves_nothing_beside_it(tmp_path):
    drawing = draw(textbook())
    target = tmp_path / "f.svg"
    target.write_text("old")
    assert drawing.save(target) == target
    assert target.read_text(encoding="utf-8") == drawing.svg == drawing._repr_svg_()
    assert [p.name for p in tmp_path.iterdir()] == ["f.svg"]


def test_saving_says_what_is_wrong_with_a_path(tmp_path):
    drawing = Drawing("<svg/>")
    with pytest.raises(ValueError, match=r"saved as \.svg, got 'f\.png': use 'f\.svg'"):
        drawing.save(tmp_path / "f.png")
    with pytest.raises(FileNotFoundError, match="make it first"):
        drawing.save(tmp_path / "none" / "f.svg")


def test_the_picture_is_light_and_dark_and_said_in_words():
    root = parsed(draw(textbook(), title="f = (x + y)·z"))
    assert root.get("aria-label") == "f = (x + y)·z"
    assert root.find(f"{SVG}title").text == "f = (x + y)·z"
    assert "5 boxes" in root.find(f"{SVG}desc").text
    assert "prefers-color-scheme:dark" in root.find(f"{SVG}style").text


def test_importing_the_library_loads_no_layout():
    code = "import sys, diaphane.graph.drawing; print([m for m in ('igraph', 'scipy.optimize') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5"), (-3.0, "−3"), (1 / 3, "0.333333"), (1.5e-7, "1.5e−7"), (2.5e12, "2.5e12"), (True, "True"), (7, "7")],
)
def test_numbers_have_at_most_six_digits(value, text):
    assert number(value) == text


def test_summaries_of_arrays():
    assert summary(np.float64(2.0)[()] * np.ones(())) == ["2"]
    assert summary(np.zeros((0, 3))) == ["empty"]
    assert summary(np.zeros(100)) == ["all 0"]
    assert summary(np.array([np.nan] * 7)) == ["7 × NaN"]
    assert summary(np.array([1e308, -1e308] * 4)) == ["0 ± 1e308", "−1e308 … 1e308"]
    assert summary(np.array([np.inf, 1, 2, 3, 4, 5, 6.0]))[-1] == "1 × ∞"
    assert summary(np.arange(10) > 3) == ["6 of 10 true"]


def test_symbols_of_operations():
    a, m = dia.variable(1.0, "a"), dia.variable(np.ones((2, 2)), "m")
    nodes = [a - 1, a / 2, -a, a < 1, dia.abs(a), dia.sigmoid(a), m @ m, m.T, dia.sum(m), dia.softmax(m), a**3]
    assert [symbol(n) for n in nodes] == ["−", "/", "−a", "<", "|a|", "σ", "@", "aᵀ", "Σ", "softmax", "^"]


NETWORK = [
    LayerBox("Input", units=64, output_shape="(N, 64)"),
    LayerBox("Dense 32", "relu", 32, "(N, 32)", 2080),
    LayerBox("Dropout", "p = 0.5", None, "(N, 32)"),
    LayerBox("Dense 4", "tanh", 4, "(N, 4)", 132),
    LayerBox("Dense 3", "softmax", 3, "(N, 3)", 15),
]


def test_a_network_is_drawn_as_columns_of_units():
    drawing = draw_layers(NETWORK, title="Digits & more")
    columns = groups(drawing, "layer")
    units = [len(list(g.iter(f"{SVG}circle"))) for g in columns]
    assert units == [10, 10, 0, 4, 3]
    assert ["⋮" in texts(g) for g in columns] == [True, True, False, False, False]
    lines = [p for p in parsed(drawing).iter(f"{SVG}path") if "unit-line" in p.get("class", "")]
    assert [p.get("d").count("M") for p in lines] == [100, 12]
    assert [texts(g) for g in groups(drawing, "caption")][1] == ["Dense 32", "relu", "(N, 32)", "2\u202f080 parameters"]
    assert "2\u202f227 parameters in all" in drawing.svg


def test_the_boxes_under_a_network_do_not_overlap():
    layers = [*NETWORK, *[LayerBox(f"A very long layer's title, number {i}", units=1) for i in range(5)]]
    assert overlaps(boxes(draw_layers(layers))) == []


@pytest.mark.parametrize("units", [0, 1, 10, 11, 100_000])
def test_a_network_of_any_width_gives_valid_xml(units):
    drawing = draw_layers([LayerBox("<Dense>", units=units), LayerBox("Flatten"), LayerBox("é", units=units)])
    assert len(list(parsed(drawing).iter(f"{SVG}circle"))) == 2 * min(units, 10)


def test_a_network_without_layers_is_refused():
    with pytest.raises(ValueError, match="no layer"):
        draw_layers([])
