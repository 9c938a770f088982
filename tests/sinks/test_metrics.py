"""Metrics that a real node exporter takes, and that keep what a run could not look at."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.sinks import Sample
from pbxfleet.report.metrics import (
    CLASSES,
    DIFFERS,
    DRIFT,
    HELP,
    LAST_RUN,
    LAST_SUCCESS,
    OF_DRIFT,
    drift_samples,
    merged,
    run_samples,
)
from support import beds
from support.receivers import free_port

EXPORTER = "/usr/bin/prometheus-node-exporter"
PATIENCE_S = 20.0

hosts = st.text('fra1\\"\n é', min_size=1, max_size=6)
names = st.text("abc-", max_size=3)
items = st.lists(st.tuples(names, st.sampled_from(CLASSES)), max_size=6)


def values(text: str) -> dict[str, str]:
    """Series and their values, as they are written."""
    lines = [line for line in text.split("\n") if line and not line.startswith("#")]
    return {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in lines}


def drifted(host: str, found: list[tuple[str, str]]) -> list[Sample]:
    return list(drift_samples(host, ["abc"], found, [], ["abc"]))


@given(hosts, items, items)
def test_a_run_replaces_what_it_measured_and_nothing_else(
    host: str, before: list[tuple[str, str]], now: list[tuple[str, str]]
) -> None:
    other = drifted(f"{host}x", before)
    first = merged("", host, OF_DRIFT, [*drifted(host, before), *other])
    ran = list(run_samples(host, "apply", 5, 17, succeeded=True))
    first = merged(first, host, (), ran)
    second = merged(first, host, OF_DRIFT, drifted(host, now))
    assert values(second) == values(merged("", host, (), [*drifted(host, now), *other, *ran]))
    assert merged(second, host, OF_DRIFT, drifted(host, now)) == second
    assert sum(
        int(v)
        for s, v in values(merged("", host, (), drifted(host, now))).items()
        if s.startswith(DRIFT)
    ) == len(now)


def test_a_failed_run_leaves_the_last_success_where_it_was() -> None:
    text = merged("", "fra1", (), run_samples("fra1", "drift", 0, 100, succeeded=True))
    text = merged(text, "fra1", (), run_samples("fra1", "drift", 1, 200, succeeded=False))
    labels = '{host="fra1",command="drift"}'
    assert values(text)[LAST_RUN + labels] == "200"
    assert values(text)[LAST_SUCCESS + labels] == "100"


@given(st.text(max_size=200))
def test_whatever_lies_there_the_result_is_ours(before: str) -> None:
    for line in merged(before, "fra1", OF_DRIFT, drifted("fra1", [])).splitlines():
        assert line.startswith("# ") or line.partition("{")[0] in HELP


def test_every_instance_has_every_class_also_without_a_difference() -> None:
    samples = list(drift_samples("fra1", ["acme"], [("acme", "mode")], ["acme"], []))
    counted = {s.labels[1:]: s.value for s in samples if s.name == DRIFT}
    assert len(counted) == 2 * len(CLASSES)
    assert [labels for labels, value in counted.items() if value] == [
        (("instance", "acme"), ("class", "mode"))
    ]


@contextlib.contextmanager
def exporter(folder: Path) -> Iterator[int]:
    """The port of a node exporter that reads a folder."""
    beds.require_programs("exporter", EXPORTER)
    port = free_port()
    argv = (
        EXPORTER,
        "--collector.disable-defaults",
        "--collector.textfile",
        f"--collector.textfile.directory={folder}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield port
        finally:
            process.kill()


def fetched(port: int) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        except OSError:
            assert time.monotonic() < deadline, "the exporter does not answer"
            time.sleep(0.05)
        finally:
            connection.close()


def test_a_real_exporter_reads_them(tmp_path: Path) -> None:
    odd = 'fra"1\\\n'
    samples = [
        *drifted("fra1", [("abc", "changed"), ("abc", "changed"), ("", "extra")]),
        Sample(DIFFERS, (("host", odd),), 1),
        *run_samples("fra1", "drift", 2, 1_700_000_000, succeeded=True),
    ]
    text = merged("", "fra1", OF_DRIFT, samples)
    (tmp_path / "pbxfleet.prom").write_text(text, encoding="utf-8")
    with exporter(tmp_path) as port:
        told = fetched(port)
    assert values(told)["node_textfile_scrape_error"] == "0", told
    # The exporter sorts labels by name, and writes numbers in its own way.
    seen = values(told)
    assert seen[f'{DRIFT}{{class="changed",host="fra1",instance="abc"}}'] == "2"
    assert seen[f'{DRIFT}{{class="extra",host="fra1",instance=""}}'] == "1"
    assert seen['pbxfleet_plan_differs{host="fra\\"1\\\\\\n"}'] == "1"
    assert seen[f'{LAST_RUN}{{command="drift",host="fra1"}}'] == "1.7e+09"
    assert sum(name in HELP for name in (s.partition("{")[0] for s in seen)) == len(values(text))


def test_the_exporter_would_have_refused_timestamps(tmp_path: Path) -> None:
    """The reason for two values in place of a timestamp, and a proof that it reads strictly."""
    (tmp_path / "x.prom").write_text("pbxfleet_plan_differs 1 1700000000000\n", encoding="utf-8")
    with exporter(tmp_path) as port:
        assert values(fetched(port))["node_textfile_scrape_error"] == "1"
