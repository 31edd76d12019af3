"""The files of a model, and the rule that only files which we wrote are replaced.

NAME.tflite has companions in its folder: NAME.card.md and, of an int8 model, NAME.step.tflite from
export/export.py; NAME.parity.json, NAME.parity.png and NAME.golden.json from export/verify.py.
"""

import dataclasses
import json
import os
import stat
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

from ai_edge_litert.interpreter import Interpreter

from export.errors import ExportError
from export.model_package.model_card import MARKER
from export.tflite.quantization import Quantization
from speechgru import modelfile
from speechgru.errors import ModelError

MAX_BYTES = 1 << 28


@dataclasses.dataclass(frozen=True)
class OutputFile:
    """A file that a script writes.

    Attributes:
        path: where.
        kind: what it holds, in words.
        recognize: tells from the content of a file at `path` whether we wrote it.
    """

    path: Path
    kind: str
    recognize: Callable[[Path], bool]

    def is_ours(self) -> bool:
        """Return whether a file of this kind is there that we wrote."""
        try:
            status = os.lstat(self.path)
            if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
                return False
            return self.recognize(self.path)
        except OSError:
            return False

    def check_replaceable(self) -> None:
        """Raise ExportError unless nothing is there, or a file that we wrote."""
        expected = f"{self.path}: expected {self.kind} or no file, found"
        _check_folder(self.path)
        for name in _names_in(self.path.parent):
            if name != self.path.name and _folded(name) == _folded(self.path.name):
                raise ExportError(
                    f"{self.path}: expected no name that differs from this one in letter case "
                    f"only, found {name}"
                )
        if self.path.is_symlink():
            raise ExportError(f"{expected} a symbolic link")
        if self.path.is_dir():
            raise ExportError(f"{expected} a folder")
        if os.path.lexists(self.path) and not self.is_ours():
            raise ExportError(f"{expected} another file, which is not replaced")


@dataclasses.dataclass(frozen=True)
class ModelFiles:
    """A model file and its companions.

    Args:
        folder: where.
        name: the model file's name without `.tflite`.
    """

    folder: Path
    name: str

    @property
    def model(self) -> OutputFile:
        """The model file."""
        return self._file(".tflite", "a model file of speechgru", _is_model)

    @property
    def card(self) -> OutputFile:
        """The model card."""
        return self._file(".card.md", "a model card", _is_card)

    @property
    def step(self) -> OutputFile:
        """The step of an int8 model."""
        return self._file(".step.tflite", "the step of an int8 model", _is_step)

    @property
    def parity_report(self) -> OutputFile:
        """The report of export/verify.py."""
        return self._file(".parity.json", "a report of export/verify.py", _has_keys("forms"))

    @property
    def parity_figure(self) -> OutputFile:
        """The figure of export/verify.py."""
        return self._file(".parity.png", "a figure of export/verify.py", _is_figure)

    @property
    def golden_vectors(self) -> OutputFile:
        """The golden vectors of export/verify.py."""
        return self._file(
            ".golden.json", "golden vectors of export/verify.py", _has_keys("vectors")
        )

    def _file(self, ending: str, kind: str, recognize: Callable[[Path], bool]) -> OutputFile:
        return OutputFile(self.folder / f"{self.name}{ending}", kind, recognize)

    def remove_stale(self, sha256: str, *, keep_step: bool) -> list[Path]:
        """Remove companions that we wrote for another model than the one that is there now.

        Args:
            sha256: of the model file.
            keep_step: whether the step belongs to it.

        Returns:
            The removed files.
        """
        removed = []
        if not keep_step:
            removed += _remove_ours(self.step)
        for file in (self.parity_report, self.golden_vectors):
            if file.is_ours() and json.loads(file.path.read_bytes())["sha256"] != sha256:
                removed += _remove_ours(file)
        if not self.parity_report.path.exists():
            removed += _remove_ours(self.parity_figure)
        return removed


def files_of_export(
    run: Path, out: Path | None, quantization: Quantization, notes: Path | None
) -> ModelFiles:
    """Return the files of an export, if they may be written.

    Args:
        run: the run's folder, or its .keras file.
        out: the model file. None: model.tflite in the run's folder.
        quantization: the form of the model. Of an int8 model the step is written, too.
        notes: the file of the card's notes, which is not to be replaced.

    Raises:
        ExportError: the name does not end in .tflite, or see `check_outputs`.
    """
    folder = run if run.is_dir() else run.parent
    out = out or folder / "model.tflite"
    if out.suffix != ".tflite":
        raise ExportError(f"{out}: expected a name that ends in .tflite")
    if out.stem.endswith(".step"):  # the name of an int8 model's companion
        raise ExportError(f"{out}: expected a name that does not end in .step.tflite")
    files = ModelFiles(out.parent, out.stem)
    written = [files.model, files.card] + ([files.step] if quantization == "int8" else [])
    check_outputs(written, [run, folder / "metrics.json", *([notes] if notes else [])])
    return files


def files_of_verification(model: Path, out: Path | None) -> ModelFiles:
    """Return the files of a verification, if they may be written.

    Args:
        model: the model file.
        out: folder of the results. None: the model's folder.

    Raises:
        ExportError: see `check_outputs`.
    """
    files = ModelFiles(out or model.parent, model.stem)
    check_outputs([files.parity_report, files.parity_figure, files.golden_vectors], [model])
    return files


def check_outputs(files: Iterable[OutputFile], inputs: Iterable[Path]) -> None:
    """Check, before any work, that files may be written.

    Args:
        files: what will be written.
        inputs: files that are read, and are not to be replaced.

    Raises:
        ExportError: a path is a folder, a link, an input, or a file that we did not write; or its
            folder cannot be written to.
    """
    for file in files:
        for path in inputs:
            if path.exists() and file.path.exists() and path.samefile(file.path):
                raise ExportError(f"{file.path}: expected another file than the input {path}")
        file.check_replaceable()


def _remove_ours(file: OutputFile) -> list[Path]:
    """Remove a file if we wrote it; return its path in a list, which is empty otherwise."""
    if not file.is_ours():
        return []
    file.path.unlink()
    return [file.path]


def _check_folder(path: Path) -> None:
    folder = path.absolute().parent
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise ExportError(f"{path}: expected a path in a folder, found the file {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ExportError(f"{path}: expected a folder that can be written to, found {folder}")


def _names_in(folder: Path) -> list[str]:
    return os.listdir(folder) if folder.is_dir() else []


def _folded(name: str) -> str:
    """A name as file systems compare it that ignore letter case (macOS, Windows)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _is_model(path: Path) -> bool:
    try:
        modelfile.read(path)
    except ModelError:
        return False
    return True


def _is_card(path: Path) -> bool:
    return path.read_bytes().startswith(MARKER.encode())


def _is_step(path: Path) -> bool:
    try:
        signatures = Interpreter(model_content=path.read_bytes()).get_signature_list()
    except (RuntimeError, ValueError):
        return False
    return set(signatures) == {"step"} and "frames" in signatures["step"]["inputs"]


def _has_keys(key: str) -> Callable[[Path], bool]:
    def is_ours(path: Path) -> bool:
        try:
            found = json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            return False
        return isinstance(found, dict) and {"model", "sha256", key} <= found.keys()

    return is_ours


def _is_figure(path: Path) -> bool:
    content = path.read_bytes()  # training/figures/style.py names the software
    return content.startswith(b"\x89PNG") and b"Software\0speechgru" in content[:1024]
