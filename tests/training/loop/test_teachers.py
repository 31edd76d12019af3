"""Tests of training/loop/teachers.py."""

import numpy as np
import pytest

from speechgru.models import build_model
from training.loop.teachers import TEACHERS, build_teacher

LABELS = ("yes", "no", "unknown", "silence")


@pytest.fixture(scope="module")
def audio():
    return np.random.default_rng(0).normal(size=(3, 16000)).astype(np.float32) * 0.1


@pytest.mark.parametrize(("preset", "parameters"), [("convolutions", 1.3e6), ("residual", 1.1e6)])
def test_a_teacher_has_the_shapes_of_a_model_and_its_own_size(preset, parameters):
    teacher, model = build_teacher(preset, LABELS), build_model("small", LABELS)
    assert teacher.input_shape == model.input_shape
    assert teacher.output_shape == model.output_shape
    assert teacher.get_layer("mfcc").config == model.get_layer("mfcc").config
    assert teacher.count_params() == pytest.approx(parameters, rel=0.05)


@pytest.mark.parametrize("preset", TEACHERS)
def test_a_teacher_depends_on_the_whole_second(preset, audio):
    teacher = build_teacher(preset, LABELS)
    for place in (0, 8000, 15800):
        changed = audio.copy()
        changed[:, place : place + 200] += 0.5
        assert np.abs(teacher(audio) - teacher(changed)).min() > 0
