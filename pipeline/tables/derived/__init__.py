"""Tables that a page makes of others: evaluation neither computes nor writes them."""
