"""The metrics, as a reader of the format of Prometheus takes them."""

from tidegate.api.metrics import exposition
from tidegate.ports.listings import Counts
from tidegate.service.gauges import Reading

MANY = 123_456_789


def test_a_counter_keeps_all_its_digits():
    reading = Reading(Counts({}, {}), queued=0, commits=MANY, decided=MANY + 1)

    lines = exposition(reading, {("launch", 201): MANY + 2}, MANY + 3).decode().splitlines()

    assert f"tidegate_commits_total {MANY}" in lines
    assert f"tidegate_changed_executions_total {MANY + 1}" in lines
    assert f'tidegate_http_replies_total{{route="launch",status="201"}} {MANY + 2}' in lines
    assert f"tidegate_answers_total {MANY + 3}" in lines
