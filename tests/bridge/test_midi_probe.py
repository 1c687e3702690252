from __future__ import annotations

import os
import shutil

import pytest

from bridge.midi_probe import find_loops, parse_alsa, parse_jack
from bridge.probes import ask_probe

JACK_LISTING = """\
Continuo:Continuo
   synth:in
   Continuo:clip
synth:in
   Continuo:Continuo
Continuo:clip
   Continuo:Continuo
"""
ALSA_LISTING = """\
client 0: 'System' [type=kernel]
    0 'Timer           '
client 128: 'Continuo' [type=user,pid=41]
    0 'Continuo        '
\tConnecting To: 129:0, 130:1
client 129: 'synth' [type=user,pid=42]
    0 'in              '
\tConnected From: 128:0
client 130: 'Continuo in' [type=user,pid=41]
    1 'clip            '
\tConnected From: 128:0
"""


def test_connections_are_read_from_jacks_listing() -> None:
    assert ("Continuo:Continuo", "synth:in") in parse_jack(JACK_LISTING)


def test_connections_are_read_from_alsas_listing() -> None:
    assert parse_alsa(ALSA_LISTING) == [("Continuo", "synth"), ("Continuo", "Continuo in")]


def test_a_loop_is_an_output_of_ours_on_an_input_of_ours() -> None:
    assert find_loops(parse_alsa(ALSA_LISTING)) == ["Continuo"]
    assert find_loops([("Continuo:Continuo", "synth:in"), ("keys:out", "Continuo:clip")]) == []


def test_the_probe_answers_with_or_without_a_midi_system() -> None:
    found = ask_probe("bridge.midi_probe")
    assert set(found) == {"problem", "backend", "inputs", "loops"}
    assert bool(found["problem"]) != bool(found["backend"])


@pytest.mark.jack
@pytest.mark.skipif("JACK_DEFAULT_SERVER" not in os.environ, reason="needs tests/with_jack.sh")
def test_a_port_can_be_opened_where_jack_runs() -> None:
    assert shutil.which("jack_lsp")
    found = ask_probe("bridge.midi_probe")
    assert (found["backend"], found["problem"]) == ("jack", "")
