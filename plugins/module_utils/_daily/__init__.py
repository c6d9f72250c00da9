# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shared code of the stages that make one file from the combined log of each day.

It reads the combined logs of some days, and writes one Parquet file per day. The metadata of the
file records the log that the file was made from.

It may import ``_base``, ``_storage`` and ``_logs``.
"""
