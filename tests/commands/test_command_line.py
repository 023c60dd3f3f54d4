"""One command line: where the model stands, how names are spelled, what a misspelt one was meant to be, completion."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.project import ROOT

from quantunet import cli
from quantunet.commands._parser import SHELLS, Parser, completion
from quantunet.constraints.board import board_names
from quantunet.errors import QuantUNetError
from quantunet.hls.choose.default import read_folding
from quantunet.suggestions import closest, did_you_mean, hinted
from quantunet.zoo import load_network, zoo_names

MODEL_OPTION = ("bitstream", "cosim", "hls_synth")
"""Commands that took their network as an option before it became the first argument."""


def commands() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of every command, by each of its names."""
    parser = cli.build_parser()
    (found,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return dict(found.choices)


def positionals(parser: argparse.ArgumentParser) -> list[str]:
    return [action.dest for action in parser._actions if not action.option_strings]


def test_the_model_is_the_first_argument() -> None:
    taking = {name for name, parser in commands().items() if {"model", "models"} & set(positionals(parser))}
    assert taking >= {"infer", "predict", "fold", "fits", "rtl", "check", "evaluate", *MODEL_OPTION}
    for name in taking:
        assert positionals(commands()[name])[0] in ("model", "models")
        options = {option for action in commands()[name]._actions for option in action.option_strings}
        assert ("--model" in options) == (name.replace("-", "_") in MODEL_OPTION)


@pytest.mark.parametrize("name", [*MODEL_OPTION, "hls-synth"])
def test_the_model_is_an_argument_or_an_option_and_not_both(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    def model(*words: str) -> object:
        return cli.build_parser().parse_args([name, *words]).model

    assert model() == "hospitals"
    assert model("tiny") == model("--model", "tiny") == model("--model=tiny") == "tiny"
    assert model("--jobs", "1", "tiny") == model("tiny", "--jobs", "1") == "tiny"
    for words in (("tiny", "--model", "tiny"), ("wearable", "--model", "wearable"), ("--model", "tiny", "paper")):
        with pytest.raises(SystemExit) as end:
            model(*words)
        assert end.value.code == 2
        assert "not allowed with" in capsys.readouterr().err


def test_a_command_has_both_spellings() -> None:
    spelled = [name for name in commands() if "_" in name or "-" in name]
    assert spelled
    for name in spelled:
        other = name.replace("_", "-") if "_" in name else name.replace("-", "_")
        parsers = commands()
        assert parsers[other] is parsers[name]
        parsed = [cli.build_parser().parse_args([each]) for each in (name, other)]
        assert parsed[0].command == parsed[1].command and parsed[0].command in (name, other)


def test_folders_and_layers_are_called_the_same_everywhere() -> None:
    for name in ("cosim", "fifos"):
        words = [name, "tiny"]
        parsed = [cli.build_parser().parse_args([*words, option, "x"]).build for option in ("--out", "--build")]
        assert parsed == [Path("x"), Path("x")]
    for name in ("cosim", "hls_synth"):
        parsed = [cli.build_parser().parse_args([name, option, "x"]).layers for option in ("--layers", "--layer")]
        assert parsed == ["x", "x"]
    for name, parser in commands().items():
        options = {option for action in parser._actions for option in action.option_strings}
        assert ("--layer" in options) == ("--layers" in options), name
        assert "--build" not in options or "--out" in options, name


OPEN = {
    ("cosim", "--image"): ["a.png", "b.npz:3"],
    ("energy", "--image"): ["a.png", "b.npy"],
    ("evaluate", "--max"): ["hd95=10", "marked_normals=0.3"],
    ("evaluate", "--min"): ["dice=0.7", "iou=0.6"],
    ("evaluate", "--lose"): ["dice=0.1", "iou=0.1"],
    ("evaluate", "--part"): ["test", "val"],
    ("evaluate", "--smallest-area"): ["0", "4"],
    ("folder", "--size"): ["48", "80"],
    ("sweep", "--only"): ["baseline", "lambda"],
    ("train", "--size"): ["48", "80"],
}
"""Options of any number of values, and some of each."""
ARGUMENT = {"energy": "mine.onnx", "evaluate": "tiny_float", "folder": "mydata", "sweep": "s.toml"}
NEEDED = {"evaluate": ["--data", "phantoms"], "folder": ["--out", "x.npz"]}


def test_an_option_of_any_number_of_values_leaves_the_argument_alone() -> None:
    parsers = {each.prog.split()[-1]: each for each in nested(cli.build_parser())}
    found = {
        (name, action.option_strings[-1])
        for name, parser in parsers.items()
        for action in parser._actions
        if action.option_strings and action.nargs in ("+", "*", argparse.REMAINDER)
    }
    assert found == set(OPEN)
    for (name, option), values in OPEN.items():
        argument, needed = ARGUMENT.get(name, "tiny"), NEEDED.get(name, [])
        for some in (values[:1], values):
            before, behind = (
                parsers[name].parse_args([*needed, *words])
                for words in ([option, *some, argument], [argument, option, *some])
            )
            assert before == behind
            assert argument in map(str, vars(before).values())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("cosmi tiny", "quantunet: argument COMMAND: invalid choice: 'cosmi' (*). Did you mean 'cosim'? See quantunet"),
        ("hls_snyth", "Did you mean 'hls_synth'? See quantunet --help"),
        (
            "zoo --jsno",
            "quantunet zoo: unrecognized arguments: --jsno. Did you mean '--json'? See quantunet zoo --help",
        ),
        ("hls-synth --bord x", "Did you mean '--board'? See quantunet hls_synth --help"),
        ("fold --model tiny", "The model is the first argument: quantunet fold MODEL. See quantunet fold --help"),
        ("fold", "quantunet fold: the following arguments are required: model. See quantunet fold --help"),
        ("train wearble", "Did you mean 'wearable'? See quantunet train --help"),
        ("train tiny --recipe papre", "Did you mean 'paper'? See quantunet train --help"),
        ("data busbar x", "Did you mean 'busbra'? See quantunet data --help"),
        ("data split x --out y --sed 1", "Did you mean '--seed'? See quantunet data split --help"),
        ("cosim tiny --stalls randm", "Did you mean 'random'? See quantunet cosim --help"),
        ("cosim tiny --legs netwrok", "Did you mean 'network'? See quantunet cosim --help"),
        (
            "evaluate tiny --data x --part test vall",
            "arguments: vall; argument --part: invalid choice: 'vall' (*). Did you mean 'all'?",
        ),
        (
            "evaluate --data x --min dice=0.7 iou tiny",
            "unrecognized arguments: tiny; argument --min: expected SCORE=NUMBER as in dice=0.74, got 'iou'. See",
        ),
        ("train --size 48 80 3 tiny", "argument --size: expected a height and a width, got 3 numbers. See"),
        ("cosim --image tiny", "argument --image: expected a picture, got the network 'tiny'. See quantunet cosim"),
        ("nothing_like_it", "quantunet: argument COMMAND: invalid choice: 'nothing_like_it' (*). See quantunet --help"),
    ],
)
def test_an_error_points_to_its_help_and_says_what_was_meant(
    words: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(words.split())
    assert end.value.code == 2
    text = capsys.readouterr().err
    assert text.count("\n") == 1 and text.startswith("quantunet")
    begin, _, rest = says.partition("(*)")
    assert begin in text and rest in text
    help_of = text.rpartition("See quantunet ")[2].split()
    with pytest.raises(SystemExit) as end:
        cli.main(help_of)
    assert end.value.code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("infer tyni image.png --out mask.png", "Did you mean 'tiny'? The zoo holds:"),
        ("hls_synth tiny --board ulx3s_58f", "Did you mean 'ulx3s_85f'? The boards are:"),
        ("fold tiny --board arty_a7", "Did you mean 'arty_a7_100t'? The boards are:"),
        ("fold tiny --budget lutt=3", "Did you mean 'lut'?"),
        ("fold tiny --fps 3 --styles folded_lut", "Did you mean 'folded-lut'?"),
        ("fits tiny --devices LFE5U-58F", "Did you mean 'LFE5U-85F'?"),
        ("hls_synth tiny --layers enc0_conv", "Did you mean 'enc0_conv0'? The layers are:"),
        ("cosim tiny --layers bottelneck_conv1", "Did you mean 'bottleneck_conv1'? The layers are:"),
        ("evaluate tiny --data phantoms --phantoms 4 --min dize=0.3", "Did you mean 'dice'?"),
    ],
)
def test_a_name_that_is_not_there_is_taken_for_the_one_like_it(
    words: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(words.split()) == 2
    assert says in capsys.readouterr().err


def test_misspelt_keys_of_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folding, graph = tmp_path / "folding.json", load_network("tiny")
    for content, says in (
        ({"pool1": {"pe": 1, "smid": 1}}, "key 'pool1.simd': expected a value, got none. Did you mean it with 'smid'?"),
        ({"pol1": {"pe": 1, "simd": 1}}, "key 'pol1': expected a layer of 'tiny', got an unknown name. Did"),
        ({"pool1": {"pe": 1, "simd": 1, "stlye": "x"}}, "key 'pool1.stlye': expected a key that is known here, got an "
         "unknown one. Did you mean 'style'?"),
        ({"head": {"pe": 1, "simd": 1, "style": "foldedlut"}}, "Did you mean 'folded-lut'?"),
    ):  # fmt: skip
        folding.write_text(json.dumps(content))
        with pytest.raises(QuantUNetError) as found:
            read_folding(folding, graph)
        assert str(found.value).startswith(f"{folding}, key ") and says in str(found.value)
    sweep = tmp_path / "sweep.toml"
    for line, says in (
        ("lambda = 0.5", "Did you mean 'bit_lambda' with 'lambda'?"),
        ("float_epoch = 5", "Did you mean 'float_epochs' with 'float_epoch'?"),
    ):
        sweep.write_text(f'[study.one]\ndata = "phantoms"\npreset = "tiny"\n{line}\n')
        assert cli.main(["sweep", str(sweep), "--list"]) == 2
        assert says in capsys.readouterr().err
    source = ROOT / "constraints" / "ulx3s_85f"
    board = tmp_path / "mine.toml"
    for file in source.glob("*.lpf"):
        shutil.copy(file, tmp_path)
    text = (source / "board.toml").read_text()
    for old, new, says in (
        ("family =", "famliy =", "key 'family': expected a value, got none. Did you mean it with 'famliy'?"),
        (
            '"ecp5"',
            '"epc5"',
            "key 'family': expected one of ecp5, nexus, xc7, gw2a, gw5a, got 'epc5'. Did you mean 'ecp5'?",
        ),
        ("[budget", "nmae = 1\n[budget", "expected a key that is known here"),
    ):
        assert old in text
        board.write_text(text.replace(old, new, 1))
        assert cli.main(["fold", "tiny", "--board", str(board)]) == 2
        message = capsys.readouterr().err
        assert str(board) in message and says in message


def test_suggestions() -> None:
    assert closest("TINY", zoo_names()) == "tiny"
    assert closest("hls_synth", ["hls-synth", "cosim"]) == "hls-synth"
    assert closest("xyz", zoo_names()) is None
    assert closest("x" * 5000, ["x" * 4999]) is None, "long names take long to compare"
    assert did_you_mean("wearble", zoo_names()) == "Did you mean 'wearable'?"
    assert did_you_mean("", zoo_names()) == ""
    assert hinted("q", ["tiny"], "", "One.", "Two.") == "One. Two."


def nested(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from nested(each)


def test_every_parser_has_the_same_kind() -> None:
    found = list(nested(cli.build_parser()))
    assert len(found) > 25
    assert all(isinstance(each, Parser) for each in found)


ASK = """
source "$1"
COMP_WORDS=("${@:2}")
COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
COMP_LINE="${COMP_WORDS[*]}"
COMP_POINT=${#COMP_LINE}
_shtab_quantunet quantunet "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
"""What bash does when somebody presses the tabulator behind some words."""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "quantunet.bash"
    path.write_text(completion(cli.build_parser(), "bash"))
    return path


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["cos"], {"cosim"}),
        (["hls"], {"hls_synth", "hls-synth"}),
        (["cosim", "t"], {"tiny", "two.onnx"}),
        (["infer", ""], {*zoo_names(), "two.onnx", "folder"}),
        (["fits", "tiny", "wear"], {"wearable"}),
        (["bitstream", "--model", "wear"], {"wearable"}),
        (["fold", "tiny", "--board", "ulx"], {"ulx3s_85f"}),
        (["hls-synth", "tiny", "--board", ""], {*board_names(), "two.onnx", "folder"}),
        (["cosim", "tiny", "--lay"], {"--layers", "--layer"}),
        (["cosim", "tiny", "--stalls", "r"], {"random"}),
        (["train", "wearable1"], {"wearable16"}),
        (["data", "bus"], {"busi", "busbra"}),
        (["data", "split", "--b"], {"--by"}),
        (["infer", "tiny", "tw"], {"two.onnx"}),
        (["zoo", "--j"], {"--json"}),
        (["--print"], {"--print-completion"}),
        (["--print-completion", ""], set(SHELLS)),
    ],
)
def test_bash_completes(script: Path, words: list[str], expected: set[str], tmp_path: Path) -> None:
    (tmp_path / "two.onnx").write_text("")
    (tmp_path / "folder").mkdir()
    bash = ["bash", "--norc", "-c", ASK, "bash", str(script), "quantunet", *words]
    ran = subprocess.run(bash, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert {word.strip() for word in ran.stdout.splitlines()} == expected


def test_the_script_is_printed_and_zsh_knows_the_names_too(capsys: pytest.CaptureFixture[str]) -> None:
    texts = {}
    for shell in SHELLS:
        with pytest.raises(SystemExit) as end:
            cli.main(["--print-completion", shell])
        assert end.value.code == 0
        texts[shell] = capsys.readouterr().out
    assert texts["zsh"].startswith("#compdef quantunet") and texts["bash"] != texts["zsh"]
    for text in texts.values():
        assert " ".join(zoo_names()) in text and " ".join(board_names()) in text
