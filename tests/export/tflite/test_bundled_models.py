"""The bundled models: the .keras file and the .tflite file are one network."""

import pytest

import speechgru
from export.tflite.conversion import convert
from export.tflite.streaming_model import StreamingModel
from speechgru import modelfile, pretrained


@pytest.mark.parametrize("name", pretrained.NAMES)
def test_a_bundled_model_that_is_exported_again_has_the_same_bytes(name):
    device = StreamingModel(speechgru.load_model(name))
    assert convert(device, "dynamic").flatbuffer == modelfile.read(name).flatbuffer
