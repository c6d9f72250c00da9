# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage ``condense``: reduce a day's log of the mirror list to its distinct clients.

It takes combined logs, and returns condensed days (Parquet) and the CSV files of addresses a day.

It may import ``_base``, ``_storage``, ``_logs`` and ``_daily``.
"""
