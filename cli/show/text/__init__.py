"""What several kinds of report share: figures, names of quantities, tables as data, and how texts are laid out."""
