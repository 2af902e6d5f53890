"""What a request is: a struct that declares the view that answers it."""

from typing import Generic, TypeVar

from msgspec import Struct

from tidegate.wire.constraints import Short

V = TypeVar("V")


class Ask(Struct, Generic[V], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request that is answered by a `V`. `who` makes it, `via` cli, api, ui or code, authenticated by `credential`: admission fills these in, and nothing else."""

    who: Short = ""
    via: Short = ""
    credential: Short = ""
