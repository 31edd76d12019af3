"""The int8 form: integers between the front end and the scores, and a step of its own."""

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from export.model_package.reference_clips import calibration_clips
from export.tflite import int8
from export.tflite.int8 import to_int8
from export.tflite.streaming_model import StreamingModel
from speechgru import build_model
from speechgru.conversion import flatbuffer
from speechgru.errors import ConversionError

LABELS = ("yes", "no", "unknown", "silence")
INTEGERS = {schema.TensorType.INT8, schema.TensorType.INT32, schema.TensorType.BOOL}


@pytest.fixture(scope="module")
def converted(run_folder, word_folder):
    model = keras.saving.load_model(run_folder / "model.keras")
    return to_int8(StreamingModel(model), calibration_clips(word_folder, LABELS, 16000).samples)


def test_the_loop_computes_in_integers_alone(converted):
    model = flatbuffer.load(converted[0])
    called = {s.subgraphIndex for s in model.signatureDefs}
    loops = [graph for index, graph in enumerate(model.subgraphs) if index not in called]
    assert len(loops) == 2  # condition and body
    assert {tensor.type for graph in loops for tensor in graph.tensors} <= INTEGERS


def test_the_step_has_integer_inputs_and_outputs_and_one_scale_of_a_state(converted):
    interpreter = Interpreter(model_content=converted[1])
    step = interpreter.get_signature_runner("step")
    inputs, outputs = step.get_input_details(), step.get_output_details()
    assert {name: tuple(d["shape"]) for name, d in inputs.items()} == {
        "frames": (1, 5, 40),
        "h_1": (1, 76),
    }
    assert outputs.keys() == {"scores", "next_h_1"}
    assert {d["dtype"] for d in (*inputs.values(), *outputs.values())} == {np.int8}
    assert inputs["h_1"]["quantization"] == outputs["next_h_1"]["quantization"]


def test_the_step_by_itself_gives_the_scores_of_the_stream(converted):
    clip = np.random.default_rng(0).normal(size=(1, 16000)).astype(np.float32) / 20
    whole = Interpreter(model_content=converted[0])
    stream = whole.get_signature_runner("stream")
    step = Interpreter(model_content=converted[1]).get_signature_runner("step")
    details = step.get_input_details()
    (scale, zero), (h_scale, h_zero) = (details[n]["quantization"] for n in ("frames", "h_1"))
    state = {
        name: np.zeros(d["shape"], np.float32)
        for name, d in stream.get_input_details().items()
        if name != "audio"
    }
    h = np.full((1, 76), h_zero, np.int8)
    for start in range(0, 16000, 640):
        before = state["frames"]
        outputs = {k: v.copy() for k, v in stream(audio=clip[:, start:][:, :640], **state).items()}
        state = {name: outputs[f"next_{name}"] for name in state}
        # The hop's first two frames with the three before them, or its last three with two.
        frames = np.concatenate([before[:, :2], state["frames"]], axis=1)
        integers = np.clip(np.round(frames / scale) + zero, -128, 127).astype(np.int8)
        answer = {k: v.copy() for k, v in step(frames=integers, h_1=h).items()}
        h = answer["next_h_1"]
    np.testing.assert_allclose(outputs["next_h_1"], (h - np.float32(h_zero)) * h_scale, atol=1e-6)
    score_scale, score_zero = step.get_output_details()["scores"]["quantization"]
    integers = answer["scores"].astype(np.float32)
    np.testing.assert_allclose(outputs["scores"], (integers - score_zero) * score_scale, atol=1e-6)


def test_clips_that_leave_a_state_with_two_scales_are_refused(monkeypatch):
    step_inputs = int8.step_inputs  # the first step has a state of zeros only
    monkeypatch.setattr(int8, "step_inputs", lambda *given: step_inputs(*given)[:1])
    model = StreamingModel(build_model("small", ("a", "b")))
    with pytest.raises(ConversionError, match="expected one scale of the state h_1, found"):
        to_int8(model, np.zeros((2, 16000), np.float32))
