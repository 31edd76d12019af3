"""Joins the int8 step and its float32 shell to one flatbuffer.

`stream` is the shell, the step, and casts between them:

    audio, samples, frames --[shell]--+--------------------------------> next_samples, next_frames
                                      |
                                      +-QUANTIZE-> frames -+------+-DEQUANTIZE-> scores
                                                           | step |
                             h_1, ... --QUANTIZE-----------+------+-DEQUANTIZE-> next_h_1, ...

`recognize` runs the step in a loop over the frames of the window:

    audio --[shell]--QUANTIZE-> frames -+-------+
                                   0 -> | WHILE | -DEQUANTIZE-> scores
                      zero states ----> +-------+

    while step_number < steps:
        part = SLICE(frames, start)
        scores, h_1, ... = step(part, h_1, ...)
        step_number, start = step_number + 1, start + [0, hop_frames, 0]

`features` is complete in the shell. All tensors of the loop are integers.
"""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from speechgru.conversion.flatbuffer_editing import Graph

SHELL_FRAMES = "scores"  # the output of the shell that the step's scores take the place of

FLOAT32, INT32, BOOL = (
    schema.TensorType.FLOAT32,
    schema.TensorType.INT32,
    schema.TensorType.BOOL,
)


def join(shell: Any, step: Any, steps: int, hop_frames: int) -> None:
    """Complete the signatures `stream` and `recognize` of the shell with the step.

    Args:
        shell: the front end (ModelT); it is changed.
        step: the step (ModelT).
        steps: steps of a window.
        hop_frames: frames from one step's first frame to the next one's.
    """
    signatures = {entry.signatureKey.decode(): entry for entry in shell.signatureDefs}
    join_stream(shell, signatures["stream"], Step(step))
    join_recognize(shell, signatures["recognize"], Step(step), steps, hop_frames)


class Step:
    """The int8 step, to be copied into other graphs.

    Attributes:
        states: names of its states, in order.
    """

    def __init__(self, model: Any) -> None:
        (signature,) = model.signatureDefs
        self._model = model
        self._inputs = {entry.name.decode(): entry.tensorIndex for entry in signature.inputs}
        self._outputs = {entry.name.decode(): entry.tensorIndex for entry in signature.outputs}
        self.states = sorted(self._inputs.keys() - {"frames"})

    def tensor(self, name: str) -> Any:
        """Return an input or output (TensorT) as it is in the step's own graph."""
        places = {**self._outputs, **self._inputs}
        return self._model.subgraphs[0].tensors[places[name]]

    def add_tensor(self, graph: Graph, name: str, shape: Any = None) -> int:
        """Add a tensor to a graph, quantised as this input or output is. Default: its shape."""
        own = self.tensor(name)
        return graph.tensor(own.shape if shape is None else shape, own.type, own.quantization)

    def add_zeros(self, graph: Graph, name: str) -> int:
        """Add a constant of zeros to a graph, quantised as this input or output is."""
        own = self.tensor(name)
        zeros = np.full(own.shape, own.quantization.zeroPoint[0], np.int8)
        return graph.constant(zeros, own.quantization)

    def copy_into(self, graph: Graph, inputs: dict[str, int]) -> dict[str, int]:
        """Append the step's operators to a graph; return the graph's tensors of its outputs."""
        places = graph.graft(self._model, {self._inputs[name]: inputs[name] for name in inputs})
        return {name: places[index] for name, index in self._outputs.items()}


def join_stream(shell: Any, signature: Any, step: Step) -> None:
    """Complete the signature `stream`."""
    graph = Graph(shell, signature.subgraphIndex)
    scores = output_named(signature, SHELL_FRAMES)
    remove_output(graph, scores.tensorIndex)
    inputs = {"frames": step.add_tensor(graph, "frames")}
    quantize(graph, scores.tensorIndex, inputs["frames"])
    for name in step.states:
        inputs[name] = step.add_tensor(graph, name)
        floating = graph.tensor(step.tensor(name).shape, FLOAT32)
        quantize(graph, floating, inputs[name])
        add_input(graph, floating)
        signature.inputs.append(schema.TensorMapT(name=name, tensorIndex=floating))
    for name, place in step.copy_into(graph, inputs).items():
        floating = dequantized(graph, place)
        add_output(graph, floating)
        if name == "scores":
            scores.tensorIndex = floating
        else:
            signature.outputs.append(schema.TensorMapT(name=name, tensorIndex=floating))


@dataclasses.dataclass(frozen=True)
class LoopVariables:
    """The variables of the loop as tensors of one graph, in the order in which WHILE has them.

    Attributes:
        step_number: int32 ().
        start: int32 (3,), where the step's frames begin in `frames`.
        frames: int8 (1, frames of the window, n_mfcc); no step changes it.
        states: int8, in the order of `Step.states`.
        scores: int8 (1, labels), those after the last step.
    """

    step_number: int
    start: int
    frames: int
    states: tuple[int, ...]
    scores: int

    @classmethod
    def add_to(cls, graph: Graph, step: Step, frames_shape: tuple[int, ...]) -> "LoopVariables":
        """Add new tensors of these types to a graph."""
        return cls(
            step_number=graph.tensor((), INT32),
            start=graph.tensor((3,), INT32),
            frames=step.add_tensor(graph, "frames", frames_shape),
            states=tuple(step.add_tensor(graph, name) for name in step.states),
            scores=step.add_tensor(graph, "scores"),
        )

    def tensors(self) -> list[int]:
        """Return the tensors in order."""
        return [self.step_number, self.start, self.frames, *self.states, self.scores]


def join_recognize(shell: Any, signature: Any, step: Step, steps: int, hop_frames: int) -> None:
    """Complete the signature `recognize`."""
    graph, condition, body = Graph(shell, signature.subgraphIndex), Graph(shell), Graph(shell)
    scores = output_named(signature, SHELL_FRAMES)
    shape = tuple(graph.subgraph.tensors[scores.tensorIndex].shape)
    add_condition(condition, LoopVariables.add_to(condition, step, shape), steps)
    add_body(body, LoopVariables.add_to(body, step, shape), step, hop_frames)

    before = start_of_loop(graph, step, scores.tensorIndex, shape)
    after = LoopVariables.add_to(graph, step, shape)
    subgraphs = schema.WhileOptionsT(
        condSubgraphIndex=condition.index, bodySubgraphIndex=body.index
    )
    graph.operator("WHILE", before.tensors(), after.tensors(), subgraphs)
    scores.tensorIndex = dequantized(graph, after.scores)
    set_outputs(graph, [scores.tensorIndex])


def add_condition(graph: Graph, variables: LoopVariables, steps: int) -> None:
    """Fill the loop's condition: step_number < steps."""
    set_inputs(graph, variables.tensors())
    is_less = graph.tensor((), BOOL)
    limit = graph.constant(np.array(steps, np.int32))
    graph.operator("LESS", [variables.step_number, limit], [is_less], schema.LessOptionsT())
    set_outputs(graph, [is_less])


def add_body(graph: Graph, variables: LoopVariables, step: Step, hop_frames: int) -> None:
    """Fill the loop's body: one step, and the place of the next one."""
    set_inputs(graph, variables.tensors())
    part = step.add_tensor(graph, "frames")
    size = graph.constant(np.array(step.tensor("frames").shape, np.int32))
    inputs = [variables.frames, variables.start, size]
    graph.operator("SLICE", inputs, [part], schema.SliceOptionsT(), version=2)
    states = dict(zip(step.states, variables.states, strict=True))
    outputs = step.copy_into(graph, {"frames": part, **states})
    following = LoopVariables(
        step_number=plus(graph, variables.step_number, np.array(1, np.int32)),
        start=plus(graph, variables.start, np.array([0, hop_frames, 0], np.int32)),
        frames=variables.frames,
        states=tuple(outputs[f"next_{name}"] for name in step.states),
        scores=outputs["scores"],
    )
    set_outputs(graph, following.tensors())


def start_of_loop(
    graph: Graph, step: Step, floating_frames: int, shape: tuple[int, ...]
) -> LoopVariables:
    """Add what the loop starts from: the quantised frames, and zeros."""
    number, start = (graph.constant(np.zeros(shape, np.int32)) for shape in ((), (3,)))
    frames = step.add_tensor(graph, "frames", shape)
    quantize(graph, floating_frames, frames)
    states = tuple(step.add_zeros(graph, name) for name in step.states)
    return LoopVariables(number, start, frames, states, step.add_zeros(graph, "scores"))


def quantize(graph: Graph, floating: int, integer: int) -> None:
    """Append a cast from a float32 tensor to an int8 tensor."""
    graph.operator("QUANTIZE", [floating], [integer])


def dequantized(graph: Graph, integer: int) -> int:
    """Append a cast from an int8 tensor to a new float32 tensor, and return the new one."""
    floating = graph.tensor(graph.subgraph.tensors[integer].shape, FLOAT32)
    graph.operator("DEQUANTIZE", [integer], [floating], version=2)
    return floating


def plus(graph: Graph, place: int, increment: npt.NDArray[np.int32]) -> int:
    """Append the addition of a constant to a tensor, and return the sum's tensor."""
    total = graph.tensor(increment.shape, INT32)
    graph.operator("ADD", [place, graph.constant(increment)], [total], schema.AddOptionsT())
    return total


def output_named(signature: Any, name: str) -> Any:
    """Return the entry (TensorMapT) of a signature's output."""
    (entry,) = (entry for entry in signature.outputs if entry.name == name.encode())
    return entry


def add_input(graph: Graph, place: int) -> None:
    """Make a tensor the last input of its graph."""
    set_inputs(graph, [*graph.subgraph.inputs, place])


def add_output(graph: Graph, place: int) -> None:
    """Make a tensor the last output of its graph."""
    set_outputs(graph, [*graph.subgraph.outputs, place])


def remove_output(graph: Graph, place: int) -> None:
    """Remove a tensor from the outputs of its graph."""
    set_outputs(graph, [output for output in graph.subgraph.outputs if output != place])


def set_inputs(graph: Graph, places: list[int]) -> None:
    """Set the inputs of a graph."""
    graph.subgraph.inputs = np.array(places, np.int32)


def set_outputs(graph: Graph, places: list[int]) -> None:
    """Set the outputs of a graph."""
    graph.subgraph.outputs = np.array(places, np.int32)
