import numpy as np
import pytest

from speechgru.features import MFCCConfig
from speechgru.models import initial_state
from training.loop.teachers import TEACHERS, build, build_teacher, classifier
from training.recipes.recipe import PRESETS

LABELS = ("yes", "no", "unknown", "silence")


@pytest.fixture(scope="module")
def audio():
    return np.random.default_rng(0).normal(size=(3, 16000)).astype(np.float32) * 0.1


@pytest.mark.parametrize(("preset", "parameters"), [("convolutions", 1.3e6), ("residual", 1.1e6)])
def test_a_teacher_has_the_face_of_a_model_and_its_size(preset, parameters):
    teacher, model = build_teacher(preset, LABELS), build("small", LABELS, MFCCConfig())
    assert teacher.input_shape == model.input_shape
    assert teacher.output_shape == model.output_shape
    assert teacher.get_layer("mfcc").config == model.get_layer("mfcc").config
    assert teacher.count_params() == pytest.approx(parameters, rel=0.05)


@pytest.mark.parametrize("preset", TEACHERS)
def test_a_teacher_hears_the_whole_second_wherever_a_word_is(preset, audio):
    teacher = build_teacher(preset, LABELS)
    for place in (0, 8000, 15800):
        changed = audio.copy()
        changed[:, place : place + 200] += 0.5
        assert np.abs(teacher(audio) - teacher(changed)).min() > 0


@pytest.mark.parametrize("preset", PRESETS)
def test_a_classifier_answers_features_as_the_model_answers_audio(preset, audio):
    model = build(preset, LABELS, MFCCConfig())
    assert model.name == f"speechgru_{preset}"
    own = classifier(model)
    state = initial_state(own, len(audio))
    assert bool(state) == (preset not in TEACHERS)
    logits = own({"mfcc": model.get_layer("mfcc")(audio), **state})["logits"]
    np.testing.assert_allclose(logits, model(audio), atol=1e-5)
