"""Tokens and one-time codes, which only a user of the store makes, through the local socket; and the audit log, for administrators."""

from tidegate.api.route import MAX_NAMES_SENT, asking
from tidegate.errors import NameTaken, UnknownToken

TAG = "tokens"

ROUTES = (
    asking("make_token", TAG, NameTaken, limit=MAX_NAMES_SENT, outside=True),
    asking("list_tokens", TAG, outside=True),
    asking("revoke_token", TAG, UnknownToken, outside=True),
    asking("rotate_token", TAG, UnknownToken, limit=MAX_NAMES_SENT, outside=True),
    asking("make_code", TAG, limit=MAX_NAMES_SENT, outside=True),
    asking("list_audit", "audit"),
)
