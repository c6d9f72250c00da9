# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of style that all pages share: the public site and the page of the status."""

from __future__ import annotations

BASE_RULES = """\
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1rem; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif;
  overflow-wrap: break-word;
}
.wrap { max-width: 72rem; margin-inline: auto; padding-inline: 1.25rem; }
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 2px; }

.top { background: var(--card); border-bottom: 1px solid var(--line); }
.top .wrap { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 2rem; padding-block: .8rem; }
.brand { margin: 0; font-weight: 650; }

main { padding-block: 1.5rem 3rem; }
h1, h2, h3 { line-height: 1.25; text-wrap: balance; }
h1 { font-size: 1.8rem; margin: .5rem 0; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1.1rem; margin: 0 0 .25rem; }
section > p { max-width: 46rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }

.badge {
  display: inline-block; padding: 0 .5em; border: 1px solid currentcolor; border-radius: 1em;
  font-size: .82rem; font-weight: 600; line-height: 1.5; white-space: nowrap; color: var(--faint);
}
.badge.complete, .badge.ok, .badge.made, .badge.unchanged, .badge.present { color: var(--good); }
.badge.provisional, .badge.warning, .badge.incomplete, .badge.late, .badge.out_of_date,
.badge.running { color: var(--care); }
.badge.partial, .badge.suspect, .badge.critical, .badge.failed, .badge.never_finished,
.badge.missing, .badge.blocked, .badge.unreadable { color: var(--bad); }

.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: .93rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .6rem .75rem .4rem; color: var(--faint); }
th, td { padding: .35rem .75rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
thead th { color: var(--faint); font-weight: 600; }
tbody th { font-weight: 500; }
.number { text-align: right; }
td.number { white-space: nowrap; }
.keep, time { white-space: nowrap; }
summary { cursor: pointer; padding-block: .5rem; color: var(--accent); }
.bottom { padding-block: 1.5rem; border-top: 1px solid var(--line); color: var(--faint); font-size: .92rem; }

@media (max-width: 40rem) {
  .wrap { padding-inline: 1rem; }
  h1 { font-size: 1.5rem; }
}
@media print {
  .scroll { overflow: visible; }
  .card, tr { break-inside: avoid; }
}
"""
