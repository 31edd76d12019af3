"""Only files that we wrote are replaced; companions of an earlier model do not stay."""

import hashlib
import json
import os
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export.errors import ExportError
from export.model_package.model_card import MARKER
from export.model_package.output_files import ModelFiles, check_outputs
from speechgru import modelfile

KINDS = ("model", "card", "step", "parity_report", "parity_figure", "golden_vectors")
PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x12tEXtSoftware\0speechgru"


@pytest.fixture
def files(tmp_path):
    return ModelFiles(tmp_path, "m")


@pytest.fixture
def write_ours(files):
    """Write a companion that counts as ours."""

    def write(kind, sha256="0" * 64):
        path = getattr(files, kind).path
        if kind == "model":
            shutil.copy(modelfile.locate("small"), path)
        elif kind == "card":
            path.write_text(f"{MARKER}\n# m.tflite\n")
        elif kind == "parity_figure":
            path.write_bytes(PNG)
        else:
            key = {"parity_report": "forms", "golden_vectors": "vectors"}[kind]
            path.write_text(json.dumps({"model": "m.tflite", "sha256": sha256, key: {}}))
        return path

    return write


def refuse(files, inputs=()):
    with pytest.raises(ExportError) as error:
        check_outputs(files, inputs)
    return str(error.value)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_there_to_be_replaced(kind, files):
    check_outputs([getattr(files, kind)], [])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "step"])
def test_files_that_we_wrote_are_replaced(kind, files, write_ours):
    write_ours(kind)
    check_outputs([getattr(files, kind)], [])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", [b"", b"Mine.", b"{}", b"[1]", PNG[:20], b"\x1c\0\0\0TFL3"])
def test_other_files_are_not_replaced(kind, content, files):
    file = getattr(files, kind)
    file.path.write_bytes(content)
    assert str(file.path) in refuse([file])
    assert file.path.read_bytes() == content


@pytest.mark.parametrize("kind", KINDS)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=200))
def test_no_content_by_chance_is_ours(kind, content, files):
    file = getattr(files, kind)
    file.path.write_bytes(content)
    assert not file.is_ours()


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_is_not_replaced(kind, files):
    file = getattr(files, kind)
    file.path.mkdir()
    assert "found a folder" in refuse([file])


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_is_not_replaced(exists, files, tmp_path):
    target = tmp_path / "target"
    if exists:
        target.write_text("Mine.")
    files.card.path.symlink_to(target)
    assert "found a symbolic link" in refuse([files.card])


@pytest.mark.parametrize(("there", "name"), [("M", "m"), ("m", "M"), ("é", "É"), ("é", "e\u0301")])
def test_a_name_that_differs_in_case_or_form_only_is_refused(there, name, tmp_path):
    (tmp_path / f"{there}.tflite").write_bytes(b"")
    message = refuse([ModelFiles(tmp_path, name).model])
    assert f"found {there}.tflite" in message


def test_an_input_is_not_replaced(files, write_ours):
    path = write_ours("card")
    assert "expected another file than the input" in refuse([files.card], [path])


def test_a_missing_folder_will_be_made(tmp_path):
    check_outputs([ModelFiles(tmp_path / "new" / "folder", "m").model], [])
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    message = refuse([ModelFiles(tmp_path / "file" / "folder", "m").model])
    assert f"found the file {tmp_path / 'file'}" in message


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    try:
        assert "expected a folder that can be written to" in refuse(
            [ModelFiles(tmp_path, "m").model]
        )
    finally:
        tmp_path.chmod(0o700)


def test_results_of_another_model_are_removed(files, write_ours):
    sha256 = hashlib.sha256(b"new").hexdigest()
    results = ("parity_report", "parity_figure", "golden_vectors")
    stale = {write_ours(kind) for kind in results}
    assert set(files.remove_stale(sha256, keep_step=False)) == stale
    assert not any(path.exists() for path in stale)


def test_results_of_the_same_model_stay(files, write_ours):
    sha256 = hashlib.sha256(b"same").hexdigest()
    for kind in ("parity_report", "parity_figure", "golden_vectors"):
        write_ours(kind, sha256)
    assert files.remove_stale(sha256, keep_step=False) == []


def test_stale_names_with_other_content_stay(files):
    for kind in ("step", "parity_report", "parity_figure", "golden_vectors"):
        getattr(files, kind).path.write_text("Mine.")
    assert files.remove_stale("0" * 64, keep_step=False) == []
