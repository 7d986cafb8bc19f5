"""What Ferry says to a host on the way in: whether it takes its key, and who asks to be let in."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import TYPE_CHECKING

import asyncssh

from tui.model.ask import Ask, AskKind
from tui.places.sftp.keys import Keys
from tui.places.sftp.known_hosts import Key, Known, Verdict

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

    from tui.places.sftp.asking import Asking
    from tui.places.sftp.settings import HostSettings


class Introduction(asyncssh.SSHClient):
    """One try to be let in. It keeps what happened, for the next try or for the error.

    Attributes:
        verdict: What is thought of the key the host showed; None before it showed one.
        authority_unknown: The host showed a certificate from an authority that nobody knows.
        signing_in: The host's key was taken: what is sent from now on, it gets.
    """

    def __init__(self, host: HostSettings, known: Known, asking: Asking) -> None:
        self._host, self._known, self._asking = host, known, asking
        self.keys = Keys(host, asking)
        self.verdict: Verdict | None = None
        self.told_by: Key | None = None
        self.key: asyncssh.SSHKey | None = None
        self.authority_unknown = False
        self.signing_in = False
        self._connection: asyncssh.SSHClientConnection | None = None
        self._command: subprocess.Popen[bytes] | None = None
        self._methods: list[str] = []
        self._given: set[tuple[AskKind, str]] = set()
        self._asked: Counter[tuple[AskKind, str]] = Counter()
        self._rounds = 0

    @property
    def tried(self) -> list[str]:
        """What the host refused, in order, for people."""
        return [*self.keys.shown, *self._methods]

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._connection, self._command = conn, conn.get_extra_info("subprocess")
        conn.set_extra_info(server_version="")  # or it tells that of the host between

    @property
    def has_answered(self) -> bool:
        """Whether the host has said anything yet: who it is comes first."""
        return self._connection is not None and bool(self._connection.get_extra_info("server_version"))

    async def command_gone(self) -> None:
        """Wait for the end of a ProxyCommand that was killed: asyncssh does not, where a connection was not made."""
        while self._command is not None and self._command.returncode is None:  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0.01)

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Take a key that is known, or that somebody accepted; of a new one, where ssh_config says so, the first."""
        self.key = key
        kind, data = key.get_algorithm(), key.public_data
        self.verdict, self.told_by = self._known.judge(kind, data)
        if self.verdict is Verdict.UNKNOWN:
            accepted = self._asking.answers.accepted(self._host.key_name)
            if accepted and data not in accepted and self._host.strict == "ask":
                # No file knows it, but somebody has said what the right one is.
                self.verdict = Verdict.CHANGED
                return False
            return data in accepted or self._host.strict in ("no", "accept-new")
        return self.verdict is Verdict.KNOWN

    def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Refuse: authorities that are known do not come here."""
        self.authority_unknown = True
        return False

    async def public_key_auth_requested(self) -> asyncssh.SSHKeyPair | None:
        self.signing_in = True
        return await self.keys.next()

    async def password_auth_requested(self) -> str | None:
        self.signing_in = True
        self._note("password")
        return await self._secret(AskKind.PASSWORD, f"Password for {self._host.address}:", secret=True)

    def kbdint_auth_requested(self) -> str | None:
        self.signing_in = True
        self._rounds += 1  # a host may go on for ever without asking anything
        enough = (
            self._rounds > self._host.prompts + 1
            or max(self._asked.values(), default=0) >= self._host.prompts
        )
        return None if enough else ""

    async def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        """Answer what the host asks. A prompt for the password is the same question as that of the password method."""
        answers = []
        for prompt, echo in prompts:
            kind = AskKind.PASSWORD if _is_password(prompt) and not echo else AskKind.CODE
            self._note("password" if kind is AskKind.PASSWORD else "a code")
            if kind is AskKind.PASSWORD:
                text = f"Password for {self._host.address}:"
            else:
                text = "\n".join(
                    part for part in (name.strip(), instructions.strip(), prompt.strip()) if part
                )
            answer = await self._secret(kind, text, secret=not echo)
            if answer is None:
                return None
            answers.append(answer)
        return answers

    def forget_refused(self, error: asyncssh.DisconnectError) -> None:
        """Drop the answers that did not open the door; those of a connection that broke may be right."""
        refused = isinstance(error, asyncssh.PermissionDenied | asyncssh.ProtocolError)
        for kind, subject in self._given if refused else ():
            self._asking.answers.drop(kind, subject)

    def _note(self, method: str) -> None:
        if method not in self._methods:
            self._methods.append(method)

    async def _secret(self, kind: AskKind, text: str, *, secret: bool) -> str | None:
        """Return the kept answer, or a new one; None where there were enough wrong ones."""
        subject, answers = self._host.address if kind is AskKind.PASSWORD else text, self._asking.answers
        refused = (kind, subject) in self._given
        if refused:
            answers.drop(kind, subject)
        self._given.add((kind, subject))
        kept = answers.get(kind, subject)
        if kept is not None:
            return kept
        if self._asked[kind, subject] >= self._host.prompts:
            return None
        self._asked[kind, subject] += 1
        ask = Ask(kind, self._host.address, text, secret, retry=refused)
        return await self._asking.ask(ask, subject, keep=kind is AskKind.PASSWORD)


def _is_password(prompt: str) -> bool:
    """Say whether a prompt asks for the password that lasts, as sshd's own does."""
    return "password" in prompt.lower() and not re.search(
        r"one.?time|otp|new|again|token", prompt, re.IGNORECASE
    )
