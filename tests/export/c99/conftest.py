"""The C files of the bundled `small`, calibrated on the repository's samples, and their library."""

import shutil
from functools import lru_cache

import pytest

from export.c99.from_run import Trained, recogniser_of_step
from export.c99.generate import generate
from export.c99.library import CLibrary
from export.model_package.reference_clips import sample_clips
from export.tflite.conversion import convert
from export.tflite.runner import ModelRunner
from export.tflite.streaming_model import StreamingModel
from speechgru import load_model, modelfile
from speechgru.conversion import flatbuffer
from speechgru.modelfile import BUNDLED


@pytest.fixture(scope="package")
def int8():
    """The bundled `small` in int8."""
    streaming = StreamingModel(load_model("small"))
    return convert(streaming, "int8", sample_clips(streaming.window_samples).samples)


@pytest.fixture(scope="package")
def runner(int8):
    return ModelRunner(int8.flatbuffer)


@pytest.fixture(scope="package")
def recogniser(int8):
    file = modelfile.read("small")
    path = BUNDLED["small"].with_suffix(".keras")
    trained = Trained(path, load_model("small"), file.labels, file.settings, None)
    return recogniser_of_step(trained, flatbuffer.load(int8.step), "the repository's samples")


@pytest.fixture(scope="package")
def c_files(recogniser):
    """The C files with a float (False) or a fixed-point front end (True)."""
    return lru_cache(lambda fixed: generate(recogniser, "kws", fixed))


@pytest.fixture(scope="package")
def open_library(c_files, recogniser):
    """Open the compiled C files with a float (False) or a fixed-point front end (True)."""
    if not shutil.which("cc"):
        pytest.skip("needs a C compiler")

    @lru_cache
    def library(fixed):
        return CLibrary(c_files(fixed), len(recogniser.rule.labels), 640)

    def reset(fixed):
        library(fixed).reset()
        return library(fixed)

    return reset
