"""Weights of a flatbuffer in float16."""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from speechgru.conversion.flatbuffer_editing import Graph


def weights_to_float16(model: Any, min_elements: int) -> None:
    """Store large float32 matrices in float16, and put a DEQUANTIZE behind each.

    Args:
        model: the flatbuffer as objects (ModelT); it is changed.
        min_elements: smaller matrices stay in float32.
    """
    constants = [buffer.data for buffer in model.buffers]
    for index in range(len(model.subgraphs)):
        graph = Graph(model, index)
        for place, tensor in enumerate(list(graph.subgraph.tensors)):
            data = constants[tensor.buffer]
            is_matrix = tensor.type == schema.TensorType.FLOAT32 and len(tensor.shape) > 1
            if not is_matrix or data is None or data.size < 4 * min_elements:
                continue
            half = graph.constant(data.view(np.float32).astype(np.float16).reshape(tensor.shape))
            tensor.buffer = 0
            graph.operator("DEQUANTIZE", [half], [place], version=3)
            graph.subgraph.operators.insert(0, graph.subgraph.operators.pop())
