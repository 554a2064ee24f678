"""What happened in a follow-up period, and the measures of it. Opened only after the design is frozen."""
