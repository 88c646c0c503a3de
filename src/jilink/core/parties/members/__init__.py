"""Members of an organisation and their teams. Roles themselves are given by `parties.actions`."""
