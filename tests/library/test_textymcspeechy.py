"""TextyMcSpeechy's lists and folders, read as data."""

import os

import pytest

from voxgraft.errors import CheckpointError
from voxgraft.library.textymcspeechy import bases_of, epoch_and_step, read_conf, read_tree

HF = "https://huggingface.co/datasets/rhasspy/piper-checkpoints/resolve/main"
# As languages/en-us.conf is written: without quotes, one variable again and again.
EN = f"""\
# URLS for default checkpoint files
ESPEAK_LANGUAGE="en-us"

# Medium quality male voice
DEFAULT_M_MED_URL={HF}/en/en_US/joe/medium/epoch%3D7889-step%3D1221224.ckpt?download=true

DEFAULT_M_MED_URL="{HF}/en/en_US/john/medium/john-2599.ckpt?download=true"
DEFAULT_F_HIGH_URL={HF}/en/en_US/lessac/high/epoch%3D2218-step%3D838782.ckpt?download=true
#DEFAULT_F_LOW_URL="{HF}/en/en_US/lessac/low/epoch%3D2307-step%3D558536.ckpt?download=true"
DEFAULT_F_LOW_URL=""
"""


def conf(folder, text, name="en-us.conf"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_links_with_types_qualities_and_duplicates_said(tmp_path):
    found = read_conf(conf(tmp_path, EN))
    assert found.language == "en-us"
    assert [(link.voice_type, link.quality, link.used) for link in found.links] == [
        ("M", "medium", False), ("M", "medium", True), ("F", "high", True),
    ]  # fmt: skip
    (remark,) = found.remarks
    assert remark == (
        "DEFAULT_M_MED_URL is set 2 times (lines 5, 7): TextyMcSpeechy would take only the last, john; all are kept as "
        "candidates"
    )
    bases = bases_of(found)
    assert [base["name"] for base in bases] == [
        "tts_models/en-us/joe/vits-medium", "tts_models/en-us/john/vits-medium", "tts_models/en-us/lessac/vits-high",
    ]  # fmt: skip
    assert bases[0]["parts"][0]["file"] == "epoch=7889-step=1221224.ckpt"


def test_other_sites_and_contradicting_folders(tmp_path):
    text = "DEFAULT_F_MED_URL=https://example.org/anna.ckpt\nDEFAULT_M_MED_URL=https://example.org/x/high/b.ckpt\n"
    found = read_conf(conf(tmp_path, text, "de.conf"))
    assert [(link.quality, base["name"]) for link, base in zip(found.links, bases_of(found), strict=True)] == [
        ("medium", "tts_models/de/anna/vits-medium"), ("high", "tts_models/de/x/vits-high"),
    ]  # fmt: skip
    assert any("'high', which is believed" in remark for remark in found.remarks)
    assert any("ESPEAK_LANGUAGE is not set" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    "line",
    [
        "touch {marker}",
        "DEFAULT_M_MED_URL=$(touch {marker})",
        "DEFAULT_M_MED_URL=`touch {marker}`",
        "DEFAULT_M_MED_URL=https://x/$HOME",
        "DEFAULT_M_MED_URL=x; touch {marker}",
        "DEFAULT_M_MED_URL=x & touch {marker}",
        "DEFAULT_M_MED_URL=x touch {marker}",
        'DEFAULT_M_MED_URL="x',
        "DEFAULT_M_MED_URL=<(touch {marker})",
        "eval touch {marker}",
        "PATH=/tmp",
    ],
)
def test_nothing_in_a_list_is_executed(tmp_path, line):
    marker = tmp_path / "was-here"
    found = read_conf(conf(tmp_path, "ESPEAK_LANGUAGE=de\n" + line.format(marker=marker) + "\n"))
    assert found.links == ()
    assert len(found.remarks) == 1
    assert found.remarks[0].startswith("line 2")
    assert not marker.exists()


@pytest.mark.parametrize("text", [b"\xff\xfe\x00", b"x\0y", b" " * (2**20 + 1), b"ESPEAK_LANGUAGE=../../etc\n"])
def test_what_is_no_list_is_refused(tmp_path, text):
    with pytest.raises(CheckpointError):
        read_conf(conf(tmp_path, text))
    with pytest.raises(CheckpointError, match="No such file"):
        read_conf(tmp_path / "absent.conf")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("epoch=2164-step=1355540.ckpt", (2164, 1355540)),
        ("epoch=0-step=0.ckpt", (0, 0)),
        ("john-2599.ckpt", None),
        ("lj-med_1000.ckpt", None),
        ("epoch=5.ckpt", None),
        ("epoch=5-step=700-v1.ckpt", None),
        ("epoch=5-step=700.pth", None),
        ("my epoch=5-step=700.ckpt", None),
        ("epoch=-5-step=700.ckpt", None),
        ("epoch=5-step=" + "9" * 400 + ".ckpt", None),
    ],
)
def test_digits_in_a_name_are_never_guessed_from(name, expected):
    assert epoch_and_step(name) == expected


def tree(folder, *files, language="de"):
    for place in ("M_voice/low", "M_voice/medium", "M_voice/high", "F_voice/low", "F_voice/medium", "F_voice/high"):
        (folder / "default" / place).mkdir(parents=True)
        (folder / "default" / place / ".required_dir").touch()
    for file in files:
        (folder / "default" / file).write_bytes(b"x")
    if language:
        (folder / "default" / ".ESPEAK_LANGUAGE").write_text(f"{language}\n")
    return folder


def test_a_folder_of_checkpoints(tmp_path):
    placed, remarks = read_tree(tree(tmp_path, "F_voice/high/a.ckpt", "F_voice/high/b.ckpt", "M_voice/low/c.ckpt"))
    assert [(place.path.name, str(place.slot)) for place in placed] == [
        ("c.ckpt", "de M low"), ("a.ckpt", "de F high"), ("b.ckpt", "de F high"),
    ]  # fmt: skip
    assert "F_voice/high holds 2 checkpoints: all are taken" in remarks
    assert sum("is empty" in remark for remark in remarks) == 4
    assert len(read_tree(tmp_path / "default", "fr")[0]) == 3


def test_a_folder_that_does_not_say_its_language(tmp_path):
    for number, language in enumerate((None, "generic", "$(rm -rf /)")):
        with pytest.raises(CheckpointError, match="which language"):
            read_tree(tree(tmp_path / str(number), language=language))
    with pytest.raises(CheckpointError, match="not a folder of checkpoints"):
        read_tree(tmp_path / "0" / "default" / "M_voice")


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    root = tree(tmp_path / "tree")
    secret = tmp_path / "secret.ckpt"
    secret.write_bytes(b"x")
    os.symlink(secret, root / "default" / "M_voice" / "low" / "a.ckpt")
    assert read_tree(root)[0] == []
