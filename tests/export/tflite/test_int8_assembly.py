"""Joining the int8 step and its shell: casts in the stream, a loop in the window."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from export.tflite.int8_assembly import LoopVariables, Step, join
from speechgru.conversion import flatbuffer
from speechgru.conversion.flatbuffer_editing import Graph

STEPS, HOP_FRAMES, WIDTH = 4, 2, 3
SCALE = 0.5


def new_model():
    return schema.ModelT(
        version=3, buffers=[schema.BufferT()], subgraphs=[], operatorCodes=[], signatureDefs=[]
    )


def add_signature(model, key, inputs, outputs):
    """Make the model's last subgraph a signature; inputs and outputs are tensors by name."""
    graph = model.subgraphs[-1]
    graph.inputs = np.array([*inputs.values()], np.int32)
    graph.outputs = np.array([*outputs.values()], np.int32)
    entries = [
        [schema.TensorMapT(name=name.encode(), tensorIndex=place) for name, place in given.items()]
        for given in (inputs, outputs)
    ]
    model.signatureDefs.append(
        schema.SignatureDefT(
            signatureKey=key.encode(),
            inputs=entries[0],
            outputs=entries[1],
            subgraphIndex=len(model.subgraphs) - 1,
        )
    )


@pytest.fixture
def step():
    """A step that doubles what it is given: scores = 2 h_1, next_h_1 = 2 h_1 (all int8)."""
    model = new_model()
    graph = Graph(model)
    table = schema.QuantizationParametersT(
        scale=np.array([SCALE], np.float32), zeroPoint=np.array([0], np.int64)
    )
    frames = graph.tensor((1, WIDTH, 1), schema.TensorType.INT8, table)
    h, scores, next_h = (graph.tensor((1, 2), schema.TensorType.INT8, table) for _ in range(3))
    for output in (scores, next_h):
        graph.operator("ADD", [h, h], [output], schema.AddOptionsT(), version=2)
    add_signature(
        model, "step", {"frames": frames, "h_1": h}, {"scores": scores, "next_h_1": next_h}
    )
    return model


@pytest.fixture
def shell():
    """A shell whose front end hands on its audio: frames = audio + 0."""
    model = new_model()
    length = WIDTH + (STEPS - 1) * HOP_FRAMES
    for key, frames in (("recognize", length), ("stream", WIDTH)):
        graph = Graph(model)
        audio, found = (graph.tensor((1, frames, 1), schema.TensorType.FLOAT32) for _ in range(2))
        zeros = graph.constant(np.zeros((1, frames, 1), np.float32))
        graph.operator("ADD", [audio, zeros], [found], schema.AddOptionsT())
        add_signature(model, key, {"audio": audio}, {"scores": found})
    return model


def test_a_stream_casts_states_and_scores(shell, step):
    join(shell, step, STEPS, HOP_FRAMES)
    stream = Interpreter(model_content=flatbuffer.pack(shell)).get_signature_runner("stream")
    assert stream.get_input_details().keys() == {"audio", "h_1"}
    h = np.array([[1.5, -2.0]], np.float32)
    outputs = stream(audio=np.zeros((1, WIDTH, 1), np.float32), h_1=h)
    assert outputs.keys() == {"scores", "next_h_1"}
    np.testing.assert_array_equal(outputs["scores"], 2 * h)
    np.testing.assert_array_equal(outputs["next_h_1"], 2 * h)


def test_a_window_is_a_loop_that_starts_from_zeros(shell, step):
    join(shell, step, STEPS, HOP_FRAMES)
    packed = flatbuffer.pack(shell)
    assert "WHILE" in flatbuffer.operators(packed)
    recognize = Interpreter(model_content=packed).get_signature_runner("recognize")
    audio = np.ones(recognize.get_input_details()["audio"]["shape"], np.float32)
    np.testing.assert_array_equal(recognize(audio=audio)["scores"], np.zeros((1, 2)))


def test_the_loops_variables_keep_their_order():
    variables = LoopVariables(step_number=5, start=6, frames=7, states=(8, 9), scores=10)
    assert variables.tensors() == [5, 6, 7, 8, 9, 10]


def test_a_steps_tensors_are_found_by_name(step):
    found = Step(step)
    assert found.states == ["h_1"]
    assert tuple(found.tensor("frames").shape) == (1, WIDTH, 1)
