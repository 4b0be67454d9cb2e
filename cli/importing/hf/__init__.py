"""Files of Hugging Face: `config.json`, architecture by architecture, and the arguments of its `Trainer`."""
