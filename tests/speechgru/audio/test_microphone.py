"""The microphone: devices, blocks, lost sound and everything that may be missing."""

import os
import subprocess
import sys

import numpy as np
import pytest

from speechgru import SpeechGRUError
from speechgru.audio import microphone
from speechgru.audio.microphone import Microphone, MicrophoneError, find_device, list_devices
from tests.speechgru.audio.fake_sounddevice import FakeSoundDevice, PortAudioError, blocks_of


@pytest.fixture
def sounddevice(monkeypatch):
    module = FakeSoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


def test_only_devices_that_record_are_listed(sounddevice):
    devices = list_devices()
    assert [(one.number, one.name, one.is_default) for one in devices] == [
        (1, "Built-in Mic", True),
        (2, "USB Mic", False),
    ]
    assert devices[1].channels == 2
    assert devices[1].sample_rate == 48000


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (None, "Built-in Mic"),
        ("2", "USB Mic"),
        ("usb", "USB Mic"),
        ("Built-in Mic", "Built-in Mic"),
    ],
)
def test_a_device_is_found_by_number_and_by_part_of_its_name(wanted, name, sounddevice):
    assert find_device(wanted).name == name


def test_a_whole_name_is_preferred_to_a_part(sounddevice):
    sounddevice.devices = {"USB Mic 2": 1, "USB Mic": 1}
    assert find_device("USB Mic").number == 1


def test_the_first_device_is_taken_where_there_is_no_default(sounddevice):
    sounddevice.default.device = [-1, -1]
    assert find_device(None).name == "Built-in Mic"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("Mic", "several: 1 Built-in Mic, 2 USB Mic"),
        ("0", "no such device among: 1 Built-in Mic, 2 USB Mic"),
        ("7", "no such device among: 1"),
        ("Speaker", "no such device among: 1"),
        ("", "several: 1"),
        ("\x1b[31m", "no such device among: 1"),
    ],
)
def test_other_devices_are_an_error_that_lists_what_there_is(wanted, found, sounddevice):
    with pytest.raises(MicrophoneError) as caught:
        find_device(wanted)
    assert found in str(caught.value)
    assert str(caught.value).isprintable()
    assert isinstance(caught.value, SpeechGRUError)


def test_no_microphone_is_an_error(sounddevice):
    sounddevice.devices = {"Speaker": 0}
    with pytest.raises(MicrophoneError, match="found no device that can record"):
        find_device(None)


def test_no_sounddevice_is_an_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MicrophoneError, match=r"package sounddevice, found none: pip install"):
        list_devices()


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (
            "OSError('PortAudio library not found')",
            "expected the library PortAudio, found none: install libportaudio2",
        ),
        (
            "type('PortAudioError', (Exception,), {})('Error initializing', -9999)",
            "expected PortAudio to start, found: Error initializing",
        ),
    ],
)
def test_no_portaudio_is_an_error(failure, message, tmp_path):
    (tmp_path / "sounddevice.py").write_text(f"raise {failure}")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from speechgru.audio import microphone\n"
        "try: microphone.list_devices()\n"
        "except microphone.MicrophoneError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.startswith(message)


def test_blocks_are_those_of_the_device_until_it_is_unplugged(sounddevice):
    samples = np.linspace(-1, 1, 10_000, dtype=np.float32)
    sounddevice.blocks = list(blocks_of(samples))
    gone = r"^USB Mic: expected a device that records, found .* may have been unplugged"
    with Microphone(find_device("USB")) as recorder:
        assert recorder.sample_rate == 48000
        with pytest.raises(MicrophoneError, match=gone):
            list(recorder.blocks())
    assert sounddevice.opened["device"] == 2
    assert sounddevice.opened["channels"] == 1


def test_what_was_recorded_before_it_was_unplugged_is_delivered(sounddevice):
    samples = np.linspace(-1, 1, 10_000, dtype=np.float32)
    sounddevice.blocks = list(blocks_of(samples))
    with Microphone(find_device(None)) as recorder:
        blocks = recorder.blocks()
        found = np.concatenate([next(blocks) for _ in sounddevice.blocks])
    np.testing.assert_array_equal(found[:, 0], samples)


def test_a_device_that_falls_silent_is_an_error(sounddevice, monkeypatch):
    monkeypatch.setattr(microphone, "_SILENT_SECONDS", 0.3)
    monkeypatch.setattr(microphone, "_POLL_SECONDS", 0.1)
    sounddevice.unplugged = False
    with (
        Microphone(find_device(None)) as recorder,
        pytest.raises(MicrophoneError, match="found that it has stopped"),
    ):
        next(recorder.blocks())


def test_overflows_are_counted(sounddevice):
    block = np.zeros((10, 1), np.float32)
    sounddevice.blocks = [(block, False), (block, True), (block, True)]
    with Microphone(find_device(None)) as recorder, pytest.raises(MicrophoneError):
        list(recorder.blocks())
    assert recorder.overflows == 2


def test_blocks_that_are_not_read_do_not_fill_the_memory(sounddevice):
    block = np.zeros((10, 1), np.float32)
    sounddevice.blocks = [(block, False)] * 1000
    with Microphone(find_device(None)) as recorder:
        recorder._stream._thread.join()
        blocks = recorder.blocks()
        delivered = [next(blocks) for _ in range(200)]
        with pytest.raises(MicrophoneError):
            next(blocks)
    assert len(delivered) == 200
    assert recorder.overflows == 800


def test_a_device_that_cannot_be_opened_is_an_error(sounddevice):
    sounddevice.failure = PortAudioError("Device unavailable", -9985)
    with (
        pytest.raises(MicrophoneError, match=r"Built-in Mic: .*found: Device unavailable"),
        Microphone(find_device(None)),
    ):
        pass


def test_importing_the_module_needs_no_sounddevice(tmp_path):
    (tmp_path / "sounddevice.py").write_text("raise SystemExit('imported')")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    subprocess.run(
        [sys.executable, "-c", "import speechgru.audio.microphone, speechgru.cli"],
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def test_discarded_sound_is_not_read_and_not_counted(sounddevice):
    sounddevice.blocks = [(np.full((10, 1), 0.5, np.float32), True)] * 3
    with Microphone(find_device(None)) as recorder:
        recorder._stream._thread.join()
        recorder.discard()
        assert recorder.overflows == 0
        with pytest.raises(MicrophoneError):
            next(recorder.blocks())
