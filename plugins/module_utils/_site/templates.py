# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages as Jinja2 templates. They are Python because a module takes only Python to a host."""

from __future__ import annotations

BASE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="color-scheme" content="light dark">
<meta name="description" content="{% block summary %}{% endblock %}">
<title>{% block title %}{% endblock %} · {{ site.title }}</title>
<link rel="icon" type="image/svg+xml" href="{{ root }}assets/icon.svg">
<link rel="stylesheet" href="{{ root }}assets/pages.css">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="top">
<div class="wrap">
<p class="brand"><a href="{{ root }}index.html">{{ site.title }}</a></p>
<nav aria-label="Pages">
<ul>
{%- for name, label in menu %}
<li><a href="{{ root }}{{ name }}"{% if name == here %} aria-current="page"{% endif %}>{{ label }}</a></li>
{%- endfor %}
</ul>
</nav>
</div>
</header>
<main id="content" class="wrap" tabindex="-1">
{% block content %}{% endblock %}
</main>
<footer class="wrap bottom">
<p>All times are UTC. Nothing here is about single systems: no address, and no time finer than a day,
is published. The <a href="{{ root }}dictionary.html">data dictionary</a> describes each column.</p>
</footer>
{% block scripts %}{% endblock %}
</body>
</html>
"""

MACROS = """\
{% macro badge(status) %}<span class="badge {{ status if status in known_states else 'unknown' }}">{{ status }}</span>{% endmacro %}

{% macro figure(chart, root) %}
<figure class="card chart">
<a class="paper" href="{{ root }}charts/{{ chart.name }}.html">
<img src="{{ root }}images/{{ chart.name }}.png" alt="{{ chart.alt }}" width="{{ chart.width }}" height="{{ chart.height }}" loading="lazy"></a>
<figcaption><a href="{{ root }}charts/{{ chart.name }}.html">{{ chart.title | whole_dates }}</a></figcaption>
</figure>
{% endmacro %}

{% macro files(caption, rows, root) %}
<div class="scroll files" role="region" aria-label="{{ caption }}" tabindex="0">
<table>
<caption>{{ caption }}</caption>
<thead><tr><th scope="col">File</th><th scope="col">Content</th><th scope="col" class="number">Size</th>
<th scope="col">Changed</th></tr></thead>
<tbody>
{%- for file in rows %}
<tr><th scope="row"><a href="{{ root }}{{ file.href }}" download>{{ file.name }}</a></th><td>{{ file.holds }}</td>
<td class="number">{{ file.bytes | size }}</td><td><time datetime="{{ file.changed | iso }}">{{ file.changed | minute }}</time></td></tr>
{%- endfor %}
</tbody>
</table>
</div>
{% endmacro %}
"""

INDEX = """\
{% extends "base" %}{% from "macros" import badge, figure with context %}
{% block title %}Overview{% endblock %}
{% block summary %}Weekly numbers of {{ site.distribution }} systems, with the quality of each week.{% endblock %}
{% block content %}
<h1>{{ site.title }}</h1>
<p class="lead">How many systems run {{ site.distribution }}, week by week, counted from the request that the
package manager of each system makes for a list of mirrors.</p>

<section aria-labelledby="newest">
<h2 id="newest">The newest week</h2>
{% if not glances %}<p>No week is counted yet.</p>{% endif %}
<div class="glances">
{%- for one in glances %}
<article class="card glance" aria-labelledby="glance-{{ loop.index }}">
<h3 id="glance-{{ loop.index }}">{{ one.title }}</h3>
<p class="when">{{ one.days | whole_dates }} {{ badge(one.quality.status) }}</p>
<p class="big"><strong>{{ one.machines | thousands }}</strong> machines</p>
<p class="change">{{ one.change }}</p>
{% if one.quality.suspect %}<p class="warning"><strong>Suspect:</strong> {{ one.quality.suspect_reason }}</p>{% endif %}
<dl class="facts">
<div><dt>Logs received</dt><dd>{{ one.host_days }}</dd></div>
<div><dt>Hits</dt><dd>{{ one.hits | thousands }}</dd></div>
<div><dt>Unique addresses, summed over days</dt><dd>{{ one.unique | thousands }}</dd></div>
</dl>
<table>
<caption>Machines by release</caption>
<thead><tr><th scope="col">Release</th><th scope="col" class="number">Machines</th><th scope="col" class="number">Share</th></tr></thead>
<tbody>
{%- for release in one.releases %}
<tr><th scope="row">{{ release.name }}</th><td class="number">{{ release.machines | thousands }}</td><td class="number">{{ release.share }}</td></tr>
{%- endfor %}
</tbody>
</table>
{% for note in one.notes %}<p class="note">{{ note }}</p>{% endfor %}
<p class="note">Download, all weeks: {% for file in one.files %}<a href="{{ file.href }}" download>{{ file.name }}</a>{{ ', ' if not loop.last }}{% endfor %}.
To quote a number, name the week with its status and the file: <q>{{ one.quote | whole_dates }}</q></p>
</article>
{%- endfor %}
</div>
</section>

{% if highlights %}
<section aria-labelledby="pictures">
<h2 id="pictures">At a glance</h2>
<div class="charts">
{% for chart in highlights %}{{ figure(chart, root) }}{% endfor %}
</div>
<p class="more"><a href="charts.html">All {{ chart_count }} charts</a></p>
</section>
{% endif %}

<section aria-labelledby="meaning" class="prose">
<h2 id="meaning">The meaning of the numbers</h2>
<dl class="terms">
<dt>Hits</dt>
<dd>Once a week the package manager of a system adds <code>countme</code> to the first request it makes for each of its
repositories. Each such request is a hit. A system with four repositories makes four hits, so hits summed over repositories
are <em>not</em> machines.</dd>
<dt>Machines</dt>
<dd>For each kind of system (name, version, variant, architecture) the hits of the one repository that has the most. This is
the number to quote. Systems that are never on, that don't fetch from these servers, or that have counting switched off, are
not in it; a system that lives for a day counts in its week. Hits of a system's first week, <code>sys_age</code> of 1, are in it.</dd>
<dt>Unique addresses</dt>
<dd>Distinct network addresses a day, summed over the seven days of a week: rows with a <code>sys_age</code> of -1. They are
<em>another statistic in the same table</em> and must never be added to hits. Many machines can share one address, and one machine
can have several in a week.</dd>
<dt>Age</dt>
<dd><code>sys_age</code> is the time since the installation of a system: 1 is its first week, 2 its first month, 3 its first six months,
4 is older.</dd>
<dt>Quality of weeks</dt>
<dd>A week for which logs are missing is marked {{ badge("partial") }}, or {{ badge("provisional") }} while they may still
arrive. Its numbers are too low. It is counted again when a log arrives. A {{ badge("suspect") }} week is far from those before it.
Nothing is recorded about {{ badge("unknown") }} weeks. <a href="quality.html">Check the quality of a week</a> before you use its numbers.</dd>
</dl>
</section>
{% endblock %}
"""

CHARTS = """\
{% extends "base" %}{% from "macros" import figure with context %}
{% block title %}Charts{% endblock %}
{% block summary %}All charts of {{ site.title }}, each with an interactive form and a table of its figures.{% endblock %}
{% block content %}
<h1>Charts</h1>
<p class="lead">Each picture is a link to its interactive form, to the table of its figures, and to files for print.</p>
{% if sections | length > 1 %}
<nav aria-label="Sections of this page" class="jump"><ul>
{%- for section in sections %}<li><a href="#{{ section.slug }}">{{ section.title }}</a></li>{% endfor -%}
</ul></nav>
{% endif %}
{% if not sections %}<p>There are no charts yet.</p>{% endif %}
{% for section in sections %}
<section aria-labelledby="{{ section.slug }}">
<h2 id="{{ section.slug }}">{{ section.title }}</h2>
<div class="charts">
{% for chart in section.charts %}{{ figure(chart, root) }}{% endfor %}
</div>
</section>
{% endfor %}
{% endblock %}
"""

CHART = """\
{% extends "base" %}
{% block title %}{{ chart.title }}{% endblock %}
{% block summary %}{{ chart.alt }}{% endblock %}
{% block content %}
<nav aria-label="Place of this page" class="trail"><ul><li><a href="../charts.html">Charts</a></li>
<li aria-current="page">{{ chart.title | whole_dates }}</li></ul></nav>
<h1>{{ chart.title | whole_dates }}</h1>
<p class="lead">{{ description }}{% if subtitle %} <strong>{{ subtitle }}.</strong>{% endif %}</p>
<figure class="card chart single" id="chart">
<div class="paper">
<img id="picture" src="../images/{{ chart.name }}.svg" alt="{{ chart.alt }}" width="{{ chart.width }}" height="{{ chart.height }}">
<div id="live" hidden></div>
</div>
<figcaption>{{ chart.alt }}</figcaption>
</figure>
<p class="hint" id="hint" hidden>Point at the chart for its figures; click a name in the legend to bring it out.</p>
<p>Download: <a href="../images/{{ chart.name }}.png" download>PNG</a>, <a href="../images/{{ chart.name }}.svg" download>SVG</a></p>
<h2 id="figures">The figures</h2>
{% if table_note %}<p>{{ table_note }}</p>{% endif %}
<div class="scroll tall" role="region" aria-labelledby="figures" tabindex="0">
<table>
<caption>{{ chart.title }}</caption>
<thead><tr>{% for cell in header %}<th scope="col"{% if numeric[loop.index0] %} class="number"{% endif %}>{{ cell }}</th>{% endfor %}</tr></thead>
<tbody>
{%- for row in rows %}
<tr>{% for cell in row %}{% if loop.first %}<th scope="row">{{ cell | whole_dates }}</th>
{%- else %}<td{% if numeric[loop.index0] %} class="number"{% endif %}>{{ cell }}</td>{% endif %}{% endfor %}</tr>
{%- endfor %}
</tbody>
</table>
</div>
{% if before or after %}
<nav aria-label="Other charts" class="turn"><ul>
{%- if before %}<li><a rel="prev" href="{{ before.name }}.html">← {{ before.title | whole_dates }}</a></li>{% endif %}
{%- if after %}<li class="next"><a rel="next" href="{{ after.name }}.html">{{ after.title | whole_dates }} →</a></li>{% endif -%}
</ul></nav>
{% endif %}
{% endblock %}
{% block scripts %}
<script type="application/json" id="definition">{{ definition }}</script>
<script src="../assets/vega.js"></script>
<script src="../assets/pages.js"></script>
{% endblock %}
"""

DOWNLOADS = """\
{% extends "base" %}{% from "macros" import files with context %}
{% block title %}Downloads{% endblock %}
{% block summary %}All published files of {{ site.title }} with their sizes and dates.{% endblock %}
{% block content %}
<h1>Downloads</h1>
<p class="lead">Files stay at their places and are replaced whole. For programs, sizes, hashes and times are in
<a href="{{ index.href }}">{{ index.name }}</a>.</p>
{% for group in groups %}
<section aria-labelledby="group-{{ loop.index }}">
<h2 id="group-{{ loop.index }}">{{ group.title }}</h2>
{% if group.about %}<p>{{ group.about }}</p>{% endif %}
{{ files('Files of ' ~ group.title, group.files, root) }}
{% if group.weeks %}
<details>
<summary>{{ group.weeks | length }} single weeks</summary>
{{ files('Single weeks of ' ~ group.title, group.weeks, root) }}
</details>
{% endif %}
</section>
{% else %}<p>Nothing is published yet.</p>
{% endfor %}
{% endblock %}
"""

QUALITY = """\
{% extends "base" %}{% from "macros" import badge with context %}
{% block title %}Quality of weeks{% endblock %}
{% block summary %}How complete each week of {{ site.title }} is.{% endblock %}
{% block content %}
<h1>Quality of weeks</h1>
<p class="lead">The quality of a week is that of the logs from which it was counted. A host-day is the log of one host for one day. Hits are not
machines: a system makes one for each of its repositories.</p>
<dl class="states">
{%- for state in states %}
<div><dt>{{ badge(state.name) }}</dt><dd>{{ state.meaning }}</dd></div>
{%- endfor %}
</dl>
{% for profile in profiles %}
<section aria-labelledby="profile-{{ loop.index }}">
<h2 id="profile-{{ loop.index }}">{{ profile.title }}</h2>
<p>{{ profile.summary }}</p>
<div class="scroll tall weeks" role="region" aria-label="Weeks of {{ profile.title }}" tabindex="0">
<table>
<caption>Weeks of {{ profile.title }}, newest first</caption>
<thead><tr><th scope="col">Week</th><th scope="col">Days</th><th scope="col">Status</th>
<th scope="col" class="number">Host-days</th><th scope="col" class="number">Hits</th>
<th scope="col" class="number">Malformed</th><th scope="col" class="number">Revision</th><th scope="col">Computed</th></tr></thead>
<tbody>
{%- for week in profile.weeks %}
{% set quality = week.quality %}
<tr><th scope="row">{% if week.href %}<a href="{{ week.href }}">{{ quality.week }}</a>{% else %}{{ quality.week }}{% endif %}</th>
<td class="keep">{{ quality.week_start }} to {{ quality.week_end }}</td>
<td>{{ badge(quality.status) }}
{%- if quality.suspect %} {{ badge('suspect') }}<p class="reason">{{ quality.suspect_reason }}</p>{% endif %}</td>
<td class="number">{{ week.host_days }}</td><td class="number">{{ quality.hits | thousands }}</td>
<td class="number">{{ quality.malformed | thousands }}</td><td class="number">{{ quality.revision | thousands }}</td>
<td>{% if week.computed %}<time datetime="{{ quality.computed_at }}">{{ week.computed }}</time>{% endif %}</td></tr>
{%- endfor %}
</tbody>
</table>
</div>
</section>
{% else %}<p>No week is counted yet.</p>
{% endfor %}
{% endblock %}
"""

DICTIONARY = """\
{% extends "base" %}{% from "macros" import badge with context %}
{% block title %}Data dictionary{% endblock %}
{% block summary %}Every file and every column that {{ site.title }} publishes.{% endblock %}
{% block content %}
<h1>Data dictionary</h1>
<p class="lead">Every file and every column, with units. Weeks begin on Monday, 00:00 UTC.</p>
<nav aria-label="Sections of this page" class="jump"><ul>
{%- for chapter in chapters %}<li><a href="#{{ chapter.slug }}">{{ chapter.title }}</a></li>{% endfor -%}
<li><a href="#states">States of weeks</a></li><li><a href="#methods">Methods</a></li></ul></nav>
{% for chapter in chapters %}
<section aria-labelledby="{{ chapter.slug }}">
<h2 id="{{ chapter.slug }}">{{ chapter.title }}</h2>
<dl class="terms">
{%- for file in chapter.files %}
<dt><code>{{ file.name }}</code></dt>
<dd>{{ file.meaning }} {{ file.format }}
{%- if file.places %} Here:
{% for place in file.places %}<a href="{{ place.href }}">{{ place.name }}</a>{{ ', ' if not loop.last }}{% endfor %}.{% endif %}</dd>
{%- endfor %}
</dl>
{% if chapter.columns %}
<div class="scroll columns" role="region" aria-label="Columns, {{ chapter.title }}" tabindex="0">
<table>
<caption>Columns, in their order</caption>
<thead><tr><th scope="col">Column</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>
<tbody>
{%- for column in chapter.columns %}
<tr><th scope="row"><code>{{ column.name }}</code></th><td>{{ column.type }}</td><td>{{ column.meaning }}</td></tr>
{%- endfor %}
</tbody>
</table>
</div>
{% endif %}
</section>
{% endfor %}
<section aria-labelledby="states">
<h2 id="states">States of weeks</h2>
<dl class="states">
{%- for state in states %}
<div><dt>{{ badge(state.name) }}</dt><dd>{{ state.meaning }}</dd></div>
{%- endfor %}
</dl>
</section>
<section aria-labelledby="methods">
<h2 id="methods">Methods</h2>
{% for method in methods %}
<pre class="method">{{ method }}</pre>
{% endfor %}
</section>
{% endblock %}
"""

TEMPLATES = {
    "base": BASE,
    "macros": MACROS,
    "index.html": INDEX,
    "charts.html": CHARTS,
    "chart": CHART,
    "downloads.html": DOWNLOADS,
    "quality.html": QUALITY,
    "dictionary.html": DICTIONARY,
}
