"""The local token, where it lies, and how a client finds it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bedplate.endpoints import DEFAULT, Endpoint, announced, file_of, find, home, normalise
from bedplate.errors import BedplateError, CallError
from bedplate.gate.announcement import Announcement, admin_socket
from bedplate.gate.identity import by_socket, by_token, counted_as
from bedplate.gate.listen import listen_problem, listen_taken
from bedplate.gate.token import local_token

TOKEN = "ab" * 32


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Not too deep for a socket, wherever tests have their own."""
    for name in ("BEDPLATE_ENDPOINT", "BEDPLATE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with tempfile.TemporaryDirectory(prefix="bp", dir="/tmp") as short:
        monkeypatch.setenv("BEDPLATE_HOME", f"{short}/home")
        yield Path(short) / "home"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def leave(address: str, pid: int | None = None, token: str = TOKEN) -> Path:
    """What a kernel leaves; pid: not our own."""
    file = Announcement("plant", token, 1).publish(address)
    if pid is not None:
        content = json.loads(file.read_text()) | {"pid": pid}
        file.write_text(json.dumps(content))
    return file


def test_the_first_start_makes_a_token_and_later_ones_keep_it(folder: Path) -> None:
    token = local_token(folder)
    assert len(bytes.fromhex(token)) == 32
    assert local_token(folder) == token
    assert (mode(folder), mode(folder / "token")) == (0o700, 0o600)
    assert sorted(path.name for path in folder.iterdir()) == ["token"]


def test_first_starts_at_once_agree_on_one_token(folder: Path) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(local_token(folder))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert len(set(found)) == 1


@pytest.mark.parametrize("bits", [0o644, 0o640, 0o604, 0o660])
def test_a_token_that_others_could_have_read_is_refused_with_its_path(
    folder: Path, bits: int
) -> None:
    local_token(folder)
    (folder / "token").chmod(bits)
    with pytest.raises(BedplateError, match=f"{folder}/token is open to others .mode {bits:04o}."):
        local_token(folder)


def test_a_folder_in_which_others_may_write_is_refused(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(BedplateError, match=f"chmod 700 {folder}"):
        local_token(folder)


@pytest.mark.parametrize("text", ["", "secret", TOKEN[:-1], "ÿ" * 64])
def test_what_is_no_token_is_refused(folder: Path, text: str) -> None:
    folder.mkdir(mode=0o700)
    (folder / "token").touch(mode=0o600)
    (folder / "token").write_text(text)
    with pytest.raises(BedplateError, match="holds no token"):
        local_token(folder)


def test_a_link_in_place_of_the_token_is_not_followed(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(mode=0o700)
    (tmp_path / "other").touch(mode=0o600)
    (tmp_path / "other").write_text(TOKEN)
    (folder / "token").symlink_to(tmp_path / "other")
    with pytest.raises(BedplateError, match="token"):
        local_token(folder)


def test_the_token_is_known_and_no_other() -> None:
    authenticate = by_token(TOKEN)
    subject = authenticate(TOKEN, "ipv4:127.0.0.1:5")
    assert subject is not None
    assert (subject.id, subject.roles, subject.method) == ("local-token", ("admin",), "token")
    for wrong in ("", TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "é", "\ud800"):
        assert authenticate(wrong, "ipv4:127.0.0.1:5") is None
    assert by_token("")("", "unix:") is None


@pytest.mark.parametrize(
    ("peer", "known"),
    [
        ("unix:", True),
        ("ipv4:127.0.0.1:5", True),
        ("ipv4:127.9.9.9:5", True),
        ("ipv6:[::1]:5", True),
        ("ipv4:10.20.0.5:5", False),
        ("ipv6:[::ffff:10.20.0.5]:5", False),
        ("ipv6:[fe80::1]:5", False),
        ("unix:/run/x.sock", False),
        ("127.0.0.1", False),
        ("", False),
    ],
)
def test_the_local_token_is_good_on_this_machine_only(peer: str, known: bool) -> None:
    assert (by_token(TOKEN)(TOKEN, peer) is not None) is known


def test_the_local_socket_is_known_by_the_transport_alone() -> None:
    subject = by_socket("", "unix:")
    assert subject is not None
    assert (subject.id, subject.method) == ("local-socket", "socket")
    assert by_socket("unix:", "ipv4:127.0.0.1:5") is None
    assert by_socket("", "unix:/somewhere/else.sock") is None


def test_what_a_kernel_announces_a_client_finds(folder: Path) -> None:
    announcement = Announcement("plant", TOKEN, 5)
    file = announcement.publish("127.0.0.1:7443", folder / "run" / "x.sock")
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)
    assert find() == Endpoint(
        DEFAULT, TOKEN, "plant", os.getpid(), 5, str(folder / "run" / "x.sock")
    )
    assert find("localhost") == find("7443") == find("127.0.0.1:7443") == find()
    assert TOKEN not in repr(find())
    announcement.withdraw()
    announcement.withdraw()
    assert not file.exists()
    assert list(file.parent.iterdir()) == []


def test_the_only_one_that_runs_is_found_and_the_default_goes_first() -> None:
    leave("127.0.0.1:9001")
    assert find().address == "127.0.0.1:9001"
    leave("127.0.0.1:9002")
    with pytest.raises(
        CallError, match=r"127.0.0.1:9001 \(plant\), 127.0.0.1:9002 \(plant\)"
    ) as error:
        find()
    assert error.value.code == "INVALID_ARGUMENT"
    leave(DEFAULT)
    assert find().address == DEFAULT
    assert len(announced()) == 3


def test_what_a_killed_kernel_left_is_not_found_and_goes_with_the_next_start() -> None:
    file = leave("127.0.0.1:9001", dead_pid())
    with pytest.raises(CallError, match="no Bedplate of yours runs here") as error:
        find()
    assert error.value.code == "UNAVAILABLE"
    leave("127.0.0.1:9002")
    assert not file.exists()


def test_a_kernel_does_not_withdraw_what_another_has_announced_since() -> None:
    announcement = Announcement("plant", TOKEN, 5)
    file = announcement.publish("127.0.0.1:9001")
    leave("127.0.0.1:9001", pid=1)
    announcement.withdraw()
    assert file.exists()


def test_the_environment_names_endpoint_and_token(monkeypatch: pytest.MonkeyPatch) -> None:
    leave("127.0.0.1:9001")
    monkeypatch.setenv("BEDPLATE_ENDPOINT", "127.0.0.1:9002")
    assert find() == Endpoint("127.0.0.1:9002")
    monkeypatch.setenv("BEDPLATE_TOKEN", "other")
    assert find() == Endpoint("127.0.0.1:9002", "other")
    assert find("127.0.0.1:9001").token == "other"


def test_no_token_goes_to_an_address_that_left_none(folder: Path) -> None:
    local_token(folder)
    assert find("10.0.0.1:7443").token == ""


def test_an_endpoint_that_others_could_have_read_is_refused() -> None:
    file = leave("127.0.0.1:9001")
    file.chmod(0o644)
    with pytest.raises(BedplateError, match="so its token may be known"):
        find()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"address": 1}', b"\xff", b"null"])
def test_a_damaged_endpoint_is_as_none(content: bytes) -> None:
    file = leave("127.0.0.1:9001")
    file.write_bytes(content)
    with pytest.raises(CallError, match="no Bedplate of yours runs here"):
        find()
    assert find("127.0.0.1:9001") == Endpoint("127.0.0.1:9001")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("plant.example", "plant.example:7443"),
        (":9001", "127.0.0.1:9001"),
        ("[::1]:9001", "[::1]:9001"),
        ("unix:/run/x.sock", "unix:/run/x.sock"),
    ],
)
def test_an_address_is_filled_in(written: str, meant: str) -> None:
    assert normalise(written) == meant
    assert find(written).address == meant


@pytest.mark.parametrize(
    "written", ["a b", "http://x:1", "x:0", "x:70000", "x:y", "::1", "[::1", "../../x:1"]
)
def test_what_is_no_address_is_said(written: str) -> None:
    with pytest.raises(CallError, match="is no endpoint"):
        find(written)


def test_the_folder_follows_the_environment(tmp_path: Path) -> None:
    assert home({"BEDPLATE_HOME": "/a", "HOME": "/b"}) == Path("/a")
    assert home({"XDG_CONFIG_HOME": "/x", "HOME": "/b"}) == Path("/x/bedplate")
    assert home({"XDG_CONFIG_HOME": "relative", "HOME": "/b"}) == Path("/b/.config/bedplate")
    with pytest.raises(BedplateError, match="neither BEDPLATE_HOME nor HOME"):
        home({})


def test_an_address_never_leads_out_of_the_folder(folder: Path) -> None:
    for address in ("../../x:1", "[::1]:1", "a/b:1", "..:1"):
        assert file_of(address).parent == folder / "endpoints"


def test_the_admin_socket_lies_where_nobody_else_can_enter(folder: Path) -> None:
    socket = admin_socket()
    assert socket.parent == folder / "run"
    assert mode(socket.parent) == 0o700
    left = socket.with_name(f"{dead_pid()}-0.sock")
    left.touch()
    socket.touch()
    assert admin_socket() != socket
    assert (left.exists(), socket.exists()) == (False, True)
    socket.parent.chmod(0o750)
    with pytest.raises(BedplateError, match="is open to others"):
        admin_socket()


def test_a_folder_that_is_too_deep_for_a_socket_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / ("d" * 100)))
    assert len(os.fsencode(admin_socket())) <= 100


def test_finding_an_endpoint_imports_the_standard_library_only() -> None:
    code = "import sys; import bedplate.endpoints; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "pydantic", "grpc", "google", "click", "rich", "asyncio"}
    assert not heavy & set(done.stdout.split())


@pytest.mark.parametrize("listen", ["127.0.0.1:7443", "[::1]:0", "localhost:7443", "127.9.9.9:1"])
def test_the_api_may_listen_on_this_machine(listen: str) -> None:
    assert listen_problem(listen) == ""


@pytest.mark.parametrize("listen", ["0.0.0.0:7443", "10.20.0.5:7443", "[::]:7443"])
@pytest.mark.case("A11")
def test_the_api_may_not_listen_where_others_reach_it(listen: str) -> None:
    assert "the API needs TLS there: write api.tls" in listen_problem(listen)
    assert "nothing could tell who calls" in listen_problem(listen, "/tls", knows_clients=False)
    assert listen_problem(listen, "/tls") == ""


def test_an_address_of_another_machine_is_told_from_one_that_is_taken() -> None:
    assert "name an address of this machine" in listen_taken("203.0.113.9:7443")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "stop what runs there" in listen_taken(f"127.0.0.1:{taken.getsockname()[1]}")


@pytest.mark.parametrize(
    "listen", ["plant.example:7443", "127.0.0.1", "127.0.0.1:x", ":7443", "", "127.0.0.1:70000"]
)
def test_the_api_listens_on_no_name_that_may_change(listen: str) -> None:
    assert listen_problem(listen) != ""


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        ("ipv4:10.20.0.5:40000", "10.20.0.5"),
        ("ipv6:[2001:db8:1:2:aaaa::5]:40000", "2001:db8:1:2::/64"),
        ("ipv6:[2001:db8:1:2:bbbb::6]:40001", "2001:db8:1:2::/64"),
        ("ipv6:[::ffff:10.20.0.5]:40000", "10.20.0.5"),
        ("ipv6:[fe80::1%eth0]:40000", "[fe80::1%eth0]"),
        ("socket", "socket"),
    ],
)
def test_limits_count_a_network_of_ipv6_as_one(peer: str, counted: str) -> None:
    assert counted_as(peer) == counted
