"""What the chapter `training_footprint` says, as Markdown: of what runs emitted, and of what is reported."""
