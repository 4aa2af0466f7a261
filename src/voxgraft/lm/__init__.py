"""N-gram models of text: ARPA files, building one."""
