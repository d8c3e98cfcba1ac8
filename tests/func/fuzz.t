# No core file is too much for the reader: the seeds of the fuzzer, and what it makes of them in FUZZ_TIME seconds (under make soak 600).
. "$TOP/tests/func/lib.sh"

mkdir seeds
ok "seeds are made" "$O/san/fuzz/seeds" seeds
num "several" "$(ls seeds | wc -l)" -ge 16
# It says which one it was.
ok "the reader takes each of them" "$O/san/fuzz/files" seeds/*
is "it has seen all" "$(grep -c '^fuzz: ' err)" "$(ls seeds | wc -l)"

: >seeds/empty
ok "an empty file is no fault" "$O/san/fuzz/files" seeds/empty

if ! soak; then
	skip "fuzzing" "in make soak and make fuzz"
elif [ -x "$O/fuzz/core" ]; then
	FUZZ_DIR=$PWD/fuzz FUZZ_TIME=${FUZZ_TIME:-600}
	export FUZZ_DIR FUZZ_TIME
	ok "nothing found in $FUZZ_TIME s" nice -n 5 "$TOP/tests/fuzz/run"
	diag <out
	n=$(sed -n 's/^executions: //p' out)
	num "it ran" "${n:-0}" -ge 100
	# The directory of this test is removed.
	if ls fuzz/found/* >/dev/null 2>&1; then
		mkdir -p "$O/fuzz/found"
		cp fuzz/found/* "$O/fuzz/found"
		diag "kept in $O/fuzz/found"
		tail -n 40 fuzz/log | diag
	fi
else
	skip "fuzzing" "no clang with libFuzzer"
fi
done_testing
