"""What asyncssh does for each packet of a large file, done with half the processor.

OpenSSH carries files in packets of 32 KiB. Before each asyncssh encrypts and sends an empty one (that helps CBC, and
nothing else), copies the content some fifteen times, and hands every packet to the system by itself: more of the
processor goes into that than into ciphers, disk and all else. Here the packets of a file are put together, and taken
apart, in as few copies as can be, and go out several at once.

All the rest stays asyncssh's, its ciphers above all: nothing here holds a key, or a counter of one. Still this leans on
more than asyncssh promises to leave as it is. So it is done only for versions that were read, for the ciphers that seal
each packet by itself (AES-GCM, ChaCha20-Poly1305) and without compression; else nothing is changed, and slower.
"""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, Any

import asyncssh
from asyncssh.channel import SSHClientChannel
from asyncssh.connection import SSHClientConnection
from asyncssh.constants import MSG_CHANNEL_DATA
from asyncssh.encryption import ChachaEncryption, Encryption, GCMEncryption

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_READ = (2, 21, 0), (2, 24, 1)
"""The versions of asyncssh that were read: the first and the last."""
_SEALS = (GCMEncryption, ChachaEncryption)
_TOGETHER = 3
"""Packets that go out at once: larger pieces of memory are fetched from the system anew each time, which costs more."""
_SMALL = 16 << 10
"""Bytes below which a piece is sooner copied than handled by itself."""
_LONGEST = 256 << 10
"""Bytes of a packet above which asyncssh is to judge it."""
_SIZE = 4
"""Bytes before a packet that say how long it is."""
_HEAD = 10
"""Bytes of a packet of data before the data: of its padding, kind, channel, and length."""


def trim(connection: asyncssh.SSHClientConnection, channel: asyncssh.SSHClientChannel[bytes]) -> bool:
    """Have an open channel, and its connection, do with less; say whether they do now.

    Args:
        connection: Signed in; for another channel it may have been trimmed before.
    """
    if not (was_read(asyncssh.__version__) and _is_plain(connection, channel)):
        return False
    if type(connection) is SSHClientConnection:
        waits_for_packet = connection._recv_handler == connection._recv_pkthdr
        connection.__class__ = _Connection
        if waits_for_packet:
            connection._recv_handler = connection._recv_pkthdr
    channel.__class__ = _Channel
    return True


def was_read(version: str) -> bool:
    """Say whether it is known what an asyncssh of this version does inside."""
    numbers = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", version)
    return numbers is not None and _READ[0] <= tuple(map(int, numbers.groups())) <= _READ[1]


def _is_plain(connection: asyncssh.SSHClientConnection, channel: asyncssh.SSHClientChannel[bytes]) -> bool:
    """Say whether these are what they are thought to be, not something made of them."""
    return (
        type(connection) in (SSHClientConnection, _Connection)
        and type(channel) is SSHClientChannel
        and isinstance(connection._send_encryption, _SEALS)
        and isinstance(connection._recv_encryption, _SEALS)
        and connection._compressor is None
        and connection._decompressor is None
    )


class _Opened(Encryption):
    """Stands in for a cipher while asyncssh takes a packet that is open already."""

    def __init__(self, packet: bytes | None) -> None:
        self._packet = packet

    def decrypt_packet(
        self, seq: int, first: bytes, rest: bytes, header_len: int, mac: bytes
    ) -> bytes | None:
        return self._packet


class _Connection(SSHClientConnection):
    """Takes packets of data for trimmed channels by itself, and seals those they send."""

    def may_seal(self) -> bool:
        """Say whether packets of data may go out as usual: no new keys are being made, nor due."""
        return (
            isinstance(self._send_encryption, _SEALS)
            and self._compressor is None
            and self._auth_complete
            and self._kex_complete
            and self._rekey_bytes_sent < self._rekey_bytes
            and not (self._rekey_seconds and time.monotonic() >= self._rekey_time)
        )

    def sealed(self, receiver: int, pieces: Sequence[memoryview]) -> tuple[bytes, bytes]:
        """Return a packet of data as it goes out, in two parts, and count it as sent."""
        assert self._send_encryption is not None
        size, block = sum(map(len, pieces)), self._send_blocksize
        padding = -(self._send_enchdrlen + _HEAD - 1 + size) % block
        if padding < 4:
            padding += block
        head = bytes((padding, MSG_CHANNEL_DATA)) + receiver.to_bytes(4, "big") + size.to_bytes(4, "big")
        packet = b"".join((head, *pieces, os.urandom(padding)))
        number = self._send_seq
        self._send_seq = (number + 1) & 0xFFFFFFFF
        self._rekey_bytes_sent += len(packet)
        return self._send_encryption.encrypt_packet(number, len(packet).to_bytes(_SIZE, "big"), packet)

    def _recv_pkthdr(self) -> bool:
        """Take all data that has come; the first packet that is something else goes asyncssh's way."""
        came, at = self._inpbuf, 0
        cipher, tag = self._recv_encryption, self._recv_macsize
        if not isinstance(cipher, _SEALS) or self._decompressor is not None:
            return super()._recv_pkthdr()
        while len(came) - at >= self._recv_blocksize:
            head = came[at : at + _SIZE]
            size = int.from_bytes(cipher.decrypt_header(self._recv_seq, head, _SIZE)[1], "big")
            begin, end = at + _SIZE, at + _SIZE + size
            if size > _LONGEST:
                self._inpbuf = came[at:]
                return super()._recv_pkthdr()
            if end + tag > len(came):
                break
            sealed, mac = came[begin:end], came[end : end + tag]
            packet = cipher.decrypt_packet(self._recv_seq, head, sealed, _SIZE, mac)
            if packet is None or not self._delivered(packet):
                self._inpbuf = came[at:]
                return self._pass_on(size, packet)
            at = end + tag
        self._inpbuf = came[at:]
        return False

    def _delivered(self, packet: bytes) -> bool:
        """Give a packet of data to its channel; say whether it was one, and as it should be."""
        if len(packet) < _HEAD or packet[1] != MSG_CHANNEL_DATA:
            return False
        channel = self._channels.get(int.from_bytes(packet[2:6], "big"))
        size = int.from_bytes(packet[6:_HEAD], "big")
        if not isinstance(channel, _Channel) or _HEAD + size + packet[0] != len(packet):
            return False
        if not channel.takes(size):
            return False
        self._recv_seq = (self._recv_seq + 1) & 0xFFFFFFFF
        channel._accept_data(memoryview(packet)[_HEAD : _HEAD + size])  # type: ignore[arg-type]
        return True

    def _pass_on(self, size: int, packet: bytes | None) -> bool:
        """Have asyncssh take the first packet of what came, which was opened, or is not genuine (None)."""
        cipher = self._recv_encryption
        head, self._inpbuf = self._inpbuf[: self._recv_blocksize], self._inpbuf[self._recv_blocksize :]
        self._packet, self._pktlen = head, size
        self._recv_handler = self._recv_packet
        self._recv_encryption = opened = _Opened(packet)
        try:
            return self._recv_packet()
        finally:
            if self._recv_encryption is opened:  # else new keys hold from here on
                self._recv_encryption = cipher


class _Channel(SSHClientChannel[bytes]):
    """Sends what its session writes by a trimmed connection."""

    def takes(self, size: int) -> bool:
        """Say whether so much may come now."""
        return self._recv_state == "open" and size <= self._recv_window

    def writelines(self, list_of_data: Iterable[bytes], datatype: int | None = None) -> None:
        """Send pieces one behind the other, without making one of them first. They are not to change any more."""
        if self._send_state != "open" or datatype is not None:
            super().writelines(list_of_data, datatype)
            return
        small: list[bytes] = []
        for piece in list_of_data:
            if len(piece) < _SMALL:
                small.append(piece)
            else:
                self._keep(b"".join(small))
                self._keep(piece)
                small = []
        self._keep(b"".join(small))
        self._flush_send_buf()

    def _keep(self, piece: bytes) -> None:
        waiting: list[Any] = self._send_buf
        if piece:
            waiting.append((memoryview(piece), None))
            self._send_buf_len += len(piece)

    def _flush_send_buf(self) -> None:
        connection = self._conn
        if isinstance(connection, _Connection):
            while self._send_buf and self._send_window and connection.may_seal():
                if not (parts := self._sealed(connection)):
                    break
                connection._send(b"".join(parts))
        if self._send_buf and self._send_window:  # asyncssh takes it, and cuts it off as it goes
            self._send_buf[:] = [(bytearray(data), kind) for data, kind in self._send_buf]
        super()._flush_send_buf()

    def _sealed(self, connection: _Connection) -> list[bytes]:
        """Take a few packets off what waits, as far as the server has room; none where they are not plain data."""
        parts: list[bytes] = []
        while len(parts) < 2 * _TOGETHER and (pieces := self._taken()):
            assert self._send_chan is not None, "only an open channel has room at the other end"
            parts += connection.sealed(self._send_chan, pieces)
        return parts

    def _taken(self) -> list[memoryview]:
        """Take what goes into one packet."""
        waiting: list[Any] = self._send_buf
        room = most = min(self._send_window, self._send_pktsize)
        pieces: list[memoryview] = []
        while waiting and room and waiting[0][1] is None:
            data = memoryview(waiting[0][0])
            piece = data[:room]
            pieces.append(piece)
            room -= len(piece)
            if len(piece) == len(data):
                del waiting[0]
            else:
                waiting[0] = data[len(piece) :], None
        self._send_buf_len -= most - room
        self._send_window -= most - room
        return pieces
