"""Figures, one module a family; `style` is what they share."""
