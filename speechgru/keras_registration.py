"""Let `keras.saving.load_model` find this package's layers, without importing Keras.

Keras finds a custom class by its registered name, and a class is registered when its module is
imported. Those modules need TensorFlow, which takes seconds to load, so `import speechgru` does not
import them. It registers stand-ins instead, which import the class when Keras builds an object of
it. If Keras has not been imported yet, the stand-ins are registered as soon as it is.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, cast

from speechgru.lazy_imports import import_name

CLASSES = {
    "GRU": "speechgru.gru",
    "GRUCell": "speechgru.gru",
    "InverseDCT": "speechgru.models",
    "MFCC": "speechgru.mfcc_layer",
    "SpectrumConv": "speechgru.models",
}
"""The module of each class that is registered with Keras under "speechgru>NAME"."""


class _StandIn:
    """Stands for a registered class until its module is imported, which registers the class."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __repr__(self) -> str:
        return f"<speechgru.{self.__name__}, not imported yet>"

    def from_config(self, config: dict[str, Any]) -> Any:
        return import_name(self.__name__, CLASSES[self.__name__]).from_config(config)


def register() -> None:
    """Register the classes with Keras, now or when Keras is imported."""
    keras = sys.modules.get("keras")
    if keras is None:
        sys.meta_path.insert(0, _KerasFinder())
    else:
        _register_with(keras)


def _register_with(keras: ModuleType) -> None:
    saving = getattr(keras, "saving", None)  # None while Keras is still being imported
    if saving is not None:
        registered = saving.get_custom_objects()
        for name in CLASSES:
            registered.setdefault(f"speechgru>{name}", _StandIn(name))


class _KerasFinder:
    """An entry of `sys.meta_path` that calls `_register_with` after Keras has been imported.

    It leaves finding and loading to the other entries, and removes itself when Keras is there.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "keras":
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec: Any = finder.find_spec(name, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):  # a folder without code has no loader
                    spec.loader = _KerasLoader(spec.loader, self)
                return cast(ModuleSpec, spec)
        return None


class _KerasLoader:
    """Loads Keras with its own loader, then registers the classes."""

    def __init__(self, loader: Any, finder: _KerasFinder) -> None:
        self._loader = loader
        self._finder = finder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        _register_with(module)
