"""One thread a process: the tests run side by side, and threads that wait for each other would slow all of them."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")
