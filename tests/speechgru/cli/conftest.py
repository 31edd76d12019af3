"""Recordings that several tests of the command line use, and a microphone without hardware."""

import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from speechgru import audio


@pytest.fixture
def yes(samples):
    return str(min(samples.glob("yes-*.wav")))


@pytest.fixture
def stop(samples):
    return str(min(samples.glob("stop-*.wav")))


@pytest.fixture(scope="session")
def three_words(samples):
    """A second of quiet before and after each of "yes", "stop" and "go": 16 kHz, float32."""
    words = (
        "yes-festival-kal-32k-pcm16",
        "stop-festival-kal-22k05-pcm16",
        "go-festival-kal-8k-alaw",
    )
    quiet = np.zeros(audio.SAMPLE_RATE, np.float32)
    parts = [part for word in words for part in (quiet, audio.load(samples / f"{word}.wav"))]
    return np.concatenate([*parts, quiet])


@pytest.fixture(scope="session")
def recording(three_words, tmp_path_factory):
    path = tmp_path_factory.mktemp("recording") / "three words.wav"
    soundfile.write(path, three_words, audio.SAMPLE_RATE)
    return str(path)


@pytest.fixture
def sound_server(tmp_path_factory):
    """PulseAudio with a loudspeaker that does not exist, and its monitor as the microphone."""
    # In another process: PortAudio's libraries block SIGPIPE, also in programs started later.
    if subprocess.run(
        [sys.executable, "-c", "import sounddevice"], stderr=subprocess.DEVNULL
    ).returncode:
        pytest.skip("needs the extra mic")
    for program in ("pulseaudio", "pactl", "paplay"):
        if shutil.which(program) is None:
            pytest.skip("needs PulseAudio")
    folder = tmp_path_factory.mktemp("pulse")
    socket = folder / "socket"
    environment = {
        **{key: value for key, value in os.environ.items() if key != "DISPLAY"},
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "PULSE_SERVER": f"unix:{socket}",
        "PULSE_SOURCE": "speaker.monitor",
    }
    options = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
    modules = [f"module-native-protocol-unix socket={socket} auth-anonymous=1"]
    modules += ["module-null-sink sink_name=speaker"]
    command = ["pulseaudio", *options, *(f"--load={module}" for module in modules)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            deadline = time.monotonic() + 10
            while not socket.exists() and time.monotonic() < deadline:
                time.sleep(0.1)
            yield environment, server
        finally:
            server.kill()
