"""How a model leaves: conversion to one TFLite file, its check and its card."""
