# Snapshots of fifty threads that check themselves, on arm64.  The emulator is slow.
# shellcheck disable=SC2034 # which that reads
SNAPSHOTS_N=${SOAK:+200}
SNAPSHOTS_N=${SNAPSHOTS_N:-2}
. "$TOP/tests/func/dump-steady.t"
