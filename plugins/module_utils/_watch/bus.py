# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publish messages on the bus by the library fedora-messaging, without waiting for long.

If a broker refuses, the library waits for the whole time-out. If its configuration is missing, it
uses defaults without an error. The configuration, the answer of the broker and its TLS are
therefore checked first.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from .._base.errors import printable
from .spool import Message

#: The seconds in which a broker must answer, and in which it must confirm a message.
_TIMEOUT_SECONDS = 5

#: A function that sends a message. It raises BusDownError or RefusedError.
Publish: TypeAlias = Callable[[Message], None]

# the protocol header of AMQP 0-9-1, and the type of the frame with which a broker answers
_HELLO = b"AMQP\x00\x00\x09\x01"
_METHOD_FRAME = b"\x01"
_INFO, _ERROR = 20, 40


class BusDownError(Exception):
    """The bus cannot be used now; the text is the reason."""


class RefusedError(Exception):
    """The broker refuses this message, but may accept others; the text is the reason."""


def connect(config: Path, *, timeout_seconds: int = _TIMEOUT_SECONDS) -> Publish:
    """Connect to the broker of a configuration file of fedora-messaging. Raises BusDownError.

    Only one thread of a process may call it and publish. Processes that it forks hang if they
    publish as well.
    """
    api, fedora_config, exceptions, pika = _libraries()
    settings = _load(fedora_config, exceptions, config)
    _check_broker(pika, settings, timeout_seconds)

    def publish(message: Message) -> None:
        headers = {
            "fedora_messaging_schema": "base.message",
            "fedora_messaging_severity": _ERROR if message.bad else _INFO,
            "sent-at": message.sent_at,
            "priority": settings["publish_priority"] or 0,
        }
        properties = pika.BasicProperties(
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=2,
            headers=headers,
            message_id=message.id,
            priority=settings["publish_priority"],
        )
        sent = api.Message(
            topic=message.topic,
            body=dict(message.body),
            properties=properties,
            severity=headers["fedora_messaging_severity"],
        )
        try:
            api.publish(sent, timeout=timeout_seconds)
        except (
            exceptions.PublishReturned,
            exceptions.PublishForbidden,
            exceptions.ValidationError,
        ) as error:
            raise RefusedError(_text_of(error)) from error
        except Exception as error:
            raise BusDownError(_text_of(error)) from error

    return publish


def read_configuration(config: Path) -> Mapping[str, Any]:
    """Read a configuration file of fedora-messaging.

    Raises BusDownError if it cannot be read, or the library is missing.
    """
    _api, fedora_config, exceptions, _pika = _libraries()
    return _load(fedora_config, exceptions, config)


def _text_of(error: Exception) -> str:
    return f"{type(error).__name__}: {printable(str(error))}"


def _libraries() -> tuple[Any, Any, Any, Any]:
    try:
        with _quiet():
            return (
                importlib.import_module("fedora_messaging.api"),
                importlib.import_module("fedora_messaging.config"),
                importlib.import_module("fedora_messaging.exceptions"),
                importlib.import_module("pika"),
            )
    except Exception as error:  # a broken library counts as missing
        raise BusDownError(
            f"the library fedora-messaging is missing ({_text_of(error)})"
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the logs of the libraries, because warnings report the errors."""
    for name in ("fedora_messaging", "twisted", "pika", "crochet"):
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    yield


def _load(fedora_config: Any, exceptions: Any, path: Path) -> Mapping[str, Any]:
    """Load the configuration in a file; never use a default, which would be another broker."""
    try:
        with path.open("rb"):
            pass
        settings: Mapping[str, Any] = fedora_config.conf
        fedora_config.conf.load_config(config_path=str(path))
    except OSError as error:
        raise BusDownError(f"{path} can't be read: {error.strerror}") from error
    except Exception as error:
        text = f"{path} is no configuration of fedora-messaging: {_text_of(error)}"
        raise BusDownError(text) from error
    return settings


def _check_broker(pika: Any, settings: Mapping[str, Any], timeout_seconds: float) -> None:
    """Raise BusDownError unless a broker answers, by TLS if it is configured."""
    url = str(settings["amqp_url"])
    try:
        parameters = pika.URLParameters(url)
    except Exception as error:
        # the address may contain a password, so the error must not quote it
        raise BusDownError("amqp_url is no address of a broker") from error
    place = f"{parameters.host}:{parameters.port}"
    try:
        with contextlib.ExitStack() as stack:
            connection: Any = stack.enter_context(
                socket.create_connection((parameters.host, parameters.port), timeout_seconds)
            )
            if url.startswith("amqps"):
                context = _tls_context(settings["tls"])
                connection = stack.enter_context(
                    context.wrap_socket(connection, server_hostname=parameters.host)
                )
            connection.sendall(_HELLO)
            if connection.recv(1) != _METHOD_FRAME:
                raise BusDownError(f"{place} is no broker of AMQP 0-9-1")
    except OSError as error:
        raise BusDownError(f"{place}: {error.strerror or error}") from error


def _tls_context(tls: Mapping[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    if tls["ca_cert"]:
        context.load_verify_locations(cafile=tls["ca_cert"])
    if tls["certfile"] and tls["keyfile"]:
        context.load_cert_chain(tls["certfile"], tls["keyfile"])
    return context
