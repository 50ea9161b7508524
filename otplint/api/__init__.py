"""The one door for authors of rules: what a rule is, says about itself and returns.

A rule is one class in one file, named for the bad pattern (``broad_except_in_handler.py``). Its docstring serves the
reader of the source, ``otplint explain``, the documentation and SARIF alike, so the class checks it when it is
defined. Everything here is imported by every run: nothing heavy may be.
"""

from __future__ import annotations

from otplint.api.definition import SECTIONS, RuleDefinitionError
from otplint.api.rule import API_VERSION, OptionError, Place, ProjectRule, Rule
from otplint.facts.actors import Actor, Use
from otplint.facts.edits import replaced, with_keyword, with_last, with_method, wrapped
from otplint.facts.exceptions import catches_all, exception_types, suppressed_types
from otplint.facts.facts import Facts
from otplint.facts.flow import Exit, Flow, Point
from otplint.facts.index.entries import ModuleIndex
from otplint.facts.methods import Event, Method, Role
from otplint.facts.origins import Origin, origins
from otplint.facts.queries.failure.borrowed import helper_catches, helper_exits
from otplint.facts.queries.failure.catches import Catch, Reaction, catches
from otplint.facts.queries.failure.endings import cleans_up, goes_round, is_catch_all
from otplint.facts.queries.failure.judgement import hides, outcome
from otplint.facts.queries.failure.retries import Retry, Way, retries
from otplint.facts.queries.failure.stopping import (
    awaits_what_it_cancelled,
    ends_by_flag,
    goes_on,
    runs_on_a_loop,
    swallows_cancellation,
    swallows_exit,
    takes_what_is_done,
)
from otplint.facts.queries.failure.wrappers import Form, Helper, helpers
from otplint.facts.queries.failure.wrapping import guards_what_is_given
from otplint.facts.queries.messaging.blocking import HeldLock, blocking, held_locks, seconds
from otplint.facts.queries.messaging.chains import Chain, chain
from otplint.facts.queries.messaging.checks import Check, alive_checks
from otplint.facts.queries.messaging.cycles import Cycle, calls_itself, cycles
from otplint.facts.queries.messaging.dependents import dependents
from otplint.facts.queries.messaging.fallbacks import Fallback, after_failure, fallbacks
from otplint.facts.queries.messaging.messages import RawWrite, comes_with_message, raw_writes, requests, routes
from otplint.facts.queries.messaging.sharing import Shared, shared
from otplint.facts.queries.messaging.waits import Wait, one_for_each_place, way
from otplint.facts.queries.messaging.waits import unbounded as unbounded_waits
from otplint.facts.queries.state.acknowledged import Early, early_answers
from otplint.facts.queries.state.ambient import Ambient, ambient
from otplint.facts.queries.state.clusters import Cluster, Layout, layout, seams
from otplint.facts.queries.state.drains import Drained, drained
from otplint.facts.queries.state.growth import Growth, growths
from otplint.facts.queries.state.orders import Backwards, backwards
from otplint.facts.queries.state.volatile import Volatile, volatile
from otplint.facts.queries.supervision.bodies import may_come_again
from otplint.facts.queries.supervision.budgets import Budget, RestartLoop, Sharer, budgets, restart_loops, sharers
from otplint.facts.queries.supervision.decisions import Decision, decisions, refuses
from otplint.facts.queries.supervision.environments import asks_for_tests
from otplint.facts.queries.supervision.excuses import IN_PROCESS, spawn_doubt, spawn_excuse
from otplint.facts.queries.supervision.handles import Fate
from otplint.facts.queries.supervision.instances import HeldInstance, held_instances
from otplint.facts.queries.supervision.promises import Promise, empty_promises
from otplint.facts.queries.supervision.relaxing import Relaxation, relaxations
from otplint.facts.queries.supervision.spawns import Spawn, colleagues, spawns, spawns_of
from otplint.facts.queries.supervision.switches import Switches, switches
from otplint.facts.queries.tuning.fixed import Fixed
from otplint.facts.queries.tuning.limits import Limit, limits
from otplint.facts.queries.tuning.measures import Measure
from otplint.facts.queries.tuning.thresholds import Threshold, no_threshold, thresholds
from otplint.facts.queries.watching.deaths import Leftover, Overdue, StaleDown, leftovers, overdue, stale_downs
from otplint.facts.queries.watching.silence import is_harmless
from otplint.facts.queries.watching.subscriptions import Leak, Loose, leaks
from otplint.facts.queries.watching.watches import Drop, Flaw, Watch, down_branches, watches
from otplint.facts.syntax import code
from otplint.facts.syntax import code as syntax  # in the body of a rule's class, its own ``code`` hides the module
from otplint.findings import Confidence, Edit, Finding, Fix, Option, Related, RuleInfo, Severity, Span

__all__ = [
    "API_VERSION",
    "IN_PROCESS",
    "SECTIONS",
    "Actor",
    "Ambient",
    "Backwards",
    "Budget",
    "Catch",
    "Chain",
    "Check",
    "Cluster",
    "Confidence",
    "Cycle",
    "Decision",
    "Drained",
    "Drop",
    "Early",
    "Edit",
    "Event",
    "Exit",
    "Facts",
    "Fallback",
    "Fate",
    "Finding",
    "Fix",
    "Fixed",
    "Flaw",
    "Flow",
    "Form",
    "Growth",
    "HeldInstance",
    "HeldLock",
    "Helper",
    "Layout",
    "Leak",
    "Leftover",
    "Limit",
    "Loose",
    "Measure",
    "Method",
    "ModuleIndex",
    "Option",
    "OptionError",
    "Origin",
    "Overdue",
    "Place",
    "Point",
    "ProjectRule",
    "Promise",
    "RawWrite",
    "Reaction",
    "Related",
    "Relaxation",
    "RestartLoop",
    "Retry",
    "Role",
    "Rule",
    "RuleDefinitionError",
    "RuleInfo",
    "Severity",
    "Shared",
    "Sharer",
    "Span",
    "Spawn",
    "StaleDown",
    "Switches",
    "Threshold",
    "Use",
    "Volatile",
    "Wait",
    "Watch",
    "Way",
    "after_failure",
    "alive_checks",
    "ambient",
    "asks_for_tests",
    "awaits_what_it_cancelled",
    "backwards",
    "blocking",
    "budgets",
    "calls_itself",
    "catches",
    "catches_all",
    "chain",
    "cleans_up",
    "code",
    "colleagues",
    "comes_with_message",
    "cycles",
    "decisions",
    "dependents",
    "down_branches",
    "drained",
    "early_answers",
    "empty_promises",
    "ends_by_flag",
    "exception_types",
    "fallbacks",
    "goes_on",
    "goes_round",
    "growths",
    "guards_what_is_given",
    "held_instances",
    "held_locks",
    "helper_catches",
    "helper_exits",
    "helpers",
    "hides",
    "is_catch_all",
    "is_harmless",
    "layout",
    "leaks",
    "leftovers",
    "limits",
    "may_come_again",
    "no_threshold",
    "one_for_each_place",
    "origins",
    "outcome",
    "overdue",
    "raw_writes",
    "refuses",
    "relaxations",
    "replaced",
    "requests",
    "restart_loops",
    "retries",
    "routes",
    "runs_on_a_loop",
    "seams",
    "seconds",
    "shared",
    "sharers",
    "spawn_doubt",
    "spawn_excuse",
    "spawns",
    "spawns_of",
    "stale_downs",
    "suppressed_types",
    "swallows_cancellation",
    "swallows_exit",
    "switches",
    "syntax",
    "takes_what_is_done",
    "thresholds",
    "unbounded_waits",
    "volatile",
    "watches",
    "way",
    "with_keyword",
    "with_last",
    "with_method",
    "wrapped",
]
