# Verdicts on crashes, on arm64: all that explain.t has, which needs none of the compilers that are not there.
. "$TOP/tests/func/explain.t"
