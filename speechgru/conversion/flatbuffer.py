"""LiteRT flatbuffers as objects: reading one, listing its operators, writing the smallest one."""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

ALIGNMENT = 16  # bytes; the schema asks for it where constant data begins

load = flatbuffer_utils.convert_bytearray_to_object


def operators(flatbuffer: bytes) -> list[str]:
    """Names of the operators that a flatbuffer uses, sorted; custom ones as "CUSTOM 'name'"."""
    model = load(flatbuffer)
    names = set()
    for index, code in enumerate(model.operatorCodes):
        name = flatbuffer_utils.opcode_to_name(model, index)
        custom = (code.customCode or b"").decode(errors="replace")
        names.add(f"CUSTOM {custom!r}" if name == "CUSTOM" else name)
    return sorted(names)


def constant_sizes(flatbuffer: bytes) -> set[int]:
    """The size of each constant in a flatbuffer, in bytes."""
    return {buffer.data.size for buffer in load(flatbuffer).buffers if buffer.data is not None}


def pack(model: Any) -> bytes:
    """Write the smallest flatbuffer of a model: no tensor names, and nothing is stored twice.

    Names in signatures stay. Without this packing the bundled models would be 4 KB larger.

    Args:
        model: the flatbuffer as objects (ModelT). It cannot be packed again.
    """
    buffers, places = [schema.BufferT()], {}  # by convention the first one is empty
    quantizations: dict[tuple[Any, ...], _SharedTable] = {}
    for subgraph in model.subgraphs:
        subgraph.name = None
        for tensor in subgraph.tensors:
            tensor.name = None
            data = model.buffers[tensor.buffer].data
            tensor.buffer = 0
            if data is not None:
                key = bytes(data)
                if key not in places:
                    places[key] = len(buffers)
                    buffers.append(schema.BufferT(data=data))
                tensor.buffer = places[key]
            table = tensor.quantization
            if table is None or table.scale is None or not len(table.scale):
                tensor.quantization = None
            else:
                parameters = (table.quantizedDimension, *table.zeroPoint, *table.scale)
                tensor.quantization = quantizations.setdefault(parameters, _SharedTable(table))
    model.buffers, model.metadata, model.metadataBuffer = buffers, None, None
    builder = _Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def rename_signature(flatbuffer: bytes, inputs: dict[str, str], outputs: dict[str, str]) -> bytes:
    """Give the inputs and outputs of a packed flatbuffer's only signature other names."""
    model = load(flatbuffer)
    (signature,) = model.signatureDefs
    for tensors, names in ((signature.inputs, inputs), (signature.outputs, outputs)):
        for tensor in tensors:
            tensor.name = names[tensor.name.decode()]
    return pack(model)


class _SharedTable:
    """A table that several tensors point to."""

    def __init__(self, table: Any) -> None:
        self._table, self._place = table, None

    def Pack(self, builder: Any) -> Any:  # noqa: N802
        self._place = self._place or self._table.Pack(builder)
        return self._place


class _Builder(flatbuffers.Builder):
    """Writes equal vectors once and aligns constant data; the generated code does neither."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: Any) -> int:  # noqa: N802
        key = (x.dtype.str, x.tobytes())
        if key not in self._written:
            if x.dtype == np.uint8:
                self.Prep(ALIGNMENT, x.size)
            self._written[key] = super().CreateNumpyVector(x)
        return self._written[key]
