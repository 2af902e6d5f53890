"""What a store keeps beside its database."""

from msgspec import Struct

from tidegate.logs import Logs
from tidegate.ports.blobs import Blobs
from tidegate.ports.bundles import Bundles


class Artifacts(Struct, frozen=True):
    """The blobs, the bundles, and the logs of a store."""

    blobs: Blobs
    bundles: Bundles
    logs: Logs
