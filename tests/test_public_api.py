import ast
import subprocess
import sys
from pathlib import Path

import pytest

import voxgraft

PUBLIC = [
    "AcousticModule", "Checkpoint", "GraftPlan", "Manifest", "Recogniser", "RunConfig", "VocoderModule", "Voice", "VoxgraftError", "apply_plan", "check_corpus", "compare",
    "dump_config", "export_piper", "import_corpus", "load_config", "make_plan", "new_project", "open_checkpoint",
    "plan_project", "resolve", "target_for", "train", "with_overrides",
]  # fmt: skip


def test_the_public_api_is_what_it_was():
    assert voxgraft.__all__ == PUBLIC
    assert set(PUBLIC) <= set(dir(voxgraft))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_documented(name):
    pytest.importorskip("torch")
    assert getattr(voxgraft, name).__doc__


def test_the_type_stub_names_the_same():
    stub = ast.parse(Path(voxgraft.__file__).with_suffix(".pyi").read_text("utf-8"))
    names = {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    names |= {target.id for node in stub.body if isinstance(node, ast.Assign) for target in node.targets}
    assert names - {None} == set(PUBLIC)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'tarin'"):
        _ = voxgraft.tarin


def test_importing_imports_nothing_heavy():
    code = "import sys, voxgraft; print(sorted({'torch', 'numpy', 'pydantic', 'onnxruntime', 'lightning'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
