"""The decks of an attempt are frozen when it ends, and that costs the attempt nothing but the decks, whatever goes wrong."""

from pathlib import Path

import pytest

from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.errors import StoreError
from tidegate.executors.frozen import forget_published, freeze, freeze_published
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import PythonTarget
from tidegate.logs import Logs
from tidegate.ports.executor import Job, Lost, Returned
from tidegate.ports.journal import Key
from tidegate.sdk.report import DeckReport, Section

JOB = Job(Key(1), "e1", NodeId("n0"), 1, PythonTarget("m", "f"), {}, "")


class Wayward(Section):
    @property
    def html(self) -> str:
        raise RuntimeError("no HTML today")


class Full(BlobFiles):
    def put(self, content: bytes, /) -> str:
        raise StoreError("a blob cannot be stored")


@pytest.fixture
def blobs(tmp_path: Path) -> BlobFiles:
    return BlobFiles(BlobDirectory(tmp_path / "blobs", sync=False))


def drawn(section: Section) -> DeckReport:
    report = DeckReport()
    report.decks.append(section)
    return report


def test_the_blob_is_the_page_as_it_is_at_the_end(blobs: BlobFiles):
    section = Section("a", "<p>bad: 40 %</p>")

    digest = freeze(drawn(section), blobs)
    section.append("<p>later</p>")

    assert b"bad: 40 %" in blobs.get(digest)
    assert b"later" not in blobs.get(digest)


def test_a_deck_that_cannot_be_made_or_stored_fails_nothing(blobs: BlobFiles, tmp_path: Path):
    assert freeze(drawn(Wayward("a")), blobs) == ""
    assert freeze(drawn(Section("a")), Full(BlobDirectory(tmp_path))) == ""
    assert freeze(DeckReport(), blobs) == ""


def test_what_was_published_is_frozen_and_then_forgotten(blobs: BlobFiles, tmp_path: Path):
    logs = Logs(tmp_path)
    logs.publish_deck("e1", "n0", 1, b"page")

    digest = freeze_published(JOB, logs, blobs)
    forget_published(Lost(), JOB, logs)
    forget_published(Returned({}), JOB, logs)
    assert logs.has_published("e1", "n0", 1)
    forget_published(Returned({}, digest), JOB, logs)

    assert blobs.get(digest) == b"page"
    assert freeze_published(JOB, logs, blobs) == ""
