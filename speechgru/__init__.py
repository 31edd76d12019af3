"""speechgru: a small speech-command recogniser built on the gated recurrent unit.

Recognising needs numpy, soundfile, soxr and LiteRT alone. The names that build and train models
load TensorFlow when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from speechgru.audio import AudioError
from speechgru.modelfile import ModelError
from speechgru.recognizer import Recognition, Recognizer, recognize

if TYPE_CHECKING:
    from speechgru.features import MFCCConfig, mfcc
    from speechgru.gru import GRU, GRUCell
    from speechgru.mfcc_layer import MFCC
    from speechgru.models import build_model

__version__ = "0.1.0"

__all__ = [
    "GRU",
    "MFCC",
    "AudioError",
    "GRUCell",
    "MFCCConfig",
    "ModelError",
    "Recognition",
    "Recognizer",
    "build_model",
    "mfcc",
    "recognize",
]

_NEEDS_TENSORFLOW = {
    "GRU": "gru",
    "GRUCell": "gru",
    "MFCC": "mfcc_layer",
    "MFCCConfig": "features",
    "mfcc": "features",
    "build_model": "models",
}


def __getattr__(name: str) -> Any:
    if name not in _NEEDS_TENSORFLOW:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(f"speechgru.{_NEEDS_TENSORFLOW[name]}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("speechgru"):
            raise
        message = f"speechgru.{name} needs {error.name}: pip install 'speechgru[train]'"
        raise ModuleNotFoundError(message, name=error.name) from error
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
