"""The verifier: did the pulses do what the program asked? Shares no code with the planner."""
