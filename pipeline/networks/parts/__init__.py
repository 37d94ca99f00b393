"""What several networks share: a network's file imports from here, never from another's."""
