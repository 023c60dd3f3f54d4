"""``quantunet bundle``: write a network as a MONAI bundle, whose torch module computes the same integers."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from quantunet import exit_codes, golden
from quantunet.commands import _pixel_scale
from quantunet.commands._parser import Parser
from quantunet.commands._working import working
from quantunet.errors import OptionError
from quantunet.model.card_file import read_card
from quantunet.provenance import file_digest, graph_digest
from quantunet.zoo import card_path, load_network, model_digest

_VERSION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){2}")


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: Parser = sub.add_parser("bundle", help="write a network as a MONAI bundle", description=__doc__)
    parser.add_model()
    _pixel_scale.add_option(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the bundle's folder; an earlier bundle is replaced"
    )
    parser.add_argument(
        "--bundle-version", default="0.1.0", metavar="X.Y.Z", help="of the bundle (default: %(default)s)"
    )
    otherwise = "for a network whose card does not say it; without it the bundle says that it is not stated"
    parser.add_argument("--authors", metavar="TEXT", help=f"who made the network, {otherwise}")
    parser.add_argument("--license", metavar="TEXT", help=f"licence of the network, as Apache-2.0, {otherwise}")
    parser.add_argument("--data-license", metavar="TEXT", help=f"licence of the training data, {otherwise}")
    parser.add_argument("--data-source", metavar="TEXT", help=f"where the training data come from, {otherwise}")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    from quantunet.model.bundle.terms import Terms, terms_of

    if not _VERSION.fullmatch(args.bundle_version):
        raise OptionError("--bundle-version", expected="three numbers, as 0.1.0", got=repr(args.bundle_version))
    graph = _pixel_scale.apply(load_network(args.model), args.pixel_scale)
    digests = {"model": model_digest(args.model), "graph": graph_digest(graph)}
    path, card = card_path(args.model), None
    if path is not None:
        card = read_card(path)
        card.check_network(path, digests["model"], digests["graph"])
        card.check_classes(path, golden.class_count(graph))
        digests["card"] = file_digest(path)
    terms = terms_of(card, Terms(args.authors, args.license, args.data_license, args.data_source))

    with working("loading torch and MONAI") as tell:
        from quantunet.model.bundle.write import write_bundle

        tell(f"writing {args.out}, and comparing the module's tensors with the golden model")
        written = write_bundle(graph, args.out, card, terms, args.bundle_version, digests)
    print(
        f"wrote {written.folder}: {graph.name} as a torch module; {written.compared:,} values of {written.tensors} "
        "tensors compared with the golden model, 0 differ"
    )
    print(f"licence: {terms.said('license')}   data: {terms.said('data_license')}")
    print(f"next: cd {written.folder} && python -m monai.bundle verify_net_in_out --net_id network_def "
          "--meta_file configs/metadata.json --config_file configs/inference.json")  # fmt: skip
    return exit_codes.SUCCESS
