"""What a store keeps beside its database."""

from msgspec import Struct

from tidegate.blobs.uploads import UploadDirectory
from tidegate.logs import Logs
from tidegate.ports.blobs import Blobs
from tidegate.ports.bundles import Bundles
from tidegate.ports.tables import Tables


class Artifacts(Struct, frozen=True):
    """The blobs, the bundles, the logs and the unfinished uploads of a store; and what reads its tables, where something does."""

    blobs: Blobs
    bundles: Bundles
    logs: Logs
    uploads: UploadDirectory
    tables: Tables | None = None
