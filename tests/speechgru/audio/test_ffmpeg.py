"""Sound that ffmpeg decodes: its formats, what it may read, and an ffmpeg that fails or hangs."""

import contextlib
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from speechgru import audio, cli
from speechgru.audio import AudioError, ffmpeg, load

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
posix = pytest.mark.skipif(os.name != "posix", reason="the fake ffmpeg is a shell script")
RATE = 16_000

# Extension, options of ffmpeg's encoder, and the first part of the format's name in messages.
FORMATS = [
    ("m4a", "-c:a aac", "an MP4 file"),
    ("mp4", "-c:a aac -movflags +faststart", "an MP4 file"),
    ("mp4", "-c:a aac -movflags +frag_keyframe+empty_moov", "an MP4 file"),
    ("mov", "-c:a pcm_s16le", "an MP4 file"),
    ("3gp", "-c:a aac", "an MP4 file"),
    ("aac", "-c:a aac", "an AAC file"),
    ("webm", "-c:a libopus", "a WebM or Matroska file"),
    ("webm", "-c:a libvorbis", "a WebM or Matroska file"),
    ("mka", "-c:a flac", "a WebM or Matroska file"),
    ("wma", "-c:a wmav2", "a WMA (ASF) file"),
    ("caf", "-c:a adpcm_ima_qt", "a compressed CAF file"),
]
AMR = b"#!AMR\n" + 50 * (b"\x04" + bytes(12))  # a second of frames at 4.75 kbit/s
MAGICS = [
    b"\0\0\0\x18ftypM4A ",
    b"\0\0\0\x08wide\0\0\x10\0mdat",
    b"\x1a\x45\xdf\xa3",
    bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
    b"#!AMR\n",
    b"#!AMR-WB\n",
    b"caff\0\1\0\0desc" + struct.pack(">qd4s", 32, RATE, b"aac "),
]


def tone(seconds=1.0, rate=RATE):
    return 0.5 * np.sin(2 * np.pi * 500 * np.arange(int(seconds * rate)) / rate)


def strongest_frequency(signal):
    middle = signal[len(signal) // 4 : -len(signal) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    return spectrum.argmax() * RATE / len(middle)


def encode(path, samples, options, rate=RATE):
    """Write samples, (frames,) or (frames, channels), to a path in the format of its extension."""
    wav = path.with_name(f"{path.name}.wav")
    soundfile.write(wav, samples, rate)
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", str(wav), *options.split()]
    subprocess.run([*command, f"file:{path}"], check=True, timeout=60)
    wav.unlink()
    return path


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Put a shell script in the place of ffmpeg."""

    def install(script):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        program = folder / "ffmpeg"
        program.write_text(f"#!/bin/sh\necho $$ >{tmp_path}/pid\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.defpath}")
        return tmp_path / "pid"

    return install


def au(samples, rate=RATE, channels=1, encoding=6, magic=b".snd"):
    header = struct.pack(">4s5I", magic, 24, 2**32 - 1, encoding, rate, channels)
    return header + np.asarray(samples, ">f4").tobytes()


def is_gone(pid_file):
    """Whether no process is left, not even a zombie."""
    try:
        os.kill(int(pid_file.read_text()), 0)
    except ProcessLookupError:
        return True
    return False


# Formats


@needs_ffmpeg
@pytest.mark.parametrize(("extension", "options", "name"), FORMATS)
def test_a_tone_survives_every_format_from_a_path_and_from_bytes(
    extension, options, name, tmp_path
):
    path = encode(tmp_path / f"tone.{extension}", tone(), options)
    signal = load(path)
    assert signal.dtype == np.float32
    assert len(signal) == pytest.approx(RATE, abs=2500)  # encoders fill the last block
    assert strongest_frequency(signal) == pytest.approx(500, abs=5)
    assert np.abs(signal[4000:8000]).max() == pytest.approx(0.5, rel=0.1)
    data = path.read_bytes()
    np.testing.assert_array_equal(load(data), signal)
    form = ffmpeg.identify(data[: ffmpeg.HEAD_BYTES])
    assert form is not None
    assert form.name.startswith(name)


@needs_ffmpeg
def test_amr_is_decoded():
    assert len(load(AMR)) == RATE


@needs_ffmpeg
def test_lossless_sound_is_decoded_exactly(tmp_path):
    samples = np.random.default_rng(0).integers(-(2**15), 2**15, 5000, np.int16)
    path = encode(tmp_path / "noise.mka", samples, "-c:a flac")
    np.testing.assert_array_equal(load(path), samples / np.float32(2**15))


@needs_ffmpeg
def test_rate_and_channels_are_those_of_the_file(tmp_path):
    stereo = np.stack([tone(rate=44100), -tone(rate=44100)], axis=1)  # the mean would be silence
    path = encode(tmp_path / "stereo.m4a", stereo, "-c:a aac", 44100)
    signal = load(path, sample_rate=44100)
    assert strongest_frequency(signal) == pytest.approx(500, abs=5)
    with pytest.raises(AudioError, match="expected a sample rate of 16000 Hz, found 44100 Hz"):
        load(path, sample_rate=RATE)


@needs_ffmpeg
def test_a_rate_out_of_range_is_an_error(tmp_path):
    path = encode(tmp_path / "fast.mka", tone(0.1, 384_000), "-c:a pcm_s16le", 384_000)
    with pytest.raises(AudioError, match="expected a sample rate of 4000 to 192000 Hz"):
        load(path)


@needs_ffmpeg
def test_nan_is_found(tmp_path):
    options = "-af aeval=0/0 -c:a pcm_f32le"
    with pytest.raises(AudioError, match="expected finite samples, found NaN"):
        load(encode(tmp_path / "nan.mka", tone(), options))


@needs_ffmpeg
def test_long_sound_is_read_to_its_end(tmp_path, monkeypatch):
    path = encode(tmp_path / "long.webm", tone(30, 48000), "-c:a libopus", 48000)
    signal = load(path)
    assert len(signal) == pytest.approx(30 * RATE, abs=1000)
    monkeypatch.setattr("speechgru.audio.sound_files.BLOCK_BYTES", 5000)
    np.testing.assert_allclose(load(path), signal, atol=1e-5)  # soxr's rounding


@needs_ffmpeg
@pytest.mark.parametrize("name", ["-i.m4a", "concat:a|b.m4a", "pipe:0", "a\n\x1b[1m.wav", "ü%d"])
def test_the_name_does_not_matter(name, tmp_path, monkeypatch):
    encode(tmp_path / "tone.m4a", tone(), "-c:a aac").rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert strongest_frequency(load(name)) == pytest.approx(500, abs=5)


@needs_ffmpeg
def test_the_first_audio_stream_is_read_beside_video(tmp_path):
    path = tmp_path / "film.mp4"
    sources = "-f lavfi -i testsrc=d=1:s=64x64 -f lavfi -i sine=500:d=1 -f lavfi -i sine=900:d=1"
    command = f"ffmpeg -nostdin -loglevel error {sources} -map 0 -map 1 -map 2 -c:v mpeg4"
    subprocess.run([*command.split(), str(path)], check=True, timeout=60)
    assert strongest_frequency(load(path)) == pytest.approx(500, abs=5)


@needs_ffmpeg
def test_a_film_without_sound_is_an_error(tmp_path):
    path = tmp_path / "silent.mp4"
    command = "ffmpeg -nostdin -loglevel error -f lavfi -i testsrc=d=1:s=64x64 -c:v mpeg4"
    subprocess.run([*command.split(), str(path)], check=True, timeout=60)
    with pytest.raises(AudioError, match=r"found: no audio in the file$"):
        load(path)


@needs_ffmpeg
def test_aac_behind_a_tag_is_decoded(tmp_path):
    data = encode(tmp_path / "tone.aac", tone(), "-c:a aac").read_bytes()
    tag = b"ID3\4\0\0\0\0\7\x68" + bytes(1000)
    np.testing.assert_array_equal(load(tag + data), load(data))


@needs_ffmpeg
def test_without_dev_fd_the_file_is_copied_and_the_copy_removed(tmp_path, monkeypatch):
    path = encode(tmp_path / "tone.m4a", tone(), "-c:a aac")
    signal = load(path)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setattr(ffmpeg, "_DEV_FD", False)
    np.testing.assert_array_equal(load(path), signal)
    np.testing.assert_array_equal(load(path.read_bytes()), signal)
    assert not list(temporary.iterdir())


# What is not given to ffmpeg


@pytest.mark.parametrize(
    "data",
    [
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"<?xml version='1.0'?><MPD></MPD>",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
        b"RIFF\x24\0\0\0WAVEfmt ",
    ],
)
@posix
def test_playlists_and_other_formats_never_reach_ffmpeg(data, fake):
    pid = fake("exit 1")
    with pytest.raises(AudioError, match="expected sound that libsndfile can decode"):
        load(data)
    assert not pid.exists()


@pytest.mark.parametrize("dtype", ["<i2", ">i2"])
def test_quiet_raw_samples_are_not_taken_for_aac(dtype):
    rng = np.random.default_rng(0)
    for peak in range(1, 300):
        data = bytearray(rng.integers(-peak, peak + 1, 2000).astype(dtype).tobytes())
        data[:2] = b"\xff\xf1"
        assert ffmpeg.identify(bytes(data)) is None


def test_periodic_raw_samples_are_not_taken_for_aac():
    # The header of a frame of 640 bytes, repeated every 64 bytes.
    frame = bytes.fromhex("fff1504050 00fc".replace(" ", "")).ljust(64, b"\0")
    assert ffmpeg.identify(100 * frame) is None
    assert ffmpeg.identify(100 * frame.ljust(640, b"\1")) is not None


def external_track(data, path):
    """Refer to another file in the place of the samples of a QuickTime file."""
    at = data.find(b"dref") - 4
    (size,) = struct.unpack_from(">I", data, at)
    names = b"\1" + b"x".ljust(27, b"\0") + bytes(12) + b"\5" + b"other".ljust(63, b"\0")
    target = os.fsencode(path) + bytes(len(os.fsencode(path)) % 2)
    alias = bytes(14) + names + bytes(36) + struct.pack(">HH2sHH", 18, 1, b"/", 2, len(target))
    alias += target + b"\xff\xff"
    box = struct.pack(">I4s", len(alias) + 8, b"alis") + alias
    box = struct.pack(">I4sII", len(box) + 16, b"dref", 0, 1) + box
    changed = bytearray(data[:at] + box + data[at + size :])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        start = data.rfind(name, 0, at) - 4
        (length,) = struct.unpack_from(">I", data, start)
        struct.pack_into(">I", changed, start, length + len(box) - size)
    samples = data.find(b"mdat") + 4
    end = samples - 8 + struct.unpack_from(">I", data, samples - 8)[0]
    changed[samples:end] = bytes(end - samples)
    return bytes(changed)


@needs_ffmpeg
def test_a_file_cannot_make_ffmpeg_read_another_file(tmp_path):
    secret = encode(tmp_path / "secret.mov", tone(), "-c:a pcm_s16be")
    crafted = tmp_path / "crafted.mov"
    crafted.write_bytes(external_track(secret.read_bytes(), secret))
    command = "ffmpeg -nostdin -loglevel error -enable_drefs 1 -use_absolute_path 1 -i"
    output = ["-f", "s16le", "pipe:1"]
    leaked = subprocess.run([*command.split(), crafted, *output], capture_output=True, check=False)
    assert any(leaked.stdout)  # the file works where ffmpeg is allowed to
    with contextlib.suppress(AudioError):
        assert not load(crafted).any()


# Without ffmpeg, and with one that fails


@pytest.mark.parametrize("magic", MAGICS)
def test_without_ffmpeg_the_error_names_the_format_and_ffmpeg(magic, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AudioError) as error:
        load(magic + bytes(100))
    assert str(error.value).startswith("<bytes>: expected sound that libsndfile can decode, found ")
    assert "file" in str(error.value)
    assert str(error.value).endswith("which needs ffmpeg. Install ffmpeg and put it on PATH")


def test_a_folder_is_searched_for_what_only_ffmpeg_decodes(monkeypatch, tmp_path, capfd):
    for name in ("a.m4a", "b.webm", "c.WMA", "d.aac", "e.3gp", "f.amr", "g.mp4"):
        (tmp_path / name).write_bytes(AMR)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.main(["recognize", str(tmp_path)]) == 2
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 7
    assert all("found an AMR file, which needs ffmpeg." in line for line in lines)


@posix
def test_an_ffmpeg_in_the_current_folder_is_not_run(fake, monkeypatch, tmp_path):
    pid = fake("exit 1")
    monkeypatch.chdir(tmp_path / "bin")
    monkeypatch.setenv("PATH", ".")
    with pytest.raises(AudioError, match="which needs ffmpeg"):
        load(AMR)
    assert not pid.exists()


@posix
@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("exit 0", "expected sound from ffmpeg, found none"),
        ("exit 3", "expected sound that ffmpeg can decode, found: exit status 3"),
        ("kill -SEGV $$", "expected sound that ffmpeg can decode, found: exit status -11"),
        (r"printf '[mov @ 0x1] \033[31mbad\n' >&2; exit 1", r"found: \\x1b\[31mbad$"),
        ("yes error | head -100000 >&2; exit 1", "found: error$"),
        ("head -c 100000 /dev/urandom", "expected an AU header from ffmpeg, found b"),
        ("printf .snd", "expected sound from ffmpeg, found none"),
    ],
)
def test_an_ffmpeg_that_fails_is_an_audio_error(script, found, fake):
    pid = fake(script)
    with pytest.raises(AudioError, match=found):
        load(AMR)
    assert is_gone(pid)


@posix
def test_a_program_that_cannot_run_is_an_audio_error(fake, tmp_path):
    fake("")
    (tmp_path / "bin" / "ffmpeg").write_bytes(b"\x7fELF")
    with pytest.raises(AudioError, match="expected an ffmpeg that runs, found: "):
        load(AMR)


@posix
def test_a_failure_after_some_sound_is_an_audio_error(fake, tmp_path):
    (tmp_path / "out").write_bytes(au(tone()))
    fake(f"cat {tmp_path}/out; echo broken >&2; exit 1")
    with pytest.raises(AudioError, match=r"found: broken$"):
        load(AMR)


@posix
@pytest.mark.parametrize(
    ("output", "found"),
    [
        (au([]), "found no samples"),
        (au([0.5], rate=3), "expected a sample rate"),
        (au([0.5], channels=0), "expected an AU header"),
        (au([0.5], channels=2**31), "expected an AU header"),
        (au([0.5], encoding=3), "expected an AU header"),
        (au([0.5, np.inf]), "expected finite samples, found infinity"),
        (au([17.0]), "found a peak of 17"),
    ],
)
def test_output_of_ffmpeg_is_checked(output, found, fake, tmp_path):
    (tmp_path / "out").write_bytes(output)
    fake(f"cat {tmp_path}/out")
    with pytest.raises(AudioError, match=found):
        load(AMR)


@posix
def test_half_a_frame_at_the_end_is_dropped(fake, tmp_path):
    (tmp_path / "out").write_bytes(au([0.5, 0.25, 1], channels=2) + b"\0")
    fake(f"cat {tmp_path}/out")
    np.testing.assert_array_equal(load(AMR), [0.375])


@posix
@pytest.mark.parametrize(
    "script",
    [
        "sleep 60",
        "sleep 60 & wait",
        "cat {out}; sleep 60",
        "cat {out}; exec >&-; sleep 60",
        "trap '' TERM INT; while true; do sleep 1; done",
    ],
)
def test_an_ffmpeg_that_hangs_is_killed(script, fake, tmp_path, monkeypatch):
    (tmp_path / "out").write_bytes(au(tone()))
    pid = fake(script.format(out=tmp_path / "out"))
    monkeypatch.setattr(ffmpeg, "_MAX_WAIT", 0.5)
    start = time.monotonic()
    with pytest.raises(AudioError, match=r"expected ffmpeg to decode the sound, found no answer"):
        load(AMR)
    assert time.monotonic() - start < 10
    assert is_gone(pid)


@posix
def test_a_child_that_outlives_ffmpeg_is_not_waited_for(fake, tmp_path):
    (tmp_path / "out").write_bytes(au(tone()))
    fake(f"cat {tmp_path}/out; (exec >&-; sleep 5) & exit 0")  # it holds the pipe of messages
    start = time.monotonic()
    assert len(load(AMR)) == RATE
    assert time.monotonic() - start < 4


@posix
def test_endless_output_is_stopped_at_the_longest_sound(fake, tmp_path, monkeypatch):
    (tmp_path / "out").write_bytes(au([]))
    pid = fake(f"cat {tmp_path}/out /dev/zero")
    monkeypatch.setattr("speechgru.audio.loading._MAX_SECONDS", 100)
    with pytest.raises(AudioError, match="hours of sound, found more"):
        load(AMR)
    assert is_gone(pid)


@posix
def test_endless_output_is_stopped_where_sound_is_read_in_blocks_too(fake, tmp_path, monkeypatch):
    (tmp_path / "out").write_bytes(au([]))
    pid = fake(f"cat {tmp_path}/out /dev/zero")
    monkeypatch.setattr(ffmpeg, "_MAX_HOURS", 1)
    read = []
    with pytest.raises(AudioError, match="expected at most 1 hours of sound, found more"):
        read.extend(len(block) for _, block in audio.read_blocks(AMR))
    assert 3600 * RATE < sum(read) < 3600 * RATE + 2**19
    assert is_gone(pid)


@posix
def test_a_reader_that_stops_early_leaves_no_process(fake, tmp_path):
    (tmp_path / "out").write_bytes(au([]))
    pid = fake(f"cat {tmp_path}/out /dev/zero")
    form = ffmpeg.identify(AMR)
    with ffmpeg.decode(AMR, form, 4000) as (rate, channels, blocks):
        assert (rate, channels) == (RATE, 1)
        assert next(blocks).shape == (1000, 1)
    assert is_gone(pid)


@posix
@pytest.mark.parametrize("count", [0, 1, 2])
def test_no_room_for_a_thread_is_an_audio_error_and_leaves_no_process(
    count, fake, tmp_path, monkeypatch
):
    (tmp_path / "out").write_bytes(au(np.zeros(RATE)))
    pid = fake(f"cat {tmp_path}/out; sleep 100")
    begin, started = threading.Thread.start, []

    def start(thread):
        if len(started) == count:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        begin(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(AudioError, match="a thread that watches ffmpeg, found: can't start"):
            load(AMR)
    assert not pid.exists() or not pid.read_text() or is_gone(pid)
    for thread in started:
        thread.join(5)
        assert not thread.is_alive()


@posix
def test_ffmpeg_may_read_only_its_input_and_writes_no_report(fake, tmp_path, monkeypatch):
    monkeypatch.setenv("FFREPORT", f"file={tmp_path}/report")
    fake(f'printf "%s\\n" "$@" >{tmp_path}/arguments; env >{tmp_path}/environment; exit 1')
    with pytest.raises(AudioError):
        load(AMR)
    arguments = (tmp_path / "arguments").read_text().split("\n")
    before_input = arguments[: arguments.index("-i")]
    for option, value in (("-protocol_whitelist", "file"), ("-f", "amr")):
        assert before_input[before_input.index(option) + 1] == value
    assert arguments[arguments.index("-i") + 1] == "file:/dev/fd/0"
    assert "-nostdin" in before_input
    assert "FFREPORT" not in (tmp_path / "environment").read_text()


# Temporary files


@posix
def test_a_full_disk_is_an_audio_error(fake, monkeypatch):
    pid = fake("exit 1")

    def write(descriptor, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(AudioError, match=r"a temporary file .*, found: No space left on device"):
        load(AMR)
    assert not pid.exists()


@posix
def test_no_folder_for_temporary_files_is_an_audio_error(fake, monkeypatch, tmp_path):
    fake("exit 1")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nothing"))
    with pytest.raises(AudioError, match="expected room for a temporary file"):
        load(AMR)


@posix
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_process_leaves_no_file_and_ctrl_c_no_ffmpeg(how, fake, tmp_path):
    pid = fake("sleep 60")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    code = f"import speechgru.audio as a; a.load({AMR!r})"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(temporary)},
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        deadline = time.monotonic() + 30
        while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)
        process.send_signal(how)
        process.wait(10)
    finally:
        process.kill()
        process.wait()
    assert not list(temporary.iterdir())
    if how == signal.SIGINT:
        assert is_gone(pid)
    else:  # nobody could kill it; the real one ends when it writes to the closed pipe
        os.killpg(int(pid.read_text()), signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_no_descriptor_is_left_open(fake, tmp_path):
    (tmp_path / "out").write_bytes(au(tone()))
    fake(f"cat {tmp_path}/out")
    load(AMR)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        load(AMR)
    assert len(os.listdir("/proc/self/fd")) == before


# Properties


@given(st.binary(max_size=2000))
def test_identify_takes_any_bytes(data):
    assert ffmpeg.identify(data) is None or isinstance(ffmpeg.identify(data), ffmpeg.Format)


def assert_gives_a_signal_or_a_line(data):
    try:
        signal, message = load(data), "none"
    except AudioError as error:
        signal, message = np.zeros(1), str(error)
    assert np.isfinite(signal).all()
    assert message.isprintable()
    assert len(message) < 400


@needs_ffmpeg
@given(st.sampled_from(MAGICS), st.binary(max_size=3000))
@settings(max_examples=20, deadline=None)
def test_random_bytes_behind_a_magic_give_a_signal_or_an_audio_error(magic, data):
    assert_gives_a_signal_or_a_line(magic + data)


@pytest.fixture(scope="module")
def encoded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoded")
    return [
        encode(folder / f"{number}.{extension}", tone(0.3), options).read_bytes()
        for number, (extension, options, _) in enumerate(FORMATS)
    ]


@needs_ffmpeg
@given(st.data())
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_damaged_sound_gives_a_signal_or_an_audio_error(encoded, data):
    content = bytearray(data.draw(st.sampled_from(encoded)))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert_gives_a_signal_or_a_line(bytes(content[: data.draw(st.integers(16, len(content)))]))


@posix
@given(output=st.binary(max_size=200), is_au=st.booleans())
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_output_of_ffmpeg_gives_a_signal_or_an_audio_error(output, is_au, fake, tmp_path):
    (tmp_path / "out").write_bytes((au([]) if is_au else b"") + output)
    fake(f"cat {tmp_path}/out")
    assert_gives_a_signal_or_a_line(AMR)
