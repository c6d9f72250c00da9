"""The ends of rsync in words; the texts are those of rsync 3.5.0."""

from __future__ import annotations

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.rsync import (
    RsyncResult,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._sync.rsync_endings import (
    verdict_of,
)

_START = "rsync error: error starting client-server protocol (code 5) at main.c(1954)"
_SOCKET = "rsync error: error in socket IO (code 10) at clientserver.c(165) [Receiver=3.5.0]"
_PARTLY = "rsync error: some files/attrs were not transferred (see previous errors) (code 23)"


@pytest.mark.parametrize(
    ("code", "text", "status", "again", "words"),
    [
        pytest.param(
            10,
            f"rsync: getaddrinfo: proxy99 873: Name or service not known\n{_SOCKET}",
            "unknown",
            False,
            "a name unknown to DNS",
            id="incident-unknown_host",
        ),
        pytest.param(
            10,
            f"rsync: getaddrinfo: proxy01 873: Temporary failure in name resolution\n{_SOCKET}",
            "unknown",
            True,
            "can't resolve its name for now",
            id="name-server-down",
        ),
        pytest.param(
            10,
            f"rsync: [Receiver] failed to connect to proxy01: Connection refused (111)\n{_SOCKET}",
            "failed",
            True,
            "open its firewall",
            id="incident-rsync_refused",
        ),
        pytest.param(
            10,
            f"rsync: [Receiver] failed to connect to proxy01: No route to host (113)\n{_SOCKET}",
            "failed",
            True,
            "the network to it",
            id="no-route",
        ),
        pytest.param(
            5,
            f"@ERROR: Unknown module 'log'\n{_START}",
            "failed",
            False,
            "without that module",
            id="unknown-module",
        ),
        pytest.param(
            5,
            f"@ERROR: access denied to log from log01 (192.0.2.1)\n{_START}",
            "failed",
            False,
            "hosts allow",
            id="incident-rsync_refused-denied",
        ),
        pytest.param(
            5,
            f"@ERROR: max connections (4) reached -- try again later\n{_START}",
            "failed",
            True,
            "max connections (4) reached",
            id="busy",
        ),
        pytest.param(
            5, f"@ERROR: auth required\n{_START}", "failed", False, "password", id="password"
        ),
        pytest.param(
            23,
            f'rsync: [sender] change_dir "httpd" (in log) failed: No such file or directory (2)\n'
            f"{_PARTLY}",
            "failed",
            False,
            "no such folder",
            id="no-folder",
        ),
        pytest.param(
            23,
            f'rsync: [sender] send_files failed to open "/httpd/a.log-20261120" (in log): '
            f"Permission denied (13)\n{_PARTLY}",
            "failed",
            False,
            "may not read",
            id="unreadable-there",
        ),
        pytest.param(
            11,
            'rsync: [receiver] mkstemp "/h/.sync/.a.log-20261120.x" failed: Permission denied (13)',
            "failed",
            False,
            "we may not write",
            id="incident-bad_permissions",
        ),
        pytest.param(
            11,
            'rsync: [receiver] write failed on "/h/.sync/a": No space left on device (28)',
            "failed",
            False,
            "Free some space",
            id="incident-disk_full",
        ),
        pytest.param(
            12, "", "failed", True, "an rsync that failed (rsync code 12)", id="broke-off"
        ),
        pytest.param(30, "", "failed", True, "nothing arriving any more", id="timeout"),
        pytest.param(35, "", "failed", True, "no answer", id="connect-timeout"),
        pytest.param(-9, "", "failed", True, "signal 9", id="killed"),
        pytest.param(
            126,
            "starting rsync failed: Cannot allocate memory",
            "failed",
            True,
            "an rsync that can't be started (rsync code 126: 'starting rsync failed: Cannot",
            id="no-memory-to-start",
        ),
        pytest.param(127, "", "failed", False, "Install rsync", id="no-rsync"),
        pytest.param(
            99, "", "failed", True, "an rsync that failed (rsync code 99)", id="unknown-code"
        ),
    ],
)
def test_failures(code: int, text: str, status: str, again: bool, words: str) -> None:
    verdict = verdict_of(RsyncResult(code, text))
    assert (verdict.good, verdict.status, verdict.retry) == (False, status, again)
    assert words in verdict.reason


def test_success_says_nothing() -> None:
    assert verdict_of(RsyncResult(0, "")) == (True, "unchanged", False, "")


def test_incident_empty_glob_no_match_is_no_failure() -> None:
    text = (
        'rsync: [sender] link_stat "/httpd/*20261120*" (in log) failed: '
        f"No such file or directory (2)\n{_PARTLY}"
    )
    assert verdict_of(RsyncResult(23, text)).good


def test_a_missing_file_is_a_failure() -> None:
    text = f'rsync: [sender] link_stat "/a" (in log) failed: No such file or directory\n{_PARTLY}'
    assert not verdict_of(RsyncResult(23, text)).good


def test_vanished_files_are_good_but_tried_again() -> None:
    verdict = verdict_of(RsyncResult(24, "file has vanished"))
    assert (verdict.good, verdict.retry) == (True, True)
    assert "vanished" in verdict.reason


def test_what_we_ended_is_tried_again() -> None:
    verdict = verdict_of(RsyncResult(20, "", "nothing arrived for 5 s"))
    assert (verdict.good, verdict.retry) == (False, True)
    assert verdict.reason.startswith("nothing arrived for 5 s, so the transfer was ended. ")


def test_hostile_words_are_shown_safely() -> None:
    words = verdict_of(RsyncResult(5, "@ERROR: \x1b[2J" + "x" * 5000)).reason
    assert "\x1b" not in words
    assert len(words) < 500
