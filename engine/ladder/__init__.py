"""A plan into the small runs whose fit sizes it: designs within a budget, exact shapes, and what they will tell."""
