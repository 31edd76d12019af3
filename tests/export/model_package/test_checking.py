"""The check of a converted model against the Keras model."""

import keras
import numpy as np
import pytest

from export.model_package.checking import changed_labels_limit, check_against_keras
from speechgru import modelfile
from speechgru.errors import ConversionError


def test_a_file_of_other_weights_is_refused(model_file, run_folder):
    flatbuffer = modelfile.read(model_file).flatbuffer
    model = keras.saving.load_model(run_folder / "model.keras")
    noise = np.random.default_rng(0).normal(size=(3, 16000)) * [[0.3], [1e-2], [1e-5]]
    clips = noise.astype(np.float32)
    assert "0.0% of the labels changed" in check_against_keras(flatbuffer, model, clips, "none")
    weights = model.get_layer("logits").get_weights()
    model.get_layer("logits").set_weights([weights[0] * 1.1, weights[1]])
    with pytest.raises(ConversionError, match="expected a file that agrees with the Keras model"):
        check_against_keras(flatbuffer, model, clips, "none")


def test_a_file_that_gives_nan_is_refused(model_file, run_folder, monkeypatch):
    model = keras.saving.load_model(run_folder / "model.keras")
    monkeypatch.setattr(model, "predict", lambda clips, **_: np.full((len(clips), 4), np.nan))
    flatbuffer = modelfile.read(model_file).flatbuffer
    with pytest.raises(ConversionError, match="nan"):
        check_against_keras(flatbuffer, model, np.zeros((1, 16000), np.float32), "int8")


def test_the_share_of_changed_labels_is_rounded_up_to_whole_clips():
    assert changed_labels_limit("none", 10) == 0
    assert changed_labels_limit("dynamic", 10) == 0.1
    assert changed_labels_limit("dynamic", 1000) == 0.01
