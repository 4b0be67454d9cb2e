"""Knowledge as data: laws, devices, rules and schedules, written in the plan language."""
