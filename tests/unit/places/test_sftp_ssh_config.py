"""What ssh_config says of a host: the same as `ssh -G` prints, for all that Ferry goes by."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.sshd import HOW_TO_HAVE_IT, program
from tui.model.error import PlaceError
from tui.places.sftp.settings import SshSettings, settings_for, split_authority
from tui.places.sftp.ssh_config import aliases

if TYPE_CHECKING:
    from tui.places.sftp.settings import HostSettings

CONFIGS = {
    "nothing": ("far", ""),
    "alias": ("far", "Host far\n HostName far.example.org\n User me\n Port 2222\n"),
    "equals": ("far", "Host=far\n HostName=far.example.org\n\tPort = 2022\n"),
    "first counts": ("far", "Host far\n Port 1\nHost *\n Port 2\n User all\n"),
    "patterns": ("web12", "Host web?? !web13\n User w\nHost *2\n Port 9\n"),
    "negated": ("web13", "Host web* !web13\n User w\nHost *\n Port 9\n"),
    "percent h": ("far", "Host far\n HostName %h.example.org\n"),
    "comment and quotes": ("far", 'Host far # here\n User "m e" # there\n # Port 7\n'),
    "keys": (
        "far",
        "Host far\n IdentityFile ~/.ssh/one\n IdentityFile /k/two\nHost *\n IdentityFile /k/three\n",
    ),
    "same key twice": ("far", "IdentityFile /k/one\nHost far\n IdentityFile /k/one\n IdentitiesOnly yes\n"),
    "match host": ("far", "Host far\n HostName x.example.org\nMatch host *.example.org\n User inside\n"),
    "match original": ("far", "Host far\n HostName x.org\nMatch originalhost far host x.org\n Port 5\n"),
    "match user": ("me@far", "Match user me\n Port 6\nMatch user you\n Port 7\n"),
    "match exec": (
        "far",
        'Match host far exec "test %h-%n = far-far"\n Port 8\nMatch exec "false"\n User no\n',
    ),
    "match not": ("far", "Match !host near,far\n Port 1\nMatch !host near\n Port 2\n"),
    "match all": ("far", "Host near\n Port 3\nMatch all\n Port 4\n"),
    "match final": (
        "far",
        "Match final host *.org\n Port 77\nHost far\n HostName far.org\nHost *.org\n User second\n",
    ),
    "jump": ("far", "Host far\n ProxyJump me@gate:2022,inner\n ProxyCommand nc %h\n"),
    "jump none": ("far", "Host far\n ProxyJump none\nHost *\n ProxyJump gate\n"),
    "command": ("far", "Host far\n ProxyCommand nc -X 5 # %h %p\n ProxyJump gate\n"),
    "command none": ("far", "Host far\n ProxyCommand none\nHost *\n ProxyCommand nc %h\n"),
    "known hosts": (
        "far",
        "UserKnownHostsFile /a /b\nGlobalKnownHostsFile /c\nHashKnownHosts yes\nHostKeyAlias X\n",
    ),
    "strictness": ("far", "StrictHostKeyChecking accept-new\nConnectTimeout 1m30s\nCompression yes\n"),
    "strictness off": ("far", "StrictHostKeyChecking off\nAddressFamily inet6\nNumberOfPasswordPrompts 1\n"),
    "methods": ("far", "PreferredAuthentications password,publickey\nPasswordAuthentication no\n"),
    "case": ("FAR", "hOST FAR\n PORT 3\n hostname Far.Example.ORG\n"),
    "canonical": (
        "far",
        "CanonicalizeHostname yes\nMatch canonical\n Port 5\nMatch canonical host far\n User me\n",
    ),
    "not canonical": ("far", "Match canonical\n Port 5\nMatch !canonical\n User me\n"),
    "final keeps the name": ("FAR", "Host *\n User me\nMatch final\n HostName other\n"),
    "include": ("far", "Include {folder}/more*\nPort 9\n"),
    "include in a host": (
        "far",
        "Host near\n Include {folder}/more1\nHost far\n Include {folder}/more2\n Port 10\n",
    ),
}

WORDS = {"false": "no", "true": "yes", "off": "no"}


def told_by_ssh(file: Path, name: str) -> dict[str, str]:
    """Return what `ssh -G` prints, by option; of lists with a line each, all lines."""
    printed = subprocess.run(["ssh", "-G", "-F", file, name], capture_output=True, text=True, check=True)
    told: dict[str, str] = {}
    for line in printed.stdout.splitlines():
        option, _, value = line.partition(" ")
        told[option] = f"{told[option]} {value}" if option == "identityfile" and option in told else value
    return told


def told_by_us(host: HostSettings) -> dict[str, str]:
    return {
        "hostname": host.host,
        "port": str(host.port),
        "user": host.user,
        "stricthostkeychecking": host.strict,
        "userknownhostsfile": " ".join(map(str, host.user_known_hosts)),
        "globalknownhostsfile": " ".join(map(str, host.global_known_hosts)),
        "hashknownhosts": "yes" if host.hash_known_hosts else "no",
        "identitiesonly": "yes" if host.identities_only else "no",
        "compression": "yes" if host.compression else "no",
        "numberofpasswordprompts": str(host.prompts),
        "addressfamily": host.address_family,
        "proxyjump": ",".join(host.jump),
        "proxycommand": host.proxy_command,
    }


@pytest.mark.parametrize("name", CONFIGS)
def test_it_is_read_as_ssh_reads_it(name: str, tmp_path: Path) -> None:
    if program("ssh") is None:
        pytest.skip(HOW_TO_HAVE_IT)
    target, text = CONFIGS[name]
    (tmp_path / "more1").write_text("Host far\n User included\n")
    (tmp_path / "more2").write_text("HostName deep.example.org\n")
    file = tmp_path / "config"
    file.write_text(text.replace("{folder}", str(tmp_path)))
    told = told_by_ssh(file, target)
    host = settings_for(target, SshSettings(file))

    for option, ours in told_by_us(host).items():
        theirs = told.get(option, "")
        if option in ("proxyjump", "proxycommand"):
            theirs = (
                "" if theirs == "none" else theirs.replace("%h", told["hostname"]).replace("%p", told["port"])
            )
        elif option != "user":
            theirs = WORDS.get(theirs, theirs)
        assert (option, ours) == (option, theirs)
    if "connecttimeout" in told and told["connecttimeout"] != "none":
        assert host.connect_timeout_s == int(told["connecttimeout"])
    if "hostkeyalias" in told:
        assert host.key_name == told["hostkeyalias"].lower()
    if host.identities_given:
        assert list(host.identities) == [Path(word).expanduser() for word in told["identityfile"].split()]


def test_the_methods_that_are_switched_off_are_left_out_of_the_order(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(CONFIGS["methods"][1])
    assert settings_for("far", SshSettings(file)).methods == ("publickey",)


def test_user_and_port_of_the_location_come_before_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("Host far\n User other\n Port 9\n")
    host = settings_for("me@far:2200", SshSettings(file))
    assert (host.user, host.port, host.address) == ("me", 2200, "me@far:2200")


@pytest.mark.parametrize(
    ("authority", "parts"),
    [
        ("far", ("", "far", "")),
        ("me@far:22", ("me", "far", "22")),
        ("[::1]:2222", ("", "::1", "2222")),
        ("me@[fe80::1%25eth0]", ("me", "fe80::1%eth0", "")),
        ("::1", ("", "::1", "")),
        ("m%40e:secret@far", ("m@e", "far", "")),
    ],
)
def test_an_authority_is_taken_apart(authority: str, parts: tuple[str, str, str]) -> None:
    assert split_authority(authority) == parts


@pytest.mark.parametrize("authority", ["", "-oProxyCommand=x", "a b", "far:70000", "me@"])
def test_a_host_that_cannot_be_one_is_refused(authority: str, tmp_path: Path) -> None:
    (tmp_path / "config").touch()
    with pytest.raises(PlaceError, match="cannot connect to"):
        settings_for(authority, SshSettings(tmp_path / "config"))


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("\nHost far\n Port many\n", 3, "not a port"),
        ('Host far\n User "me\n', 2, "no end"),
        ("Match nonsense x\n", 1, "nonsense is not known"),
        ("Host\n", 1, "nothing follows host"),
        ("Match exec 'test %z'\n", 1, "no token %z"),
    ],
)
def test_a_line_that_makes_no_sense_is_named(text: str, line: int, why: str, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(PlaceError, match=f"cannot use {file}, line {line}: .*{why}"):
        settings_for("far", SshSettings(file))


def test_files_that_include_each_other_are_an_error_not_a_hang(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(f"Include {file}\n")
    with pytest.raises(PlaceError, match="include each other"):
        settings_for("far", SshSettings(file))


def test_the_hosts_to_choose_from_are_those_that_are_named_outright(tmp_path: Path) -> None:
    (tmp_path / "more").write_text("Host inner\n Port 1\n")
    file = tmp_path / "config"
    file.write_text(f"Host far *.org web?? !not\n User x\nInclude {tmp_path}/more\nHost near far\n")
    assert aliases(file) == ("far", "inner", "near")
    assert aliases(tmp_path / "none") == ()
