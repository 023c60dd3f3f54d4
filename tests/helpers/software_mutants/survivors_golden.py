"""Mutants of golden that compute the same, and why."""

from __future__ import annotations

from helpers.software_mutants.survivor import Survivor

_OPS, _CORES, _MATRIX = "golden/ops", "golden/cores.py", "golden/matrix.py"
_FLOATS = "what comes of floats and integers is a float64 of the same value, which the float type of the sum holds"

_SHORTCUT = "a window as large as the image has a shortcut, which computes the same"
_INT64 = "they are int64 already"
_SLOWER = "the greater float type is exact too"
_SAME_ORDER = "the same numbers stand in the same order, and go to the same places"


_ONE_END = "no code is at both ends of its type"
_PIECES = "it says how a batch is cut into pieces, or shared among cores, which changes no value"

GOLDEN: tuple[Survivor, ...] = (
    Survivor("golden/fast.py", "module", _PIECES, ("8 → 9", "8 → 7")),
    Survivor(
        "golden/fast.py",
        "evaluate_images.compute",
        _PIECES,
        (
            "cores.alone() if len(images) >= cores.count else cores → cores.alone()",
            "len(images) >= cores.count → len(images) > cores.count",
        ),
    ),
    Survivor(
        "golden/fast.py",
        "_pieces",
        _PIECES,
        (
            "math.ceil(images / (cores * math.ceil(images / (cores * _PIECE_IMAGES)))) → "
            "math.floor(images / (cores * math.ceil(images / (cores * _PIECE_IMAGES))))",
            "cores * _PIECE_IMAGES → _PIECE_IMAGES",
        ),
    ),
    Survivor(
        "golden/masked.py",
        "with_smallest_area",
        "each image of a code has one pixel",
        ("masks[:, 0, 0] → masks[:, -1, 0]", "masks[:, 0, 0] → masks[:, 0, -1]"),
    ),
    Survivor(
        "golden/scratch.py",
        "Scratch.take",
        "memory of just that size is taken anew, and is as good",
        ("memory.size < size → memory.size <= size",),
    ),
    Survivor(
        "golden/taps.py",
        "save_taps",
        "it is for tensors of more than 2 GiB, which no test writes",
        tuple(
            f"archive.open(f'{{name}}.npy', 'w', force_zip64=True) → archive.open(f'{{name}}.npy', 'w'{more})"
            for more in ("", ", force_zip64=False")
        ),
    ),
    Survivor(
        "golden/histogram.py",
        "Histogram.saturated_share",
        _ONE_END,
        ("least | (self.codes == self.qtype.qmax) → least ^ (self.codes == self.qtype.qmax)",),
    ),
    Survivor(
        f"{_OPS}/add.py",
        "evaluate",
        "the first input is the default",
        ("graph.input_of(node, 0) → graph.input_of(node)",),
    ),
    Survivor(
        f"{_OPS}/add.py",
        "evaluate_batch",
        "both inputs have one shape",
        ("inputs[0] → inputs[1]", "inputs[0] → inputs[-1]"),
    ),
    Survivor(
        f"{_OPS}/affine.py",
        "evaluate_batch.compute",
        "where both branches are one, either way is right",
        ("one_branch → False",),
    ),
    Survivor(
        f"{_OPS}/conv2d.py",
        "accumulate",
        "a kernel with padding has one row and column, or three",
        tuple(f"kernel_{axis} // 2 → kernel_{axis} // 3{more}" for axis in "hw" for more in ("", " #2")),
    ),
    *(
        Survivor(
            f"{_OPS}/{op}.py",
            "accumulate",
            "biases are int64, and a sum with products has their shape",
            (
                f"np.broadcast_to(bias, (height, width, {channels})).astype(np.int64) → "
                f"np.broadcast_to(bias, (height, width, {channels}))",
                f"np.broadcast_to(bias, (height, width, {channels})) → bias",
            ),
        )
        for op, channels in (("conv2d", "channels"), ("depthwise_conv2d", "x.shape[2]"))
    ),
    Survivor(
        f"{_OPS}/conv2d.py",
        "_blocks",
        "weights are exact in float64, and converted to the layer's float type",
        (
            "np.zeros((kernel_h, kernel_w + together - 1, channels_in, together, channels_out), np.int64) → "
            "np.zeros((kernel_h, kernel_w + together - 1, channels_in, together, channels_out))",
        ),
    ),
    Survivor(f"{_OPS}/conv2d.py", "_parts", _SAME_ORDER, ("width // together → width",)),
    Survivor(
        f"{_OPS}/conv2d.py",
        "module",
        "a native kernel is square",
        ("node.weight.shape[0] → node.weight.shape[1]",),
    ),
    Survivor(
        f"{_OPS}/conv2d.py",
        "module",
        "blocks and shared windows change the way alone",
        (
            "Layout(lambda node: node.weight.shape[0], _blocks, _parts, split=True) → "
            "Layout(lambda node: node.weight.shape[0], _blocks, _parts, split=False)",
        ),
    ),
    Survivor(
        f"{_OPS}/conv_transpose2d.py",
        "_parts",
        _SAME_ORDER,
        ("width // 2 → width", "width // 2 → width // 1"),
    ),
    Survivor(
        f"{_OPS}/conv_transpose2d.py",
        "module",
        "the blocks are its rows, whatever is asked for",
        ("Layout(lambda node: 1, _blocks, _parts, split=False) → Layout(lambda node: 1, _blocks, _parts, split=True)",),
    ),
    Survivor(
        f"{_OPS}/conv_transpose2d.py",
        "evaluate_batch",
        "windows by phase are right for a native kernel too",
        ("node.native → False",),
    ),
    Survivor(
        f"{_OPS}/conv_transpose2d.py",
        "accumulate",
        "an end behind the image is its end",
        ("0 → -1 #3", "0 → -1 #4"),
    ),
    *(
        Survivor(f"{_OPS}/depthwise_conv2d.py", where, "there is one", ("weight[dy, dx, 0] → weight[dy, dx, -1]",))
        for where in ("accumulate", "evaluate_batch.compute")
    ),
    Survivor(
        f"{_OPS}/depthwise_conv2d.py",
        "evaluate_batch",
        "a product of a float and an integer is a float64 of the same value, which the float type of the sum holds",
        ("node.weight.array.astype(dtype) → node.weight.array",),
    ),
    *(
        Survivor(
            f"{_OPS}/lookup.py",
            where,
            "a negative index counts from the end: that of a signed type is 2**bits greater",
            (f"{index} - {qmin} → {index} + {qmin}",),
        )
        for where, index, qmin in (
            ("lookup", "x", "input_type.qmin"),
            ("evaluate_batch", "inputs[0].astype(np.intp)", "graph.input_of(node).qtype.qmin"),
        )
    ),
    Survivor(
        f"{_OPS}/lookup.py",
        "evaluate_batch",
        "where a code less qmin leaves its type it wraps, and counts from the end of a table of as many entries",
        ("inputs[0].astype(np.intp) → inputs[0]",),
    ),
    *(
        Survivor(
            f"{_OPS}/{op}.py",
            "evaluate_batch",
            _SHORTCUT,
            (
                "node.kernel == x.shape[1:3] → False",
                "1:3 → :3",
                "1:3 → 1:",
                *(f"x.shape[1:3] → x.shape[{each}]" for each in ("2:3", "0:3", "1:4", "1:2")),
            ),
        )
        for op in ("maxpool2d", "sumpool2d")
    ),
    Survivor(
        f"{_OPS}/multiply.py",
        "evaluate",
        "a product is the same in either order",
        ("multiply(inputs[0], inputs[1]) → multiply(inputs[1], inputs[0])",),
    ),
    Survivor(
        f"{_OPS}/multiply.py",
        "evaluate_batch",
        "a product is the same in either order",
        (
            "np.multiply(inputs[0], inputs[1], dtype=dtype, casting='unsafe') → "
            "np.multiply(inputs[1], inputs[0], dtype=dtype, casting='unsafe')",
        ),
    ),
    Survivor(
        f"{_OPS}/requant.py",
        "evaluate_batch",
        _SLOWER,
        (
            "np.float32 if source.bits <= 24 else np.float64 → np.float64",
            "np.float32 if source.bits <= 24 else np.float64 → np.float64 if source.bits <= 24 else np.float64",
            "source.bits <= 24 → source.bits < 24",
            "source.bits <= 24 → source.bits <= 23",
        ),
    ),
    Survivor(
        f"{_OPS}/resize_bilinear.py",
        "evaluate_batch",
        "the last row but one is an even one, which the step leaves out",
        ("y[1:-1:2] → y[1:-2:2]",),
    ),
    Survivor(
        f"{_OPS}/smallest_area.py",
        "evaluate",
        "there is one mask",
        ("smallest_area(inputs[0][np.newaxis], node.area)[0] → smallest_area(inputs[0][np.newaxis], node.area)[-1]",),
    ),
    Survivor(
        "src/quantunet/rounding.py",
        "round_half_even_shift",
        "the array has the type already",
        ("np.int64(-shift) → -shift",),
    ),
    Survivor(
        "src/quantunet/rounding.py",
        "wrap",
        "twice qmin is 2**bits, or 0",
        ("values - qtype.qmin → values + qtype.qmin",),
    ),
    Survivor(
        f"{_OPS}/multiply.py",
        "evaluate_batch",
        "a product is unsigned where both factors are, so that no cast loses a sign: all are of the same kind",
        (
            "np.multiply(inputs[0], inputs[1], dtype=dtype, casting='unsafe') → "
            "np.multiply(inputs[0], inputs[1], dtype=dtype)",
        ),
    ),
    Survivor(
        _CORES,
        "Cores.scratch",
        "fresh memory is as good, and slower",
        ("not hasattr(self._own, 'scratch') → True",),
    ),
    Survivor(
        _CORES,
        "Cores.alone",
        "the core is made anew each time, or has another count, which sizes its strips",
        ("not hasattr(self._own, 'alone') → True", "Cores(1, None) → Cores(2, None)"),
    ),
    Survivor(
        _CORES,
        "Cores.each",
        "work is done in the calling thread or by the pool, with one result",
        (
            "len(items) == 1 or self._pool is None → True",
            "len(items) == 1 or self._pool is None → self._pool is None",
            "len(items) == 1 → len(items) != 1",
            "len(items) → items",
            "len(items) == 1 → len(items) == 2",
            "len(items) == 1 → len(items) == 0",
        ),
    ),
    Survivor(
        _CORES,
        "all_cores",
        "sums are exact in every order, however many threads BLAS takes",
        (
            "_blas().limit(limits=1, user_api='blas') → _blas().limit(user_api='blas')",
            "_blas().limit(limits=1, user_api='blas') → _blas().limit(limits=1)",
            "_blas().limit(limits=1, user_api='blas') → _blas().limit(limits=2, user_api='blas')",
            "_blas().limit(limits=1, user_api='blas') → _blas().limit(limits=0, user_api='blas')",
        ),
    ),
    Survivor(
        _MATRIX,
        "module",
        "a smaller bound takes float64 more often, which is exact too",
        ("1 << 24 → 1 >> 24", "1 << 24 → 1", "1 << 24 → 0 << 24", "1 << 24 → 1 << 23"),
    ),
    Survivor(
        _MATRIX,
        "exact_dtype",
        _SLOWER,
        (
            "np.float32 if bound <= _FLOAT32_EXACT else np.float64 → np.float64",
            "np.float32 if bound <= _FLOAT32_EXACT else np.float64 → "
            "np.float64 if bound <= _FLOAT32_EXACT else np.float64",
            "bound <= _FLOAT32_EXACT → bound < _FLOAT32_EXACT",
        ),
    ),
    Survivor(
        _MATRIX,
        "exact_dtype",
        "the greatest bias is a NumPy integer, which adds up alike",
        ("int(np.abs(node.bias.array).max()) → np.abs(node.bias.array).max()",),
    ),
    *(
        Survivor(_MATRIX, where, _FLOATS, (f"{text}.astype(dtype) → {text}",))
        for where, text in (
            ("_matrix", "bias"),
            ("window_layer", "node.bias.array"),
            ("window_layer.compute", "windows.weight[..., own].reshape(-1, channels)"),
        )
    ),
    Survivor(
        _MATRIX,
        "strips",
        "an end behind the last image is the last image, and what is computed twice is the same",
        (
            "min(first + step, images) → first + step",
            "min(first + step, images) → max(first + step, images)",
            "range(0, images, step) → range(0, images)",
            "i + 1 → i + 2",
            "range(0, height, rows) → range(0, height)",
        ),
    ),
    Survivor(
        _MATRIX,
        "_windows",
        "a kernel has one row and column, or three",
        ("kernel // 2 → kernel // 3",),
    ),
    Survivor(
        _MATRIX,
        "_windows",
        "more zeros around",
        ("2 * margin → 3 * margin", "2 * margin → 3 * margin #2"),
    ),
    Survivor(
        _MATRIX,
        "_windows",
        "all is zero before the pixels come",
        (
            ":above → :",
            "above + last - first: → :",
            ":margin → :",
            "margin + width: → :",
            "above + last - first → first - (above + last)",
            "above + last → above - last",
            "above + last → above",
            "above + last → last",
            "margin + width → margin - width",
            "margin + width → margin",
            "margin + width → width",
        ),
    ),
    Survivor(
        _MATRIX,
        "_windows",
        "windows of one pixel are right the long way too",
        ("kernel == 1 → False", "kernel == 1 → kernel == 2", "kernel == 1 → kernel == 0"),
    ),
    Survivor(
        _MATRIX,
        "window_layer",
        "all outputs have as many weights",
        ("windows.weight[..., 0] → windows.weight[..., -1]",),
    ),
    Survivor(
        "src/quantunet/rounding.py",
        "module",
        "no accumulator has so many bits: a shift of one more or less leaves 0 as well",
        ("62 → 63", "62 → 61"),
    ),
)
"""Single mutants that nobody can see."""
