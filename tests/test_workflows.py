"""The workflows call targets of the Makefile, and only programs and files that exist."""

import re

import pytest
import yaml
from import_closure import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
EXTRAS = set(re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE))


def list_steps(workflow) -> list[str]:
    jobs = yaml.safe_load(workflow.read_text("utf-8"))["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_target_and_extra_exists(workflow):
    text = "\n".join(list_steps(workflow))
    assert set(re.findall(r"\bmake ([a-z]+)", text)) <= TARGETS
    assert set(re.findall(r"\.\[(\w+)\]", text)) <= EXTRAS


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_job_has_a_time_limit(workflow):
    jobs = yaml.safe_load(workflow.read_text("utf-8"))["jobs"].values()
    assert all(job["timeout-minutes"] <= 90 for job in jobs)


def test_checks_tests_gate_properties_and_a_pull_requests_summary_are_there():
    steps = "\n".join(step for workflow in WORKFLOWS for step in list_steps(workflow))
    for target in ("check", "test", "gate", "properties", "repro", "summary"):
        assert f"make {target}" in steps
