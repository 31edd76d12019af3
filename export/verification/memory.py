"""Estimates how much memory the tensors of a model take while it runs."""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from speechgru.conversion.flatbuffer import ALIGNMENT, load


def memory_bytes(flatbuffer: bytes) -> dict[str, int]:
    """Return for each signature the bytes of the tensors that are in use at once, at the most.

    This estimates an interpreter's arena. Kernels may need scratch memory, or share a tensor's.
    """
    model = load(flatbuffer)
    return {
        signature.signatureKey.decode(): _peak(model, signature.subgraphIndex)
        for signature in model.signatureDefs
    }


def _peak(model: Any, index: int) -> int:
    graph = model.subgraphs[index]
    last_use = _last_uses(graph)
    in_use = {place: _size(graph.tensors[place]) for place in graph.inputs}
    peak = 0
    for number, operator in enumerate(graph.operators):
        in_use |= {place: _size(graph.tensors[place]) for place in operator.outputs}
        inner = 0
        if operator.builtinOptionsType == schema.BuiltinOptions.WhileOptions:
            loop = operator.builtinOptions
            inner = max(_peak(model, i) for i in (loop.condSubgraphIndex, loop.bodySubgraphIndex))
        peak = max(peak, sum(in_use.values()) + inner)
        in_use = {place: size for place, size in in_use.items() if last_use.get(place, -1) > number}
    return peak


def _last_uses(graph: Any) -> dict[int, int]:
    """The number of the last operator that uses each tensor; outputs are used after all."""
    found = dict.fromkeys(graph.outputs, len(graph.operators))
    for number, operator in reversed(list(enumerate(graph.operators))):
        for place in (*operator.inputs, *operator.outputs):
            found.setdefault(place, number)
    return found


def _size(tensor: Any) -> int:
    """Bytes of a tensor, aligned as in an arena."""
    size = int(np.prod(tensor.shape)) * _ITEM_BYTES[tensor.type]
    return -(-size // ALIGNMENT) * ALIGNMENT


_ITEM_BYTES = {
    getattr(schema.TensorType, name): size
    for name, size in (
        ("BOOL", 1), ("INT8", 1), ("UINT8", 1), ("FLOAT16", 2), ("INT32", 4), ("FLOAT32", 4),
        ("INT64", 8), ("COMPLEX64", 8),
    )
}  # fmt: skip
