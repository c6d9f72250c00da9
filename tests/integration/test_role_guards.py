"""What the role does as root stays where it belongs, and what fails leaves what was there."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.fedora_infra.dnf_counting.tests.support.role_tasks import run_tasks


def test_a_link_in_a_folder_of_the_counting_user_leads_root_nowhere(tmp_path: Path) -> None:
    foreign, state = tmp_path / "foreign", tmp_path / "state"
    foreign.mkdir(mode=0o700)
    state.mkdir()
    (state / "raw").symlink_to(foreign)
    code, said = run_tasks(
        tmp_path,
        "folders.yml",
        web_data_analysis_require_mount="",
        web_data_analysis_hosts_dir=str(tmp_path / "hosts"),
        web_data_analysis_combined_dir=str(tmp_path / "combined"),
        web_data_analysis_condense_dir=str(tmp_path / "mirrors"),
        web_data_analysis_state_dir=str(state),
        web_data_analysis_publish_dir=str(tmp_path / "html" / "csv-reports" / "countme"),
    )
    assert code == 2, said
    assert "already exists as a link" in said
    assert foreign.stat().st_mode & 0o777 == 0o700


def web(folder: Path, config: Path, test: str) -> tuple[int, str]:
    return run_tasks(
        folder,
        "web.yml",
        web_data_analysis_web_server="nginx",
        web_data_analysis_web_server_name="stats.example.org",
        web_data_analysis_web_dir=str(folder / "html"),
        web_data_analysis_web_config=str(config),
        web_data_analysis_web_test=["sh", "-c", test],
    )


def test_a_web_server_that_refuses_keeps_the_configuration_it_had(tmp_path: Path) -> None:
    config = tmp_path / "conf.d" / "dnf_counting.conf"
    config.parent.mkdir()
    refuse = "echo of another site >&2; exit 1"
    for before in (None, "server {}\n"):
        if before:
            config.write_text(before)
        code, said = web(tmp_path, config, refuse)
        assert code == 2, said
        assert "of another site" in said
        assert [path.name for path in config.parent.iterdir()] == ([config.name] if before else [])
        assert before is None or config.read_text() == before
    code, said = web(tmp_path, config, "exit 0")
    assert code == 0, said
    assert "stats.example.org" in config.read_text()
    assert [path.name for path in config.parent.iterdir()] == [config.name]


def test_incident_empty_glob_without_places_of_jobs_none_are_looked_for(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("0 6 * * * root /usr/local/bin/countme-update.sh\n")
    show = {
        "name": "Show what was found",
        "ansible.builtin.debug": {
            "msg": "{{ web_data_analysis_to_set_aside + web_data_analysis_jobs_left.stdout_lines }}"
        },
    }
    nowhere = str(tmp_path / "nowhere")
    for places in ([], [str(tmp_path)]):
        code, said = run_tasks(
            tmp_path,
            "migrate_look.yml",
            show,
            web_data_analysis_migrate_script_dirs=[nowhere],
            web_data_analysis_migrate_cron_dirs=places,
            web_data_analysis_migrate_other_jobs=places,
        )
        assert code == 0, said
        assert ("notes.txt" in said) is bool(places), said
