"""Every initialiser: the moments and bounds that its formula says, over dense and convolution kernels."""

import json
import math

import numpy as np
import pytest
from scipy import stats

import diaphane as dia
from diaphane import nn

SHAPES = [(60, 300), (300, 60), (1, 4000), (3, 3, 20, 50), (5, 1, 30, 60)]


def fan_in_and_out(shape):
    """A unit of a kernel (…, inputs, units) reads all axes but the last; an input feeds all but the last but one."""
    return math.prod(shape[:-1]), math.prod(shape[:-2]) * shape[-1]


NORMAL = {
    "lecun_normal": lambda i, o: 1 / math.sqrt(i),
    "he_normal": lambda i, o: math.sqrt(2 / i),
    "glorot_normal": lambda i, o: math.sqrt(2 / (i + o)),
}
UNIFORM = {
    "lecun_uniform": lambda i, o: math.sqrt(3 / i),
    "he_uniform": lambda i, o: math.sqrt(6 / i),
    "glorot_uniform": lambda i, o: math.sqrt(6 / (i + o)),
}
RANDOM = [*NORMAL, *UNIFORM, "orthogonal"]


def draw(name, shape, seed=0, dtype="float64"):
    return nn.find_initializer(name).sample(np.random.default_rng(seed), shape, np.dtype(dtype))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NORMAL)
def test_normal_initialisers_are_normal_with_the_formulas_standard_deviation(name, shape):
    sigma = NORMAL[name](*fan_in_and_out(shape))
    z = draw(name, shape).ravel() / sigma
    assert abs(z.mean()) < 5 / math.sqrt(z.size)
    assert abs(z.std() - 1) < 5 / math.sqrt(2 * z.size)
    assert stats.kstest(z, "norm").pvalue > 1e-4


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", UNIFORM)
def test_uniform_initialisers_fill_the_formulas_interval_and_no_more(name, shape):
    bound = UNIFORM[name](*fan_in_and_out(shape))
    values = draw(name, shape).ravel()
    assert np.abs(values).max() <= bound
    assert np.abs(values).max() > 0.99 * bound
    assert stats.kstest(values, stats.uniform(-bound, 2 * bound).cdf).pvalue > 1e-4


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    ("name", "theirs", "settings"),
    [
        ("glorot_uniform", "xavier_uniform_", {}),
        ("glorot_normal", "xavier_normal_", {}),
        ("he_uniform", "kaiming_uniform_", {"nonlinearity": "relu"}),
        ("he_normal", "kaiming_normal_", {"nonlinearity": "relu"}),
        ("lecun_uniform", "kaiming_uniform_", {"nonlinearity": "linear"}),
        ("lecun_normal", "kaiming_normal_", {"nonlinearity": "linear"}),
    ],
)
def test_the_spread_is_pytorchs_on_the_kernel_in_pytorchs_layout(name, theirs, settings, shape):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    oracle = getattr(torch.nn.init, theirs)(torch.empty(shape[-1], shape[-2], *shape[:-2]), **settings).numpy()
    ours = draw(name, shape)
    assert ours.std() == pytest.approx(oracle.std(), rel=10 / math.sqrt(2 * ours.size))
    if name in UNIFORM:
        assert np.abs(ours).max() == pytest.approx(np.abs(oracle).max(), rel=0.02)


def test_the_courses_initialisation_takes_one_over_root_d_as_deviation_and_not_as_variance():
    values = draw("lecun_normal", (100, 2000))
    assert values.std() == pytest.approx(1 / math.sqrt(100), rel=0.02)
    assert values.var() != pytest.approx(1 / math.sqrt(100), rel=0.5)


@pytest.mark.parametrize("shape", [(50, 50), (30, 70), (70, 30), (3, 3, 4, 20), (2, 2, 3, 40), (1, 5)], ids=str)
@pytest.mark.parametrize("gain", [1.0, math.sqrt(2)])
def test_orthogonal_kernels_have_orthonormal_rows_or_columns_times_the_gain(shape, gain):
    kernel = draw(nn.Orthogonal(gain), shape).reshape(-1, shape[-1]) / gain
    rows, columns = kernel.shape
    gram = kernel.T @ kernel if rows >= columns else kernel @ kernel.T
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-12)


def test_orthogonal_kernels_are_uniform_over_all_such():
    """Without the correction of signs the first entry would have one sign only, and its mean not be 0."""
    first = np.array([draw("orthogonal", (3, 3), seed)[0, 0] for seed in range(1000)])
    assert abs(first.mean()) < 5 * math.sqrt(1 / 3 / 1000)
    assert first.var() == pytest.approx(1 / 3, rel=0.15)
    assert stats.kstest(first, stats.uniform(-1, 2).cdf).pvalue > 1e-4  # Archimedes: a coordinate on the sphere


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", nn.INITIALIZERS)
def test_shape_and_dtype_are_those_that_were_asked(name, dtype):
    for shape in [(4, 5), (2, 2, 3, 4), (5,)]:
        values = draw(name, shape, dtype=dtype)
        assert values.shape == shape
        assert values.dtype == np.dtype(dtype)
        assert np.isfinite(values).all()


@pytest.mark.parametrize("source", [np.random.default_rng, np.random.RandomState])
@pytest.mark.parametrize("name", RANDOM)
def test_the_same_generator_gives_the_same_bits_and_goes_on(name, source):
    initializer, dtype = nn.find_initializer(name), np.dtype("float32")
    one, other = source(5), source(5)
    first = initializer.sample(one, (6, 7), dtype)
    np.testing.assert_array_equal(first, initializer.sample(other, (6, 7), dtype))
    assert not np.array_equal(first, initializer.sample(one, (6, 7), dtype))
    assert not np.array_equal(first, initializer.sample(source(6), (6, 7), dtype))


def test_float32_values_are_the_rounded_float64_ones():
    for name in RANDOM:
        np.testing.assert_array_equal(draw(name, (5, 6), dtype="float32"), draw(name, (5, 6)).astype(np.float32))


def test_zeros_ones_and_constants():
    assert not draw("zeros", (3, 4)).any()
    assert (draw("ones", (3, 4)) == 1).all()
    assert (draw(0.25, (3, 4)) == 0.25).all()
    assert (draw(nn.ConstantInitializer(-2.0), ()) == -2).all()


def test_glorots_gain_of_a_third_is_scikit_learns_for_logistic_units():
    shape = (30, 50)
    values = draw(nn.GlorotUniform(gain=1 / 3), shape)
    bound = math.sqrt(2 / 80)
    assert 0.99 * bound < np.abs(values).max() <= bound


def test_a_plain_uniform_fills_its_own_interval_whatever_the_shape():
    for shape in [(40, 100), (4000,), (3, 3, 10, 50)]:
        values = draw(nn.Uniform(0.2), shape).ravel()
        assert 0.99 * 0.2 < np.abs(values).max() <= 0.2
        assert stats.kstest(values, stats.uniform(-0.2, 0.4).cdf).pvalue > 1e-4


OTHERS = [nn.Orthogonal(0.5), nn.GlorotUniform(1 / 3), nn.Uniform(0.1)]


@pytest.mark.parametrize("value", [*nn.INITIALIZERS.values(), *OTHERS], ids=repr)
def test_every_initialiser_comes_back_from_json_equal(value):
    assert type(value).from_json(json.loads(json.dumps(value.to_json()))) == value


def test_an_unknown_initialiser_lists_those_there_are():
    with pytest.raises(ValueError, match="xavier") as error:
        nn.find_initializer("xavier")
    assert all(name in str(error.value) for name in nn.INITIALIZERS)


def test_an_initialiser_of_ones_own_is_any_object_that_samples():
    class Eye:
        def sample(self, rng, shape, dtype):
            return np.eye(*shape, dtype=dtype)

    network = nn.Network(nn.Dense(3, kernel_initializer=Eye()), (3,), dtype="float64")
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(network.predict(network.initial_state(), x), x)


@pytest.mark.parametrize("source", [np.random.default_rng, np.random.RandomState])
def test_a_networks_first_values_are_the_generators(source):
    network = nn.Network(nn.Sequential([nn.Dense(5, "relu"), nn.Dense(2)]), (3,))
    one, same, other = (network.initial_state(source(seed)) for seed in (1, 1, 2))
    kernels = [v for v in network.parameters if v.name.endswith("kernel")]
    for node in network.variables:
        np.testing.assert_array_equal(one[node], same[node])
    assert all(not np.array_equal(one[k], other[k]) for k in kernels)
    assert isinstance(one, dia.State)
