"""What each family of acoustic models does its own way: a module each, behind one protocol."""
