"""Public names that are imported on first use.

Those of `RUNTIME_MODULES` need numpy and LiteRT, which take a tenth of a second to load. Without
them, the command line is ready for Ctrl-C at once.

Those of `MODULES` need TensorFlow or librosa. Without the extra `train`, or with another Keras
backend, such a name is a `MissingName`: it can be listed, tested with `hasattr` and imported with
`*`. Using it raises ImportError.
"""

import importlib
import os
import sys
from typing import Any, NoReturn

from speechgru.fork_lock import not_forking

MODULES = {
    "GRU": "speechgru.gru",
    "GRUCell": "speechgru.gru",
    "MFCC": "speechgru.mfcc_layer",
    "MFCCConfig": "speechgru.features",
    "build_model": "speechgru.models",
    "load_model": "speechgru.pretrained",
    "mfcc": "speechgru.features",
    "to_tflite": "speechgru.conversion.to_tflite",
}
"""The module of each name that needs the extra `train`."""

RUNTIME_MODULES = {
    "Detection": "speechgru.detection",
    "Recognition": "speechgru.recognizer",
    "Recognizer": "speechgru.recognizer",
    "Stream": "speechgru.stream",
    "audio": "speechgru.audio",
    "detect": "speechgru.recognizer",
    "recognize": "speechgru.recognizer",
}
"""The module of each name that needs none, and one module."""

_WITHOUT_TENSORFLOW = ("speechgru.features",)
_OTHER_BACKENDS = ("jax", "openvino", "torch")
_INSTALL = "pip install 'speechgru[train]'"


class MissingName:
    """A public name that cannot be imported here. Every use of it raises ImportError."""

    def __init__(self, name: str, error: ImportError) -> None:
        self.__doc__ = str(error)
        self._name = name
        self._error = error

    def __repr__(self) -> str:
        return f"<speechgru.{self._name}, not available: {self._error}>"

    def _fail(self, *_: Any, **__: Any) -> NoReturn:
        raise ImportError(str(self._error), name=self._error.name) from self._error

    __call__ = __mro_entries__ = __instancecheck__ = __subclasscheck__ = _fail

    def __getattr__(self, attribute: str) -> NoReturn:
        if attribute.startswith("__"):  # Python and its tools ask for these without using the name
            raise AttributeError(f"speechgru.{self._name} is not available: {self._error}")
        self._fail()


def load_runtime(name: str) -> Any:
    """Import a name of `RUNTIME_MODULES`, once."""
    package, module = sys.modules["speechgru"], RUNTIME_MODULES[name]
    with not_forking:
        loaded = importlib.import_module(module)
    value = loaded if module == f"speechgru.{name}" else getattr(loaded, name)
    setattr(package, name, value)
    return value


def load(name: str) -> Any:
    """Import a name of `MODULES`.

    Args:
        name: a key of `MODULES`.

    Returns:
        What the name stands for, or a `MissingName` where it cannot be imported.
    """
    try:
        return import_name(name, MODULES[name])
    except ModuleNotFoundError:  # of this package: not a missing extra but a mistake
        raise
    except ImportError as error:
        return MissingName(name, error)


def import_name(name: str, module: str) -> Any:
    """Import a name from one of this package's modules.

    Raises:
        ImportError: what the module needs is not installed, or Keras has another backend than
            TensorFlow. The message says how to change it.
    """
    try:
        if module not in _WITHOUT_TENSORFLOW:
            _import_keras(name)
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("speechgru"):
            raise
        raise ImportError(f"speechgru.{name} needs {error.name}: {_INSTALL}") from error


def _import_keras(name: str) -> None:
    """Import Keras and check its backend."""
    try:
        keras = importlib.import_module("keras")
    except Exception as error:  # whatever a backend raises that is not there, or is broken
        missing = error.name if isinstance(error, ImportError) else None
        if missing != "keras":
            _check_backend(name, _requested_backend(missing))
        if isinstance(error, ImportError):
            raise
        message = f"speechgru.{name} needs Keras, but importing it fails: {error}"
        raise ImportError(message) from error
    _check_backend(name, keras.config.backend())


def _requested_backend(missing: str | None) -> str:
    """The backend that Keras could not import, if a module was missing."""
    config = sys.modules.get("keras.src.backend.config")  # Keras may fail before it imports this
    if config is not None:
        return str(config.backend())
    default = missing if missing in _OTHER_BACKENDS else "tensorflow"
    return os.environ.get("KERAS_BACKEND") or default


def _check_backend(name: str, backend: str) -> None:
    if backend != "tensorflow":
        raise ImportError(
            f"speechgru.{name} needs Keras with the TensorFlow backend, but the Keras backend is "
            f"{backend!r}. Set the environment variable KERAS_BACKEND=tensorflow, or "
            '"backend": "tensorflow" in ~/.keras/keras.json, before Keras is imported.'
        )
