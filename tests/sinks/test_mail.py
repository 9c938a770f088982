"""Mail as in RFC 5322, handed to a real program with the arguments of sendmail, and received over SMTP."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.errors import HostError
from pbxfleet.host.mail import PROGRAM, compose, send
from support.receivers import Inbox

TO = ("ops@example.com", "night@example.com")


def parsed(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


@given(st.text(max_size=120), st.text(max_size=400))
def test_any_text_arrives_in_lines_that_mail_may_have(subject: str, text: str) -> None:
    content = compose(TO, subject, text)
    assert content.isascii()
    assert max(len(line) for line in content.split(b"\n")) <= 998  # RFC 5322, 2.1.1
    message = parsed(content)
    assert message["To"] == ", ".join(TO)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"] and message["Message-ID"] and "root@" in message["From"]
    assert message.get_content_type() == "text/plain"
    headers = content.split(b"\n\n")[0].decode().lower()
    assert len(re.findall(r"^subject:", headers, re.MULTILINE)) == 1
    assert "\nbcc:" not in headers


def test_a_name_with_a_line_end_adds_no_header() -> None:
    message = parsed(compose(TO, "drift\nBcc: everybody@example.com", "x"))
    assert message["Bcc"] is None
    assert message["Subject"] == "drift Bcc: everybody@example.com"


def test_umlauts_come_back() -> None:
    message = parsed(compose(TO, "Änderung auf fra1", "Größe: 3 €\n"))
    assert message["Subject"] == "Änderung auf fra1"
    assert message.get_content() == "Größe: 3 €\n"


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """A mail server, and msmtp that delivers to it."""
    with Inbox(tmp_path) as box:
        monkeypatch.setenv(PROGRAM, str(box.program))
        yield box


def test_it_is_delivered(inbox: Inbox) -> None:
    send(TO, "2 differences on fra1 \N{EM DASH} new", "first\nsecond\n.\nlast\n")
    (message,) = inbox.received
    assert message["X-RcptTo"] == ", ".join(TO)
    assert str(parsed(message.as_bytes())["Subject"]) == "2 differences on fra1 \N{EM DASH} new"
    assert parsed(message.as_bytes()).get_content() == "first\nsecond\n.\nlast\n"


def test_what_the_program_says_is_passed_on(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROGRAM, "/bin/false")
    with pytest.raises(HostError, match="exit code 1"):
        send(TO, "x", "y")
    assert not inbox.received


def test_a_machine_without_sendmail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PROGRAM, raising=False)
    monkeypatch.setattr("pbxfleet.host.mail.USUAL", ())
    with pytest.raises(HostError, match="no such program"):
        send(TO, "x", "y")
