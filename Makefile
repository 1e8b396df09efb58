# `make` alone lists what there is.

SWIFT ?= swift
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)
PACKAGES := libsodium-dev pkg-config
# Mail parsers and validators that the tests hold the program against.
TEST_PACKAGES := python3 python3-jsonschema
# What forces faults: system calls that fail or kill, shims, and file systems of all kinds.
FAULT_PACKAGES := python3 strace gcc libc6-dev xfsprogs e2fsprogs bindfs
FAULT_TOOLS := strace gcc mkfs.xfs mkfs.ext4 bindfs /usr/bin/python3
# Peers that others wrote: editors and libraries of Debian's, and of PyPI what Tests/Peers/requirements/ names.
PEER_PACKAGES := python3-venv python3-gi gir1.2-json-1.0 gir1.2-jsonrpc-1.0 emacs-nox neovim golang-go golang-github-sourcegraph-jsonrpc2-dev
PEER_TOOLS := emacs nvim go /usr/bin/python3
PEER_IMPORTS := import ensurepip, gi; gi.require_version("Json", "1.0"); gi.require_version("Jsonrpc", "1.0")
PEER_ENVIRONMENTS := $(patsubst Tests/Peers/requirements/%.txt,.build/peers/%/installed,$(wildcard Tests/Peers/requirements/*.txt))
BINARY := .build/release/postern
REHEARSAL := --data :memory: --clock 2016-02-24T22:07:52.371513Z --seed 7

.PHONY: help deps test-deps fault-deps peer-deps build release demo tour bench test test-quick faults faults-quick test-peers lint generate check-generated warnings format

help: ## Lists what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

deps: ## Installs libsodium and pkg-config where they are missing (Debian, Ubuntu)
	@if pkg-config --exists libsodium 2>/dev/null; then \
		echo "libsodium is here already."; \
	else \
		echo "Installing $(PACKAGES)…"; \
		$(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(PACKAGES) >/dev/null; \
	fi

test-deps: deps
	@if /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then \
		echo "python3-jsonschema is here already."; \
	else \
		echo "Installing $(TEST_PACKAGES)…"; \
		$(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(TEST_PACKAGES) >/dev/null; \
	fi

fault-deps: deps
	@if (for tool in $(FAULT_TOOLS); do command -v $$tool || exit 1; done) >/dev/null && [ -e /usr/include/stdio.h ]; then \
		echo "What forces faults is here already."; \
	else \
		echo "Installing $(FAULT_PACKAGES)…"; \
		$(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(FAULT_PACKAGES) >/dev/null; \
	fi

peer-deps: deps
	@if (for tool in $(PEER_TOOLS); do command -v $$tool || exit 1; done) >/dev/null && [ -e /usr/share/gocode/src/github.com/sourcegraph/jsonrpc2 ] \
		&& /usr/bin/python3 -c '$(PEER_IMPORTS)' 2>/dev/null; then \
		echo "The peers that Debian has are here already."; \
	else \
		echo "Installing $(PEER_PACKAGES)…"; \
		$(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(PEER_PACKAGES) >/dev/null; \
	fi
	@$(MAKE) --silent $(PEER_ENVIRONMENTS)

# An environment each, as what is of PyPI does not all go together.
.build/peers/%/installed: Tests/Peers/requirements/%.txt
	@echo "Installing what $< names…"
	@/usr/bin/python3 -m venv --clear .build/peers/$*
	@.build/peers/$*/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

build: deps ## Builds for debugging
	$(SWIFT) build --explicit-target-dependency-import-check error

release: deps ## Builds the binary to use, .build/release/postern
	$(SWIFT) build -c release --static-swift-stdlib --product postern --explicit-target-dependency-import-check error

demo: release ## Installs what is missing, builds, and plays a story through all three APIs
	@echo "Playing examples/tour.jsonl, requests (→) and replies (←), into $(BINARY) $(REHEARSAL)"
	@sed 's/^/→ /' examples/tour.jsonl > .build/tour.requests
	@$(BINARY) $(REHEARSAL) < examples/tour.jsonl | sed 's/^/← /' | paste -d '\n' .build/tour.requests - | sed '0~2G'

tour: release ## Writes examples/tour.jsonl and its replies anew
	python3 examples/tour.py $(BINARY)

bench: release ## Measures what the README's table shows, about five minutes
	python3 Benchmarks/bench.py $(BINARY)

test: test-deps ## Installs what is missing, builds, runs all tests, and forces a sample of the faults
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	$(SWIFT) test --skip-build
	$(MAKE) faults-quick

test-quick: test-deps ## Runs the tests but for the one that signs in ten thousand times
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	$(SWIFT) test --skip-build --skip givesANewTokenOfFullLengthEachTime

faults: release fault-deps ## Forces faults on the binary: kills, full disks, power cuts; as root, about twenty minutes
	/usr/bin/python3 Tests/Faults/faults.py $(BINARY)

faults-quick: release fault-deps ## Forces a sample of the faults, under two minutes
	/usr/bin/python3 Tests/Faults/faults.py $(BINARY) --quick

test-peers: release peer-deps ## Lets editors, SDKs and libraries that others wrote drive the binary, under a minute
	/usr/bin/python3 Tests/Peers/peers.py $(BINARY)

lint: ## Checks the format of the sources
	$(SWIFT) format lint --strict -r -p Package.swift Sources Tests

format: ## Formats the sources
	$(SWIFT) format -i -r -p Package.swift Sources Tests

warnings: deps ## Builds with warnings as errors
	$(SWIFT) build --scratch-path .build/warnings -Xswiftc -warnings-as-errors --explicit-target-dependency-import-check error

generate: ## Writes what is generated from schema/
	$(SWIFT) run PosternSchema

check-generated: deps ## Fails when a generated file is stale
	$(SWIFT) run PosternSchema --check
