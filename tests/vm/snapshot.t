# Snapshots on arm64.  The emulator is slow.
# shellcheck disable=SC2034 # which that reads
SNAPSHOTS=${SOAK:+1 2 3} INSTANTS=${SOAK:+0 2000 10000 50000}
SNAPSHOTS=${SNAPSHOTS:-1} INSTANTS=${INSTANTS:-2000 50000}
. "$TOP/tests/func/dump-snapshot.t"
