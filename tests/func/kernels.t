# A short choice of the tests on the oldest kernel that is supported, Debian 12's; make check-kernels has all, on more.
# Booting it takes a third of the minute of processor time that this costs.
exec "$TOP/tests/vm/kernels" -k 6.1 "$TOP/tests/func/kernel-features.t" "$TOP/tests/func/dump-basic.t"
