"""Records of published runs into what they took and reached."""
