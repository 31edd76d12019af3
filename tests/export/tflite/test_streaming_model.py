"""The streaming model: hops and windows give the Keras model's scores."""

import numpy as np
import pytest

from export.tflite.streaming_model import StreamingModel
from speechgru import MFCCConfig, build_model
from speechgru.errors import ConversionError

LABELS = ("yes", "no", "unknown", "silence")


def test_a_window_must_be_whole_hops():
    model = build_model("small", LABELS, MFCCConfig(hop_length=300))
    with pytest.raises(ConversionError, match=r"whole hops \(600 samples\), found 16000 samples"):
        StreamingModel(model)


@pytest.mark.parametrize("preset", ["small", "medium"])
def test_a_step_is_the_models_own(preset):
    model = build_model(preset, LABELS)
    for gru in (layer for layer in model.layers if layer.name.startswith("gru_")):
        rng = np.random.default_rng(0)  # biases are zero in a new model
        gru.set_weights([rng.normal(size=w.shape) / 4 for w in gru.get_weights()])
    streaming = StreamingModel(model)
    audio = np.random.default_rng(1).normal(size=(1, 16000)).astype(np.float32) / 10
    state = {name: np.zeros(shape, np.float32) for name, shape in streaming.state_shapes.items()}
    for start in range(0, 16000, streaming.hop_samples):
        outputs = streaming.stream(audio[:, start : start + streaming.hop_samples], **state)
        state = {name: outputs[f"next_{name}"] for name in state}
    logits = model(audio).numpy()
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(outputs["scores"], expected, atol=1e-5)
    np.testing.assert_allclose(streaming.recognize(audio)["scores"], expected, atol=1e-5)
