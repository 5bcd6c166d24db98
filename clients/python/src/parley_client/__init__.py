"""The Python client of Parley: messages once, in order, over a connection that comes and goes."""

from parley_client.client import ParleyClient, Unacked
from parley_client.errors import ClosedError, DisconnectedError, ParleyError, RefusedError
from parley_client.events import (
    Ack,
    ConnectionChanged,
    Delivered,
    Event,
    LogEntry,
    MembershipLost,
    Message,
    Presence,
    ReadReceipt,
    SendFailed,
    Typing,
    UnknownEvent,
)
from parley_client.rest import History, InboxPage, Summary
from parley_client.settings import Options, Settings

__all__ = [
    "Ack",
    "ClosedError",
    "ConnectionChanged",
    "Delivered",
    "DisconnectedError",
    "Event",
    "History",
    "InboxPage",
    "LogEntry",
    "MembershipLost",
    "Message",
    "Options",
    "ParleyClient",
    "ParleyError",
    "Presence",
    "ReadReceipt",
    "RefusedError",
    "SendFailed",
    "Settings",
    "Summary",
    "Typing",
    "Unacked",
    "UnknownEvent",
]
