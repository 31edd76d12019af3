"""Several channels as one: in live audio the mix does not depend on the blocks."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speechgru.audio.mixing import Mixer, mix

RATE = 8000


def channels(*weights):
    """A second of noise, with a weight for each channel."""
    noise = np.random.default_rng(0).normal(size=RATE)
    return (noise[:, np.newaxis] * np.array(weights)).astype(np.float32)


@settings(max_examples=100, deadline=None)
@given(
    weights=st.lists(st.floats(-1, 1), min_size=1, max_size=5),
    sizes=st.lists(st.integers(1, 2000), min_size=1, max_size=5),
)
def test_the_mix_does_not_depend_on_the_blocks(weights, sizes):
    signal = channels(*weights)
    mixer, found, start = Mixer(len(weights), RATE), [], 0
    for size in itertools.cycle(sizes):
        found.append(mixer.push(signal[start : start + size]))
        start += size
        if start >= RATE:
            break
    assert np.array_equal(np.concatenate(found), Mixer(len(weights), RATE).push(signal))


@pytest.mark.parametrize("weights", [(1,), (1, 1), (1, 0), (1, 0.5, 0.2), (0, 0, 0, 1)])
def test_channels_are_averaged(weights):
    signal = channels(*weights)
    mono = Mixer(len(weights), RATE).push(signal)
    assert mono == pytest.approx(signal.mean(axis=1), abs=1e-6)
    assert mono == pytest.approx(mix(signal, None), abs=1e-6)


@pytest.mark.parametrize("weights", [(1, -1), (1, -0.8), (0.5, -0.5, 0.2)])
def test_channels_that_cancel_out_are_inverted_after_a_tenth_of_a_second(weights):
    signal = channels(*weights)
    mono = Mixer(len(weights), RATE).push(signal)
    first = RATE // 10
    assert mono[:first] == pytest.approx(signal[:first].mean(axis=1), abs=1e-6)
    expected = (signal * np.sign(weights)).mean(axis=1)
    assert np.abs(mono[first:]) == pytest.approx(np.abs(expected[first:]), abs=1e-6)
