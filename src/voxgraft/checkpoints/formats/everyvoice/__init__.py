"""What EveryVoice (github.com/EveryVoiceTTS/EveryVoice) writes: its settings, symbols, networks and run folders."""
