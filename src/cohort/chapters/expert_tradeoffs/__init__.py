"""What the chapter `expert_tradeoffs` shows."""
