"""Random bits to the letter of Philox, the laws they follow, and on what they depend."""

import numpy as np
import pytest
import scipy.stats
from graph.operation_table import philox, random_words

import diaphane.graph as dia
from diaphane.graph import counter

KNOWN = [
    ("0" * 32, "0" * 16, "6627e8d5e169c58dbc57ac4c9b00dbd8"),
    ("f" * 32, "f" * 16, "408f276d41c83b0ea20bc7c66d5451fd"),
    ("243f6a8885a308d313198a2e03707344", "a4093822299f31d0", "d16cfe0994fdcceb5001e42024126ea1"),
]


def words(text):
    return [int(text[i : i + 8], 16) for i in range(0, len(text), 8)]


def names(text):
    return {"0": "zeros", "f": "ones", "2": "digits of pi"}[text[0]]


@pytest.mark.parametrize(("count", "key", "result"), KNOWN, ids=[names(k[0]) for k in KNOWN])
def test_philox_gives_the_known_answers_of_its_authors(count, key, result):
    columns = tuple(np.array([w], np.uint64) for w in words(count))
    assert [int(w[0]) for w in counter.philox(columns, tuple(words(key)))] == words(result)
    assert list(philox(words(count), words(key))) == words(result)


@pytest.mark.parametrize("columns", [1, 3, 4, 5, 9])
def test_bits_are_philox_of_row_block_step_and_scan_index(columns):
    got = counter.bits(7, 3, 11, 13, 5, columns)
    want = [[philox((row, c // 4, 11, 13), (7, 3))[c % 4] for c in range(columns)] for row in range(5)]
    assert got.dtype == np.uint32
    assert got.tolist() == want


def test_bits_of_later_rows_are_those_rows_of_the_whole():
    whole = counter.bits(1, 2, 3, 0, 10, 6)
    np.testing.assert_array_equal(counter.bits(1, 2, 3, 0, 4, 6, first_row=6), whole[6:])


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**32 - 1])
def test_every_seed_of_32_bits_is_its_own(seed):
    u = dia.uniform((4,), stream=0, dtype="float64")
    np.testing.assert_array_equal(dia.evaluate(u, seed=seed), unit(random_words(4, 2, 0, seed)))


def unit(bits):
    return ((bits[:, 0] >> np.uint64(5)) * 2**26 + (bits[:, 1] >> np.uint64(6))) / 2**53


DRAWS = {
    "uniform float32": lambda n, stream=0: dia.uniform((n, 3), stream=stream),
    "uniform float64": lambda n, stream=0: dia.uniform((n, 3), stream=stream, dtype="float64"),
    "normal float32": lambda n, stream=0: dia.normal((n, 3), stream=stream),
    "normal float64": lambda n, stream=0: dia.normal((n, 3), stream=stream, dtype="float64"),
    "bernoulli": lambda n, stream=0: dia.bernoulli(0.5, (n, 3), stream=stream),
}


@pytest.fixture(params=DRAWS)
def draw(request):
    return DRAWS[request.param]


def test_the_same_seed_stream_and_step_give_the_same_draws(draw):
    a, b = draw(50), draw(50)
    np.testing.assert_array_equal(dia.evaluate(a, seed=4, step=2), dia.evaluate(b, seed=4, step=2))


@pytest.mark.parametrize("change", [{"seed": 5}, {"step": 3}, {"seed": 2, "step": 4}])
def test_another_seed_or_step_gives_other_draws(draw, change):
    a = draw(50)
    first, second = dia.evaluate(a, seed=4, step=2), dia.evaluate(a, **{"seed": 4, "step": 2, **change})
    assert not np.array_equal(first, second)


def test_another_stream_gives_other_draws(draw):
    first, second = dia.evaluate([draw(50, 0), draw(50, 1)])
    assert not np.array_equal(first, second)


def test_rows_of_a_larger_batch_are_those_of_the_smaller(draw):
    small, large = dia.evaluate([draw(5), draw(64)], seed=3)
    np.testing.assert_array_equal(small, large[:5])


def test_a_named_size_gives_the_draws_of_its_number(draw):
    x = dia.placeholder((dia.Dim("N"),), "float64", "x")
    for n in (0, 1, 6):
        np.testing.assert_array_equal(dia.evaluate(draw(x.shape[0]), {x: np.ones(n)}), draw(n).value)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (1,), (0,), (0, 3), (3, 0), (2, 3, 4)])
def test_every_shape_can_be_drawn(shape, dtype):
    for f in (dia.uniform, dia.normal):
        got = f(shape, stream=0, dtype=dtype).value
        assert (got.shape, got.dtype) == (shape, dtype)
        assert np.isfinite(got).all()
    assert dia.bernoulli(0.5, shape, stream=0).value.shape == shape


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_follows_its_law_and_stays_below_one(dtype):
    u = dia.evaluate(dia.uniform((200, 500), stream=3, dtype=dtype), seed=1).ravel()
    assert u.dtype == dtype
    assert 0 <= u.min() < u.max() < 1
    assert scipy.stats.kstest(u.astype("float64"), "uniform").pvalue > 1e-3
    assert u.mean(dtype="float64") == pytest.approx(1 / 2, abs=5 / np.sqrt(12 * u.size))
    assert u.astype("float64").var() == pytest.approx(1 / 12, rel=0.02)


def test_uniform_of_float32_is_a_whole_number_of_parts_of_2_to_the_24():
    u = dia.uniform((1000,), stream=3).value.astype("float64") * 2**24
    np.testing.assert_array_equal(u, np.floor(u))
    assert (u % 2 == 1).any()


def test_uniform_of_float64_has_53_bits():
    u = dia.uniform((1000,), stream=3, dtype="float64").value * 2.0**53
    np.testing.assert_array_equal(u, np.floor(u))
    low_bits = (u.astype(np.uint64) & np.uint64(1)).mean()
    assert 0.4 < low_bits < 0.6


def test_uniform_between_bounds():
    u = dia.uniform((10_000,), stream=3, low=-2.0, high=3.0, dtype="float64").value
    assert scipy.stats.kstest(u, scipy.stats.uniform(-2, 5).cdf).pvalue > 1e-3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_follows_its_law(dtype):
    z = dia.evaluate(dia.normal((200, 500), stream=3, dtype=dtype), seed=1).ravel().astype("float64")
    assert scipy.stats.kstest(z, "norm").pvalue > 1e-3
    assert z.mean() == pytest.approx(0, abs=5 / np.sqrt(z.size))
    assert z.std() == pytest.approx(1, rel=0.01)
    assert scipy.stats.kurtosis(z) == pytest.approx(0, abs=0.1)


def test_the_scale_of_a_normal_is_its_standard_deviation():
    z = dia.normal((50_000,), stream=3, mean=5.0, std=0.1, dtype="float64").value
    assert z.mean() == pytest.approx(5.0, abs=0.003)
    assert z.std() == pytest.approx(0.1, rel=0.02)


def test_a_normals_mean_and_deviation_have_gradients():
    mean, std = dia.variable(1.0), dia.variable(2.0)
    z = dia.normal((7,), stream=3, mean=mean, std=std, dtype="float64")
    unit_draws = dia.normal((7,), stream=3, dtype="float64").value
    by_mean, by_std = dia.gradient(dia.sum(z), [mean, std])
    assert float(by_mean.value) == 7.0
    assert float(by_std.value) == pytest.approx(unit_draws.sum(), rel=1e-12)


@pytest.mark.parametrize("p", [0.0, 1e-9, 0.25, 0.3, 0.5, 0.999, 1.0])
def test_bernoulli_is_a_threshold_on_the_random_word(p):
    got = dia.bernoulli(p, (20, 30), stream=9).value
    np.testing.assert_array_equal(got, random_words(20, 30, 9) < int(p * 2**32))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bernoulli_of_zero_and_one_is_certain(dtype):
    assert not dia.bernoulli(np.array(0, dtype), (1000, 100), stream=1).value.any()
    assert dia.bernoulli(np.array(1, dtype), (1000, 100), stream=1).value.all()


def test_bernoulli_has_its_frequency():
    got = dia.bernoulli(0.3, (1000, 100), stream=1).value
    assert scipy.stats.binomtest(int(got.sum()), got.size, 0.3).pvalue > 1e-3


def test_bernoullis_probability_may_be_set_at_each_run_and_gets_no_gradient():
    p = dia.variable(0.5, "p", role="hyperparameter")
    mask = dia.astype(dia.bernoulli(p, (1000,), stream=1), "float64")
    assert dia.evaluate(mask, {p: 0.0}).sum() == 0
    assert dia.evaluate(mask, {p: 1.0}).sum() == 1000
    assert float(dia.gradient(dia.sum(mask), [p])[0].value) == 0.0


def test_one_probability_for_each_element_is_refused():
    with pytest.raises(dia.ShapeError, match=r"one number.*\(2,\)"):
        dia.bernoulli([0.1, 0.2], (2,), stream=0)


@pytest.mark.parametrize("n", [0, 1, 2, 1000])
def test_a_permutation_names_each_number_once(n):
    got = dia.permutation(n, stream=2).value
    assert got.dtype == np.int64
    assert sorted(got.tolist()) == list(range(n))


def test_a_permutation_of_a_named_size():
    x = dia.placeholder((dia.Dim("N"),), "float64", "x")
    order = dia.permutation(x.shape[0], stream=2)
    for n in (0, 1, 9):
        np.testing.assert_array_equal(dia.evaluate(order, {x: np.zeros(n)}), dia.permutation(n, stream=2).value)


def test_every_permutation_of_three_is_as_likely():
    order = dia.permutation(3, stream=2)
    seen = [tuple(dia.evaluate(order, seed=seed).tolist()) for seed in range(3000)]
    counts = [seen.count(o) for o in set(seen)]
    assert len(counts) == 6
    assert scipy.stats.chisquare(counts).pvalue > 1e-3


def test_streams_seeds_and_steps_are_not_correlated():
    node = dia.uniform((20_000,), stream=0, dtype="float64")
    other = dia.uniform((20_000,), stream=1, dtype="float64")
    columns = [
        dia.evaluate(node),
        dia.evaluate(other),
        dia.evaluate(node, seed=1),
        dia.evaluate(node, step=1),
        np.roll(dia.evaluate(node), 1),
    ]
    correlations = np.corrcoef(columns)[np.triu_indices(len(columns), 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(20_000)


def test_neighbouring_columns_are_not_correlated():
    u = dia.uniform((5000, 6), stream=0, dtype="float64").value
    assert np.abs(np.corrcoef(u.T) - np.eye(6)).max() < 5 / np.sqrt(5000)


def test_equal_streams_and_shapes_are_one_node():
    first, second = dia.uniform((3,), stream=0), dia.uniform((3,), stream=0)
    assert first is second
    assert first is not dia.uniform((3,), stream=1)


@pytest.mark.parametrize("f", [dia.uniform, dia.normal])
@pytest.mark.parametrize("dtype", ["float16", "int64", "complex128"])
def test_only_float32_and_float64_can_be_drawn(f, dtype):
    with pytest.raises(TypeError, match=dtype):
        f((3,), stream=0, dtype=dtype)
