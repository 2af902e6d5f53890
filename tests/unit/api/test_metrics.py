"""The metrics, as a reader of the format of Prometheus takes them."""

from tidegate.api.metrics import exposition
from tidegate.ir.graph import Instant
from tidegate.parts import Standing
from tidegate.ports.listings import Counts
from tidegate.service.gauges import Reading

MANY = 123_456_789


def test_a_counter_keeps_all_its_digits():
    reading = Reading(
        [], Counts({}, {}), queued=0, commits=MANY, decided=MANY + 1, held={}, elsewhere=0
    )

    lines = exposition(reading, {("launch", 201): MANY + 2}, MANY + 3).decode().splitlines()

    assert f"tidegate_commits_total {MANY}" in lines
    assert f"tidegate_changed_executions_total {MANY + 1}" in lines
    assert f'tidegate_http_replies_total{{route="launch",status="201"}} {MANY + 2}' in lines
    assert f"tidegate_answers_total {MANY + 3}" in lines


def test_each_part_says_whether_it_works_and_what_is_held_says_why():
    parts = [
        Standing("feed", False, "no", Instant(0), 7, tidies=False),
        Standing("pool", True, "", Instant(0), 0, tidies=False),
    ]
    reading = Reading(
        parts, Counts({}, {}), queued=0, commits=0, decided=0, held={"no_room": 3}, elsewhere=4
    )

    lines = exposition(reading, {}, 0).decode().splitlines()

    assert 'tidegate_part_up{part="feed"} 0' in lines
    assert 'tidegate_part_up{part="pool"} 1' in lines
    assert 'tidegate_part_restarts_total{part="feed"} 7' in lines
    assert 'tidegate_held_attempts{code="no_room"} 3' in lines
    assert 'tidegate_held_attempts{code="no_worker"} 0' in lines
    assert "tidegate_elsewhere_attempts_total 4" in lines
