"""The digests of sources change with every file that a tool reads, and with nothing else."""

from __future__ import annotations

from pathlib import Path

from quantunet.hls.choose.default import default_folding
from quantunet.hls.csim import project
from quantunet.hls.generate import rtl_project
from quantunet.hls.generate.source_digest import hls_digest, rtl_digest
from quantunet.random_network import random_unet

GRAPH = random_unet(base=2, depth=1, size=16, seed=2)


def digests_after_damage(digest: object, root: Path, files: list[Path]) -> set[str]:
    """Return the digest after one byte of each file was changed, one file at a time."""
    found = set()
    for path in files:
        whole = path.read_bytes()
        path.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
        found.add(digest(root, [root / "one"]))  # type: ignore[operator]
        path.write_bytes(whole)
    return found


def test_rtl(tmp_path: Path) -> None:
    rtl_project.write(GRAPH, default_folding(GRAPH), tmp_path / "one", layer="enc0_conv0")
    whole = rtl_digest(tmp_path, [tmp_path / "one"])
    (tmp_path / "one" / "rtl" / "stale.sv").write_text("of an earlier folding")
    assert rtl_digest(tmp_path, [tmp_path / "one"]) == whole
    names = ("enc0_conv0_weight.mem", "enc0_conv0_weight.mem.bin", "enc0_conv0_bias.mem", "rtl/qun_conv2d.sv")
    files = [tmp_path / "one" / name for name in (*names, "rtl/qun_net_enc0_conv0.sv")]
    damaged = digests_after_damage(rtl_digest, tmp_path, files)
    assert len(damaged - {whole}) == 5
    assert rtl_digest(tmp_path, [tmp_path / "one", tmp_path / "none"]) == whole
    assert rtl_digest(tmp_path, [tmp_path / "none"]) is None


def test_hls(tmp_path: Path) -> None:
    project.write(GRAPH.layer("enc0_conv0"), tmp_path / "one")
    whole = hls_digest(tmp_path, [tmp_path / "one"])
    files = sorted((tmp_path / "one" / "firmware").glob("*.cpp")) + sorted((tmp_path / "one").rglob("weights/*.txt"))
    assert len(files) == 3, "the layer, its weights, its bias"
    assert len(digests_after_damage(hls_digest, tmp_path, files) - {whole}) == 3
    (tmp_path / "one" / "csim").mkdir()
    (tmp_path / "one" / "csim" / "csim.cpp").write_text("what is made of the sources is none of them")
    assert hls_digest(tmp_path, [tmp_path / "one"]) == whole
    assert hls_digest(tmp_path, []) is None
