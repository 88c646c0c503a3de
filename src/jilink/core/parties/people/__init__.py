"""The people that an organisation serves: how to reach them, what they agreed to, and what becomes of what is held about them."""
