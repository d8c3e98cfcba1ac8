# What a target on arm64 does not notice of snapshots.  The emulator is slow.
# shellcheck disable=SC2034 # which that reads
SNAPSHOTS=${SOAK:+1 2} SLEEP_FOR=20
SNAPSHOTS=${SNAPSHOTS:-1}
. "$TOP/tests/func/dump-unnoticed.t"
