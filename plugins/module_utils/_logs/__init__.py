# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where access logs are kept, and how they are read.

It takes the tree of the hosts' logs or of the combined logs, and returns blocks of whole lines,
and the fields and times in them. It decides nothing about what is counted.

It may import ``_base`` and ``_storage``.
"""
