"""The model file: a TFLite flatbuffer with its labels and settings in a ZIP appended to it."""

import dataclasses
import hashlib
import io
import json
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

from speechgru.errors import ModelError

__all__ = ["BUNDLED", "SIGNATURES", "ModelError", "ModelFile", "locate", "read", "write"]

FORMAT_VERSION = 1
_PRETRAINED = Path(__file__).parent / "pretrained"
BUNDLED = {name: _PRETRAINED / f"{name}.tflite" for name in ("medium", "small")}  # default first
SIGNATURES = ("recognize", "stream", "features")  # what every model file of this version offers

_LABELS, _SETTINGS = "labels.txt", "speechgru.json"
_MAX_BYTES = 1 << 28
_MAX_METADATA_BYTES = 1 << 20
_MAX_LABELS = 10_000


@dataclasses.dataclass(frozen=True)
class ModelFile:
    """A model file's content.

    Attributes:
        name: the path, for messages.
        flatbuffer: the TFLite model, what LiteRT loads.
        labels: classes in the order of the scores.
        settings: content of `speechgru.json`: `front_end`, `window_samples`, `hop_samples`,
            `state` (shapes of the tensors that `stream` hands on), `threshold`, `training_data`,
            `validation_accuracy`, `licence`, `versions`, ...
    """

    name: str
    flatbuffer: bytes
    labels: tuple[str, ...]
    settings: dict[str, Any]

    @property
    def sample_rate(self) -> int:
        """Rate of the audio that the model takes, in Hz."""
        return int(self.settings["front_end"]["sample_rate"])

    @property
    def window_samples(self) -> int:
        """Samples of audio that the signature `recognize` takes."""
        return int(self.settings["window_samples"])


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
    name = os.fsdecode(locate(model))
    content = _read_bytes(name)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            length = min((info.header_offset for info in archive.infolist()), default=0)
            texts = {name: _member(archive, name) for name in (_LABELS, _SETTINGS)}
        settings = json.loads(texts[_SETTINGS])
    except Exception as error:  # zipfile and json raise many kinds for damaged bytes
        raise ModelError(
            f"{name}: expected a speechgru model (a .tflite file that holds {_LABELS} and "
            f"{_SETTINGS}), found: {error}"
        ) from error
    flatbuffer = content[:length]
    _check_settings(settings, name)
    if hashlib.sha256(flatbuffer).hexdigest() != settings["flatbuffer_sha256"]:
        raise ModelError(f"{name}: expected the model that its settings describe, found another")
    labels = tuple(texts[_LABELS].split("\n")[:-1])
    if not 2 <= len(labels) <= _MAX_LABELS or len(set(labels)) < len(labels) or "" in labels:
        raise ModelError(f"{name}: expected different labels in {_LABELS}, found {labels[:5]}")
    return ModelFile(name, flatbuffer, labels, settings)


def write(path: Path, flatbuffer: bytes, labels: tuple[str, ...], settings: dict[str, Any]) -> None:
    """Write a model file, the same bytes for the same content."""
    settings = {
        "format_version": FORMAT_VERSION,
        "flatbuffer_sha256": hashlib.sha256(flatbuffer).hexdigest(),
        **settings,
    }
    buffer = io.BytesIO()
    buffer.write(flatbuffer)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, text in (
            (_LABELS, "".join(f"{label}\n" for label in labels)),
            (_SETTINGS, json.dumps(settings, indent=1) + "\n"),
        ):
            archive.writestr(zipfile.ZipInfo(name), text)  # the time in it stays 1980
    path.write_bytes(buffer.getvalue())


def _read_bytes(name: str) -> bytes:
    try:
        status = os.stat(name)
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"{name}: expected a model file, found something that is no file")
        if status.st_size > _MAX_BYTES:
            raise ModelError(f"{name}: expected a model file, found {status.st_size:,} bytes")
        return Path(name).read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(2, "expected a model file, found nothing", name) from None
    except OSError as error:
        raise ModelError(f"{name}: expected a readable model file, found: {error}") from error
    except ModelError:
        raise
    except ValueError as error:  # a NUL in the path
        raise ModelError(f"{name!r}: expected the path of a model, found: {error}") from error


def _member(archive: zipfile.ZipFile, name: str) -> str:
    size = archive.getinfo(name).file_size
    if size > _MAX_METADATA_BYTES:
        raise ValueError(f"{size:,} bytes of {name}")
    return archive.read(name).decode("utf-8")


def _check_settings(settings: Any, name: str) -> None:
    if not isinstance(settings, dict):
        raise ModelError(f"{name}: expected an object in {_SETTINGS}, found {settings!r:.50}")
    version = settings.get("format_version")
    if version != FORMAT_VERSION:
        raise ModelError(
            f"{name}: expected format version {FORMAT_VERSION}, found {version!r:.50}; "
            "this release of speechgru cannot read it"
        )
    front_end = settings.get("front_end")
    if not isinstance(front_end, dict) or not all(
        isinstance(value, int | float) for value in front_end.values()
    ):
        raise ModelError(f"{name}: expected numbers in front_end, found {front_end!r:.50}")
    if not isinstance(settings.get("versions", {}), dict):
        raise ModelError(f"{name}: expected an object versions, found another value")
    rate = front_end.get("sample_rate")
    for key, value in (
        ("front_end.sample_rate", rate),
        ("window_samples", settings.get("window_samples")),
        ("hop_samples", settings.get("hop_samples")),
    ):
        if type(value) is not int or not 1 <= value <= 10_000_000:
            raise ModelError(
                f"{name}: expected a number of {key} in {_SETTINGS}, found {value!r:.50}"
            )
    if not isinstance(settings.get("flatbuffer_sha256"), str):
        raise ModelError(f"{name}: expected flatbuffer_sha256 in {_SETTINGS}, found none")
