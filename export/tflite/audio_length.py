"""Refuse audio of another length than a signature states.

LiteRT resizes the inputs of a signature to whatever it is given. A loop of fixed length then reads
a part of the audio and ignores the rest without an error. A RESHAPE of the input `audio` to its
own shape cannot be resized: LiteRT raises an error instead.

    audio ──────────────────> front end          as converted
    audio ──> RESHAPE [1, n] ──> front end       after `require_audio_length`
"""

from typing import Any

import numpy as np

from speechgru.conversion import flatbuffer
from speechgru.conversion.flatbuffer_editing import Graph


def require_audio_length(converted: bytes) -> bytes:
    """Put a RESHAPE behind the input `audio` of every signature of a packed flatbuffer."""
    model = flatbuffer.load(converted)
    for signature in model.signatureDefs:
        for tensor in signature.inputs:
            if tensor.name == b"audio":
                _insert_reshape(Graph(model, signature.subgraphIndex), tensor.tensorIndex)
    return flatbuffer.pack(model)


def _insert_reshape(graph: Graph, audio: int) -> None:
    given = graph.subgraph.tensors[audio]
    checked = graph.tensor(given.shape, given.type)
    for operator in graph.subgraph.operators:
        operator.inputs = _replaced(operator.inputs, audio, checked)
    shape = graph.constant(np.asarray(given.shape, np.int32))
    graph.operator("RESHAPE", [audio, shape], [checked])
    graph.subgraph.operators.insert(0, graph.subgraph.operators.pop())


def _replaced(places: Any, old: int, new: int) -> Any:
    return np.where(np.asarray(places) == old, new, places).astype(np.int32)
