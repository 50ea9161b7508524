%% The facts of test_runtime_beam.py, produced by a live BEAM: one line "name = term" each.
-module(beam_facts).
-behaviour(gen_server).
-compile(export_all).
-compile(nowarn_export_all).

fact(Name, Value) -> io:format("~s = ~0p~n", [Name, Value]).
rest() -> timer:sleep(60).
flush() -> receive _ -> flush() after 0 -> ok end.
%% Drains by receive: process_info(self(), messages) may miss signals that are not fetched yet.
drain() -> receive M -> [M | drain()] after 0 -> [] end.
monitors(P) -> {monitors, M} = process_info(P, monitors), length(M).
watchers(P) -> {monitored_by, M} = process_info(P, monitored_by), length(M).
worker() -> {ok, P} = gen_server:start(?MODULE, worker, []), P.
why(F) -> try F(), value catch exit:{R, _} -> R; error:R -> R end.

main() ->
    logger:set_primary_config(level, none),
    watching(), calling(), linking(), supervising(), halt().

watching() ->
    T = worker(), R = monitor(process, T),
    fact("monitors while the target lives", monitors(self())),
    exit(T, kill), rest(),
    fact("monitors once the DOWN is queued", monitors(self())),
    fact("demonitor info after that", demonitor(R, [info])),
    {message_queue_len, Q} = process_info(self(), message_queue_len),
    fact("queued after a demonitor without flush", Q),
    {messages, [{'DOWN', _, _, _, Why}]} = process_info(self(), messages),
    fact("reason in the DOWN after a kill", Why),
    fact("demonitor flush info after that", demonitor(R, [flush, info])),
    fact("queued after the flush", length(drain())),
    R2 = monitor(process, T), fact("monitor of a dead pid", receive {'DOWN', R2, _, _, W2} -> W2 after 100 -> none end),
    T2 = worker(), fact("demonitor info of a live monitor", demonitor(monitor(process, T2), [info])),
    [monitor(process, T2) || _ <- lists:seq(1, 100)], N = watchers(T2), exit(T2, kill), rest(),
    fact("monitors of one pid, DOWNs at its end", {N, length([x || {'DOWN', _, _, _, _} <- drain()])}),
    Me = self(),
    W = spawn(fun() -> [monitor(process, Me) || _ <- lists:seq(1, 50)], receive stop -> ok end end), rest(),
    B = watchers(Me), exit(W, kill), rest(),
    fact("watcher dies: monitored_by before, after, messages", {B, watchers(Me), length(drain())}).

calling() ->
    D = worker(), exit(D, kill), rest(),
    fact("cast to a dead pid", gen_server:cast(D, x)),
    fact("cast to an unknown name", gen_server:cast(nobody, x)),
    fact("send to an unknown name", why(fun() -> nobody ! x end)),
    fact("call of a dead pid", why(fun() -> gen_server:call(D, ping) end)),
    S = worker(), Late = why(fun() -> gen_server:call(S, slow, 20) end), timer:sleep(150), Q = length(drain()),
    fact("call timeout, late answers in the mailbox, work done", {Late, Q, gen_server:call(S, count)}),
    fact("call of itself", why(fun() -> gen_server:call(self(), ping) end)),
    fact("server ends during a call", why(fun() -> gen_server:call(S, boom) end)),
    C = worker(), why(fun() -> gen_server:call(C, {no, such}) end), rest(),
    fact("call without a clause: server alive", is_process_alive(C)),
    fact("A calls B while B calls A", gen_server:call(worker(), {other, worker()})),
    L = worker(), Me = self(),
    [spawn(fun() -> Me ! {answer, gen_server:call(L, wait)} end) || _ <- lists:seq(1, 1000)], rest(),
    Ping = gen_server:call(L, ping), gen_server:cast(L, open), rest(),
    fact("deferred replies: ping meanwhile, answers", {Ping, length([x || {answer, go} <- drain()])}).

linking() ->
    fact("linked ends normal, not trapping", linked(normal, false)),
    fact("linked ends boom, not trapping", linked(boom, false)),
    fact("linked ends normal, trapping", linked(normal, true)),
    fact("linked is killed, trapping", linked(kill, true)),
    P = worker(), T = spawn(fun() -> process_flag(trap_exit, true), receive stop -> ok end end), rest(),
    exit(P, normal), exit(T, kill), rest(),
    fact("exit normal to another: alive", is_process_alive(P)),
    fact("exit kill to a trapping one: alive", is_process_alive(T)),
    process_flag(trap_exit, true), link(T),
    fact("link to a dead pid, trapping", receive {'EXIT', T, R} -> R after 50 -> none end),
    process_flag(trap_exit, false), flush(), Me = self(),
    spawn(fun() -> [Me ! I || I <- lists:seq(1, 1000)] end), rest(),
    fact("signals from one to another in order", drain() =:= lists:seq(1, 1000)),
    Timer = erlang:send_after(5000, P, tick), exit(P, kill), rest(),
    fact("timer of a dead process", erlang:read_timer(Timer)).

linked(Reason, Trap) ->
    Me = self(), Ref = make_ref(),
    H = spawn(fun() ->
        process_flag(trap_exit, Trap), {ok, P} = gen_server:start(?MODULE, worker, []), link(P),
        case Reason of kill -> exit(P, kill); _ -> P ! {die, Reason} end,
        Me ! {Ref, receive {'EXIT', _, R} -> {'EXIT', R} after 40 -> survived end} end),
    M = monitor(process, H),
    receive {Ref, X} -> demonitor(M, [flush]), X; {'DOWN', M, _, _, W} -> {died, W} end.

%% gen_server: the worker, the logging child; supervisor: whatever it is given.
init(worker) -> {ok, {0, []}};
init({child, Log, Id, Trap}) -> process_flag(trap_exit, Trap), Log ! {up, Id}, {ok, {child, Log, Id}};
init({supervisor, Plan}) -> {ok, Plan}.
handle_call(slow, _, {N, F}) -> timer:sleep(60), {reply, done, {N + 1, F}};
handle_call(count, _, {N, _} = S) -> {reply, N, S};
handle_call(ping, _, S) -> {reply, pong, S};
handle_call(wait, From, {N, F}) -> {noreply, {N, [From | F]}};
handle_call(boom, _, S) -> {stop, boom, S};
handle_call({other, P}, _, S) ->
    {reply, try gen_server:call(P, {other, self()}, 50) catch exit:{R, _} -> R end, S}.
handle_cast(open, {_, F} = S) -> [gen_server:reply(X, go) || X <- F], {noreply, S}.
handle_info({die, R}, S) -> {stop, R, S};
handle_info(_, S) -> {noreply, S}.
terminate(R, {child, Log, Id}) -> Log ! {down, Id, R};
terminate(_, _) -> ok.

child(Id, Restart, Trap) ->
    #{id => Id, start => {gen_server, start_link, [?MODULE, {child, self(), Id, Trap}, []]}, restart => Restart,
      shutdown => 100}.
open(Strategy, Most, Children) ->
    process_flag(trap_exit, true), Flags = #{strategy => Strategy, intensity => Most, period => 5},
    {ok, S} = supervisor:start_link(?MODULE, {supervisor, {Flags, [child(I, R, T) || {I, R, T} <- Children]}}), S.
events() ->
    receive
        {up, I} -> [{up, I} | events()];
        {down, I, R} -> [{down, I, R} | events()];
        {'EXIT', _, R} -> [{sup_exit, R} | events()]
    after 60 -> []
    end.
ends(S, Deaths) ->
    [begin {_, P, _, _} = lists:keyfind(I, 1, supervisor:which_children(S)), P ! {die, R}, timer:sleep(20) end
     || {I, R} <- Deaths], events().
close(S) -> exit(S, shutdown), events().

supervising() ->
    ABC = [{a, permanent, true}, {b, permanent, true}, {c, permanent, true}], A = [hd(ABC)],
    [begin
         S = open(X, 3, ABC), Up = events(), Down = ends(S, [{b, boom}]), Close = close(S),
         fact(atom_to_list(X) ++ ", b ends", Down), X =:= one_for_one andalso fact("start order", Up),
         X =:= one_for_one andalso fact("shutdown order", Close)
     end || X <- [one_for_one, rest_for_one, one_for_all]],
    S0 = open(one_for_one, 0, A), events(), fact("intensity 0, first crash", ends(S0, [{a, x}])),
    S1 = open(one_for_one, 1, A), events(), fact("intensity 1, first crash", ends(S1, [{a, x}])),
    fact("intensity 1, second crash", ends(S1, [{a, x}])),
    S3 = open(one_for_one, 3, A), events(), fact("intensity 3, three crashes", ends(S3, [{a, x}, {a, x}, {a, x}])),
    fact("intensity 3, fourth crash", ends(S3, [{a, x}])),
    S4 = open(one_for_one, 3, [{t, transient, true}, {n, temporary, true}]), events(),
    fact("transient ends normal, temporary ends boom", ends(S4, [{t, normal}, {n, boom}])),
    fact("children left", [{I, P} || {I, P, _, _} <- supervisor:which_children(S4)]), close(S4),
    S5 = open(one_for_one, 3, [{t, transient, true}]), events(),
    fact("transient ends {shutdown,why}", ends(S5, [{t, {shutdown, why}}])), close(S5),
    S6 = open(one_for_all, 3, [{a, permanent, true}, {tmp, temporary, true}]), events(),
    fact("one_for_all with a temporary sibling", ends(S6, [{a, boom}])), close(S6),
    S7 = open(one_for_one, 3, [{a, permanent, false}]), events(),
    fact("shutdown of a child that does not trap", close(S7)),
    Flags = #{strategy => simple_one_for_one, intensity => 3, period => 5},
    {ok, D} = supervisor:start_link(?MODULE, {supervisor, {Flags, [child(w, transient, false)]}}),
    Ps = [element(2, supervisor:start_child(D, [])) || _ <- lists:seq(1, 10)],
    [P ! {die, boom} || P <- lists:sublist(Ps, 4)], timer:sleep(100),
    fact("dynamic 3 in 5, four of ten crash: supervisor alive, left",
         {is_process_alive(D), length([P || P <- Ps, is_process_alive(P)])}).
