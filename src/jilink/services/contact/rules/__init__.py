"""Pure decisions of the contact service: who serves whom, how long that takes, how many it needs, and the states of it all."""
