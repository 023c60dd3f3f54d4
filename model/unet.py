"""The U-Net, readable from top to bottom: one topology, filled with float or with quantised layers.

Every convolution has the name that it keeps in the QONNX file, the integer graph and the hardware:
``enc{l}_conv{0,1}``, ``bottleneck_conv{0,1}``, ``up{l}``, ``dec{l}_conv{0,1}``, ``head``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from quantunet.model import quantizers as q
from quantunet.model.config import LayerShape, UNetConfig, WeightRange
from quantunet.model.learned_range import LearnedWidth


class FloatConv(nn.Module):
    """Float counterpart of ``quantizers.QuantConv``: convolution, BatchNorm after a 3x3, ReLU after a 3x3."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__()
        self.conv: nn.Conv2d | nn.ConvTranspose2d
        if kernel == 2:
            self.conv = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
        else:
            self.conv = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=kernel == 1)
        self.norm = nn.BatchNorm2d(out_channels) if kernel == 3 else None

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, normalise, rectify."""
        y: Tensor = self.conv(x)
        return y if self.norm is None else torch.relu(self.norm(y))

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight and bias with the BatchNorm's running statistics folded in, in the layout of ``conv``."""
        weight = self.conv.weight.detach()
        if self.norm is None:
            assert self.conv.bias is not None
            return weight, self.conv.bias.detach()
        mean, variance = self.norm.running_mean, self.norm.running_var
        assert mean is not None
        assert variance is not None
        gain = self.norm.weight.detach() / torch.sqrt(variance + self.norm.eps)
        return weight * gain[:, None, None, None], self.norm.bias.detach() - mean * gain


class FloatJoin(nn.Module):
    """Float counterpart of ``quantizers.QuantJoin``."""

    def forward(self, skip: Tensor, up: Tensor) -> Tensor:
        """Channels of ``skip`` first, then those of ``up``."""
        return torch.cat([skip, up], dim=1)


class UNet(nn.Module):
    """A U-Net from an image to logits.

    Args:
        config: Its shape.
        conv: Makes one convolution with all that belongs to it.
        join: Makes one concatenation of a skip connection.
        image: What the image goes through first.
    """

    def __init__(
        self,
        config: UNetConfig,
        conv: Callable[[LayerShape], nn.Module],
        join: Callable[[], nn.Module],
        image: nn.Module,
    ) -> None:
        super().__init__()
        self.config = config
        self.image = image
        self.convs = nn.ModuleDict({shape.name: conv(shape) for shape in config.conv_layers()})
        self.joins = nn.ModuleDict({f"skip{level}": join() for level in range(config.depth)})
        self.pool = nn.MaxPool2d(2)

    def logits(self, image: Tensor) -> Tensor:
        """The network up to its last quantizer.

        Args:
            image: ``(batch, in_channels, height, width)`` float, values ``byte / 256``.

        Returns:
            ``(batch, out_channels, height, width)``; a QuantTensor where the layers are quantised.
        """
        x = self.image(image)
        skips = []
        for level in range(self.config.depth):
            x = self._double(f"enc{level}", x)
            skips.append(x)
            x = self.pool(x)
        x = self._double("bottleneck", x)
        for level in reversed(range(self.config.depth)):
            up = self.convs[f"up{level}"](x)
            x = self.joins[f"skip{level}"](skips[level], up)
            x = self._double(f"dec{level}", x)
        return self.convs["head"](x)  # type: ignore[no-any-return]

    def forward(self, image: Tensor) -> Tensor:
        """Logits as a plain tensor ``(batch, out_channels, height, width)``.

        Of one channel the mask is where they are not negative, of several the class is the one with the greatest.
        """
        y = self.logits(image)
        return y if isinstance(y, Tensor) else y.value

    def _double(self, stem: str, x: Tensor) -> Tensor:
        return self.convs[f"{stem}_conv1"](self.convs[f"{stem}_conv0"](x))  # type: ignore[no-any-return]


def float_unet(config: UNetConfig) -> UNet:
    """The float network, with a BatchNorm after each 3x3 convolution."""
    return UNet(
        config,
        conv=lambda shape: FloatConv(shape.in_channels, shape.out_channels, shape.kernel),
        join=FloatJoin,
        image=nn.Identity(),
    )


def quant_unet(config: UNetConfig, weight_range: WeightRange = "largest") -> UNet:
    """The quantised network, every learned width at 8 bits; its activation scales are not set yet.

    Args:
        config: Its shape.
        weight_range: What the ranges of its weights follow; see ``TrainConfig``.
    """

    def conv(shape: LayerShape) -> nn.Module:
        if shape.transpose:
            activation = None  # the skip's shared quantizer follows
        elif shape.name == "head":
            activation = q.logit_activation()
        else:
            activation = q.unsigned_activation()
        return q.QuantConv(shape.in_channels, shape.out_channels, shape.kernel, activation, weight_range)

    return UNet(config, conv=conv, join=q.QuantJoin, image=q.byte())


@torch.no_grad()
def random_start(model: UNet) -> None:
    """Give a float network random weights that keep the size of what goes through it, as no BatchNorm will.

    The initialisation of He et al. (arXiv 1502.01852). The network's BatchNorm has learned nothing and changes nothing.
    """
    for layer in model.convs.values():
        conv = cast(FloatConv, layer).conv
        reads = conv.weight[:, 0] if isinstance(conv, nn.ConvTranspose2d) else conv.weight[0]
        # A transpose convolution of stride 2 writes each pixel once: of its kernel each reads one weight a channel.
        count = len(reads) if isinstance(conv, nn.ConvTranspose2d) else reads.numel()
        rectified = cast(FloatConv, layer).norm is not None
        conv.weight.normal_(0.0, ((2.0 if rectified else 1.0) / count) ** 0.5)
        if conv.bias is not None:
            conv.bias.zero_()


@torch.no_grad()
def copy_folded(source: UNet, target: UNet) -> None:
    """Copy a float network into a quantised one, BatchNorm folded."""
    for name, layer in source.convs.items():
        weight, bias = cast(FloatConv, layer).folded()
        conv = cast(q.QuantConv, target.convs[name]).conv
        conv.weight.copy_(weight)
        conv.bias.copy_(bias)


def output_quantizer(model: UNet, name: str) -> nn.Module:
    """The Brevitas activation that quantises what convolution ``name`` computes."""
    if name.startswith("up"):
        return cast(q.QuantJoin, model.joins[f"skip{name.removeprefix('up')}"]).quant
    activation = cast(q.QuantConv, model.convs[name]).activation
    assert activation is not None
    return activation


def width_offsets(model: UNet) -> list[Tensor]:
    """The trainable offset behind each width: for each convolution that of its weights, then that of its output."""
    return [
        offset
        for name, layer in model.convs.items()
        for offset in (
            q.weight_offset(cast(q.QuantConv, layer).conv),
            q.activation_offset(output_quantizer(model, name)),
        )
    ]


def widths(model: UNet) -> dict[str, tuple[Tensor, Tensor]]:
    """Learned widths, with their gradient.

    Returns:
        For each convolution its weight width and the width of its output (for ``up{l}`` that of the skip's quantizer).
    """
    bits = LearnedWidth.apply(torch.stack(width_offsets(model))).unbind()  # type: ignore[no-untyped-call]
    return dict(zip(model.convs, zip(bits[::2], bits[1::2], strict=True), strict=True))


def widths_as_int(model: UNet) -> dict[str, tuple[int, int]]:
    """``widths`` as plain integers."""
    return {name: (int(w.item()), int(a.item())) for name, (w, a) in widths(model).items()}
