"""Settings: pydantic models, YAML and `--set` overrides, quality presets."""
