#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# systemd.sh SPACE PROGRAMS UNITS GROUP: boots systemd with a root directory of its own, in the network namespace that
# it is called in; it wants a mount namespace of its own. What this machine has can be read there; what is written is in
# memory, under SPACE, and gone afterwards. PROGRAMS and UNITS are directories: the first is copied to /usr/sbin, the
# second is all that systemd knows beside its journal. GROUP: name of a control group.
set -euo pipefail

if [[ ${5-} != inside ]]; then
    # The first half makes a control group that is the root of all to those in it, and removes it in the end.
    mount -t tmpfs none "$1"
    mkdir "$1"/{groups,changes,work,root}
    # With the options that it has: those of the last mount hold for all.
    options=$(findmnt --noheadings --first-only --output FS-OPTIONS --types cgroup2 || true)
    mount -t cgroup2 -o "${options:-rw}" none "$1/groups"
    group=$1/groups/$4
    mkdir "$group"
    (
        echo $BASHPID >"$group/cgroup.procs"
        exec unshare --fork --pid --mount --cgroup --uts --ipc --kill-child "$0" "$@" inside
    ) &
    trap 'kill -KILL $!' TERM
    wait $! || true
    # All that process 1 was the first of ends with it, in its own time. What is left is swept up later (sweep.py).
    for _ in {1..200}; do
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
        sleep 0.05
    done
    exit
fi

# The second half is process 1.
space=$1
mount -t overlay none -o "lowerdir=/,upperdir=$space/changes,workdir=$space/work" "$space/root"
cd "$space/root"
mount -t proc none proc
# Of the switches in it most are the whole machine's. The router's are set from outside.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro none sys
mount -t cgroup2 none sys/fs/cgroup
for path in dev run; do mount -t tmpfs -o mode=755 none $path; done
for node in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
    read -r name major minor <<<"$node"
    mknod -m 666 "dev/$name" c "$major" "$minor"
done
mkdir dev/shm dev/pts
mount -t tmpfs none dev/shm
mount -t devpts -o newinstance,ptmxmode=666 none dev/pts
ln -s pts/ptmx dev/ptmx
mkdir -p etc/natctl var/lib/natctl
for path in tmp var/tmp var/log var/lib/natctl etc/natctl; do mount -t tmpfs none $path; done
cp "$2"/natctl* usr/sbin
known=usr/lib/systemd/system
journal=$space/journal
mkdir "$journal"
cp $known/systemd-journald{.service,.socket,-dev-log.socket} "$journal"
mount -t tmpfs none $known
mount -t tmpfs none etc/systemd/system
cp "$journal"/* $known
cp "$3"/*.service etc/systemd/system
for target in sysinit basic network network-online shutdown lab; do
    printf '[Unit]\nDefaultDependencies=no\n' >"etc/systemd/system/$target.target"
done
printf 'Requires=systemd-journald.service\nAfter=systemd-journald.service\n' >>etc/systemd/system/lab.target
pivot_root . mnt
cd /
umount -l mnt
container=natlab exec /lib/systemd/systemd --system --unit=lab.target --show-status=0
