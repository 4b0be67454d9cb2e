"""The JSON Schemas of what the command writes, and of what it reads as YAML."""
