"""Headless Chromium on the pages, from files and from a web server."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.fedora_infra.dnf_counting.tests.support.ports import free_port
from ansible_collections.fedora_infra.dnf_counting.tests.support.waiting import until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

#: On CI all is installed, so a browser that is missing there is a failure.
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="there is no chromium"
)
needs_nginx = pytest.mark.skipif(
    NGINX is None and not os.environ.get("CI"), reason="there is no nginx"
)

_NGINX_CONFIGURATION = """\
daemon off;
worker_processes 1;
pid {work}/nginx.pid;
error_log {work}/error.log;
{user}
events {{ worker_connections 64; }}
http {{
    include /etc/nginx/mime.types;
    access_log {work}/access.log;
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {root};
        location ~ /\\. {{ deny all; }}
    }}
}}
"""


_NETWORK_CHANGED = "ERR_NETWORK_CHANGED"


class Visit(NamedTuple):
    """A page that was loaded, and all that went wrong with it."""

    page: Any
    complaints: list[str]


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """Chromium as Debian has it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"] if os.getuid() == 0 else []
        )
        try:
            yield started
        finally:
            started.close()


@contextlib.contextmanager
def visiting(started: Any, url: str, **settings: Any) -> Iterator[Visit]:
    """A page in a browser of its own, loaded, with its chart drawn where it has one."""
    context = started.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", functools.partial(_heard, complaints))
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    page.on("response", functools.partial(_answered, complaints))
    try:
        _load(page, url, complaints)
        if settings.get("java_script_enabled", True) and page.locator("#live").count():
            page.wait_for_selector("#live svg", timeout=60_000)
        yield Visit(page, complaints)
    finally:
        context.close()


def _load(page: Any, url: str, complaints: list[str]) -> None:
    """Load a page, again where another test has made or removed a network interface meanwhile.

    Chromium breaks off all that it loads then.
    """
    from playwright.sync_api import Error

    for _unused in range(20):
        complaints.clear()
        with contextlib.suppress(Error):
            page.goto(url, wait_until="load")
            if not any(_NETWORK_CHANGED in one for one in complaints):
                return
        page.wait_for_timeout(500)
    page.goto(url, wait_until="load")


def _heard(complaints: list[str], message: Any) -> None:
    if message.type in ("error", "warning"):
        complaints.append(f"{message.type}: {message.text}")


def _answered(complaints: list[str], response: Any) -> None:
    if response.status >= 400:
        complaints.append(f"status {response.status}: {response.url}")


@contextlib.contextmanager
def nginx(root: Path, work: Path) -> Iterator[str]:
    """A web server on a free port of loopback; gives the address of its root."""
    work.mkdir(parents=True, exist_ok=True)
    port = free_port()
    configuration = work / "nginx.conf"
    user = "user root;" if os.getuid() == 0 else ""
    configuration.write_text(
        _NGINX_CONFIGURATION.format(work=work, root=root, port=port, user=user)
    )
    assert NGINX is not None
    server = subprocess.Popen(
        [NGINX, "-c", configuration, "-e", work / "error.log"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        until(lambda: _answers(url, server), "nginx to answer")
        yield url
    finally:
        server.terminate()
        server.wait(20)


def _answers(url: str, server: subprocess.Popen[bytes]) -> bool:
    assert server.poll() is None, "nginx ended"
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}index.html", timeout=10):
        return True
    return False
