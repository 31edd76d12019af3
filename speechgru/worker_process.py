"""What runs in a worker process, and the messages between it and `workers`.

A message is a JSON object and bytes, each after its length. Nothing is pickled.
"""

import errno
import json
import os
import signal
import struct
import warnings
from typing import IO, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from speechgru.audio import Source
from speechgru.errors import AudioError, ModelError, SpeechGRUError
from speechgru.recognizer import Recognition, Recognizer, SourceError

Result: TypeAlias = Recognition | SourceError
"""What recognising one source gives."""

COMMAND = "import sys; sys.path[:] = {path!r}; from speechgru.worker_process import serve; serve()"
"""Python code that runs a worker, without the modules' search path."""

_LENGTHS = struct.Struct("<QQ")
_ERRORS = {error.__name__: error for error in (AudioError, ModelError, SpeechGRUError)}


def serve() -> None:
    """Recognise what the requests on stdin ask for, and write the results to stdout.

    The first request is the state of a Recognizer; each other one is a source. The process ends
    when stdin does.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process
    requests, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):  # what libraries print is no result
        os.dup2(null, descriptor)
    try:
        message, _ = receive(requests)
        sample_rate = message.pop("sample_rate")
        recognizer = Recognizer(**message)
        send(results, {})
        while True:
            source = decode_source(*receive(requests))
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                result = encode_result(attempt(recognizer, source, sample_rate))
            send(results, {**result, "warnings": [str(one.message) for one in caught]})
    except SpeechGRUError as error:
        send(results, encode_result(error))
    except (EOFError, BrokenPipeError):  # the main process has ended
        pass


def attempt(recognizer: Recognizer, source: Source, sample_rate: int | None) -> Result:
    """Recognise one source; an error is returned."""
    try:
        return recognizer.recognize(source, sample_rate)
    except (SpeechGRUError, FileNotFoundError) as error:
        return error


def send(stream: IO[bytes], message: dict[str, Any], payload: bytes = b"") -> None:
    """Write a message."""
    text = json.dumps(message).encode()
    stream.write(_LENGTHS.pack(len(text), len(payload)) + text)
    stream.write(payload)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    """Read a message.

    Raises:
        EOFError: the stream has ended.
    """
    text_length, payload_length = _LENGTHS.unpack(_read(stream, _LENGTHS.size))
    message: dict[str, Any] = json.loads(_read(stream, text_length))
    return message, _read(stream, payload_length)


def _read(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data


def encode_source(source: str | bytes | npt.NDArray[Any]) -> tuple[dict[str, Any], bytes]:
    """Turn a path, encoded sound or an array into a message."""
    if isinstance(source, str):
        return {"path": source}, b""
    if isinstance(source, bytes):
        return {}, source
    return {"dtype": source.dtype.str, "shape": source.shape}, source.tobytes()


def decode_source(message: dict[str, Any], payload: bytes) -> str | bytes | npt.NDArray[Any]:
    """The inverse of `encode_source`."""
    if "path" in message:
        return str(message["path"])
    if "dtype" in message:
        return np.ndarray(message["shape"], message["dtype"], payload)
    return payload


def encode_result(result: Result) -> dict[str, Any]:
    """Turn a result or an error into a message."""
    if isinstance(result, Recognition):
        return {"scores": result.scores}
    if isinstance(result, FileNotFoundError):
        return {"missing": result.filename, "reason": result.strerror}
    return {"error": type(result).__name__, "reason": str(result)}


def decode_result(message: dict[str, Any]) -> Result:
    """The inverse of `encode_result`."""
    if "scores" in message:
        scores = message["scores"]
        label = next(iter(scores))
        return Recognition(label, scores[label], scores)
    if "missing" in message:
        return FileNotFoundError(errno.ENOENT, message["reason"], message["missing"])
    return _ERRORS.get(message["error"], SpeechGRUError)(message["reason"])
