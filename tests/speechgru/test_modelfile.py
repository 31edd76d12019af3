"""The model file: what is written is read, and nothing but a model is accepted."""

import copy
import io
import json
import os
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speechgru import ModelError, modelfile
from speechgru.detection import default_settings
from speechgru.stated_accuracy import describe_accuracy

LABELS = ("yes", "unknown")
SETTINGS = {"front_end": {"sample_rate": 16000}, "window_samples": 16000, "hop_samples": 320}
FLATBUFFER = b"\x1c\0\0\0TFL3" + bytes(range(200))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.tflite"
    modelfile.write(path, FLATBUFFER, LABELS, SETTINGS)
    return path


def rewrite(path, labels=None, **changes):
    """Write the file again with other settings or labels, as another program might."""
    model = modelfile.read(path)
    metadata = {**model.settings, **changes}
    buffer = io.BytesIO(model.flatbuffer)
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("labels.txt", labels or "yes\nunknown\n")
        archive.writestr("speechgru.json", json.dumps(metadata))
    path.write_bytes(buffer.getvalue())


def test_a_written_model_is_read_back(path):
    model = modelfile.read(path)
    assert (model.flatbuffer, model.labels, model.name) == (FLATBUFFER, LABELS, str(path))
    assert (model.window_samples, model.sample_rate) == (16000, 16000)
    assert not list(path.parent.glob(".*"))


def test_the_same_content_gives_the_same_bytes(path, tmp_path):
    modelfile.write(tmp_path / "again.tflite", FLATBUFFER, LABELS, SETTINGS)
    assert (tmp_path / "again.tflite").read_bytes() == path.read_bytes()


def test_any_unzip_program_reads_labels_and_settings(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["labels.txt", "speechgru.json"]
        assert archive.read("labels.txt") == b"yes\nunknown\n"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 3}, "expected format version 1 to 2, found 3"),
        ({"format_version": 0}, "expected format version 1 to 2, found 0"),
        ({"flatbuffer_sha256": "0" * 64}, "expected the model that its settings describe"),
        ({"flatbuffer_sha256": None}, "expected flatbuffer_sha256"),
        ({"window_samples": "16000"}, "expected a number of window_samples"),
        ({"hop_samples": 0}, "expected a number of hop_samples"),
        ({"front_end": []}, "expected numbers in front_end"),
        ({"front_end": {"sample_rate": "fast"}}, "expected numbers in front_end"),
        ({"front_end": {}}, r"expected a number of front_end\.sample_rate"),
        ({"versions": None}, "expected an object versions"),
        ({"hop_samples": 320.0}, "expected a number of hop_samples"),
        ({"window_samples": True}, "expected a number of window_samples"),
        ({"window_samples": 10_000_001}, "an integer from 1 to 10,000,000, found 10000001"),
        ({"front_end": {"sample_rate": 16000, "n_fft": 0.5}}, r"number of front_end\.n_fft"),
        ({"front_end": {"sample_rate": 16000, "fmin": True}}, "expected numbers in front_end"),
        ({"threshold": 1.5}, "expected threshold from 0 to 1, found 1.5"),
        ({"validation_accuracy": "96 %"}, "expected validation_accuracy from 0 to 1, found '96 %'"),
        ({"parameters": -1}, "expected parameters to be a number, found -1"),
        ({"licence": ["CC"]}, "expected licence to be text"),
        ({"validation_unknown": 1}, "expected validation_unknown to be text"),
        ({"false_commands": [1]}, "expected count, windows and hours in false_commands"),
        ({"false_commands": {"count": 1, "windows": 0, "hours": 1}}, "in false_commands, found"),
        ({"false_commands": {"count": 1, "windows": 2, "hours": "1"}}, "in false_commands, found"),
        ({"versions": {"python": 3}}, "expected an object versions"),
        ({"state": [1, 112]}, "expected shapes of tensors in state"),
        ({"state": {"h_1": [1, -112]}}, "expected shapes of tensors in state"),
        ({"state": {"h_1": [9_000_000, 9_000_000]}}, "expected shapes of tensors in state"),
        ({"state": {"h_1": [1] * 9}}, "expected shapes of tensors in state"),
        ({"labels": "yes\n \n"}, "expected different labels"),
        ({"labels": "yes\nno\x1b[31m\n"}, r"without control characters, .*, found 'no\\x1b\[31m'"),
        ({"labels": "yes\rno\nunknown\n"}, "without control characters"),
        ({"labels": "yes\nyes\n"}, "expected different labels"),
        ({"labels": "yes\n"}, "expected different labels"),
    ],
)
def test_wrong_settings_are_named(path, changes, message):
    rewrite(path, **changes)
    with pytest.raises(ModelError, match=message) as caught:
        modelfile.read(path)
    assert str(path) in str(caught.value)


def change(detection, name, value):
    """Change a constant of a detection, such as "recording.pause_hops"."""
    detection = copy.deepcopy(detection)
    *places, key = name.split(".")
    inner = detection
    for place in places:
        inner = inner[place]
    inner[key] = value
    return detection


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("thresholds", {}, r"detection in speechgru\.json: expected thresholds of \('yes',\)"),
        ("thresholds", {"yes": 0.5, "unknown": 0.5}, "detection .*: expected thresholds of"),
        ("thresholds", {"yes": 0.5, "no": 0.5}, "detection .*: expected thresholds of"),
        ("thresholds", {"yes": 0}, "expected the threshold of 'yes' to be a number above 0"),
        ("thresholds", None, "expected thresholds of"),
        ("thresholds", {"y" * 5000: 0.5}, "expected thresholds of"),
        ("smoothing_hops", 0, "expected smoothing_hops to be an integer from 1 to 10,000, found 0"),
        ("smoothing_hops", 2.5, "expected smoothing_hops to be an integer from 1"),
        ("wait_hops", 10_001, "expected wait_hops to be an integer from 0 to 10,000"),
        ("context_hops", "x" * 5000, "expected context_hops to be an integer from 1"),
        ("context_weight", -1, "expected context_weight to be a number from 0"),
        ("refractory_hops", None, "expected refractory_hops to be an integer"),
        ("word_end_hops", True, "expected word_end_hops to be an integer"),
        ("max_context", 1.5, "expected max_context to be a number above 0 and up to 1, found 1.5"),
        ("recording", [], "expected an object detection"),
        ("recording.pause_hops", -1, r"detection\.recording in .*: expected pause_hops"),
        (
            "recording.thresholds",
            {"no": 0.5},
            r"detection\.recording in .*: expected thresholds of",
        ),
        ("recording.patience", 1, r"detection\.recording in .*, found 'patience'"),
        ("recall", -0.1, r"expected detection\.recall from 0, found -0.1"),
        ("false_accepts_per_hour", "few", r"expected detection\.false_accepts_per_hour from 0"),
        ("measured_on", 3, r"expected detection\.measured_on to be text, found 3"),
    ],
)
def test_a_wrong_constant_of_the_detection_rule_is_named(path, name, value, message):
    rewrite(path, detection=change(default_settings(LABELS), name, value))
    with pytest.raises(ModelError, match=message) as caught:
        modelfile.read(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("name", list(default_settings(LABELS)))
def test_a_file_of_version_2_states_every_constant_but_those_for_recordings(path, name):
    detection = default_settings(LABELS)
    del detection[name]
    rewrite(path, detection=detection)
    if name == "recording":
        assert modelfile.read(path).recording_rule().pause_hops == 8
        return
    with pytest.raises(ModelError, match=f"detection .*: expected .*{name}"):
        modelfile.read(path)


@pytest.mark.parametrize("detection", [None, [], 1, "thresholds"])
def test_a_file_of_version_2_has_a_detection(path, detection):
    rewrite(path, detection=detection)
    with pytest.raises(ModelError, match="expected an object detection, found"):
        modelfile.read(path)


def test_a_file_of_version_1_is_read_with_default_constants(path):
    with zipfile.ZipFile(path) as archive:
        stated = json.loads(archive.read("speechgru.json"))
    del stated["detection"]
    content = path.read_bytes()
    for threshold in (None, 0.7):
        settings_ = {**stated, "format_version": 1, "threshold": threshold}
        path.write_bytes(content)
        with_settings(path, settings_)
        rule = modelfile.read(path).detection_rule()
        assert rule.thresholds == {"yes": threshold or 0.5}
        assert rule.hop_seconds == 0.02
        recording = modelfile.read(path).recording_rule()
        assert recording.thresholds == {"yes": pytest.approx(0.8 * (threshold or 0.5))}
        assert recording.hop_seconds == 0.02


@pytest.mark.parametrize("threshold", [1.0, 1e-7, 5e-324, 0.0])
def test_any_threshold_of_a_file_of_version_1_gives_rules_or_a_model_error(path, threshold):
    with zipfile.ZipFile(path) as archive:
        stated = json.loads(archive.read("speechgru.json"))
    with_settings(path, {**stated, "format_version": 1, "threshold": threshold, "detection": None})
    try:
        model = modelfile.read(path)
    except ModelError:
        return  # another error would be raised
    for rule in (model.detection_rule(), model.recording_rule()):
        assert 0 < rule.thresholds["yes"] <= 1


def with_settings(path, settings_):
    """Replace the settings of a model file."""
    model = modelfile.read(path)
    buffer = io.BytesIO(model.flatbuffer)
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("labels.txt", "".join(f"{label}\n" for label in model.labels))
        archive.writestr("speechgru.json", json.dumps(settings_))
    path.write_bytes(buffer.getvalue())


def test_constants_are_replaced_and_all_else_stays(path):
    before = modelfile.read(path)
    modelfile.write_detection(path, {"thresholds": {"yes": 0.9}, "measured_on": "a test"})
    after = modelfile.read(path)
    assert after.detection_rule().thresholds == {"yes": 0.9}
    expected = {
        **before.settings["detection"],
        "thresholds": {"yes": 0.9},
        "measured_on": "a test",
    }
    assert after.settings == {**before.settings, "detection": expected}
    assert (after.flatbuffer, after.labels) == (before.flatbuffer, before.labels)


def test_a_file_of_version_1_gets_constants(tmp_path):
    path = tmp_path / "small.tflite"
    path.write_bytes(modelfile.BUNDLED["small"].read_bytes())
    before = modelfile.read(path)
    modelfile.write_detection(path, {"wait_hops": 7})
    after = modelfile.read(path)
    assert after.settings["format_version"] == 2
    assert after.detection_rule().wait_hops == 7
    assert after.flatbuffer == before.flatbuffer


@pytest.mark.parametrize(
    "detection", [{"wait_hops": -1}, {"thresholds": {"no": 0.5}}, {"recall": "all"}]
)
def test_wrong_constants_are_not_written(path, detection):
    before = path.read_bytes()
    with pytest.raises(ModelError, match=r"model\.tflite"):
        modelfile.write_detection(path, detection)
    model = modelfile.read(path)
    changed = {**model.settings, "detection": {**model.settings["detection"], **detection}}
    with pytest.raises(ModelError, match=r"model\.tflite"):
        modelfile.write(path, model.flatbuffer, model.labels, changed)
    assert path.read_bytes() == before


def with_json(path, text):
    """Replace the settings' JSON text, whatever it is."""
    content = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(content, "w") as new:
        new.writestr("labels.txt", old.read("labels.txt"))
        new.writestr("speechgru.json", text)
    path.write_bytes(content.getvalue())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"window_samples": 1' + "0" * 400 + "}", "the number 1000"),
        ('{"window_samples": -1' + "0" * 5000 + "}", "the number -1000"),
        ('{"threshold": 1e400}', "the number 1e400"),
        ('{"threshold": NaN}', "the number NaN"),
        ('{"front_end": {"fmax": -Infinity}}', "the number -Infinity"),
        ('{"state": {"h_1": [1, 1], "h_1": [1, 2]}}', "a name twice"),
        ("[" * 100_000 + "]" * 100_000, "expected a speechgru model"),
        ("{", "expected a speechgru model"),
        ("[]", r"expected an object in speechgru\.json, found \[\]"),
        ('"' + "x" * 500_000 + '"', "expected an object"),
    ],
    ids=lambda value: value[:30],
)
def test_json_that_is_not_one_of_settings_is_refused(text, message, path):
    with_json(path, text)
    with pytest.raises(ModelError, match=message) as caught:
        modelfile.read(path)
    assert len(str(caught.value)) < 1000


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.sampled_from([10**400, -(2**63), 0, 1, 16000])
    | st.floats()
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


KEYS = (
    "detection",
    *("format_version", "front_end", "window_samples", "hop_samples", "state", "threshold"),
    *("quantization", "parameters", "training_data", "validation_accuracy", "licence"),
    *("validation_unknown", "false_commands"),
    *("validation_clips", "versions", "flatbuffer_sha256", "another"),
)


@settings(max_examples=300, deadline=None)
@given(
    values=st.dictionaries(st.sampled_from(KEYS), VALUES),
    front_end=st.dictionaries(
        st.sampled_from(["sample_rate", "hop_length", "fmin", "other"]), VALUES
    ),
)
def test_settings_with_any_values_are_read_or_refused(values, front_end, valid_settings):
    path, complete = valid_settings
    changed = {**complete, "front_end": {**complete["front_end"], **front_end}, **values}
    with_json(path, json.dumps(changed))
    try:
        model = modelfile.read(path)
    except ModelError:
        return
    # What is read can be printed, as `speechgru info` does.
    assert model.window_samples >= 1
    assert all(f"{value:g}" for value in model.settings["front_end"].values())
    assert describe_accuracy(model.settings) != ""
    assert set(model.detection_rule().thresholds) == {"yes"}


@pytest.fixture(scope="module")
def valid_settings(tmp_path_factory):
    """A model file without a flatbuffer, and its settings."""
    path = tmp_path_factory.mktemp("values") / "model.tflite"
    modelfile.write(path, b"", LABELS, SETTINGS)
    return path, modelfile.read(path).settings


@pytest.mark.parametrize("labels", [("yes",), ("a", "a"), ("a", "b\nc"), ("a", "\x07"), ("a", "")])
def test_labels_that_could_not_be_read_back_are_not_written(labels, tmp_path):
    with pytest.raises(ModelError, match=r"model\.tflite: expected .*labels"):
        modelfile.write(tmp_path / "model.tflite", FLATBUFFER, labels, SETTINGS)
    assert not list(tmp_path.iterdir())


def test_labels_in_any_script_and_of_several_words_are_read_back(tmp_path):
    labels = ("lights on", "für", "はい", "नमस्\u200dते", "unknown")
    modelfile.write(tmp_path / "model.tflite", FLATBUFFER, labels, SETTINGS)
    assert modelfile.read(tmp_path / "model.tflite").labels == labels


def test_a_model_that_cannot_be_written_leaves_the_old_one(path, monkeypatch):
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        modelfile.write(path, FLATBUFFER, ("no", "unknown"), SETTINGS)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("label", ["\ud800", "n\u2028o", "n\u2029o", "n\no"])
def test_labels_that_are_no_line_of_text_are_not_written(label, tmp_path):
    path = tmp_path / "m.tflite"
    with pytest.raises(ModelError, match="expected labels without control characters"):
        modelfile.write(path, FLATBUFFER, ("yes", label), SETTINGS)
    assert not path.exists()


def test_a_number_that_json_cannot_hold_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        modelfile.write(
            tmp_path / "m.tflite", FLATBUFFER, LABELS, {**SETTINGS, "threshold": float("nan")}
        )


def test_a_name_with_control_characters_is_escaped_in_messages(tmp_path):
    path = tmp_path / "m\x1b.tflite"
    path.write_text("no model")
    with pytest.raises(ModelError, match=r"m\\x1b\.tflite: expected"):
        modelfile.read(path)


@pytest.mark.parametrize("content", [b"", b"no model", FLATBUFFER, b"PK\5\6" + bytes(18)])
def test_other_files_are_refused(content, tmp_path):
    path = tmp_path / "other.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"other\.tflite: expected a speechgru model"):
        modelfile.read(path)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_damage_passes_or_escapes(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("damage") / "model.tflite"
    modelfile.write(path, FLATBUFFER, LABELS, SETTINGS)
    content = bytearray(path.read_bytes())
    kind = data.draw(st.sampled_from(["flip", "cut", "insert"]))
    place = data.draw(st.integers(0, len(content) - 1))
    if kind == "flip":
        content[place] ^= data.draw(st.integers(1, 255))
    elif kind == "cut":
        del content[place:]
    else:
        content[place:place] = data.draw(st.binary(min_size=1, max_size=50))
    path.write_bytes(content)
    try:
        model = modelfile.read(path)
    except ModelError:
        return
    # What the checks let through is the very same model.
    assert (model.flatbuffer, model.labels) == (FLATBUFFER, LABELS)
    assert model.settings.items() >= SETTINGS.items()


def test_a_missing_model_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a model file"):
        modelfile.read(tmp_path / "none.tflite")


@pytest.mark.parametrize("kind", ["folder", "pipe", "nul"])
def test_what_is_no_file_is_refused(kind, tmp_path):
    path = str(tmp_path / "thing")
    if kind == "folder":
        os.mkdir(path)
    elif kind == "pipe":
        pytest.importorskip("fcntl", reason="Windows has no named pipes")
        os.mkfifo(path)
    else:
        path += "\0"
    with pytest.raises(ModelError, match="expected"):
        modelfile.read(path)
