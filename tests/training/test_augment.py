"""Augmentation does what each of its settings promises."""

import dataclasses
import functools
import io
import math

import matplotlib.image
import numpy as np
import pytest
import soundfile
import tensorflow as tf

from training.augmentation.channel import _EQ_POINTS, microphone, mu_law, telephone
from training.augmentation.mixup import mixup
from training.augmentation.pipeline import augment
from training.augmentation.random_draws import Draw
from training.augmentation.rooms import (
    ROOM_SAMPLES,
    ROOMS,
    SOUND,
    absorption_of,
    reverberate,
    room_bank,
    room_response,
)
from training.augmentation.settings import Augment
from training.augmentation.spec_augment import mask_spectrogram
from training.augmentation.speed_and_shift import interpolate, shift_and_stretch
from training.clips.window import RATE
from training.data.noises import NOISE_ROW
from training.plot_augmentation import main

OFF = Augment(
    shift_ms=0,
    speed=0,
    noise_share=0,
    reverb_share=0,
    eq_db=0,
    band_limit_share=0,
    telephone_share=0,
    gain_db=(0.0, 0.0),
    time_masks=0,
    mel_masks=0,
    mixup_share=0,
)
ON = Augment(mixup_share=0.5)
SWITCHES = {  # each augmentation, and what turns it off
    "shift": {"shift_ms": 0},
    "speed": {"speed": 0},
    "speed by share": {"speed_share": 0},
    "noise": {"noise_share": 0},
    "rooms": {"reverb_share": 0},
    "microphone": {"eq_db": 0},
    "band limit": {"band_limit_share": 0},
    "telephone": {"telephone_share": 0},
    "gain": {"gain_db": (0.0, 0.0)},
    "time masks": {"time_masks": 0},
    "time masks by size": {"time_mask_frames": 0},
    "mel masks": {"mel_masks": 0},
    "mel masks by size": {"mel_mask_bands": 0},
    "mixup": {"mixup_share": 0},
}
BATCH, SAMPLES = 32, 16000
SEED = (3, 4)


def only(**settings):
    return dataclasses.replace(OFF, **settings)


@pytest.fixture
def draw():
    return Draw(SEED, BATCH)


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(1).normal(size=(500, NOISE_ROW)).astype(np.float32)


@pytest.fixture(scope="module")
def clips():
    return np.random.default_rng(0).integers(-9000, 9000, (BATCH, SAMPLES)).astype(np.int16)


def tone(frequency=1000.0, peak=0.1):
    time = np.arange(SAMPLES) / RATE
    return np.tile(peak * np.sin(2 * np.pi * frequency * time), (BATCH, 1)).astype(np.float32)


def augmented(clips, noise, settings, seed=(0, 1), silence=None):
    silent = np.zeros(len(clips), bool) if silence is None else silence
    return augment(clips, silent, noise, seed, settings).numpy()


def level(audio):
    return 10 * np.log10((np.asarray(audio, np.float64) ** 2).mean(axis=-1))


def spectrum(audio):
    """Power at every Hz of the middle of each clip, without the leakage of its ends."""
    return np.abs(np.fft.rfft(np.asarray(audio, np.float64) * np.hanning(SAMPLES))) ** 2


def test_everything_off_changes_nothing(noise, clips):
    np.testing.assert_array_equal(augmented(clips, noise, OFF), clips / np.float32(32768))


def test_the_same_step_gives_the_same_batch_and_another_step_another(noise, clips):
    first = augmented(clips, noise, ON, seed=(0, 1))
    np.testing.assert_array_equal(augmented(clips, noise, ON, seed=(0, 1)), first)
    assert np.abs(augmented(clips, noise, ON, seed=(0, 2)) - first).max() > 0.01


def test_output_stays_in_range(noise):
    clips = np.full((BATCH, SAMPLES), 32767, np.int16)
    found = augmented(clips, noise, only(gain_db=(40.0, 40.0), eq_db=10, noise_share=1))
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 1


def whole_step(settings):
    """Augmentation, masks and mixup as one traced step uses them: its concrete function."""

    def step(clips, silence, noise, log_mel, wanted, number):
        audio = augment(clips, silence, noise, (0, number), settings)
        draw = Draw((0, number), BATCH)
        masked = mask_spectrogram(log_mel, (1, number), settings)
        return *mixup(audio, wanted, draw, settings), masked

    return tf.function(step, autograph=False).get_concrete_function(
        tf.TensorSpec((BATCH, 1600), tf.int16),
        tf.TensorSpec((BATCH,), tf.bool),
        tf.TensorSpec((500, NOISE_ROW)),
        tf.TensorSpec((BATCH, 50, 40)),
        tf.TensorSpec((BATCH, 12)),
        tf.TensorSpec((), tf.int32),
    )


@functools.cache
def operations(settings):
    return len(whole_step(settings).graph.get_operations())


@pytest.mark.parametrize("switch", SWITCHES.values(), ids=SWITCHES)
def test_what_is_off_is_not_in_the_graph(switch):
    assert operations(dataclasses.replace(ON, **switch)) < operations(ON)


def test_with_everything_off_the_graph_only_makes_silence():
    kinds = {operation.type for operation in whole_step(OFF).graph.get_operations()}
    assert not {kind for kind in kinds if "FFT" in kind or "Scatter" in kind or "Sort" in kind}
    assert "StatelessRandomNormalV2" not in kinds


@pytest.mark.parametrize("switch", SWITCHES.values(), ids=SWITCHES)
def test_switching_one_off_leaves_the_draws_of_the_others(switch, noise, clips, monkeypatch):
    class Recorder(Draw):
        numbers = {}  # noqa: RUF012

        def _stream(self, name):
            assert name not in self.numbers, f"{name} is drawn twice"
            self.numbers[name] = super()._stream(name).numpy().tolist()
            return super()._stream(name)

    monkeypatch.setattr("training.augmentation.random_draws.Draw", Recorder)

    def drawn(settings):
        Recorder.numbers = {}
        augmented(clips, noise, settings)
        mask_spectrogram(np.zeros((BATCH, 50, 40), np.float32), (0, 1), settings)
        mixup(tone(), tone(), Recorder((0, 1), BATCH), settings)
        return Recorder.numbers

    everything, less = drawn(ON), drawn(dataclasses.replace(ON, **switch))
    assert less.items() < everything.items()
    assert len({tuple(seed) for seed in everything.values()}) == len(everything)


def test_a_clip_that_is_not_telephoned_is_the_same_without_telephones(noise, clips):
    with_some = augmented(clips, noise, dataclasses.replace(ON, telephone_share=0.25))
    without = augmented(clips, noise, dataclasses.replace(ON, telephone_share=0))
    assert (with_some == without).all(axis=1).sum() == 24


@pytest.mark.parametrize("snr", [-5.0, 0.0, 10.0, 20.0])
def test_noise_has_the_promised_ratio(snr, noise):
    clips = (tone() * 32768).astype(np.int16)
    mixed = augmented(clips, noise, only(snr_db=(snr, snr), noise_share=1))
    speech = clips / 32768
    np.testing.assert_allclose(level(speech) - level(mixed - speech), snr, atol=0.01)


def test_silence_reaches_from_digital_zero_to_loud(noise):
    batch = 400
    silence = np.zeros((batch, SAMPLES), np.int16)
    found = augmented(silence, noise, OFF, silence=np.ones(batch, bool))
    levels = 20 * np.log10(np.sqrt((found**2).mean(axis=1)) + 1e-9)
    assert 0.04 < np.mean(levels < -150) < 0.2  # digital zero
    audible = levels[levels > -150]
    assert audible.min() < -70
    assert -13 < audible.max() <= -9.5


def test_a_clip_moves_by_at_most_the_limit(draw):
    clip = np.zeros((BATCH, SAMPLES), np.float32)
    clip[:, SAMPLES // 2] = 1
    moved = shift_and_stretch(clip, draw, only(shift_ms=50)).numpy()
    offsets = moved.argmax(axis=1) - SAMPLES // 2
    assert np.abs(offsets).max() <= 800
    assert np.unique(offsets).size > BATCH // 2
    np.testing.assert_allclose(moved.max(axis=1), 1)  # whole samples: not smeared


@pytest.mark.parametrize("times", [[-50.5, -3.25, -1.5], [101.0, 103.75, 1e6]])
def test_beyond_its_ends_a_clip_is_silent(times):
    clip = np.full((1, 100), 0.5, np.float32)
    np.testing.assert_array_equal(interpolate(clip, np.array([times], np.float32)), 0)
    np.testing.assert_allclose(
        interpolate(clip, [[-0.5, 0.0, 50.5, 99.0, 99.5]])[0], [0.25, 0.5, 0.5, 0.5, 0.25]
    )


def test_integer_clips_are_read_as_fractions_of_full_scale():
    clip = np.array([[0, 16384, -32768, 8192]], np.int16)
    found = interpolate(clip, np.array([[1.0, 1.5, 2.0, 3.0]], np.float32))
    np.testing.assert_array_equal(found, [[0.5, -0.25, -1.0, 0.25]])


@pytest.mark.parametrize("speed", [0.85, 1.0, 1.15])
def test_a_tone_at_a_speed_has_the_frequency_times_the_speed(speed, draw, monkeypatch):
    monkeypatch.setattr(draw, "uniform", lambda name, low, high: tf.fill((BATCH, 1), speed))
    monkeypatch.setattr(draw, "chance", lambda name, share: tf.fill((BATCH, 1), True))
    found = shift_and_stretch(tone(1000), draw, only(speed=0.15, speed_share=1)).numpy()
    # Shorter or longer about its middle, and silent where it has ended.
    reach = min(8000, round(8000 / speed))
    assert np.abs(found[0, : max(0, 8000 - reach - 1)]).sum() == 0
    piece = found[0, 8000 - reach : 8000 + reach] * np.hanning(2 * reach)
    peak = np.abs(np.fft.rfft(piece, 16 * SAMPLES)).argmax() / 16
    assert peak == pytest.approx(1000 * speed, abs=0.5)


def test_speeds_fill_their_range_and_their_share(draw):
    settings = only(speed=0.15, speed_share=0.5)
    peaks = spectrum(shift_and_stretch(tone(1000), draw, settings)).argmax(axis=1)
    assert 848 <= peaks.min() < 930
    assert 1070 < peaks.max() <= 1152
    assert 0.25 < np.mean(peaks == 1000) < 0.75


def reverberation_time(response):
    """Seconds for 60 dB, from the decay between -5 and -25 dB (Schroeder 1965, ISO 3382's T20)."""
    left = np.cumsum(response[::-1] ** 2)[::-1]
    decay = 10 * np.log10(left / left[0])
    line = np.flatnonzero((decay <= -5) & (decay >= -25))
    return -60 / np.polyfit(line / RATE, decay[line], 1)[0]


def eyring(size, absorption):
    x, y, z = size
    surface = 2 * (x * y + y * z + z * x)
    return 0.161 * x * y * z / (-surface * math.log(1 - absorption))


@pytest.mark.parametrize(
    ("size", "absorption"),
    [
        ((4.0, 4.1, 3.9), 0.3),
        ((5.0, 4.0, 3.0), 0.2),
        ((5.0, 4.0, 3.0), 0.4),
        ((7.0, 6.0, 3.0), 0.3),
    ],
)
def test_a_simulated_room_decays_as_eyring_foretells(size, absorption):
    response = room_response(size, absorption, (1.0, 1.1, 1.2), (2.3, 2.9, 1.7), 8000)
    # Images of a box decay somewhat slower than Eyring's diffuse field, the more the flatter it is.
    ratio = reverberation_time(response) / eyring(size, absorption)
    assert 0.95 < ratio < 1.35


def test_the_absorption_for_a_reverberation_time_is_eyrings():
    absorption = absorption_of((5.0, 4.0, 3.0), 0.3)
    assert eyring((5.0, 4.0, 3.0), absorption) == pytest.approx(0.3, rel=0.005)


def test_the_first_reflection_is_that_of_the_floor():
    source, microphone = (4.0, 4.0, 1.0), (6.0, 4.0, 1.0)  # 2 m apart, 1 m above the floor
    response = room_response((10.0, 8.0, 9.0), 0.36, source, microphone, 400)
    later = np.flatnonzero(response)[1]
    assert later == round((math.sqrt(8) - 2) / SOUND * RATE)
    assert response[later] == pytest.approx(-0.8 * 2 / math.sqrt(8), rel=1e-5)


def test_every_room_of_the_bank_begins_with_the_direct_sound_and_decays():
    bank = room_bank()
    assert bank.shape == (ROOMS, ROOM_SAMPLES)
    np.testing.assert_allclose(bank[:, 0], 1, atol=1e-6)
    quarters = (bank[:, 1 : 1 + 4 * 999].reshape(ROOMS, 4, 999) ** 2).sum(axis=2)
    assert (np.diff(quarters) < 0).all()
    times = np.array([reverberation_time(response) for response in bank])
    assert 0.07 < times.min() < 0.15
    assert 0.45 < times.max() < 0.7
    tails = 10 * np.log10((bank[:, 1:] ** 2).sum(axis=1))
    assert -8 < np.median(tails) < -3
    np.testing.assert_array_equal(room_bank(), bank)


def test_reverberation_is_convolution_with_a_room_for_its_share_of_the_clips(draw):
    clips = np.random.default_rng(0).normal(size=(BATCH, SAMPLES)).astype(np.float32)
    found = reverberate(clips, draw, 0.25).numpy()
    places = draw.some("reverb share", 0.25).numpy()
    np.testing.assert_array_equal(np.delete(found, places, 0), np.delete(clips, places, 0))
    assert len(set(places)) == 8
    bank = room_bank()
    rooms = (draw.uniform("room", 0.0, float(ROOMS)).numpy()[:, 0]).astype(int)
    assert len(set(rooms)) > BATCH / 2
    place = places[0]
    expected = np.convolve(clips[place].astype(float), bank[rooms[place]])[:SAMPLES]
    np.testing.assert_allclose(found[place], expected, atol=1e-4)


def test_a_band_limited_clip_loses_its_top_and_its_bottom(draw):
    settings = only(band_limit_share=1)
    noise = np.random.default_rng(0).normal(size=(BATCH, SAMPLES)).astype(np.float32)
    power = spectrum(microphone(noise, draw, settings))
    top, middle = power[:, 7800:].mean(axis=1), power[:, 1000:2500].mean(axis=1)
    assert (10 * np.log10(middle / top) > 30).all()
    assert (power[:, :20].mean(axis=1) < middle / 10).all()


def test_a_microphone_curve_has_the_deviation_of_its_setting():
    draw = Draw(SEED, 300)
    noise = np.random.default_rng(0).normal(size=(1, SAMPLES)).astype(np.float32)
    found = microphone(np.tile(noise, (300, 1)), draw, only(eq_db=4)).numpy()
    gain = np.abs(np.fft.rfft(found)) / np.abs(np.fft.rfft(noise))
    points = np.rint(_EQ_POINTS[1:-1]).astype(int)  # where a curve is not interpolated
    deviation = (20 * np.log10(gain[:, points])).std(axis=0)
    np.testing.assert_allclose(deviation, 4, rtol=0.15)


def g711(samples):
    """mu-law by libsndfile, 16 bit in and out."""
    file = io.BytesIO()
    soundfile.write(file, samples, 8000, format="WAV", subtype="ULAW")
    return soundfile.read(io.BytesIO(file.getvalue()), dtype="int16")[0]


def test_mu_law_is_libsndfiles_for_every_16_bit_sample():
    samples = np.arange(-32768, 32768).astype(np.int16)
    found = mu_law(tf.constant(samples / 32768, tf.float32)).numpy() * 32768
    expected = g711(samples).astype(float)
    np.testing.assert_array_equal(found[np.abs(samples) >= 4], expected[np.abs(samples) >= 4])
    np.testing.assert_allclose(found, expected, atol=8)  # about zero, G.711 has two codes


@pytest.mark.parametrize(("peak", "low", "high"), [(0.9, 36, 40), (0.1, 35, 40), (0.01, 29, 36)])
def test_mu_law_keeps_its_ratio_from_loud_to_quiet(peak, low, high):
    sound = tone(1003.7, peak)[0]
    error = mu_law(tf.constant(sound)).numpy() - sound
    assert low < level(sound) - level(error) < high


def test_a_telephone_carries_300_to_3400_hz_and_nothing_above_4_khz(draw):
    noise = 0.1 * np.random.default_rng(0).normal(size=(BATCH, SAMPLES)).astype(np.float32)
    power = spectrum(telephone(noise, draw, 1.0)).mean(axis=0) / spectrum(noise).mean(axis=0)
    gain = 10 * np.log10(power)
    np.testing.assert_allclose(gain[400:3200], 0, atol=1)
    assert gain[100:200].max() < -20
    assert gain[4001:].max() < -80


def test_a_telephones_error_is_that_of_8_bits(draw):
    sound = tone(1003, 0.5)
    error = telephone(sound, draw, 1.0).numpy() - sound
    np.testing.assert_allclose(level(sound) - level(error), 38, atol=3)


def test_only_the_share_of_the_clips_is_telephoned(draw, clips):
    audio = tf.constant(clips / np.float32(32768))
    changed = (telephone(audio, draw, 0.05) != audio).numpy().any(axis=1)
    assert changed.sum() == 2  # 1.6, rounded up


def test_gain_lies_between_its_limits(noise):
    clips = (tone() * 32768).astype(np.int16)
    gain = level(augmented(clips, noise, only(gain_db=(-20.0, 0.0)))) - level(tone())
    assert -20.1 <= gain.min() < -14
    assert -6 < gain.max() <= 0.1


def test_gain_leaves_the_level_of_silence(noise):
    silence, zeros = np.ones(BATCH, bool), np.zeros((BATCH, SAMPLES), np.int16)
    plain = augmented(zeros, noise, OFF, silence=silence)
    found = augmented(zeros, noise, only(gain_db=(-20.0, -20.0)), silence=silence)
    np.testing.assert_allclose(found, plain, atol=1e-6)


def test_masks_hide_whole_rows_and_columns_up_to_their_size():
    log_mel = np.random.default_rng(0).normal(size=(64, 50, 40)).astype(np.float32)
    settings = only(time_masks=1, time_mask_frames=5, mel_masks=1, mel_mask_bands=4)
    found = mask_spectrogram(log_mel, (0, 1), settings).numpy()
    hidden = found != log_mel
    frames, bands = hidden.all(axis=2).sum(axis=1), hidden.all(axis=1).sum(axis=1)
    assert (frames.max(), bands.max()) == (5, 4)
    assert frames.min() == 0
    whole = hidden.all(axis=2)[:, :, None] | hidden.all(axis=1)[:, None, :]
    np.testing.assert_array_equal(hidden, whole)


def test_mixup_weighs_the_targets_as_it_weighs_the_clips(draw):
    # Each clip is its own place in the batch, so that its weights can be read from the result.
    clips = np.repeat(np.eye(BATCH, dtype=np.float32), 10, axis=1)
    labels = np.random.default_rng(0).integers(0, 12, BATCH)
    wanted = np.eye(12, dtype=np.float32)[labels]
    audio, targets = mixup(clips, wanted, draw, only(mixup_share=1, mixup_alpha=1))
    weights = audio.numpy()[:, ::10]
    np.testing.assert_allclose(targets, weights @ wanted, atol=1e-6)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    own = np.diag(weights)
    np.testing.assert_allclose(weights[np.arange(BATCH), np.arange(BATCH) - 1], 1 - own, atol=1e-6)
    assert own.min() < 0.2
    assert own.max() > 0.8


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1.0, 4.0])
def test_the_weights_of_mixup_have_the_variance_of_beta(alpha):
    weights = Draw(SEED, 20000).beta("weight", alpha).numpy()
    assert np.isfinite(weights).all()
    assert weights.mean() == pytest.approx(0.5, abs=0.02)
    assert weights.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.05)


def test_mixup_leaves_all_but_its_share(draw):
    batch = np.random.default_rng(0).normal(size=(BATCH, 100)).astype(np.float32)
    found, _ = mixup(batch, np.eye(BATCH, dtype=np.float32), draw, only(mixup_share=0.5))
    assert 0.25 < (found.numpy() == batch).all(axis=1).mean() < 0.75


def test_the_picture_shows_every_augmentation(samples, tmp_path):
    path = tmp_path / "augmentation.png"
    sounds = sorted(samples.glob("*16k*.wav"))[:2]
    main([*map(str, sounds), "--out", str(path)])
    picture = matplotlib.image.imread(path)[..., :3]
    rows, columns = picture.shape[0] // 3, picture.shape[1] // 4
    cells = [
        picture[i * rows : (i + 1) * rows, j * columns : (j + 1) * columns]
        for i in range(3)
        for j in range(4)
    ]
    first = cells[0][rows // 2 : rows * 5 // 6]  # the spectrogram before
    for cell in cells[1:]:
        assert np.abs(cell[rows // 2 : rows * 5 // 6] - first).mean() > 0.002
