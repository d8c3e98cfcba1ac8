# What the world of a target on arm64 does not notice of snapshots.
. "$TOP/tests/func/dump-unnoticed-world.t"
