"""Who somebody is at the terminal and in a browser: links without tokens, tokens to nobody unknown, and the audit log."""

import getpass
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.serving import Server
from tests.unit.remote.test_transport import Script

ME = getpass.getuser()


@pytest.fixture
def server(tidegate: Any) -> Iterator[Server]:
    made = Server(tidegate.home).ready()
    yield made
    made.close()


def traded(server: Server, link: str) -> Any:
    line = server.connect()
    line._headers = {}
    code = link.partition("#code=")[2]
    return line("POST", "session", {"code": code}, Origin=f"http://127.0.0.1:{server.port}")


def test_a_link_signs_the_user_in_once_and_holds_no_token(tidegate: Any, server: Server):
    link = tidegate("open", "--print").out.strip()

    assert re.fullmatch(rf"http://127\.0\.0\.1:{server.port}/#code=[\w-]{{32}}", link)
    first, second = traded(server, link), traded(server, link)
    assert (first.status, first.body["name"]) == (200, ME)
    assert second.status == 401
    assert "tidegate open" in second.body["detail"]


def test_the_server_prints_such_a_link_and_how_to_get_another(tidegate: Any):
    for words in (("serve",), ("demo",)):
        started = tidegate.start(*words, "--port", "0")
        started.says("tidegate open")
        (link,) = re.findall(r"Open (http\S+)", started.err)
        assert "#code=" in link
        server = Server.__new__(Server)
        server.port, server.home, server._lines = (
            int(link.split(":")[2].split("/")[0]),
            tidegate.home,
            [],
        )
        assert traded(server, link).body["name"] == ME
        assert server.token not in started.err
        for line in server._lines:
            line.close()
        started.process.terminate()
        assert started.ends().code == 0


def test_without_a_server_there_is_nothing_to_open(tidegate: Any):
    done = tidegate("open")
    assert (done.code, done.out) == (5, "")
    assert "tidegate serve" in done.err


def test_the_server_of_this_machine_is_asked_through_the_local_door(tidegate: Any, server: Server):
    (tidegate.home / "token").unlink()

    done = tidegate("token", "list", "--json")
    assert [each["name"] for each in done.json] == ["admin"]
    done = tidegate("list", "--remote", "--json")
    assert (done.code, done.json) == (0, []), done.err


def test_anyone_who_listens_where_the_server_should_be_gets_no_token(tidegate: Any, server: Server):
    secret = server.token.split("_")[2]
    server.stop()
    squatter = Script()
    squatter.proof, squatter.replies = (200, {"proof": "00" * 32}, {}), [(200, {}, {})] * 9
    tidegate.environment["TIDEGATE_URL"] = squatter.url
    try:
        done = tidegate("list", "--remote")
    finally:
        squatter.server.shutdown()
        squatter.server.server_close()

    assert done.code == 5, done.err
    assert "was not sent" in done.err
    assert squatter.proofs
    assert squatter.seen == []
    assert secret not in repr(squatter.proofs)


def test_another_machine_is_asked_in_clear_only_if_that_is_meant(tidegate: Any):
    tidegate.environment["TIDEGATE_TOKEN"] = f"tdg_0a1b2c3d_{'5e' * 32}_00000000"
    done = tidegate("list", "--server", "http://192.0.2.1:8433")
    assert done.code == 2, done.err
    assert "--insecure" in done.err
    assert "--insecure" in tidegate("list", "--help").out


def test_a_rotated_token_goes_on_where_the_old_one_ends(tidegate: Any, server: Server):
    old = tidegate("token", "create", "ada", "--role", "viewer").out.strip()
    new = tidegate("token", "rotate", "ada", "--overlap", "0s").out.strip()
    ask = server.connect()
    found = [ask("GET", "executions", Authorization=f"Bearer {each}").status for each in (old, new)]
    assert found == [401, 200]

    before = server.token
    tidegate("token", "rotate", "admin", "--overlap", "0s")
    assert server.token != before
    assert ask("GET", "audit", Authorization=f"Bearer {server.token}").status == 200
    assert ask("GET", "audit", Authorization=f"Bearer {before}").status == 401


def test_the_audit_log_is_shown_and_found_in_as_json_lines_too(tidegate: Any, server: Server):
    made = tidegate("token", "create", "ada", "--role", "viewer", "--json").json
    ask = server.connect()
    for _ in range(3):
        assert ask("GET", "executions", Authorization="Bearer wrong").status == 401
    assert ask("GET", "audit", Authorization=f"Bearer {made['secret']}").status == 403
    tidegate("token", "revoke", "ada")

    lines = [json.loads(each) for each in tidegate("audit", "--json").out.splitlines()]
    told = [(each["kind"], each["who"], each["about"], each["count"]) for each in lines]
    ada = f"ada ({made['token']['id']})"
    assert sorted(told) == sorted(
        [
            ("token_made", "local", told[-1][2], 1),
            ("token_made", ME, ada, 1),
            ("refused", "", "unauthenticated", 3),
            ("refused", "ada", "forbidden", 1),
            ("token_revoked", ME, ada, 1),
        ]
    )
    assert "192" not in tidegate("audit", "--kind", "token_made").out
    assert "127.0.0.1" in tidegate("audit", "--kind", "refused").out
    assert len(tidegate("audit", "--who", ME, "--json").out.splitlines()) == 2
    assert tidegate("audit", "--kind", "nonsense").code == 2
    server.stop()
    assert len(tidegate("audit", "--json").out.splitlines()) == 5, "without a server, too"
