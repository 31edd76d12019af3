"""The presets: their size, their shapes, what they refuse."""

import pytest

pytest.importorskip("keras", reason="the models need Keras: install the extra train")

import keras
import numpy as np
import scipy.fft
from hypothesis import given
from hypothesis import strategies as st

from speechgru import MFCCConfig, build_model
from speechgru.architectures import window_samples
from speechgru.models import SpectrumConv, initial_state, streaming

LABELS = ("yes", "no", "unknown", "silence")


@pytest.mark.parametrize(
    ("preset", "limit"), [("small", 40_000), ("medium", 160_000), ("large", 500_000)]
)
def test_a_preset_keeps_to_its_size(preset, limit):
    model = build_model(preset, [f"word{i}" for i in range(12)])
    parameters = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert 0.9 * limit < parameters <= limit


def test_audio_of_one_second_gives_a_logit_for_each_label():
    model = build_model("small", LABELS)
    logits = model(np.zeros((3, 16000), np.float32))
    assert logits.shape == (3, 4)
    assert logits.dtype == "float32"


def test_the_window_changes_the_audio_and_no_weight():
    short, long = (build_model("small", LABELS, window_seconds=s) for s in (1, 2.2))
    assert long.input_shape == (None, 35_200)
    assert long(np.zeros((2, 35_200), np.float32)).shape == (2, 4)
    assert [w.shape for w in long.weights] == [w.shape for w in short.weights]


@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        (0.96, "`window_seconds`: expected a window of 1 to 3 seconds, found 0.96"),
        (3.04, "1 to 3 seconds, found 3.04"),
        (float("nan"), "1 to 3 seconds, found nan"),
        ("2", "1 to 3 seconds, found '2'"),
        (True, "1 to 3 seconds, found True"),
        (1.5, "expected a window of a whole number of hops of 40 ms, found 1.5 seconds"),
    ],
)
def test_a_window_that_cannot_be_used_is_named(seconds, message):
    with pytest.raises(ValueError, match=message):
        build_model("small", LABELS, window_seconds=seconds)


@given(hop_length=st.integers(80, 512), hops=st.integers(1, 400))
def test_every_whole_number_of_hops_from_1_to_3_seconds_is_a_window(hop_length, hops):
    config = MFCCConfig(hop_length=hop_length)
    samples = 2 * hop_length * hops
    if 16_000 <= samples <= 48_000:
        assert window_samples(samples / 16_000, config) == samples
    else:
        with pytest.raises(ValueError, match="1 to 3 seconds"):
            window_samples(samples / 16_000, config)


def test_the_scaling_is_part_of_the_model_and_saved_with_it(tmp_path):
    rng = np.random.default_rng(0)
    audio = rng.normal(size=(4, 16000)).astype(np.float32) / 10
    model = build_model("small", LABELS)
    before = model(audio)
    model.get_layer("scale").adapt(model.get_layer("mfcc")(audio))
    after = model(audio)
    assert np.abs(after - before).max() > 1e-3
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(audio), after, atol=1e-5)


def test_the_front_end_follows_its_settings():
    model = build_model("small", LABELS, MFCCConfig(hop_length=160, n_mfcc=20))
    assert model.get_layer("mfcc").output.shape == (None, 100, 20)


@pytest.mark.parametrize("preset", ["small", "medium", "large"])
def test_the_convolution_sees_two_new_frames_a_step_and_no_later_ones(preset):
    model = build_model(preset, LABELS)
    to_conv = keras.Model(model.get_layer("scale").output, model.get_layer("conv").output)
    rng = np.random.default_rng(0)
    frames = rng.normal(size=(1, 50, 40)).astype(np.float32)
    before = to_conv(frames).numpy()
    assert before.shape[1] == 25
    for frame in (0, 1, 20, 21, 48, 49):
        changed = frames.copy()
        changed[:, frame] += 1
        moved = np.abs(to_conv(changed).numpy() - before).max(axis=(0, 2)) > 1e-6
        step = frame // 2  # the one that ends with this frame or the next
        assert not moved[:step].any()
        assert moved[step]
        assert not moved[step + 3 :].any()  # five frames reach at most two steps further


def test_before_training_the_convolutions_see_the_spectrum():
    mel = np.random.default_rng(0).normal(size=(2, 5, 40)).astype(np.float32)
    conv = build_model("small", LABELS).get_layer("conv")
    coefficients = scipy.fft.dct(mel, norm="ortho")
    np.testing.assert_allclose(conv.bands(coefficients), mel, atol=1e-5)


def test_the_convolutions_are_saved_with_their_sizes(tmp_path):
    conv = SpectrumConv((3, 4), 5)
    model = keras.Sequential([keras.Input((7, 9)), conv])
    frames = np.random.default_rng(0).normal(size=(2, 7, 9)).astype(np.float32)
    assert model.output_shape == (None, 2, 5)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(frames), model(frames), atol=1e-6)


def test_too_few_coefficients_are_named():
    with pytest.raises(ValueError, match="at least 9 coefficients a frame, found 8"):
        build_model("small", LABELS, MFCCConfig(n_mfcc=8))


def test_the_last_of_an_odd_number_of_frames_is_seen():
    model = build_model("small", LABELS, MFCCConfig(hop_length=300))
    to_conv = keras.Model(model.get_layer("scale").output, model.get_layer("conv").output)
    frames = np.random.default_rng(0).normal(size=(1, 53, 40)).astype(np.float32)
    before = to_conv(frames).numpy()
    frames[:, -1] += 1
    assert before.shape[1] == 27
    assert np.abs(to_conv(frames).numpy() - before)[:, -1].max() > 1e-6


@pytest.mark.parametrize(
    ("preset", "hop_length", "seconds"),
    [("small", 320, 1), ("medium", 160, 1), ("small", 300, 1), ("medium", 320, 1.8)],
)
def test_from_zeros_a_streaming_model_gives_what_the_model_gives(preset, hop_length, seconds):
    model = build_model(preset, LABELS, MFCCConfig(hop_length=hop_length), window_seconds=seconds)
    shape = 2, model.input_shape[1]
    audio = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    mfcc = model.get_layer("mfcc")(audio)
    going_on = streaming(model, mfcc.shape[1])
    state = initial_state(going_on, 2)
    found = going_on({"mfcc": mfcc, **state})["logits"]
    np.testing.assert_allclose(found, model(audio), atol=1e-5)


def test_a_streaming_model_goes_on_where_it_was():
    model = build_model("medium", LABELS)
    audio = np.random.default_rng(0).normal(size=(2, 16000)).astype(np.float32)
    mfcc = model.get_layer("mfcc")(audio)
    for frames in (2, 10, 50):
        going_on = streaming(model, frames)
        state = initial_state(going_on, 2)
        for start in range(0, 50, frames):
            outputs = going_on({"mfcc": mfcc[:, start : start + frames], **state})
            state = {name: outputs[f"next_{name}"] for name in state}
        np.testing.assert_allclose(outputs["logits"], model(audio), atol=1e-5)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["yes"], "two or more different words"),
        ([], "two or more different words"),
        (["yes", "yes"], "two or more different words"),
        (["lights on", "lights  on "], "two or more different words"),
        (["caf\u00e9", "cafe\u0301"], "two or more different words"),
        ("yes", "a list or tuple of strings. Received: 'yes'"),
        (b"yes", "a list or tuple of strings. Received: b'yes'"),
        ({"yes", "no"}, "a list or tuple of strings"),
        (frozenset({"yes", "no"}), "a list or tuple of strings"),
        ({"yes": 0, "no": 1}, "a list or tuple of strings"),
        ({"yes": 0, "no": 1}.keys(), "a list or tuple of strings"),
        (iter(["yes", "no"]), "a list or tuple of strings"),
        (12, "a list or tuple of strings. Received: 12"),
        (None, "a list or tuple of strings. Received: None"),
        (range(12), r"strings that are not blank.*Received: 0"),
        (["yes", 1], r"strings that are not blank.*Received: 1"),
        (["yes", None], r"strings that are not blank.*Received: None"),
        (["yes", b"no"], r"strings that are not blank.*Received: b'no'"),
        (["yes", ""], r"strings that are not blank.*Received: ''"),
        (["yes", "  "], r"strings that are not blank.*"),
        (["yes", "n\no"], r"strings that are not blank.*"),
        (["yes", "\ud800"], r"strings .* lone surrogates. Received: '\\ud800'"),
        (["yes", "n\u2028o"], r"strings .* line separators .* Received: 'n\\u2028o'"),
        (["yes", "n\u2029o"], r"strings .* line separators .* Received: 'n\\u2029o'"),
    ],
)
def test_unusable_labels_are_refused(labels, message):
    with pytest.raises(ValueError, match=f"`labels` must be {message}"):
        build_model("small", labels)


def test_labels_of_any_script_are_accepted():
    labels = [
        "lights on",
        "f\u00fcr",
        "\u306f\u3044",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    ]
    assert build_model("small", labels).output_shape == (None, 4)


def test_labels_may_differ_in_case_only():
    assert build_model("small", ["polish", "Polish"]).output_shape == (None, 2)


@pytest.mark.parametrize("preset", ["tiny", "", None, ["small"]])
def test_an_unknown_preset_is_named(preset):
    with pytest.raises(ValueError, match=r"must be one of small, medium, large. Received: "):
        build_model(preset, LABELS)


def test_settings_that_are_not_an_mfccconfig_are_refused():
    with pytest.raises(ValueError, match=r"`config` must be an MFCCConfig. Received: 16000"):
        build_model("small", LABELS, 16000)
