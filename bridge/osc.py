"""OSC over one UDP socket: a thread that only guards, parses and enqueues, and a `send` that never waits.

Nothing here knows what a message means.
"""

from __future__ import annotations

import errno
import logging
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.allowance import Allowance
from bridge.errors import ErrorCode, PortError, ProtocolError
from bridge.log import FaultLog
from bridge.osc_codec import decode, encode
from bridge.protocol import Message, Received, Refused, Sender, build, parse
from bridge.wire_guard import peek_address
from bridge.wire_table import PREFIX, Direction, Value
from models.music.score import Note

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 7401
RECEIVE_BUFFER_BYTES = 4 * 2**20  # a burst of 10,000 messages; the system may grant less
MAX_WAITING = 16_384  # messages in the inbox; more are dropped and counted, memory is not a queue
NONSENSE_ANSWERS_PER_S = 50.0  # to one sender's malformed datagrams and unknown addresses
ANSWERS_PER_S = 1000.0  # to one sender's known addresses with wrong arguments
_LARGEST_DATAGRAM = 65_535  # UDP's own limit: too long a datagram is read whole and answered
_DATAGRAMS_PER_WAKE = 512  # then the closing flag is looked at again
_ERROR_PATH = PREFIX + "error"


class Inbox(Protocol):
    """Where messages go; a `SimpleQueue` of whatever holds them too."""

    def put(self, item: Received | Refused) -> None:
        """Add one; never blocks."""

    def qsize(self) -> int:
        """How many wait."""


@dataclass(frozen=True, slots=True)
class OscCounts:
    """What went through a socket since it was opened."""

    received: Mapping[str, int]
    """Valid messages by name."""
    refused: Mapping[ErrorCode, int]
    """Refused datagrams and messages by code, answered or not."""
    unanswered: int
    """Of the refused ones: beyond the allowance of their sender."""
    overrun: int
    """Valid messages dropped because the inbox was full."""
    sent: int
    unsent: int
    """Datagrams the system would not take: full buffer, unreachable port."""


class OscSocket:
    """One bound UDP socket and its receive thread. `inbox` gets what arrives, in order of arrival."""

    def __init__(
        self,
        inbox: Inbox,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        accepts: Direction = Direction.TO_DAEMON,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Bind; nothing is received before `start`. Port 0 lets the system choose.

        Raises:
            PortError: the port is in use or may not be bound.
        """
        self._inbox = inbox
        self._accepts = accepts
        self._now_s = now_s
        self._faults = FaultLog(logging.getLogger("bridge.osc"))
        self._allowance = Allowance(ANSWERS_PER_S)
        self._nonsense_allowance = Allowance(NONSENSE_ANSWERS_PER_S)
        self._socket = _bind(host, port)
        self.address: Sender = self._socket.getsockname()[:2]
        self._lock = threading.Lock()  # of the send side: the closed flag and its counts
        self._is_closed = False
        self._sent = 0
        self._unsent = 0
        self._received: Counter[str] = Counter()
        self._refused: Counter[ErrorCode] = Counter()
        self._unanswered = 0
        self._overrun = 0
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._receive, name="osc-receive", daemon=True)

    def start(self) -> None:
        """Begin to receive."""
        self._thread.start()

    def close(self) -> None:
        """Stop receiving and give the port back; later sends are counted as unsent. Any thread, any number of times."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._waker.send(b"x")
        if self._thread.is_alive():
            self._thread.join()
        for each in (self._socket, self._wake, self._waker):
            each.close()

    def send(self, destination: Sender, name: str, values: Sequence[Value], notes: Sequence[Note] = ()) -> None:
        """Send one message of the table. Any thread; never waits, and a datagram the system refuses is only counted.

        Raises:
            ProtocolError: the message does not fit the table, which is the caller's defect.
        """
        data = encode(*build(name, *values, notes=notes))
        with self._lock:
            if self._is_closed:
                self._unsent += 1
                return
            try:
                self._socket.sendto(data, destination)
            except OSError as error:
                self._unsent += 1
                self._faults.once(f"send {error.errno}", f"cannot send to {destination[0]}:{destination[1]}: {error}")
            else:
                self._sent += 1

    def counts(self) -> OscCounts:
        """A snapshot; any thread."""
        with self._lock:
            sent, unsent = self._sent, self._unsent
        return OscCounts(dict(self._received), dict(self._refused), self._unanswered, self._overrun, sent, unsent)

    def _receive(self) -> None:
        """The receive thread: wait, read until nothing waits, again."""
        buffer = memoryview(bytearray(_LARGEST_DATAGRAM))
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while not self._is_closed:
                selector.select()
                for _ in range(_DATAGRAMS_PER_WAKE):
                    if not self._receive_one(buffer):
                        break

    def _receive_one(self, buffer: memoryview) -> bool:
        """Read and take in one datagram; False when none waits."""
        try:
            size, sender = self._socket.recvfrom_into(buffer)
        except BlockingIOError:
            return False
        except OSError as error:  # Windows reports here that an earlier reply reached nobody
            self._faults.once(f"receive {error.errno}", f"cannot receive: {error}")
            return False
        try:
            self._take_in(bytes(buffer[:size]), sender)
        except Exception as error:  # a defect of ours: it must be told, and must not leave the daemon deaf
            self._faults.once(f"defect {type(error).__name__}", f"defect in receiving: {error!r}", error=error)
        return True

    def _take_in(self, data: bytes, sender: Sender) -> None:
        """Guard, parse and enqueue one datagram."""
        try:
            messages = decode(data)
        except ProtocolError as error:
            self._refuse(peek_address(data), error, None, sender)
            return
        for address, args in messages:
            try:
                message = parse(address, args, self._accepts)
            except ProtocolError as error:
                self._refuse(address, error, _client_id(args), sender)
            else:
                self._enqueue(message, sender)

    def _enqueue(self, message: Message, sender: Sender) -> None:
        if self._inbox.qsize() >= MAX_WAITING:
            self._overrun += 1
            self._faults.once("overrun", f"more than {MAX_WAITING} messages wait; the newest are dropped")
            return
        self._received[message.name] += 1
        self._inbox.put(Received(message, sender))

    def _refuse(self, address: str, error: ProtocolError, client_id: int | None, sender: Sender) -> None:
        self._refused[error.code] += 1
        self._faults.once(f"refused {error.code.name}", f"refused from {sender[0]}:{sender[1]}: {error.text}")
        if address == _ERROR_PATH:
            return  # two daemons that answer each other's errors would never stop
        is_nonsense = error.code in (ErrorCode.MALFORMED, ErrorCode.UNKNOWN_ADDRESS)
        allowance = self._nonsense_allowance if is_nonsense else self._allowance
        if not allowance.take(sender, self._now_s()) or self._inbox.qsize() >= MAX_WAITING:
            self._unanswered += 1
            return
        self._inbox.put(Refused(address, error.code, error.text, client_id, sender))


def _client_id(args: Sequence[object]) -> int | None:
    """The first argument, where it can be a client's number."""
    first = args[0] if args else None
    return int(first) if isinstance(first, int | float) and 0 <= first < 2**31 and first == int(first) else None


def _bind(host: str, port: int) -> socket.socket:
    """A bound, non-blocking UDP socket that shares its port with nobody."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        raise PortError(_bind_sentence(host, port, error)) from error
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    bound.setblocking(False)
    return bound


def _bind_sentence(host: str, port: int, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return (
            f"UDP port {port} on {host} is in use, most likely by a Continuo that already runs; "
            "stop that one, or choose another port with osc_port"
        )
    if number == errno.EACCES:
        return f"UDP port {port} on {host} may not be opened by this user; choose an osc_port above 1023"
    if isinstance(error, OverflowError):
        return f"UDP port {port} does not exist; choose an osc_port from 0 to 65535"
    return f"no UDP port can be opened on {host}: {error}; set osc_host to an address of this machine, as 127.0.0.1"
