"""Pure decisions of cases: no Django, no clock, no input or output. One idea a module."""
