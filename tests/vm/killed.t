# Kills at chosen instants on arm64.  The emulator is slow.
# shellcheck disable=SC2034 # which that reads
FEW=yes STEPS='1 2 3 5 6 7 10 11'
. "$TOP/tests/func/dump-killed.t"
