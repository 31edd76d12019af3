"""TFLite flatbuffers taken apart and put together: their operators, their size, their loops."""

import copy
from typing import Any

import flatbuffers
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

ALIGNMENT = 16  # of constant data, as the schema asks for it


def load(flatbuffer: bytes) -> schema.ModelT:
    """A flatbuffer as objects."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(flatbuffer))


def operators(flatbuffer: bytes) -> list[str]:
    """Names of the operators that a flatbuffer uses, custom ones as "CUSTOM name"."""
    names = {
        number: name
        for name, number in vars(schema.BuiltinOperator).items()
        if not name.startswith("_")
    }
    found = set()
    for code in load(flatbuffer).operatorCodes:
        name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        found.add(f"CUSTOM {code.customCode!r}" if name == "CUSTOM" else name)
    return sorted(found)


def constant_sizes(flatbuffer: bytes) -> set[int]:
    """Bytes of each constant in a flatbuffer."""
    return {buffer.data.size for buffer in load(flatbuffer).buffers if buffer.data is not None}


def arenas(flatbuffer: bytes) -> dict[str, int]:
    """For each signature the bytes of the tensors that are alive at once, at the worst moment.

    An estimate of an interpreter's arena: kernels may need scratch room, or share a tensor's.
    """
    model = load(flatbuffer)
    return {
        signature.signatureKey.decode(): _peak(model, signature.subgraphIndex)
        for signature in model.signatureDefs
    }


def _peak(model: schema.ModelT, index: int) -> int:
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


def _size(tensor: schema.TensorT) -> int:
    """Bytes of a tensor, as an arena aligns them."""
    size = int(np.prod(tensor.shape)) * _ITEM_BYTES[tensor.type]
    return -(-size // ALIGNMENT) * ALIGNMENT


def pack(model: schema.ModelT) -> bytes:
    """The smallest flatbuffer of a model: no names inside, nothing stored twice.

    Signatures keep their names. What is left out is for people who look into the file. The model
    is used up: it cannot be packed again.
    """
    buffers, places = [schema.BufferT()], {}
    quantizations: dict[bytes, _Once] = {}
    for subgraph in model.subgraphs:
        subgraph.name = None
        for tensor in subgraph.tensors:
            data = model.buffers[tensor.buffer].data
            key = None if data is None else bytes(data)
            if key is None:
                tensor.buffer = 0  # by convention the empty one
            else:
                if key not in places:
                    places[key] = len(buffers)
                    buffers.append(model.buffers[tensor.buffer])
                tensor.buffer = places[key]
            tensor.name = None
            found = tensor.quantization
            if found is None or found.scale is None or not len(found.scale):
                tensor.quantization = None
            else:
                key = repr((found.quantizedDimension, *found.zeroPoint, *found.scale)).encode()
                tensor.quantization = quantizations.setdefault(key, _Once(found))
    model.buffers, model.metadata, model.metadataBuffer = buffers, None, None
    builder = _Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def weights_to_float16(model: schema.ModelT, least: int) -> None:
    """Store float32 matrices of at least `least` elements in float16, behind a DEQUANTIZE each."""
    constants = [buffer.data for buffer in model.buffers]
    for index in range(len(model.subgraphs)):
        graph = Graph(model, index)
        for place, tensor in enumerate(list(graph.subgraph.tensors)):
            data = constants[tensor.buffer]
            if tensor.type != schema.TensorType.FLOAT32 or len(tensor.shape) < 2:
                continue  # not a matrix
            if data is None or data.size < 4 * least:
                continue
            half = graph.constant(data.view(np.float32).astype(np.float16).reshape(tensor.shape))
            tensor.buffer = 0
            graph.operator("DEQUANTIZE", [half], [place], version=3)
            graph.subgraph.operators.insert(0, graph.subgraph.operators.pop())


class Graph:
    """A subgraph of a model, to be added to.

    Args:
        model: where it is.
        index: which of the model's subgraphs. Default: a new one.
    """

    def __init__(self, model: schema.ModelT, index: int | None = None) -> None:
        self.model = model
        if index is None:
            index = len(model.subgraphs)
            model.subgraphs.append(
                schema.SubGraphT(tensors=[], inputs=[], outputs=[], operators=[])
            )
        self.index, self.subgraph = index, model.subgraphs[index]

    def tensor(self, shape: Any, kind: int, quantization: Any = None) -> int:
        """A tensor that an operator or the caller fills; `kind` is a `schema.TensorType`."""
        self.subgraph.tensors.append(
            schema.TensorT(
                shape=np.asarray(shape, np.int32),
                type=kind,
                buffer=0,
                quantization=quantization,
                hasRank=True,
            )
        )
        return len(self.subgraph.tensors) - 1

    def constant(self, value: Any, quantization: Any = None) -> int:
        """A tensor that holds a numpy array."""
        place = self.tensor(value.shape, _TYPES[value.dtype.name], quantization)
        self.subgraph.tensors[place].buffer = len(self.model.buffers)
        self.model.buffers.append(
            schema.BufferT(data=np.frombuffer(np.ascontiguousarray(value), np.uint8))
        )
        return place

    def operator(
        self, name: str, inputs: Any, outputs: Any, options: Any = None, version: int = 1
    ) -> None:
        """Append a builtin operator; `options` is an object of the schema, like AddOptionsT."""
        number = getattr(schema.BuiltinOperator, name)
        code = schema.OperatorCodeT(
            builtinCode=number, deprecatedBuiltinCode=min(number, 127), version=version
        )
        kind = type(options).__name__.removesuffix("T") if options else "NONE"
        self.subgraph.operators.append(
            schema.OperatorT(
                opcodeIndex=self._code(code),
                inputs=np.asarray(inputs, np.int32),
                outputs=np.asarray(outputs, np.int32),
                builtinOptionsType=getattr(schema.BuiltinOptions, kind),
                builtinOptions=options,
            )
        )

    def graft(self, piece: schema.ModelT, inputs: dict[int, int]) -> dict[int, int]:
        """Append the first subgraph of another model, which calls no further one.

        Args:
            piece: the other model.
            inputs: the tensor here for each of its inputs.

        Returns:
            The tensor here for every tensor of the piece.
        """
        other = piece.subgraphs[0]
        places = dict(inputs)
        for index, tensor in enumerate(other.tensors):
            if index in places:
                continue
            data = piece.buffers[tensor.buffer].data
            places[index] = self.tensor(tensor.shape, tensor.type, tensor.quantization)
            if data is not None:
                self.subgraph.tensors[places[index]].buffer = len(self.model.buffers)
                self.model.buffers.append(schema.BufferT(data=data))
        for operator in other.operators:
            copied = copy.copy(operator)
            copied.opcodeIndex = self._code(piece.operatorCodes[operator.opcodeIndex])
            # -1 stands for an input that is left out.
            copied.inputs = np.array([places.get(i, -1) for i in operator.inputs], np.int32)
            copied.outputs = np.array([places[i] for i in operator.outputs], np.int32)
            self.subgraph.operators.append(copied)
        return places

    def _code(self, wanted: schema.OperatorCodeT) -> int:
        codes = self.model.operatorCodes
        for index, code in enumerate(codes):
            if vars(code) == vars(wanted):
                return index
        codes.append(wanted)
        return len(codes) - 1


_TYPES = {
    name: getattr(schema.TensorType, name.upper())
    for name in ("float32", "float16", "int8", "int32")
}


_ITEM_BYTES = {
    getattr(schema.TensorType, name): size
    for name, size in (
        ("BOOL", 1), ("INT8", 1), ("UINT8", 1), ("FLOAT16", 2), ("INT32", 4), ("FLOAT32", 4),
        ("INT64", 8), ("COMPLEX64", 8),
    )
}  # fmt: skip


class _Once:
    """A table that is written once, however often it is packed."""

    def __init__(self, table: Any) -> None:
        self._table, self._place = table, None

    def Pack(self, builder: Any) -> Any:  # noqa: N802
        self._place = self._place or self._table.Pack(builder)
        return self._place


class _Builder(flatbuffers.Builder):
    """Writes equal vectors once, and aligns constant data, which the generated code does not."""

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
