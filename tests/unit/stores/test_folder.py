"""The directory of a store: where it may be."""

import os
import tempfile
from pathlib import Path

import pytest

from tidegate.errors import StoreError
from tidegate.stores import folder

MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/export /net/home nfs4 rw,vers=4.2 0 0
//server/share /net/with\\040blank cifs rw 0 0
share /net/home/here virtiofs rw 0 0
C: /mnt/c 9p rw 0 0
"""


@pytest.mark.parametrize("place", ["/net/home", "/net/home/ada/tide", "/net/with blank/x"])
def test_a_network_file_system_is_refused(tmp_path: Path, place):
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)

    with pytest.raises(StoreError, match=r"network file system \((nfs4|cifs), mounted at /net/"):
        folder.refuse_network(Path(place), mounts)


@pytest.mark.parametrize("place", ["/", "/net", "/net/homestead", "/net/home/here/x", "/mnt/c/x"])
def test_a_local_or_virtual_disk_is_accepted(tmp_path: Path, place):
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)

    folder.refuse_network(Path(place), mounts)


@pytest.mark.parametrize("place", ["taken", "taken/home", "taken/of/somebody/home"])
def test_a_file_in_the_way_is_named_with_what_to_do(tmp_path: Path, place: str):
    (tmp_path / "taken").write_text("a file in the way")

    with pytest.raises(StoreError, match="/taken is not a directory: choose another place"):
        folder.make_folder(tmp_path / place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_directory_of_somebody_else_is_refused_and_root_may_use_anybodys():
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        home.mkdir(mode=0o700)
        os.chown(home, 65_534, 65_534)
        folder.refuse_open(home)

        Path(place).chmod(0o755)
        home.chmod(0o755)
        os.seteuid(65_533)
        try:
            with pytest.raises(StoreError, match=r"belongs to nobody.*--home"):
                folder.refuse_open(home)
        finally:
            os.seteuid(0)
        os.seteuid(65_534)
        try:
            folder.refuse_open(home)
        finally:
            os.seteuid(0)
