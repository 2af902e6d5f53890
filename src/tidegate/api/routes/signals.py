"""Signals over HTTP: list those of an execution, and answer, approve or reject one."""

from tidegate.api.route import MAX_JSON, MAX_WORDS, asking
from tidegate.errors import Refused, UnknownExecution, UnknownSignal

TAG = "signals"
REFUSES = (UnknownExecution, UnknownSignal, Refused)

ROUTES = (
    asking("list_signals", TAG, UnknownExecution),
    asking("get_question", TAG, *REFUSES),
    asking("answer", TAG, *REFUSES, limit=MAX_JSON),
    asking("check_answer", TAG, *REFUSES, limit=MAX_JSON),
    asking("approve", TAG, *REFUSES, limit=MAX_WORDS),
    asking("reject", TAG, *REFUSES, limit=MAX_WORDS),
)
