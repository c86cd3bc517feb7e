"""What cameras do to a picture: colour, exposure, dark, blur, noise. Shared by training and by the robustness table."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Image = NDArray[np.uint8]
_RAMP = np.arange(256, dtype=np.float32)


def recolour(image: Image, rng: Generator) -> Image:
    """Hue, saturation, contrast, brightness and gamma most of the time; grey now and then (infrared cameras)."""
    if rng.random() < 0.8:
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
        hue = ((_RAMP + rng.uniform(-8, 8)) % 180).astype(np.uint8)
        saturation = np.clip(_RAMP * rng.uniform(0.4, 1.6), 0, 255).astype(np.uint8)
        hsv = cv2.merge((cv2.LUT(hsv[..., 0], hue), cv2.LUT(hsv[..., 1], saturation), hsv[..., 2]))
        gamma, gain, shift = np.exp(rng.uniform(-0.35, 0.35)), rng.uniform(0.5, 1.5), rng.uniform(-35, 35)
        image = cv2.LUT(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), _curve(gamma, gain, shift))
    if rng.random() < 0.1:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return image


def damage(image: Image, rng: Generator) -> Image:
    """Each fault seldom, so that most pictures stay good; dark pictures come with their noise."""
    if rng.random() < 0.1:
        return darken(image, rng.uniform(0.12, 0.5), rng)
    if rng.random() < 0.08:
        image = blur(image, float(rng.uniform(0.5, 1.4)))
    elif rng.random() < 0.06:
        image = smear(image, int(rng.integers(3, 8)), float(rng.uniform(0, 180)))
    if rng.random() < 0.12:
        image = add_noise(image, rng.uniform(3, 14), rng)
    return image


def darken(image: Image, exposure: float, rng: Generator) -> Image:
    """A picture with this part of the light (0..1), the camera's gain raised half the way back, and its noise."""
    gain = exposure**0.5
    return add_noise(cv2.LUT(image, _curve(1.0, gain, 0.0)), 3.0 + 9.0 * (1 - exposure), rng)


def blur(image: Image, sigma: float) -> Image:
    """Out of focus; sigma in pixels."""
    return cv2.GaussianBlur(image, (0, 0), sigma)


def smear(image: Image, length: int, degrees: float) -> Image:
    """Moved during the exposure by so many pixels."""
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1.0
    middle = ((length - 1) / 2, (length - 1) / 2)
    kernel = cv2.warpAffine(kernel, cv2.getRotationMatrix2D(middle, degrees, 1.0), (length, length))
    return cv2.filter2D(image, -1, kernel / max(float(kernel.sum()), 1e-6))


def add_noise(image: Image, sigma: float, rng: Generator) -> Image:
    """The sensor's noise, normal, in grey levels."""
    noise = rng.standard_normal(image.shape, np.float32) * np.float32(sigma)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def _curve(gamma: float, gain: float, shift: float) -> Image:
    return np.clip(255 * (_RAMP / 255) ** gamma * gain + shift, 0, 255).astype(np.uint8)
