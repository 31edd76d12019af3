"""A model whose network computes in 8-bit integers alone, as NPUs and microcontrollers want it.

The converter quantises a graph as a whole, and a loop not at all. So it quantises the one step
that `recognize` and `stream` are made of, by what calibration clips make of it, and the step is put
into a float32 shell: the front end before it, a loop around it, and casts between them.
"""

from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from export.convert import StreamingModel, checked
from speechgru.conversion import flatbuffer
from speechgru.conversion.converter import ConversionError, run_converter
from speechgru.conversion.graph import Graph

SAME_SCALE = 1e-3  # relative; the ranges of a state before and after a step differ by rounding


def convert_integer(device: StreamingModel, clips: Any) -> tuple[bytes, bytes]:
    """An int8 model of the contract's signatures, and its step alone.

    Args:
        device: the model.
        clips: calibration audio, float32 (clips, samples).

    Returns:
        The model, and a flatbuffer without loop or front end that has the signature `step`: int8
        `frames`, (1, conv_width, n_mfcc), MFCC less their mean by their deviation, and the state
        `h_1`, ... to `scores` and `next_h_1`, ...; a state has one scale before and after.

    Raises:
        ConversionError: the result holds other operators, or a state changes its scale in a step.
    """
    step = _integer_step(device, clips)
    whole = flatbuffer.pack(_whole(device, step))
    return checked(whole, device, 1), checked(flatbuffer.pack(step), device, 1)


def _integer_step(device: StreamingModel, clips: Any) -> Any:
    shapes = {"frames": device.under_conv} | {
        name: shape for name, shape in device.state.items() if name.startswith("h_")
    }
    specs = {name: tf.TensorSpec(shape, name=name) for name, shape in shapes.items()}

    signatures = {"step": tf.function(device.network).get_concrete_function(**specs)}
    floating = Interpreter(model_content=run_converter(device, signatures))
    run = floating.get_signature_runner("step")
    seen = _seen(device, run, shapes, clips)
    quantised = run_converter(device, signatures, calibration=lambda: (("step", s) for s in seen))
    loaded = flatbuffer.load(quantised)
    tensors = loaded.subgraphs[0].tensors
    (signature,) = loaded.signatureDefs
    inputs = {m.name.decode(): tensors[m.tensorIndex] for m in signature.inputs}
    outputs = {m.name.decode(): tensors[m.tensorIndex] for m in signature.outputs}
    for name in shapes.keys() - {"frames"}:
        before, after = inputs[name].quantization, outputs[f"next_{name}"].quantization
        if not np.allclose(before.scale, after.scale, rtol=SAME_SCALE) or (
            before.zeroPoint[0] != after.zeroPoint[0]
        ):
            raise ConversionError(
                f"expected the state {name} to have one scale, found {before.scale[0]} and "
                f"{after.scale[0]}: calibrate with more clips"
            )
        outputs[f"next_{name}"].quantization = before
    return loaded


def _seen(
    device: StreamingModel, run: Any, shapes: dict[str, Any], clips: Any
) -> list[dict[str, Any]]:
    """What the step is given when the clips follow each other as one stream."""
    frames = np.concatenate([device.scaled_frames(clip[None])[0] for clip in clips])
    frames = np.pad(frames, ((device.state["frames"][1], 0), (0, 0)))
    state = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    found = []
    width, stride = device.under_conv[1], device.stride
    for start in range(0, len(frames) - width + 1, stride):
        state["frames"] = frames[None, start : start + width]
        found.append(dict(state))
        outputs = run(**state)
        state |= {name: outputs[f"next_{name}"].copy() for name in state if name != "frames"}
    return found


def _whole(device: StreamingModel, step: Any) -> Any:
    """The step in a shell of the contract's signatures."""
    past = device.state["frames"][1]

    def recognize(audio: Any) -> dict[str, Any]:
        return {"scores": tf.pad(device.scaled_frames(audio), ((0, 0), (past, 0), (0, 0)))}

    def stream(audio: Any, samples: Any, frames: Any) -> dict[str, Any]:
        outputs = device.following(audio, samples, frames)
        return {"scores": outputs.pop("frames"), **outputs}

    hop, state = device.hop_spec, device.state
    shell = flatbuffer.load(
        run_converter(
            device,
            {
                "recognize": tf.function(recognize).get_concrete_function(device.window_spec),
                "stream": tf.function(stream).get_concrete_function(
                    hop, *(tf.TensorSpec(state[n], name=n) for n in ("samples", "frames"))
                ),
                "features": tf.function(device.features).get_concrete_function(device.window_spec),
            },
        )
    )
    signatures = {s.signatureKey.decode(): s for s in shell.signatureDefs}
    _complete_stream(shell, signatures["stream"], step)
    _complete_recognize(shell, signatures["recognize"], step, device)
    return shell


class _Step:
    """Tensors of the step by name, as they are in its own graph."""

    def __init__(self, step: Any) -> None:
        (signature,) = step.signatureDefs
        self.model = step
        self.inputs = {m.name.decode(): m.tensorIndex for m in signature.inputs}
        self.outputs = {m.name.decode(): m.tensorIndex for m in signature.outputs}
        self.states = sorted(self.inputs.keys() - {"frames"})

    def tensor(self, graph: Graph, name: str, shape: Any = None) -> int:
        """A tensor in another graph that is quantised as this input or output is."""
        own = self.own(name)
        shape = own.shape if shape is None else shape
        return graph.tensor(shape, own.type, own.quantization)

    def own(self, name: str) -> Any:
        """An input or output as it is in the step's graph."""
        return self.model.subgraphs[0].tensors[self.inputs.get(name, self.outputs.get(name))]

    def graft(self, graph: Graph, inputs: dict[str, int]) -> dict[str, int]:
        places = graph.graft(self.model, {self.inputs[name]: inputs[name] for name in self.inputs})
        return {name: places[index] for name, index in self.outputs.items()}


def _complete_stream(shell: Any, signature: Any, model: Any) -> None:
    step, graph = _Step(model), Graph(shell, signature.subgraphIndex)
    (scores,) = (m for m in signature.outputs if m.name == b"scores")
    inputs = {"frames": step.tensor(graph, "frames")}
    graph.operator("QUANTIZE", [scores.tensorIndex], [inputs["frames"]])
    graph.subgraph.outputs = [i for i in graph.subgraph.outputs if i != scores.tensorIndex]
    for name in step.states:
        inputs[name] = step.tensor(graph, name)
        floating = graph.tensor(
            graph.subgraph.tensors[inputs[name]].shape, schema.TensorType.FLOAT32
        )
        graph.operator("QUANTIZE", [floating], [inputs[name]])
        graph.subgraph.inputs = np.append(graph.subgraph.inputs, floating).astype(np.int32)
        signature.inputs.append(schema.TensorMapT(name=name, tensorIndex=floating))
    for name, place in step.graft(graph, inputs).items():
        floating = graph.tensor(graph.subgraph.tensors[place].shape, schema.TensorType.FLOAT32)
        graph.operator("DEQUANTIZE", [place], [floating], version=2)
        graph.subgraph.outputs = np.append(graph.subgraph.outputs, floating).astype(np.int32)
        if name == "scores":
            scores.tensorIndex = floating
        else:
            signature.outputs.append(schema.TensorMapT(name=name, tensorIndex=floating))


def _complete_recognize(shell: Any, signature: Any, model: Any, device: StreamingModel) -> None:
    """t, start = 0, 0; while t < steps: states, scores = step(frames[start:], states)."""
    step, graph = _Step(model), Graph(shell, signature.subgraphIndex)
    condition, body = Graph(shell), Graph(shell)
    (scores,) = signature.outputs
    steps, stride = device.window // device.hop, device.stride
    length = device.state["frames"][1] + steps * stride
    frames = (1, length, device.under_conv[2])
    carried = ("frames", *step.states, "scores")

    def arguments(own: Graph) -> list[int]:
        shapes = {"frames": frames}
        places = [
            own.tensor((), schema.TensorType.INT32),
            own.tensor((3,), schema.TensorType.INT32),
        ]
        places += [step.tensor(own, name, shapes.get(name)) for name in carried]
        own.subgraph.inputs = np.array(places, np.int32)
        return places

    t, *_ = arguments(condition)
    more = condition.tensor((), schema.TensorType.BOOL)
    limit = condition.constant(np.array(steps, np.int32))
    condition.operator("LESS", [t, limit], [more], schema.LessOptionsT())
    condition.subgraph.outputs = np.array([more], np.int32)

    t, start, whole, *states, _ = arguments(body)
    part = step.tensor(body, "frames")
    size = body.constant(np.array(device.under_conv, np.int32))
    body.operator("SLICE", [whole, start, size], [part], schema.SliceOptionsT(), version=2)
    found = step.graft(body, {"frames": part, **dict(zip(step.states, states, strict=True))})
    following = []
    for place, increment in ((t, np.array(1)), (start, np.array([0, stride, 0]))):
        following.append(body.tensor(increment.shape, schema.TensorType.INT32))
        constant = body.constant(increment.astype(np.int32))
        body.operator("ADD", [place, constant], [following[-1]], schema.AddOptionsT())
    following += [whole, *(found[f"next_{name}"] for name in step.states), found["scores"]]
    body.subgraph.outputs = np.array(following, np.int32)

    begin = [graph.constant(np.zeros(shape, np.int32)) for shape in ((), (3,))]
    begin.append(step.tensor(graph, "frames", frames))
    graph.operator("QUANTIZE", [scores.tensorIndex], [begin[-1]])
    for name in carried[1:]:
        own = step.own(name)
        zero = np.full(own.shape, own.quantization.zeroPoint[0], np.int8)
        begin.append(graph.constant(zero, own.quantization))
    end = [graph.tensor(shape, schema.TensorType.INT32) for shape in ((), (3,))]
    end += [step.tensor(graph, name, frames if name == "frames" else None) for name in carried]
    loop = schema.WhileOptionsT(condSubgraphIndex=condition.index, bodySubgraphIndex=body.index)
    graph.operator("WHILE", begin, end, loop)
    floating = graph.tensor(graph.subgraph.tensors[end[-1]].shape, schema.TensorType.FLOAT32)
    graph.operator("DEQUANTIZE", [end[-1]], [floating], version=2)
    scores.tensorIndex = floating
    graph.subgraph.outputs = np.array([floating], np.int32)
