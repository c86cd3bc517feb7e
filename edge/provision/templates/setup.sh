#!/bin/sh
# Makes this Raspberry Pi the camera @DEVICE@, from what lies beside this file. Runs by itself at the first boot, needs no
# network, and can be repeated: sudo sh /boot/firmware/edge/setup.sh
# setup.sh later: sees to it that the next start does what this one may not come to. cloud-init says so at each start.
set -u
umask 077

here=$(cd "$(dirname "$0")" && pwd)
boot=$(dirname "$here")
log=/var/log/edge-setup.log
problem=$boot/EDGE-PROBLEM.txt
status=$boot/edge-status.txt
again=/etc/systemd/system/edge-setup.service
finished=/var/lib/cloud/instance/edge-set-up # of this card: cloud-init has a folder for each

is_read_only() { findmnt --noheadings --output OPTIONS --target "$1" 2>/dev/null | grep -qE '(^|,)ro(,|$)'; }

# On edge's own image the boot partition is read-only but while something is written to it.
open_boot_partition() {
  if is_read_only "$boot"; then mount -o remount,rw "$boot" && trap 'sync -f "$boot"; mount -o remount,ro "$boot"' EXIT; fi
}

say() { echo "$(date -u '+%Y-%m-%d %H:%M:%S') $1" >> "$log"; }

# For a person who puts the card into any PC: every line ends as Windows wants it.
write_for_people() { sed 's/$/\r/' > "$1" && sync -f "$1"; }

fail() { # $1 = what is wrong, $2 = what to do
  say "failed: $1"
  {
    echo "edge could not set up this card as the camera @DEVICE@."
    echo
    echo "What is wrong: $1"
    echo "What to do:    $2"
    echo
    echo "The last lines of $log:"
    tail -n 20 "$log"
  } | write_for_people "$problem"
  echo "not set up: see EDGE-PROBLEM.txt" | write_for_people "$status"
  exit 1
}

# A power cut while this runs: cloud-init notes that a command ran before it runs, and never starts it again. systemd does.
go_on_after_a_power_cut() {
  cat > "$again" <<UNIT
[Unit]
Description=Set this camera up, which a power cut interrupted
RequiresMountsFor=$boot
ConditionPathExists=$here/setup.sh

[Service]
Type=oneshot
ExecStart=/bin/sh $here/setup.sh

[Install]
WantedBy=multi-user.target
UNIT
  systemctl enable edge-setup.service >> "$log" 2>&1 || true
  sync
}

all_is_done() {
  systemctl disable edge-setup.service >> "$log" 2>&1 || true
  rm -f "$again" "$problem"
  if [ -d "$(dirname "$finished")" ]; then : > "$finished"; fi
}

place_configuration() {
  install -d -m 0755 /etc/edge
  if [ -f "$here/edge.yaml" ]; then
    if [ -f /etc/edge/edge.yaml ] && ! cmp -s "$here/edge.yaml" /etc/edge/edge.yaml; then
      cp /etc/edge/edge.yaml /etc/edge/edge.yaml.before
    fi
    install -m 0644 "$here/edge.yaml" /etc/edge/edge.yaml || fail "edge.yaml can't be written to /etc/edge" "check the card, or use another one"
  fi
  for file in "$here"/etc/*; do
    if [ -f "$file" ]; then install -m 0644 "$file" /etc/edge/ || fail "$(basename "$file") can't be written to /etc/edge" "check the card, or use another one"; fi
  done
}

# Before anything that checks a certificate: a Raspberry Pi has no clock of its own.
place_time_servers() {
  servers=/etc/systemd/timesyncd.conf.d/edge.conf
  if [ ! -f "$here/timesyncd.conf" ]; then rm -f "$servers"; return; fi
  install -d -m 0755 "$(dirname "$servers")"
  install -m 0644 "$here/timesyncd.conf" "$servers"
  if [ -d /run/systemd/system ]; then systemctl --no-block try-restart systemd-timesyncd.service || true; fi
}

place_secrets() {
  install -d -m 0700 /etc/edge/credentials
  for file in "$here"/credentials/*; do
    if [ -f "$file" ]; then install -m 0600 "$file" /etc/edge/credentials/ || fail "a credential can't be written to /etc/edge/credentials" "check the card, or use another one"; fi
  done
  handed=/etc/systemd/system/edge.service.d/credentials.conf
  if [ -f "$here/credentials.conf" ]; then
    install -d -m 0755 "$(dirname "$handed")"
    install -m 0644 "$here/credentials.conf" "$handed"
  else
    rm -f "$handed" # an earlier card's: a credential that is nowhere keeps the service from starting
  fi
  sync
}

overwrite() { # $1 = a file: zeros over its content, on the card and not only in memory
  head -c "$(wc -c < "$1")" /dev/zero | dd of="$1" conv=notrunc,fsync status=none
}

# The boot partition can be read by any PC: what is secret leaves it, now that it has another place.
wipe_secrets() {
  for file in "$here"/credentials/* "$here"/first/*; do
    if [ -f "$file" ]; then overwrite "$file" && rm -f "$file"; fi
  done
  for file in "$here"/clean/*; do
    if [ -f "$file" ]; then
      overwrite "$boot/$(basename "$file")"
      cp "$file" "$boot/$(basename "$file")"
    fi
  done
  sync
  say "secrets wiped from the boot partition"
}

install_package() {
  package=$(echo "$here"/edge_*.deb)
  if [ ! -f "$package" ]; then
    [ -x /opt/edge/bin/edge ] || fail "the package edge_VERSION_arm64.deb is not on the boot partition, in the folder edge" "name it in the site file (package: ...), and run edge provision again"
    start_what_is_here
    return
  fi
  system=$(dpkg --print-architecture)
  case "$package" in
    *_"$system".deb) ;;
    *) fail "the system on this card is made for $system, and $(basename "$package") is not" "flash the 64-bit Raspberry Pi OS (12 or 13), and run edge provision again; uname tells of the kernel alone, which may be 64-bit under a 32-bit system" ;;
  esac
  if is_read_only /usr; then
    fail "the system on this card is edge's own image, which is read-only and has edge inside: $(basename "$package") can't be installed" "leave \`package\` out of the site file, and run edge provision again"
  fi
  DEBIAN_FRONTEND=noninteractive dpkg --install "$package" >> "$log" 2>&1 ||
    fail "the package $(basename "$package") can't be installed" "read the lines below; a damaged file is mended by running edge provision again, another system by flashing the 64-bit Raspberry Pi OS"
}

# edge came with the image: what the package does on a card that waited for it.
start_what_is_here() {
  systemctl enable edge.service >> "$log" 2>&1 || fail "the service can't be switched on" "read the lines below"
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl --no-block restart edge.service >> "$log" 2>&1
  fi
}

check_configuration() {
  edge check --config /etc/edge/edge.yaml >> "$log" 2>&1 || fail "the configuration does not fit this version of edge" "mend the site file as the lines below say, and run edge provision again"
}

# Writes edge-status.txt anew after each boot: a camera without a network can still be asked what it lacks.
install_report() {
  # Not below /usr, which is read-only on edge's own image.
  install -m 0755 "$here/report.sh" /etc/edge/report
  for file in edge-report.service edge-report.timer; do
    install -m 0644 "$here/$file" "/etc/systemd/system/$file"
  done
  systemctl enable edge-report.timer >> "$log" 2>&1 || true
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || true
    systemctl start edge-report.timer >> "$log" 2>&1 || true
  fi
}

if [ "${1:-}" = later ]; then
  if [ ! -e "$finished" ]; then go_on_after_a_power_cut; fi
  exit 0
fi
# Two at once, the first start's own and the one that goes on after a power cut, would stand in each other's way.
exec 9> /run/edge-setup.lock && flock 9
open_boot_partition
go_on_after_a_power_cut
say "setting up @DEVICE@"
echo "being set up; this takes a few minutes" | write_for_people "$status"
place_configuration
place_time_servers
place_secrets
wipe_secrets
install_package
check_configuration
install_report
all_is_done
say "done"
echo "set up as @DEVICE@ with $(edge --version); this file tells more three minutes after each start" | write_for_people "$status"
