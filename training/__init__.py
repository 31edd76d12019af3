"""How a model is made: data, augmentation, the training loop, recipes, pictures."""
