"""Licences as cards, texts and packages state them."""

import pytest
from tests.library.test_resolve import fake_package

from voxgraft.checkpoints.licence import stated_licence


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("MODEL_CARD", "# Card\n\n* URL: https://x.org/a\n* License: CC0\n", ("CC0", "https://x.org/a")),
        ("MODEL_CARD", "* License: \n* Other: x\n", (None, None)),
        ("README.md", "---\nlicense: cc-by-4.0\n---\n", ("cc-by-4.0", None)),
        ("README.md", "**Licence:** MIT  \n", ("MIT", None)),
        ("LICENSE", "\n\n  Apache License\n Version 2.0", ("Apache License", None)),
        ("README.md", "The license of this thing is unknown.", (None, None)),
        ("notes.txt", "License: MIT", (None, None)),
    ],
)
def test_what_stands_beside_it(tmp_path, name, text, expected):
    (tmp_path / name).write_text(text)
    assert stated_licence(tmp_path / "x.ckpt") == expected


def test_what_the_package_states(tmp_path):
    data = fake_package(tmp_path / "site-packages", "my-voice", ["a"])
    assert stated_licence(data / "a.onnx") == ("CC0-1.0", None)
    assert stated_licence(data / "stranger.onnx") == (None, None)


def test_a_binary_card_is_no_error(tmp_path):
    (tmp_path / "MODEL_CARD").write_bytes(bytes(range(256)) * 10)
    assert stated_licence(tmp_path / "x.ckpt") == (None, None)
