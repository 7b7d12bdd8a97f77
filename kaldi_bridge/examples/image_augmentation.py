"""Images in examples, shifted, mirrored and turned at random (nnet3bin/nnet3-egs-augment-image.cc).

An image is a matrix [width, height * channels], the channel changing fastest. A pixel (r, c) of the new image is that
at M (r, c, 1)' of the old one, between pixels by bilinear interpolation, where M is

    center  rotation  [-1 or 1, 0, shift;  0, 1, shift]  center^-1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.frame_examples import NnetExample
from kaldi_bridge.io.sparse import to_dense

NEGLIGIBLE = 1e-5  # a transform that differs from none by no more is none


@dataclass
class ImageOptions:
    """Kaldi's ImageAugmentationConfig."""

    num_channels: int = option(1, "Number of colors of the image: tells its height")
    horizontal_flip_prob: float = option(0.0, "Probability of mirroring left and right")
    horizontal_shift: float = option(0.0, "Largest horizontal shift, as a proportion of the width")
    vertical_shift: float = option(0.0, "Largest vertical shift, as a proportion of the height")
    rotation_degree: float = option(0.0, "Largest angle to turn the image by, in degrees")
    rotation_prob: float = option(0.0, "Probability of turning the image")
    fill_mode: str = option("nearest", "What is beyond the border: 'nearest' (its pixels) or 'reflect' (a mirror)")

    def check(self) -> None:
        """Raises KaldiError for values out of range."""
        if self.num_channels < 1:
            raise KaldiError(f"--num-channels={self.num_channels} must be at least 1")
        if self.fill_mode not in ("nearest", "reflect"):
            raise KaldiError(f"Choices for --fill-mode are 'nearest' or 'reflect', got: {self.fill_mode}")
        for name in ("horizontal_flip_prob", "horizontal_shift", "vertical_shift", "rotation_prob"):
            if not 0 <= getattr(self, name) <= 1:
                raise KaldiError(f"--{name.replace('_', '-')}={getattr(self, name):g} must be between 0 and 1")
        if not 0 <= self.rotation_degree <= 180:
            raise KaldiError(f"--rotation-degree={self.rotation_degree:g} must be between 0 and 180")


def augment_example(example: NnetExample, options: ImageOptions, random: CRandom) -> None:
    """Changes the image of an example, which is not compressed afterwards.

    Raises KaldiError when nothing in it is called "input", or its columns are not whole pixels.
    """
    images = [part for part in example.io if part.name == "input"]
    if not images:
        raise KaldiError("Nnet example to perturb had no NnetIo object named 'input'")
    for part in images:
        part.features = augmented(to_dense(part.features).astype(np.float32), options, random)


def augmented(image: np.ndarray, options: ImageOptions, random: CRandom) -> np.ndarray:
    """float32 [width, height * channels] after a random transform, the one that Kaldi would draw."""
    width, columns = image.shape
    if columns % options.num_channels:
        raise KaldiError(f"an image of {columns} columns cannot have --num-channels={options.num_channels}")
    height = columns // options.num_channels
    transform = random_transform(width, height, options, random)
    if np.abs(transform - np.eye(3, dtype=np.float32)).max() <= NEGLIGIBLE:
        return image
    center, back = np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32)
    center[:2, 2] = width / 2 - 0.5, height / 2 - 0.5
    back[:2, 2] = -center[:2, 2]
    pixels = image.reshape(width, height, options.num_channels)
    return transformed(pixels, center @ transform @ back, options.fill_mode == "reflect").reshape(image.shape)


def random_transform(width: int, height: int, options: ImageOptions, random: CRandom) -> np.ndarray:
    """float32 [3, 3], about the center of the image; shifts are whole pixels."""
    shift, rotation = np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32)
    for axis, (most, size) in enumerate(((options.horizontal_shift, width), (options.vertical_shift, height))):
        drawn = np.float32((2.0 * float(random.uniforms(1)[0]) - 1.0) * float(np.float32(most)) * size)
        shift[axis, 2] = math.copysign(math.floor(abs(float(drawn)) + 0.5), drawn)  # halves away from zero
    if random.with_prob(options.horizontal_flip_prob):
        shift[0, 0] = -1.0
    if random.uniforms(1)[0] <= np.float32(options.rotation_prob):
        degree = np.float32(options.rotation_degree)
        angle = np.float32(float(2 * degree * random.uniforms(1)[0] - degree) / 180.0 * math.pi)
        rotation[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return rotation @ shift


def transformed(pixels: np.ndarray, transform: np.ndarray, reflect: bool) -> np.ndarray:
    """float32 [width, height, channels], read from ``pixels`` where the affine ``transform`` [3, 3] leads."""
    width, height, _ = pixels.shape
    at = transform.astype(np.float32)[:2, :2] @ np.indices((width, height), np.float32).reshape(2, -1)
    at += transform.astype(np.float32)[:2, 2:]
    low = np.floor(at).astype(np.int64)
    beyond = at - np.floor(at)
    inside = _reflected if reflect else _nearest
    result = np.zeros((width * height, pixels.shape[2]), np.float32)
    for r, c in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = (beyond[0] if r else 1 - beyond[0]) * (beyond[1] if c else 1 - beyond[1])
        found = pixels[inside(low[0] + r, width), inside(low[1] + c, height)]
        result += weight.astype(np.float32)[:, None] * found
    return result.reshape(pixels.shape)


def _nearest(index: np.ndarray, size: int) -> np.ndarray:
    return index.clip(0, size - 1)


def _reflected(index: np.ndarray, size: int) -> np.ndarray:
    """The border pixel stands once, as often as needed there and back."""
    period = max(2 * size - 2, 1)
    folded = index % period
    return np.minimum(folded, period - folded) if size > 1 else np.zeros_like(index)
