# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the operator's status page looks. It stands in the page: the page needs no other file."""

from __future__ import annotations

from .._html.colours import colour_rules

_CELLS_LIGHT = {
    "cell-good": "#bfe3c8",
    "cell-care": "#f4d48a",
    "cell-bad": "#e5534b",
    "on-bad": "#ffffff",
    "cell-none": "#eceff2",
}
_CELLS_DARK = {
    "cell-good": "#1f5a33",
    "cell-care": "#8a6414",
    "cell-bad": "#ff7b72",
    "on-bad": "#20080a",
    "cell-none": "#1d2228",
}

_RULES = """\
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--text); overflow-wrap: anywhere;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif;
}
.wrap { max-width: 76rem; margin-inline: auto; padding: 1rem 1.25rem 2.5rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .25rem 0 .5rem; }
h2 { font-size: 1.2rem; line-height: 1.25; margin: 2rem 0 .6rem; }
p { margin: .3rem 0; max-width: 52rem; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.faint { color: var(--faint); }
.facts { display: flex; flex-wrap: wrap; gap: .2rem 1.75rem; margin: .5rem 0 0; }
.facts div { display: flex; gap: .5rem; }
.facts dt { color: var(--faint); }
.facts dd { margin: 0; }
.badge {
  display: inline-block; padding: 0 .6em; border: 1px solid currentcolor; border-radius: 1em;
  font-size: .85rem; font-weight: 650; line-height: 1.6; white-space: nowrap; color: var(--faint);
}
.badge.ok, .badge.complete, .badge.made, .badge.unchanged, .badge.present { color: var(--good); }
.badge.warning, .badge.provisional, .badge.incomplete, .badge.late, .badge.out_of_date,
.badge.running { color: var(--care); }
.badge.critical, .badge.partial, .badge.suspect, .badge.failed, .badge.never_finished,
.badge.missing, .badge.blocked, .badge.unreadable { color: var(--bad); }
.problems { list-style: none; margin: 0; padding: 0; display: grid; gap: .6rem; }
.problems li {
  display: grid; grid-template-columns: 6rem 1fr; gap: .25rem .9rem; padding: .7rem .9rem;
  background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  border-left: 5px solid var(--faint);
}
.problems .critical { border-left-color: var(--bad); }
.problems .warning { border-left-color: var(--care); }
.problems li > div { grid-column: 2; }
.problems li > .badge { border: 0; padding: 0; align-self: start; }
.what { font-weight: 550; }
.scroll {
  overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px;
}
table {
  border-collapse: collapse; font-size: .93rem; font-variant-numeric: tabular-nums;
  overflow-wrap: normal;
}
.wide { width: 100%; }
caption { text-align: left; padding: .5rem .75rem .3rem; color: var(--faint); }
th, td {
  padding: .3rem .75rem; text-align: left; vertical-align: top; border-top: 1px solid
  var(--line);
}
thead th { color: var(--faint); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 500; }
.number { text-align: right; white-space: nowrap; }
.keep, time { white-space: nowrap; }
.path, .remark { min-width: 12rem; overflow-wrap: anywhere; }
/* the newest day is at the right: a narrow screen begins there */
.calendar { direction: rtl; }
.calendar > table { direction: ltr; margin-right: auto; }
.calendar th, .calendar td { padding: 0; border: 0; }
.calendar caption { padding: .5rem .75rem .3rem; }
.calendar .name {
  position: sticky; left: 0; z-index: 1; background: var(--card); padding: 0 .75rem;
  max-width: 13rem; overflow: hidden; white-space: nowrap; text-overflow: ellipsis;
}
.calendar thead th { text-align: center; font-size: .78rem; font-weight: 500; }
.calendar thead .month {
  text-align: left; padding-left: .25rem; border-left: 1px solid var(--line);
  white-space: nowrap;
}
/* what a table is stays in sight where it is scrolled */
caption span { position: sticky; left: .75rem; }
.calendar .group th { padding-block: .6rem .15rem; color: var(--faint); font-weight: 600; }
.calendar tbody:last-child tr:last-child > * { padding-bottom: .6rem; }
.cell {
  display: block; width: 1.45rem; height: 1.3rem; margin: 1px; border-radius: 3px;
  background: var(--cell-none); font-size: .82rem; font-weight: 700; line-height: 1.3rem;
  text-align: center;
}
.present > .cell { background: var(--cell-good); }
.partial > .cell, .late > .cell, .out_of_date > .cell { background: var(--cell-care); }
.missing > .cell, .blocked > .cell, .unreadable > .cell {
  background: var(--cell-bad); color: var(--on-bad);
}
.legend {
  display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; margin: .5rem 0 0; padding: 0;
  list-style: none; font-size: .92rem;
}
.legend li { display: flex; align-items: center; gap: .4rem; }
.aside {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}
svg { display: block; }
.bar { fill: var(--accent); }
.bar.failed, .bar.never_finished { fill: var(--bad); }
.bar.unchanged { fill: var(--line); }
.median { stroke: var(--text); stroke-width: 1; stroke-dasharray: 3 2; }
.free { fill: var(--cell-good); }
.taken { fill: var(--faint); }
details { margin-top: .6rem; }
summary { cursor: pointer; color: var(--accent); padding-block: .3rem; }
.reasons { font-size: .92rem; padding-left: 1.2rem; }
footer {
  margin-top: 2rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--faint);
  font-size: .92rem;
}
@media (max-width: 40rem) {
  .wrap { padding-inline: .9rem; }
  h1 { font-size: 1.35rem; }
  .problems li { grid-template-columns: 1fr; }
  .problems li > div { grid-column: 1; }
  .calendar thead .month { padding-right: .25rem; text-align: right; }
  caption span { display: inline-block; max-width: calc(100vw - 4rem); }
  .calendar .name { max-width: 8.5rem; padding: 0 .5rem; font-size: .85rem; }
}
@media print { .scroll { overflow: visible; } }
"""

STYLE = "\n" + colour_rules(_CELLS_LIGHT, _CELLS_DARK) + _RULES
