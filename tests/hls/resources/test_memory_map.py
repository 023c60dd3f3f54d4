"""The rule that says what a memory becomes, against Yosys itself."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from quantunet.hls.generate.rtl_project import library_sources
from quantunet.hls.resources.memory_map import bank_parts, map_banked_ram, map_memory, map_ram
from quantunet.hls.synth import yosys
from quantunet.hls.synth.yosys import Job

BANKED = ((48, 16815), (40, 7754), (16, 6408), (3, 5000), (11, 2049), (24, 1800), (5, 64), (9, 4097), (1, 17000))
# Width and depth, chosen around the places where the kind or the shape changes.
RAMS = ((4, 16), (4, 31), (5, 64), (8, 16), (12, 68), (16, 144), (20, 300), (36, 512), (40, 513), (41, 4096), (9, 2049))
RAMS += (
    (12, 200),
    (12, 209),
    (40, 120),
    (72, 64),
    (72, 80),
    (4, 512),
    (1, 2048),
    (2, 17),
    (1, 17),
    (40, 15819),
    (40, 2216),
)
TABLES = ((8, 16), (16, 127), (16, 129), (16, 2304), (36, 512), (64, 144), (20, 1152), (7, 4608), (128, 36))
TABLES += ((80, 576), (64, 1152))  # columns of these share block RAMs
TABLES += ((16, 187), (16, 188), (8, 256), (64, 93), (64, 94), (3, 1000), (2, 2))


def wrapper(folder: Path) -> tuple[Path, tuple[Path, ...]]:
    """Write one module that holds every memory, and the files of its tables."""
    rng = random.Random(1)
    ports, body, files = ["input logic clk"], [], []
    rams = [(f"ram{i}", "qun_ram", "read_data_q", *shape) for i, shape in enumerate(RAMS)]
    rams += [(f"banked{i}", "qun_banked_ram", "read_data_r_q", *shape) for i, shape in enumerate(BANKED)]
    for name, module, read_port, width, depth in rams:
        address = max(1, (depth - 1).bit_length())
        ports += [f"input logic {name}_w, input logic {name}_r", f"input logic [{address - 1}:0] {name}_wa, {name}_ra"]
        ports += [f"input logic [{width - 1}:0] {name}_d", f"output logic [{width - 1}:0] {name}_q"]
        body.append(
            f"{module} #(.Bits({width}), .Depth({depth})) {name} (.clk(clk), .write({name}_w), "
            f".write_addr({name}_wa), .write_data({name}_d), .read({name}_r), .read_addr({name}_ra), "
            f".{read_port}({name}_q));"
        )
    for index, (width, depth) in enumerate(TABLES):
        address = max(1, (depth - 1).bit_length())
        ports += [f"input logic tr{index}", f"input logic [{address - 1}:0] ta{index}"]
        ports.append(f"output logic [{width - 1}:0] tq{index}")
        body.append(
            f'qun_rom #(.Bits({width}), .Depth({depth}), .File("table{index}.mem")) rom{index} '
            f"(.clk(clk), .read(tr{index}), .addr(ta{index}), .data_q(tq{index}));"
        )
        path = folder / f"table{index}.mem"
        path.write_text("".join(f"{rng.getrandbits(width):x}\n" for _ in range(depth)), encoding="utf-8")
        files.append(path)
    path = folder / "memories.sv"
    path.write_text(f"module memories ({', '.join(ports)});\n" + "\n".join(body) + "\nendmodule\n", encoding="utf-8")
    return path, tuple(files)


def test_memories_become_what_the_rule_says(tmp_path: Path) -> None:
    source, files = wrapper(tmp_path)
    library = library_sources({"qun_banked_ram", "qun_ram", "qun_rom"})
    (result,) = yosys.synthesise([Job("memories", "memories", (*library, source), tmp_path, files)], tmp_path / "cache")
    expected = {f"ram{i}": map_ram(width, depth) for i, (width, depth) in enumerate(RAMS)}
    expected |= {f"rom{i}": map_memory(width, depth, rom=True) for i, (width, depth) in enumerate(TABLES)}
    banks = {
        f"banked{i}.gen_part[{part}].gen_bank[{bank}]": map_ram(bits, words)
        for i, shape in enumerate(BANKED)
        for part, (bits, depths) in enumerate(bank_parts(*shape))
        for bank, words in enumerate(depths)
    }
    kinds = {
        re.sub(r"(\.u_words|\.gen_rest)?\.(words|rests)$", "", memory.name): memory.kind for memory in result.memories
    }
    assert kinds == {name: mapped.kind for name, mapped in (expected | banks).items()}
    assert len(banks) > 20
    assert set(kinds.values()) == {"block", "distributed", "logic"}
    expected |= {f"banked{i}": map_banked_ram(*shape) for i, shape in enumerate(BANKED)}
    assert result.usage.bram == sum(mapped.block for mapped in expected.values()) > 10
    assert result.usage.lutram == sum(mapped.distributed for mapped in expected.values()) > 10


@pytest.mark.parametrize(
    ("width", "depth", "rom", "blocks"),
    [
        (256, 576, True, 10),  # 15 of 18 bits and 1024 words, of which three columns share two; by bits alone 8
        (256, 576, False, 15),
        (36, 512, False, 1),
        (18, 1024, False, 1),
        (9, 2048, True, 1),
        (4, 4096, True, 1),
        (1, 16384, True, 1),
        (18, 1025, True, 2),
    ],
)
def test_shapes_of_a_block_ram(width: int, depth: int, rom: bool, blocks: int) -> None:
    assert map_memory(width, depth, rom=rom).block == blocks


def test_banks_are_as_deep_as_a_block_ram_of_their_width() -> None:
    assert bank_parts(48, 5000) == [(45, [2048, 2048, 904]), (3, [4096, 904])]
    assert bank_parts(1, 17000) == [(1, [16384, 616])]
    assert bank_parts(14, 4097) == [(14, [2048, 2048, 2])]
    assert bank_parts(48, 2048) == [(48, [2048])]
    assert map_banked_ram(48, 16815).block == 46 < map_ram(48, 16815).block


def test_small_tables_become_luts_and_small_memories_distributed_ram() -> None:
    assert map_memory(16, 128, rom=True).table_bits == 2048
    assert map_memory(16, 187, rom=True).table_bits == 2992
    assert map_memory(16, 188, rom=True).block == 1
    assert map_memory(12, 200).distributed == 39
    assert map_memory(33, 16, asynchronous=True).distributed == 9
    assert map_memory(8, 1).register_bits == 8
