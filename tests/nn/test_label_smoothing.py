"""Label smoothing: PyTorch's, in value and gradient."""

import numpy as np
import pytest

import diaphane as dia
from diaphane import nn
from diaphane.nn import LabelSmoothing

RNG = np.random.default_rng(22)
N, K = 12, 4
SCORES, CLASSES = RNG.normal(0, 2, (N, K)), RNG.integers(0, K, N)
PROBABILITIES, LABELS = RNG.dirichlet(np.ones(K), N), RNG.integers(0, 2, (N, K)).astype(float)


def ours(loss, target, engine="native"):
    a = dia.variable(SCORES, "a")
    each = loss(a, dia.constant(target))
    [slope] = dia.gradient(dia.sum(each), [a])
    return dia.Program([each, slope], engine=engine).run()[0]


def torchs(formula, target):
    torch = pytest.importorskip("torch")
    a = torch.tensor(SCORES, requires_grad=True)
    each = formula(torch.nn.functional, a, torch.tensor(target))
    each.sum().backward()
    return each.detach().numpy(), a.grad.numpy()


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
@pytest.mark.parametrize("target", [CLASSES, PROBABILITIES], ids=["classes", "probabilities"])
def test_the_categorical_one_is_torchs(target, smoothing, engine):
    want = torchs(lambda F, a, t: F.cross_entropy(a, t, reduction="none", label_smoothing=smoothing), target)
    for got, expected in zip(
        ours(LabelSmoothing("categorical_cross_entropy", smoothing), target, engine), want, strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_the_binary_one_is_torchs_of_smoothed_labels_and_that_of_two_classes(smoothing):
    def formula(F, a, t):
        smoothed = (1 - smoothing) * t + smoothing / 2
        return F.binary_cross_entropy_with_logits(a, smoothed, reduction="none").sum(1)

    def of_two_classes(F, a, t):
        import torch

        pairs = torch.stack([torch.zeros_like(a), a], -1).reshape(-1, 2)
        each = F.cross_entropy(pairs, t.long().reshape(-1), reduction="none", label_smoothing=smoothing)
        return each.reshape(a.shape).sum(1)

    found = ours(LabelSmoothing(nn.losses.binary_cross_entropy, smoothing), LABELS)
    for one in (formula, of_two_classes):
        for got, expected in zip(found, torchs(one, LABELS), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-13)


def test_bad_input_is_refused():
    for smoothing in (-0.1, 1.0, np.nan):
        with pytest.raises(ValueError, match=r"smoothing.*\[0, 1\)"):
            LabelSmoothing("categorical_cross_entropy", smoothing)
    with pytest.raises(TypeError, match="smoothing"):
        LabelSmoothing("categorical_cross_entropy", "0.1")
    with pytest.raises(ValueError, match="categorical_cross_entropy and binary_cross_entropy"):
        LabelSmoothing("hinge", 0.1)
    with pytest.raises(ValueError, match="there is no loss"):
        LabelSmoothing("cross_entropy", 0.1)
