# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyed hashes in place of addresses. Each week has one key.

The key of a week is destroyed when the days of the week are trimmed. Addresses are compared only
within a UTC day, and no day belongs to two weeks. Therefore the counts of unique addresses stay the
same. Without the key, nobody can recover or follow an address.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from .._base.days_and_weeks import WEEK_0_START, WEEK_SECONDS, week_of_day
from .._base.libs import np, pa
from .._storage.files import make_folder, write_bytes

KEY_FOLDER = ".host-keys"
#: Hits that are more than this number of weeks from the week of their rotation day share one key,
#: because corrupt dates must not fill the folder with keys.
_NEAR_WEEKS = 8
_FAR = "far"
_KEY_BYTES = 32
_HASH_BYTES = 16


HashHosts = Callable[[Any, Any], Any]
"""A function from hosts and the timestamps of their hits to hashed hosts.

The hosts are a pyarrow dictionary array of strings.
"""


def host_hasher(raw_dir: Path, day: date, *, wanted: bool) -> HashHosts | None:
    """Return the function that hashes the hosts of a raw day; None if ``wanted`` is false."""
    return partial(WeekKeys(raw_dir).hash_hosts, day) if wanted else None


class WeekKeys:
    """The keys of a folder of raw days.

    A key is made when it is first needed. Only the writer of the folder may use this class.
    """

    def __init__(self, raw_dir: Path) -> None:
        self._folder = raw_dir / KEY_FOLDER
        self._keys: dict[str, bytes] = {}

    def hash_hosts(self, day: date, hosts: Any, timestamps: Any) -> Any:
        """Return the hosts, each hashed with the key of the week of its hit.

        Hosts and result are pyarrow dictionary arrays.
        """
        near = week_of_day(day)
        weeks = (timestamps - WEEK_0_START) // WEEK_SECONDS
        weeks[np.abs(weeks - near) > _NEAR_WEEKS] = -1
        codes = hosts.indices.to_numpy().astype(np.int64)
        places = len(hosts.dictionary)
        pairs, places_of_rows = np.unique((weeks + 1) * places + codes, return_inverse=True)
        names = hosts.dictionary.to_pylist()
        hashed = [self._hashed(pair // places - 1, names[pair % places]) for pair in pairs.tolist()]
        return pa.DictionaryArray.from_arrays(
            pa.array(places_of_rows.astype(np.int32)), pa.array(hashed, pa.string())
        )

    def _hashed(self, week: int, host: str) -> str:
        key = self._key(_FAR if week < 0 else str(week))
        return hashlib.blake2b(host.encode(), key=key, digest_size=_HASH_BYTES).hexdigest()

    def _key(self, name: str) -> bytes:
        if name not in self._keys:
            path = self._folder / name
            if not path.exists():
                make_folder(self._folder)
                self._folder.chmod(0o700)
                _write_first(path, secrets.token_bytes(_KEY_BYTES))
            self._keys[name] = path.read_bytes()
        return self._keys[name]


def _write_first(path: Path, key: bytes) -> None:
    """Write a key unless the file exists.

    Another raw day that is made at the same time may have written the key. Both have to share it.
    """
    new = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    write_bytes(new, key, mode=0o600)
    try:
        path.hardlink_to(new)
    except FileExistsError:
        pass
    finally:
        new.unlink()


def destroy_keys(raw_dir: Path, *, keep: Collection[int] | None) -> None:
    """Remove the keys of all weeks except ``keep``, and the key of hits with a far date.

    With None, keep all keys: a raw day that is made again must get the same hashes as the others.
    """
    for path in (raw_dir / KEY_FOLDER).glob("*"):
        if keep is not None and not (path.name.isdecimal() and int(path.name) in keep):
            path.unlink()
