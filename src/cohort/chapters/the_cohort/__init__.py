"""What the chapter `the_cohort` shows."""
