"""The catalogue: what the package lists, patterns, and the user's own overlay."""

import json
from importlib import resources

import pytest

from voxgraft.errors import CheckpointError, ConfigError
from voxgraft.library.catalogue import base_from, keep_imported, load_catalogue
from voxgraft.library.coqui_models import read_models
from voxgraft.library.obtain import defaults, wanted_bases
from voxgraft.library.textymcspeechy import bases_of, read_conf

TEXTYMCSPEECHY = (
    ["ar", "ca", "cs", "da", "de", "en-gb", "en-us", "es", "fi", "fr", "hu", "ka", "lb", "ne", "nl", "no", "pl", "pt-br", "pt", "ro", "ru", "sk", "sr", "sw", "tr", "uk", "vi", "zh"]
)  # fmt: skip
LESSAC = "tts_models/en-us/lessac/vits-medium"


@pytest.fixture(autouse=True)
def _empty_home(home):
    return home


def test_it_is_small_and_says_that_nothing_was_verified():
    text = resources.files("voxgraft.library").joinpath("catalogue.json").read_text("utf-8")
    assert len(text.encode()) < 400_000
    bases = json.loads(text)["bases"]
    assert len(bases) > 250
    assert all(base["verified"] is False for base in bases)
    assert not any(base.verified for base in load_catalogue().bases.values())


def test_a_checkpoint_a_voice_and_a_release():
    catalogue = load_catalogue()
    lessac = catalogue.find(LESSAC)
    assert (str(lessac.slot), lessac.sample_rate, lessac.epoch, lessac.step) == ("en-us F medium", 22050, 2164, 1355540)
    assert (lessac.licence, lessac.size, lessac.generic) == (None, None, True)
    assert lessac.parts[0].urls == (
        "https://huggingface.co/datasets/rhasspy/piper-checkpoints/resolve/main/en/en_US/lessac/medium/epoch%3D2164-step%3D1355540.ckpt",
    )
    voice = catalogue.find("tts_models--da-dk--talesyntese--vits-medium-onnx")
    assert (str(voice.slot), voice.sample_rate) == ("da-dk M medium", 22050)
    assert all(part.md5 and part.size for part in voice.parts)
    newer = catalogue.find("tts_models/ar-jo/kareem/vits-low-onnx")
    assert (str(newer.slot), newer.size, newer.parts[0].md5) == ("ar-jo M low", None, None), (
        "the list has no size of it"
    )
    john = catalogue.find("tts_models/en-us/john/vits-medium")
    assert (john.epoch, john.step) == (None, None), "john-2599.ckpt says neither"
    ljspeech = catalogue.find("tts_models/en/ljspeech/vits")
    assert (ljspeech.family, ljspeech.licence, ljspeech.archive) == ("vits", "Apache-2.0", True)
    mirrored = catalogue.find("tts_models/nl-be/nathalie/vits-medium")
    assert len(mirrored.parts[0].urls) == 2


@pytest.mark.parametrize("language", TEXTYMCSPEECHY)
def test_each_language_of_textymcspeechy_has_a_checkpoint(language):
    bases = wanted_bases(language)
    assert bases
    assert all(base.kind == "checkpoint" for base in bases)


def test_the_generic_set_is_medium_and_high():
    assert sorted(base.slot.quality for base in wanted_bases("generic")) == ["high", "medium"]


def test_what_a_language_fetches():
    names = [base.name for base in wanted_bases("de")]
    assert names == ["tts_models/de-de/thorsten_emotional/vits-medium", "tts_models/de-de/thorsten/vits-high"], (
        "the last of each variable, as in TextyMcSpeechy"
    )
    assert [base.slot.quality for base in wanted_bases("de", quality="high")] == ["high"]
    assert len(wanted_bases("de", every=True)) > 8
    assert {base.kind for base in wanted_bases("el")} == {"voice"}, "exported voices where there is no checkpoint"
    assert [base.slot.language for base in wanted_bases("nl", voice_type="F")] == ["nl-be"]
    assert defaults([], "de") == []


def test_what_only_a_browser_can_fetch():
    with pytest.raises(CheckpointError, match=r"drive\.google\.com") as caught:
        wanted_bases("kk", quality="low")
    assert "by hand" in caught.value.remedy


def test_a_pattern_stands_for_a_thousand_languages():
    base = load_catalogue().find("tts_models/deu/fairseq/vits")
    assert base.licence == "CC-BY-NC-4.0"
    assert base.parts[0].urls == ("https://huggingface.co/facebook/mms-tts-deu/resolve/main/model.safetensors",)
    assert base.slot.language == "deu"
    for name in ("tts_models/../fairseq/vits", "tts_models/de/fairseq/vits", "tts_models/deu/fairseq/vits/x"):
        assert load_catalogue().find(name) is None


def test_nothing_of_that_name():
    with pytest.raises(CheckpointError, match="nothing in the catalogue") as caught:
        wanted_bases("tts_models/en-us/lesac/vits-medium")
    assert LESSAC in caught.value.remedy


def test_an_overlay_changes_and_adds(home):
    home.mkdir()
    (home / "catalogue.yaml").write_text(
        f"{LESSAC}:\n  urls: [https://mirror.example/lessac.ckpt, /mnt/disk/lessac.ckpt]\n  licence: see card\n"
        "tts_models/tlh/worf/vits-high:\n"
        "  {urls: ['file:///w.ckpt'], family: vits, language: tlh, voice_type: M, quality: high}\n"
    )
    catalogue = load_catalogue()
    lessac = catalogue.find(LESSAC)
    assert lessac.parts[0].urls == ("https://mirror.example/lessac.ckpt", "/mnt/disk/lessac.ckpt")
    assert (lessac.licence, lessac.sample_rate, lessac.step) == ("see card", 22050, 1355540)
    assert [base.name for base in wanted_bases("tlh")] == ["tts_models/tlh/worf/vits-high"]


@pytest.mark.parametrize(
    "text",
    [
        "- a list",
        "../../etc/passwd: {urls: [x]}",
        "a/b: {urls: [x]}",
        "tts_models/de/x/y: text",
        "tts_models/de/x/y: {urls: text}",
        "tts_models/de/x/y: {urls: []}",
        "tts_models/de/x/y: {urls: [5]}",
        "tts_models/de/x/y: {url: x}",
        "tts_models/de/x/y: {urls: [x], voice_type: X}",
        "tts_models/de/x/y: {urls: [x], quality: best}",
        "tts_models/de/x/y: {urls: [x], sha256: abc}",
        "tts_models/de/x/y: {urls: [x], size: -1}",
        "tts_models/de/x/y: {parts: [{file: ../x, urls: [x]}]}",
        "tts_models/de/x/y: {parts: [{file: /x, urls: [x]}]}",
        "tts_models/de/x/y: {parts: [{file: .x, urls: [x]}]}",
        "tts_models/de/x/y: {parts: [{file: x, urls: [x], run: me}]}",
        "tts_models/de/x/y: {kind: [1]}",
        "a: &a [*a]",
        "x: !!python/object/apply:os.system [true]",
    ],
)
def test_a_hostile_overlay_is_one_clear_error(home, text):
    home.mkdir()
    (home / "catalogue.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_catalogue()
    assert "catalogue.yaml" in caught.value.file


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}', '{"tts_models/de/x/y": {"parts": 5}}', "[" * 100_000])
def test_damaged_imports_are_one_clear_error(home, text):
    (home / "catalogue.d").mkdir(parents=True)
    (home / "catalogue.d" / "x.json").write_text(text)
    with pytest.raises(ConfigError, match="catalogue"):
        load_catalogue()


def test_imported_lists_are_candidates_and_the_last_is_the_default(home, tmp_path):
    conf = tmp_path / "de.conf"
    conf.write_text(
        "ESPEAK_LANGUAGE=de\n" + "".join(f"DEFAULT_F_MED_URL=https://e.org/{n}/medium/{n}.ckpt\n" for n in ("a", "b"))
    )
    keep_imported("textymcspeechy-de", bases_of(read_conf(conf)))
    catalogue = load_catalogue()
    assert [catalogue.find(f"tts_models/de/{n}/vits-medium").default for n in "ab"] == [False, True]
    assert [base.name for base in wanted_bases("de", "de", "F", "medium")] == ["tts_models/de/b/vits-medium"]
    assert len(wanted_bases("de", None, "F", "medium", every=True)) == 2


def test_importing_one_list_leaves_the_generic_set(home, tmp_path):
    conf = tmp_path / "en-us.conf"
    url = load_catalogue().find(LESSAC).parts[0].urls[0]
    conf.write_text(f"ESPEAK_LANGUAGE=en-us\nDEFAULT_F_MED_URL={url}?download=true\n")
    keep_imported("textymcspeechy-en-us", bases_of(read_conf(conf)))
    lessac = load_catalogue().find(LESSAC)
    assert lessac.generic
    assert [part.file for part in lessac.parts][1:] == ["config.json", "MODEL_CARD"], "what belongs to it stays"


def models(folder, document):
    path = folder / ".models.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_coqui_s_list_keeps_its_names(tmp_path):
    rows = {
        "tts_models": {
            "it": {"mai_female": {"glow-tts": {"github_rls_url": "https://g/x.zip", "license": "apache 2.0"}}},
            "en": {"lj": {"vits--neon": {"hf_url": ["https://h/model.pth", "https://h/config.json"]}}},
            "xx": {"y": {"z": {"license": "MIT"}, "../w": {"hf_url": ["https://h/w"]}}},
        },
        "vocoder_models": {"universal": {"libri": {"wavegrad": {"github_rls_url": "https://g/y.zip"}}}},
    }
    bases, remarks = read_models(models(tmp_path, rows))
    assert [base["name"] for base in bases] == [
        "tts_models/it/mai_female/glow-tts", "tts_models/en/lj/vits--neon", "vocoder_models/universal/libri/wavegrad",
    ]  # fmt: skip
    assert (bases[0]["voice_type"], bases[0]["licence"], bases[0]["archive"]) == ("F", "Apache-2.0", True)
    assert [part["file"] for part in bases[1]["parts"]] == ["model.pth", "config.json"]
    assert bases[2]["language"] is None
    assert len(remarks) == 2
    kept = keep_imported("coqui-models", bases)
    assert json.loads(kept.read_text())
    assert load_catalogue().find("tts_models--en--lj--vits--neon").parts[1].file == "config.json"


@pytest.mark.parametrize("document", ["", "{", "[]", '{"a": 5}', '{"a": {"b": {"c": {"d": 5}}}}', "[" * 100_000])
def test_what_is_no_list_of_models(tmp_path, document):
    path = models(tmp_path, document)
    if document == "[]":
        assert read_models(path) == ([], [])
        return
    with pytest.raises(CheckpointError):
        read_models(path)


def test_names_are_checked_where_bases_are_made():
    with pytest.raises(ConfigError, match="sample_rate"):
        base_from("tts_models/de/x/y", {"urls": ["x"], "sample_rate": "fast"}, "here")
