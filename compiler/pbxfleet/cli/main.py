"""Entry point: parse the command line, run one command, turn every end into an exit code."""

from __future__ import annotations

import gc
import os
import sys
from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from importlib import import_module

from pbxfleet import __version__
from pbxfleet.cli.commands import COMMANDS
from pbxfleet.cli.output import Output
from pbxfleet.core.errors import HostError, Refused
from pbxfleet.core.exits import Exit

TYPE_CHECKING = False  # what type checkers take for typing's own, whose import would cost too much
if TYPE_CHECKING:
    from typing import NoReturn

DESCRIPTION = "Declarative compiler and GitOps tool for many Vodia PBX instances on one host."
EPILOG = """\
exit codes: 0 done or nothing to do, 1 refused or wrong input, 2 differences, 3 stale plan,
4 lock held, 5 partly applied, 6 rolled back, 7 restart owed, 8 denied by policy,
64 wrong usage, 70 a bug, 130 interrupted

pbxfleet COMMAND --help tells more about a command."""


# Commands that look at a host on which people are talking.
LIVE_COMMANDS = frozenset(("plan", "apply", "drift", "status", "history", "rollback", "confirm"))


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(Exit.USAGE, f"{self.prog}: {message}\nhint: {_usage_hint(self.prog, message)}\n")


def _usage_hint(program: str, message: str) -> str:
    """What to do about wrong usage: the nearest command for a mistyped one, else where help is."""
    if message.startswith("argument COMMAND: invalid choice"):
        from pbxfleet.core.diagnostics import nearest

        close = nearest(message.split("'")[1], [command.name for command in COMMANDS])
        if close is not None:
            return f'did you mean "{close}"?'
    return f"{program} --help tells more"


def build_parser(only: str | None = None) -> ArgumentParser:
    """The parser of the whole command line; global options are understood before and after COMMAND.

    With `only`, just that command gets its arguments: building all of them costs as much again as
    starting up.
    """
    shared = _Parser(add_help=False)
    _global_options(shared, SUPPRESS)
    parser = _Parser(
        prog="pbxfleet",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pbxfleet {__version__}")
    _global_options(parser, None)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for command in COMMANDS:
        if only is not None and command.name != only:
            continue
        sub = commands.add_parser(
            command.name,
            help=command.help,
            description=command.description,
            epilog=command.more,
            formatter_class=RawDescriptionHelpFormatter,
            parents=[shared],
        )
        command.arguments(sub)
        sub.set_defaults(module=command.module)
    return parser


def _global_options(parser: ArgumentParser, default: str | None) -> None:
    def value(of: object) -> object:
        return SUPPRESS if default == SUPPRESS else of

    parser.add_argument(
        "-C",
        dest="chdir",
        metavar="DIR",
        default=value("."),
        help="the fleet repository (default: .)",
    )
    parser.add_argument(
        "--json", action="store_true", default=value(False), help="one JSON document on stdout"
    )
    parser.add_argument(
        "--quiet", action="store_true", default=value(False), help="no talk on stderr"
    )
    parser.add_argument("--no-color", action="store_true", default=value(False), help="no colours")


def _command_word(argv: Sequence[str]) -> str | None:
    """The word that stands where COMMAND stands, if it is one; None offers all commands."""
    words = iter(argv)
    for word in words:
        if word == "-C":
            next(words, None)
        elif not word.startswith("-"):
            return word if any(word == command.name for command in COMMANDS) else None
    return None


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    # --version alone needs no command; any other wrong or missing word is told all of them.
    parser = build_parser("" if list(argv) == ["--version"] else _command_word(argv))
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help(sys.stderr)
        return Exit.USAGE
    output = Output(json=args.json, quiet=args.quiet, colour=_colour(args))
    try:
        return int(import_module(args.module).run(args, output))
    except Refused as refusal:
        return _refused(
            output, refusal.code, refusal.message, refusal.hint, Exit(refusal.exit_code)
        )
    except HostError as error:
        return _refused(output, error.code, str(error), "", Exit.REFUSED)
    except KeyboardInterrupt:
        output.complain("interrupted")
        output.data({"format": 1, "outcome": Exit.INTERRUPTED.word})
        return Exit.INTERRUPTED
    except BrokenPipeError:
        return Exit.DONE  # the reader of our output has gone, it has read what it wanted
    except Exception as error:
        return _bug(output, error)


def _refused(output: Output, code: str, message: str, hint: str, exit_code: Exit) -> int:
    output.complain(f"error[{code}]: {message}")
    if hint:
        output.complain(f"hint: {hint}")
    output.data(
        {
            "format": 1,
            "outcome": exit_code.word,
            "error": {"code": code, "message": message, "hint": hint},
        }
    )
    return exit_code


def _bug(output: Output, error: Exception) -> int:
    import traceback

    text = "".join(traceback.format_exception(error))
    output.complain(f"this is a bug in pbxfleet {__version__}: {type(error).__name__}: {error}")
    if os.environ.get("PBXFLEET_DEBUG"):
        output.complain(text)
    else:
        output.complain("hint: run it again with PBXFLEET_DEBUG=1 and report what it prints")
    output.data(
        {
            "format": 1,
            "outcome": Exit.BUG.word,
            "error": {"code": "BUG", "message": str(error), "hint": ""},
        }
    )
    return Exit.BUG


def _colour(args: Namespace) -> bool:
    """Colours only on a terminal, and not where NO_COLOR or a dumb terminal says otherwise."""
    if args.no_color or args.json or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


def entry() -> NoReturn:
    """What the console command calls."""
    if {"apply", "demo"}.intersection(sys.argv):  # the others have nothing to end, and start faster
        _end_in_order()
    if {"validate", "compile", "diff"}.intersection(sys.argv):
        gc.disable()  # short runs that make no cycles worth collecting: a quarter of their time
    if LIVE_COMMANDS.intersection(sys.argv):
        from pbxfleet.host.priority import give_way

        give_way()
    code = main(sys.argv[1:])
    gc.freeze()  # the end of the process looks for cycles once more, in vain: up to a tenth of a run
    sys.exit(code)


def _end_in_order() -> None:
    """Let a service manager and a connection that drops end us as Ctrl-C does: with a word, and 130.

    Who told us to ignore the end of the connection (nohup) is obeyed.
    """
    from signal import SIG_DFL, SIGHUP, SIGTERM, default_int_handler, getsignal, signal

    for number in (SIGHUP, SIGTERM):
        if getsignal(number) == SIG_DFL:
            signal(number, default_int_handler)
