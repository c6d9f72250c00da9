# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage ``raw``: find the requests of DNF in a day's combined log.

It takes combined logs, and returns raw days: Parquet files with the distinct hits of a day.

It may import ``_base``, ``_storage``, ``_logs`` and ``_daily``.
"""
