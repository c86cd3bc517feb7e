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
until_seen() { # $1 = unit, $2 = seconds since 1970; prints how long after that a camera was online
  local seen=
  for _ in $(seq 200); do
    seen=$(journalctl -u "$1" -o short-unix --since "@${2%.*}" | awk -v t="$2" '/camera .*: online/ && $1 > t {print $1 - t; exit}')
    [ -n "$seen" ] && break
    sleep 0.1
  done
  printf '%.1f s\n' "$seen"
}
reload() { # $1 = unit; prints what systemd shows of it, once it is no longer reloading
  systemctl reload "$1"
  for _ in $(seq 100); do [ "$(systemctl is-active "$1")" = active ] && break; sleep 0.1; done
  sleep 1; systemctl show -p StatusText --value "$1"
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
for _ in 1 2 3; do
  # the fourth such start in a row would wait, as in a crash loop
  sleep 5; rm -f /var/lib/private/edge/starts.json; killed=$(date +%s.%N); kill -KILL "$(main edge)"; echo "one unit, main killed, first frame: $(until_seen edge "$killed")"
done
sleep 5; before=$(main edge)
sed -i 's/loop: true/loop: true, fps: 12/' /etc/edge/edge.yaml; echo "reload: $(reload edge)"
sed -i 's/fps: 12/fps: -1/' /etc/edge/edge.yaml; echo "reload of a bad file: $(reload edge)"
sed -i 's/fps: -1/fps: 12/' /etc/edge/edge.yaml; echo "reload of the good one: $(reload edge)"
[ "$before" = "$(main edge)" ] && echo "reload: the main process is the same"
sleep 3; try "one unit, main hangs" STOP edge
systemctl stop edge; echo "left behind: $(pgrep -c '^edge-' || true)"
$edge install --split --program $edge > /dev/null 2>&1
systemctl start edge-detector && echo "two units: $(systemctl show -p StatusText --value edge-detector)"
sleep 4; echo "publisher: $(systemctl show -p StatusText --value edge-publisher)"
echo "network of the detector: $(sed 1,2d "/proc/$(main edge-detector)/net/dev" | cut -d: -f1 | xargs)"
echo "reload of two units: $(reload edge-detector) / $(reload edge-publisher)"
try "two units, publisher killed" KILL edge-publisher
sleep 3; try "two units, publisher hangs" STOP edge-publisher
sleep 3; try "two units, detector killed" KILL edge-detector
sleep 3; try "two units, detector hangs" STOP edge-detector
systemctl stop edge-detector edge-publisher; echo "left behind: $(pgrep -c '^edge-' || true)"
$edge uninstall > /dev/null 2>&1; echo "units left: $(find /etc/systemd/system -name 'edge*' | wc -l)"
