"""What the criminal courts hold: a case for each court sanction, cases without one, the way to the Crown Court."""
