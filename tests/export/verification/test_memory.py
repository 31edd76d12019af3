"""The estimate of the memory that tensors take."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from export.verification.memory import memory_bytes
from speechgru.conversion import flatbuffer
from speechgru.conversion.flatbuffer_editing import Graph


def test_memory_is_that_of_the_tensors_in_use_at_once():
    """y = (x + 2) + 2: x and the first sum, then both sums, of 32 bytes each."""
    model = schema.ModelT(
        version=3, buffers=[schema.BufferT()], subgraphs=[], operatorCodes=[], signatureDefs=[]
    )
    graph = Graph(model)
    x = y = graph.tensor((1, 8), schema.TensorType.FLOAT32)
    for _ in range(2):
        two = graph.constant(np.full((1, 8), 2, np.float32))
        total = graph.tensor((1, 8), schema.TensorType.FLOAT32)
        graph.operator("ADD", [y, two], [total], schema.AddOptionsT())
        y = total
    graph.subgraph.inputs, graph.subgraph.outputs = (np.array([i], np.int32) for i in (x, y))
    model.signatureDefs.append(schema.SignatureDefT(signatureKey="add", subgraphIndex=0))
    assert memory_bytes(flatbuffer.pack(model)) == {"add": 64}
