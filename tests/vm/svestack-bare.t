# The same of functions that keep no frame record: by itself, since debuggers take their time in the emulator.
# shellcheck disable=SC2034 # which that reads
PROGRAMS='svestack-bare 32'
. "$TOP/tests/vm/svestack.t"
