"""Subgraphs of a flatbuffer, to add tensors and operators to by hand."""

import copy
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema


class Graph:
    """A subgraph of a model.

    Args:
        model: the flatbuffer as objects (ModelT); methods change it.
        index: which of the model's subgraphs. Default: a new one.

    Attributes:
        index: the subgraph's place in the model.
        subgraph: the subgraph (SubGraphT).
    """

    def __init__(self, model: Any, index: int | None = None) -> None:
        self.model = model
        if index is None:
            index = len(model.subgraphs)
            model.subgraphs.append(
                schema.SubGraphT(tensors=[], inputs=[], outputs=[], operators=[])
            )
        self.index, self.subgraph = index, model.subgraphs[index]

    def tensor(self, shape: Any, type_code: int, quantization: Any = None) -> int:
        """Add a tensor without content; `type_code` is a value of `schema.TensorType`.

        Returns:
            Its index in the subgraph.
        """
        self.subgraph.tensors.append(
            schema.TensorT(
                shape=np.asarray(shape, np.int32),
                type=type_code,
                buffer=0,
                quantization=quantization,
                hasRank=True,
            )
        )
        return len(self.subgraph.tensors) - 1

    def constant(self, value: Any, quantization: Any = None) -> int:
        """Add a tensor that holds a numpy array (float32, float16, int8 or int32)."""
        type_code = getattr(schema.TensorType, value.dtype.name.upper())
        place = self.tensor(value.shape, type_code, quantization)
        self._store(place, np.frombuffer(np.ascontiguousarray(value), np.uint8))
        return place

    def operator(
        self, name: str, inputs: Any, outputs: Any, options: Any = None, version: int = 1
    ) -> None:
        """Append a builtin operator; `options` is an object of the schema, such as AddOptionsT."""
        number = getattr(schema.BuiltinOperator, name)
        code = schema.OperatorCodeT(
            builtinCode=number, deprecatedBuiltinCode=min(number, 127), version=version
        )
        options_name = type(options).__name__.removesuffix("T") if options else "NONE"
        self.subgraph.operators.append(
            schema.OperatorT(
                opcodeIndex=self._code_index(code),
                inputs=np.asarray(inputs, np.int32),
                outputs=np.asarray(outputs, np.int32),
                builtinOptionsType=getattr(schema.BuiltinOptions, options_name),
                builtinOptions=options,
            )
        )

    def graft(self, piece: Any, inputs: dict[int, int]) -> dict[int, int]:
        """Append the first subgraph of another model, which must not call a second one.

        Args:
            piece: the other model (ModelT).
            inputs: the tensor of this graph for each input of the piece.

        Returns:
            The tensor of this graph for each tensor of the piece.
        """
        other = piece.subgraphs[0]
        places = dict(inputs)
        for index, tensor in enumerate(other.tensors):
            if index in places:
                continue
            data = piece.buffers[tensor.buffer].data
            places[index] = self.tensor(tensor.shape, tensor.type, tensor.quantization)
            if data is not None:
                self._store(places[index], data)
        for operator in other.operators:
            copied = copy.copy(operator)
            copied.opcodeIndex = self._code_index(piece.operatorCodes[operator.opcodeIndex])
            # -1 stands for an optional input that is left out.
            copied.inputs = np.array([places.get(i, -1) for i in operator.inputs], np.int32)
            copied.outputs = np.array([places[i] for i in operator.outputs], np.int32)
            self.subgraph.operators.append(copied)
        return places

    def _store(self, place: int, data: Any) -> None:
        self.subgraph.tensors[place].buffer = len(self.model.buffers)
        self.model.buffers.append(schema.BufferT(data=data))

    def _code_index(self, code: Any) -> int:
        codes = self.model.operatorCodes
        for index, known in enumerate(codes):
            if vars(known) == vars(code):
                return index
        codes.append(code)
        return len(codes) - 1
