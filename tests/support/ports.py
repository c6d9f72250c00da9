"""Ports for servers of tests."""

from __future__ import annotations

import contextlib
import random
import socket

LOOPBACK = "127.0.0.1"
#: Below those that the kernel gives to connections, so that none of these takes the port meanwhile.
PORTS = range(10_000, 32_000)


def free_port() -> int:
    """Return a port of loopback on which nobody listens."""
    # a generator of its own: seeds that tests set must not give all processes the same port
    for port in random.SystemRandom().sample(PORTS, 100):
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.bind((LOOPBACK, port))
            return port
    raise AssertionError("expected a free port among a hundred, found none")
