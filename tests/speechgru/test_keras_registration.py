"""`import speechgru` is enough for Keras to load models with this package's layers."""

import json
import os
import subprocess
import sys
import warnings

import pytest

import speechgru

keras = pytest.importorskip("keras")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder with saved models that hold every registered class."""
    folder = tmp_path_factory.mktemp("models")
    inputs = keras.Input((8000,))
    gru = speechgru.GRU(2, return_sequences=True)
    hidden = keras.layers.Bidirectional(gru)(speechgru.MFCC()(inputs))
    model = keras.Model(inputs, keras.layers.RNN(speechgru.GRUCell(2))(hidden))
    model.save(folder / "layers.keras")
    with warnings.catch_warnings(action="ignore"):  # Keras calls this format old
        model.save(folder / "layers.h5")
    speechgru.build_model("small", ["yes", "no"]).save(folder / "preset.keras")
    return folder


def run(code):
    """Run code in a new process and return the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "imports",
    [
        "import keras, speechgru",  # registered at once
        "import speechgru, tensorflow; keras = tensorflow.keras",  # registered by the hook
    ],
)
def test_a_saved_model_loads_in_a_new_process(imports, models):
    result = run(
        f"""
import json, sys, warnings
warnings.simplefilter("ignore")  # Keras warns of its old format
{imports}
early = "speechgru.gru" in sys.modules
for name in ("layers.keras", "layers.h5", "preset.keras"):
    keras.models.load_model({str(models)!r} + "/" + name, compile=False)
found = keras.utils.get_registered_object("speechgru>GRU")
hooks = [type(finder).__name__ for finder in sys.meta_path]
loader = type(sys.modules["keras"].__spec__.loader).__name__
print(json.dumps([early, found is speechgru.GRU, "_KerasFinder" in hooks, loader]))
"""
    )
    assert result == [False, True, False, "SourceFileLoader"]


def test_stand_ins_stand_for_every_class_and_give_way_to_it():
    stand_ins, message, classes, same = run(
        """
import json
import speechgru, keras

def names():
    return sorted(n for n in keras.saving.get_custom_objects() if n.startswith("speechgru>"))

config = {"class_name": "GRU", "registered_name": "speechgru>GRU", "module": "speechgru.gru",
          "config": {"units": 2}}
stand_ins = names()
backend, keras.config.backend = keras.config.backend, lambda: "torch"
try:
    keras.saving.deserialize_keras_object(config)
except ImportError as error:
    message = str(error)
keras.config.backend = backend
keras.saving.get_custom_objects().clear()
for name in speechgru.lazy_imports.MODULES:
    getattr(speechgru, name)
classes = names()
speechgru.keras_registration.register()
same = type(keras.saving.deserialize_keras_object(config)) is speechgru.GRU
print(json.dumps([stand_ins, message, classes, same]))
"""
    )
    assert stand_ins == classes
    assert "the Keras backend is 'torch'" in message
    assert "KERAS_BACKEND=tensorflow" in message
    assert same


def test_a_folder_named_keras_is_imported_as_ever(tmp_path):
    (tmp_path / "keras").mkdir()
    has_saving, missing = run(
        f"""
import importlib.util, json, sys
import speechgru
sys.path[:] = [{str(tmp_path)!r}]
sys.path_importer_cache.clear()
import keras
print(json.dumps([hasattr(keras, "saving"), importlib.util.find_spec("nothing_like_it")]))
"""
    )
    assert (has_saving, missing) == (False, None)


def test_looking_for_keras_does_not_import_it():
    names = run(
        """
import importlib.util, json, sys
import speechgru
assert importlib.util.find_spec("keras").origin.endswith("__init__.py")
print(json.dumps([name for name in ("keras", "tensorflow") if name in sys.modules]))
"""
    )
    assert names == []
