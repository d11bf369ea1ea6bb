"""What the chapter `serving_footprint` says, as Markdown: of one answer, and of what it is compared with."""
