"""A demonstration of a provincial service office at work: units, people, things, articles, and the cases of the last weeks.

Everything is entered by the ordinary actions at the times at which it happened (`loading.load`), and `loading.remove` takes away
whatever stands in the office's organisations, also what visitors entered.
"""
