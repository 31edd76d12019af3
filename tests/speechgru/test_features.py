"""The MFCC layer against librosa, and the causality of both."""

import keras
import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speechgru import MFCC, MFCCConfig, mfcc
from speechgru.features import AMIN

CONFIGS = [
    MFCCConfig(),
    MFCCConfig(frame_length=640, n_fft=1024, n_mfcc=20),
    MFCCConfig(frame_length=480, hop_length=160, n_mels=64, n_mfcc=13, fmin=0, fmax=8000),
    MFCCConfig(sample_rate=8000, frame_length=256, hop_length=256, n_fft=256, fmax=4000),
]


def sounds(samples=16000, seed=0):
    """Signals of very different level and colour, float32 (n, samples)."""
    rng = np.random.default_rng(seed)
    time = np.arange(samples) / 16000
    noise = rng.normal(size=samples)
    signals = [
        noise * 0.1,
        noise * 1e-4,
        np.sin(2 * np.pi * 440 * time),
        np.where(time > time[-1] / 2, noise * 0.3, 0),
        np.cumsum(noise) / 200,
        np.zeros(samples),
        np.sign(np.sin(2 * np.pi * 100 * time)),
    ]
    return np.clip(np.stack(signals), -1, 1).astype(np.float32)


@pytest.mark.parametrize("config", CONFIGS)
def test_the_layer_agrees_with_librosa(config):
    audio = sounds()
    expected = np.stack([mfcc(signal, config) for signal in audio])
    np.testing.assert_allclose(MFCC(config)(audio), expected, atol=1e-3)


@pytest.mark.parametrize("config", CONFIGS)
def test_the_layers_log_mel_agrees_with_librosa(config):
    audio = sounds()[:5]
    margin = config.n_fft - config.frame_length
    past = config.frame_length - config.hop_length
    for signal, found in zip(audio, MFCC(config).log_mel(audio).numpy(), strict=True):
        padded = np.pad(signal.astype(np.float64), (past + margin // 2, margin - margin // 2))
        mel = librosa.feature.melspectrogram(
            y=padded,
            sr=config.sample_rate,
            n_fft=config.n_fft,
            win_length=config.frame_length,
            hop_length=config.hop_length,
            n_mels=config.n_mels,
            fmin=config.fmin,
            fmax=config.fmax,
            center=False,
        )
        expected = librosa.power_to_db(mel, amin=AMIN, top_db=None).T
        np.testing.assert_allclose(found, expected, atol=1e-3)


@settings(max_examples=20, deadline=None)
@given(samples=st.integers(320, 5000))
def test_any_length_gives_one_frame_a_hop(samples):
    config = MFCCConfig()
    reference = mfcc(sounds(samples)[0], config)
    layer = MFCC(config)(sounds(samples)[:1])
    assert reference.shape == layer.shape[1:] == (samples // 320, 40)
    assert reference.dtype == np.float32
    np.testing.assert_allclose(layer[0], reference, atol=1e-3)


@pytest.mark.parametrize("compute", [lambda x: mfcc(x), lambda x: MFCC()(x[None])[0].numpy()])
def test_the_future_does_not_change_the_past(compute):
    audio = sounds()[0]
    changed = audio.copy()
    changed[3200:] = 0
    np.testing.assert_array_equal(compute(audio)[:10], compute(changed)[:10])
    assert np.abs(compute(audio)[10] - compute(changed)[10]).max() > 1


def test_frames_of_a_part_are_the_first_frames_of_the_whole():
    audio = sounds()[:1]
    np.testing.assert_allclose(MFCC()(audio[:, :4800]), MFCC()(audio)[:, :15], rtol=0, atol=1e-5)


def test_silence_lies_on_the_floor_of_the_scale():
    log_mel = MFCC().log_mel(np.zeros((1, 640), np.float32)).numpy()
    np.testing.assert_allclose(log_mel, -70, atol=1e-4)


def test_the_layer_reloads_with_its_settings(tmp_path):
    config = CONFIGS[1]
    model = keras.Sequential([keras.Input((16000,)), MFCC(config)])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.layers[0].config == config
    np.testing.assert_array_equal(again(sounds()), model(sounds()))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_fft": 500, "frame_length": 500}, "`n_fft` must be a power of two"),
        ({"hop_length": 513}, "`hop_length` must be at most frame_length"),
        ({"frame_length": 1024}, "`frame_length` must be at most n_fft"),
        ({"n_mfcc": 41}, "`n_mfcc` must be at most n_mels"),
        ({"n_mels": 0}, "`n_mels` must be a positive integer"),
        ({"hop_length": 160.0}, "`hop_length` must be a positive integer"),
        ({"fmax": 8001.0}, "`fmin` and `fmax`"),
        ({"fmin": 5000.0, "fmax": 4000.0}, "`fmin` and `fmax`"),
    ],
)
def test_a_wrong_setting_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        MFCCConfig(**arguments)


@pytest.mark.parametrize("samples", [np.zeros((2, 16000)), np.zeros(319), np.zeros(())])
def test_the_reference_refuses_what_is_not_one_signal(samples):
    with pytest.raises(ValueError, match="at least 320 samples"):
        mfcc(samples)


def test_the_layer_refuses_less_than_a_hop():
    with pytest.raises(ValueError, match="at least 320"):
        MFCC()(np.zeros((1, 319), np.float32))
