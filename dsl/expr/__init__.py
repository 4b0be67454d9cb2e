"""The one expression type of plans, rules and laws."""
