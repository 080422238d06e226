"""A client of Socket.IO 5 with Tautline's extensions, written from docs/protocol/ alone."""

from .client import Client, Ended, Refused
from .session import Lost, Over

__all__ = ["Client", "Ended", "Lost", "Over", "Refused"]
