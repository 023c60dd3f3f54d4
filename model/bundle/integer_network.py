"""An integer network as a torch module, bit for bit. Needs torch alone: this file is a part of every bundle.

Every tensor is int64, ``(images, channels, height, width)``. Sums of products are computed in float64, which holds
every integer up to 2**53; a network with greater ones was refused when the bundle was written. The structure of the
network stands in a JSON file, its integers in a state dictionary.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

FORMAT = "quantunet-torch-1"
"""What the structure's file says that it is."""

Entry = Mapping[str, Any]
"""A table of the structure's JSON."""

_MOST_LEFT, _MOST_RIGHT = 16, 62  # a shift beyond gives the same integers


def rounded(values: Tensor, shift: int) -> Tensor:
    """Return ``values / 2**shift``, rounded half to even; a negative shift multiplies."""
    if shift <= 0:
        return values << -shift
    return (values + ((1 << (shift - 1)) - 1) + ((values >> shift) & 1)) >> shift


class Layer(nn.Module):
    """One layer: arrays of its entry are buffers, all else stands in ``entry``.

    Args:
        entry: The layer in the structure.
        sources: The types of the tensors that it reads.
        target: The type of the tensor that it writes.
    """

    def __init__(self, entry: Entry, sources: Sequence[Entry], target: Entry) -> None:
        super().__init__()
        self.entry = {name: value for name, value in entry.items() if not is_array(value)}
        self.sources, self.target = sources, target
        for name, value in entry.items():
            if is_array(value):
                self.register_buffer(name, torch.zeros(value["shape"], dtype=getattr(torch, value["dtype"])))

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the greatest integer of the output's type."""
        bits = self.target["bits"]
        return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if self.target["signed"] else (0, (1 << bits) - 1)

    def requantised(self, sums: Tensor, frac: int) -> Tensor:
        """Return sums with ``frac`` fractional bits in the output's type: rounded half to even, and saturated."""
        shift = min(max(frac - self.target["frac"], -_MOST_LEFT), _MOST_RIGHT)
        return rounded(sums, shift).clamp(*self.limits)

    def channels(self, name: str) -> Tensor:
        """Return a buffer with a value for each channel, int64, so that it meets a tensor."""
        return self.get_buffer(name).to(torch.int64)[:, None, None]


def is_array(value: object) -> bool:
    """Whether a value of the structure stands for an array of the state dictionary."""
    return isinstance(value, dict) and "dtype" in value


def products(x: Tensor, weight: Tensor, groups: int) -> Tensor:
    """Return the sums of products of one tap, exact as long as they stay below 2**53.

    This is a matrix product of float64 and no convolution of torch: some of those transform their inputs, and round.

    Args:
        x: float64 ``(images, channels_in, height, width)``.
        weight: float64 ``(channels_in / groups, channels_out)``.
        groups: Groups of channels that do not meet.
    """
    images, channels, height, width = x.shape
    rows = weight.reshape(channels // groups, groups, -1).permute(1, 2, 0)
    columns = x.reshape(images, groups, channels // groups, height * width)
    return (rows @ columns).reshape(images, -1, height, width)


class Conv2d(Layer):
    """Convolution with bias and requantisation."""

    def groups(self, x: Tensor) -> int:
        """Return how many groups of channels there are."""
        return int(self.entry["groups"])

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        weight, entry = self.get_buffer("weight").to(torch.float64), self.entry
        kernel_h, kernel_w = weight.shape[:2]
        if entry.get("padded", False):
            x = functional.pad(x, (kernel_w // 2, kernel_w // 2, kernel_h // 2, kernel_h // 2))
        (stride_h, stride_w), (step_h, step_w) = entry["stride"], entry["dilation"]
        height = (x.shape[2] - (kernel_h - 1) * step_h - 1) // stride_h + 1
        width = (x.shape[3] - (kernel_w - 1) * step_w - 1) // stride_w + 1
        values, groups = x.to(torch.float64), self.groups(x)
        sums = self.channels("bias").to(torch.float64)
        for dy in range(kernel_h):
            for dx in range(kernel_w):
                tap = values[:, :, dy * step_h :: stride_h, dx * step_w :: stride_w][:, :, :height, :width]
                sums = sums + products(tap, weight[dy, dx], groups)
        return self.requantised(sums.to(torch.int64), self.sources[0]["frac"] + entry["weight_type"]["frac"])


class DepthwiseConv2d(Conv2d):
    """Convolution of each channel by itself, without padding."""

    def groups(self, x: Tensor) -> int:
        """Return how many channels there are."""
        return x.shape[1]


class ConvTranspose2d(Layer):
    """Transpose convolution with bias and requantisation."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        weight, (stride_h, stride_w) = self.get_buffer("weight").to(torch.float64), self.entry["stride"]
        kernel_h, kernel_w, _, channels = weight.shape
        images, _, height, width = x.shape
        rows, columns = (height - 1) * stride_h + kernel_h, (width - 1) * stride_w + kernel_w
        full, values = x.new_zeros(images, channels, rows, columns, dtype=torch.float64), x.to(torch.float64)
        for dy in range(kernel_h):
            for dx in range(kernel_w):
                full[:, :, dy::stride_h, dx::stride_w][:, :, :height, :width] += products(values, weight[dy, dx], 1)
        top, left, bottom, right = self.entry["crop"]
        sums = full[:, :, top : rows - bottom, left : columns - right].to(torch.int64) + self.channels("bias")
        return self.requantised(sums, self.sources[0]["frac"] + self.entry["weight_type"]["frac"])


def windows(x: Tensor, entry: Entry) -> Tensor:
    """Return the windows that lie inside the image, their pixels as the last two axes."""
    return x.unfold(2, entry["kernel"][0], entry["stride"][0]).unfold(3, entry["kernel"][1], entry["stride"][1])


class MaxPool2d(Layer):
    """Maximum over windows."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        return windows(x, self.entry).amax(dim=(-2, -1))


class SumPool2d(Layer):
    """Exact sum over windows."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        return windows(x, self.entry).sum(dim=(-2, -1))


class Requant(Layer):
    """Requantisation to another type."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        return self.requantised(x, self.sources[0]["frac"])


class Affine(Layer):
    """General requantisation with constants of each channel."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        entry, upper = self.entry, x >= self.channels("split")
        multiplier = torch.where(upper, self.channels("multiplier"), self.channels("lower_multiplier"))
        offset = torch.where(upper, self.channels("offset"), self.channels("lower_offset"))
        sums, shift = x * multiplier + offset, entry["shift"]
        quotients = rounded(sums, shift) if entry["even"] else sums >> shift
        if not entry["wraps"]:
            return quotients.clamp(entry["low"], entry["high"])
        low, high = self.limits
        return ((quotients - low) & (high - low)) + low


class Concat(Layer):
    """Concatenation along the channels."""

    def forward(self, *legs: Tensor) -> Tensor:
        """Return the layer's output."""
        return torch.cat(legs, dim=1)


class Add(Layer):
    """Weighted sum of two tensors, requantised."""

    def forward(self, *legs: Tensor) -> Tensor:
        """Return the layer's output."""
        fracs = [source["frac"] for source in self.sources]
        finest = max(fracs)
        first, second = (
            gain * (leg << (finest - frac)) for gain, leg, frac in zip(self.entry["gains"], legs, fracs, strict=True)
        )
        return self.requantised(first + second, finest)


class Multiply(Layer):
    """Exact product of two tensors, or of one and a gate of one channel."""

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the layer's output."""
        return first * second


class Maximum(Layer):
    """The greater of two tensors, value by value."""

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the layer's output."""
        return torch.maximum(first, second)


class ResizeNearest(Layer):
    """Each pixel repeated."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        rows, columns = self.entry["factor"]
        return x.repeat_interleave(rows, dim=2).repeat_interleave(columns, dim=3)


class ResizeBilinear(Layer):
    """Twice the size, linear between the centres of pixels, edges repeated: four times the value an axis."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        for axis in (axis for axis in (2, 3) if self.entry["factor"][axis - 2] == 2):
            last = x.shape[axis] - 1
            places = torch.arange(last + 1, device=x.device)
            before = x.index_select(axis, (places - 1).clamp(min=0)) + 3 * x
            after = 3 * x + x.index_select(axis, (places + 1).clamp(max=last))
            x = torch.stack([before, after], dim=axis + 1).flatten(axis, axis + 1)
        return x


class DepthToSpace(Layer):
    """Channels become pixels."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        (rows, columns), (images, channels, height, width) = self.entry["block"], x.shape
        blocks = x.reshape(images, rows, columns, channels // (rows * columns), height, width)
        return blocks.permute(0, 3, 4, 1, 5, 2).reshape(images, -1, height * rows, width * columns)


class Pad(Layer):
    """Pixels of one constant around the image."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        top, left, bottom, right = self.entry["sides"]
        return functional.pad(x, (left, right, top, bottom), value=self.entry["value"])


class Crop(Layer):
    """The image without some rows and columns at its sides."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        top, left, bottom, right = self.entry["sides"]
        return x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]


class Argmax(Layer):
    """The channel of the greatest value, the first of equals."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        return first_greatest(x)


def first_greatest(x: Tensor) -> Tensor:
    """Return the channel of the greatest value of each pixel, the first of equals, ``(images, 1, height, width)``."""
    places = torch.arange(x.shape[1], device=x.device)[:, None, None]
    return torch.where(x == x.amax(dim=1, keepdim=True), places, x.shape[1]).amin(dim=1, keepdim=True)


class Lookup(Layer):
    """Any function of one value, by table."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        source = self.sources[0]
        least = -(1 << (source["bits"] - 1)) if source["signed"] else 0
        return self.get_buffer("table").to(torch.int64)[x - least]


class SmallestArea(Layer):
    """A mask, empty where its foreground is too small."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        return torch.where(x.sum(dim=(1, 2, 3), keepdim=True) >= self.entry["area"], x, 0)


LAYERS: Mapping[str, type[Layer]] = {
    "conv2d": Conv2d,
    "conv_transpose2d": ConvTranspose2d,
    "depthwise_conv2d": DepthwiseConv2d,
    "maxpool2d": MaxPool2d,
    "sumpool2d": SumPool2d,
    "requant": Requant,
    "affine": Affine,
    "concat": Concat,
    "add": Add,
    "multiply": Multiply,
    "maximum": Maximum,
    "resize_nearest": ResizeNearest,
    "resize_bilinear": ResizeBilinear,
    "depth_to_space": DepthToSpace,
    "pad": Pad,
    "crop": Crop,
    "argmax": Argmax,
    "lookup": Lookup,
    "smallest_area": SmallestArea,
}
"""The module of every op."""


class IntegerNetwork(nn.Module):
    """The network: pictures in, the class of each pixel out.

    Args:
        structure: The JSON file with the network's layers.
        weights: The file with the state dictionary; nothing but tensors is ever unpickled.

    Raises:
        ValueError: The structure is of another format.
        RuntimeError: The state dictionary is that of another network.
    """

    def __init__(self, structure: str | Path, weights: str | Path) -> None:
        super().__init__()
        content = json.loads(Path(structure).read_text(encoding="utf-8"))
        if content.get("format") != FORMAT:
            message = f"{structure}: expected a network in the format {FORMAT}, got {content.get('format')!r}"
            raise ValueError(message)
        self.input: str = content["input"]
        self.decision: Entry = content["decision"]
        self.tensor_types: Mapping[str, Entry] = {entry["name"]: entry for entry in content["tensors"]}
        self.wiring = [(entry["inputs"], entry["output"]) for entry in content["nodes"]]
        types = {name: entry["qtype"] for name, entry in self.tensor_types.items()}
        self.layers = nn.ModuleList(
            LAYERS[entry["op"]](entry, [types[name] for name in entry["inputs"]], types[entry["output"]])
            for entry in content["nodes"]
        )
        table = content["pixel_table"]
        self.register_buffer("pixel_table", torch.zeros(table["shape"], dtype=getattr(torch, table["dtype"])))
        self.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))

    def codes(self, image: Tensor) -> Tensor:
        """Return the integers that the network reads of pictures.

        Args:
            image: Floating point ``(images, channels, height, width)`` from 0 to 1, where 1 is the byte 255. A value
                between two bytes is that of the nearer one, a half that of the even one.

        Returns:
            int64 of the same shape.

        Raises:
            ValueError: The shape is another one, or a value lies outside.
        """
        height, width, channels = self.tensor_types[self.input]["shape"]
        if image.dim() != 4 or tuple(image.shape[1:]) != (channels, height, width):
            message = f"expected images of shape (N, {channels}, {height}, {width}), got {tuple(image.shape)}"
            raise ValueError(message)
        steps = image.as_subclass(Tensor).to(torch.float64) * 255
        if not bool(((steps >= 0) & (steps <= 255)).all()):
            message = "expected values from 0 to 1, where 1 is the byte 255, got others: divide a picture by 255"
            raise ValueError(message)
        places = torch.arange(channels, device=image.device)[:, None, None]
        return self.get_buffer("pixel_table").to(torch.int64)[places, steps.round().to(torch.int64)]

    def tensors(self, codes: Tensor) -> dict[str, Tensor]:
        """Return every tensor of the network by name, int64 ``(images, channels, height, width)``.

        Args:
            codes: What :meth:`codes` returns.
        """
        found = {self.input: codes}
        for layer, (inputs, output) in zip(self.layers, self.wiring, strict=True):
            found[output] = layer(*(found[name] for name in inputs))
        return found

    def classes(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """Return the class of each pixel, uint8 ``(images, 1, height, width)``; 1 is the foreground of a mask."""
        values, rule = tensors[self.decision["tensor"]], self.decision["rule"]
        if "gain" in self.decision:
            gain, offset = (values.new_tensor(self.decision[key])[:, None, None] for key in ("gain", "offset"))
            values = values * gain + offset
        if rule == "greatest":
            return first_greatest(values).to(torch.uint8)
        return (values > 0 if rule == "positive" else values >= 0).to(torch.uint8)

    def forward(self, image: Tensor) -> Tensor:
        """Return the class of each pixel of pictures; see :meth:`codes` and :meth:`classes`."""
        return self.classes(self.tensors(self.codes(image)))
