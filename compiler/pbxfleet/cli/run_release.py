"""`pbxfleet release`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from pbxfleet.cli.output import Output
from pbxfleet.core.errors import WrongUsage
from pbxfleet.core.exits import Exit

if TYPE_CHECKING:
    from pbxfleet.app.release import Releases


def run(args: Namespace, output: Output) -> int:
    """Do one thing with the files of releases."""
    if args.action == "manifest":
        return _manifest(args, output)
    from pbxfleet.app.release import read_releases

    releases = read_releases(args.chdir, args.artefacts)
    action = {
        "list": _list,
        "fetch": _fetch,
        "add": _add,
        "verify": _verify,
        "prune": _prune,
    }[args.action]
    return action(releases, args, output)


def _words(args: Namespace, low: int, high: int, usage: str) -> list[str]:
    words: list[str] = args.words
    if not low <= len(words) <= high:
        raise WrongUsage(
            f"release {args.action} does not take {len(words)} words",
            hint=f"pbxfleet release {usage}",
        )
    return words


def _list(releases: Releases, args: Namespace, output: Output) -> int:
    from pbxfleet.app.release import file_states, list_data, list_text

    _words(args, 0, 0, "list")
    states = file_states(releases)
    output.text(list_text(releases, states))
    output.data({"format": 1, "outcome": "done", "releases": list_data(releases, states)})
    return Exit.DONE


def _fetch(releases: Releases, args: Namespace, output: Output) -> int:
    from pbxfleet.app.release_fetch import FAILED, fetch
    from pbxfleet.host.download import DEFAULT

    if args.largest < 1:
        raise WrongUsage("--largest is less than one mebibyte", hint="leave it out: 512")
    say = output.complain
    found = fetch(
        releases,
        args.words,
        lambda line: say(line) if line.startswith("error") else output.say(line),
        DEFAULT._replace(largest_bytes=args.largest << 20),
    )
    failed = [f for f in found if f.state == FAILED]
    code = Exit.REFUSED if failed else Exit.DONE
    output.text(f"{len(found)} files, {len(found) - len(failed)} of them here\n")
    output.data({"format": 1, "outcome": code.word, "files": [f._asdict() for f in found]})
    return code


def _add(releases: Releases, args: Namespace, output: Output) -> int:
    from pbxfleet.app.release_add import add

    name, *sources = _words(args, 3, 3, "add NAME PBXCTRL PBXCTRL.DAT")
    added = add(releases, name, sources, write=args.write)
    for file, digest in added.digests.items():
        output.say(f"{file} has the digest {digest}: compare it with what you trust")
    if added.written:
        output.say(f"written into {added.written}: review it, then pbxfleet validate")
    output.text(added.block)
    output.data({"format": 1, "outcome": "done", **added._asdict()})
    return Exit.DONE


def _verify(releases: Releases, args: Namespace, output: Output) -> int:
    from pbxfleet.app.release import HERE, verify

    _words(args, 0, 0, "verify")
    found = verify(releases)
    for state in found.states:
        if state.state != HERE:
            output.text(f"{state.state}: {state.release} {state.file} ({state.source})\n")
    for name in found.damaged:
        output.text(f"damaged: {releases.store.path(name)}\n")
    for name in found.unpinned:
        output.text(f"pinned by no release: {releases.store.path(name)}\n")
    for name in found.others:
        output.text(f"not ours: {releases.store.path(name)}\n")
    here = sum(1 for state in found.states if state.state == HERE)
    output.say(f"{here} of {len(found.states)} pinned files are here and as pinned")
    code = Exit.DONE if found.good else Exit.DIFFERENCES
    data = {**found._asdict(), "states": [s._asdict() for s in found.states]}
    output.data({"format": 1, "outcome": code.word, **data})
    return code


def _prune(releases: Releases, args: Namespace, output: Output) -> int:
    from pbxfleet.app.release import prune

    _words(args, 0, 0, "prune")
    sizes = {name: releases.store.size(name) for name in releases.store.names()}
    names = prune(releases, check=args.check)
    for name in names:
        output.text(f"{'would remove' if args.check else 'removed'} {name}, {sizes[name]} bytes\n")
    if not names:
        output.text("nothing to remove\n")
    code = Exit.DIFFERENCES if args.check and names else Exit.DONE
    output.data({"format": 1, "outcome": code.word, "files": list(names)})
    return code


def _manifest(args: Namespace, output: Output) -> int:
    from pbxfleet.app.release_add import read_list

    (source,) = _words(args, 1, 1, "manifest FILE|URL [--os PLATFORM]")
    found = read_list(source, args.os)
    for file in found.files:
        output.text(f"{file.os or 'all':<10} {file.type or '-':<11} {file.name}  {file.link}\n")
    for text in found.unclear:
        output.complain(f"warning: {text}")
    if len(found.sources) == 2:
        words = " ".join(found.sources.values())
        output.text(f"\npbxfleet release add NAME {words}\n")
        output.say("the list has no digests: those of the first download are to be reviewed")
    files = [file._asdict() for file in found.files]
    unclear = list(found.unclear)
    output.data(
        {
            "format": 1,
            "outcome": "done",
            "files": files,
            "sources": found.sources,
            "unclear": unclear,
        }
    )
    return Exit.DONE
