"""The loudspeaker, through the extra `mic` (sounddevice and PortAudio)."""

from speechgru.audio.microphone import MicrophoneError, import_sounddevice, reason
from speechgru.audio.resampling import SAMPLE_RATE
from speechgru.audio.sample_arrays import Samples


def play(samples: Samples) -> None:
    """Play a sound on the system's default device, and wait until its end.

    Args:
        samples: 16 kHz mono, float32 (samples,).

    Raises:
        MicrophoneError: there is no device that plays, or it does not work.
    """
    sounddevice = import_sounddevice()
    import soxr

    try:
        rate = round(sounddevice.query_devices(kind="output")["default_samplerate"])
        sounddevice.play(soxr.resample(samples, SAMPLE_RATE, rate), rate, blocking=True)
    except (sounddevice.PortAudioError, ValueError) as error:  # ValueError: there is none
        raise MicrophoneError(f"expected a device that plays, found: {reason(error)}") from error
