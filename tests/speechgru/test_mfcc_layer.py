"""The MFCC layer against librosa."""

import pytest

pytest.importorskip("keras", reason="the MFCC layer needs Keras: install the extra train")

import keras
import librosa
import numpy as np
import tensorflow as tf
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
    layer = MFCC()(sounds(samples)[:1])
    assert layer.shape == (1, samples // 320, 40)
    np.testing.assert_allclose(layer[0], mfcc(sounds(samples)[0]), atol=1e-3)


@pytest.mark.usefixtures("on_cpu")
def test_the_future_does_not_change_the_past():
    audio = sounds()[:1]
    changed = audio.copy()
    changed[:, 3200:] = 0
    before, after = MFCC()(audio).numpy(), MFCC()(changed).numpy()
    np.testing.assert_array_equal(before[:, :10], after[:, :10])
    assert np.abs(before[:, 10] - after[:, 10]).max() > 1


def test_frames_of_a_part_are_the_first_frames_of_the_whole():
    audio = sounds()[:1]
    np.testing.assert_allclose(MFCC()(audio[:, :4800]), MFCC()(audio)[:, :15], rtol=0, atol=1e-5)


def test_a_part_continues_from_the_samples_before_it():
    audio, layer = sounds()[:2], MFCC()
    past = audio[:, 4800 - 192 : 4800]
    found = layer.log_mel(audio[:, 4800:], past)
    np.testing.assert_allclose(found, layer.log_mel(audio)[:, 15:], rtol=0, atol=1e-5)


def test_silence_lies_on_the_floor_of_the_scale():
    log_mel = MFCC().log_mel(np.zeros((1, 640), np.float32)).numpy()
    np.testing.assert_allclose(log_mel, -70, atol=1e-4)


@pytest.mark.usefixtures("on_cpu")
def test_the_layer_reloads_with_its_settings(tmp_path):
    config = CONFIGS[1]
    model = keras.Sequential([keras.Input((16000,)), MFCC(config)])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.layers[0].config == config
    np.testing.assert_array_equal(again(sounds()), model(sounds()))


def test_a_config_of_an_earlier_release_is_read():
    """The layer was in the module speechgru.features."""
    config = {
        "module": "speechgru.features",
        "class_name": "MFCC",
        "config": {"name": "mfcc", "dtype": "float64", "config": {"n_mfcc": 13}},
        "registered_name": "speechgru>MFCC",
    }
    layer = keras.saving.deserialize_keras_object(config)
    assert isinstance(layer, MFCC)
    assert layer.config == MFCCConfig(n_mfcc=13)


@pytest.mark.parametrize("shape", [(1, 319), (16000,), (1, 1, 16000)])
def test_audio_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"shape \(batch, samples\).*at least 320"):
        MFCC()(np.zeros(shape, np.float32))


def test_an_unknown_number_of_samples_is_refused():
    with pytest.raises(ValueError, match=r"Received shape: \(None, None\)"):
        MFCC()(keras.Input((None,)))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "bool", "complex64"])
@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_audio_that_is_not_float_is_refused(dtype, wrap):
    with pytest.raises(ValueError, match=f"must be float .* Received dtype: {dtype}"):
        wrap(MFCC())(np.ones((1, 16000)).astype(dtype))


def test_an_input_that_is_not_float_is_refused():
    with pytest.raises(ValueError, match=r"must be float .* Received dtype: int16"):
        MFCC()(keras.Input((16000,), dtype="int16"))


@pytest.mark.parametrize("value", [-32768, 16.5, np.nan, np.inf])
def test_audio_far_from_full_scale_is_refused(value):
    audio = sounds()
    audio[1, 100] = value
    with pytest.raises(ValueError, match=r"in \[-1, 1\]. Received a peak of "):
        MFCC()(audio)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"in \[-1, 1\]. Received a peak of "):
        tf.function(MFCC())(audio)


def test_integers_that_a_model_casts_are_refused():
    model = keras.Sequential([keras.Input((16000,)), MFCC()])
    with pytest.raises(tf.errors.InvalidArgumentError, match="int16 by 32768"):
        model.predict((1000 * sounds()).astype(np.int16), verbose=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dtype": "float16"}, '`dtype` must be "float32" or "float64". Received: \'float16\''),
        ({"config": "small"}, "`config` must be an MFCCConfig. Received: 'small'"),
    ],
)
def test_a_wrong_argument_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        MFCC(**arguments)
