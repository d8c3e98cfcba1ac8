# Copying while it runs on arm64.  The emulator is slow.
# shellcheck disable=SC2034 # which that reads
MIB=32 DUMPS=${SOAK:+1 2} INSTANTS=${SOAK:+0 20 100}
DUMPS=${DUMPS:-1} INSTANTS=${INSTANTS:-20}
. "$TOP/tests/func/dump-precopy.t"
