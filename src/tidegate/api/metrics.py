"""The gauges in the text format of Prometheus."""

from collections.abc import Iterable, Mapping

from tidegate.core.state import ExecutionPhase
from tidegate.service.gauges import HELD, Reading, SharesReading
from tidegate.service.quotas import Used

MEDIA = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]
Sample = tuple[Labels, float]


def exposition(
    reading: Reading,
    replies: Mapping[tuple[str, int], int],
    answers: int,
    used: Iterable[Used] = (),
    shares: SharesReading | None = None,
) -> bytes:
    """Return the metrics of a server; `replies` counts HTTP replies by route and status, `answers` the accepted answers."""
    counts = reading.counts
    waits = {kind: counts.waits.get(kind, 0) for kind in ("input", "approve", "sleep", "retry")}
    lines = [
        *_metric(
            "part_up",
            "gauge",
            "Whether a part of the server works: 1 or 0.",
            [({"part": part.name}, int(part.up)) for part in reading.parts],
        ),
        *_metric(
            "part_restarts_total",
            "counter",
            "Restarts of a part after a failure.",
            [({"part": part.name}, part.restarts) for part in reading.parts],
        ),
        *_metric(
            "executions",
            "gauge",
            "Executions by phase.",
            [({"phase": p.name}, counts.phases.get(p, 0)) for p in ExecutionPhase],
        ),
        *_metric(
            "waiting_nodes",
            "gauge",
            "Waiting nodes by kind; input and approve are open gates.",
            [({"kind": kind}, count) for kind, count in waits.items()],
        ),
        *_metric(
            "queue_length",
            "gauge",
            "Requests and reports that the engine has not processed yet.",
            [({}, reading.queued)],
        ),
        *_attempts(reading),
        *_metric("commits_total", "counter", "Transactions.", [({}, reading.commits)]),
        *_metric(
            "changed_executions_total",
            "counter",
            "Changed executions, summed over transactions.",
            [({}, reading.decided)],
        ),
        *_quotas(used),
        *_over_http(replies, answers),
        *(() if shares is None else _shared(shares)),
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _quotas(used: Iterable[Used]) -> Iterable[str]:
    there = list(used)
    labels = [{"project": each.project, "quota": each.quota} for each in there]
    parts = list(zip(labels, there, strict=True))
    what = "Usage of a project's quota: executions, or bytes of history."
    yield from _metric("quota_used", "gauge", what, [(at, each.used) for at, each in parts])
    most = "Limit of a project's quota."
    yield from _metric("quota_most", "gauge", most, [(at, each.most) for at, each in parts])


def _shared(shares: SharesReading) -> Iterable[str]:
    owned = [({"shard": str(shard)}, count) for shard, count in shares.shards.items()]
    what = "Shards that this server owns: 1 each."
    yield from _metric("shard_owned", "gauge", what, [(labels, 1) for labels, _ in owned])
    what = "Attempts of a shard that workers of this server have, or are about to have."
    yield from _metric("shard_attempts", "gauge", what, owned)
    for name, kind, what, value in (
        (
            "lease_age_seconds",
            "gauge",
            "Seconds since the lease was renewed; after 10 others take over.",
            shares.lease_age,
        ),
        (
            "fence_failures_total",
            "counter",
            "Transactions refused because another server owned a shard.",
            shares.refused,
        ),
        ("shards_taken_total", "counter", "Shards taken over.", shares.taken),
        (
            "takeover_seconds_total",
            "counter",
            "Seconds for taking up what was in them.",
            shares.took,
        ),
    ):
        yield from _metric(name, kind, what, [({}, round(value, 3))])


def _over_http(replies: Mapping[tuple[str, int], int], answers: int) -> Iterable[str]:
    yield from _metric("answers_total", "counter", "Answers accepted over HTTP.", [({}, answers)])
    yield from _metric(
        "http_replies_total",
        "counter",
        "HTTP replies by route and status.",
        [
            ({"route": route, "status": str(status)}, count)
            for (route, status), count in sorted(replies.items())
        ],
    )


def _attempts(reading: Reading) -> Iterable[str]:
    yield from _metric(
        "held_attempts",
        "gauge",
        "Held attempts, by reason.",
        [({"code": code}, reading.held.get(code, 0)) for code in HELD],
    )
    yield from _metric(
        "waiting_attempts",
        "gauge",
        "Attempts waiting for a free worker.",
        [({}, reading.waiting)],
    )
    yield from _metric(
        "elsewhere_attempts_total",
        "counter",
        "Attempts that started in an environment other than the one their execution was launched in.",
        [({}, reading.elsewhere)],
    )


def _metric(name: str, kind: str, what: str, samples: Iterable[Sample]) -> Iterable[str]:
    full = f"tidegate_{name}"
    yield f"# HELP {full} {what}"
    yield f"# TYPE {full} {kind}"
    for labels, value in samples:
        # Names of parts, routes, phases and kinds contain nothing that needs escaping.
        inside = ",".join(f'{label}="{text}"' for label, text in labels.items())
        yield f"{full}{{{inside}}} {value}" if inside else f"{full} {value}"
