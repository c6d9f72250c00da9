"""Keys of hashed addresses: one a week, whoever comes first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Barrier

import numpy as np
import pyarrow as pa
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._hits.host_hash import (
    KEY_FOLDER,
    WeekKeys,
)

DAY = date(2021, 9, 28)
HOSTS = pa.array(["192.0.2.1"]).dictionary_encode()
TIMES = np.array([1632787200])


def test_days_made_at_once_share_the_key_of_their_week(tmp_path: Path) -> None:
    for number in range(20):
        raw_dir = tmp_path / str(number)
        together = Barrier(8)

        def hashed(_day: int, raw_dir: Path = raw_dir, together: Barrier = together) -> str:
            together.wait()
            hosts = WeekKeys(raw_dir).hash_hosts(DAY, HOSTS, TIMES)
            return str(hosts.to_pylist()[0])

        with ThreadPoolExecutor(8) as threads:
            assert len(set(threads.map(hashed, range(8)))) == 1
        assert len(list((raw_dir / KEY_FOLDER).iterdir())) == 1
