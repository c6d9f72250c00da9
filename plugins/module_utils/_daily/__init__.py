# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stages share that make one file of each day's combined log.

It takes the combined logs of some days, and returns one Parquet file a day whose metadata records
the log that it was made from.

It may import ``_base``, ``_storage`` and ``_logs``.
"""
