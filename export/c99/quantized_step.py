"""Reads the int8 step of a network: its weights, and the integers of its arithmetic.

LiteRT's int8 operators compute with real numbers that tensors of integers stand for, real = scale *
(integer - zero_point). The integers here make the C code round as they do: sums and differences
have multipliers of 21 bits, products of matrices and of gates one of 31 bits.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from scipy.special import expit

from speechgru.errors import ConversionError

Int8 = npt.NDArray[np.int8]
Int32 = npt.NDArray[np.int32]

SUM_BITS = 20  # the greater multiplier of a sum lies between 2^20 and 2^21


class Quantization(NamedTuple):
    """What the integers of a tensor stand for: scale * (integer - zero_point)."""

    scale: float
    zero_point: int


class Scale(NamedTuple):
    """A factor: multiplier / 2^(32 + shift)."""

    multiplier: int
    shift: int


class Dense(NamedTuple):
    """A product of a matrix and a vector.

    Attributes:
        weights: (rows, columns).
        bias: (rows,); the zero point of the input is part of it.
        scale: from sums to outputs.
        zero_point: of the outputs.
        weight_scale: of the weights.
    """

    weights: Int8
    bias: Int32
    scale: Scale
    zero_point: int
    weight_scale: float


class Add(NamedTuple):
    """A sum of two tensors: ((a x + b y + offset) >> shift) + zero_point."""

    a: int
    b: int
    offset: int
    shift: int
    zero_point: int


class Multiply(NamedTuple):
    """A product of two tensors."""

    a_zero_point: int
    b_zero_point: int
    zero_point: int
    scale: Scale


class GRUStep(NamedTuple):
    """A GRU. The names are those of export/c99/source/network.c."""

    input: Dense
    recurrent: Dense
    candidate_bias: Int8
    sigmoid: Int8
    tanh: Int8
    gate: Add
    past: Add
    candidate: Add
    difference: Add
    state: Add
    reset: Multiply
    update: Multiply
    zero_point: int

    @property
    def units(self) -> int:
        """Size of the state."""
        return len(self.candidate_bias)


class QuantizedStep(NamedTuple):
    """The network.

    Attributes:
        mfcc: of the scaled MFCC.
        bands: dense layer from MFCC to bands.
        conv_1: first convolution, with a column for each frame and band of its kernel.
        conv_2: second convolution, with a column for each row, band and channel of its kernel.
        conv_out: dense layer after the convolutions.
        grus: the GRUs.
        logits: the last dense layer.
        logits_scale: of the logits.
    """

    mfcc: Quantization
    bands: Dense
    conv_1: Dense
    conv_2: Dense
    conv_out: Dense
    grus: Sequence[GRUStep]
    logits: Dense
    logits_scale: float


def read_step(step: Any) -> QuantizedStep:
    """Read the step of `export.tflite.int8.quantized_step`.

    Args:
        step: the step as flatbuffer objects (ModelT).

    Raises:
        ConversionError: it has other operators than expected, or scales that the C code cannot
            represent.
    """
    return _Graph(step).read()


class _Graph:
    """The operators of a step, followed from its inputs to its scores."""

    def __init__(self, step: Any) -> None:
        self._buffers = step.buffers
        (subgraph,) = step.subgraphs
        (signature,) = step.signatureDefs
        self._tensors = subgraph.tensors
        self._inputs = {entry.name.decode(): entry.tensorIndex for entry in signature.inputs}
        names = {value: name for name, value in vars(schema.BuiltinOperator).items()}
        codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in step.operatorCodes]
        self._operators = [
            (names[codes[operator.opcodeIndex]], list(operator.inputs), list(operator.outputs))
            for operator in subgraph.operators
        ]

    def read(self) -> QuantizedStep:
        frames = self._inputs["frames"]
        place, bands = self._dense(frames)
        (place,) = self._follow("STRIDED_SLICE", *self._follow("RESHAPE", place))
        place, conv_1 = self._dense(place, "CONV_2D")
        place, conv_2 = self._dense(place, "CONV_2D")
        (place,) = self._follow("RESHAPE", place)
        x, conv_out = self._dense(place)
        for layer in (conv_1, conv_2, conv_out):
            if layer.zero_point != -128:  # saturation is then the rectifier
                raise ConversionError(
                    f"expected a zero point of -128 after a ReLU, found {layer.zero_point}"
                )
        grus = []
        for number in range(1, len(self._inputs)):
            x, gru = self._gru(x, self._inputs[f"h_{number}"])
            grus.append(gru)
        place, logits = self._dense(x)
        self._follow("SOFTMAX", place)
        return QuantizedStep(
            self._quantization(frames), bands, conv_1, conv_2, conv_out, grus, logits,
            self._quantization(place).scale,
        )  # fmt: skip

    def _gru(self, x: int, h: int) -> tuple[int, GRUStep]:
        """Read a GRU; also returns the place of its next state."""
        input_sums, input_layer = self._dense(x)
        state_sums, recurrent = self._dense(h)
        input_gates, input_candidate = self._follow("SPLIT_V", input_sums)
        state_gates, state_candidate = self._follow("SPLIT_V", state_sums)
        sums, gate = self._add("ADD", input_gates, state_gates)
        (activations,) = self._follow("LOGISTIC", sums)
        z, r = self._follow("SPLIT", activations)
        past, past_rule, bias = self._plus_bias(state_candidate)
        reset, reset_rule = self._multiply(r, past)
        total, candidate_rule = self._add("ADD", input_candidate, reset)
        (candidate,) = self._follow("TANH", total)
        difference, difference_rule = self._add("SUB", candidate, h)
        update, update_rule = self._multiply(z, difference)
        state, state_rule = self._add("ADD", h, update)
        return state, GRUStep(
            input_layer, recurrent, bias,
            self._table(expit, sums, activations), self._table(np.tanh, total, candidate),
            gate, past_rule, candidate_rule, difference_rule, state_rule,
            reset_rule, update_rule, self._quantization(h).zero_point,
        )  # fmt: skip

    def _plus_bias(self, place: int) -> tuple[int, Add, Int8]:
        """The sum of a tensor and a constant; the converter leaves out one of zeros."""
        found = [inputs for name, inputs, _ in self._operators if name == "ADD" and place in inputs]
        if not found:
            zero_point = self._quantization(place).zero_point
            one = 1 << SUM_BITS
            unchanged = Add(one, 0, one // 2 - one * zero_point, SUM_BITS, zero_point)
            return place, unchanged, np.zeros(self._tensors[place].shape[-1], np.int8)
        ((bias,),) = ([other for other in inputs if other != place] for inputs in found)
        past, rule = self._add("ADD", place, bias)
        return past, rule, self._constant(bias, np.int8).ravel()

    def _find(self, name: str, *places: int) -> list[tuple[str, list[int], list[int]]]:
        """The operators of a kind that take these tensors."""
        found = [one for one in self._operators if one[0] == name and set(places) <= set(one[1])]
        if len(found) != 1:
            raise ConversionError(f"expected one {name} in the step here, found {len(found)}")
        return found

    def _follow(self, name: str, *places: int) -> list[int]:
        """The outputs of the operator of a kind that takes these tensors."""
        ((_, _, outputs),) = self._find(name, *places)
        return outputs

    def _dense(self, place: int, name: str = "FULLY_CONNECTED") -> tuple[int, Dense]:
        ((_, (_, weights, bias), (output,)),) = self._find(name, place)
        x, w, y = (self._quantization(one) for one in (place, weights, output))
        matrix = self._constant(weights, np.int8)
        matrix = matrix.reshape(len(matrix), -1)
        sums = matrix.sum(axis=1, dtype=np.int32)
        constants = 0 if bias < 0 else self._constant(bias, np.int32)
        scale = np.float32(x.scale) * np.float32(w.scale) / np.float32(y.scale)
        layer_bias = (constants - x.zero_point * sums).astype(np.int32)
        return output, Dense(matrix, layer_bias, scale_of(float(scale)), y.zero_point, w.scale)

    def _add(self, name: str, first: int, second: int) -> tuple[int, Add]:
        ((_, _, (output,)),) = self._find(name, first, second)
        a, b, y = (self._quantization(place) for place in (first, second, output))
        scales = np.array([a.scale, b.scale], np.float32) / np.float32(y.scale)
        shift = SUM_BITS - (int(np.frexp(scales.max())[1]) - 1)
        if not 1 <= shift <= 30:
            raise ConversionError(f"expected scales of a sum that are alike, found {scales}")
        a_factor, b_factor = (int(factor) for factor in np.rint(np.ldexp(scales, shift)))
        b_factor = -b_factor if name == "SUB" else b_factor
        offset = (1 << (shift - 1)) - a_factor * a.zero_point - b_factor * b.zero_point
        return output, Add(a_factor, b_factor, offset, shift, y.zero_point)

    def _multiply(self, first: int, second: int) -> tuple[int, Multiply]:
        ((_, _, (output,)),) = self._find("MUL", first, second)
        a, b, y = (self._quantization(place) for place in (first, second, output))
        scale = np.float32(a.scale) * np.float32(b.scale) / np.float32(y.scale)
        return output, Multiply(a.zero_point, b.zero_point, y.zero_point, scale_of(float(scale)))

    def _table(self, function: Any, before: int, after: int) -> Int8:
        """The values of a function for every integer from -128 to 127."""
        x, y = self._quantization(before), self._quantization(after)
        values = function((np.arange(-128, 128) - x.zero_point) * x.scale)
        table: Int8 = np.clip(np.rint(values / y.scale) + y.zero_point, -128, 127).astype(np.int8)
        return table

    def _quantization(self, place: int) -> Quantization:
        table = self._tensors[place].quantization
        if table is None or table.scale is None or len(table.scale) != 1:
            raise ConversionError("expected one scale a tensor of the step")
        return Quantization(float(table.scale[0]), int(table.zeroPoint[0]))

    def _constant(self, place: int, dtype: Any) -> npt.NDArray[Any]:
        tensor = self._tensors[place]
        data = np.asarray(self._buffers[tensor.buffer].data, np.uint8)
        values: npt.NDArray[Any] = data.view(dtype).reshape(tensor.shape)
        return values


def scale_of(factor: float) -> Scale:
    """Return a factor as integers.

    Raises:
        ConversionError: it is not between 2^-32 and 1/4.
    """
    fraction, exponent = np.frexp(factor)
    multiplier, shift = round(float(fraction) * 2**31), -1 - int(exponent)
    if multiplier == 2**31:
        multiplier, shift = 2**30, shift - 1
    if not 1 <= shift <= 30:
        raise ConversionError(f"expected a scale between 2^-32 and 1/4, found {factor:g}")
    return Scale(multiplier, shift)
