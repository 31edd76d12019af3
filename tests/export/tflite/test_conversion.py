"""Conversion: every form keeps its weights and holds builtin operators only."""

import pytest

from export.tflite.conversion import checked, convert
from export.tflite.streaming_model import StreamingModel
from speechgru import build_model
from speechgru.conversion.flatbuffer import operators
from speechgru.errors import ConversionError

LABELS = ("yes", "no", "unknown", "silence")


def test_a_file_without_its_weights_or_with_other_operators_is_refused(monkeypatch):
    model = StreamingModel(build_model("small", LABELS))
    found, step = convert(model, "none")
    assert step is None
    assert checked(found, model, "none") == found
    larger = StreamingModel(build_model("medium", LABELS))
    with pytest.raises(ConversionError, match="expected a weight of 13,824 bytes in the file"):
        checked(found, larger, "none")
    names = [*operators(found), "CUSTOM 'FlexErf'"]
    monkeypatch.setattr("speechgru.conversion.flatbuffer.operators", lambda flatbuffer: names)
    with pytest.raises(ConversionError, match="builtin operators only, found CUSTOM 'FlexErf'"):
        checked(found, model, "none")


@pytest.mark.parametrize("preset", ["small", "medium", "large"])
def test_every_preset_keeps_its_weights_in_the_file(preset):
    model = StreamingModel(build_model(preset, [f"word{n}" for n in range(12)]))
    assert len(model.large_weight_sizes) == {"small": 5, "medium": 8, "large": 8}[preset]
    for form, bytes_per_weight in (("none", 4), ("float16", 2), ("dynamic", 1)):
        found = convert(model, form).flatbuffer
        assert len(found) > bytes_per_weight * sum(model.large_weight_sizes)


def test_int8_needs_calibration_clips():
    with pytest.raises(ConversionError, match="expected calibration clips for int8, found none"):
        convert(StreamingModel(build_model("small", LABELS)), "int8")
