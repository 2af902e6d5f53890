"""Quotas, as a server holds projects to them: from what is stored, from its start on."""

import re
import time

from tests.e2e.http_world import World
from tests.serving import LONGEST, Server


def test_a_server_counts_what_is_there_and_refuses_with_the_name_of_the_quota(tmp_path):
    world = World(tmp_path)
    for _ in range(3):
        world.launch("ask")
    world.close()
    server = Server(tmp_path / "home", "--quota", "launches=3").ready()
    try:
        ask = server.connect()
        give_up = time.monotonic() + LONGEST
        while (sent := ask("POST", "executions", {"workflow": "flows.ask"})).status == 201:
            assert time.monotonic() < give_up, "it does not count"
        metrics = ask_metrics(server)
    finally:
        server.close()

    assert (sent.status, sent.body["code"], sent.body["quota"]) == (
        507,
        "quota_reached",
        "launches",
    )
    assert 'tidegate_quota_most{project="",quota="launches"} 3' in metrics
    # How many more were taken before they were counted follows the pace of the machine.
    (share,) = re.findall(r"(\d+)% of its quota of launches", server.said)[-1:]
    assert int(share) >= 100


def test_an_upload_beyond_the_quota_of_files_is_refused_with_its_name(tmp_path):
    server = Server(tmp_path / "home", "--quota", "blobs=10k").ready()
    try:
        ask = server.connect()
        octets = {"Content-Type": "application/octet-stream"}
        give_up = time.monotonic() + LONGEST
        sizes = iter(range(1_000, 2_000))
        while (sent := ask("POST", "blobs", b"x" * next(sizes), **octets)).status == 201:
            assert time.monotonic() < give_up, "it does not count"
        launched = ask("GET", "executions")
    finally:
        server.close()

    assert (sent.status, sent.body["code"], sent.body["quota"]) == (507, "quota_reached", "blobs")
    assert launched.status == 200
    assert "of its quota of blobs" in server.said


def ask_metrics(server):
    import http.client  # noqa: PLC0415 - for this one

    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONGEST)
    line.request("GET", "/metrics", headers={"Authorization": f"Bearer {server.token}"})
    body = line.getresponse().read().decode()
    line.close()
    return body


def test_a_quota_that_there_is_not_is_said_on_one_line(tidegate):
    for word in ("cats=3", "launches", "history=x", "history=10Zi"):
        tried = tidegate("serve", "--quota", word)
        assert tried.code == 2
        assert f"--quota {word}: give one of launches, history, blobs and a number" in tried.err
