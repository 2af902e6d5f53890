"""Signals over HTTP: to list those of an execution, and to answer, approve or reject one."""

from tidegate.api.route import asking
from tidegate.errors import Refused, UnknownExecution, UnknownSignal

TAG = "signals"
REFUSES = (UnknownExecution, UnknownSignal, Refused)

ROUTES = (
    asking("list_signals", TAG, UnknownExecution),
    asking("get_question", TAG, *REFUSES),
    asking("answer", TAG, *REFUSES),
    asking("approve", TAG, *REFUSES),
    asking("reject", TAG, *REFUSES),
)
