"""What the README says, against what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import click

from bridge import cli
from bridge.importer import load_object
from bridge.protocol import reference_markdown

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_protocol_in_the_readme_is_the_table_in_the_code() -> None:
    """To renew: paste what `bridge.protocol.reference_markdown()` returns between the two markers."""
    found = re.search(r"<!-- protocol:begin.*?-->\n(.*)\n<!-- protocol:end -->", README, re.DOTALL)
    assert found
    assert found.group(1) == reference_markdown().strip()


def test_the_readme_names_every_command_and_no_other() -> None:
    rows = set(re.findall(r"^\| `continuo (\w+)", README, re.MULTILINE))
    assert rows == set(cli.COMMANDS)


def test_every_flag_in_the_readme_exists() -> None:
    for name, flags in re.findall(r"^\| `continuo (\w+).*?` \|(.*)\|$", README, re.MULTILINE):
        command = load_object(f"bridge.commands.{name}:{name}")
        assert isinstance(command, click.Command)
        options = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", flags)) <= options, name


def test_every_link_inside_the_project_leads_somewhere() -> None:
    for document in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
            assert (ROOT / target).exists(), f"{document} -> {target}"


def test_the_makefile_lists_every_target_the_readme_names() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|^)make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE), target
