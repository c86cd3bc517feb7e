#!/bin/sh
# Tells on the boot partition how this camera fares, for a person with any PC and no network to it. No secret is in it.
set -u
boot=${1:-/boot/firmware}
status=$boot/edge-status.txt
problem=$boot/EDGE-PROBLEM.txt
new=$(mktemp)
trap 'rm -f "$new"' EXIT
# On edge's own image the boot partition is read-only but while something is written to it.
if findmnt --noheadings --output OPTIONS --target "$boot" 2>/dev/null | grep -qE '(^|,)ro(,|$)'; then
  mount -o remount,rw "$boot" && trap 'rm -f "$new"; sync -f "$boot"; mount -o remount,ro "$boot"' EXIT
fi

addresses() { ip -brief address show scope global 2>/dev/null | awk '{ print "  " $1 ": " $2 " " $3 }'; }
wireless() { nmcli --terse --fields DEVICE,TYPE,STATE device 2>/dev/null | awk -F: '$2 == "wifi" { print $3; exit }'; }

faults() {
  state=$(systemctl is-active edge.service 2>/dev/null)
  [ "$state" = active ] || echo "- the service edge is $state, not active; its last words are in edge-status.txt"
  [ -n "$(addresses)" ] || echo "- no network has given this camera an address; Wi-Fi: $(wireless). A wrong name or password in the site file?"
  [ ! -e /run/edge-data-lost ] || echo "- the card's data partition can't be used: nothing is kept over a restart. Flash the card anew, or take another"
  [ "$(timedatectl show --property=NTPSynchronized --value 2>/dev/null)" != no ] || echo "- the clock is not set: no time server answers"
}

tell() {
  echo "camera @DEVICE@, $(edge --version 2>&1)"
  echo "service: $(systemctl is-active edge.service 2>/dev/null)"
  echo "network:"
  addresses
  if edge --help | grep -q '^  doctor'; then
    echo
    timeout 120 edge doctor 2>&1
  fi
  echo
  echo "last words of the service:"
  journalctl --unit=edge.service --boot --priority=warning --lines=15 --output=cat --no-pager 2>/dev/null
}

faults > "$new.faults"
if [ -s "$new.faults" ]; then
  { echo "The camera @DEVICE@ is set up, but:"; cat "$new.faults"; } | sed 's/$/\r/' > "$problem"
else
  rm -f "$problem"
fi
rm -f "$new.faults"
tell | sed 's/$/\r/' > "$new"
# Flash wears: what has not changed is not written.
cmp -s "$new" "$status" || cp "$new" "$status"
sync -f "$status"
