"""How much memory a model's tensors take while it runs."""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from speechgru.conversion.flatbuffer import ALIGNMENT, load


def arenas(flatbuffer: bytes) -> dict[str, int]:
    """For each signature the bytes of the tensors that are alive at once, at the worst moment.

    An estimate of an interpreter's arena: kernels may need scratch room, or share a tensor's.
    """
    model = load(flatbuffer)
    return {
        signature.signatureKey.decode(): _peak(model, signature.subgraphIndex)
        for signature in model.signatureDefs
    }


def _peak(model: Any, index: int) -> int:
    graph = model.subgraphs[index]
    last = {place: len(graph.operators) for place in graph.outputs}
    for step, operator in reversed(list(enumerate(graph.operators))):
        for place in (*operator.inputs, *operator.outputs):
            last.setdefault(place, step)
    alive = {place: _size(graph.tensors[place]) for place in graph.inputs}
    most = 0
    for step, operator in enumerate(graph.operators):
        alive |= {place: _size(graph.tensors[place]) for place in operator.outputs}
        inner = 0
        if operator.builtinOptionsType == schema.BuiltinOptions.WhileOptions:
            loop = operator.builtinOptions
            inner = max(_peak(model, i) for i in (loop.condSubgraphIndex, loop.bodySubgraphIndex))
        most = max(most, sum(alive.values()) + inner)
        alive = {place: size for place, size in alive.items() if last.get(place, -1) > step}
    return most


def _size(tensor: Any) -> int:
    """Bytes of a tensor, as an arena aligns them."""
    size = int(np.prod(tensor.shape)) * _ITEM_BYTES[tensor.type]
    return -(-size // ALIGNMENT) * ALIGNMENT


_ITEM_BYTES = {
    getattr(schema.TensorType, name): size
    for name, size in (
        ("BOOL", 1), ("INT8", 1), ("UINT8", 1), ("FLOAT16", 2), ("INT32", 4), ("FLOAT32", 4),
        ("INT64", 8), ("COMPLEX64", 8),
    )
}  # fmt: skip
