"""Tests of training/loop/trainer.py: the losses, distillation and carried states of one step."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from training.augmentation.random_draws import RandomDraws
from training.loop.devices import Device
from training.loop.network import build_preset
from training.loop.trainer import Trainer
from training.recipes.recipe import RecipeError


def test_scaling_makes_augmented_features_standard(task, recipe):
    trainer = Trainer(task, recipe)
    rng = np.random.default_rng(0)
    trainer.adapt(rng)
    rows, labels = trainer.draw(rng)
    audio, _ = trainer.augmented(task.clips[rows], labels, RandomDraws((0, 0), len(rows)))
    scaled = trainer.networks[0].eval_model.get_layer("scale")(trainer.front_end(audio)).numpy()
    assert np.abs(scaled.mean(axis=(0, 1))).max() < 0.5
    assert 0.5 < scaled.std(axis=(0, 1)).min() < scaled.std(axis=(0, 1)).max() < 1.6


@pytest.mark.usefixtures("on_cpu")
def test_a_teacher_learns_as_it_would_without_students(task, recipe, family_recipe):
    weights = []
    for own in (recipe, family_recipe):
        trainer = Trainer(task, own)
        rows, labels = trainer.draw(np.random.default_rng(1))
        trainer.adapt(np.random.default_rng(2), batches=1)
        for number in range(3):
            trainer.step(*trainer.load(rows, labels), number)
        weights.append(trainer.networks[0].eval_model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def augmented(trainer, rows, labels):
    """Audio and targets of the first step, by a graph, as the step has it: eagerly they differ."""

    def augment(clips, labels, number):
        draws = RandomDraws((trainer.recipe.seed, number), len(rows))
        return trainer.augmented(clips, labels, draws)

    clips = trainer.task.clips[rows]
    return tf.function(augment)(clips, tf.constant(labels), tf.constant(0))


def test_a_student_learns_from_labels_and_teacher_by_their_weights(task, family_recipe):
    teaching = 0.25
    recipe = dataclasses.replace(family_recipe, teaching=teaching)
    trainer = Trainer(task, recipe)
    rows, labels = trainer.draw(np.random.default_rng(0))
    audio, targets = augmented(trainer, rows, labels)
    features = trainer.front_end(audio)
    shares = recipe.unknown_share, recipe.silence_share
    command = (1 - sum(shares)) / 2
    prior = np.log([command, command, *shares])  # the loss is on logits with these added
    classifiers = [
        keras.Model(n.train_model.get_layer("mfcc").output, n.train_model.output)
        for n in trainer.networks
    ]
    logits = [own(features) + prior.astype(np.float32) for own in classifiers]
    logs = [np.asarray(keras.ops.log_softmax(own), float) for own in logits]
    target = (1 - teaching) * np.asarray(targets) + teaching * np.exp(logs[0])
    expected = [-np.sum(t * g, axis=1).mean() for t, g in ((targets, logs[0]), (target, logs[1]))]
    losses, _ = trainer.step(*trainer.load(rows, labels), 0)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)


def test_all_learn_from_the_mean_of_their_teachers(task, family_recipe):
    teaching = 0.25
    recipe = dataclasses.replace(family_recipe, teaching=teaching)
    keras.utils.set_random_seed(7)
    teachers = [build_preset(p, task.labels, recipe.front_end) for p in ("residual", "small")]
    for model in teachers:
        model.get_layer("logits").kernel.assign_add(np.full((1, 4), [[0, 0.1, -0.1, 0.2]]))
    trainer = Trainer(task, recipe, teachers=teachers)
    rows, labels = trainer.draw(np.random.default_rng(0))
    audio, targets = augmented(trainer, rows, labels)
    taught = [keras.ops.softmax(model(audio) + trainer.prior) for model in teachers]
    assert np.abs(taught[0] - taught[1]).max() > 0.05
    target = (1 - teaching) * np.asarray(targets) + teaching * np.mean(taught, axis=0)
    predictions = [n.train_model(audio) + trainer.prior for n in trainer.networks]
    expected = [
        np.mean(keras.ops.categorical_crossentropy(target, guess, from_logits=True))
        for guess in predictions
    ]
    before = [model.get_weights() for model in teachers]
    losses, _ = trainer.step(*trainer.load(rows, labels), 0)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    for model, weights in zip(teachers, before, strict=True):
        for one, other in zip(weights, model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_clips_go_on_from_the_state_of_the_step_before(share, task, recipe):
    recipe = dataclasses.replace(recipe, state_carry_probability=share)
    trainer = Trainer(task, recipe)
    (network,) = trainer.networks
    rows, labels = trainer.draw(np.random.default_rng(0))
    trainer.step(*trainer.load(rows, labels), 0)
    for number in (1, recipe.steps):
        (state,) = trainer._carried
        assert all(np.abs(value).max() > 0.1 for value in state.values())
        if not share or number == recipe.steps:  # the first step of an epoch
            state = {name: keras.ops.zeros(value.shape) for name, value in state.items()}
        draws = RandomDraws((recipe.seed, number), len(rows))
        audio, targets = trainer.augmented(task.clips[rows], labels, draws)
        logits = network.classifier({"mfcc": trainer.front_end(audio), **state})["logits"]
        logits += trainer.prior
        expected = keras.ops.categorical_crossentropy(targets, logits, from_logits=True)
        losses, _ = trainer.step(*trainer.load(rows, labels), number)
        np.testing.assert_allclose(losses, [np.mean(expected)], rtol=1e-4)


def losses_of(task, recipe, steps, **options):
    """The losses of a run's first steps."""
    trainer, rng = Trainer(task, recipe, **options), np.random.default_rng(0)
    with trainer.device.scope():
        trainer.adapt(rng, batches=1)
        batches = [trainer.load(*trainer.draw(rng)) for _ in range(steps)]
        losses = [trainer.step(*batch, number)[0] for number, batch in enumerate(batches)]
        return np.array([loss.numpy() for loss in losses])


CPU = Device("CPU", is_gpu=False, placed=True)


def test_compiled_steps_have_the_same_losses(task, recipe):
    changes = {"mixup_share": 0.3, "eq_db": 3, "reverb_share": 0.2, "telephone_share": 0.1}
    augment = dataclasses.replace(recipe.augment, **changes, time_masks=1)
    recipe = dataclasses.replace(recipe, augment=augment, batch_size=8)
    expected = losses_of(task, recipe, 10, device=CPU)
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(losses_of(task, recipe, 10, compiled=True), expected, rtol=1e-3)


@pytest.mark.gpu
@pytest.mark.skipif(not tf.config.list_physical_devices("GPU"), reason="there is no GPU")
@pytest.mark.parametrize("compiled", [False, True])
def test_the_losses_on_a_gpu_are_those_on_a_cpu(compiled, task, family_recipe):
    """They come apart slowly, by rounding. Tests run without TF32."""
    recipe = dataclasses.replace(family_recipe, learning_rate=1e-3)
    gpu = Device("GPU", is_gpu=True)
    expected = losses_of(task, recipe, 100, device=CPU)
    found = losses_of(task, recipe, 100, device=gpu, compiled=compiled)
    assert expected[-10:].mean() < 0.8 * expected[:10].mean()
    np.testing.assert_allclose(found[:10], expected[:10], rtol=1e-3)
    np.testing.assert_allclose(found, expected, rtol=0.05, atol=0.02)


def test_a_batch_that_cannot_be_split_over_the_devices_is_refused(task, recipe):
    class TwoDevices:
        num_replicas_in_sync = 2

    odd = dataclasses.replace(recipe, batch_size=31)
    with pytest.raises(RecipeError, match="`batch_size`: expected a multiple of the 2 devices"):
        Trainer(task, odd, strategy=TwoDevices())
