"""Parsers of the command line: every spelling of a command, and errors that say where to look and what was meant."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from quantunet import exit_codes
from quantunet.constraints.board import board_names
from quantunet.suggestions import did_you_mean
from quantunet.zoo import MODEL_HELP, is_network, zoo_names

SHELLS = ("bash", "zsh")
"""Shells that :func:`completion` writes for."""

MODELS = "models"
BOARDS = "boards"
"""What :func:`complete` knows the names of."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence that points to its own ``--help``."""

    default_model: str | None = None
    """The network where the command line names none."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.register("action", "parsers", _Commands)
        self._words: Sequence[str] = ()
        self._ends: list[argparse.ArgumentError] = []

    def add_model(self, *, text: str = MODEL_HELP, default: str | None = None) -> None:
        """Add the argument ``model``, a network; the first one of a command that takes one.

        Args:
            text: Its help text.
            default: What is taken without it. There is an option ``--model`` too then, of which and the argument one
                alone may be given.
        """
        if default is None:
            complete(self.add_argument("model", help=text), MODELS)
            return
        self.default_model = default
        either = self.add_mutually_exclusive_group()
        help_text = f"{text} (default: {default})"
        complete(either.add_argument("model", nargs="?", default=argparse.SUPPRESS, help=help_text), MODELS)
        complete(either.add_argument("--model", metavar="MODEL", help="the same, as an option"), MODELS)

    def add_results(self, name: str) -> None:
        """Add ``--out``, or ``--build``: the folder in which each network's results have a folder of this name."""
        self.add_argument(
            "--out",
            "--build",
            dest="build",
            type=Path,
            default=Path("build"),
            metavar="DIR",
            help=f"folder of the results of all networks, in DIR/<network>-<digest>/{name} (default: %(default)s)",
        )

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parse arguments; unknown ones are an error of this parser, and not of the one above it."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._unrecognized(unknown))
        if self.default_model is not None and found.model is None:
            found.model = self.default_model
        return found, unknown

    def _parse_known_args(self, arg_strings: list[str], *rest: Any, **options: Any) -> tuple[Any, list[str]]:
        self._words, self._ends = arg_strings, []
        return super()._parse_known_args(arg_strings, *rest, **options)

    def _match_argument(self, action: argparse.Action, arg_strings_pattern: str) -> int:
        """Count the words of an option; one of any number of values ends before the first word that is none of them.

        argparse itself would go on to the next option, and take what is an argument of the command. It says where an
        option stands by what is left of the command line only.
        """
        count = super()._match_argument(action, arg_strings_pattern)
        if not action.option_strings or action.nargs != argparse.ONE_OR_MORE:
            return count
        first = len(self._words) - len(arg_strings_pattern)
        for taken in range(1, count):
            try:
                self._check_value(action, self._get_value(action, self._words[first + taken]))
            except argparse.ArgumentError as error:
                self._ends.append(error)
                return taken
        return count

    def _unrecognized(self, words: Sequence[str]) -> str:
        text = f"unrecognized arguments: {' '.join(words)}"
        name = words[0].partition("=")[0]
        if name == "--model" and any(action.dest == "model" for action in self._actions):
            return f"{text}. The model is the first argument: {self.prog} MODEL"
        if not name.startswith("-"):  # perhaps because a word before it is no value of its option
            return "; ".join([text, *(str(end) for end in self._ends)])
        meant = did_you_mean(name, self._option_string_actions)
        return f"{text}. {meant}" if meant else text

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            meant = did_you_mean(str(value), map(str, action.choices or ()))
            error.message += f". {meant}" if meant else ""
            raise

    def error(self, message: str) -> NoReturn:
        """End with what is wrong, and with where the arguments are listed."""
        message = message.rstrip()
        stop = "" if message.endswith((".", "?")) else "."
        self.exit(exit_codes.BAD_INPUT, f"{self.prog}: {message}{stop} See {self.prog} --help\n")


class _Commands(argparse._SubParsersAction):  # type: ignore[type-arg]
    """Commands whose names may be spelled with ``-`` or with ``_``."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._spelled: dict[str, str] = {}

    def add_parser(self, name: str, **options: Any) -> Any:
        other = name.replace("_", "-") if "_" in name else name.replace("-", "_")
        self._spelled[other] = name
        return super().add_parser(name, **options, aliases=() if other == name else (other,))

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        name, *rest = values
        super().__call__(parser, namespace, [self._spelled.get(name, name), *rest], option_string)


class PrintCompletion(argparse.Action):
    """The option that prints the completion script of a shell, and ends."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option_string: Any = None) -> None:
        """Print the script for the shell that is named."""
        print(completion(parser, str(values)))
        parser.exit(exit_codes.SUCCESS)


def picture(text: str) -> str:
    """Take a word for the name of a picture, where it is not that of a network.

    Raises:
        ArgumentTypeError: It is the name of a network.
    """
    if is_network(text):
        raise argparse.ArgumentTypeError(f"expected a picture, got the network {text!r}")
    return text


def complete(action: argparse.Action, kind: str) -> None:
    """Let a shell complete an argument to the names of :data:`MODELS` or :data:`BOARDS`, and to files."""
    name, listed = f"_quantunet_{kind}", " ".join(zoo_names() if kind == MODELS else board_names())
    action.complete = {  # type: ignore[attr-defined]
        **dict.fromkeys(SHELLS, name),
        "preamble": {
            "bash": f'{name}() {{\n  compgen -W "{listed}" -- "$1"\n  compgen -f -- "$1"\n}}',
            "zsh": f"{name}() {{\n  _alternative '{kind}:{kind}:({listed})' 'files:file:_files'\n}}",
        },
    }


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the completion script of a program.

    Args:
        parser: The program's.
        shell: One of :data:`SHELLS`.
    """
    import shtab

    _complete_files(parser)
    return str(shtab.complete(parser, shell=shell))


def _complete_files(parser: argparse.ArgumentParser) -> None:
    """Let arguments that are texts or paths be completed to files, in a parser and in its commands'."""
    import shtab

    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _complete_files(command)
        elif (
            action.nargs != 0
            and action.type in (None, Path, picture)
            and not (action.choices or hasattr(action, "complete"))
        ):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
