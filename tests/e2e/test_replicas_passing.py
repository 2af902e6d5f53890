"""The way from one server to another fails inside, and goes on."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.e2e.test_replicas import FLOW, Pair, answer, ids, launch, outputs, register, until
from tests.postgres import emptied, running

FAILS = """
import os
import tidegate.api.passing as passing

looked = passing.PeerLines._look_now

async def fails_once(lines):
    flag = os.environ.get("FAILS_ONCE", "")
    if flag and os.path.exists(flag):
        os.unlink(flag)
        raise RuntimeError("planted")
    await looked(lines)

passing.PeerLines._look_now = fails_once
"""


def test_a_way_that_has_failed_tells_those_who_wait_and_takes_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    flag = tmp_path / "flag"
    monkeypatch.setenv("FAILS_ONCE", str(flag))
    (tmp_path / "flow.py").write_text(FLOW)
    with running() as cluster, ExitStack() as stack:
        pair = Pair(tmp_path, emptied(cluster), stack)
        pair.start("a")
        register(pair)
        a, b = pair.both(planted=FAILS)
        flag.touch()
        for prefix in ("before", "after"):
            for n, id_ in enumerate(ids(prefix)):
                # What meets the failure is told at once, and is sent again.
                until(lambda id_=id_: launch(b, id_).status in (200, 201), 10)
                until(lambda id_=id_, n=n: answer(b, id_, n).status in (200, 409), 10)
                assert outputs(a, id_) == 2 * n
            until(lambda: "peers has failed: RuntimeError: planted" in pair.servers["b"].said)
        until(lambda: b("GET", "health").body["status"] == "ok", 40)
