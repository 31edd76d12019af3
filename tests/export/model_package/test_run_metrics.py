"""What a metrics.json must hold."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export.errors import ExportError
from export.model_package.run_metrics import read_run_metrics

METRICS = {
    "labels": ["lights on", "no"],
    "parameters": 12,
    "validation_accuracy": 0.5,
    "validation_clips": 2,
    "validation_of_new_voices": True,
    "confusion": [[1, 0], [1, 0]],
    "recall": {"lights on": 1.0, "no": None},
    "epochs": 3,
    "training_seconds": 90,
    "training_data": "4 clips of words",
    "data": "words",
    "licence": "",
    "commands": ["python training/train.py"],
}


@pytest.fixture
def read(tmp_path):
    def write_and_read(metrics):
        path = tmp_path / "metrics.json"
        path.write_text(json.dumps(metrics))
        return read_run_metrics(path)

    return write_and_read


def test_a_missing_key_says_so_of_each_key(read):
    for key in METRICS:
        found = {name: value for name, value in METRICS.items() if name != key}
        with pytest.raises(ExportError, match=rf"metrics\.json: `{key}`: .*no such key"):
            read(found)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("labels", ["two\nlines", "no"]),
        ("labels", ["", "no"]),
        ("parameters", "12"),
        ("parameters", True),
        ("parameters", 0),
        ("validation_accuracy", float("nan")),
        ("validation_accuracy", 96.8),
        pytest.param("validation_accuracy", 10**400, id="large"),
        ("validation_of_new_voices", "yes"),
        ("speakers_known", None),
        ("confusion", [[1, 0]]),
        ("confusion", [[1, 0], [1, "0"]]),
        ("recall", {"no": 1.0}),
        ("training_seconds", float("inf")),
        ("data", None),
        ("licence", None),
        ("commands", "python training/train.py"),
        ("validation_unknown", "silence"),
        ("false_commands", {"count": 1, "hours": 1.0}),
        ("start", "medium"),
    ],
)
def test_a_value_that_cannot_be_used_names_file_and_key(key, value, read):
    with pytest.raises(ExportError, match=rf"metrics\.json: `{key}"):
        read(METRICS | {key: value})


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "\xff"])
def test_what_is_not_a_json_object_names_the_file(text, tmp_path):
    path = tmp_path / "metrics.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ExportError, match=r"metrics\.json: "):
        read_run_metrics(path)


def test_speakers_count_as_known_unless_the_run_says_otherwise(read):
    assert read(METRICS).speakers_known
    assert not read(METRICS | {"speakers_known": False}).speakers_known


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from([*METRICS, "teacher", "speakers_known", "other"]), value=values)
def test_any_value_is_read_or_refused(key, value, read):
    try:
        message = repr(read(METRICS | {key: value}))
    except ExportError as error:
        message = str(error)
    assert "RunMetrics(" in message or "metrics.json: " in message
