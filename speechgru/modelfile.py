"""The model file: a TFLite flatbuffer with its labels and settings in a ZIP appended to it."""

import dataclasses
import hashlib
import io
import json
import math
import os
import stat
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from speechgru.detection import DetectionRule, RecordingRule, stated_or_default
from speechgru.errors import ModelError, escape, shorten, show

__all__ = [
    "BUNDLED",
    "SIGNATURES",
    "ModelError",
    "ModelFile",
    "locate",
    "read",
    "write",
    "write_detection",
]

FORMAT_VERSION = 2  # version 1 has no `detection`
_PRETRAINED = Path(__file__).parent / "pretrained"
BUNDLED = {name: _PRETRAINED / f"{name}.tflite" for name in ("medium", "small")}  # default first
SIGNATURES = ("recognize", "stream", "features")  # what every model file of this version has

_LABELS, _SETTINGS = "labels.txt", "speechgru.json"
_MAX_BYTES = 1 << 28
_MAX_METADATA_BYTES = 1 << 20
_MAX_LABELS = 10_000
_MAX_SAMPLES = 10_000_000
_MAX_DIMENSIONS = 8
_MAX_INTEGER = 2**53  # larger integers are not exact in other JSON readers
_NOT_IN_LABELS = ("Cc", "Cs", "Zl", "Zp")  # control, lone surrogate, line, paragraph; in Unicode
_FRONT_END_INTEGERS = ("frame_length", "hop_length", "n_fft", "n_mels", "n_mfcc")


@dataclasses.dataclass(frozen=True)
class ModelFile:
    """A model file's content.

    Attributes:
        name: the path.
        flatbuffer: the TFLite model that LiteRT loads.
        labels: classes in the order of the scores.
        settings: content of `speechgru.json`: `front_end`, `window_samples`, `hop_samples`,
            `state` (shapes of the state tensors of `stream`), `detection` (constants of
            `DetectionRule` and `RecordingRule`; not in files of format version 1), `training_data`,
            `validation_accuracy`, `licence`, `versions`, ...
    """

    name: str
    flatbuffer: bytes
    labels: tuple[str, ...]
    settings: dict[str, Any]

    @property
    def sample_rate(self) -> int:
        """Sampling rate of the audio that the model takes, in Hz."""
        return int(self.settings["front_end"]["sample_rate"])

    @property
    def window_samples(self) -> int:
        """Samples of audio that the signature `recognize` takes."""
        return int(self.settings["window_samples"])

    @property
    def hop_samples(self) -> int:
        """Samples of audio that the signature `stream` takes."""
        return int(self.settings["hop_samples"])

    @property
    def hop_seconds(self) -> float:
        """Length of the hops of a stream in seconds."""
        return self.hop_samples / self.sample_rate

    def detection_rule(self) -> DetectionRule:
        """The rule from the scores of a stream to detections."""
        return DetectionRule.from_settings(self.settings, self.labels, self.hop_seconds)

    def recording_rule(self) -> RecordingRule:
        """The rule from the scores of a whole recording to its answer."""
        return RecordingRule.from_settings(self.settings, self.labels, self.hop_seconds)


def locate(model: str | os.PathLike[str] | None) -> str | os.PathLike[str]:
    """The path of a model: that of a bundled one for its name, of the default one for None."""
    if model is None:
        return next(iter(BUNDLED.values()))
    return BUNDLED.get(model, model) if isinstance(model, str) else model


def read(model: str | os.PathLike[str] | None) -> ModelFile:
    """Read and check a model file.

    Args:
        model: a path, the name of a bundled model, or None for the default one.

    Raises:
        ModelError: not a speechgru model, damaged, or of another format version.
        FileNotFoundError: there is nothing at the path.
    """
    path = os.fsdecode(locate(model))
    name = escape(path)
    content = _read_bytes(path, name)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            length = min((info.header_offset for info in archive.infolist()), default=0)
            texts = {member: _member(archive, member) for member in (_LABELS, _SETTINGS)}
        settings = _parse_json(texts[_SETTINGS])
    except Exception as error:  # zipfile and json raise many kinds for damaged bytes
        raise ModelError(
            f"{name}: expected a speechgru model (a .tflite file that holds {_LABELS} and "
            f"{_SETTINGS}), found: {escape(shorten(str(error), 200))}"
        ) from error
    flatbuffer = content[:length]
    _check_settings(settings, name)
    if hashlib.sha256(flatbuffer).hexdigest() != settings["flatbuffer_sha256"]:
        raise ModelError(f"{name}: expected the model that its settings describe, found another")
    labels = tuple(texts[_LABELS].split("\n")[:-1])
    _check_labels(labels, name)
    _check_detection(settings, labels, name)
    return ModelFile(path, flatbuffer, labels, settings)


def write(path: Path, flatbuffer: bytes, labels: Sequence[str], settings: dict[str, Any]) -> None:
    """Write a model file of the current format version, all of it or nothing.

    The same content gives the same bytes.

    Args:
        path: the file to create or to replace.
        flatbuffer: the TFLite model.
        labels: classes in the order of the scores.
        settings: content of `speechgru.json`. The format version and the hash are set here, and
            `detection` to its defaults where there is none.

    Raises:
        ModelError: the labels are not different, printable lines of text, or a constant in
            `detection` is missing or out of range.
        ValueError: the settings cannot be written as JSON.
    """
    from speechgru.atomic_files import replacing  # recognising does without it

    _check_labels(labels, escape(str(path)))
    settings = {
        **settings,
        "detection": stated_or_default(settings, labels),
        "format_version": FORMAT_VERSION,
        "flatbuffer_sha256": hashlib.sha256(flatbuffer).hexdigest(),
    }
    _check_detection(settings, labels, escape(str(path)))
    buffer = io.BytesIO()
    buffer.write(flatbuffer)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, text in (
            (_LABELS, "".join(f"{label}\n" for label in labels)),
            (_SETTINGS, json.dumps(settings, indent=1, allow_nan=False) + "\n"),
        ):
            archive.writestr(zipfile.ZipInfo(name), text)  # the time in it stays 1980
    with replacing(path) as unfinished:
        unfinished.write_bytes(buffer.getvalue())


def write_detection(path: str | os.PathLike[str], detection: Mapping[str, Any]) -> None:
    """Replace constants of the detection rule in a model file, all of it or nothing.

    A file of format version 1 becomes one of the current version.

    Args:
        path: the file.
        detection: values by their names in `detection` of `speechgru.json`. Others stay.

    Raises:
        ModelError: the file is not a usable model, or would not be one with these constants.
        FileNotFoundError: there is nothing at the path.
        OSError: the file cannot be written.
    """
    model = read(path)
    stated = stated_or_default(model.settings, model.labels)
    settings = {**model.settings, "detection": {**stated, **detection}}
    write(Path(model.name), model.flatbuffer, model.labels, settings)


def _read_bytes(path: str, name: str) -> bytes:
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"{name}: expected a model file, found a folder or a device")
        if status.st_size > _MAX_BYTES:
            raise ModelError(f"{name}: expected a model file, found {status.st_size:,} bytes")
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(2, "expected a model file, found nothing", path) from None
    except OSError as error:
        raise ModelError(f"{name}: expected a readable model file, found: {error}") from error
    except ModelError:
        raise
    except ValueError as error:  # a NUL in the path
        raise ModelError(f"{name}: expected the path of a model, found: {error}") from error


def _member(archive: zipfile.ZipFile, name: str) -> str:
    size = archive.getinfo(name).file_size
    if size > _MAX_METADATA_BYTES:
        raise ValueError(f"{size:,} bytes of {name}")
    return archive.read(name).decode("utf-8")


def _parse_json(text: str) -> Any:
    """Parse JSON, and refuse what others read differently: large numbers, NaN, repeated names."""

    def integer(digits: str) -> int:
        if len(digits) > 17 or abs(int(digits)) > _MAX_INTEGER:
            raise ValueError(f"the number {shorten(digits, 30)} in {_SETTINGS}")
        return int(digits)

    def number(digits: str) -> float:
        if not math.isfinite(float(digits)):
            raise ValueError(f"the number {shorten(digits, 30)} in {_SETTINGS}")
        return float(digits)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError(f"a name twice in {_SETTINGS}")
        return dict(pairs)

    return json.loads(
        text,
        parse_int=integer,
        parse_float=number,
        parse_constant=number,
        object_pairs_hook=unique,
    )


def _check_labels(labels: Sequence[str], name: str) -> None:
    different = 2 <= len(labels) <= _MAX_LABELS and len(set(labels)) == len(labels)
    if not different or not all(label.strip() for label in labels):
        raise ModelError(
            f"{name}: expected different labels in {_LABELS}, found {show(labels[:5])}"
        )
    for label in labels:
        if any(unicodedata.category(character) in _NOT_IN_LABELS for character in label):
            raise ModelError(
                f"{name}: expected labels without control characters, line separators and lone "
                f"surrogates in {_LABELS}, found {show(label)}"
            )


def _check_settings(settings: Any, name: str) -> None:
    if not isinstance(settings, dict):
        raise ModelError(f"{name}: expected an object in {_SETTINGS}, found {show(settings)}")
    version = settings.get("format_version")
    if type(version) is not int or not 1 <= version <= FORMAT_VERSION:
        raise ModelError(
            f"{name}: expected format version 1 to {FORMAT_VERSION}, found {show(version)}; "
            "this release of speechgru cannot read it"
        )
    if not isinstance(settings.get("flatbuffer_sha256"), str):
        raise ModelError(f"{name}: expected flatbuffer_sha256 in {_SETTINGS}, found none")
    _check_front_end(settings.get("front_end"), name)
    _check_integer(settings, "window_samples", name)
    _check_integer(settings, "hop_samples", name)
    _check_optional(settings, name)
    _check_state(settings.get("state", {}), name)


def _check_front_end(front_end: Any, name: str) -> None:
    if not isinstance(front_end, dict) or not all(map(_is_number, front_end.values())):
        raise ModelError(f"{name}: expected numbers in front_end, found {show(front_end)}")
    _check_integer(front_end, "sample_rate", name, "front_end.")
    for key in _FRONT_END_INTEGERS:
        if key in front_end:
            _check_integer(front_end, key, name, "front_end.")


def _check_integer(values: dict[str, Any], key: str, name: str, prefix: str = "") -> None:
    value = values.get(key)
    if type(value) is not int or not 1 <= value <= _MAX_SAMPLES:
        raise ModelError(
            f"{name}: expected a number of {prefix}{key} in {_SETTINGS}, an integer from 1 to "
            f"{_MAX_SAMPLES:,}, found {show(value)}"
        )


def _check_optional(settings: dict[str, Any], name: str) -> None:
    """Check the values that need not be there, but have their type if they are."""
    for key in ("threshold", "validation_accuracy"):
        value = settings.get(key)
        if value is not None and not (_is_number(value) and 0 <= value <= 1):
            raise ModelError(f"{name}: expected {key} from 0 to 1, found {show(value)}")
    for key in ("parameters", "validation_clips"):
        value = settings.get(key)
        if value is not None and (type(value) is not int or value < 0):
            raise ModelError(f"{name}: expected {key} to be a number, found {show(value)}")
    for key in ("quantization", "training_data", "licence", "validation_unknown"):
        value = settings.get(key)
        if value is not None and not isinstance(value, str):
            raise ModelError(f"{name}: expected {key} to be text, found {show(value)}")
    _check_false_commands(settings.get("false_commands"), name)
    versions = settings.get("versions", {})
    if not isinstance(versions, dict) or not all(isinstance(v, str) for v in versions.values()):
        raise ModelError(f"{name}: expected an object versions of texts, found {show(versions)}")


def _check_false_commands(found: Any, name: str) -> None:
    """Check the false commands in negative speech, if they are stated."""
    if found is None:
        return
    values: dict[str, Any] = found if isinstance(found, dict) else {}
    count, windows, hours = (values.get(key, -1) for key in ("count", "windows", "hours"))
    is_counted = type(count) is int and type(windows) is int and 0 <= count <= windows >= 1
    if not is_counted or not _is_number(hours) or hours < 0:
        raise ModelError(
            f"{name}: expected count, windows and hours in false_commands, found {show(found)}"
        )


def _check_detection(settings: dict[str, Any], labels: Sequence[str], name: str) -> None:
    """Check the constants of the rules, also the defaults of a file of format version 1."""
    detection = settings.get("detection")
    if detection is None and settings["format_version"] == 1:
        detection = {}
    if not isinstance(detection, dict) or not isinstance(detection.get("recording", {}), dict):
        raise ModelError(f"{name}: expected an object detection, found {show(detection)}")
    for rule, place in ((DetectionRule, "detection"), (RecordingRule, "detection.recording")):
        try:
            rule.from_settings(settings, labels, 1.0)
        except ValueError as error:
            raise ModelError(f"{name}: {place} in {_SETTINGS}: {error}") from error
    for key in ("false_accepts_per_hour", "recall"):
        value = detection.get(key)
        if value is not None and not (_is_number(value) and value >= 0):
            raise ModelError(f"{name}: expected detection.{key} from 0, found {show(value)}")
    measured_on = detection.get("measured_on")
    if measured_on is not None and not isinstance(measured_on, str):
        raise ModelError(
            f"{name}: expected detection.measured_on to be text, found {show(measured_on)}"
        )


def _check_state(state: Any, name: str) -> None:
    """Check the shapes of the state tensors."""
    shapes = list(state.values()) if isinstance(state, dict) else None
    if shapes is None or not all(
        isinstance(shape, list)
        and len(shape) <= _MAX_DIMENSIONS
        and all(type(size) is int and size >= 1 for size in shape)
        and math.prod(shape) <= _MAX_SAMPLES
        for shape in shapes
    ):
        raise ModelError(f"{name}: expected shapes of tensors in state, found {show(state)}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
