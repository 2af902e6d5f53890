"""Which server decides about a request, where the other servers are given."""

from typing import Any

from tidegate.engine.sharing import not_here
from tidegate.service.access import LOCAL
from tidegate.service.replicas import UNSURE, Replicas
from tidegate.service.steps import Pause, Steps
from tidegate.wire import Answer


class OneShard:
    """The `StoreShares` of a server that owns shard 5, and every execution in it."""

    is_shared, own = True, (5,)

    def has(self, shard: int) -> bool:
        return shard in self.own

    def home_shard(self, execution_id: str) -> int:
        del execution_id
        return 5

    def shard_of(self, key: int) -> int:
        return key % 64

    def key(self, id_: str) -> int:
        del id_
        return 5

    known_key = key


def test_a_server_that_is_not_sure_of_what_it_owns_asks_itself_again_after_a_pause() -> None:
    shares: Any = OneShard()
    replicas = Replicas(shares, shares, lambda: "drawn")
    replicas.peers = shares  # never asked: it owns the shard
    replies = [not_here(), not_here(), "stored"]

    def here(_: Any) -> Steps[Any]:
        said = replies.pop(0)
        if isinstance(said, Exception):
            raise said
        return said
        yield

    steps = replicas.decide(Answer(id="e", name="n", value=1), LOCAL, here, passed_on=False)

    waits = [next(steps), steps.send(None)]
    assert [each.seconds for each in waits if isinstance(each, Pause)] == [UNSURE, UNSURE]
    try:
        steps.send(None)
    except StopIteration as stop:
        assert stop.value == "stored"
    else:
        raise AssertionError("it was not decided")
