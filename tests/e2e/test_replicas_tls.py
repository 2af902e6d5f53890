"""Servers of one store that reach each other over TLS: they trust certificates as every program does, and say whose they do not."""

import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.test_replicas import FLOW, Pair, answer, launch, register
from tests.postgres import Cluster, emptied, running
from tests.serving import Reply, Server, certificate

from tidegate.core.shards import home_shard


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running() as cluster:
        yield cluster


def certified(place: Path) -> list[str]:
    """Make a certificate for this machine; return the options to serve with it."""
    made = certificate(place, "DNS:localhost,IP:127.0.0.1")
    if made is None:
        pytest.skip("openssl is not installed, so there is no certificate to test with")
    return ["--tls-cert", str(made[0]), "--tls-key", str(made[1])]


class OverTls:
    """Asks a server over TLS; in place of a `Connection`."""

    def __init__(self, server: Server, cert: Path) -> None:
        self._server = server
        self._trust = ssl.create_default_context(cafile=str(cert))

    def __call__(self, method: str, path: str, body: Any = None) -> Reply:
        port = self._server.port
        line = http.client.HTTPSConnection("127.0.0.1", port, timeout=40, context=self._trust)
        words = {
            "Authorization": f"Bearer {self._server.token}",
            "Content-Type": "application/json",
        }
        line.request(method, f"/api/v1/{path}", body and json.dumps(body), words)
        reply = line.getresponse()
        found = Reply(reply.status, json.loads(reply.read()), reply.headers)
        line.close()
        return found


@pytest.mark.parametrize("is_trusted", [True, False])
def test_over_tls_servers_pass_on_to_those_they_trust_and_say_whom_they_do_not(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, is_trusted
):
    (tmp_path / "flow.py").write_text(FLOW)
    with ExitStack() as stack:
        pair = Pair(tmp_path, emptied(cluster), stack, *certified(tmp_path))
        if is_trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        pair.start("a")
        register(pair)
        pair.start("b")
        ask: Any = OverTls(pair.servers["a"], tmp_path / "cert.pem")
        items = pair.settled(ask, "a", "b")
        others = next(each["shards"] for each in items if not each["here"])
        id_ = next(each for n in range(1_000) if home_shard(each := f"e{n}") in others)

        reply = launch(ask, id_)

        if is_trusted:
            assert reply.status == 201
            assert answer(ask, id_, 3).status == 200
        else:
            # Nothing was sent, and so nothing is in doubt; the log says whom to trust.
            assert (reply.status, reply.body["code"]) == (503, "not_here")
            address = next(each["address"] for each in items if not each["here"])
            why = f"{address}: [SSL: CERTIFICATE_VERIFY_FAILED]"
            assert why in reply.body["detail"]
            said = [x for x in pair.servers["a"].said.splitlines() if "cannot be reached" in x]
            assert [why in line for line in said] == [True]
