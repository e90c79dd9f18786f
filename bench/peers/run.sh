#!/bin/sh
# Installs what is missing, builds the peers and measures. For Debian and its descendants on x86-64.
#
#	./run.sh                            all rows, with one thread and with two
#	./run.sh -rows 'bf16|512x512x512'   the rows whose names match; -list lists the names
#	./run.sh -peers 'torch|onednn'      the peers whose names match
#	./run.sh -threads 1 -samples 5      one thread, five samples of each peer
#	./run.sh -json >results.jsonl       one object per line
#	PYTHON=~/venv/bin/python ./run.sh   a Python that has torch, transformers and peft (default: a venv in build, made once)
#
# A peer that cannot be installed or built is listed as missing.
set -u
cd "$(dirname "$0")" || exit 1
mkdir -p build

warn() { echo "run.sh: $*" >&2; }

# install a Debian package unless it is there.
install() {
	dpkg -s "$1" >/dev/null 2>&1 && return
	root=
	[ "$(id -u)" = 0 ] || root=sudo
	[ -e build/updated ] || { $root apt-get update >&2 && touch build/updated; }
	$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$1" >&2
}

# build a peer: its name, its package, and what to link.
build() {
	name=$1 package=$2
	shift 2
	rm -f "build/$name"
	install "$package" || warn "$package cannot be installed"
	gcc -O2 -Wall -Wno-unknown-pragmas -fopenmp -o "build/$name" c/peer.c "c/$name.c" "$@" || warn "$name cannot be built"
}

command -v gcc >/dev/null || { install gcc && install libc6-dev; }
build openblas libopenblas-dev -lopenblas
build blis libblis-dev -lblis -lm
build onednn libdnnl-dev -ldnnl
build libxsmm libxsmm-dev -lxsmm -lxsmmnoblas -ldl -lm -lpthread

if [ -z "${PYTHON:-}" ]; then
	PYTHON=build/venv/bin/python
	if ! "$PYTHON" -c 'import numpy, peft, torch, transformers' 2>/dev/null; then
		{ python3 -m venv build/venv || { install python3-venv && python3 -m venv build/venv; }; } >&2 &&
			"$PYTHON" -m pip install --quiet numpy torch transformers peft safetensors >&2 ||
			warn "PyTorch cannot be installed"
		# llama.cpp is built from source, which takes a quarter of an hour.
		"$PYTHON" -m pip install --quiet llama-cpp-python gguf >&2 || warn "llama.cpp cannot be installed"
	fi
fi

go build -o build/peers . || exit 1
exec build/peers -build build -python "$PYTHON" "$@"
