# Calls that have just begun, on arm64, where a result takes the place of the first argument.  The emulator is slow.
# shellcheck disable=SC2034 # which that reads
DUMPS_N=${SOAK:+100}
DUMPS_N=${DUMPS_N:-6}
. "$TOP/tests/func/dump-begun.t"
