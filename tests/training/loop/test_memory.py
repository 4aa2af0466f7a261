import errno

import pytest
import torch

from voxgraft.training.loop.memory import is_out_of_memory


@pytest.mark.parametrize(
    "fault",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:75] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
        RuntimeError("CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("std::bad_alloc"),
    ],
)
def test_every_way_of_running_out_is_known(fault):
    assert is_out_of_memory(fault)


@pytest.mark.parametrize(
    "fault", [RuntimeError("mat1 and mat2 shapes"), ValueError("x"), OSError(errno.ENOSPC, "full")]
)
def test_other_faults_are_not(fault):
    assert not is_out_of_memory(fault)


def test_a_real_request_for_too_much_is_known():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
