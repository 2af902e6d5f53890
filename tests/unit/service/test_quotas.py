"""Quotas: a project that has all that it may have launches nothing more, and nobody else notices."""

import pytest

from tidegate import wait_for_input, workflow
from tidegate.errors import QuotaReached
from tidegate.service.quotas import BLOBS, DEFAULTS, HISTORY, LAUNCHES
from tidegate.testing import Sandbox
from tidegate.wire import Answer, GetExecution, Launch, Relaunch


@workflow
def ask() -> int:
    return wait_for_input("number", expected_type=int)


@pytest.fixture
def service():
    with Sandbox() as sandbox:
        sandbox._register(ask)
        service = sandbox._service
        service.quotas.look()
        yield service


def launch(service, id_="", project="p"):
    return service.handle(Launch(workflow=ask.name, id=id_, project=project)).id


def test_a_project_at_its_quota_launches_no_more_and_others_do(service):
    service.quotas.limits = {**DEFAULTS, LAUNCHES: 2}
    first = launch(service, "first")
    launch(service, "second")

    for looked in (False, True):
        with pytest.raises(
            QuotaReached, match="project 'p' has reached its quota of launches"
        ) as e:
            launch(service)
        assert (e.value.status, e.value.details["quota"]) == (507, LAUNCHES)
        with pytest.raises(QuotaReached):
            service.handle(Relaunch(id=first))
        launch(service, project=f"other-{looked}")
        service.quotas.look()


def test_what_is_there_goes_on_and_the_same_launch_again_is_the_same(service):
    id_ = launch(service, "first")
    service.quotas.limits = {**DEFAULTS, LAUNCHES: 1, HISTORY: 1}
    service.quotas.look()

    assert launch(service, "first") == id_
    service.handle(Answer(id=id_, name="number", value=1))
    assert service.handle(GetExecution(id=id_)).phase == "SUCCEEDED"


def test_history_counts_in_bytes_by_the_project_that_wrote_it(service):
    launch(service, project="p")
    service.quotas.look()
    used = {(each.project, each.quota): each.used for each in service.quotas.used()}

    assert used["p", LAUNCHES] == 1
    assert 20 < used["p", HISTORY] < 10_000
    service.quotas.limits = {**DEFAULTS, HISTORY: used["p", HISTORY]}
    with pytest.raises(QuotaReached, match="quota of history"):
        launch(service, project="p")


def test_at_four_fifths_the_log_says_so_once(service, caplog):
    service.quotas.limits = {LAUNCHES: 10}
    for _ in range(8):
        launch(service)
    for _ in range(3):
        service.quotas.look()

    (warning,) = [each.getMessage() for each in caplog.records if "quota" in each.getMessage()]
    assert warning.startswith("project 'p' has used 80% of its quota of launches (10)")


def test_where_nothing_is_counted_nothing_is_refused():
    with Sandbox() as sandbox:
        sandbox._register(ask)
        sandbox._service.quotas.limits = {LAUNCHES: 0}
        assert launch(sandbox._service)


def test_files_share_a_quota_in_which_those_count_that_were_there(service, caplog):
    service.blobs.put([b"x" * 600])
    service.quotas._files_again = 0.0
    service.quotas.limits = {**DEFAULTS, BLOBS: 1_000}
    service.quotas.look()

    service.quotas.add_file(250)
    with pytest.raises(QuotaReached, match="the files of this store have reached") as refused:
        service.quotas.add_file(151)
    assert (refused.value.status, refused.value.details["quota"]) == (507, BLOBS)
    service.quotas.add_file(150)

    used = [each for each in service.quotas.used() if each.quota == BLOBS]
    assert [(each.project, each.used, each.most) for each in used] == [("", 1_000, 1_000)]
    (said,) = (each for each in caplog.messages if BLOBS in each)
    assert said.startswith("the store has used 85% of its quota of blobs")
    assert launch(service)
