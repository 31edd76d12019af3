"""The model file: what is written is read, and nothing but a model is accepted."""

import io
import json
import os
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speechgru import ModelError, modelfile

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
        ({"format_version": 2}, "expected format version 1, found 2"),
        ({"flatbuffer_sha256": "0" * 64}, "expected the model that its settings describe"),
        ({"flatbuffer_sha256": None}, "expected flatbuffer_sha256"),
        ({"window_samples": "16000"}, "expected a number of window_samples"),
        ({"hop_samples": 0}, "expected a number of hop_samples"),
        ({"front_end": []}, "expected numbers in front_end"),
        ({"front_end": {"sample_rate": "fast"}}, "expected numbers in front_end"),
        ({"front_end": {}}, r"expected a number of front_end\.sample_rate"),
        ({"versions": None}, "expected an object versions"),
        ({"labels": "yes\nyes\n"}, "expected different labels"),
        ({"labels": "yes\n"}, "expected different labels"),
    ],
)
def test_wrong_settings_are_named(path, changes, message):
    rewrite(path, **changes)
    with pytest.raises(ModelError, match=message) as caught:
        modelfile.read(path)
    assert str(path) in str(caught.value)


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
        os.mkfifo(path)
    else:
        path += "\0"
    with pytest.raises(ModelError, match="expected"):
        modelfile.read(path)
