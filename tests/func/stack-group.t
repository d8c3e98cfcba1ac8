# stack: equal stacks once, with their threads; and as lines for flame graphs.
. "$TOP/tests/func/lib.sh"
need_ptrace

# heads: how many threads the heads of grouped stacks stand for, one a line
heads() { sed -n -e 's/^\([0-9]*\) threads\{0,1\}: TID .*/\1/p' -e 's/^TID .*/1/p' "$1"; }
sum() { awk '{ n += $1 } END { print n + 0 }'; }

# Threads 0, 4, 8 ... wait in one function, 1, 5, 9 ... in another: four stacks, and the first thread's.
start threads 200
ok "stack of 201 threads" "$TAGCORE" stack "$PID"
is "five stacks" "$(heads out | wc -l)" 5
is "of all threads" "$(heads out | sum)" 201
is "of 50 each" "$(heads out | grep -cx 50)" 4
matches "with their names" out '^50 threads: TID .* \(worker 0, worker 4, .* and 42 more\):$'
is "each function once" "$(grep -c ' wait_in_' out)" 4
cp out grouped
ok "--no-group" "$TAGCORE" stack --no-group "$PID"
is "every thread by itself" "$(grep -c '^TID ' out)" 201
is "its frames, too" "$(grep -c ' wait_in_' out)" 200
is "no frame is lost by grouping" "$(grep '^#' out | sort -u)" "$(grep '^#' grouped | sort -u)"
ok "--json keeps all" "$TAGCORE" stack --json "$PID"
is "threads" "$(json out '.threads#')" 201
is "the first is group 0" "$(json out '.threads[0].group')" 0
is "and four more" "$(grep -o '"group": [0-9]*' out | sort | uniq -c | tr -s ' ' | sed 's/^ //' | tr '\n' ';')" \
	'1 "group": 0;50 "group": 1;50 "group": 2;50 "group": 3;50 "group": 4;'
ok "a core" "$TAGCORE" dump -q -o core "$PID"
ok "stack of it" "$TAGCORE" stack core
is "has the same groups" "$(grep -v '^PID' out)" "$(grep -v '^PID' grouped)"
ok "--thread" "$TAGCORE" stack --thread "$PID" core
is "is one thread" "$(grep -c '^TID' out)" 1

# ---- flame graphs
ok "--folded" "$TAGCORE" stack --folded core
is "a line for each stack" "$(wc -l <out)" 5
is "of all threads" "$(awk '{ print $NF }' out | sum)" 201
matches "the outermost function first" out ';worker;wait_in_beta;[^ ]* 50$'
is "nothing else" "$(grep -cvE '^[^ ].* [0-9]+$' out)" 0
ok "--folded --raw" "$TAGCORE" stack --folded --raw core
is "addresses" "$(grep -cxE '0x[0-9a-f]+(;0x[0-9a-f]+)* [0-9]+' out)" 5
for with in --json --group --no-group --source; do
	exits 2 "--folded $with contradict each other" "$TAGCORE" stack --folded $with core
done
exits 2 "--group --no-group, too" "$TAGCORE" stack --group --no-group core
exits 2 "--group --json, too" "$TAGCORE" stack --group --json core
finish

# ---- few threads
start threads 8
ok "stack of 9 threads" "$TAGCORE" stack "$PID"
is "each by itself" "$(grep -c '^TID ' out)" 9
ok "--group" "$TAGCORE" stack --group "$PID"
is "when asked for" "$(heads out | sort | tr '\n' ' ')" "1 2 2 2 2 "
matches "ids in order, names, too" out '^2 threads: TID [0-9]+, [0-9]+ \(worker 0, worker 4\):$'
finish
for n in 18 19; do
	start threads $n
	ok "stack of $((n + 1)) threads" "$TAGCORE" stack "$PID"
	is "grouped from 20 on" "$(grep -cE '^[0-9]+ threads: ' out)" "$([ $n -lt 19 ] && echo 0 || echo 4)"
	finish
done

# A stack that ends early says so.
start threads 1
ok "a core without memory" "$TAGCORE" dump -q --exclude '*' -o bare "$PID"
ok "--folded of it" "$TAGCORE" stack --folded bare
matches "incomplete" out '^\[incomplete\]'
done_testing
