# machines.sh - the emulated machines: what setup makes, and run boots.
# shellcheck shell=sh disable=SC2034,SC2154 # used by those who source this, as vm, $O/vm, is by us
MACHINES='arm64 arm64-newest 6.1 6.12 newest'

# machine NAME: sets what there is to know of it; false where there is none of that name.  One of the amd64 machines has
# this system's own files, below an overlay; an arm64 machine has a root image, of packages.
#   arch kernel kernel_suite   Debian's name of the architecture, the package of its kernel and whence: the newest counts
#   modules                    what the initramfs loads, in the order of insmod
#   root                       the image that it has
#   tree emulator emulator_suite   where the emulator is unpacked, its package, and whence
#   dir                        has vmlinuz and initrd
machine()
{
	dir=$vm/$1 emulator_suite=trixie
	case $1 in
	arm64)		arch=arm64 kernel_suite=trixie dir=$vm ;;
	# An emulator of the same year: it has what this kernel is the first to use.
	arm64-newest)	arch=arm64 kernel_suite=trixie-backports,sid emulator_suite=trixie,trixie-backports ;;
	6.1)		arch=amd64 kernel_suite=bookworm ;;
	6.12)		arch=amd64 kernel_suite=trixie ;;
	newest)		arch=amd64 kernel_suite=trixie-backports,sid ;;
	*)		return 1 ;;
	esac
	kernel=linux-image-$arch tree=$vm/host root=
	case $arch in
	arm64)	root=$vm/root.img emulator=qemu-system-arm
		[ "$dir" = "$vm" ] || tree=$vm/host-newest
		modules='crc32c_generic libcrc32c crc16 mbcache jbd2 ext4 virtio_blk netfs 9pnet 9pnet_virtio 9p' ;;
	amd64)	emulator=qemu-system-x86 tree=$vm/host-amd64
		modules='virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio virtio_pci netfs fscache 9pnet
			9pnet_virtio 9p overlay fuse' ;;
	esac
}
