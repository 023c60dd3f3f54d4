"""When the beats of a convolution by constants move: the rules of ``qun_conv2d_constant.sv`` as recurrences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

_OUTPUT_STAGES = 3  # window, requantisation, output FIFO; beside the product
_SHALLOW = 16


class Wire(Protocol):
    """One stream: the cycles from which its beats are offered, and those in which they move."""

    offered: list[int]
    moved: list[int]


def credits_of(params: Mapping[str, int]) -> int:
    """Return the depth of the output FIFO: windows that may be taken before their beats leave."""
    return max(_SHALLOW, 1 << (params["SumLatency"] + 3).bit_length())


def ahead(params: Mapping[str, int]) -> int:
    """Return the pixels that may have come when a window is blocked, counted from that window's pixel.

    The window's own column and the one after it are fetched, each down to the pixel below it.
    """
    if params["Kernel"] == 1:
        return 0
    return 2 + (params["Width"] if params["Height"] > 1 else 0)


def schedule(params: Mapping[str, int], source: Wire, target: Wire) -> Iterator[None]:
    """Solve as many recurrences as the neighbours' times allow, and yield; again and again."""
    process = _Point if params["Kernel"] == 1 else _Window
    rules = process(params, source, target)
    while True:
        while rules.step():
            pass
        yield


class _Rules:
    def __init__(self, params: Mapping[str, int], source: Wire, target: Wire) -> None:
        self.height, self.width = params["Height"], params["Width"]
        self.pixels = self.height * self.width
        self.credits = credits_of(params)
        self.latency = params["SumLatency"] + _OUTPUT_STAGES
        self.source, self.target = source, target

    def credit(self, beat: int) -> int | None:
        """Return from when on there is a credit for a beat; ``None`` if that is not known yet."""
        if beat < self.credits:
            return 0
        left = self.target.moved
        return left[beat - self.credits] + 1 if beat - self.credits < len(left) else None


class _Point(_Rules):
    """1x1: a pixel comes when there is a credit."""

    def step(self) -> bool:
        """Solve one more recurrence, if it can be."""
        came = self.source.moved
        beat = len(came)
        credit = self.credit(beat)
        if beat >= len(self.source.offered) or credit is None:
            return False
        came.append(max(self.source.offered[beat], credit, came[-1] + 1 if came else 0))
        self.target.offered.append(came[-1] + self.latency)
        return True


class _Window(_Rules):
    """3x3: columns are fetched, move to the middle of the window, and the window is taken."""

    def __init__(self, params: Mapping[str, int], source: Wire, target: Wire) -> None:
        super().__init__(params, source, target)
        self.fetched: list[int] = []
        self.moved: list[int] = []
        self.taken: list[int] = []

    def step(self) -> bool:
        """Solve one more recurrence of each kind, if it can be."""
        steps = [self._load(), self._fetch(), self._move(), self._take()]
        return any(steps)

    def _offered(self, pixel: int) -> int | None:
        came = self.source.moved
        if pixel >= len(self.source.offered):
            return None
        return max(self.source.offered[pixel], came[-1] + 1 if came else 0)

    def _load(self) -> bool:
        """A pixel of a frame's first row comes when its column of the last row before it is fetched, or later."""
        pixel = len(self.source.moved)
        frame, place = divmod(pixel, self.pixels)
        if self.height == 1 or place >= self.width:
            return False
        above = frame * self.pixels - self.width + place
        earliest = self._offered(pixel)
        if earliest is None or (frame and above >= len(self.fetched)):
            return False
        self.source.moved.append(max(earliest, self.fetched[above]) if frame else earliest)
        return True

    def _fetch(self) -> bool:
        """A column is fetched when the one before it has moved or moves, and the pixel below it comes."""
        column = len(self.fetched)
        if len(self.moved) < column:
            return False
        earliest = max(self.moved[-1], self.fetched[-1] + 1) if column else 0
        below = self.width if self.height > 1 else 0
        if self.height == 1 or column % self.pixels < self.pixels - self.width:
            offered = self._offered(column + below)
            if len(self.source.moved) != column + below or offered is None:
                return False
            earliest = max(earliest, offered)
            self.source.moved.append(earliest)
        self.fetched.append(earliest)
        return True

    def _move(self) -> bool:
        column = len(self.moved)
        if column >= len(self.fetched) or len(self.taken) < column:
            return False
        self.moved.append(max(self.fetched[column] + 1, self.taken[-1] if column else 0))
        return True

    def _take(self) -> bool:
        """A window is taken when its column is in the middle, the next one of its row is fetched, and with a credit."""
        beat = len(self.taken)
        row_ends = beat % self.width == self.width - 1
        credit = self.credit(beat)
        if beat >= len(self.moved) or credit is None or (not row_ends and beat + 1 >= len(self.fetched)):
            return False
        cycle = max(self.moved[beat] + 1, credit, 0 if row_ends else self.fetched[beat + 1] + 1)
        self.taken.append(cycle)
        self.target.offered.append(cycle + self.latency)
        return True
