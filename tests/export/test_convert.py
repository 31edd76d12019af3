"""Conversion: what a model must be, and what the converter must not lose."""

import numpy as np
import pytest

from export.convert import StreamingModel, checked, convert
from speechgru import MFCCConfig, build_model
from speechgru.conversion.converter import ConversionError
from speechgru.conversion.flatbuffer import operators

LABELS = ("yes", "no", "unknown", "silence")


def test_a_window_must_be_whole_hops():
    model = build_model("small", LABELS, MFCCConfig(hop_length=300))
    with pytest.raises(ConversionError, match=r"whole hops \(600 samples\), found 16000 samples"):
        StreamingModel(model)


def test_a_file_without_its_weights_or_with_foreign_operators_is_refused(monkeypatch):
    device = StreamingModel(build_model("small", LABELS))
    found = convert(device, "none")
    assert checked(found, device, 4) == found
    larger = StreamingModel(build_model("medium", LABELS))
    with pytest.raises(ConversionError, match="expected a weight of 13,824 bytes in the file"):
        checked(found, larger, 4)
    names = [*operators(found), "CUSTOM 'FlexErf'"]
    monkeypatch.setattr("speechgru.conversion.flatbuffer.operators", lambda flatbuffer: names)
    with pytest.raises(ConversionError, match="builtin operators only, found CUSTOM 'FlexErf'"):
        checked(found, device, 4)


@pytest.mark.parametrize("preset", ["small", "medium", "large"])
def test_every_preset_keeps_its_weights_in_the_file(preset):
    device = StreamingModel(build_model(preset, [f"word{n}" for n in range(12)]))
    assert len(device.large_kernels) == {"small": 5, "medium": 8, "large": 8}[preset]
    for form, share in (("none", 4), ("float16", 2), ("dynamic", 1)):
        assert len(convert(device, form)) > share * sum(device.large_kernels)


@pytest.mark.parametrize("preset", ["small", "medium"])
def test_a_step_is_the_models_own(preset):
    model = build_model(preset, LABELS)
    for gru in (layer for layer in model.layers if layer.name.startswith("gru_")):
        rng = np.random.default_rng(0)  # biases are zero in a new model
        gru.set_weights([rng.normal(size=w.shape) / 4 for w in gru.get_weights()])
    device = StreamingModel(model)
    audio = np.random.default_rng(1).normal(size=(1, 16000)).astype(np.float32) / 10
    state = {name: np.zeros(shape, np.float32) for name, shape in device.state.items()}
    for start in range(0, 16000, device.hop):
        outputs = device.stream(audio[:, start : start + device.hop], **state)
        state = {name: outputs[f"next_{name}"] for name in state}
    logits = model(audio).numpy()
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(outputs["scores"], expected, atol=1e-5)
    np.testing.assert_allclose(device.recognize(audio)["scores"], expected, atol=1e-5)
