# Copying while it runs on arm64.  The emulator is slow.
# shellcheck disable=SC2034 # which that reads
MIB=32 DUMPS='1 2' INSTANTS='0 20 100'
. "$TOP/tests/func/dump-precopy.t"
