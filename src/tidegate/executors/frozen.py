"""The decks of an ended attempt, as a blob: nothing written later changes them, because history holds the digest."""

import traceback
from contextlib import suppress

from tidegate.errors import StoreError
from tidegate.executors.frames import Run
from tidegate.logs import Logs
from tidegate.ports.executor import Job, Outcome, Raised, Returned, Unfolded
from tidegate.ports.logs import AttemptLogs
from tidegate.sdk.report import DeckReport
from tidegate.types.values import FileStore


def freeze(report: DeckReport, blobs: FileStore) -> str:
    """Return the blob with the decks of the attempt that ends here; empty if it made none, or they cannot be stored, which does not fail the attempt."""
    try:
        page = report.freeze()
        return blobs.put(page) if page else ""
    except (OSError, StoreError):
        return ""
    except Exception:  # noqa: BLE001 - a deck is the author's own object, and may do anything when it is asked for its HTML
        traceback.print_exc()
        return ""


def freeze_published(attempt: Job | Run, logs: Logs, blobs: FileStore) -> str:
    """Return the blob with what an attempt ended from outside had published; empty if that is nothing, or cannot be stored."""
    with suppress(OSError, StoreError):
        page = logs.read_published(attempt.id, attempt.node, attempt.attempt)
        return "" if page is None else blobs.put(page)
    return ""


def forget_published(outcome: Outcome, job: Job, logs: AttemptLogs) -> None:
    """Remove what an attempt had published, once its decks are frozen."""
    if isinstance(outcome, Returned | Unfolded | Raised) and outcome.deck:
        with suppress(OSError):
            logs.remove_published(job.id, job.node, job.attempt)
