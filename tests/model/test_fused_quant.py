"""The fused quantizer has the values and the gradients of Brevitas' own, in every memory format."""

import pytest
import torch
from brevitas.core.quant.int_base import IntQuant
from torch import nn

from quantunet.model import fused_quant
from quantunet.model import quantizers as q
from quantunet.model.config import UNetConfig
from quantunet.model.fused_quant import FusedIntQuant, FusedQuantise
from quantunet.model.learned_range import LearnedIntQuant
from quantunet.model.unet import quant_unet


@pytest.fixture(params=["compiled", "plain"])
def kernels(request, monkeypatch):
    """Both ways in which the kernels run."""
    if request.param == "plain":
        monkeypatch.setattr(fused_quant, "kernels", lambda: (fused_quant.quantise, fused_quant.quantise_gradients))
    else:
        monkeypatch.setattr(fused_quant, "_WORTH_A_CALL", 0)
        assert fused_quant.kernels()[0] is not fused_quant.quantise


def _values(shape, seed=0):
    """Multiples of 1/64: sums of them are exact in float32, whatever their order."""
    return torch.randint(-128, 128, shape, generator=torch.Generator().manual_seed(seed)).float() / 64


def _brevitas(*, signed, narrow):
    return IntQuant(narrow_range=narrow, signed=signed, input_view_impl=nn.Identity())


def _gradients(quantizer, x, grad, bits):
    x = x.clone(memory_format=torch.preserve_format).requires_grad_()
    scale, width = torch.tensor(0.125, requires_grad=True), torch.tensor(float(bits), requires_grad=True)
    y = quantizer(scale, torch.tensor(0.0), width, x)
    y.backward(grad)
    return y.detach(), x.grad, scale.grad, width.grad


@pytest.mark.parametrize(("signed", "narrow"), [(True, True), (True, False), (False, False)])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_values_and_gradients_are_those_of_brevitas(kernels, signed, narrow, bits):
    fused = FusedIntQuant(narrow_range=narrow, signed=signed, input_view_impl=nn.Identity())
    x, grad = _values((2, 3, 8, 8)), _values((2, 3, 8, 8), 1)
    got = _gradients(fused, x, grad, bits)
    expected = _gradients(_brevitas(signed=signed, narrow=narrow), x, grad, bits)
    assert all(a.shape == b.shape for a, b in zip(got, expected, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(got[:3], expected[:3], strict=True))
    assert expected[2] != 0
    assert got[3].item() == pytest.approx(expected[3].item(), rel=1e-5)  # a power of two, in float32


@pytest.mark.parametrize("of_x", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("of_grad", [torch.channels_last, torch.contiguous_format])
def test_memory_formats(kernels, of_x, of_grad):
    plain = _gradients(_brevitas(signed=True, narrow=False), _values((2, 3, 4, 6)), _values((2, 3, 4, 6), 1), 3)
    fused = FusedIntQuant(narrow_range=False, signed=True, input_view_impl=nn.Identity())
    x, grad = _values((2, 3, 4, 6)).to(memory_format=of_x), _values((2, 3, 4, 6), 1).to(memory_format=of_grad)
    got = _gradients(fused, x, grad, 3)
    assert got[0].is_contiguous(memory_format=of_x)
    assert all(torch.equal(a, b) for a, b in zip(got[:3], plain[:3], strict=True))


def test_a_tensor_with_gaps_is_packed_first(kernels):
    x = _values((4, 8))[:, ::2]
    scale, low, high = torch.tensor(0.25), torch.tensor(0.0), torch.tensor(7.0)
    assert torch.equal(FusedQuantise.apply(x, scale, low, high), fused_quant.quantise(x, scale, low, high))


def test_bfloat16_holds_the_codes_of_8_bits(kernels):
    x = torch.arange(-300, 300).to(torch.bfloat16)
    y = FusedQuantise.apply(x, torch.tensor(1.0), torch.tensor(0.0), torch.tensor(255.0))
    assert y.dtype == torch.bfloat16
    assert torch.equal(y, x.clamp(0, 255))


def test_every_learned_quantizer_is_fused():
    model = quant_unet(UNetConfig(base=2, depth=1, size=8))
    learned = [module for module in model.modules() if isinstance(module, LearnedIntQuant)]
    assert len(learned) == len(list(q.width_parameters(model)))
    assert all(isinstance(module.int_quant, FusedIntQuant) for module in learned)


def test_few_values_are_not_worth_a_call(monkeypatch):
    called = []
    monkeypatch.setattr(fused_quant, "kernels", lambda: called.append(1) or (fused_quant.quantise, None))
    scale, low, high = torch.tensor(0.25), torch.tensor(0.0), torch.tensor(7.0)
    few, many = _values((fused_quant._WORTH_A_CALL - 1,)), _values((fused_quant._WORTH_A_CALL,))
    assert torch.equal(FusedQuantise.apply(few, scale, low, high), fused_quant.quantise(few, scale, low, high))
    assert not called
    FusedQuantise.apply(many, scale, low, high)
    assert called


def test_without_a_compiler_the_formulas_are_used(monkeypatch, caplog):
    monkeypatch.setattr(fused_quant.shutil, "which", lambda _: None)
    assert fused_quant.kernels.__wrapped__() == (fused_quant.quantise, fused_quant.quantise_gradients)
    assert "compiler" in caplog.text
