"""Sound that libsndfile cannot read: what phones and browsers record, decoded by ffmpeg.

ffmpeg is a program of the system, not a dependency: it is used if it is on PATH. It gets an open
file and never the name, and does not guess the format: the demuxer is named, by the first bytes.
So no playlist and no list of files can make it read anything else.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from speechgru.audio import adts
from speechgru.errors import escape, shorten
from speechgru.fork_lock import not_forking

HEAD_BYTES = 1 << 16
"""Number of first bytes that `identify` looks at."""

_DEV_FD = os.path.isdir("/dev/fd")  # Windows has none
_MAX_WAIT = 60.0  # seconds for one block, which takes milliseconds
_MAX_HOURS = 24  # of sound
_MAX_ERROR_RATE = 0.1  # share of packets that may be damaged
_MAX_MESSAGE = 4096  # bytes of ffmpeg's messages that are held
_MAX_CHANNELS = 1024  # as libsndfile
_AU_HEADER = struct.Struct(">4s5I")  # magic, start, size, encoding, rate, channels
_AU_FLOAT32 = 6
_MAX_AU_START = 1 << 16


@dataclasses.dataclass(frozen=True)
class Format:
    """A format that ffmpeg decodes.

    Attributes:
        name: what messages call it.
        demuxer: ffmpeg's name of what reads it.
        options: of the demuxer.
    """

    name: str
    demuxer: str
    options: tuple[str, ...] = ()


class FFmpegError(Exception):
    """ffmpeg is missing or cannot decode the sound: one line, what was expected and found."""


# No drefs: references to tracks in other files.
_MP4 = Format("an MP4 file (m4a, mp4, 3gp, mov)", "mov", ("-enable_drefs", "0"))
_ADTS = Format("an AAC file", "aac")
_CAF = Format("a compressed CAF file", "caf")
_BY_FIRST_BYTES = {
    b"\x1a\x45\xdf\xa3": Format("a WebM or Matroska file", "matroska"),
    bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"): Format("a WMA (ASF) file", "asf"),
    b"#!AMR\n": Format("an AMR file", "amr"),
    b"#!AMR-WB\n": Format("an AMR-WB file", "amr"),
}
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")  # QuickTime may lack the first
_CAF_OF_LIBSNDFILE = (b"lpcm", b"alac", b"alaw", b"ulaw")


def identify(head: bytes) -> Format | None:
    """Recognise a format by a file's first bytes.

    Args:
        head: the first `HEAD_BYTES` bytes of a file, or all if it has fewer.

    Returns:
        The format, or None if it is not one that only ffmpeg decodes.
    """
    for first_bytes, found in _BY_FIRST_BYTES.items():
        if head.startswith(first_bytes):
            return found
    if head[4:8] in _MP4_BOXES:
        return _MP4
    # The chunk "desc" comes first. It holds the rate, 8 bytes, and then the codec.
    if head[:4] == b"caff" and head[8:12] == b"desc" and head[28:32] not in _CAF_OF_LIBSNDFILE:
        return _CAF
    return _ADTS if adts.begins_like_adts(head) else None


@contextlib.contextmanager
def decode(
    content: int | bytes, form: Format, block_bytes: int
) -> Iterator[tuple[int, int, Iterator[npt.NDArray[np.float32]]]]:
    """Decode the first audio stream of a file.

    Args:
        content: an open file's descriptor, or the bytes of a file.
        form: what `identify` returned for it.
        block_bytes: size of a block of samples in bytes.

    Yields:
        The sampling rate in Hz, the number of channels, and an iterator over blocks of samples,
        float32 (frames, channels). ffmpeg has ended when the `with` block ends.

    Raises:
        FFmpegError: there is no ffmpeg, or it cannot decode the file, or it does not answer.
    """
    program = _find()
    if program is None:
        raise FFmpegError(
            f"expected sound that libsndfile can decode, found {form.name}, which needs ffmpeg. "
            "Install ffmpeg and put it on PATH"
        )
    with _input(content) as (stdin, url):
        process = _Process(_command(program, form, url), stdin)
        try:
            rate, channels = _read_header(process)
            yield rate, channels, _read_blocks(process, rate, channels, block_bytes)
        finally:
            process.close()


def _find() -> str | None:
    path = shutil.which("ffmpeg")
    # Windows looks into the current folder first, which may hold anything.
    return path if path and os.path.isabs(path) else None


def _command(program: str, form: Format, url: str) -> list[str]:
    quiet = ["-nostdin", "-hide_banner", "-loglevel", "repeat+error"]
    limits = ["-protocol_whitelist", "file", "-max_error_rate", str(_MAX_ERROR_RATE)]
    first_audio_stream = ["-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1"]
    to_pipe = ["-c:a", "pcm_f32be", "-f", "au", "pipe:1"]  # AU: it states rate and channels
    source = ["-f", form.demuxer, *form.options, "-i", url]
    return [program, *quiet, *limits, *source, *first_audio_stream, *to_pipe]


@contextlib.contextmanager
def _input(content: int | bytes) -> Iterator[tuple[int, str]]:
    """The descriptor for ffmpeg's standard input, and the URL of the file.

    ffmpeg cannot seek in a pipe, and the index of an MP4 file is often at its end. So bytes are
    written to a temporary file.
    """
    with contextlib.ExitStack() as stack:
        try:
            stdin, url = _prepare(content, stack)
        except OSError as error:  # such as a full disk
            reason = error.strerror or error
            raise FFmpegError(
                f"expected room for a temporary file that ffmpeg reads, found: {reason}"
            ) from error
        yield stdin, url


def _prepare(content: int | bytes, stack: contextlib.ExitStack) -> tuple[int, str]:
    if not _DEV_FD:
        descriptor, path = tempfile.mkstemp(prefix="speechgru-")
        stack.callback(os.unlink, path)
        with open(descriptor, "wb"):
            _copy(content, descriptor)
        return subprocess.DEVNULL, f"file:{path}"
    if isinstance(content, bytes):
        file = stack.enter_context(tempfile.TemporaryFile(buffering=0))  # noqa: SIM115
        _copy(content, file.fileno())
        content = file.fileno()
    os.lseek(content, 0, os.SEEK_SET)
    return content, "file:/dev/fd/0"


def _copy(content: int | bytes, descriptor: int) -> None:
    if isinstance(content, int):
        os.lseek(content, 0, os.SEEK_SET)
        while data := os.read(content, 1 << 20):
            _copy(data, descriptor)
        return
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _read_header(process: _Process) -> tuple[int, int]:
    """Sampling rate and number of channels in an AU header, and the bytes up to the samples."""
    header = process.read(_AU_HEADER.size)
    if len(header) < _AU_HEADER.size:
        process.finish()
        raise FFmpegError("expected sound from ffmpeg, found none")
    magic, start, _, encoding, rate, channels = _AU_HEADER.unpack(header)
    is_au = magic == b".snd" and _AU_HEADER.size <= start <= _MAX_AU_START
    if not is_au or encoding != _AU_FLOAT32 or not 1 <= channels <= _MAX_CHANNELS:
        raise FFmpegError(f"expected an AU header from ffmpeg, found {header[:8]!r}")
    process.read(start - _AU_HEADER.size)
    return rate, channels


def _read_blocks(
    process: _Process, rate: int, channels: int, block_bytes: int
) -> Iterator[npt.NDArray[np.float32]]:
    frame_bytes = 4 * channels
    size = max(1, block_bytes // frame_bytes) * frame_bytes
    left = _MAX_HOURS * 3600 * rate * frame_bytes
    while left >= 0:
        data = process.read(size)
        whole = len(data) - len(data) % frame_bytes
        if whole:
            samples = np.frombuffer(data, ">f4", whole // 4)
            yield samples.astype(np.float32).reshape(-1, channels)
        if len(data) < size:
            process.finish()
            return
        left -= len(data)
    raise FFmpegError(f"expected at most {_MAX_HOURS} hours of sound, found more")


class _Process:
    """A running ffmpeg, which is killed if it takes too long to write a block."""

    def __init__(self, command: list[str], stdin: int) -> None:
        # FFREPORT would make ffmpeg write a file.
        environment = {name: value for name, value in os.environ.items() if name != "FFREPORT"}
        try:
            with not_forking:  # a fork would hold the pipes open
                self._process = subprocess.Popen(
                    command,
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env={**environment, "AV_LOG_FORCE_NOCOLOR": "1"},
                    start_new_session=True,  # a wrapper's children are killed with it
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                )
        except OSError as error:
            raise FFmpegError(f"expected an ffmpeg that runs, found: {error.strerror}") from error
        assert self._process.stdout is not None
        self._output = self._process.stdout
        self._messages = b""
        self._too_slow = False
        # Nobody else reads the messages, and ffmpeg waits when the pipe is full.
        self._reader = threading.Thread(target=self._read_messages, daemon=True)
        try:
            _start(self._reader)
        except FFmpegError:
            self._end()
            assert self._process.stderr is not None
            self._process.stderr.close()
            raise

    def read(self, size: int) -> bytes:
        """Read so many bytes, or fewer at the end of the output."""
        with self._time_limit():
            return self._output.read(size)

    def finish(self) -> None:
        """Wait for the end.

        Raises:
            FFmpegError: ffmpeg failed or was killed.
        """
        with self._time_limit():
            status = self._process.wait()
        self._reader.join(1)  # without a limit, it waits for a child of ffmpeg that still runs
        if self._too_slow:
            raise FFmpegError(
                f"expected ffmpeg to decode the sound, found no answer in {_MAX_WAIT:g} s"
            )
        if status:
            raise FFmpegError(
                f"expected sound that ffmpeg can decode, found: {_reason(self._messages, status)}"
            )

    def close(self) -> None:
        """Kill ffmpeg if it still runs, and release everything."""
        self._end()
        self._reader.join(1)

    def _end(self) -> None:
        if self._process.returncode is None:
            self._kill()
        self._output.close()
        self._process.wait()

    @contextlib.contextmanager
    def _time_limit(self) -> Iterator[None]:
        timer = threading.Timer(_MAX_WAIT, self._expire)
        timer.daemon = True
        _start(timer)
        try:
            yield
        finally:
            timer.cancel()

    def _expire(self) -> None:
        self._too_slow = True
        self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(OSError):  # it has ended
            if os.name == "posix":
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def _read_messages(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            while data := stream.read1(_MAX_MESSAGE):  # type: ignore[attr-defined]
                self._messages = (self._messages + data)[-_MAX_MESSAGE:]


def _start(thread: threading.Thread) -> None:
    try:
        thread.start()
    except RuntimeError as error:  # no memory for its stack, or too many threads
        raise FFmpegError(f"expected a thread that watches ffmpeg, found: {error}") from error


def _reason(messages: bytes, status: int) -> str:
    """What ffmpeg says about a file, in one line."""
    text = messages.decode("utf-8", "replace")
    if "matches no streams" in text:
        return "no audio in the file"
    lines = [re.sub(r"^(\[[^\]]*\] |file:\S+: )+", "", line.strip()) for line in text.splitlines()]
    last = dict.fromkeys([line for line in lines if line][-2:])  # often twice the same
    return escape(shorten("; ".join(last), 200)) or f"exit status {status}"
