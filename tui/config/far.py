"""Settings of what is reached over the network, without any secret: those stay where ssh and AWS keep theirs."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Struct

from tui.config import kinds


class SshSettings(Struct, frozen=True):
    """How hosts are reached by SFTP."""

    config_file: Annotated[
        str,
        kinds.text(),
        "File in the format of ssh_config(5) that tells users, ports, keys and jump hosts; where empty, none is read.",
    ] = "~/.ssh/config"
    keyring: Annotated[
        bool,
        kinds.boolean(),
        "Passwords and passphrases that were right stay in the system's keyring, where they are looked for before"
        " anybody is asked (it needs the extra `keyring`); else in memory alone.",
    ] = False


class S3Settings(Struct, frozen=True):
    """A store that speaks S3, under a name of its own: what is in it is written `s3://NAME@bucket/key`."""

    url: Annotated[
        str,
        kinds.web_address(),
        'Where it answers: "https://minio.example:9000". Where empty, Amazon itself.',
    ] = ""
    region: Annotated[str, kinds.text(), "Its region; where empty, what the AWS files say."] = ""
    profile: Annotated[
        str,
        kinds.text(),
        "Profile of the AWS files (~/.aws/credentials, ~/.aws/config) that holds its keys.",
    ] = ""
    path_style: Annotated[
        bool,
        kinds.boolean(),
        "With url: the bucket stands in the path of what is asked for, as most stores want it, not in the host name.",
    ] = True


_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
_SECRET = r"(?i)secret|passw|passphrase|token|credential|access_?key|key_?id"


def is_name(name: str) -> bool:
    """Say whether a store may be called so: it stands in URLs."""
    return re.fullmatch(_NAME, name) is not None


def is_secret(name: str) -> bool:
    """Say whether a key's name is that of something which must not stand in the file."""
    return re.search(_SECRET, name) is not None
