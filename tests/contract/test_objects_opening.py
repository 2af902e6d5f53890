"""A store whose files are in an object store: what runs, what another server sees of it, and what happens while the object store is away."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from tests.contract.recovered_code import LONGEST, Code
from tests.contract.yard import until
from tests.objects import Cable, ObjectServer, running
from tests.ray_cluster import running_ray

from tidegate.errors import ObjectsAway, StoreError
from tidegate.home import BLOBS, BUNDLES
from tidegate.logs import Logs, Seen
from tidegate.objects.bucket import Bucket
from tidegate.objects.logs import ObjectLogs
from tidegate.objects.opening import Record, has_files, recorded
from tidegate.ports.executor import NO_OBJECTS
from tidegate.runtime import artifacts_in, checked, open_runtime, ray_cluster
from tidegate.wire import Answer, GetDeck, GetExecution, GetLogs, Launch

FLOW = """
import os
import time

from tidegate import Deck, File


@task(enable_deck=True)
def make(n: int, place: str) -> File:
    print("made")
    Deck("first", "<p>published</p>")
    Path("out.bin").write_bytes(b"x" * n)
    return File("out.bin")


@task
def measure(file: File, place: str) -> int:
    print("running", flush=True)
    while not Path(place, "go").exists():
        time.sleep(0.05)
    print("x" * 300_000)
    print("ends")
    assert not [name for name in os.environ if "KEY" in name or "TIDEGATE_BLOBS" in name], "keys"
    with open(file, "rb") as content:
        return len(content.read())


@workflow
def wf(n: int, place: str) -> int:
    file = make(n=n, place=place)
    ok = approve(file, "ok")
    return measure(file=ok, place=place)
"""


@pytest.fixture(scope="module")
def server():
    with running() as server:
        yield server


@pytest.fixture
def cable(server: ObjectServer, monkeypatch) -> Iterator[Cable]:
    """The way to the object store, and an address in it that the next store that is opened uses."""
    cable = Cable(server.port)
    for name, text in server.variables.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("AWS_ENDPOINT_URL", cable.endpoint)
    monkeypatch.setenv("TIDEGATE_BLOBS", server.bucket())
    yield cable
    cable.close()


def opened(place: Path):
    return open_runtime(place / "home", workers=2, serve_door=False)


def standing(runtime) -> str:
    (why,) = [each.why for each in runtime.parts.standings() if each.name == "objects"]
    return why


def held(runtime, id_: str) -> str:
    nodes = runtime.handle(GetExecution(id=id_)).nodes
    return next((node.held.code for node in nodes if node.held), "")


def texts(logs: ObjectLogs, id_: str) -> list[tuple[str, bool]]:
    return [(each.text, each.live) for each in logs.read(id_)]


def test_nodes_of_a_ray_cluster_use_it_themselves_and_hold_what_runs_there_while_they_cannot(
    cable: Cable, tmp_path: Path, server: ObjectServer, monkeypatch
):
    theirs = Cable(server.port)
    theirs.state = "cut"
    monkeypatch.setenv("AWS_ENDPOINT_URL", theirs.endpoint)
    with running_ray() as ray, closing(theirs):
        monkeypatch.setenv("AWS_ENDPOINT_URL", cable.endpoint)
        workers = ray_cluster(ray.address, False, 1)
        with open_runtime(tmp_path / "home", workers=workers, serve_door=False) as runtime:
            code, inputs = Code(runtime, tmp_path), {"n": 20, "place": str(tmp_path)}
            version = code.registered(FLOW)
            runtime.handle(Launch(workflow="flow.wf", version=version, inputs=inputs, id="one"))
            until(lambda: held(runtime, "one") == NO_OBJECTS)
            (node,) = [e for e in runtime.handle(GetExecution(id="one")).nodes if e.held]
            assert "cannot use the files of the store: s3://" in node.held.message
            assert "\n" not in node.held.message

            theirs.state = "whole"
            code.look("one")
            runtime.handle(Answer(id="one", name="ok", value=True))
            logs = artifacts_in(tmp_path / "home").logs
            until(lambda: ("running\n", True) in texts(logs, "one"))
            (tmp_path / "go").touch()
            view = runtime.handle(GetExecution(id="one", wait=LONGEST))

            assert view.outputs == {"o0": 20}
            assert [e.attempts for e in view.nodes if e.kind == "task"] == [1, 1]
            assert sorted(len(text) for text, _ in texts(logs, "one")) == [5, 300_014]
            # What it reads and makes passes through no directory of the server.
            assert not has_files(tmp_path / "home")


def test_what_one_server_runs_another_reads_while_it_runs_and_when_it_has_ended(
    cable: Cable, tmp_path: Path
):
    with opened(tmp_path) as runtime:
        code = Code(runtime, tmp_path)
        code.launched(FLOW, n=20, place=str(tmp_path))
        runtime.handle(Answer(id="one", name="ok", value=True))
        other = ObjectLogs(Bucket(recorded(tmp_path / "home").address), Logs(tmp_path / "other"))
        until(lambda: ("running\n", True) in texts(other, "one"))
        found, seen = other.news("one", None, Seen())
        assert [each.text for each in found] == ["made\n", "running\n"]

        (tmp_path / "go").touch()
        view = runtime.handle(GetExecution(id="one", wait=LONGEST))

        assert view.phase == "SUCCEEDED", view.error
        assert view.outputs == {"o0": 20}
        long = "x" * 300_000 + "\nends\n"
        assert texts(other, "one") == [("made\n", False), ("running\n" + long, False)]
        assert [each.text for each in runtime.handle(GetLogs(id="one")).items] == [
            "made\n",
            "running\n" + long,
        ]
        read = ""
        while len(read) < len(long):
            found, seen = other.news("one", None, seen)
            read += "".join(each.text for each in found)
        assert read == long
        assert other.news("one", None, seen)[0] == []
        assert "published" in runtime.handle(GetDeck(id="one", node="make")).html
    home = tmp_path / "home"
    assert not [path for name in (BLOBS, BUNDLES) for path in (home / name).rglob("*")]
    assert not [path for path in (home / "logs").rglob("*") if path.is_file()]
    # Nothing that is stored tells a key, and the command need not say again where the files are.
    assert not [p for p in home.rglob("*") if p.is_file() and b"is-secret" in p.read_bytes()]
    assert checked(home) == (1, [], [])


@pytest.mark.parametrize("state", ["cut", "silent"])
def test_attempts_are_held_while_the_object_store_is_away_and_go_on_when_it_is_back(
    cable: Cable, tmp_path: Path, state
):
    (tmp_path / "go").touch()
    with opened(tmp_path) as runtime:
        code = Code(runtime, tmp_path)
        version = code.registered(FLOW)
        assert standing(runtime) == ""
        cable.state = state
        began = time.monotonic()
        with pytest.raises(ObjectsAway, match=r"s3://\S+ (cannot be reached|does not reply)"):
            runtime.service.blobs.put((b"a file",))
        assert time.monotonic() - began < 60
        inputs = {"n": 3, "place": str(tmp_path)}
        runtime.handle(Launch(workflow="flow.wf", version=version, inputs=inputs, id="one"))

        until(lambda: held(runtime, "one") == "no_objects")
        assert "s3://" in standing(runtime)
        assert runtime.parts.health == "degraded"
        began = time.monotonic()
        with pytest.raises(ObjectsAway):
            runtime.service.blobs.size("0" * 64)
        assert time.monotonic() - began < 20

        cable.state = "whole"
        until(lambda: runtime.handle(GetExecution(id="one")).phase == "WAITING")
        assert standing(runtime) == ""
        runtime.handle(Answer(id="one", name="ok", value=True))
        assert runtime.handle(GetExecution(id="one", wait=LONGEST)).phase == "SUCCEEDED"


def test_a_lost_bucket_is_said_to_be_lost_and_what_needs_it_is_held(
    cable: Cable, tmp_path: Path, server: ObjectServer
):
    (tmp_path / "go").touch()
    with opened(tmp_path) as runtime:
        code = Code(runtime, tmp_path)
        code.launched(FLOW, n=3, place=str(tmp_path))
    bucket = Bucket(recorded(tmp_path / "home").address)
    bucket.remove(*(each.name for prefix in ("", "blobs/") for each in bucket.list(prefix)))

    with opened(tmp_path) as runtime:
        until(lambda: "are gone from s3://" in standing(runtime))
        runtime.handle(Answer(id="one", name="ok", value=True))
        until(lambda: held(runtime, "one") == "no_objects")
    assert "are gone from" in checked(tmp_path / "home").problems[0]


def test_a_store_is_opened_with_its_own_files_only(
    cable: Cable, tmp_path: Path, server: ObjectServer, monkeypatch
):
    home = tmp_path / "home"
    address = __import__("os").environ["TIDEGATE_BLOBS"]
    with opened(tmp_path):
        pass
    assert recorded(home) == msgspec.json.decode((home / "objects").read_bytes(), type=Record)

    monkeypatch.setenv("TIDEGATE_BLOBS", server.bucket())
    with pytest.raises(StoreError, match=r"are in s3://.*, not in s3://.*store copy. moves them"):
        opened(tmp_path)
    monkeypatch.setenv("TIDEGATE_BLOBS", address)
    with pytest.raises(StoreError, match="has the files of another store"):
        opened(tmp_path / "another")
    monkeypatch.delenv("TIDEGATE_BLOBS")
    with opened(tmp_path / "third"):
        artifacts_in(tmp_path / "third" / "home").blobs.put((b"here",))
    monkeypatch.setenv("TIDEGATE_BLOBS", server.bucket())
    with pytest.raises(StoreError, match=r"has its files there.*store copy. moves them"):
        opened(tmp_path / "third")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://bucket/x", "it looks like s3://BUCKET/PREFIX"),
        ("s3://key:secret@bucket/x", "has no credentials"),
        ("s3:///x", "no bucket"),
        ("file://here/x", "absolute path"),
        ("s3://no-such-bucket-is-here/x", "there is no such bucket"),
    ],
)
def test_a_wrong_address_is_one_clear_line_and_nothing_is_opened(
    cable: Cable, tmp_path: Path, monkeypatch, address, why
):
    monkeypatch.setenv("TIDEGATE_BLOBS", address)
    with pytest.raises(StoreError, match=why) as caught:
        opened(tmp_path)
    assert "secret" not in caught.value.message
    assert "\n" not in caught.value.message
    assert recorded(tmp_path / "home") is None


def test_wrong_keys_are_one_clear_line_and_are_not_told(
    cable: Cable, tmp_path: Path, server: ObjectServer
):
    server.ask("POST", "/moto-api/reset-auth", b"0")
    try:
        with pytest.raises(ObjectsAway, match="refuses our credentials") as caught:
            opened(tmp_path)
        assert "is-secret" not in caught.value.message
    finally:
        server.ask("POST", "/moto-api/reset-auth", b"inf")
