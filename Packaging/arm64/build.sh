#!/usr/bin/env bash
# Builds for arm64 with the SDK that sdk.sh has made. As root:
#
#     build.sh SDK SCRATCH OUTPUT SWIFT-ARGUMENT…
#
# Relative paths are from the repository. It runs `swift SWIFT-ARGUMENT…` in the chroot of SDK. SCRATCH is the build
# folder; it is kept, so that the next build compiles only what has changed. OUTPUT gets the binary `postern` without its
# symbols; SCRATCH keeps it with them.
#
# The chroot has the repository as /source, which it cannot change, and SCRATCH as /scratch: the paths that the compiler
# sees are the same on every machine.
set -euo pipefail

# shellcheck source=Packaging/arm64/namespace.sh
. "$(dirname "$0")/namespace.sh"
cd "$(dirname "$0")/../.."

sdk=$1 scratch=$2 output=$3
shift 3
root=$sdk/root
mkdir -p "$scratch" "$output" "$root/source" "$root/scratch"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind . "$root/source"
mount -o remount,bind,ro "$root/source"
mount --bind "$scratch" "$root/scratch"

# Runs a command in the chroot, in the folder of the repository.
inside() {
    chroot "$root" /usr/bin/env -i -C /source LC_ALL=C.UTF-8 HOME=/root PATH=/usr/libexec/swift/bin:/usr/bin:/bin \
        PKG_CONFIG_LIBDIR=/arm64/usr/lib/aarch64-linux-gnu/pkgconfig:/arm64/usr/share/pkgconfig \
        PKG_CONFIG_SYSROOT_DIR=/arm64 "$@"
}

inside swift "$@" --scratch-path /scratch --swift-sdks-path /sdk --swift-sdk aarch64-unknown-linux-gnu
# GNU strip warns about .ARM.attributes, which lld has joined from all object files. The build ID is a hash of the debug
# information too, which has paths.
inside llvm-objcopy --strip-all --remove-section=.ARM.attributes --remove-section=.note.gnu.build-id \
    /scratch/aarch64-unknown-linux-gnu/release/postern /scratch/postern.stripped
mv "$scratch/postern.stripped" "$output/postern"
# Files belong to the owner of the repository, who may have used sudo.
chown -R --reference=. "$scratch" "$output"
