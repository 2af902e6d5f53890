"""Where the client goes, and to whom it shows the token of this machine."""

import socket
from pathlib import Path

import pytest

from tidegate.errors import InvalidValue
from tidegate.remote import Config, FlyteRemote, Remote
from tidegate.remote.local import address

TOKEN = f"tdg_0a1b2c3d_{'5e' * 32}_00000000"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("TIDEGATE_URL", "TIDEGATE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    return tmp_path


def test_the_sandbox_is_this_machine_with_the_owners_token():
    assert Config.for_sandbox() == Config("http://127.0.0.1:8433", TOKEN)
    assert Config.auto() == Config.for_sandbox()


def test_where_the_local_door_is_open_it_is_the_way_and_no_token_is_needed(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    with socket.socket(socket.AF_UNIX) as door, address(home) as where:
        door.bind(where)
        door.listen()
        found = Config.for_sandbox()
        assert (found.socket, found.token) == (str(home / "door.sock"), "")
        monkeypatch.setenv("TIDEGATE_TOKEN", TOKEN)
        assert Config.for_sandbox().socket == "", "a token says as whom to ask"
        monkeypatch.delenv("TIDEGATE_TOKEN")
        monkeypatch.setenv("TIDEGATE_URL", "http://127.0.0.1:1")
        assert Config.for_sandbox().socket == "", "a server is named"


@pytest.mark.parametrize("url", ["http://10.0.0.1:8433", "http://127.0.0.1.example.org:8433"])
def test_another_machine_is_asked_in_clear_only_if_that_is_meant(
    url: str, monkeypatch: pytest.MonkeyPatch
):
    with pytest.raises(InvalidValue, match="--insecure"):
        Config.for_endpoint(url)
    with pytest.raises(InvalidValue, match="--insecure"):
        Remote(Config(url, TOKEN))
    monkeypatch.setenv("TIDEGATE_URL", url)
    with pytest.raises(InvalidValue, match="--insecure"):
        Config.auto()
    assert Config.auto(insecure=True).url == url
    Remote(Config.for_endpoint(url, insecure=True)).close()


def test_without_a_server_yet_there_is_no_token(home: Path):
    (home / "token").unlink()

    assert Config.for_sandbox().token == ""


def test_the_environment_names_the_server_and_the_token(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIDEGATE_URL", "https://flows.example.org/")
    monkeypatch.setenv("TIDEGATE_TOKEN", "other")

    assert Config.auto() == Config("https://flows.example.org", "other")


@pytest.mark.parametrize(
    "url",
    [
        "https://flows.example.org",
        "https://10.0.0.1:8433",
        "flows.example.org",
        "https://127.0.0.1.example.org:8433",
        "https://localhost.example.org",
    ],
)
def test_the_token_of_this_machine_is_shown_to_no_other(url: str):
    assert Config.for_endpoint(url).token == ""


@pytest.mark.parametrize(
    "url", ["http://localhost:1", "http://127.0.0.2:1", "http://[::1]:1", "localhost:99"]
)
def test_the_token_of_this_machine_is_shown_to_itself(url: str):
    assert Config.for_endpoint(url).token == TOKEN


def test_a_bare_host_means_tls_and_this_machine_needs_none():
    assert Config.for_endpoint("flows.example.org", "t").url == "https://flows.example.org"
    assert Config.for_endpoint("a:1", "t", insecure=True).url == "http://a:1"
    assert Config.for_endpoint("localhost:99").url == "http://localhost:99"


@pytest.mark.parametrize(
    "url", ["", "ftp://a", "http://", "http://a:b", "http://user:pass@a", "https://a/?q=secret"]
)
def test_what_is_not_an_address_is_refused_without_being_repeated(url: str):
    with pytest.raises(InvalidValue) as found:
        Config.for_endpoint(url)

    assert "secret" not in found.value.message
    assert "pass" not in found.value.message


def test_a_token_does_not_stand_in_the_text_of_its_configuration():
    assert TOKEN not in repr(Config.for_sandbox())
    with Remote(Config.for_sandbox()) as remote:
        assert TOKEN not in repr(remote)


def test_the_name_that_flyte_uses_is_there():
    assert FlyteRemote is Remote
