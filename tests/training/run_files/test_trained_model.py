"""Loading the model of a run: which windows it may have."""

import json

import keras
import pytest

from speechgru import ModelError, build_model
from training.run_files.trained_model import load_trained

LABELS = ["yes", "no", "unknown", "silence"]


@pytest.fixture
def saved(tmp_path):
    """Save a model as that of a run, and return the run's folder."""

    def save(model):
        model.save(tmp_path / "model.keras")
        (tmp_path / "metrics.json").write_text(json.dumps({"labels": LABELS}))
        return tmp_path

    return save


def test_a_model_may_have_a_window_of_1_to_3_seconds(saved):
    model, metrics = load_trained(saved(build_model("small", LABELS, window_seconds=3)))
    assert (model.input_shape, metrics["labels"]) == ((None, 48_000), LABELS)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (15_360, "model.keras: expected a window of 1 to 3 seconds, found 0.96"),
        (20_000, "expected a window of a whole number of hops of 40 ms, found 1.25 seconds"),
    ],
)
def test_a_model_with_another_window_is_refused(samples, message, saved):
    audio = keras.Input((samples,))
    usual = build_model("small", LABELS)
    x = audio
    for layer in usual.layers[1:]:
        x = layer(x)
    with pytest.raises(ModelError, match=message):
        load_trained(saved(keras.Model(audio, x)))
