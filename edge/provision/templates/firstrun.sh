#!/bin/bash
# Raspberry Pi OS 12 runs this once, before its first ordinary start (systemd.run= in cmdline.txt), and restarts.
set +e

here=/boot/firmware/edge
name=@DEVICE@
user=@USER@

echo "$name" > /etc/hostname
sed -i "s/127.0.1.1.*$(printf '\t')*.*/127.0.1.1\t$name/" /etc/hosts

# The first user (1000) of the image is renamed by Raspberry Pi's own tool; without it, one is made.
hash=$(cat "$here/first/password-hash" 2>/dev/null)
if [ -x /usr/lib/userconf-pi/userconf ]; then
  /usr/lib/userconf-pi/userconf "$user" "${hash:-*}"
elif ! id "$user" >/dev/null 2>&1; then
  useradd --create-home --shell /bin/bash --groups sudo,video,plugdev "$user"
  if [ -n "$hash" ]; then echo "$user:$hash" | chpasswd --encrypted; fi
fi
if [ -f "$here/authorized_keys" ]; then
  home=$(getent passwd "$user" | cut -d: -f6)
  install -d -m 0700 -o "$user" -g "$user" "$home/.ssh"
  install -m 0600 -o "$user" -g "$user" "$here/authorized_keys" "$home/.ssh/authorized_keys"
  echo 'PasswordAuthentication no' > /etc/ssh/sshd_config.d/edge.conf
fi
systemctl enable ssh

if [ -f "$here/first/edge-wifi.nmconnection" ]; then
  install -d -m 0700 /etc/NetworkManager/system-connections
  install -m 0600 "$here/first/edge-wifi.nmconnection" /etc/NetworkManager/system-connections/edge-wifi.nmconnection
  if command -v raspi-config >/dev/null; then raspi-config nonint do_wifi_country @COUNTRY@; fi
  if command -v rfkill >/dev/null; then rfkill unblock wifi; fi
  for state in /var/lib/systemd/rfkill/*:wlan; do if [ -f "$state" ]; then echo 0 > "$state"; fi; done
fi
if [ -n "@TIMEZONE@" ] && [ -f "/usr/share/zoneinfo/@TIMEZONE@" ]; then
  rm -f /etc/localtime
  ln -s "/usr/share/zoneinfo/@TIMEZONE@" /etc/localtime
  echo "@TIMEZONE@" > /etc/timezone
fi

sh "$here/setup.sh"

# Once is enough, also when the set-up failed: what is wrong stands in EDGE-PROBLEM.txt, and a restart would not mend it.
rm -f /boot/firmware/firstrun.sh
sed -i 's| systemd.run.*||g' /boot/firmware/cmdline.txt
exit 0
