from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
import yaml

from bridge.config import Config, from_mapping, load
from bridge.controls import CONTROLS, ControlValues
from bridge.errors import ConfigError

SHIPPED = Path(__file__).parents[2] / "configs" / "bridge.yaml"


def written(folder: Path, text: str) -> Path:
    path = folder / "bridge.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_file_shows_every_setting_with_its_default() -> None:
    shown = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    assert list(shown) == [each.name for each in fields(Config)]
    assert list(shown["controls"]) == [control.name for control in CONTROLS]
    config = load(SHIPPED)
    assert replace(config, controls={}) == replace(Config(), controls={})
    assert ControlValues.defaults(config.controls) == ControlValues.defaults({})


def test_every_line_of_the_shipped_file_says_what_it_is() -> None:
    for line in SHIPPED.read_text(encoding="utf-8").splitlines():
        if ":" in line and not line.startswith("#") and line != "controls:":
            assert "  # " in line, line


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert load(written(tmp_path, "# nothing\n")) == Config()


def test_each_value_takes_its_fields_type(tmp_path: Path) -> None:
    text = (
        "client_timeout_s: 3e1\nseed: 7\nrecord: a.mid\nexisting_port: loop\ncontrols: {temperature: 9e-1, top_k: 40}\n"
    )
    config = load(written(tmp_path, text))
    assert config.client_timeout_s == 30.0
    assert (config.seed, config.record, config.existing_port) == (7, Path("a.mid"), "loop")
    assert config.controls == {"temperature": 0.9, "top_k": 40}
    assert load(written(tmp_path, "client_timeout_s: 20\n")).client_timeout_s == 20.0


def test_the_command_line_overrides_the_file(tmp_path: Path) -> None:
    config = load(written(tmp_path, "osc_port: 9000\nmodel: rnn\n"), {"osc_port": 9001, "record": Path("here.mid")})
    assert (config.osc_port, config.model, config.record) == (9001, "rnn", Path("here.mid"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("osc_prot: 1", "there is no setting osc_prot; the settings are osc_host, osc_port"),
        ("osc_port: 70000", "osc_port is 70000; choose a UDP port from 0 to 65535"),
        ("osc_port: '7401'", "osc_port is '7401'; write a whole number"),
        ("osc_port: true", "osc_port is True"),
        ("osc_host: ''", "osc_host is empty"),
        ("osc_host: 127", "osc_host is 127; write a text"),
        ("client_timeout_s: soon", "client_timeout_s is 'soon'; write a number"),
        ("client_timeout_s: .nan", "client_timeout_s is nan; write a number"),
        ("client_timeout_s: true", "client_timeout_s is True; write a number"),
        ("client_timeout_s: 1", "client_timeout_s is 1.0; hosts say hello every 2 s"),
        ("midi: usb", "midi is 'usb'; choose one of auto, jack, alsa, coremidi, none"),
        ("midi: none\nexisting_port: loop", "set midi to auto, or existing_port to null"),
        ("midi_port: ''", "midi_port is empty"),
        ("log_level: LOUD", "log_level is 'LOUD'; choose one of DEBUG"),
        ("seed: -1", "seed is -1; choose from 0"),
        ("seed: 1.5", "seed is 1.5; write a whole number"),
        ("record: 3", "record is 3; write a text"),
        ("model: null", "model is None; write a text"),
        ("controls: 3", "controls is 3; write one"),
        ("controls: {warmth: 1}", "controls: there is no control “warmth”"),
        ("controls: {top_p: 2}", "controls: top_p must be from 0.05 to 1.0, not 2"),
        ("controls: {top_p: high}", "controls: top_p is 'high'; write a number"),
        ("- a\n- b", "holds a list; write one `key: value` a line"),
        ("a: [", "cannot be read"),
        ("a: !!python/object/apply:os.getcwd []", "cannot be read"),
    ],
)
def test_a_wrong_setting_names_the_file_the_key_and_the_cure(tmp_path: Path, text: str, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="absent.yaml cannot be read"):
        load(tmp_path / "absent.yaml")


def test_settings_may_come_from_anywhere() -> None:
    assert from_mapping({"midi": "none"}, "the command line").midi == "none"
    with pytest.raises(ConfigError, match="the command line: osc_port"):
        from_mapping({"osc_port": -1}, "the command line")
