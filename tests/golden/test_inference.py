"""Whole networks: the fast path equals the plain formulas in every tensor, and images are checked."""

import numpy as np
import pytest

from quantunet import golden
from quantunet.compare import compare
from quantunet.errors import ImageError
from quantunet.random_network import random_image, random_unet


@pytest.mark.parametrize("seed", range(4))
def test_fast_equals_plain_in_every_tensor(seed: int) -> None:
    graph = random_unet(base=4, depth=3, size=16, seed=seed)
    image = random_image(graph, seed)
    plain, fast = golden.run(graph, image, plain=True), golden.run(graph, image)
    assert plain.keys() == fast.keys() == {tensor.name for tensor in graph.tensors}
    compared = 0
    for tensor in graph.tensors:
        result = compare(tensor.name, plain[tensor.name], fast[tensor.name])
        assert result.passed, f"{tensor.name}: {result.first}"
        assert plain[tensor.name].shape == tensor.shape
        assert plain[tensor.name].min() >= tensor.qtype.qmin
        assert plain[tensor.name].max() <= tensor.qtype.qmax
        compared += result.compared
    assert compared == sum(int(np.prod(tensor.shape)) for tensor in graph.tensors)


def test_mask_is_the_sign_of_the_logit_and_half_of_the_probability() -> None:
    graph = random_unet(seed=0)
    taps = golden.run(graph, random_image(graph))
    mask = golden.mask(graph, taps)
    assert mask.any()
    assert not mask.all()
    assert (mask == (taps["head_out"][:, :, 0] >= 0)).all()
    assert (mask == (taps["sigmoid_out"][:, :, 0] >= 128)).all()


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (np.zeros((32, 31), dtype=np.uint8), "32x32x1"),
        (np.zeros((32, 32), dtype=np.float32), "integers"),
        (np.full((32, 32), 256), "0..255"),
        (np.full((32, 32), -1), "0..255"),
    ],
)
def test_images_that_do_not_fit(image: np.ndarray, text: str) -> None:
    with pytest.raises(ImageError, match=text):
        golden.run(random_unet(), image)
