"""Names that need TensorFlow, where it is not installed or Keras has another backend."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

import speechgru
from speechgru import lazy_imports

LAZY = sorted(lazy_imports.MODULES)
TENSORFLOW_NAMES = sorted({*LAZY} - {"MFCCConfig", "mfcc"})
needs_keras = pytest.mark.skipif(
    importlib.util.find_spec("keras") is None, reason="needs the extra train"
)

WITHOUT_KERAS = """
import sys
sys.modules.update({name: None for name in ("keras", "tensorflow", "librosa", "scipy", "numba")})
"""


def run(code, **environment):
    """Run code in a new process and return the JSON that it prints."""
    variables = {k: v for k, v in os.environ.items() if k not in ("KERAS_BACKEND", "KERAS_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**variables, **environment},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_every_lazy_name_is_public():
    assert {*LAZY} < {*speechgru.__all__}


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = speechgru.nothing
    assert not hasattr(speechgru, "nothing")


def test_without_the_extra_all_names_can_be_listed_and_imported():
    result = run(
        WITHOUT_KERAS
        + """
import inspect, json, pydoc
import speechgru
from speechgru import *
names = [name for name in dir(speechgru) if hasattr(speechgru, name)]
members = dict(inspect.getmembers(speechgru))
assert "GRU" in pydoc.render_doc(speechgru)
assert "not available" in repr(GRU)
assert not hasattr(GRU, "__wrapped__")
print(json.dumps([names, sorted(members), MFCCConfig().n_mfcc]))
"""
    )
    assert result == [sorted(speechgru.__all__), sorted(speechgru.__all__), 40]


def test_without_the_extra_every_use_is_an_import_error_that_names_the_extra():
    result = run(
        WITHOUT_KERAS
        + f"""
import json
import speechgru
messages = []
for name in {TENSORFLOW_NAMES}:
    value = getattr(speechgru, name)
    for use in (
        lambda: value(3),
        lambda: value.from_config,
        lambda: isinstance(3, value),
        lambda: issubclass(int, value),
        lambda: exec("class Mine(value): pass", {{"value": value}}),
    ):
        try:
            use()
        except ImportError as error:
            messages.append(str(error))
print(json.dumps(messages))
"""
    )
    expected = "speechgru.{} needs keras: pip install 'speechgru[train]'"
    assert result == [expected.format(name) for name in TENSORFLOW_NAMES for _ in range(5)]


def test_without_librosa_the_reference_says_so():
    result = run(
        WITHOUT_KERAS
        + """
import json
import numpy
import speechgru
try:
    speechgru.mfcc(numpy.zeros(16000, "float32"))
except ImportError as error:
    print(json.dumps(str(error)))
"""
    )
    assert "librosa" in result


@needs_keras
@pytest.mark.parametrize(
    ("backend", "how"),
    [
        ("torch", "environment"),
        ("jax", "environment"),
        ("nonsense", "environment"),
        ("numpy", "keras.json"),
    ],
)
def test_with_another_backend_the_error_names_it_and_how_to_change_it(backend, how, tmp_path):
    if how == "environment":
        environment = {"KERAS_BACKEND": backend}
    else:
        (tmp_path / "keras.json").write_text(json.dumps({"backend": backend}))
        environment = {"KERAS_HOME": str(tmp_path)}
    message, usable = run(
        """
import json
import speechgru
from speechgru import *
assert all(hasattr(speechgru, name) for name in dir(speechgru))
try:
    speechgru.GRU(3)
except ImportError as error:
    print(json.dumps([str(error), MFCCConfig().n_mfcc]))
""",
        **environment,
    )
    assert usable == 40
    assert "speechgru.GRU needs Keras with the TensorFlow backend" in message
    assert repr(backend) in message
    assert "KERAS_BACKEND=tensorflow" in message


@needs_keras
@pytest.mark.parametrize("name", LAZY)
def test_with_the_extra_the_name_is_the_thing_itself(name):
    value = getattr(speechgru, name)
    assert callable(value)
    assert value.__name__ == name
    assert vars(speechgru)[name] is value  # imported once


def test_importing_speechgru_imports_no_training_library():
    heavy = run(
        """
import json, sys
import speechgru
heavy = {"tensorflow", "keras", "librosa", "scipy", "numba", "matplotlib"}
print(json.dumps(sorted(heavy & set(sys.modules))))
"""
    )
    assert heavy == []


def test_import_loads_no_libraries_before_a_name_is_used():
    result = run("""
import json, sys
import speechgru
before = "numpy" in sys.modules
names = [speechgru.audio.__name__, speechgru.recognize.__name__, speechgru.Stream.__name__]
print(json.dumps([before, "numpy" in sys.modules, names, "recognize" in vars(speechgru)]))
""")
    assert result == [False, True, ["speechgru.audio", "recognize", "Stream"], True]


def test_every_runtime_name_is_public_or_a_module():
    public = {name for name in lazy_imports.RUNTIME_MODULES if name != "audio"}
    assert public < {*speechgru.__all__}
    assert not public & {*LAZY}
