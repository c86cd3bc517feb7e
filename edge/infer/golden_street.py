"""A street with two people and a car, drawn by whole numbers alone: the same picture on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# What the drawing is thought in; it is made in any size without a library's way of resizing having a say.
_WIDTH, _HEIGHT = 320, 240
_HORIZON = 130

Mask = NDArray[np.bool_]
Colour = tuple[int, int, int]


def draw_street(width: int, height: int) -> NDArray[np.uint8]:
    """(height, width, 3) RGB."""
    canvas = _Canvas(width, height)
    canvas.land()
    canvas.house(20, 50, 110, 140)
    canvas.car(150, 136)
    canvas.person(70, 92, 120, shirt=(40, 70, 150), trousers=(45, 45, 60))
    canvas.person(118, 110, 84, shirt=(190, 180, 60), trousers=(60, 50, 45))
    return np.ascontiguousarray(canvas.image.astype(np.uint8))


class _Canvas:
    """Places are in 320 x 240, whatever the picture's size."""

    def __init__(self, width: int, height: int) -> None:
        y, x = np.mgrid[0:height, 0:width].astype(np.int64)
        self.x, self.y = x * _WIDTH // width, y * _HEIGHT // height
        self.image = np.zeros((height, width, 3), np.int64)

    def paint(self, mask: Mask, colour: Colour) -> None:
        self.image[mask] = colour

    def box(self, left: int, top: int, right: int, bottom: int) -> Mask:
        found: Mask = (self.x >= left) & (self.x < right) & (self.y >= top) & (self.y < bottom)
        return found

    def oval(self, x: int, y: int, across: int, down: int) -> Mask:
        """Around a middle, by its two radii."""
        found: Mask = ((self.x - x) * down) ** 2 + ((self.y - y) * across) ** 2 <= (across * down) ** 2
        return found

    def land(self) -> None:
        y = self.y
        self.image[...] = np.stack([170 - y // 3, 190 - y // 4, 215 - y // 4], -1)
        ground = y > _HORIZON
        self.image[ground] = (95 + y // 8)[ground][:, None]

    def house(self, left: int, top: int, right: int, bottom: int) -> None:
        wall = self.box(left, top, right, bottom)
        across, down = (self.x - left) % 30, (self.y - top) % 30
        self.paint(wall, (150, 110, 90))
        self.paint(wall & (across > 8) & (across < 22) & (down > 8) & (down < 24), (60, 70, 90))

    def car(self, left: int, top: int) -> None:
        """From the side, 130 long and 68 high."""
        below = top + 26 - self.y  # how far above the doors' upper edge
        self.paint(self.oval(left + 65, top + 60, 72, 5), (60, 60, 60))
        body = self.box(left, top + 24, left + 130, top + 54)
        ends = self.oval(left + 10, top + 39, 16, 14) | self.oval(left + 122, top + 40, 16, 13)
        self.paint(body | ends, (180, 30, 30))
        roof = (self.y >= top) & (below > 0) & (self.x >= left + 22 + below // 2) & (self.x < left + 108 - below)
        self.paint(roof, (170, 28, 28))
        inside = (self.x >= left + 30 + below // 2) & (self.x < left + 100 - below)
        panes = ((self.x < left + 62) | (self.x > left + 67)) & (self.y >= top + 4) & (below > 2)
        self.paint(inside & panes, (40, 55, 70))
        for wheel in (left + 28, left + 104):
            self.paint(self.oval(wheel, top + 54, 14, 14), (20, 20, 20))
            self.paint(self.oval(wheel, top + 54, 7, 7), (170, 170, 175))
        self.paint(self.oval(left + 134, top + 36, 4, 5), (250, 240, 180))
        self.paint(self.oval(left - 3, top + 36, 3, 5), (120, 10, 10))
        self.paint(self.box(left, top + 40, left + 132, top + 42), (110, 15, 15))

    def person(self, x: int, top: int, height: int, *, shirt: Colour, trousers: Colour) -> None:
        def part(percent: int) -> int:
            return (percent * height + 50) // 100

        def oval(across: int, down: int, wide: int, high: int, colour: Colour) -> None:
            self.paint(self.oval(x + part(across), top + part(down), part(wide), part(high)), colour)

        def box(left: int, above: int, right: int, below: int, colour: Colour) -> None:
            self.paint(self.box(x + part(left), top + part(above), x + part(right), top + part(below)), colour)

        oval(0, 100, 16, 3, (70, 70, 70))
        for side in (-1, 1):
            box(6 * side - 5, 50, 6 * side + 5, 96, trousers)
            oval(7 * side, 97, 7, 3, (25, 20, 20))
        oval(0, 34, 14, 20, shirt)
        box(-12, 30, 12, 54, shirt)
        red, green, blue = (value * 17 // 20 for value in shirt)
        for side in (-1, 1):
            oval(15 * side, 36, 4, 17, (red, green, blue))
            oval(16 * side, 54, 4, 4, (215, 170, 140))
        box(-4, 12, 4, 19, (205, 160, 130))
        oval(0, 8, 7, 9, (220, 175, 145))
        oval(0, 4, 8, 6, (50, 35, 25))
