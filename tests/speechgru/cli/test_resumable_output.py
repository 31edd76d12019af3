"""Files of results that interrupted runs go on with."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechgru import SpeechGRUError
from speechgru.cli import output
from speechgru.cli.resumable_output import open_resumable
from tests.speechgru.cli.commands import linux

HEADER = "file,label,confidence"
NAMES = ["a.wav", "b, c.wav", 'd"\n.wav', "\udcff.wav", "e\u202e.wav"]


def line(name, header):
    if header is None:
        return output.json_line({"file": name, "label": "yes", "confidence": 0.5})
    return output.csv_line([name, "yes", 0.5])


def write(path, names, header):
    with open_resumable(path, header) as results:
        for name in results.missing(names):
            results.write(line(name, header))


@pytest.mark.parametrize("header", [None, HEADER])
def test_a_file_cut_anywhere_becomes_that_of_a_run_without_interruption(header, tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    write(whole, NAMES, header)
    content = whole.read_bytes()
    assert content.count(b"\n") == len(NAMES) + (header is not None)
    for length in range(len(content) + 1):
        for zeros in (b"", bytes(3)):  # what a power cut leaves
            cut.write_bytes(content[:length] + zeros)
            write(cut, NAMES, header)
            assert cut.read_bytes() == content


@pytest.mark.parametrize("header", [None, HEADER])
@given(
    content=st.binary(max_size=60)
    | st.text(max_size=60).map(lambda text: text.encode(errors="replace") + b"\n")
)
def test_other_files_are_an_error_and_stay_as_they_were(header, content, tmp_path_factory):
    path = tmp_path_factory.mktemp("other") / "notes"
    tail = content.rstrip(b"\0")
    start = b'{"file": "' if header is None else header.encode()
    path.write_bytes(content)
    if tail[: len(start)] == start[: len(tail)]:  # a cut line of ours
        return
    with pytest.raises(SpeechGRUError, match="notes: expected results as"):
        write(path, NAMES, header)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "content",
    ["[]", "3", '{"file": 3}', '{"label": "yes"}', "[" * 5000, "file,label,confidence\n", "\n"],
)
def test_other_lines_than_those_of_json_results_are_an_error(content, tmp_path):
    path = tmp_path / "results.json"
    path.write_text(f"{line('a.wav', None)}\n{content}\n")
    with pytest.raises(SpeechGRUError, match=r"results\.json: expected results as JSON, found"):
        write(path, NAMES, None)


@pytest.mark.parametrize("content", ["a.wav,yes", "a.wav,yes,0.5,1", '"a', "\n"])
def test_other_lines_than_those_of_csv_results_are_an_error(content, tmp_path):
    path = tmp_path / "results.csv"
    path.write_text(f"{HEADER}\n{content}\n")
    with pytest.raises(SpeechGRUError, match=r"results\.csv: expected results as CSV, found"):
        write(path, NAMES, HEADER)


def test_csv_and_json_are_not_mixed(tmp_path):
    write(tmp_path / "results", ["a.wav"], HEADER)
    with pytest.raises(SpeechGRUError, match="expected results as JSON, found the line: file,la"):
        write(tmp_path / "results", ["b.wav"], None)


@pytest.mark.parametrize("kind", ["folder", "device", "missing folder"])
def test_a_path_that_cannot_be_written_is_named(kind, tmp_path):
    path = {"folder": tmp_path, "device": Path(os.devnull)}.get(kind, tmp_path / "none" / "out")
    with pytest.raises(OSError, match=r"expected a file or nothing|No such file") as caught:
        write(path, NAMES, None)
    assert caught.value.filename == str(path)


@pytest.mark.parametrize("header", [None, HEADER])
def test_a_name_that_is_given_twice_has_two_results(header, tmp_path):
    path = tmp_path / "results"
    names = ["a.wav", "b.wav", "a.wav", "c\n.wav", "c\\n.wav"]  # CSV shows the last two alike
    write(path, names, header)
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    assert len(lines) == 5 + (header is not None)
    for count in range(len(lines) + 1):
        path.write_bytes(b"".join(lines[:count]))
        write(path, names, header)
        assert path.read_bytes() == content


@linux
def test_two_runs_do_not_write_the_same_file(tmp_path):
    path = tmp_path / "results"
    with open_resumable(path, None) as results:
        results.write(line("a.wav", None))
        with pytest.raises(SpeechGRUError, match="expected a file that no other process writes"):
            write(path, ["b.wav"], None)
    write(path, ["a.wav", "b.wav"], None)
    assert path.read_text() == f"{line('a.wav', None)}\n{line('b.wav', None)}\n"
