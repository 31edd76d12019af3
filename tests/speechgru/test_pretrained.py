"""The bundled models as Keras models."""

import pytest

pytest.importorskip("keras", reason="load_model needs Keras: install the extra train")

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter

import speechgru
from speechgru import ModelError, audio, modelfile, pretrained

NAMES = pytest.mark.parametrize("name", pretrained.NAMES)


@pytest.fixture(scope="module")
def windows(samples):
    """The repository's samples, cut or padded to a second, float32 (n, 16000)."""
    sounds = [audio.load(path) for path in sorted(samples.glob("*.wav"))]
    return np.stack([np.resize(np.pad(sound, (0, 16000)), 16000) for sound in sounds])


def test_every_bundled_model_can_be_loaded():
    assert set(pretrained.NAMES) == set(modelfile.BUNDLED)


@NAMES
def test_the_keras_model_answers_like_the_tflite_file(name, windows):
    file = modelfile.read(name)
    run = Interpreter(model_content=file.flatbuffer).get_signature_runner("recognize")
    expected = np.stack([run(audio=window[None])["scores"][0].copy() for window in windows])
    scores = keras.ops.softmax(speechgru.load_model(name)(windows)).numpy()
    # LiteRT rounds activations to int8, Keras does not: 0.025 was measured.
    np.testing.assert_allclose(scores, expected, atol=0.05)
    np.testing.assert_array_equal(scores.argmax(axis=1), expected.argmax(axis=1))
    assert scores.shape == (len(windows), len(file.labels))


@NAMES
def test_its_weights_are_the_int8_weights_times_a_scale(name):
    kernels = [
        weight.numpy()
        for weight in speechgru.load_model(name).trainable_weights
        if weight.path.endswith("kernel") and np.prod(weight.shape) >= 1024
    ]
    assert len(kernels) >= 4
    for kernel in kernels:
        steps = kernel / (np.abs(kernel).max() / 127)
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)


def test_a_loaded_model_trains_further(windows):
    model = speechgru.load_model("small")
    model.compile(
        keras.optimizers.SGD(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    x, y = windows[:4], np.zeros(4)
    losses = model.fit(x, y, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", ["large", "medium.tflite", "", None, ["medium"]])
def test_an_unknown_name_is_refused_with_the_known_ones(name):
    with pytest.raises(ModelError, match=r"must be one of 'medium', 'small'\. Received: "):
        speechgru.load_model(name)


@pytest.mark.parametrize("content", [b"", b"PK", None])
def test_a_damaged_file_is_named(content, tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "_FOLDER", tmp_path)
    if content is not None:
        (tmp_path / "small.keras").write_bytes(content)
    with pytest.raises(ModelError, match=r"small\.keras: expected a bundled model, found: "):
        speechgru.load_model("small")
