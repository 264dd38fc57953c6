#!/bin/sh
# Makes ../assets/echarts.min.js from npm's packages, whose hashes stand in
# package-lock.json, and compares the result with SHA256SUMS. A new version: change
# package.json, run "npm install --package-lock-only", then "build.sh --accept".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/package.json" "$here/package-lock.json" "$here/entry.js" "$work"
cd "$work"
npm ci --ignore-scripts --no-audit --no-fund --silent

# The bundle's licences travel with it.
{
	cat node_modules/echarts/NOTICE
	printf '\nThis file holds parts of Apache ECharts (Apache License 2.0, below), of zrender\n(BSD 3-Clause) and of tslib (0BSD), bundled by results/page/echarts/build.sh.\n'
	printf '\n======== Apache ECharts: LICENSE\n\n'
	cat node_modules/echarts/LICENSE
	printf '\n======== Apache ECharts: licenses/LICENSE-d3\n\n'
	cat node_modules/echarts/licenses/LICENSE-d3
	printf '\n======== zrender: LICENSE\n\n'
	cat node_modules/zrender/LICENSE
	printf '\n======== tslib: LICENSE.txt\n\n'
	cat node_modules/tslib/LICENSE.txt
} >echarts.LICENSE.txt

version=$(node -p 'require("./node_modules/echarts/package.json").version')
node_modules/.bin/esbuild entry.js --bundle --minify --target=es2020 --charset=utf8 \
	--format=iife --global-name=echarts --legal-comments=none \
	--banner:js="/*! Apache ECharts $version (parts), (c) 2017-2026 The Apache Software Foundation, Apache License 2.0, https://www.apache.org/licenses/LICENSE-2.0; zrender, (c) 2017 Baidu Inc., BSD-3-Clause; tslib, (c) Microsoft Corp., 0BSD */" \
	--outfile=echarts.min.js --log-level=warning

if [ "${1:-}" = --accept ]; then
	sha256sum echarts.min.js echarts.LICENSE.txt >"$here/SHA256SUMS"
fi
sha256sum --check --quiet "$here/SHA256SUMS"
cp echarts.min.js echarts.LICENSE.txt "$here/../assets/"
ls -l "$here/../assets/echarts.min.js"
