# The life of the units under a real systemd, for tools/faults/booted: says how long each recovery took.
edge=/opt/edge/bin/edge
main() { systemctl show -p MainPID --value "$1"; }
restarts() { systemctl show -p NRestarts --value "$1"; }
until_restarted() { # $1 = unit, $2 = restarts before; prints the seconds
  local began; began=$(date +%s.%N)
  for _ in $(seq 400); do
    [ "$(restarts "$1")" -gt "$2" ] && [ "$(systemctl show -p ActiveState --value "$1")" = active ] && break
    sleep 0.1
  done
  echo "$(date +%s.%N) $began" | awk '{printf "%.1f s\n", $1 - $2}'
}
try() { # $1 = what, $2 = signal, $3 = unit
  local before; before=$(restarts "$3")
  kill "-$2" "$(main "$3")"
  echo "$1: $(until_restarted "$3" "$before")"
}
mkdir -p /etc/edge /etc/mosquitto/conf.d
printf 'listener 1883 127.0.0.1\nallow_anonymous true\n' > /etc/mosquitto/conf.d/here.conf
cat > /etc/edge/edge.yaml <<'YAML'
device: gate
broker: {host: 127.0.0.1, port: 1883}
cameras: {demo: {source: synthetic, loop: true}}
YAML
systemctl restart mosquitto
$edge install --program $edge > /dev/null 2>&1
systemctl start edge && echo "one unit: $(systemctl show -p StatusText --value edge)"
sleep 3; try "one unit, main killed" KILL edge
sleep 3; try "one unit, main hangs" STOP edge
systemctl stop edge; echo "left behind: $(pgrep -fc edge.assemble || true)"
$edge install --split --program $edge > /dev/null 2>&1
systemctl start edge-detector && echo "two units: $(systemctl show -p StatusText --value edge-detector)"
sleep 4; echo "publisher: $(systemctl show -p StatusText --value edge-publisher)"
echo "network of the detector: $(sed 1,2d "/proc/$(main edge-detector)/net/dev" | cut -d: -f1 | xargs)"
try "two units, publisher killed" KILL edge-publisher
sleep 3; try "two units, publisher hangs" STOP edge-publisher
sleep 3; try "two units, detector killed" KILL edge-detector
sleep 3; try "two units, detector hangs" STOP edge-detector
systemctl stop edge-detector edge-publisher; echo "left behind: $(pgrep -fc edge.assemble || true)"
$edge uninstall > /dev/null 2>&1; echo "units left: $(find /etc/systemd/system -name 'edge*' | wc -l)"
