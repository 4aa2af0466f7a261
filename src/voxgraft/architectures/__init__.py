"""What is known of architectures without any file."""
