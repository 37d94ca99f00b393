"""What several losses share: a loss's own file imports from here, never from another loss."""
