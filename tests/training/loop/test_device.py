"""How much memory there is, as the system tells it."""

from voxgraft.training.loop import device

MEMINFO = "MemTotal:       24000000 kB\nMemFree:         1000000 kB\nMemAvailable:   20000000 kB\n"


def told(monkeypatch, folder, **files):
    for name, content in {"meminfo": MEMINFO, **files}.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    monkeypatch.setattr(device, "MEMINFO", folder / "meminfo")
    monkeypatch.setattr(device, "CGROUP", folder)
    return device.free_memory("cpu")


def test_the_file_cache_counts_as_free(monkeypatch, tmp_path):
    assert told(monkeypatch, tmp_path) == 20_000_000 * 1024


def test_a_containers_limit_is_the_end(monkeypatch, tmp_path):
    files = {"memory.max": "3000000000\n", "memory.current": "1000000000\n"}
    assert told(monkeypatch, tmp_path, **files) == 2_000_000_000


def test_an_older_containers_limit_is_the_end_too(monkeypatch, tmp_path):
    files = {"memory__memory.limit_in_bytes": "3000000000\n", "memory__memory.usage_in_bytes": "500000000\n"}
    assert told(monkeypatch, tmp_path, **files) == 2_500_000_000


def test_a_container_without_a_limit_changes_nothing(monkeypatch, tmp_path):
    assert told(monkeypatch, tmp_path, **{"memory.max": "max\n", "memory.current": "5\n"}) == 20_000_000 * 1024


def test_a_system_that_does_not_say_has_a_modest_amount(monkeypatch, tmp_path):
    assert told(monkeypatch, tmp_path, meminfo="nothing\n") == device.MEMORY_ASSUMED
