"""Puts the C source, the constants and the weights together."""

import dataclasses
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from export.c99.c_text import WIDTH, array, braces, comment_text, define, number, string, struct
from export.c99.front_end import Scaling, front_end_constants
from export.c99.output_files import MARKER
from export.c99.quantized_step import Add, Dense, GRUStep, Multiply, QuantizedStep, Scale
from speechgru.architectures import HOP_FRAMES
from speechgru.detection import UNKNOWN, DetectionRule
from speechgru.features import MFCCConfig
from speechgru.recording import tail_hops

SOURCE = Path(__file__).parent / "source"


class Recogniser(NamedTuple):
    """All that the C files hold.

    Attributes:
        config: settings of the front end.
        scaling: of the MFCC.
        step: the network.
        rule: the detection rule, with the labels.
        origin: where the model comes from, and its licence; lines of text.
    """

    config: MFCCConfig
    scaling: Scaling
    step: QuantizedStep
    rule: DetectionRule
    origin: Sequence[str]


class CFiles(NamedTuple):
    """The text of the C file and of its header."""

    code: str
    header: str


def generate(recogniser: Recogniser, prefix: str, fixed: bool) -> CFiles:
    """Return the C files of a recogniser.

    Args:
        recogniser: what they hold.
        prefix: what the names of functions, types and macros begin with, such as "kws".
        fixed: whether the front end is in fixed point, for processors without a floating-point
            unit.

    Raises:
        ConversionError: the settings have no front end in C.
    """
    front_end = "front_end_fixed.c" if fixed else "front_end_float.c"
    sources = ("arithmetic.c", front_end, "network.c", "detection.c", "recogniser.c")
    code = "\n".join([_source("types.c"), _constants(recogniser, fixed), *map(_source, sources)])
    header = _source("kws.h").replace("@sizes@", _sizes(recogniser, fixed))
    # What comes from the model is filled in last, so that it is not renamed.
    values = {
        "generator": MARKER.decode(),
        "origin": "\n * ".join(_wrapped([f"{MARKER.decode()} from", *recogniser.origin])),
        "and_libm": "" if fixed else ", and libm",
        "libm": "" if fixed else "#include <math.h>\n",
        "labels": ", ".join(map(string, recogniser.rule.labels)),
    }
    return CFiles(_fill(_renamed(code, prefix), values), _fill(_renamed(header, prefix), values))


def _wrapped(lines: Iterable[str]) -> list[str]:
    return [part for line in lines for part in textwrap.wrap(comment_text(line), WIDTH - 3)]


def _source(name: str) -> str:
    return (SOURCE / name).read_text(encoding="utf-8")


def _fill(text: str, values: Mapping[str, str]) -> str:
    return re.sub("@([a-z_]+)@", lambda found: values[found[1]], text)


def _renamed(text: str, prefix: str) -> str:
    upper = prefix.upper()
    for old, new in (("kws_", f"{prefix}_"), ("KWS_", f"{upper}_"), ("kws.h", f"{prefix}.h")):
        text = text.replace(old, new)
    return text


def _sizes(recogniser: Recogniser, fixed: bool) -> str:
    """The macros of the header."""
    config, step, rule = recogniser.config, recogniser.step, recogniser.rule
    bands_1 = (len(step.bands.bias) - 5) // 2 + 1
    layers = [step.bands, step.conv_1, step.conv_2, step.conv_out, step.logits]
    layers += [layer for gru in step.grus for layer in (gru.input, gru.recurrent)]
    settings = dataclasses.asdict(config)
    names = ("sample_rate", "frame_length", "hop_length", "n_fft", "n_mels", "n_mfcc")
    sizes = {
        "labels": len(rule.labels),
        "hop_samples": config.hop_length * HOP_FRAMES,
        **{name: settings[name] for name in names},
        "hop_frames": HOP_FRAMES,
        "bands": len(step.bands.bias),
        "conv_1_bands": bands_1,
        "conv_1_filters": len(step.conv_1.bias),
        "conv_2_bands": (bands_1 - 3) // 2 + 1,
        "conv_2_filters": len(step.conv_2.bias),
        "grus": len(step.grus),
        "max_units": max(gru.units for gru in step.grus),
        "max_rows": max(len(layer.bias) for layer in layers),
        "max_columns": max(_padded(layer).shape[1] for layer in layers),
        "max_patch": max(_padded(step.conv_1).shape[1], step.conv_2.weights.shape[1]),
        "unknown": rule.labels.index(UNKNOWN) if UNKNOWN in rule.labels else -1,
        "smoothing_hops": rule.smoothing_hops,
        "context_hops": rule.context_hops,
        "tail_hops": tail_hops(rule.hop_seconds),
    }
    defines = "".join(define(f"KWS_{name.upper()}", value) for name, value in sizes.items())
    return f"{defines}\ntypedef {'int32_t' if fixed else 'float'} kws_real_t;"


def _constants(recogniser: Recogniser, fixed: bool) -> str:
    config, scaling, step, rule, _ = recogniser
    thresholds = np.array([rule.thresholds.get(label, 2.0) for label in rule.labels], np.float32)
    exponentials = np.rint(np.exp(-step.logits_scale * np.arange(256)) * 2**20).astype(np.int64)
    banner = "/* " + "-" * 93 + "\n * Constants and weights\n */\n"
    return "\n".join(
        [
            banner,
            "const char *const kws_labels[KWS_LABELS] = {@labels@};\n",
            front_end_constants(config, scaling, fixed),
            define("MFCC_ZERO_POINT", step.mfcc.zero_point),
            *_layer("bands_layer", step.bands, "From MFCC to bands"),
            *_layer("conv_1", step.conv_1._replace(weights=_padded(step.conv_1)),
                    "First convolution, filters x (3 frames x 5 bands, and a zero)"),
            *_layer("conv_2", step.conv_2,
                    "Second convolution, filters x (3 rows x 3 bands x channels)"),
            *_layer("conv_out", step.conv_out, "Input of the GRUs"),
            *_grus(step.grus),
            *_layer("logits_layer", step.logits, "From the last state to the logits"),
            array("uint32_t", "exponentials", exponentials, "2^20 exp(-scale d) of the logits."),
            array("float", "thresholds", thresholds,
                  "Confidence from which a command is detected; 2: not a command."),
            define("CONTEXT_WEIGHT", float(rule.context_weight)),
            define("MAX_CONTEXT", float(rule.max_context)),
            define("WAIT_HOPS", f"{rule.wait_hops}u"),
            define("REFRACTORY_HOPS", f"{rule.refractory_hops}u"),
            define("WORD_END_HOPS", f"{rule.word_end_hops}u"),
        ]
    )  # fmt: skip


def _padded(layer: Dense) -> "np.ndarray[tuple[int, ...], np.dtype[np.int8]]":
    """Weights with columns of zeros up to a multiple of four."""
    return np.pad(layer.weights, ((0, 0), (0, -layer.weights.shape[1] % 4)))


def _layer(name: str, layer: Dense, title: str) -> list[str]:
    """The arrays of a dense layer, and the struct that points to them."""
    return [*_arrays(name, layer, title), struct("dense_t", name, _dense(name, layer))]


def _arrays(name: str, layer: Dense, title: str) -> list[str]:
    rows, columns = layer.weights.shape
    comment = f"{title}: {rows} x {columns}, in steps of {layer.weight_scale:.6g}."
    return [
        array("int8_t", f"{name}_weights", layer.weights.ravel(), comment),
        array("int32_t", f"{name}_bias", layer.bias, "Its bias, in steps of the sums."),
    ]


def _dense(name: str, layer: Dense) -> dict[str, str]:
    rows, columns = layer.weights.shape
    return {
        "weights": f"{name}_weights",
        "bias": f"{name}_bias",
        "rows": number(rows),
        "columns": number(columns),
        "scale": _scale(layer.scale),
        "zero_point": number(layer.zero_point),
    }


def _grus(grus: Iterable[GRUStep]) -> list[str]:
    texts, structs = [], []
    for index, gru in enumerate(grus, start=1):
        name, members = f"gru_{index}", {"units": number(gru.units)}
        for part, title in (("input", "W_z, W_r, W_h"), ("recurrent", "U_z, U_r, U_h")):
            layer = getattr(gru, part)
            texts += _arrays(f"{name}_{part}", layer, f"{title} of GRU {index}")
            members[part] = _one_line(_dense(f"{name}_{part}", layer))
        for table, title in (
            ("candidate_bias", "c_h"),
            ("sigmoid", "sigmoid(x) for x from -128 to 127"),
            ("tanh", "tanh(x) for x from -128 to 127"),
        ):
            values = getattr(gru, table)
            texts.append(array("int8_t", f"{name}_{table}", values, f"{title} in GRU {index}."))
            members[table] = f"{name}_{table}"
        for operation in ("gate", "past", "candidate", "difference", "state", "reset", "update"):
            members[operation] = _operation(getattr(gru, operation))
        members["zero_point"] = number(gru.zero_point)
        structs.append(braces(members))
    return [*texts, f"static const gru_t grus[KWS_GRUS] = {{{', '.join(structs)}}};\n"]


def _operation(operation: Add | Multiply) -> str:
    values = operation._asdict()
    if isinstance(operation, Multiply):
        return _one_line({k: _scale(v) if k == "scale" else number(v) for k, v in values.items()})
    return _one_line({key: number(value) for key, value in values.items()})


def _scale(scale: Scale) -> str:
    return _one_line({"multiplier": number(scale.multiplier), "shift": number(scale.shift)})


def _one_line(members: dict[str, str]) -> str:
    return "{" + ", ".join(f".{key} = {value}" for key, value in members.items()) + "}"
