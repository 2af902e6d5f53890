"""What a task asks of the machine that runs it, as it is written and as the graph holds it."""

from typing import Any

import msgspec
import pytest

from tidegate import CompileError, Ray, Resources, task, workflow
from tidegate.ir.graph import ORDINARY, Graph, Requirements, TaskNode


def required(**options: Any) -> Requirements:
    @task(**options)
    def fetch() -> int:
        return 1

    @workflow
    def wf() -> int:
        return fetch()

    (node,) = msgspec.json.decode(msgspec.json.encode(wf.compile()), type=Graph).nodes.values()
    assert isinstance(node, TaskNode)
    return node.requirements


@pytest.mark.parametrize(
    ("cpu", "millis"),
    [(1, 1000), (0.5, 500), ("500m", 500), ("2", 2000), (1.5, 1500), ("0.001", 1), (64, 64_000)],
)
def test_processors_may_be_a_fraction_or_thousandths(cpu, millis):
    assert required(requests=Resources(cpu=cpu)).cpu == millis


@pytest.mark.parametrize(
    ("mem", "size"),
    [
        (1024, 1024),
        ("100", 100),
        ("512Mi", 512 * 2**20),
        ("2Gi", 2 * 2**30),
        ("1G", 10**9),
        ("1.5Gi", 3 * 2**29),
        ("1e6", 10**6),
        ("1E", 10**18),
        ("10k", 10_000),
    ],
)
def test_memory_is_bytes_or_has_the_units_of_kubernetes(mem, size):
    found = required(requests=Resources(mem=mem), limits=Resources(mem=mem))
    assert (found.mem, found.mem_limit) == (size, size)


def test_numbers_of_numpy_are_numbers():
    np = pytest.importorskip("numpy")
    found = required(requests=Resources(cpu=np.int64(2), mem=np.int32(4096)))
    assert (found.cpu, found.mem) == (2_000, 4096)
    half = required(requests=Resources(cpu=np.float32(0.5)))
    assert half.cpu == 500


@pytest.mark.parametrize(
    ("amounts", "message"),
    [
        ({"cpu": 0}, "cpu must be a whole number of thousandths"),
        ({"cpu": 2**70}, r"to 2\*\*62"),
        ({"cpu": -1}, "cpu must be a number of processors"),
        ({"cpu": 0.0001}, "cpu must be a number|cpu must be a whole number"),
        ({"cpu": True}, "cpu must be a number of processors"),
        ({"cpu": float("nan")}, "cpu must be a number of processors"),
        ({"cpu": "2Gi"}, "cpu has no unit 'Gi'"),
        ({"mem": "2GB"}, "mem has no unit 'GB': '2GB'; G or Gi"),
        ({"mem": "2 Gi"}, "mem must be bytes, or a number with a unit"),
        ({"mem": 0}, "mem must be positive"),
        ({"mem": "9Ei"}, "mem must be positive, and at most 4Ei"),
        ({"mem": ("1Gi",)}, "two figures"),
        ({"mem": "1" * 10_000}, "mem must be bytes"),
    ],
)
def test_what_is_not_an_amount_is_refused_where_it_is_written(amounts, message):
    with pytest.raises(CompileError, match=message):
        Resources(**amounts)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"requests": "1Gi"}, "requests must be Resources, such as"),
        ({"requests": Resources(mem="2Gi"), "limits": Resources(mem="1Gi")}, "than its limit"),
        ({"requests": Resources(cpu=(1, 2))}, "a range such as"),
        ({"requests": Resources(cpu=1), "resources": Resources(cpu=1)}, "either resources or"),
        ({"environment": ["A=1"]}, "environment must be a dict"),
        ({"environment": {"A=B": "1"}}, "is not a valid variable name"),
        ({"environment": {"": "1"}}, "is not a valid variable name"),
        ({"environment": {"A": 1}}, "the value of A must be a string, such as '1'; it is 1"),
        ({"environment": {"A": "a\0b"}}, "the value of A must be a string"),
        ({"environment": {"A": "\udcff"}}, "the value of A must be a string"),
        ({"environment": {"TIDEGATE_MARK": ""}}, "are reserved for Tidegate: TIDEGATE_MARK"),
        ({"environment": {"A": "x" * 70_000}}, "at most 65,536 are allowed"),
    ],
)
def test_what_cannot_be_meant_is_refused_where_the_task_is_declared(options, message):
    with pytest.raises(CompileError, match=message):
        task(**options)(lambda: 1)


def test_ranges_are_request_and_limit_as_in_flyte():
    found = required(resources=Resources(cpu=(1, 2), mem=("1Gi", "2Gi")))
    assert (found.cpu, found.mem, found.mem_limit) == (1000, 2**30, 2**31)
    assert found.uncounted == ("limits.cpu",)


def test_what_nothing_counts_is_kept_to_be_told():
    found = required(requests=Resources(gpu="1"), limits=Resources(cpu=2, ephemeral_storage="1Gi"))
    assert found.uncounted == ("limits.ephemeral_storage", "limits.cpu")
    assert required(requests=Resources(gpu="A100:1")).uncounted == ("requests.gpu",)


def test_what_a_ray_cluster_counts_is_kept_as_numbers():
    asked = Resources(cpu=1, gpu="2", custom={"license": 1, "tape": 0.25})
    found = required(requests=asked, task_config=Ray(runtime_env={"env_vars": {"A": "1"}}))
    assert (found.gpu, found.custom) == (2000, {"license": 1000, "tape": 250})
    assert (found.uncounted, found.runtime_env) == ((), {"env_vars": {"A": "1"}})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Resources(gpu=-1), "gpu must be a positive number"),
        (lambda: Resources(gpu=1.5), "gpu must be whole above 1"),
        (lambda: Resources(custom={"CPU": 1}), "a name of its own"),
        (lambda: Resources(custom={"license": True}), "custom 'license' must be a number"),
        (lambda: Ray(runtime_env={"pip": {1, 2}}), "runtime_env must be JSON"),
    ],
)
def test_what_no_cluster_can_count_is_refused(make, message):
    with pytest.raises(CompileError, match=message):
        make()


def test_the_graph_of_a_task_that_asks_for_nothing_says_nothing_of_it():
    @task
    def fetch() -> int:
        return 1

    @task(requests=Resources(cpu=1), environment={})
    def the_same() -> int:
        return 1

    @workflow
    def wf() -> None:
        fetch()
        the_same()

    written = msgspec.json.encode(wf.compile())
    assert b"requires" not in written
    nodes = msgspec.json.decode(written, type=Graph).nodes.values()
    assert [node.requirements for node in nodes if isinstance(node, TaskNode)] == [ORDINARY] * 2


def test_overrides_change_one_side_and_leave_the_other():
    @task(
        requests=Resources(cpu=2, gpu=1), limits=Resources(cpu=4, mem="2Gi"), environment={"A": "1"}
    )
    def fetch() -> int:
        return 1

    @workflow
    def wf() -> None:
        fetch().with_overrides(limits=Resources(mem="1Gi"))  # type: ignore[attr-defined]
        fetch().with_overrides(requests=Resources(mem="1Gi"), environment={"B": "2"})  # type: ignore[attr-defined]

    first, second = (node for node in wf.compile().nodes.values() if isinstance(node, TaskNode))
    assert first.requirements == Requirements(2000, 0, 2**30, {"A": "1"}, gpu=1000)
    assert second.requirements == Requirements(1000, 2**30, 2**31, {"B": "2"}, ("limits.cpu",))

    with pytest.raises(CompileError, match="than its limit"):

        @workflow
        def wrong() -> None:
            fetch().with_overrides(requests=Resources(mem="3Gi"))  # type: ignore[attr-defined]

        wrong.compile()


def test_what_is_not_kept_in_this_process_is_told_once(capsys):
    @task(requests=Resources(gpu=1), limits=Resources(mem="2Gi"))
    def fetch() -> int:
        return 1

    @workflow
    def wf() -> list[int]:
        return [fetch(), fetch()]

    told = [
        "tidegate: the memory limit 2Gi of task 'fetch' is not enforced: it runs in this process",
        "tidegate: task 'fetch' has requests.gpu, which nothing here counts: it has no effect",
    ]
    for call in (lambda: (fetch(), fetch()), wf):
        call()
        assert [
            line.replace(fetch.target.name, "fetch")
            for line in capsys.readouterr().err.splitlines()
        ] == told
