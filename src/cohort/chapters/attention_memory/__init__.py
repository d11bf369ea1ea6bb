"""What the chapter `attention_memory` shows."""
