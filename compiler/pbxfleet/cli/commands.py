"""The commands: name, help, arguments and the module that runs each. Nothing heavy is imported here."""

from __future__ import annotations

from argparse import ArgumentParser

from pbxfleet.cli.command import Command
from pbxfleet.cli.command_diff import DIFF
from pbxfleet.cli.command_fmt import FMT
from pbxfleet.cli.command_host import HOST
from pbxfleet.cli.command_ledger import LEDGER
from pbxfleet.cli.command_rehearse import REHEARSE
from pbxfleet.cli.command_release import RELEASE
from pbxfleet.cli.command_report import REPORT


def _none(_: ArgumentParser) -> None:
    """No arguments of its own."""


def _validate(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--format",
        choices=("human", "json", "sarif", "github", "gitlab"),
        default="human",
        help="form of the diagnostics: text on stderr, or on stdout JSON, a SARIF log, GitHub "
        "annotations, a GitLab Code Quality report",
    )


def _compile(parser: ArgumentParser) -> None:
    parser.add_argument("hosts", metavar="HOST", nargs="*", help="only these hosts (default: all)")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit 2 if rendered/ or the ledger is stale",
    )


def _addresses(parser: ArgumentParser) -> None:
    parser.add_argument("hosts", metavar="HOST", nargs="*", help="only these hosts (default: all)")


def _explain(parser: ArgumentParser) -> None:
    parser.add_argument(
        "what",
        metavar="WHAT",
        nargs="?",
        help="a diagnostic code such as BND101, HOST/INSTANCE/SETTING such as fra1/acme/sys_name, a "
        "rendered file or a line of it; nothing lists all codes",
    )
    parser.add_argument(
        "--root",
        metavar="DIR",
        default="/",
        help="a folder that is the host's /, to tell when a line was applied",
    )


def _init(parser: ArgumentParser) -> None:
    parser.add_argument("directory", metavar="DIR", help="folder to make; must be empty or missing")
    parser.add_argument(
        "--sandbox",
        action="store_true",
        help="a fleet to try things with: six stand-in PBX instances on loopback addresses",
    )


def _learn(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="pbx.xml of an installed instance")
    parser.add_argument(
        "--address", action="append", default=[], help="address the instance was bound to"
    )
    parser.add_argument(
        "--names",
        action="store_true",
        help="print only the names of all settings in FILE (-: what is piped in), which may also be "
        "the JSON of GET /rest/system/config: the list for releases.NAME.settings",
    )


def _demo(parser: ArgumentParser) -> None:
    parser.add_argument("--keep", metavar="DIR", help="work in DIR and leave it there")


def _schema(parser: ArgumentParser) -> None:
    parser.add_argument("--write", metavar="DIR", help="write all schemas into a folder")


def _completion(parser: ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh"), help="the shell to print a script for")


COMMANDS = (
    Command(
        "init",
        "make a new fleet repository",
        """\
Write a small fleet repository: one host and one instance, with comments that
say what to put in, JSON Schemas for the editor, and a README with the first
steps. Nothing outside DIR is touched.""",
        """\
examples:
  pbxfleet init my-fleet
  pbxfleet init --sandbox tour      to try things; see docs/tutorial.md

exit codes: 0 written, 1 refused (DIR is not empty)""",
        _init,
        "pbxfleet.cli.run_init",
    ),
    Command(
        "demo",
        "the whole loop on this machine, without root",
        """\
Compile, plan and apply a fleet on a sandbox host: a temporary folder, six
stand-in PBX processes on loopback addresses. Then break it, see the drift,
repair it, upgrade one instance, remove one. Ends within a minute and leaves
nothing behind.""",
        """\
examples:
  pbxfleet demo
  pbxfleet demo --keep /tmp/demo    leaves the repository and the host there

exit codes: 0 all went as told, 1 something did not""",
        _demo,
        "pbxfleet.cli.run_demo",
    ),
    Command(
        "validate",
        "check everything in desired/, all problems at once",
        """\
Read every file in desired/, resolve the whole fleet and check it: sockets,
addresses, media ports, cores, paths, failover pairs, settings. All problems
are reported, sorted, each with its place, related places and a hint. Writes
nothing and looks at no host. With --quiet the text has no advice.""",
        """\
examples:
  pbxfleet -C my-fleet validate
  pbxfleet validate --format github     annotations in a pull request
  pbxfleet explain BND101               more about one code

exit codes: 0 valid (there may be warnings and advice), 1 at least one error""",
        _validate,
        "pbxfleet.cli.run_validate",
    ),
    Command(
        "compile",
        "desired/ to rendered/, and the ledger",
        """\
Compile the fleet into rendered/HOST/ and remember allocations in
desired/ledger.toml. Commit both: a reviewer then sees what a change does to
real files. The same input gives the same bytes on every machine. If there is
an error, nothing is written.""",
        """\
examples:
  pbxfleet compile
  pbxfleet compile --check          in CI: is rendered/ up to date?

exit codes: 0 written or up to date, 1 the fleet has errors,
2 stale (with --check)""",
        _compile,
        "pbxfleet.cli.run_compile",
    ),
    DIFF,
    Command(
        "learn",
        "propose [catalogue] entries from a pbx.xml",
        """\
Look at the pbx.xml of an installed instance and propose which elements hold
which ports and addresses, as lines for [catalogue] in fleet.toml. Proposals
are for a person to confirm; nothing is taken over by itself. Writes nothing.""",
        """\
examples:
  pbxfleet learn desired/reference/pbx.xml --address 203.0.113.10
  pbxfleet learn --names config.json >desired/reference/settings-70.5.txt

exit codes: 0 printed, 1 the file cannot be read as XML""",
        _learn,
        "pbxfleet.cli.run_learn",
    ),
    *LEDGER,
    FMT,
    RELEASE,
    *HOST,
    Command(
        "addresses",
        "what others have to let in: SPF, partners' allow-lists",
        """\
For every instance: the address that its outgoing TCP (web requests, mail, CDR)
leaves from, which is the host's standard address unless source_address says
otherwise; terms for the SPF records of its tenants' domains, good where the PBX
hands its mail to the receiving servers itself; all addresses that its packets
come from, for the allow-lists of partners; and what it listens on. Computed
from desired/ alone: source_address needs the rules of the host to be loaded.""",
        """\
examples:
  pbxfleet addresses fra1
  pbxfleet --json addresses | jq -r '.hosts[].instances[].spf[]'

exit codes: 0 printed, 1 the fleet has errors""",
        _addresses,
        "pbxfleet.cli.run_addresses",
    ),
    REHEARSE,
    REPORT,
    Command(
        "explain",
        "the page of a diagnostic code, or where a setting or a rendered line comes from",
        """\
Of a code: what it means, a bad and a good example, what to do. Of a setting:
its value, every layer that gives one, nearest first, and the commit that
wrote it. Of a line of a rendered file: the values whose change would change
it, with their layers and commits, the line of the template or reference file
that wrote it, what a change of it costs, and when it was applied, if the
records of the host can be read here. Of a rendered file without a line: the
same for all its lines. Of nothing: the list of all codes.""",
        """\
examples:
  pbxfleet explain BND101
  pbxfleet explain fra1/acme/sys_name
  pbxfleet explain rendered/fra1/root/etc/pbx/backup.list:3
  pbxfleet explain fra1:/etc/systemd/system/pbx-acme.service:16
  pbxfleet explain fra1/acme/pbx.xml:12

exit codes: 0 printed, 1 no such code, setting, file or line""",
        _explain,
        "pbxfleet.cli.run_explain",
    ),
    Command(
        "schema",
        "JSON Schema of the fleet format",
        """\
Print the JSON Schemas of the files in desired/ as one document, or write one
file each into a folder, for editors.""",
        """\
examples:
  pbxfleet schema --write schemas

exit codes: 0 done, 1 refused""",
        _schema,
        "pbxfleet.cli.run_schema",
    ),
    Command(
        "completion",
        "shell completion",
        """\
Print a completion script for bash or zsh.""",
        """\
examples:
  pbxfleet completion bash >/etc/bash_completion.d/pbxfleet
  pbxfleet completion zsh >"${fpath[1]}/_pbxfleet"

exit codes: 0 printed, 1 the package shtab is not there""",
        _completion,
        "pbxfleet.cli.run_completion",
    ),
)
