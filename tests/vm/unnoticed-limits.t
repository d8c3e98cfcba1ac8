# Snapshots on arm64 where there is no room; here there are cgroups of the second version.
. "$TOP/tests/func/dump-limits.t"
