"""The perceptron's updates, the proof that they end, and the hidden space of XOR, as they are drawn."""

from __future__ import annotations

import itertools
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.linear_model import Perceptron
from sklearn.neural_network import MLPClassifier

from diaphane.insight.displays import ConvergenceDisplay, HiddenSpaceDisplay, PerceptronDisplay
from diaphane.insight.displays.plane import View

CORNERS, XOR = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]


def separable(seed=0, gap=0.25):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(80, 2)) + [2.0, 1.0]
    side = x @ [1, 1.5] - 3.2
    keep = np.abs(side) > gap
    return x[keep], np.where(side[keep] > 0, 1, -1)


def test_its_updates_end_where_scikit_learns_perceptron_does():
    x, y = separable()
    display = PerceptronDisplay.from_data(x, y)
    model = Perceptron(shuffle=False, tol=None, max_iter=100).fit(x, y)
    np.testing.assert_allclose(display.weights[-1], [*model.coef_[0], *model.intercept_], rtol=1e-9)
    assert not display.wrong().any()


def test_every_update_is_made_for_a_mistake_and_adds_that_example():
    x, y = separable(1)
    display = PerceptronDisplay.from_data(x, y, learning_rate=0.5)
    for k, i in enumerate(display.examples):
        augmented = y[i] * np.array([*x[i], 1.0])
        assert augmented @ display.weights[k] <= 0
        np.testing.assert_allclose(display.weights[k + 1] - display.weights[k], 0.5 * augmented, atol=1e-12)


def test_each_line_drawn_is_the_boundary_after_an_update():
    x, y = separable(0)
    display = PerceptronDisplay.from_data(x, y)
    view, expected = display.view, []
    for w in display.weights:
        if len(view.segment(w[:2], w[2])):
            expected.append(w)
    assert len(display.lines_) == len(expected) > 1
    for ends, w in zip(display.lines_, expected, strict=True):
        np.testing.assert_allclose(ends @ w[:2] + w[2], 0, atol=1e-9 * np.abs(w).max())


def test_a_recorded_history_and_the_rule_itself_give_one_picture():
    x, y = separable(3)
    display = PerceptronDisplay.from_data(x, y)
    updates = [(int(i), display.weights[k], display.weights[k + 1]) for k, i in enumerate(display.examples)]
    again = PerceptronDisplay.from_updates(updates, x, y)
    np.testing.assert_array_equal(again.lines_, display.lines_)


def test_one_update_shows_the_boundary_before_and_after_and_rings_its_example():
    x, y = separable(0)
    display = PerceptronDisplay.from_data(x, y)
    display.plot(update=5)
    for ends, w in zip(display.lines_, display.weights[4:6], strict=True):
        np.testing.assert_allclose(ends @ w[:2] + w[2], 0, atol=1e-9)
    [ring] = [c for c in display.ax_.collections if c.get_label() == "the example"]
    np.testing.assert_array_equal(ring.get_offsets(), [x[display.examples[4]]])
    assert display.ax_.get_title().startswith(f"update 5 of {display.n_mistakes}: example {display.examples[4]}")
    with pytest.raises(ValueError, match=f"to {display.n_mistakes}"):
        display.plot(update=display.n_mistakes + 1)


def test_the_page_is_one_file_that_asks_nothing_of_the_net(tmp_path):
    x, y = separable()
    display = PerceptronDisplay.from_data(x, np.where(y > 0, "</script>", "<b>no"))
    page = display.animate(tmp_path / "p.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)\s*=|url\(|import|fetch|https?:", page)
    assert page.count("</script>") == 1
    HTMLParser().feed(page)
    data = json.loads(re.search(r"const data = (.*);\n", page)[1].replace("<\\/", "</"))
    assert len(data["frames"]) == display.n_mistakes + 1
    assert [f["example"] for f in data["frames"][1:]] == display.examples.tolist()
    assert data["frames"][-1]["wrong"] == []
    view, w = display.view, display.weights[-1]
    u0, v0, u1, v1 = data["frames"][-1]["line"]
    for u, v in ((u0, v0), (u1, v1)):
        point = [view.left + u / 600 * (view.right - view.left), view.top - v / 440 * (view.top - view.bottom)]
        assert abs(point @ w[:2] + w[2]) < 0.02 * np.linalg.norm(w)


def test_the_gif_has_a_frame_for_each_update_that_differs_from_the_last(tmp_path):
    from PIL import Image

    x, y = separable()
    display = PerceptronDisplay.from_data(x, y)
    with Image.open(display.animate(tmp_path / "p.gif", seconds=0.2)) as gif:
        assert gif.n_frames == display.n_mistakes + 1
        frames = []
        for k in range(gif.n_frames):
            gif.seek(k)
            assert gif.info["duration"] == (2000 if k == gif.n_frames - 1 else 200)
            frames.append(np.asarray(gif.convert("L")))
    assert all((a != b).any() for a, b in itertools.pairwise(frames))


def test_classes_that_never_part_end_after_the_epochs_allowed_and_frames_are_thinned(tmp_path):
    display = PerceptronDisplay.from_data(CORNERS, XOR, max_iter=300)
    assert display.wrong().any()
    assert display.n_mistakes > 400
    page = display.animate(tmp_path / "xor.html").read_text(encoding="utf-8")
    assert page.count('"caption": "update') == 399


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: PerceptronDisplay.from_data(np.ones((4, 3)), XOR), r"\(n, 2\), got \(4, 3\)"),
        (lambda: PerceptronDisplay.from_data(CORNERS, [0, 1, 2, 0]), "two classes, y has 3"),
        (lambda: PerceptronDisplay.from_data(CORNERS, [1, 1, 1, 1]), "two classes, y has 1"),
        (lambda: PerceptronDisplay.from_data(CORNERS, XOR, max_iter=0), "max_iter ≥ 1"),
        (lambda: PerceptronDisplay.from_updates([(9, [0, 0, 0], [1, 1, 1])], CORNERS, XOR), "has 4 rows"),
        (lambda: PerceptronDisplay.from_updates([(1, [0, 0], [1, 1])], CORNERS, XOR), r"\(w₁, w₂, b\)"),
        (lambda: PerceptronDisplay.from_data(CORNERS, XOR, max_iter=2).animate("p.mp4"), r"\.gif, got 'p\.mp4'"),
        (lambda: PerceptronDisplay.from_estimator(Perceptron(), CORNERS, XOR), "not fitted"),
        (lambda: PerceptronDisplay.from_estimator(Perceptron().fit(CORNERS, XOR), CORNERS, XOR), "record=True"),
    ],
)
def test_a_perceptron_that_cannot_be_drawn_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_the_proofs_four_quantities_keep_their_order_at_every_mistake_and_meet_at_the_bound():
    x, y = separable(4, gap=0.6)
    display = ConvergenceDisplay.from_data(x, y)
    run = PerceptronDisplay.from_data(x, y)
    found, made = display.certificate, display.certificate.mistakes
    values = {name: line.get_ydata()[:made] for name, line in display.lines_.items()}
    assert (values["growth"] <= values["alignment"] + 1e-9).all()
    assert (values["alignment"] <= values["norm"] + 1e-9).all()
    assert (values["norm"] <= values["ceiling"] + 1e-9).all()
    np.testing.assert_allclose(values["norm"], np.linalg.norm(run.weights[1:], axis=1), rtol=1e-9)
    np.testing.assert_allclose(values["alignment"], run.weights[1:] @ found.separator, rtol=1e-7, atol=1e-9)
    t, growth = display.lines_["growth"].get_data()
    assert np.interp(found.bound, t, growth) == pytest.approx(np.sqrt(found.bound) * found.radius, rel=1e-3)


@pytest.mark.parametrize("eta0", [1.0, 0.25])
def test_a_perceptrons_own_mistakes_keep_the_proofs_order_whatever_order_the_examples_came_in(eta0):
    from diaphane.estimators.linear import Perceptron as Ours

    x, y = separable(6, gap=0.4)
    model = Ours(shuffle=True, random_state=1, tol=None, record=True, eta0=eta0).fit(x, y)
    display = ConvergenceDisplay.from_estimator(model, x, y)
    assert display.certificate.mistakes == model.n_mistakes_ <= display.certificate.bound
    assert display.certificate.trace.holds
    last = np.linalg.norm([*model.coef_[0], *model.intercept_]) / eta0
    assert display.lines_["norm"].get_ydata()[-1] == pytest.approx(last)
    with pytest.raises(ValueError, match="record=True"):
        ConvergenceDisplay.from_estimator(Perceptron().fit(x, y), x, y)


def test_without_a_separator_or_a_trace_there_is_no_proof_to_draw():
    from diaphane.insight.theory.certificate import convergence_certificate

    with pytest.raises(ValueError, match="witness"):
        ConvergenceDisplay.from_data(CORNERS, XOR)
    with pytest.raises(ValueError, match="trace=True"):
        ConvergenceDisplay.from_certificate(convergence_certificate(*separable()))


@pytest.mark.parametrize("activation", ["tanh", "logistic", "relu"])
def test_the_hidden_space_is_what_the_network_computes(activation):
    for seed in range(60):
        model = MLPClassifier((2,), activation, solver="lbfgs", alpha=1e-3, random_state=seed, max_iter=2000)
        if model.fit(CORNERS, XOR).score(CORNERS, XOR) == 1:
            break
    display = HiddenSpaceDisplay.from_estimator(model, CORNERS, XOR)
    assert display.n_misclassified == 0
    phi = {"tanh": np.tanh, "logistic": lambda a: 1 / (1 + np.exp(-a)), "relu": lambda a: np.maximum(a, 0)}[activation]
    np.testing.assert_allclose(display.images, phi(CORNERS @ model.coefs_[0] + model.intercepts_[0]), rtol=1e-9)
    ends = np.transpose(display.separator_.get_data())
    np.testing.assert_allclose(ends @ model.coefs_[1] + model.intercepts_[1], 0, atol=1e-9)


def test_the_hand_set_network_of_steps_puts_both_mixed_inputs_on_one_point():
    display = HiddenSpaceDisplay.from_weights(
        [[[1, 1], [1, 1]], [[1], [-1]]], [[-0.5, -1.5], [-0.5]], CORNERS, XOR, activation="step"
    )
    assert display.images.tolist() == [[0, 0], [1, 0], [1, 0], [1, 1]]
    assert display.n_misclassified == 0
    assert "(0, 1)\n(1, 0)" in [text.get_text() for text in display.axes_[1].texts]
    assert len(display.axes_) == 2


def test_lines_of_formal_neurons_pass_between_the_points_that_fire_and_those_that_do_not():
    from diaphane.estimators.neuron import xor_network

    network = xor_network()
    display = HiddenSpaceDisplay.from_network(network, CORNERS, XOR)
    np.testing.assert_array_equal(display.images, network.hidden(CORNERS))
    assert display.n_misclassified == 0
    distances = np.abs(display.images @ display.coef + display.intercept)
    assert distances.min() == distances.max() == 0.5


def test_history_of_the_perceptron_is_drawn_as_it_was_made():
    from diaphane.estimators.linear import Perceptron as Ours

    x, y = separable(5)
    model = Ours(shuffle=False, tol=None, record=True).fit(x, y)
    display = PerceptronDisplay.from_estimator(model, x, y)
    assert display.n_mistakes == model.n_mistakes_
    np.testing.assert_array_equal(display.weights[-1], [*model.coef_[0], *model.intercept_])
    np.testing.assert_array_equal(display.lines_, PerceptronDisplay.from_data(x, y).lines_)


def test_a_network_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="2-2-1 network"):
        HiddenSpaceDisplay.from_weights([np.ones((2, 3)), np.ones((3, 1))], [np.ones(3), np.ones(1)], CORNERS, XOR)


@pytest.mark.parametrize("weights", [[1.0, 0.0], [0.0, 1.0], [0.3, -2.0], [-1e-9, 1e-9]])
def test_a_segment_lies_on_the_line_and_on_the_views_rim(weights):
    view = View(-1, 3, -2, 1)
    w = np.array(weights)
    ends = view.segment(w, float(-w @ [0.5, 0.25]))
    np.testing.assert_allclose(ends @ w, w @ [0.5, 0.25], rtol=1e-9)
    inside = (ends >= [-1 - 1e-9, -2 - 1e-9]) & (ends <= [3 + 1e-9, 1 + 1e-9])
    assert inside.all()
    assert view.segment(w, float(-w @ [50.0, 80.0])).shape == (0, 2)
    assert view.segment(np.zeros(2), 1.0).shape == (0, 2)


@pytest.mark.parametrize("gap", [6.0, 3.0, 1.5, 0.6, 0.02])
def test_ticks_of_the_proof_do_not_run_into_each_other(gap):
    x = np.random.default_rng(0).normal(size=(40, 2))
    y = np.sign(x[:, 0])
    x[:, 0] += gap * y
    display = ConvergenceDisplay.from_data(x, y)
    display.figure_.canvas.draw()
    axis = display.ax_.xaxis
    low, high = display.ax_.get_xlim()
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    labels = [tick.label1 for tick in ticks if low <= tick.get_loc() <= high and tick.label1.get_text()]
    boxes = sorted((box.x0, box.x1) for box in (label.get_window_extent() for label in labels))
    assert boxes
    widest = max(right - left for left, right in boxes)
    assert all(left[1] + widest < right[0] for left, right in itertools.pairwise(boxes))


def test_a_bound_too_large_for_a_float_is_not_drawn():
    with pytest.raises(ValueError, match=r"too large for a float.*scale the features"):
        ConvergenceDisplay.from_data([[1e200], [-1.0]], [0, 1])
