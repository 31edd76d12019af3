"""The microphone, through the extra `mic` (sounddevice and PortAudio)."""

import collections
import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from speechgru.errors import SpeechGRUError, escape
from speechgru.fork_lock import not_forking

_BLOCKS_PER_SECOND = 20
_LATENCY_SECONDS = 0.2  # short ones lose sound where Python or the sound server is busy
_MOST_WAITING = 10 * _BLOCKS_PER_SECOND  # blocks that wait for a slow reader; more are lost
_SILENT_SECONDS = 5.0  # without a block: the device is gone
_POLL_SECONDS = 0.25


class MicrophoneError(SpeechGRUError):
    """There is no usable microphone. The message says what was expected and what was found."""


@dataclasses.dataclass(frozen=True)
class Device:
    """A device that can record.

    Attributes:
        number: PortAudio's number.
        name: its name.
        channels: number of channels that it can record.
        sample_rate: its usual rate in Hz.
        is_default: whether it is the system's default.
    """

    number: int
    name: str
    channels: int
    sample_rate: int
    is_default: bool


def list_devices() -> list[Device]:
    """List the devices that can record, at least one.

    Raises:
        MicrophoneError: there is none, or sounddevice or PortAudio is missing or does not work.
    """
    sounddevice = import_sounddevice()
    try:
        devices = sounddevice.query_devices()
        default = sounddevice.default.device[0]
    except sounddevice.PortAudioError as error:
        raise MicrophoneError(f"expected sound devices, found: {reason(error)}") from error
    recording = [
        Device(
            number,
            str(device["name"]),
            int(device["max_input_channels"]),
            round(device["default_samplerate"]),
            number == default,
        )
        for number, device in enumerate(devices)
        if device["max_input_channels"] > 0
    ]
    if not recording:
        raise MicrophoneError("expected a microphone, found no device that can record")
    return recording


def find_device(requested: str | None) -> Device:
    """Find a device that can record.

    Args:
        requested: its number, its name or a part of the name in any case. None: the system's
            default, or the first one if there is no default.

    Raises:
        MicrophoneError: as `list_devices`, or there is no such device, or several have that part in
            their names.
    """
    devices = list_devices()
    if requested is None:
        return next((device for device in devices if device.is_default), devices[0])
    if requested.isdecimal():
        found = [device for device in devices if device.number == int(requested)]
    else:
        found = [device for device in devices if device.name == requested] or [
            device for device in devices if requested.lower() in device.name.lower()
        ]
    if len(found) != 1:
        names = ", ".join(f"{device.number} {device.name}" for device in found or devices)
        kind = "several" if found else "no such device among"
        raise MicrophoneError(
            f"{escape(requested) or repr('')}: expected the number or name of a device that can "
            f"record, found {kind}: {escape(names)}"
        )
    return found[0]


class Microphone:
    """Records mono sound from a device.

    Use it as a context manager, inside which it records.

    Args:
        device: as `find_device` returns it.

    Attributes:
        device: the device.
        sample_rate: Hz.
        overflows: how often sound was lost because it was not read in time.
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self.sample_rate = device.sample_rate
        self.overflows = 0
        self._blocks: collections.deque[npt.NDArray[np.float32]] = collections.deque()
        self._arrived = threading.Event()
        self._sounddevice = import_sounddevice()
        self._stream: Any = None

    def __enter__(self) -> "Microphone":
        try:
            self._stream = self._sounddevice.InputStream(
                device=self.device.number,
                channels=1,
                samplerate=self.sample_rate,
                blocksize=self.sample_rate // _BLOCKS_PER_SECOND,
                latency=_LATENCY_SECONDS,
                dtype="float32",
                callback=self._receive,
            )
            self._stream.start()
        except self._sounddevice.PortAudioError as error:
            raise MicrophoneError(
                f"{escape(self.device.name)}: expected a device that records, "
                f"found: {reason(error)}"
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with contextlib.suppress(self._sounddevice.PortAudioError):  # the device is gone
            self._stream.close()

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """Yield blocks of samples, (frames, 1), as they come, without end.

        Raises:
            MicrophoneError: the device no longer records, as when it is unplugged.
        """
        waited = 0.0
        while True:
            while self._blocks:
                yield self._blocks.popleft()
                waited = 0.0
            self._arrived.clear()
            if self._blocks or self._arrived.wait(_POLL_SECONDS):
                continue
            waited += _POLL_SECONDS
            if not self._stream.active or waited >= _SILENT_SECONDS:
                raise MicrophoneError(
                    f"{escape(self.device.name)}: expected a device that records, "
                    "found that it has stopped; it may have been unplugged"
                )

    def discard(self) -> None:
        """Drop the sound that has arrived and was not read, and count overflows from zero."""
        self._blocks.clear()
        self.overflows = 0

    def _receive(self, block: Any, frames: int, time: Any, status: Any) -> None:
        """Called by PortAudio in a thread of its own."""
        full = len(self._blocks) >= _MOST_WAITING
        if status.input_overflow or full:
            self.overflows += 1
        if not full:
            self._blocks.append(block.copy())
        self._arrived.set()


def import_sounddevice() -> Any:
    """Import sounddevice.

    Raises:
        MicrophoneError: it or PortAudio is missing or does not work.
    """
    try:
        with not_forking:
            import sounddevice
    except ImportError as error:
        raise MicrophoneError(
            "expected the Python package sounddevice, found none: pip install '.[mic]'"
        ) from error
    except OSError as error:  # what it raises where it finds no PortAudio
        raise MicrophoneError(
            "expected the library PortAudio, found none: install libportaudio2 (Debian, Ubuntu) "
            "or portaudio (Fedora, Homebrew)"
        ) from error
    except Exception as error:  # its own class, where PortAudio does not start
        raise MicrophoneError(f"expected PortAudio to start, found: {reason(error)}") from error
    return sounddevice


def reason(error: Exception) -> str:
    """What PortAudio says about an error."""
    return escape(str(error.args[0]) if error.args else type(error).__name__)
