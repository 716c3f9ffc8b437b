#!/bin/sh
# Builds the original's functions into a program that answers questions: see README.md.
# usage: build.sh <git directory of github.com/moby/moby> <empty directory>
set -eu
here=$(cd "$(dirname "$0")" && pwd)
repository=$1
mkdir -p "$2"
work=$(cd "$2" && pwd)
docker=$work/src/github.com/docker/docker
mkdir -p "$docker"
git -C "$repository" archive v1.2.0 | tar x -C "$docker"
cp -a "$docker/vendor/src/." "$work/src/"
rm -r "$docker/vendor"
# Today's compiler has an opinion on paths with "vendor" in them.
grep -rl docker/vendor/src/ --include=*.go "$docker" | xargs sed -i 's#github.com/docker/docker/vendor/src/##'
# The answer "it is in the cache" ends a step before anything is made; the shim notes what was asked for.
sed -i 's/^func (b \*buildFile) probeCache() /func (b *buildFile) originalProbeCache() /' "$docker/daemon/build.go"
cp "$here/shim.go.txt" "$docker/daemon/oracle_shim.go"
mkdir "$docker/oracle"
cp "$here/main.go.txt" "$docker/oracle/main.go"
cd "$docker"
GOPATH=$work GO111MODULE=off GOFLAGS= GOCACHE=${GOCACHE:-$work/cache} \
  go build -tags "daemon exclude_graphdriver_devicemapper exclude_graphdriver_btrfs" -o "$work/oracle" ./oracle
echo "$work/oracle"
