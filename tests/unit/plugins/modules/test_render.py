# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import grp
import hashlib
import json
import os
import pwd
import stat
import typing as t
from pathlib import Path
from unittest import mock

import pytest
from ansible_collections.selfhosted.lago.plugins.module_utils import _files
from ansible_collections.selfhosted.lago.plugins.module_utils._files_render import encode

CANARY = "canary-7f3a9c"
USER, GROUP = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")


def snapshot(root: Path) -> dict[str, tuple[t.Any, ...]]:
    """All that is below a directory, with what a change would change, its time among it."""
    found = {}
    for path in sorted(root.rglob("*")):
        at = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(at.st_mode) else os.readlink(path) if path.is_symlink() else None
        found[str(path)] = (stat.S_IMODE(at.st_mode), at.st_uid, at.st_gid, at.st_mtime_ns, at.st_ino, content)
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "lago"


@pytest.fixture
def render(run_module: t.Any, tmp_path: Path, root: Path) -> t.Any:
    """Render files; where it is no check, prove that check mode foretold the change and changed nothing."""

    def run(*files: dict[str, t.Any], check: bool = False, **options: t.Any) -> t.Any:
        args = {
            "directory": str(root),
            "files": [{key: value for key, value in file.items() if key != "content"} for file in files],
            "payload": encode([file["content"] for file in files]),
            **options,
        }
        before = snapshot(tmp_path)
        foretold = run_module("render", args, check=True, diff=True)
        assert snapshot(tmp_path) == before, "check mode changes nothing"
        assert CANARY not in foretold.text
        if check:
            return foretold
        ran = run_module("render", args, diff=True)
        assert CANARY not in ran.text
        assert args["payload"] not in ran.text
        ran.pop("invocation", None)
        foretold.pop("invocation", None)
        assert ran == foretold, "check mode tells the truth"
        if not ran.get("failed"):
            done = snapshot(tmp_path)
            again = run_module("render", args, diff=True)
            assert not again["changed"]
            assert again["diff"] == []
            assert snapshot(tmp_path) == done, "nothing is touched twice"
        return ran

    return run


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def plain(dest: str, content: str, **options: t.Any) -> dict[str, t.Any]:
    return {"dest": dest, "content": content, **options}


def secret(dest: str, content: str, **options: t.Any) -> dict[str, t.Any]:
    return plain(dest, content, secret=True, **options)


def test_makes_everything_where_nothing_is(render: t.Any, root: Path) -> None:
    ran = render(plain("compose.yml", "services: {}\n", mode="0644"), secret("env/a/b.env", f'A="{CANARY}"\n'))
    assert ran["changed"]
    assert ran["files"] == {
        "compose.yml": {
            "changed": True,
            "mode": "0644",
            "sha256": hashlib.sha256(b"services: {}\n").hexdigest(),
        },
        "env/a/b.env": {"changed": True, "mode": "0600"},
    }
    assert (root / "env/a/b.env").read_text() == f'A="{CANARY}"\n'
    assert [mode(root / name) for name in ("", "env", "env/a", "compose.yml", "env/a/b.env")] == [
        0o700,
        0o700,
        0o700,
        0o644,
        0o600,
    ]


def test_directory_mode(render: t.Any, root: Path) -> None:
    render(plain("a/b", "x"), directory_mode="0750")
    assert (mode(root), mode(root / "a")) == (0o750, 0o750)
    ran = render(plain("a/b", "x"), directory_mode="0700")
    assert ran["changed"]
    assert (mode(root), mode(root / "a")) == (0o700, 0o700)
    assert "mode 0750" in ran["diff"][0]["before"]
    assert "mode 0700" in ran["diff"][0]["after"]


def test_no_files_make_no_directory(render: t.Any, root: Path) -> None:
    assert not render()["changed"]
    assert not root.exists()


def test_content_differs(render: t.Any, root: Path) -> None:
    render(plain("a", "one\n"), plain("b", "same\n"))
    ran = render(plain("a", "two\n"), plain("b", "same\n"))
    assert [ran["files"][name]["changed"] for name in "ab"] == [True, False]
    at = f"{root}/a (mode 0600, owner {os.geteuid()}, group {os.getegid()})"
    assert ran["diff"] == [{"before_header": at, "after_header": at, "before": "one\n", "after": "two\n"}]


def test_a_wrong_mode_is_corrected_and_told(render: t.Any, root: Path) -> None:
    render(secret("a", CANARY))
    (root / "a").chmod(0o644)
    ran = render(secret("a", CANARY))
    assert ran["files"]["a"]["changed"]
    assert mode(root / "a") == 0o600
    assert "mode 0644" in ran["diff"][0]["before"]
    assert "mode 0600" in ran["diff"][0]["after"]


@as_root
def test_owner_and_group_by_number_and_by_name(render: t.Any, root: Path) -> None:
    render(plain("a", "x", owner="4711", group="4712"), plain("b", "x", owner=USER, group=GROUP))
    assert [(path.lstat().st_uid, path.lstat().st_gid) for path in (root / "a", root / "b")] == [(4711, 4712), (0, 0)]
    assert render(plain("a", "x"))["changed"], "without an owner it belongs to who runs the module"
    assert (root / "a").lstat().st_uid == 0


@as_root
def test_a_replaced_file_keeps_its_owner(render: t.Any, root: Path) -> None:
    render(secret("a", "x", owner="4711", mode="0400"))
    render(secret("a", "y", owner="4711", mode="0400"))
    assert ((root / "a").lstat().st_uid, mode(root / "a"), (root / "a").read_text()) == (4711, 0o400, "y")


def test_an_owner_who_does_not_exist(run_module: t.Any, root: Path) -> None:
    args = {"directory": str(root), "files": [{"dest": "a", "owner": "nobody-of-that-name"}], "payload": encode(["x"])}
    assert run_module("render", args, check=True)["changed"], "the run itself may make the user"
    ran = run_module("render", args)
    assert ran["failure"]["code"] == "unknown_owner"
    assert "nobody-of-that-name" in ran["msg"]
    assert not root.exists(), "everything is judged before anything is written"
    args["files"] = [{"dest": "a", "group": "nobody-of-that-name"}]
    assert run_module("render", args)["failure"]["code"] == "unknown_owner"


def test_names_only_of_an_environment_file(render: t.Any) -> None:
    first = render(secret("x.env", f'A="{CANARY}"\nB="{CANARY}"\nGONE="{CANARY}"\n'))
    assert [entry["after"] for entry in first["diff"][1:]] == ["A=********\nB=********\nGONE=********\n"]
    ran = render(secret("x.env", f'A="{CANARY}"\nB="other {CANARY}"\nNEW="{CANARY}"\n'))
    assert ran["diff"][0]["before"] == "A=********\nB=********\nGONE=********\n"
    assert ran["diff"][0]["after"] == "A=********\nB=******** (changed)\nNEW=********\n"


def test_nothing_of_another_secret_file(render: t.Any) -> None:
    render(secret("redis.conf", f"requirepass {CANARY}\n"))
    entry = render(secret("redis.conf", f"requirepass other-{CANARY}\n"))["diff"][0]
    assert (entry["before"], entry["after"]) == ("(content not shown)\n", "(other content, not shown)\n")


def test_no_content_without_diff(run_module: t.Any, render: t.Any, root: Path) -> None:
    render(plain("a", "before-content"))
    args = {"directory": str(root), "files": [{"dest": "a"}], "payload": encode(["after-content"])}
    ran = run_module("render", args)
    assert ran["changed"]
    assert "diff" not in ran
    assert "-content" not in ran.text


def test_a_link_is_replaced_and_not_followed(render: t.Any, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("theirs")
    root.mkdir(0o700)
    (root / "a").symlink_to(outside)
    assert render(plain("a", "ours"))["changed"]
    assert not (root / "a").is_symlink()
    assert (outside.read_text(), (root / "a").read_text()) == ("theirs", "ours")


def test_a_linked_directory_does_not_lead_out(render: t.Any, root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    root.mkdir(0o700)
    (root / "env").symlink_to(tmp_path / "elsewhere")
    assert render(secret("env/a.env", CANARY))["failure"]["code"] == "invalid_path"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_directory_itself_may_be_a_link(render: t.Any, root: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(0o700)
    root.symlink_to(tmp_path / "data")
    render(plain("a", "x"))
    assert (tmp_path / "data/a").read_text() == "x"
    assert root.is_symlink()


@pytest.mark.parametrize("dest", ["../a", "a/../../b", ".", "", "a/.."])
def test_a_relative_path_stays_inside(render: t.Any, root: Path, dest: str) -> None:
    assert render(plain(dest, "x"))["failure"]["code"] == "invalid_path"
    assert not root.exists()


def test_an_absolute_path(render: t.Any, root: Path, tmp_path: Path) -> None:
    ran = render(plain(f"{tmp_path}/etc/x/daemon.json", "{}", mode="0644"))
    assert ran["files"][f"{tmp_path}/etc/x/daemon.json"]["changed"]
    assert (tmp_path / "etc/x/daemon.json").read_text() == "{}"


@pytest.mark.parametrize(
    ("files", "options", "code"),
    [
        ([plain("a", "x", mode="644")], {}, "invalid_mode"),
        ([plain("a", "x", mode="0999")], {}, "invalid_mode"),
        ([plain("a", "x")], {"directory_mode": "448"}, "invalid_mode"),
        ([plain("a", "x")], {"directory": "lago"}, "invalid_path"),
        ([plain("a", "x"), plain("./a", "y")], {}, "duplicate_destination"),
        ([plain("a", "x")], {"payload": encode([])}, "invalid_payload"),
        ([plain("a", "x")], {"prune": ["../*"]}, "invalid_path"),
        ([plain("a", "x")], {"prune": ["/etc/*"]}, "invalid_path"),
    ],
)
def test_refusals(run_module: t.Any, root: Path, files: t.Any, options: dict[str, t.Any], code: str) -> None:
    args = {
        "directory": str(root),
        "files": [{key: value for key, value in file.items() if key != "content"} for file in files],
        "payload": encode([file["content"] for file in files]),
        **options,
    }
    assert run_module("render", args)["failure"]["code"] == code


def test_a_directory_in_the_way_of_a_file(render: t.Any, root: Path) -> None:
    root.mkdir(0o700)
    (root / "a").mkdir()
    assert render(plain("a", "x"))["failure"]["code"] == "not_a_file"


def test_a_file_in_the_way_of_a_directory(render: t.Any, root: Path) -> None:
    root.mkdir(0o700)
    (root / "a").write_text("x")
    assert render(plain("a/b", "x"))["failure"]["code"] == "not_a_directory"


def test_prune(render: t.Any, root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/theirs.env").write_text("x")
    render(secret("env/a.env", CANARY), secret("env/old.env", CANARY), plain("compose.yml", "x"))
    (root / "env/sub").mkdir(0o700)
    (root / "env/sub/theirs").write_text("x")
    (root / "env/link.env").symlink_to(tmp_path / "outside/theirs.env")
    (root / "out").symlink_to(tmp_path / "outside")
    ran = render(secret("env/a.env", CANARY), prune=["env/*", "out/*"])
    assert ran["changed"]
    assert ran["removed"] == [f"{root}/env/link.env", f"{root}/env/old.env"]
    assert sorted(path.name for path in (root / "env").iterdir()) == ["a.env", "sub"]
    assert (root / "compose.yml").exists()
    assert (tmp_path / "outside/theirs.env").exists()
    assert sorted(entry["after_header"] for entry in ran["diff"]) == [f"{path} (absent)" for path in ran["removed"]]


def test_prune_leaves_no_empty_directory(render: t.Any, root: Path) -> None:
    render(secret("env/a.env", CANARY), plain("proxy/Caddyfile", "x"))
    (root / "empty").mkdir(0o700)
    ran = render(prune=["env/*", "env", "proxy", "empty"])
    assert ran["removed"] == [f"{root}/{name}" for name in ("empty", "env", "env/a.env")]
    assert [path.name for path in root.iterdir()] == ["proxy"]
    assert render(prune=["env/*", "env", "proxy", "empty"])["changed"] is False


def test_what_a_killed_run_left_is_used_up(render: t.Any, root: Path) -> None:
    render(secret("a", "one"))
    (root / ".a.lago-new").write_text(CANARY)
    render(secret("a", "two"))
    assert sorted(path.name for path in root.iterdir()) == ["a"]


def test_a_secret_is_never_readable_for_a_moment(render: t.Any, root: Path) -> None:
    seen: list[int] = []
    replace, set_attributes = os.replace, _files.set_attributes

    def spy_on_new(target: t.Any, wanted: t.Any) -> None:
        if isinstance(target, int):
            seen.append(stat.S_IMODE(os.fstat(target).st_mode))
        set_attributes(target, wanted)

    def spy(source: str, target: str) -> None:
        seen.append(mode(Path(source)))
        replace(source, target)

    render(secret("a", "one", mode="0644"))
    before = os.umask(0)
    try:
        with mock.patch.object(os, "replace", spy), mock.patch.object(_files, "set_attributes", spy_on_new):
            render(secret("a", "two", mode="0600"))
    finally:
        os.umask(before)
    assert seen == [0o600, 0o600], "when it is new, and when it takes its place"


def test_a_failed_write_leaves_the_old_file(run_module: t.Any, render: t.Any, root: Path) -> None:
    render(secret("a", "one"))
    args = {"directory": str(root), "files": [{"dest": "a", "secret": True}], "payload": encode([f"two {CANARY}"])}
    with mock.patch.object(os, "fsync", side_effect=OSError(28, f"No space left for {CANARY}")):
        ran = run_module("render", args)
    assert ran["failure"]["code"] == "unexpected"
    assert ran["failure"]["details"]["errno"] == 28
    assert CANARY not in ran.text
    assert (root / "a").read_text() == "one"


@pytest.mark.parametrize("there", [True, False])
def test_the_security_context_is_kept_or_the_place_s_own(render: t.Any, root: Path, there: bool) -> None:
    if there:
        render(plain("a", "one"))
    module = mock.Mock(**{"selinux_context.return_value": ["kept"], "selinux_default_context.return_value": ["own"]})
    root.mkdir(0o700, exist_ok=True)
    _files.write(module, str(root / "a"), b"two", _files.Attributes(0o600, os.geteuid(), os.getegid()))
    context = ["kept"] if there else ["own"]
    module.set_context_if_different.assert_called_once_with(str(root / ".a.lago-new"), context, False)


def test_the_payload_is_opaque() -> None:
    payload = encode([CANARY, "grüße"])
    assert CANARY not in payload
    assert "\n" not in payload
    assert json.dumps(payload) == f'"{payload}"'
