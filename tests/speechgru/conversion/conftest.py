"""A small flatbuffer made by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from speechgru.conversion.flatbuffer_editing import Graph


@pytest.fixture
def adder() -> Any:
    """y = (x + 2) + 2 of eight numbers, as objects; each 2 has a constant of its own."""
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
    model.signatureDefs.append(
        schema.SignatureDefT(
            signatureKey="add",
            subgraphIndex=graph.index,
            inputs=[schema.TensorMapT(name="x", tensorIndex=x)],
            outputs=[schema.TensorMapT(name="y", tensorIndex=y)],
        )
    )
    return model


@pytest.fixture
def run_adder() -> Callable[[bytes], list[float]]:
    """y of a packed `adder` for x = 0, 1, ..., 7."""

    def run(packed: bytes) -> list[float]:
        runner = Interpreter(model_content=packed).get_signature_runner("add")
        y: list[float] = runner(x=np.arange(8, dtype=np.float32)[np.newaxis])["y"][0].tolist()
        return y

    return run
