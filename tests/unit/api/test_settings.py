"""The start-up matrix: what would be open to strangers does not start, and is told in one line what to do."""

import pytest

from tidegate.api.settings import Settings, check_exposure, is_loopback
from tidegate.errors import InvalidValue

LOOPBACK = ["127.0.0.1", "127.3.2.1", "::1", "localhost", "LOCALHOST"]
ELSEWHERE = ["192.168.1.7", "10.0.0.1", "fe80::1", "flows.example.org", "169.254.169.254"]
EVERYWHERE = ["0.0.0.0", "::", ""]
NAMES = ("flows.example.org",)


@pytest.fixture
def tls(tmp_path):
    made = {"tls_cert": tmp_path / "cert.pem", "tls_key": tmp_path / "key.pem"}
    for path in made.values():
        path.write_text("PEM")
    return made


def refused(match, **settings):
    with pytest.raises(InvalidValue, match=match) as caught:
        check_exposure(Settings(**settings))
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("host", LOOPBACK)
def test_on_this_machine_only_nothing_more_is_needed(host, tls):
    check_exposure(Settings(host=host))
    check_exposure(Settings(host=host, **tls))
    check_exposure(Settings(host=host, allow_hosts=NAMES, behind_proxy=True))


@pytest.mark.parametrize("host", LOOPBACK)
def test_behind_a_proxy_the_name_of_the_proxy_is_needed(host):
    refused("--behind-proxy needs --allow-host NAME", host=host, behind_proxy=True)


@pytest.mark.parametrize("host", ELSEWHERE + EVERYWHERE)
def test_where_others_can_reach_it_the_server_needs_tls_or_a_proxy(host, tls):
    refused("--tls-cert and --tls-key", host=host)
    refused("--behind-proxy", host=host, allow_hosts=NAMES)
    check_exposure(Settings(host=host, allow_hosts=NAMES, **tls))
    check_exposure(Settings(host=host, allow_hosts=NAMES, behind_proxy=True))


@pytest.mark.parametrize("host", EVERYWHERE)
def test_on_every_address_a_name_is_needed(host, tls):
    refused("--allow-host NAME", host=host, **tls)
    refused("--allow-host NAME", host=host, behind_proxy=True)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_on_one_address_its_own_name_is_enough(host, tls):
    check_exposure(Settings(host=host, **tls))


@pytest.mark.parametrize("host", LOOPBACK[:1] + ELSEWHERE[:1] + EVERYWHERE[:1])
@pytest.mark.parametrize("half", ["tls_cert", "tls_key"])
def test_half_of_tls_is_refused(host, half, tls):
    refused("belong together", host=host, allow_hosts=NAMES, **{half: tls[half]})


@pytest.mark.parametrize("missing", ["tls_cert", "tls_key"])
def test_a_file_of_tls_that_is_not_there_is_named(missing, tls, tmp_path):
    nowhere = tmp_path / "nowhere.pem"
    refused("nowhere.pem: cannot be read", **{**tls, missing: nowhere})


@pytest.mark.parametrize(
    "name",
    ["", "*", "*.example.org", "https://example.org", "example.org:80", "a b", "a@b", "[::1]:80"],
)
def test_a_name_to_be_called_by_is_a_bare_name(name):
    refused("--allow-host", allow_hosts=(name,))


@pytest.mark.parametrize(
    "host", [*ELSEWHERE, *EVERYWHERE, "127.0.0.1.evil.test", "localhost.", "0"]
)
def test_what_only_looks_like_this_machine_is_not(host):
    assert not is_loopback(host)


def test_the_names_are_its_own_the_given_ones_and_those_of_this_machine():
    own = {"localhost", "127.0.0.1", "[::1]"}
    assert Settings().hosts == own
    assert Settings(host="0.0.0.0", allow_hosts=("Flows.Example.org",)).hosts == own | {
        "flows.example.org"
    }
    assert Settings(host="fe80::1").hosts == own | {"[fe80::1]"}


@pytest.mark.parametrize("host", EVERYWHERE)
def test_other_servers_reach_it_by_its_name_where_it_listens_at_every_address(host, tls):
    settings = Settings(host=host, allow_hosts=NAMES, **tls)
    assert settings.address(8433, for_others=True) == "https://flows.example.org:8433"
    assert settings.address(8433) != settings.address(8433, for_others=True)


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "http://127.0.0.1:80"), ("::1", "http://[::1]:80"), ("db-1", "http://db-1:80")],
)
def test_other_servers_reach_it_where_it_listens_unless_it_says_where_else(host, address):
    assert Settings(host=host).address(80, for_others=True) == address
    advertised = Settings(host=host, advertise="https://a.example")
    assert advertised.address(80, for_others=True) == "https://a.example"
    assert advertised.address(80) == address
