"""Noise has the right level, shifts the right length, and every model gets the same clips."""

from pathlib import Path

import numpy as np
import pytest

from speechgru.modelfile import ModelError
from tests.training.evaluation.examples import LABELS, WORDS, noise_clips, recording_model
from training.clips.levels import rms
from training.clips.window import RATE
from training.data.evaluation_set import evaluation_set
from training.evaluation.conditions import mix_at_snr, predict_in_conditions
from training.evaluation.evaluated_model import EvaluatedModel
from training.evaluation.noises import find_noises, noise_windows


def power(audio):
    return np.square(np.asarray(audio, np.float64)).mean(axis=1)


def audio_of_conditions(clips, noise):
    model, inputs = recording_model()
    return dict(zip(predict_in_conditions(model, clips, noise), inputs, strict=True))


def test_noise_has_the_snr_of_its_condition_and_silence_is_noise_at_the_median_level():
    clips = noise_clips(["yes", "no", "bird", "unknown", "yes", "silence"], level=0.01)
    clips.samples[:5] *= np.array([[1], [2], [3], [4], [5]], np.int16)
    noise = noise_clips([*WORDS, "yes"], seed=1).samples
    audio = audio_of_conditions(clips, noise)
    clean = audio["clean"]
    np.testing.assert_array_equal(clean, clips.samples / np.float32(32768))
    for snr in (20, 10, 5, 0):
        found = audio[f"noise at {snr} dB"]
        measured = 10 * np.log10(power(clean[:5]) / power(found[:5] - clean[:5]))
        np.testing.assert_allclose(measured, snr, atol=1e-3)
        # The third of five levels is the median.
        assert 10 * np.log10(power(clean)[2] / power(found)[5]) == pytest.approx(snr, abs=1e-3)
        correlation = np.corrcoef(found[5], noise[5])[0, 1]
        assert correlation == pytest.approx(1, abs=1e-6)


def test_a_loud_sum_stays_within_full_scale():
    clips = np.full((1, 16000), 0.9, np.float32)
    noise = np.tile([0.1, -0.1], (1, 8000)).astype(np.float32)
    found = mix_at_snr(clips, noise, rms(clips), 0)
    assert (found.min(), found.max()) == (pytest.approx(0, abs=1e-6), 1)


@pytest.mark.parametrize("ms", [-100, -50, 50, 100])
def test_a_shift_moves_the_samples_and_fills_with_zeros(ms):
    clips = noise_clips(["yes", "no", "silence"])
    audio = audio_of_conditions(clips, noise_clips(["yes"] * 3, seed=1).samples)
    found, clean = audio[f"shift of {ms:+d} ms"], audio["clean"]
    moved = abs(ms) * 16
    if ms > 0:
        np.testing.assert_array_equal(found[:, moved:], clean[:, :-moved])
        assert not found[:, :moved].any()
    else:
        np.testing.assert_array_equal(found[:, :-moved], clean[:, moved:])
        assert not found[:, -moved:].any()


def test_two_models_get_the_same_audio_and_another_seed_gives_other_noise(word_folder):
    clips = evaluation_set(
        word_folder, words=["yes", "no"], split="validation", seed=0, window=RATE
    )
    audio = []
    for seed in (3, 3, 4):
        rng = np.random.default_rng(seed)
        noises, _ = find_noises(clips, None, rng)
        audio.append(audio_of_conditions(clips, noise_windows(noises, clips.samples.shape, rng)))
    for condition, first in audio[0].items():
        np.testing.assert_array_equal(first, audio[1][condition])
    assert (audio[0]["noise at 20 dB"] != audio[2]["noise at 20 dB"]).any()


def test_a_model_that_predicts_nan_is_refused():
    model = EvaluatedModel(
        Path("fake"), LABELS, RATE, lambda audio: np.full((len(audio), 4), np.nan)
    )
    with pytest.raises(ModelError, match="expected finite probabilities"):
        predict_in_conditions(model, noise_clips(WORDS), noise_clips(WORDS, seed=1).samples)
