"""The processes of a run: started under a guardian, which ends all that came of them."""
