"""What a bundle says of itself: the metadata that MONAI verifies, a configuration for inference, a page for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quantunet import __version__, golden
from quantunet.ir import Graph
from quantunet.model.bundle.terms import Terms
from quantunet.model.card_file import Card
from quantunet.provenance import versions

SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
"""Of the metadata; ``monai.bundle verify_metadata`` downloads it unless it is there already."""

NEEDED = {"pillow": "10.0.0", "pytorch-ignite": "0.5.5"}
"""What ``configs/inference.json`` needs beside MONAI, and from which version on."""

_MODULE = "scripts.integer_network.IntegerNetwork"
_NOT_FOR_DIAGNOSIS = "Research. This is no medical device, and no diagnosis may rest on it."


def metadata(graph: Graph, card: Card | None, terms: Terms, version: str, sha256: Mapping[str, str | None]) -> Any:  # noqa: ANN401
    """Return the content of ``configs/metadata.json``.

    Args:
        graph: The network.
        card: Its card, if it has one.
        terms: Authors and licences.
        version: Of the bundle.
        sha256: Digests of what the bundle was made of.
    """
    height, width, channels = graph.tensor(graph.input).shape
    count = golden.class_count(graph)
    names = class_names(graph, card)
    found = versions(("monai", "torch", "numpy"))
    source = "not stated" if card is None else f"{card.source}; {terms.said('data_source')}"
    shape = graph.tensor(graph.logits.name).shape
    return {
        "schema": SCHEMA,
        "version": version,
        "changelog": {version: f"written by quantunet {__version__}"},
        "monai_version": found["monai"],
        "pytorch_version": found["torch"].partition("+")[0],
        "numpy_version": found["numpy"],
        "required_packages_version": dict(NEEDED),
        "name": graph.name,
        "task": "Segmentation of two-dimensional pictures",
        "description": f"The integer network '{graph.name}' as a torch module. Each of its tensors has the same "
        "integers as in QuantU-Net's golden model, which its hardware is compared with.",
        "authors": terms.said("authors"),
        "copyright": f"Licence of the network: {terms.said('license')}",
        "data_source": source,
        "data_license": terms.said("data_license"),
        "data_type": "pictures of 8 bits a value",
        "image_classes": f"{channels} channel{'s' * (channels > 1)}, the bytes of a picture divided by 255",
        "pred_classes": ", ".join(f"{index}: {name}" for index, name in names.items()),
        "eval_metrics": {} if card is None else {k: v for k, v in card.own_scores["test"].items() if v is not None},
        "intended_use": _NOT_FOR_DIAGNOSIS,
        "references": ["https://arxiv.org/abs/2503.08719"],
        "quantunet": {"version": __version__, "sha256": dict(sha256)},
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "magnitude",
                    "modality": "n/a",
                    "num_channels": channels,
                    "spatial_shape": [height, width],
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "is_patch_data": False,
                    "channel_def": {str(index): f"channel {index} of the picture" for index in range(channels)},
                }
            },
            "outputs": {
                "pred": {
                    "type": "image",
                    "format": "segmentation",
                    "num_channels": 1,
                    "spatial_shape": [shape[0], shape[1]],
                    "dtype": "uint8",
                    "value_range": [0, count - 1],
                    "is_patch_data": False,
                    "channel_def": names,
                }
            },
        },
    }


def class_names(graph: Graph, card: Card | None) -> dict[str, str]:
    """Return what each value of the output stands for: as the card names it, else by its number."""
    if graph.logits.shape[2] == 1:
        return {"0": "background", "1": "foreground"}
    if card is not None and card.classes:
        return {str(index): name for index, name in enumerate(card.classes)}
    return {str(index): f"class {index}" for index in range(golden.class_count(graph))}


def inference(graph: Graph) -> dict[str, Any]:
    """Return the content of ``configs/inference.json``: PNG files in a folder become masks or class maps.

    MONAI's reader and writer of pictures turn rows into columns; the configuration turns them back.
    """
    channel = "no_channel" if graph.tensor(graph.input).shape[2] == 1 else -1
    scale = 255 if graph.logits.shape[2] == 1 else None
    turned = {"_target_": "Transposed", "indices": [0, 2, 1]}
    return {
        "imports": ["$import glob", "$import os", "$from monai.data import MetaTensor"],
        "bundle_root": ".",
        "dataset_dir": "$os.path.join(@bundle_root, 'data')",
        "output_dir": "$os.path.join(@bundle_root, 'eval')",
        "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
        "network_def": {
            "_target_": _MODULE,
            "structure": "$os.path.join(@bundle_root, 'configs', 'network.json')",
            "weights": "$os.path.join(@bundle_root, 'models', 'model.pt')",
        },
        "network": "$@network_def.to(@device)",
        "data": "$[{'image': path} for path in sorted(glob.glob(os.path.join(@dataset_dir, '*.png')))]",
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                {"_target_": "LoadImaged", "keys": "image", "reader": "PILReader"},
                {"_target_": "EnsureChannelFirstd", "keys": "image", "channel_dim": channel},
                {**turned, "keys": "image"},
                {"_target_": "ScaleIntensityRanged", "keys": "image", "a_min": 0, "a_max": 255, "b_min": 0, "b_max": 1},
            ],
        },
        "dataset": {"_target_": "Dataset", "data": "@data", "transform": "@preprocessing"},
        "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 1, "num_workers": 0},
        "inferer": {"_target_": "SimpleInferer"},
        "postprocessing": {
            "_target_": "Compose",
            "transforms": [
                {**turned, "keys": "pred"},
                "$lambda item: {**item, 'pred': MetaTensor(item['pred'], meta=item['image'].meta)}",
                {
                    "_target_": "SaveImaged",
                    "keys": "pred",
                    "output_dir": "@output_dir",
                    "output_ext": ".png",
                    "output_postfix": "mask",
                    "output_dtype": "$np.uint8",
                    "writer": "PILWriter",
                    "scale": scale,
                    "resample": False,
                    "separate_folder": False,
                },
            ],
        },
        "evaluator": {
            "_target_": "SupervisedEvaluator",
            "device": "@device",
            "val_data_loader": "@dataloader",
            "network": "@network",
            "inferer": "@inferer",
            "postprocessing": "@postprocessing",
        },
        "run": ["$@evaluator.run()"],
    }


_PAGE = """# {name}

The integer network `{name}` of QuantU-Net {product} as a MONAI bundle: {height} by {width} pixels,
{channels} channel{s} in, the class of each pixel out ({classes}).

## Exact

`scripts/integer_network.py` computes the network in integers, with torch alone; QuantU-Net is not needed. When the
bundle was written, {compared:,} values of all {tensors} tensors were compared with QuantU-Net's golden model, and none
differed. Tensors are int64. Sums of products are computed in float64, which holds every integer up to 2^53; a network
whose sums do not fit is refused when a bundle is written. The comparison ran on the CPU; another device needs int64
and float64.

A picture is float32, its bytes divided by 255. Values below 0 or above 1 are refused; what lies between two bytes is
rounded to the nearer one. Pictures of another size are refused: nothing is resampled.

## Use

In the folder of the bundle, with `pip install monai pillow pytorch-ignite fire jsonschema`:

```console
python -m monai.bundle verify_metadata --meta_file configs/metadata.json --filepath schema.json
python -m monai.bundle verify_net_in_out --net_id network_def --meta_file configs/metadata.json \\
  --config_file configs/inference.json
python -m monai.bundle run --config_file configs/inference.json --dataset_dir PICTURES --output_dir MASKS
```

The last one reads the PNG files of a folder, and writes {written}.

`configs/network.json` is the structure, `models/model.pt` the state dictionary: integers alone. From Python:

```python
from scripts.integer_network import IntegerNetwork

network = IntegerNetwork("configs/network.json", "models/model.pt")
classes = network(image)                          # uint8 (N, 1, {height}, {width})
tensors = network.tensors(network.codes(image))   # every tensor by its name, int64
```

## Terms

| | |
|---|---|
| authors | {authors} |
| licence of the network | {license} |
| licence of `scripts/integer_network.py` | Apache-2.0, `docs/license.txt` |
| data | {source} |
| licence of the data | {data_license} |

{use}
{scores}"""


def page(graph: Graph, card: Card | None, terms: Terms, compared: int) -> str:
    """Return the content of ``docs/README.md``.

    Args:
        graph: The network.
        card: Its card, if it has one.
        terms: Authors and licences.
        compared: How many values were compared with the golden model.
    """
    height, width, channels = graph.tensor(graph.input).shape
    one_class = graph.logits.shape[2] == 1
    scores = ""
    if card is not None:
        rows = "".join(f"| {k} | {v} |\n" for k, v in card.own_scores["test"].items() if v is not None)
        scores = f"\n## Scores\n\nOf the test part, as the network's card says them.\n\n| | |\n|---|---|\n{rows}"
    return _PAGE.format(
        name=graph.name,
        product=__version__,
        height=height,
        width=width,
        channels=channels,
        s="s" * (channels > 1),
        classes=", ".join(f"{index} {name}" for index, name in class_names(graph, card).items()),
        compared=compared,
        tensors=len(graph.tensors),
        written="masks of 0 and 255" if one_class else "pictures whose values are the indices of the classes",
        authors=_cell(terms.said("authors")),
        license=_cell(terms.said("license")),
        source="not stated" if card is None else _cell(f"{card.source}; {terms.said('data_source')}"),
        data_license=_cell(terms.said("data_license")),
        use=_NOT_FOR_DIAGNOSIS,
        scores=scores,
    )


def _cell(text: str) -> str:
    """Return text for a cell of a table, whatever stands in it."""
    return " ".join(text.replace("|", "\\|").split())
