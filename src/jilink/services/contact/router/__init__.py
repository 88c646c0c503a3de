"""The process ``router``: the only writer of live contacts. It ties what the engines tell, the matcher and the orders together."""
