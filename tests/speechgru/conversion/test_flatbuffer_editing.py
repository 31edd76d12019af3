"""Adding to a subgraph by hand."""

import numpy as np

from speechgru.conversion import flatbuffer
from speechgru.conversion.flatbuffer_editing import Graph


def test_a_grafted_graph_computes_what_it_did(adder, run_adder):
    packed = flatbuffer.pack(adder)
    model, piece = flatbuffer.load(packed), flatbuffer.load(packed)
    graph = Graph(model, 0)
    (end,), (start,) = graph.subgraph.outputs, piece.subgraphs[0].inputs
    places = graph.graft(piece, {start: end})
    graph.subgraph.outputs = np.array([places[piece.subgraphs[0].outputs[0]]], np.int32)
    model.signatureDefs[0].outputs[0].tensorIndex = graph.subgraph.outputs[0]
    assert run_adder(flatbuffer.pack(model)) == [8, 9, 10, 11, 12, 13, 14, 15]


def test_a_graph_without_index_is_a_new_subgraph(adder):
    graph = Graph(adder)
    assert graph.index == 1
    assert adder.subgraphs[1] is graph.subgraph


def test_equal_operators_share_their_code(adder):
    assert [operator.opcodeIndex for operator in adder.subgraphs[0].operators] == [0, 0]
    assert len(adder.operatorCodes) == 1
