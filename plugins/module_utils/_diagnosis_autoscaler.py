from __future__ import annotations


def diagnose_autoscaler(situation):  # type: ignore
    return ()
