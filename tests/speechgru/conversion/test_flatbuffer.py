"""Flatbuffers: what packing keeps, what is added to a graph, and how much memory one needs."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from speechgru import modelfile
from speechgru.conversion import flatbuffer
from speechgru.conversion.float16 import weights_to_float16
from speechgru.conversion.graph import Graph

FLOAT32 = schema.TensorType.FLOAT32


def signature(name, index, inputs, outputs):
    return schema.SignatureDefT(
        signatureKey=name,
        subgraphIndex=index,
        inputs=[schema.TensorMapT(name=n, tensorIndex=i) for n, i in inputs.items()],
        outputs=[schema.TensorMapT(name=n, tensorIndex=i) for n, i in outputs.items()],
    )


@pytest.fixture
def adder():
    """y = (x + 2) + 2 of eight numbers; both constants are stored."""
    model = schema.ModelT(
        version=3, buffers=[schema.BufferT()], subgraphs=[], operatorCodes=[], signatureDefs=[]
    )
    graph = Graph(model)
    x = y = graph.tensor((1, 8), FLOAT32)
    for _ in range(2):
        two, following = (
            graph.constant(np.full((1, 8), 2, np.float32)),
            graph.tensor((1, 8), FLOAT32),
        )
        graph.operator("ADD", [y, two], [following], schema.AddOptionsT())
        y = following
    graph.subgraph.inputs, graph.subgraph.outputs = (np.array([i], np.int32) for i in (x, y))
    model.signatureDefs.append(signature("add", graph.index, {"x": x}, {"y": y}))
    return model


def result(packed):
    run = Interpreter(model_content=packed).get_signature_runner("add")
    return run(x=np.arange(8, dtype=np.float32)[np.newaxis])["y"][0].tolist()


def test_a_graph_made_by_hand_runs(adder):
    packed = flatbuffer.pack(adder)
    assert result(packed) == [4, 5, 6, 7, 8, 9, 10, 11]
    assert flatbuffer.operators(packed) == ["ADD"]


def test_equal_constants_are_stored_once(adder):
    assert len(adder.buffers) == 3
    assert len(flatbuffer.load(flatbuffer.pack(adder)).buffers) == 2


def test_constants_are_aligned(adder):
    packed = flatbuffer.pack(adder)
    assert packed.index(np.full(8, 2, np.float32).tobytes()) % flatbuffer.ALIGNMENT == 0


def test_packing_again_changes_nothing(model_file):
    packed = modelfile.read(model_file).flatbuffer
    assert flatbuffer.pack(flatbuffer.load(packed)) == packed


def test_a_grafted_graph_computes_what_it_did(adder):
    packed = flatbuffer.pack(adder)
    first, piece = flatbuffer.load(packed), flatbuffer.load(packed)
    graph = Graph(first, 0)
    (end,), (start,) = graph.subgraph.outputs, piece.subgraphs[0].inputs
    places = graph.graft(piece, {start: end})
    graph.subgraph.outputs = np.array([places[piece.subgraphs[0].outputs[0]]], np.int32)
    first.signatureDefs[0].outputs[0].tensorIndex = graph.subgraph.outputs[0]
    assert result(flatbuffer.pack(first)) == [8, 9, 10, 11, 12, 13, 14, 15]


@pytest.mark.parametrize(("least", "halved"), [(8, True), (9, False)])
def test_matrices_of_a_size_are_halved(least, halved, adder):
    weights_to_float16(adder, least)
    packed = flatbuffer.pack(adder)
    assert result(packed) == [4, 5, 6, 7, 8, 9, 10, 11]
    assert ("DEQUANTIZE" in flatbuffer.operators(packed)) is halved
    assert (np.full(8, 2, np.float16).tobytes() in packed) is halved
    assert (np.full(8, 2, np.float32).tobytes() in packed) is not halved
