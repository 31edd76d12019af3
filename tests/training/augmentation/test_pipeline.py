"""The whole augmentation: what is disabled, what is drawn, and the gain."""

import dataclasses
import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.training.augmentation.signals import (
    BATCH,
    OFF,
    ON,
    SAMPLES,
    augmented,
    level,
    only,
    tone,
)
from training.augmentation.mixup import mixup
from training.augmentation.pipeline import augment
from training.augmentation.random_draws import RandomDraws
from training.augmentation.spec_augment import mask_spectrogram
from training.data.noise_recordings import NOISE_ROW

SWITCHES = {  # each augmentation, and the settings that disable it
    "shift": {"shift_ms": 0},
    "speed": {"speed": 0},
    "speed by share": {"speed_share": 0},
    "noise": {"noise_share": 0},
    "rooms": {"reverb_share": 0},
    "microphone": {"eq_db": 0},
    "band limit": {"band_limit_share": 0},
    "telephone": {"telephone_share": 0},
    "gain": {"gain_db": (0.0, 0.0)},
    "time masks": {"time_masks": 0},
    "time masks by size": {"time_mask_frames": 0},
    "mel masks": {"mel_masks": 0},
    "mel masks by size": {"mel_mask_bands": 0},
    "mixup": {"mixup_share": 0},
}


def test_everything_off_changes_nothing(noise, clips):
    np.testing.assert_array_equal(augmented(clips, noise, OFF), clips / np.float32(32768))


def test_the_same_step_gives_the_same_batch_and_another_step_another(noise, clips):
    first = augmented(clips, noise, ON, seed=(0, 1))
    np.testing.assert_array_equal(augmented(clips, noise, ON, seed=(0, 1)), first)
    assert np.abs(augmented(clips, noise, ON, seed=(0, 2)) - first).max() > 0.01


def test_output_stays_in_range(noise):
    clips = np.full((BATCH, SAMPLES), 32767, np.int16)
    found = augmented(clips, noise, only(gain_db=(40.0, 40.0), eq_db=10, noise_share=1))
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 1


def whole_step(settings):
    """The concrete function of a step with augmentation, masks and mixup."""

    def step(clips, silence, noise, log_mel, targets, number):
        draws = RandomDraws((0, number), BATCH)
        audio = augment(clips, silence, noise, draws, settings)
        masked = mask_spectrogram(log_mel, RandomDraws((1, number), BATCH), settings)
        return *mixup(audio, targets, draws, settings), masked

    return tf.function(step, autograph=False).get_concrete_function(
        tf.TensorSpec((BATCH, 1600), tf.int16),
        tf.TensorSpec((BATCH,), tf.bool),
        tf.TensorSpec((500, NOISE_ROW)),
        tf.TensorSpec((BATCH, 50, 40)),
        tf.TensorSpec((BATCH, 12)),
        tf.TensorSpec((), tf.int32),
    )


@functools.cache
def operations(settings):
    return len(whole_step(settings).graph.get_operations())


@pytest.mark.parametrize("switch", SWITCHES.values(), ids=SWITCHES)
def test_what_is_off_is_not_in_the_graph(switch):
    assert operations(dataclasses.replace(ON, **switch)) < operations(ON)


def test_with_everything_off_the_graph_only_fills_silence_with_noise():
    kinds = {operation.type for operation in whole_step(OFF).graph.get_operations()}
    assert not {kind for kind in kinds if "FFT" in kind or "Scatter" in kind or "Sort" in kind}
    assert "StatelessRandomNormalV2" not in kinds


@pytest.mark.parametrize("switch", SWITCHES.values(), ids=SWITCHES)
def test_switching_one_off_leaves_the_draws_of_the_others(switch, noise, clips):
    class Recorder(RandomDraws):
        numbers = {}  # noqa: RUF012

        def _seed_of(self, name):
            assert name not in self.numbers, f"{name} is drawn twice"
            self.numbers[name] = super()._seed_of(name).numpy().tolist()
            return super()._seed_of(name)

    def drawn(settings):
        Recorder.numbers = {}
        draws = Recorder((0, 1), BATCH)
        augment(clips, np.zeros(BATCH, bool), noise, draws, settings)
        mask_spectrogram(np.zeros((BATCH, 50, 40), np.float32), draws, settings)
        mixup(tone(), tone(), draws, settings)
        return Recorder.numbers

    everything, less = drawn(ON), drawn(dataclasses.replace(ON, **switch))
    assert less.items() < everything.items()
    assert len({tuple(seed) for seed in everything.values()}) == len(everything)


def test_gain_lies_between_its_limits(noise):
    clips = (tone() * 32768).astype(np.int16)
    gain = level(augmented(clips, noise, only(gain_db=(-20.0, 0.0)))) - level(tone())
    assert -20.1 <= gain.min() < -14
    assert -6 < gain.max() <= 0.1


def test_gain_leaves_the_level_of_silence(noise):
    silence, zeros = np.ones(BATCH, bool), np.zeros((BATCH, SAMPLES), np.int16)
    plain = augmented(zeros, noise, OFF, silence=silence)
    found = augmented(zeros, noise, only(gain_db=(-20.0, -20.0)), silence=silence)
    np.testing.assert_allclose(found, plain, atol=1e-6)
