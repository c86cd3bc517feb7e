#!/bin/sh
# native.sh ROOT NATIVE: lets the shell and its tools run as this machine's own programs inside a system of another
# architecture; all else there stays emulated. They come from NATIVE, a system of the same release. Installation scripts start
# thousands of small programs, and starting an emulator for each takes most of their time. Run it in a mount namespace of its own.
set -eu
root=$1 native=$2
machine=$(uname -m)
mkdir -p "$root/usr/lib/$machine-linux-gnu" "$root/usr/lib64"
# A link, as in every folder of a merged /usr: systemd's package refuses a system that is not.
[ -e "$root/lib64" ] || ln -s usr/lib64 "$root/lib64"
mount --bind "$native/usr/lib/$machine-linux-gnu" "$root/usr/lib/$machine-linux-gnu"
mount --bind "$native/usr/lib64" "$root/usr/lib64"
# Not dpkg, which answers for its architecture, nor Python, whose packages differ by it.
programs=$(sed -n 's#^/usr/bin/##p; s#^/bin/##p' "$native/var/lib/dpkg/info/coreutils.list")
for program in bash dash sed grep find xargs mawk perl tar gzip xz zstd cpio openssl dpkg-deb $programs; do
  if [ -f "$root/usr/bin/$program" ] && [ ! -L "$root/usr/bin/$program" ] && [ -f "$native/usr/bin/$program" ]; then
    mount --bind "$native/usr/bin/$program" "$root/usr/bin/$program"
  fi
done
