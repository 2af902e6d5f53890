"""Tokens: to make, list and revoke them, which only the owner of the store may, through the local socket."""

from tidegate.api.route import MAX_NAMES_SENT, asking
from tidegate.errors import NameTaken, UnknownToken

TAG = "tokens"

ROUTES = (
    asking("make_token", TAG, NameTaken, limit=MAX_NAMES_SENT, outside=True),
    asking("list_tokens", TAG, outside=True),
    asking("revoke_token", TAG, UnknownToken, outside=True),
)
