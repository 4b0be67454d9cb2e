"""Lists and pages of laws, devices and rules, and what testing a pack gave."""
