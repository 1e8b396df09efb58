#!/usr/bin/env bash
# Makes a Swift SDK that builds for arm64 Linux on an x86-64 machine. As root:
#
#     sdk.sh SDK [MIRROR]
#
# Swift has no arm64 cross compiler for Debian, but Debian has Swift for both architectures. So the compiler is Debian's
# for amd64, in a chroot, and what it links is from Debian's arm64 packages. SDK, a folder, gets:
#
#     record.txt       the mirror, the date, and the version of every package; its existence means that the SDK is complete
#     stages/          an empty file for each stage that is complete; an interrupted run continues after the last one
#     root/            the chroot: Debian sid for amd64, with Swift and lld
#       arm64/         the system root of arm64: the unpacked packages of ARM64_PACKAGES, with their symbolic links of a
#                      merged /usr, and Swift's libraries where a Swift SDK has them
#       arm64-debs/    those packages
#       sdk/           the Swift SDK bundle: info.json, swift-sdk.json, toolset.json
#
# To remake an SDK with the versions of a record, delete the folder and give the mirror of the record's date, such as
# https://snapshot.debian.org/archive/debian/20260101T000000Z.
set -euo pipefail

# shellcheck source=Packaging/arm64/namespace.sh
. "$(dirname "$0")/namespace.sh"

sdk=$1
mirror=${2:-http://deb.debian.org/debian}
root=$sdk/root
AMD64_PACKAGES=(swiftlang libc6-dev g++ lld pkg-config git)
# @GCC@ is replaced by the version of Debian's GCC.
ARM64_PACKAGES=(swiftlang libc6 libc6-dev linux-libc-dev libcrypt-dev libsodium-dev libgcc-s1 libstdc++6
    libgcc-@GCC@-dev libstdc++-@GCC@-dev)

if [ -e "$sdk/record.txt" ]; then
    echo "The arm64 SDK is complete: $sdk/record.txt"
    exit
fi

# Runs a command in the chroot.
inside() {
    chroot "$root" /usr/bin/env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/root \
        PATH=/usr/libexec/swift/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# Runs a function, unless it has already succeeded.
stage() {
    if [ -e "$sdk/stages/$1" ]; then return; fi
    echo "arm64 SDK: $2…"
    local start=$SECONDS
    "$1"
    touch "$sdk/stages/$1"
    echo "arm64 SDK: $2: $((SECONDS - start)) s"
}

make_root() {
    rm -rf "$root"
    debootstrap --variant=minbase sid "$root" "$mirror" >"$sdk/debootstrap.log" || {
        tail -n 20 "$sdk/debootstrap.log" >&2
        return 1
    }
}

install_toolchain() {
    # An interrupted run may have left packages that are unpacked and not configured.
    inside dpkg --configure -a
    # The Release file of a past date has expired. Its signature is checked.
    echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/past-date"
    inside dpkg --add-architecture arm64
    inside apt-get update -qq
    inside apt-get install -y -qq --no-install-recommends --fix-broken "${AMD64_PACKAGES[@]}" >"$sdk/apt.log"
    inside apt-get clean
}

# The version of GCC, such as 16.
gcc_version() { inside gcc -dumpversion | cut -d . -f 1; }

download_arm64() {
    local packages=("${ARM64_PACKAGES[@]//@GCC@/$(gcc_version)}")
    rm -rf "$root/arm64-debs"
    mkdir "$root/arm64-debs"
    # A name means the package of arm64, or that of all architectures.
    inside env -C /arm64-debs apt-get -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
        -o APT::Sandbox::User=root download -qq "${packages[@]}"
}

unpack_arm64() {
    local deb name
    rm -rf "$root/arm64"
    mkdir "$root/arm64"
    for deb in "$root"/arm64-debs/*.deb; do
        # Swift's programs for arm64 are not needed.
        inside dpkg-deb --fsys-tarfile "/arm64-debs/${deb##*/}" | tar -x -C "$root/arm64" --exclude './usr/libexec/swift/bin' \
            --exclude './usr/libexec/swift/lib/lib*'
    done
    # Some packages have files in /lib, where base-files, which is not unpacked, has a link.
    if [ -d "$root/arm64/lib" ] && [ ! -L "$root/arm64/lib" ]; then
        cp -a "$root/arm64/lib/." "$root/arm64/usr/lib/"
        rm -r "$root/arm64/lib"
    fi
    ln -sfn usr/lib "$root/arm64/lib"
    # Where Debian has Swift's libraries, and where a Swift SDK has them.
    for name in swift swift_static; do
        ln -sfn "../libexec/swift/lib/$name" "$root/arm64/usr/lib/$name"
    done
}

write_bundle() {
    local gcc bundle=$root/sdk/postern-arm64.artifactbundle
    gcc=$(gcc_version)
    rm -rf "$root/sdk"
    mkdir -p "$bundle/arm64"
    cat >"$bundle/info.json" <<JSON
{
    "schemaVersion": "1.0",
    "artifacts": {
        "postern-arm64": {
            "type": "swiftSDK",
            "version": "1.0.0",
            "variants": [
                {
                    "path": "arm64",
                    "supportedTriples": ["x86_64-unknown-linux-gnu", "x86_64-pc-linux-gnu"]
                }
            ]
        }
    }
}
JSON
    cat >"$bundle/arm64/swift-sdk.json" <<JSON
{
    "schemaVersion": "4.0",
    "targetTriples": {
        "aarch64-unknown-linux-gnu": {
            "sdkRootPath": "/arm64",
            "swiftResourcesPath": "/arm64/usr/lib/swift",
            "swiftStaticResourcesPath": "/arm64/usr/lib/swift_static",
            "toolsetPaths": ["toolset.json"]
        }
    }
}
JSON
    cat >"$bundle/arm64/toolset.json" <<JSON
{
    "schemaVersion": "1.0",
    "rootPath": "/usr/libexec/swift/bin",
    "swiftCompiler": {
        "extraCLIOptions": [
            "-use-ld=lld",
            "-Xclang-linker", "--sysroot=/arm64",
            "-Xclang-linker", "--gcc-install-dir=/arm64/usr/lib/gcc/aarch64-linux-gnu/$gcc"
        ]
    }
}
JSON
}

write_record() {
    {
        echo "mirror: $mirror"
        echo "date: $(date --utc +%Y-%m-%dT%H:%M:%SZ)"
        echo "swift: $(inside swift --version 2>/dev/null | head -n 1)"
        echo
        echo "arm64 packages, with their SHA-256 sums:"
        local deb
        for deb in "$root"/arm64-debs/*.deb; do
            echo "$(inside dpkg-deb -W --showformat='${Package} ${Version}' "/arm64-debs/${deb##*/}")" \
                "$(sha256sum <"$deb" | cut -d ' ' -f 1)"
        done
        echo
        echo "amd64 packages of the chroot:"
        inside dpkg-query -W --showformat='${Package} ${Version}\n'
    } >"$sdk/record.partial"
    mv "$sdk/record.partial" "$sdk/record.txt"
}

mkdir -p "$sdk/stages"
sdk=$(cd "$sdk" && pwd)
root=$sdk/root
stage make_root "Debian sid for amd64"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
stage install_toolchain "Swift and cross tools"
stage download_arm64 "arm64 packages"
stage unpack_arm64 "unpacking them"
stage write_bundle "the Swift SDK bundle"
write_record
echo "The arm64 SDK is complete: $sdk/record.txt"
