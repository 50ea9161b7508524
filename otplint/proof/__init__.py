"""Runs each rule's programs on the reference runtime: the bad one must do the harm that the rule claims, the good not.

What a proof says is the mechanism: that the construct does this harm on a runtime with the semantics of the BEAM. It
does not say that the linted program hits it.
"""
