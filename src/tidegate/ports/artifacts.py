"""What a store keeps beside its database."""

from msgspec import Struct

from tidegate.blobs.uploads import UploadDirectory
from tidegate.ports.blobs import Blobs
from tidegate.ports.bundles import Bundles
from tidegate.ports.logs import AttemptLogs
from tidegate.ports.objects import Objects
from tidegate.ports.tables import Tables


class Artifacts(Struct, frozen=True):
    """The blobs, the bundles, the logs and the unfinished uploads of a store; and what reads its tables, where something does."""

    blobs: Blobs
    bundles: Bundles
    logs: AttemptLogs
    uploads: UploadDirectory
    tables: Tables | None = None
    objects: Objects | None = None
    """The object store with the files, if they are in one."""
