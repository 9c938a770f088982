"""Mail through the machine's own sendmail, which queues it and tries again."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pbxfleet.core.errors import HostError
from pbxfleet.host.commands import Runner, failed

PROGRAM = "PBXFLEET_SENDMAIL"
"""Variable that names another program with the arguments of sendmail."""
USUAL = ("/usr/sbin/sendmail", "/usr/lib/sendmail")
TIMEOUT_S = 60.0


def compose(to: Sequence[str], subject: str, text: str) -> bytes:
    """A message as in RFC 5322, with lines that end in LF, as sendmail reads them.

    Header lines and text that are not ASCII are encoded (RFC 2047, RFC 2045). `Auto-Submitted`
    (RFC 3834) keeps absence notices away.
    """
    from email.message import EmailMessage
    from email.policy import EmailPolicy
    from email.utils import localtime, make_msgid

    node = _domain()
    message = EmailMessage(EmailPolicy(linesep="\n", cte_type="7bit"))
    message["From"] = f"pbxfleet <root@{node}>"
    message["To"] = ", ".join(to)
    message["Subject"] = " ".join(subject.encode("utf-8", "replace").decode().split())
    message["Date"] = localtime()
    message["Message-ID"] = make_msgid("pbxfleet", domain=node)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text.encode("utf-8", "replace").decode())
    return message.as_bytes()


def send(to: Sequence[str], subject: str, text: str) -> None:
    """Hand a message to sendmail; HostError if there is none, or it refuses."""
    program = os.environ.get(PROGRAM) or next(filter(os.path.exists, USUAL), "")
    if not program:
        raise HostError("sendmail", "there is no such program on this machine", code="HST105")
    message = compose(to, subject, text)
    ran = Runner().run((program, "-oi", "--", *to), TIMEOUT_S, message)
    if ran.returncode != 0:
        raise failed(ran)


def mail_words() -> tuple[str, ...]:
    """Words before a command that is run later, so that it hands mail to the same program as we do."""
    program = os.environ.get(PROGRAM)
    return ("/usr/bin/env", f"{PROGRAM}={program}") if program else ()


def _domain() -> str:
    """The machine's name as a domain; a name with anything else in it would break a header line."""
    kept = "".join(c for c in os.uname().nodename if c.isascii() and (c.isalnum() or c in ".-"))
    return kept.strip(".-") or "localhost"
