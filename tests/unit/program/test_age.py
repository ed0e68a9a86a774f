# SPDX-License-Identifier: GPL-3.0-or-later
"""The real age, where it is installed: the other tests have one that does as it is told."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from lago_backup import archive
from lago_backup.tools import Refused

pytestmark = pytest.mark.skipif(shutil.which("age") is None, reason="age is not installed")
CONTENT = b"a row\n" * 50_000


def keygen() -> tuple[bytes, str]:
    """An identity and its recipient."""
    identity = subprocess.run(["age-keygen"], capture_output=True, check=True).stdout
    said = subprocess.run(["age-keygen", "-y"], input=identity, capture_output=True, check=True).stdout
    return identity, said.decode().strip()


def test_each_recipient_reads_it_and_nobody_else(tmp_path: Path) -> None:
    (ada, to_ada), (bob, to_bob), (eve, _) = keygen(), keygen(), keygen()
    (tmp_path / "part").write_bytes(CONTENT)
    encrypted = archive.encrypt(str(tmp_path / "part"), [to_ada, to_bob])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["part.age"]
    assert CONTENT[:12] not in Path(encrypted).read_bytes()
    for identity in (ada, bob):
        archive.decrypt(encrypted, str(tmp_path / "plain"), identity)
        assert (tmp_path / "plain").read_bytes() == CONTENT
        (tmp_path / "plain").unlink()
    for stranger in (eve, b"no identity at all"):
        with pytest.raises(Refused, match="cannot be decrypted"):
            archive.decrypt(encrypted, str(tmp_path / "plain"), stranger)
    assert not (tmp_path / "plain").exists()


def test_a_part_that_lacks_its_end_is_refused(tmp_path: Path) -> None:
    identity, recipient = keygen()
    (tmp_path / "part").write_bytes(CONTENT)
    encrypted = Path(archive.encrypt(str(tmp_path / "part"), [recipient]))
    encrypted.write_bytes(encrypted.read_bytes()[:-1])
    with pytest.raises(Refused, match="cannot be decrypted"):
        archive.decrypt(str(encrypted), str(tmp_path / "plain"), identity)


def test_a_key_of_ssh_is_one_too(tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "id")], check=True)
    (tmp_path / "part").write_bytes(CONTENT)
    encrypted = archive.encrypt(str(tmp_path / "part"), [(tmp_path / "id.pub").read_text().strip()])
    archive.decrypt(encrypted, str(tmp_path / "plain"), (tmp_path / "id").read_bytes())
    assert (tmp_path / "plain").read_bytes() == CONTENT
