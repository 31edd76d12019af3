"""The int8 form: the network computes in 8-bit integers, as NPUs and microcontrollers need it.

TensorFlow's converter quantises a graph as a whole and cannot quantise a loop. So it converts two
pieces, and `export.tflite.int8_assembly` joins them:

    step    int8, quantised with calibration clips: the network for the frames of one hop
    shell   float32: the front end, as the signatures `recognize`, `stream` and `features`
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from export.tflite.int8_assembly import SHELL_FRAMES, join
from export.tflite.streaming_model import StreamingModel
from speechgru.conversion import flatbuffer
from speechgru.conversion.converter import run_converter
from speechgru.errors import ConversionError

SCALE_TOLERANCE = 1e-3  # relative; the ranges of a state before and after a step differ by rounding

StepInputs = dict[str, npt.NDArray[np.float32]]


def to_int8(model: StreamingModel, clips: npt.NDArray[np.float32]) -> tuple[bytes, bytes]:
    """Convert a model to int8.

    Args:
        model: the model.
        clips: calibration audio, (clips, samples).

    Returns:
        The model, and a flatbuffer of the step alone, without loop or front end. Its signature
        `step` takes int8 `frames` (1, conv_width, n_mfcc), which are scaled MFCC, and the states
        `h_1`, ...; it gives `scores` and `next_h_1`, .... A state has one scale before and after
        the step.

    Raises:
        ConversionError: the model cannot be converted, or a state has two scales.
    """
    step = quantized_step(model, clips)
    shell = front_end_shell(model)
    join(shell, step, model.window_samples // model.hop_samples, model.hop_frames)
    return flatbuffer.pack(shell), flatbuffer.pack(step)


def quantized_step(model: StreamingModel, clips: npt.NDArray[np.float32]) -> Any:
    """Return the step in int8 as flatbuffer objects (ModelT)."""
    names = [name for name in model.state_shapes if name.startswith("h_")]
    frames = tf.TensorSpec(model.step_frames_shape, name="frames")
    function = tf.function(model.step)
    concrete = function.get_concrete_function(frames=frames, **model.state_specs(names))
    signatures = {"step": concrete}
    inputs = step_inputs(model, run_converter(model, signatures), clips)
    quantized = run_converter(
        model, signatures, calibration=lambda: (("step", given) for given in inputs)
    )
    step = flatbuffer.load(quantized)
    share_state_scales(step, names)
    return step


def step_inputs(
    model: StreamingModel, float_step: bytes, clips: npt.NDArray[np.float32]
) -> list[StepInputs]:
    """Return what each step is given when the clips follow each other as one stream."""
    run = Interpreter(model_content=float_step).get_signature_runner("step")
    past, width = model.state_shapes["frames"][1], model.step_frames_shape[1]
    frames = np.concatenate([model.scaled_frames(clip[None])[0] for clip in clips])
    frames = np.pad(frames, ((past, 0), (0, 0)))
    states = {
        name: np.zeros(shape, np.float32)
        for name, shape in model.state_shapes.items()
        if name.startswith("h_")
    }
    found: list[StepInputs] = []
    for start in range(0, len(frames) - width + 1, model.hop_frames):
        found.append({"frames": frames[None, start : start + width], **states})
        outputs = run(**found[-1])
        states = {name: outputs[f"next_{name}"].copy() for name in states}
    return found


def share_state_scales(step: Any, names: list[str]) -> None:
    """Give each state the same scale before and after the step, so that it needs no conversion.

    Raises:
        ConversionError: the two scales differ by more than rounding.
    """
    tensors = step.subgraphs[0].tensors
    (signature,) = step.signatureDefs
    inputs = {entry.name.decode(): tensors[entry.tensorIndex] for entry in signature.inputs}
    outputs = {entry.name.decode(): tensors[entry.tensorIndex] for entry in signature.outputs}
    for name in names:
        before, after = inputs[name].quantization, outputs[f"next_{name}"].quantization
        same_scale = np.allclose(before.scale, after.scale, rtol=SCALE_TOLERANCE)
        if not same_scale or before.zeroPoint[0] != after.zeroPoint[0]:
            raise ConversionError(
                f"expected one scale of the state {name}, found {before.scale[0]} before and "
                f"{after.scale[0]} after a step: calibrate with more clips"
            )
        outputs[f"next_{name}"].quantization = before


def front_end_shell(model: StreamingModel) -> Any:
    """Return the front end in float32 as flatbuffer objects (ModelT).

    `recognize` and `stream` end where the step begins: SHELL_FRAMES is the output with its frames.
    """

    def recognize(audio: Any) -> dict[str, Any]:
        return {SHELL_FRAMES: model.window_frames(audio)}

    def stream(audio: Any, samples: Any, frames: Any) -> dict[str, Any]:
        outputs = model.hop_frames_and_state(audio, samples, frames)
        return {SHELL_FRAMES: outputs.pop("frames"), **outputs}

    window, hop = model.window_spec, model.hop_spec
    state = model.state_specs(("samples", "frames"))
    signatures = {
        "recognize": tf.function(recognize).get_concrete_function(window),
        "stream": tf.function(stream).get_concrete_function(hop, *state.values()),
        "features": tf.function(model.features).get_concrete_function(window),
    }
    return flatbuffer.load(run_converter(model, signatures))
