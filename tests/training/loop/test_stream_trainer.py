"""Training on scenes."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from speechgru.models import initial_state
from training.augmentation.random_draws import RandomDraws
from training.loop.network import build_preset, without_front_end
from training.loop.stream_trainer import StreamTrainer

SECONDS = 2


@pytest.fixture(scope="module")
def stream_recipe(family_recipe):
    return dataclasses.replace(family_recipe, scene_seconds=SECONDS, batch_size=8)


@pytest.fixture(scope="module")
def trainer(task, stream_recipe):
    trainer = StreamTrainer(task, stream_recipe)
    trainer.adapt(np.random.default_rng(0), batches=1)
    return trainer


def test_scenes_are_clips_one_after_another(task, plain_scenes):
    rows, labels = plain_scenes.draw(np.random.default_rng(0))
    audio, targets = plain_scenes.augmented(
        task.clips[rows], labels, RandomDraws((0, 0), len(rows))
    )
    spoken = (labels[:, 1:] != len(task.labels) - 1).any(axis=1)
    expected = task.clips[rows].reshape(len(rows), -1)[spoken] / np.float32(32768)
    np.testing.assert_allclose(audio.numpy()[spoken], expected, atol=1e-6)
    np.testing.assert_array_equal(targets.numpy().argmax(axis=2), labels[:, 1:])


@pytest.fixture(scope="module")
def plain_recipe(stream_recipe):
    augment = dataclasses.replace(
        stream_recipe.augment,
        **dict.fromkeys(["shift_ms", "speed_share", "noise_share", "reverb_share", "eq_db"], 0.0),
        **dict.fromkeys(["band_limit_share", "telephone_share"], 0.0),
        gain_db=(0.0, 0.0),
    )
    return dataclasses.replace(stream_recipe, augment=augment)


@pytest.fixture(scope="module")
def plain_scenes(task, plain_recipe):
    return StreamTrainer(task, plain_recipe)


def test_ends_of_windows_are_found_at_every_speed(trainer):
    hops = SECONDS * 25
    heard = (np.arange(hops, dtype=np.float32)[None] + 1) * 640
    source = np.concatenate([(heard - 16_000) * speed + 16_000 for speed in (1.0, 1.25, 0.8)])
    ends, is_in = trainer._ends_of_windows(tf.constant(source))
    np.testing.assert_array_equal(ends, [[24, 49], [24, 44], [24, 49]])
    np.testing.assert_array_equal(is_in, [[1, 1], [1, 1], [1, 0]])


def test_scenes_of_longer_windows_are_clips_one_after_another(task, plain_recipe):
    clips = np.pad(task.clips, ((0, 0), (3200, 3200)))
    trainer = StreamTrainer(dataclasses.replace(task, clips=clips), plain_recipe)
    rows, labels = trainer.draw(np.random.default_rng(0))
    assert (rows.shape, labels.shape) == ((8, 2), (8, 3))
    audio, _ = trainer.augmented(clips[rows], labels, RandomDraws((0, 0), len(rows)))
    spoken = (labels[:, 1:] != len(task.labels) - 1).any(axis=1)
    expected = clips[rows].reshape(len(rows), -1)[spoken] / np.float32(32768)
    np.testing.assert_allclose(audio.numpy()[spoken], expected, atol=1e-6)
    source = tf.constant((np.arange(70, dtype=np.float32)[None] + 1) * 640)
    ends, is_in = trainer._ends_of_windows(source)
    np.testing.assert_array_equal(ends, [[34, 69]])
    np.testing.assert_array_equal(is_in, [[1, 1]])
    network = trainer.networks[0]
    mfcc = trainer.front_end(audio)
    outputs = network.classifier({"mfcc": mfcc, **initial_state(network.classifier, len(rows))})
    first = network.eval_model(audio[:, : task.window + 6400])
    np.testing.assert_allclose(outputs["logits"][:, 34], first, atol=1e-4)


@pytest.mark.usefixtures("on_cpu")
def test_networks_learn_a_scene(trainer):
    batch = trainer.load(*trainer.draw(np.random.default_rng(1)))
    results = [trainer.step(*batch, number) for number in range(25)]
    losses = np.array([loss.numpy() for loss, _ in results])
    assert losses.shape == (25, 2)
    assert (losses[-5:].mean(axis=0) < 0.8 * losses[:3].mean(axis=0)).all()
    assert all((share.numpy() >= 0).all() and (share.numpy() <= 1).all() for _, share in results)
    assert trainer.traces == 1


@pytest.mark.usefixtures("on_cpu")
def test_xla_computes_the_same_losses(task, stream_recipe):
    recipe = dataclasses.replace(stream_recipe, students=())
    losses = []
    for compiled in (False, True):
        trainer = StreamTrainer(task, recipe, compiled=compiled)
        trainer.adapt(np.random.default_rng(0), batches=1)
        batch = trainer.load(*trainer.draw(np.random.default_rng(1)))
        losses.append(trainer.step(*batch, 0)[0].numpy())
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)


@pytest.mark.usefixtures("on_cpu")
def test_all_learn_from_the_mean_of_their_teachers_after_every_hop(task, stream_recipe):
    recipe = dataclasses.replace(stream_recipe, teaching=1.0, stream_weight=0.0)
    keras.utils.set_random_seed(7)
    teachers = [build_preset("small", task.labels, recipe.front_end) for _ in range(2)]
    for model in teachers:
        model.get_layer("logits").kernel.assign_add(np.full((1, 4), [[0, 0.1, -0.1, 0.2]]))
    trainer = StreamTrainer(task, recipe, teachers=teachers)
    rows, labels = trainer.draw(np.random.default_rng(1))
    seed = trainer._seed()
    features, _ = trainer._compute_features(*trainer.load(rows, labels), seed, 0, None)

    def probabilities(model):
        classifier = without_front_end(model, SECONDS)
        outputs = classifier({"mfcc": features, **initial_state(classifier, len(rows))})
        return keras.ops.softmax(outputs["logits"]).numpy()

    taught = np.mean([probabilities(model) for model in teachers], axis=0)
    expected = [
        np.mean(-np.sum(taught * np.log(probabilities(network.train_model)), axis=2))
        for network in trainer.networks
    ]
    losses, _ = trainer.step(*trainer.load(rows, labels), 0)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    for state in trainer._carried[len(trainer.networks) :]:  # they go on, too
        assert all(np.abs(value).max() > 0.1 for value in state.values())
