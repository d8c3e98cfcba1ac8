# Verdicts on processes that hang, on arm64.
. "$TOP/tests/func/explain-hang.t"
