# What a target on arm64 does not notice of snapshots.  The emulator is slow.
# shellcheck disable=SC2034 # which that reads
SNAPSHOTS='1 2' SLEEP_FOR=20
. "$TOP/tests/func/dump-unnoticed.t"
