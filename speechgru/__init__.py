"""speechgru: a small speech-command recogniser built on the gated recurrent unit.

Recognising needs only numpy, soundfile, soxr and LiteRT. The names that build, train and convert
models need the extra `train`. All libraries are loaded when a name that needs them is first used.
"""

from typing import TYPE_CHECKING, Any

from speechgru import keras_registration, lazy_imports
from speechgru.errors import AudioError, ConversionError, ModelError, SpeechGRUError

if TYPE_CHECKING:
    from speechgru import audio as audio
    from speechgru.conversion.to_tflite import to_tflite
    from speechgru.detection import Detection
    from speechgru.features import MFCCConfig, mfcc
    from speechgru.gru import GRU, GRUCell
    from speechgru.mfcc_layer import MFCC
    from speechgru.models import build_model
    from speechgru.pretrained import load_model
    from speechgru.recognizer import Recognition, Recognizer, detect, recognize
    from speechgru.stream import Stream

__version__ = "0.1.0"

__all__ = [
    "GRU",
    "MFCC",
    "AudioError",
    "ConversionError",
    "Detection",
    "GRUCell",
    "MFCCConfig",
    "ModelError",
    "Recognition",
    "Recognizer",
    "SpeechGRUError",
    "Stream",
    "build_model",
    "detect",
    "load_model",
    "mfcc",
    "recognize",
    "to_tflite",
]

keras_registration.register()


def __getattr__(name: str) -> Any:
    if name in lazy_imports.RUNTIME_MODULES:
        return lazy_imports.load_runtime(name)
    if name not in lazy_imports.MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = lazy_imports.load(name)
    if not isinstance(value, lazy_imports.MissingName):
        globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
