"""What is wrong with recordings, texts and alphabets, found before anything trains."""
