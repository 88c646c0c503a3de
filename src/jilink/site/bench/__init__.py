"""What `jilink bench` measures, each against a yardstick in the same run. One module a subject; `figures` renders the page."""
