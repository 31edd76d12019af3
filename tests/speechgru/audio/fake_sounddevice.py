"""A stand-in for sounddevice: devices without hardware, whose stream a test controls."""

import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


class PortAudioError(Exception):
    """Named as in sounddevice."""


class FakeSoundDevice(types.ModuleType):
    """The part of the module that is used.

    Attributes:
        devices: names of devices with the number of channels that they record.
        blocks: what the stream delivers, as (block, overflow).
        failure: what opening a stream raises, or None.
        played: what has been played, as (samples, rate).
        speaker_rate: usual rate of the loudspeaker in Hz; None: there is none.
        playback_failure: what playing raises, or None.
        unplugged: whether the stream ends after the last block; otherwise it stays silent.
    """

    PortAudioError = PortAudioError

    def __init__(self) -> None:
        super().__init__("sounddevice")
        self.devices: dict[str, int] = {"Speaker": 0, "Built-in Mic": 1, "USB Mic": 2}
        self.default = types.SimpleNamespace(device=[1, 0])
        self.blocks: list[tuple[np.ndarray, bool]] = []
        self.failure: Exception | None = None
        self.played: list[tuple[np.ndarray, int]] = []
        self.speaker_rate: float | None = 48000.0
        self.playback_failure: Exception | None = None
        self.unplugged = True
        self.opened: dict[str, Any] = {}
        self.InputStream = lambda **options: _Stream(self, options)

    def query_devices(self, *, kind: str | None = None) -> Any:
        if kind is not None:
            assert kind == "output"
            if self.speaker_rate is None:
                raise PortAudioError("Error querying device -1")
            return {"name": "Speaker", "default_samplerate": self.speaker_rate}
        return [
            {"name": name, "max_input_channels": channels, "default_samplerate": 48000.0}
            for name, channels in self.devices.items()
        ]

    def play(self, samples: np.ndarray, rate: int, *, blocking: bool) -> None:
        assert blocking
        if self.playback_failure is not None:
            raise self.playback_failure
        self.played.append((samples, rate))


class _Stream:
    def __init__(self, module: FakeSoundDevice, options: dict[str, Any]) -> None:
        if module.failure is not None:
            raise module.failure
        module.opened = options
        self._module = module
        self._callback: Callable[..., None] = options["callback"]
        self._thread = threading.Thread(target=self._deliver)
        self.active = False

    def start(self) -> None:
        self.active = True
        self._thread.start()

    def close(self) -> None:
        self._thread.join()
        if self._module.unplugged:
            raise PortAudioError("Unanticipated host error", -9999)

    def _deliver(self) -> None:
        for block, overflow in self._module.blocks:
            buffer = block.copy()
            status = types.SimpleNamespace(input_overflow=overflow)
            self._callback(buffer, len(buffer), None, status)
            buffer[:] = np.nan  # PortAudio uses its memory again
        self.active = not self._module.unplugged


def blocks_of(samples: np.ndarray, size: int = 2400) -> Iterator[tuple[np.ndarray, bool]]:
    """Blocks of a mono signal without overflows."""
    for start in range(0, len(samples), size):
        yield samples[start : start + size, np.newaxis], False
