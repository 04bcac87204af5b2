"""What ReLU leaves of n numbers in m channels: the closed forms, and what R² says and does not."""

from functools import cache

import numpy as np
import pytest
from scipy.stats import binom, chi2, norm

from archspec.lab.collapse import (
    active_ranks,
    average,
    best_r2,
    collapsed_share,
    decoded,
    fractions,
    generator,
    inverse_r2,
    invertible_share,
    proportion,
    rank_of_rows,
    relu,
)

DIMS, CHANNELS, DRAWS = range(2, 9), range(1, 61), 4000


def z(count: int, draws: int, share: float) -> float:
    """How many standard deviations a count is off, by its exact binomial law: none where 0 of 0.001 were seen."""
    upper = binom.sf(count, draws, share) + binom.pmf(count, draws, share) / 2
    return float(norm.isf(upper))


@cache
def compared() -> tuple[tuple[float, float], ...]:
    """z and the variance of the count, of both shares for all n and m."""
    found = []
    for dim in DIMS:
        for channels in CHANNELS:
            counted = fractions(dim, channels, DRAWS)
            for count, share in (
                (counted.invertible, invertible_share(dim, channels)),
                (counted.collapsed, collapsed_share(channels)),
            ):
                found.append((z(count, DRAWS, share), DRAWS * share * (1 - share)))
    return tuple(found)


def test_the_shares_are_those_of_theory() -> None:
    off = [abs(z) for z, _ in compared()]
    assert len(off) == 2 * 7 * 60
    # of 840 a few are beyond 3 by chance
    assert sum(one > 3 for one in off) <= binom.ppf(0.99, len(off), 2 * norm.sf(3))
    assert max(off) < 4


def test_the_shares_are_off_as_much_as_chance_has_it() -> None:
    normal = [z for z, variance in compared() if variance > 5]
    total = sum(one**2 for one in normal)
    assert len(normal) > 150
    assert chi2.ppf(0.001, len(normal)) < total < chi2.ppf(0.999, len(normal))


def test_the_seeds_differ_by_chance_alone() -> None:
    off = np.array([z(fractions(2, 2, 2000, seed).invertible, 2000, 0.25) for seed in range(1000)])
    assert abs(off.mean()) < 3 / np.sqrt(1000)
    assert abs(off.std() - 1) < 3 / np.sqrt(2000)


def test_what_is_drawn_at_once_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archspec.lab.collapse.AT_ONCE", 10_000)
    counted = fractions(3, 5, 20_000)
    assert counted.draws == 20_000
    assert abs(z(counted.invertible, 20_000, invertible_share(3, 5))) < 3


@pytest.mark.parametrize("channels", range(1, 31))
def test_for_two_numbers_the_share_is_that_of_the_paper_sums(channels: int) -> None:
    assert invertible_share(2, channels) == pytest.approx(1 - (channels + 1) * 2.0**-channels)
    assert collapsed_share(channels) == pytest.approx(2.0**-channels)


def test_active_rows_of_a_gaussian_matrix_are_independent(monkeypatch: pytest.MonkeyPatch) -> None:
    known = active_ranks(generator(0, 8, 12, 9), 8, 12, 3000)
    monkeypatch.setattr("archspec.lab.collapse.RANKED", 3000)
    assert (active_ranks(generator(0, 8, 12, 9), 8, 12, 3000) == known).all()


def test_the_rank_is_that_of_the_rows_and_not_their_number() -> None:
    matrix = np.array([[[1.0, 2.0], [2.0, 4.0], [0.0, 1.0]]])
    assert rank_of_rows(matrix, np.array([[True, True, False]])) == 1
    assert rank_of_rows(matrix, np.array([[True, True, True]])) == 2


def test_n_active_rows_say_what_x_was_and_fewer_do_not() -> None:
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(200):
        t, x = rng.standard_normal((5, 3)), rng.standard_normal(3)
        y = relu(t @ x)
        rows = t[y > 0]
        seen.add(len(rows) >= 3)
        if len(rows) >= 3:
            assert np.linalg.lstsq(rows, y[y > 0])[0] == pytest.approx(x)
        else:
            aside = np.linalg.svd(np.vstack([rows, np.zeros((3, 3))]))[2][-1]
            assert relu(t @ (x + 1e-6 * aside)) == pytest.approx(y, abs=1e-12)
    assert seen == {True, False}


def test_a_count_of_zero_has_an_error() -> None:
    assert proportion(0, 1000).value == 0
    assert 0 < proportion(0, 1000).error < 0.001
    assert proportion(250, 1000).error == pytest.approx(np.sqrt(0.25 * 0.75 / 1000), rel=0.01)


@pytest.mark.parametrize("dim", [2, 3, 5, 8])
def test_the_linear_decoder_is_never_worse_than_the_pseudo_inverse(dim: int) -> None:
    for channels in (1, 2, 3, 5, 8, 15, 30, 60):
        found = decoded(dim, channels, matrices=10)
        assert (found.measured > found.inverse).all()


@pytest.mark.parametrize("dim", [2, 4, 8])
def test_the_decoder_finds_all_again_as_channels_grow(dim: int) -> None:
    matrices = {m: generator(0, dim, m, 9).standard_normal((50, m, dim)) for m in (1, 4, 16, 64, 256)}
    lost = [1 - float(best_r2(t).mean()) for t in matrices.values()]
    assert lost == sorted(lost, reverse=True)
    assert lost[-1] < 0.002


@pytest.mark.parametrize(("dim", "channels"), [(2, 1), (2, 2), (2, 5), (3, 3), (4, 2), (4, 15), (8, 5), (8, 30)])
def test_the_decoder_is_as_good_as_theory_says(dim: int, channels: int) -> None:
    found = decoded(dim, channels, matrices=30, points=50_000)
    # least squares of P points and m channels is worse by at most 2m/P of what it does not explain
    difference = average(found.measured - found.best)
    assert abs(difference.value) < 3 * difference.error + 2 * (channels + 1) / 50_000 * (1 - found.best.mean())


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_one_channel_says_the_same_of_x_whatever_t_is(dim: int) -> None:
    t = generator(0, dim, 1, 9).standard_normal((20, 1, dim))
    assert best_r2(t) == pytest.approx(np.pi / (2 * (np.pi - 1) * dim))


def test_the_pseudo_inverse_gives_half_of_x_and_something_even() -> None:
    rng = np.random.default_rng(0)
    t, x = rng.standard_normal((20, 7, 3)), rng.standard_normal((20, 100, 3))
    back = np.linalg.pinv(t).mT
    assert relu(x @ t.mT) @ back - relu(-x @ t.mT) @ back == pytest.approx(x)


@pytest.mark.parametrize(("dim", "channels"), [(2, 4), (2, 30), (5, 8), (8, 60)])
def test_the_pseudo_inverse_never_explains_three_quarters(dim: int, channels: int) -> None:
    t = generator(0, dim, channels, 9).standard_normal((100, channels, dim))
    assert (inverse_r2(t) < 0.75).all()
    x = np.random.default_rng(1).standard_normal((100_000, dim))
    left = x - relu(x @ t[0].T) @ np.linalg.pinv(t[0]).T
    assert inverse_r2(t)[0] == pytest.approx(1 - (left**2).sum() / (x**2).sum(), abs=0.01)
