"""Ask a running instance over the network, at a socket that is proven to be its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.files import Files
from pbxfleet.host.proc import Processes
from pbxfleet.host.proven import Proven, Prover, Unproven, reason
from pbxfleet.model.asking import NO_LOGIN, TLS_ROLES, Answer, Question
from pbxfleet.model.observed import What
from pbxfleet.model.target import ExpectedListener, InstanceTarget, Login

if TYPE_CHECKING:
    from pbxfleet.host.talk import Talk

# Calls of https://doc.vodia.com/openapi/vodia-rest-api.yaml. Only these, and none from a text that
# somebody wrote: among the GET calls of the same page there is one that restores a snapshot.
CONFIG_PATH = "/rest/system/config"
PATHS: Mapping[Question, str] = {
    Question.SESSION: "/rest/system/session",  # needs no login
    Question.STATUS: "/rest/system/status",
    Question.CONFIG: CONFIG_PATH,
    Question.CHANGES: "/rest/system/changes?size=100",
    Question.UPDATE: "/rest/system/swupdate",
}
PASSWORD_MOST_BYTES = 1024


class Asker:
    """Questions to the instances of this machine."""

    def __init__(self, files: Files, processes: Processes) -> None:
        self._files = files
        self._prover = Prover(processes)

    def ask(
        self, instance: InstanceTarget, question: Question, listener: ExpectedListener
    ) -> Answer:
        """The answer, or why there is none; nothing is raised and nothing is changed."""
        if question in PATHS:
            path = PATHS[question]
            with_login = question is not Question.SESSION
            return self._web(instance, listener, ("GET", path, b""), with_login=with_login)
        if question is Question.OPTIONS:
            from pbxfleet.host.sip import options

            return self._over(instance, listener, lambda t, p: options(t, p, listener.role))
        if question is Question.SNMP_CALLS:
            from pbxfleet.host.snmp import number_of_calls

            return self._over(instance, listener, lambda talk, _: number_of_calls(talk))
        from pbxfleet.host.certificate import presented

        return self._over(instance, listener, lambda talk, _: presented(talk.certificate))

    def configure(
        self, instance: InstanceTarget, listener: ExpectedListener, values: Mapping[str, str]
    ) -> Answer:
        """Set some settings of the running process; those that are not named stay as they are."""
        body = json.dumps(values, sort_keys=True).encode()
        return self._web(instance, listener, ("POST", CONFIG_PATH, body), with_login=True)

    def _web(
        self,
        instance: InstanceTarget,
        listener: ExpectedListener,
        call: tuple[str, str, bytes],
        *,
        with_login: bool,
    ) -> Answer:
        from pbxfleet.host.web import Request, exchange

        try:
            authorization = self._authorization(instance.api) if with_login else ""
        except (HostError, ValueError) as error:
            return Answer(0, b"", reason(error))

        def talk_web(talk: Talk, proven: Proven) -> Answer:
            shown = f"[{proven.address}]" if ":" in proven.address else proven.address
            method, path, body = call
            host = f"{shown}:{proven.port}"
            return exchange(talk, Request(method, path, host, authorization, body))

        return self._over(instance, listener, talk_web)

    def _over(
        self,
        instance: InstanceTarget,
        listener: ExpectedListener,
        ask: Callable[[Talk, Proven], Answer],
    ) -> Answer:
        from pbxfleet.host.talk import connected

        try:
            proven = self._prover.proven(instance, listener)
            with connected(
                proven,
                stream=listener.protocol == "tcp",
                tls=listener.role in TLS_ROLES,
                still_holds=lambda: self._prover.still_holds(instance, proven),
            ) as talk:
                return ask(talk, proven)
        except (Unproven, HostError, OSError, ValueError) as error:
            return Answer(0, b"", reason(error))

    def _authorization(self, login: Login | None) -> str:
        """The header of HTTP Basic (RFC 7617); its value must never be shown."""
        from base64 import b64encode

        if login is None:
            raise ValueError(NO_LOGIN)
        password = self._password(login.password_file)
        return "Basic " + b64encode(f"{login.user}:{password}".encode()).decode("ascii")

    def _password(self, path: HostPath) -> str:
        seen = self._files.look(path)
        if seen.what is not What.FILE:
            raise HostError(path, "is not there" if seen.what is What.ABSENT else "is no file")
        if seen.mode & 0o077:
            raise HostError(path, f"may be read by others (mode {seen.mode:04o}); chmod 600 it")
        content = self._files.read(path) or b""
        try:
            password = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeError:
            password = ""
        if (
            not password.isprintable()
            or not 0 < len(content) <= PASSWORD_MOST_BYTES
            or not password
        ):
            raise HostError(path, "does not hold a password on one line")
        return password
