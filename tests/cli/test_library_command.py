"""The verb `library` as a person runs it, and what `new`, `plan` and `say` take from it."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from tests import paths
from tests.library.library_entries import described
from tests.library.test_textymcspeechy import EN, conf, tree

from voxgraft.library.store import Library

PIPER = paths.FIXTURES / "piper"


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    """Run the command in this process: (exit code, stdout, stderr)."""
    from voxgraft.cli.main import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOXGRAFT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VOXGRAFT_TRACEBACK", raising=False)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["voxgraft", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, *capsys.readouterr()

    return run


def document(done):
    code, out, err = done
    assert code == 0, err
    return json.loads(out)


def test_add_list_choose_verify_remove(here):
    added = document(here("library", "add", PIPER / "single.onnx", "--voice-type", "F", "--json"))
    assert added["name"] == "tts_models/en-us/single/vits-onnx"
    assert Path(added["path"]).is_file()
    code, out, err = here("library", "list")
    assert (code, "single/vits-onnx" in out.replace("\n", ""), "1 bases" in err) == (0, True, True)
    listed = document(here("library", "list", "--json"))
    assert [entry["name"] for entry in listed["entries"]] == [added["name"]]
    assert listed["bytes"] >= listed["entries"][0]["size"] > 0
    assert document(here("library", "list", "--language", "de", "--json"))["entries"] == []
    assert here("library", "choose", "en-us/single")[0] == 0
    assert document(here("library", "list", "--json"))["entries"][0]["chosen"]
    assert document(here("library", "verify", "--json")) == {"checked": 1, "damaged": {}}
    Path(added["path"]).write_bytes(b"x")
    code, out, err = here("library", "verify", "--json")
    assert code == 1
    assert list(json.loads(out)["damaged"]) == [added["name"]]
    assert "error: " in err
    assert document(here("library", "remove", added["name"], "--json"))[0]["name"] == added["name"]
    assert document(here("library", "list", "--json"))["entries"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["add", PIPER / "single.ckpt"], 1, "which language"),
        (["add", "absent.ckpt"], 1, "no such file"),
        (["add", PIPER / "single.onnx", "--voice-type", "X"], 2, "M, F, other"),
        (["add", PIPER / "single.onnx", "--as", "../x"], 2, "type/lang/dataset/model"),
        (["fetch", "tlh"], 1, "nothing in the catalogue"),
        (["fetch", "tts_models/kk/raya/vits-low"], 1, "drive.google.com"),
        (["fetch", "ftp://x/y.ckpt"], 1, "only http and https"),
        (["pick", "--quality", "huge"], 2, "x_low"),
        (["remove", "absent"], 1, "no such base"),
        (["choose", "absent"], 1, "no such base"),
        (["verify", "absent"], 1, "no such base"),
        (["promote", "absent"], 1, "no such file"),
        (["import-conf", "absent.conf"], 1, "No such file"),
        (["import-tree", "."], 1, "not a folder of checkpoints"),
        (["import-models", "absent.json"], 1, "No such file"),
    ],
)
def test_mistakes_are_one_clear_error(here, arguments, code, words):
    found, out, err = here("library", *arguments)
    assert found == code, err
    assert words in err
    assert out == ""
    assert "Traceback" not in err
    assert Library().entries() == []


def test_pick_says_why_and_what_is_near(here, tmp_path):
    library = tmp_path / "home" / "library"
    best = described(library, 3)
    near = described(library, 2)
    described(library, 1, quality="high")
    found = document(here("library", "pick", "--language", "de", "--voice-type", "F", "--quality", "medium", "--json"))
    assert (found["name"], found["near"][0]) == (best, {"name": near, "behind": "2 steps of training"})
    assert found["why"][:2] == ["the same quality (medium)", "the same language (de)"]
    _, out, _ = here("library", "pick", "--language", "ka", "--quality", "medium")
    assert "another language (de)" in out
    assert "better, but not here: tts_models/ka-ge/natia/vits-medium" in out


def test_missing_slots(here, tmp_path):
    name = described(tmp_path / "home" / "library", 1)
    rows = document(here("library", "missing", "de", "--json"))
    slots = {(row["voice_type"], row["quality"]): row for row in rows}
    assert slots["F", "medium"]["library"] == name
    assert slots["M", "high"]["library"] is None
    assert "tts_models/de-de/thorsten/vits-high" in slots["M", "high"]["catalogue"]
    assert slots["F", "x_low"]["catalogue"] is None
    assert "7 of 8 slots are empty" in here("library", "missing", "de")[2]


def test_the_catalogue_is_listed_without_being_fetched(here):
    rows = document(here("library", "list", "--catalogue", "--language", "kk", "--json"))
    assert {row["kind"] for row in rows} >= {"by hand", "voice"}
    assert here("library", "list", "--catalogue", "--quality", "x_low")[0] == 0


def test_lists_of_textymcspeechy_and_coqui(here, tmp_path):
    (row,) = document(here("library", "import-conf", conf(tmp_path, EN), "--json"))
    assert (row["language"], row["links"]) == ("en-us", 3)
    assert "is set 2 times" in here("library", "import-conf", tmp_path / "en-us.conf")[2]
    models = tmp_path / "m.json"
    models.write_text('{"tts_models": {"xx": {"y": {"vits": {"hf_url": ["https://h/model.pth"]}}}}}')
    assert document(here("library", "import-models", models, "--json"))["models"] == 1
    names = [row["name"] for row in document(here("library", "list", "--catalogue", "--language", "xx", "--json"))]
    assert names == ["tts_models/xx/y/vits"]


def test_a_tree_of_checkpoints_says_what_the_folders_got_wrong(here, tmp_path):
    root = tree(tmp_path / "tree")
    shutil.copy(PIPER / "single.ckpt", root / "default" / "F_voice" / "low" / "john-2599.ckpt")
    code, out, err = here("library", "import-tree", root, "--json")
    assert code == 0, err
    (entry,) = json.loads(out)
    assert (entry["slot"], entry["main"]) == (
        {"language": "de", "voice_type": "F", "quality": None},
        "epoch=7-step=1234.ckpt",
    )
    assert "in a folder 'low', and really None" in err


def test_fetch_from_a_local_overlay_says_what_it_does(here, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "catalogue.yaml").write_text(
        "tts_models/tlh/worf/vits-high:\n"
        f"  {{urls: ['{PIPER}/single.ckpt'], family: vits, language: tlh, voice_type: M, quality: high}}\n"
        "tts_models/tlh/gowron/vits-medium:\n"
        "  {urls: ['/nowhere/x.ckpt'], family: vits, language: tlh, voice_type: M, quality: medium}\n"
    )
    code, out, err = here("library", "fetch", "tlh")
    assert code == 1, "one of two could not be had"
    assert "1 of 2 could not be fetched" in err
    assert out.startswith("tts_models/tlh/worf/vits-high: ")
    code, out, err = here("library", "fetch", "tts_models/tlh/worf/vits-high", "--json")
    assert code == 0
    assert "in the library already" in err
    assert json.loads(out)[0]["slot"]["language"] == "tlh"


def test_new_takes_what_fits_and_says_what_to_fetch(here, tmp_path):
    code, out, err = here("new", "x", "--language", "de", "--quality", "x_low")
    assert code == 1
    assert "no base at hand fits" in err
    assert not (tmp_path / "x").exists()
    name = described(tmp_path / "home" / "library", 1)
    entry = Library().get(name)
    Library().path(entry).parent.mkdir(parents=True)
    shutil.copy(PIPER / "single.ckpt", Library().path(entry))
    code, out, err = here("new", "x", "--language", "de", "--voice-type", "F", "--quality", "medium", "--json")
    assert code == 0, err
    assert name in err
    assert json.loads(out)["base"] == "auto"
    text = (tmp_path / "x" / "voxgraft.yaml").read_text()
    assert "base: auto" in text
    assert "voice_type: F" in text


def test_plan_from_scratch(here, tmp_path):
    planned = document(here("plan", "--from-scratch", "--quality", "x_low", "--json"))
    assert set(planned["counts"]) == {"init"}
    assert here("plan", "--from-scratch", "--base", "x")[0] == 2


def test_a_run_is_told_which_base_was_picked(here, tmp_path):
    from voxgraft.config.run import RunConfig
    from voxgraft.training.tasks.settle import with_picked_base

    name = described(tmp_path / "home" / "library", 1)
    path = str(Library().path(Library().get(name)))
    for base in (None, "auto"):
        assert with_picked_base(RunConfig(base=base, language="de", voice={"quality": "medium"})).base == path
    assert with_picked_base(RunConfig(base="none")).base == "none"


def test_promote_puts_a_run_back(here, tmp_path):
    run = tmp_path / "runs" / "anna"
    (run / "checkpoints").mkdir(parents=True)
    (run / "config.yaml").write_text("{}")
    shutil.copy(PIPER / "single.ckpt", run / "checkpoints" / "epoch=7-step=1234.ckpt")
    entry = document(here("library", "promote", run, "--language", "de", "--voice-type", "F", "--json"))
    assert entry["name"] == "tts_models/de/anna/vits"
    assert entry["main"] == "epoch=7-step=1234.ckpt"
    assert str(run) in entry["note"]


def test_say_speaks_with_what_the_library_has(here, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("espeakng_loader")
    here("library", "add", PIPER / "single.ckpt", "--language", "de", "--as", "tts_models/de/anna/vits")
    code, out, err = here("say", "de/anna", "bad cab", "--json")
    assert code == 0, err
    report = json.loads(out)
    assert report["voice"].startswith(str(tmp_path / "home" / "spoken"))
    assert "anna" in report["voice"]
    assert report["real_time_factor"] > 0
    assert "that is done once" in err
    code, out, err = here("say", "de/anna", "bad cab", "--json")
    assert "done once" not in err
    assert json.loads(out)["voice"] == report["voice"]
    assert "spoken by" in here("say", "de/anna", "bad cab")[2]


def test_say_fetches_what_the_catalogue_has(here, tmp_path):
    pytest.importorskip("espeakng_loader")
    (tmp_path / "home").mkdir()
    files = (
        f"[{{file: a.onnx, urls: ['{PIPER}/single.onnx']}}, {{file: a.onnx.json, urls: ['{PIPER}/single.onnx.json']}}]"
    )
    (tmp_path / "home" / "catalogue.yaml").write_text(
        f"tts_models/tlh/worf/vits-onnx:\n  {{parts: {files}, kind: voice, family: vits, language: tlh}}\n"
    )
    code, _, err = here("say", "tts_models/tlh/worf/vits-onnx", "bad cab")
    assert code == 0, err
    assert "fetching it" in err
    assert "library/files" in err


def test_listing_and_picking_import_neither_numpy_nor_torch():
    import subprocess

    code = (
        "import sys; import voxgraft.cli.library, voxgraft.cli.library_tables; from voxgraft.library.pick import pick; "
        "from voxgraft.library.store import Library; assert not {'numpy', 'torch', 'pydantic'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
