"""Conversion: every form keeps its weights and holds builtin operators only."""

import importlib

import numpy as np
import pytest
import tensorflow as tf

from export.tflite.conversion import checked, convert
from export.tflite.streaming_model import StreamingModel
from speechgru import build_model
from speechgru.conversion.flatbuffer import operators
from speechgru.errors import ConversionError

keras_rnn = importlib.import_module("keras.src.backend.tensorflow.rnn")
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


@pytest.mark.parametrize("form", ["none", "int8"])
def test_a_file_made_on_a_machine_with_a_gpu_holds_no_operator_of_cudnn(form, monkeypatch):
    monkeypatch.setattr(keras_rnn, "_is_gpu_available", lambda: True)
    model = build_model("small", LABELS)
    spec = tf.TensorSpec((1, 16000))
    assert "CudnnRNNV3" in types(tf.function(model).get_concrete_function(spec))

    streaming = StreamingModel(model)
    for function in streaming.signatures().values():
        assert not [name for name in types(function) if "cudnn" in name.lower()]
    noise = np.random.default_rng(0).normal(size=(5, 16000)).astype(np.float32) / 10
    found = convert(streaming, form, noise)
    for flatbuffer in (found.flatbuffer, *([found.step] if found.step else [])):
        assert not [name for name in operators(flatbuffer) if "cudnn" in name.lower()]


def types(function):
    """Types of all operators in a concrete function, those of its functions included."""
    graph = function.graph.as_graph_def()
    functions = [inner.node_def for inner in graph.library.function]
    return {node.op for nodes in (graph.node, *functions) for node in nodes}


def test_int8_needs_calibration_clips():
    with pytest.raises(ConversionError, match="expected calibration clips for int8, found none"):
        convert(StreamingModel(build_model("small", LABELS)), "int8")
