"""`continuo doctor`: what is wrong on this machine, and the cure."""

from __future__ import annotations

from dataclasses import asdict

import click

from bridge.commands import options

CANNOT_RUN = 3
COLOURS = {"ok": "green", "note": "yellow", "fault": "red"}


@click.command(short_help="find what is wrong on this machine, with the cure")
@click.option("--osc-port", type=click.IntRange(1, 65535), default=7401, show_default=True, help="UDP port to look at.")
@options.model
@options.device
@options.as_json
def doctor(osc_port: int, model: str, device: str, as_json: bool) -> None:
    """Check this machine line by line; every fault comes with its cure.

    Exit code 0: Continuo can run here. 3: it cannot.
    """
    from bridge.doctor import examine

    findings = []
    for finding in examine(osc_port, model, device):
        findings.append(finding)
        if not as_json:
            verdict = click.style(f"{finding.verdict:6}", fg=COLOURS[finding.verdict])
            click.echo(f"{verdict}{finding.check:10} {finding.text}")
            if finding.cure:
                click.echo(f"{'':17}cure: {finding.cure}")
    has_fault = any(finding.verdict == "fault" for finding in findings)
    if as_json:
        options.echo_json({"ok": not has_fault, "checks": [asdict(finding) for finding in findings]})
    raise SystemExit(CANNOT_RUN if has_fault else 0)
