# `make` alone lists what there is.

SWIFT ?= swift
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)
PACKAGES := libsodium-dev libcrypt-dev pkg-config
# Parsers and validators that the tests compare the program with, and the program that submits mails.
TEST_PACKAGES := python3 python3-jsonschema jq curl
# Fault injection: strace for failing system calls, shims, several file systems.
FAULT_PACKAGES := python3 strace gcc libc6-dev xfsprogs e2fsprogs bindfs
FAULT_TOOLS := strace gcc mkfs.xfs mkfs.ext4 bindfs /usr/bin/python3
# Compilers and linters of the clients' languages. From PyPI: clients/python/requirements.txt.
CLIENT_PACKAGES := python3-venv golang-go gcc libc6-dev
CLIENT_TOOLS := go gcc
# Third-party JSON-RPC peers: editors and libraries from Debian, and mail servers. From PyPI: Tests/Peers/requirements/.
PEER_PACKAGES := python3-venv python3-gi gir1.2-json-1.0 gir1.2-jsonrpc-1.0 emacs-nox neovim golang-go golang-github-sourcegraph-jsonrpc2-dev \
	curl msmtp postfix
PEER_TOOLS := emacs nvim go /usr/bin/python3 curl msmtp /usr/sbin/postfix
PEER_IMPORTS := import ensurepip, gi; gi.require_version("Json", "1.0"); gi.require_version("Jsonrpc", "1.0")
# Programs that ask postern who may sign in. Their services are not started.
PROGRAM_PACKAGES := --no-install-recommends apache2 libapache2-mod-authnz-external pamtester openvpn openssl ejabberd squid curl
PROGRAM_TOOLS := /usr/bin/pamtester /usr/bin/openssl /usr/bin/curl $(addprefix /usr/sbin/,apache2 openvpn ejabberdctl squid)
PEER_ENVIRONMENTS := $(patsubst Tests/Peers/requirements/%.txt,.build/peers/%/installed,$(wildcard Tests/Peers/requirements/*.txt))
# The PostgreSQL store: the client library, and servers for tests.
POSTGRES_PACKAGES := libpq-dev
POSTGRES_SERVER_PACKAGES := postgresql
# Fault injection with PostgreSQL: a pooler, and a cluster whose machines are network namespaces.
POSTGRES_FAULT_PACKAGES := python3 postgresql pgbouncer patroni etcd-server iproute2
POSTGRES_FAULT_TOOLS := psql pgbouncer patroni etcd ip /usr/bin/python3
POSTGRES_BINARY := .build/postgres/release/postern
POSTGRES := --traits Postgres --scratch-path .build/postgres
POSTGRES_TESTS := EngineConformanceTests|PostgresStoreTests
# The classes of faults that `make test-postgres` injects a sample of.
POSTGRES_FAULTS_SHARE := commit_cuts held_back server_restarts standbys
# The model checker, and the compiler of the programs that it generates.
MODEL_PACKAGES := spin gcc libc6-dev python3
MODEL_TOOLS := spin gcc /usr/bin/python3
# A browser for the example web application. From PyPI: examples/webapp/tests/requirements.txt.
WEBAPP_PACKAGES := --no-install-recommends python3-venv chromium chromium-driver
WEBAPP_TOOLS := chromium chromedriver /usr/bin/python3
WEBAPP := .build/webapp
# Shells that read the completions, and formatters of man pages.
SHELL_PACKAGES := --no-install-recommends python3 bash zsh fish groff-base mandoc shellcheck
SHELL_TOOLS := /usr/bin/python3 bash zsh fish groff mandoc shellcheck
# Benchmark tools and peers. From PyPI: Benchmarks/peers/requirements.txt.
BENCH_PACKAGES := python3-venv gcc libc6-dev libsqlite3-dev nodejs strace valgrind
BENCH_TOOLS := gcc node strace valgrind /usr/bin/python3
BENCH_ENVIRONMENT := .build/bench-venv
BENCH := $(BENCH_ENVIRONMENT)/bin/python Benchmarks
BINARY := .build/release/postern
# Where `make install` copies the program: below PREFIX, in the root directory DESTDIR.
PREFIX ?= /usr/local
DESTDIR ?=
INSTALLED_BINARY := $(DESTDIR)$(PREFIX)/bin/postern
INSTALLED_MAN := $(DESTDIR)$(PREFIX)/share/man/man1/postern.1
INSTALLED_BASH := $(DESTDIR)$(PREFIX)/share/bash-completion/completions/postern
INSTALLED_ZSH := $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_postern
INSTALLED_FISH := $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/postern.fish
RELEASE := build -c release --static-swift-stdlib --product postern --explicit-target-dependency-import-check error
# The release binary:
# - is statically linked, which halves its start time. Cost: no ASLR, and an update of libsodium or libcrypt needs a build.
# - is linked by lld, because the default linker warns about a dlopen in Swift's library, which the binary never calls.
# - uses link-time optimization: 10 % fewer instructions for a request. Cost: 15 seconds more for a build.
# - does not check at run time for overlapping accesses to a variable: 5 % fewer instructions for a write. The debug
#   build, with which the tests run, checks for them, and so do the fuzzers and the simulation.
# - gets type metadata by function calls instead of by mangled names: a third fewer instructions at start.
STATIC := -Xswiftc -static-executable -Xswiftc -enforce-exclusivity=unchecked -Xswiftc -Xclang-linker -Xswiftc -fuse-ld=lld --experimental-lto-mode full \
	-Xswiftc -Xfrontend -Xswiftc -disable-concrete-type-metadata-mangled-name-accessors
# A dynamically linked build, for shims that replace functions of the C library (LD_PRELOAD).
DYNAMIC_BINARY := .build/dynamic/release/postern
# Tests that take minutes. `make test` skips them; CI runs them.
LONG_TESTS := givesANewTokenOfFullLengthEachTime
# The clients' tests have their own targets.
TEST := test --skip-build --skip PosternClientTests --skip $(LONG_TESTS)
DETERMINISTIC := $(shell cat schema/cases/flags.txt)

# Installs Debian packages if a command fails:
# $(call install,PURPOSE,COMMAND,PACKAGES)
define install
@if { $(2); } >/dev/null 2>&1; then \
	echo "$(1): already installed."; \
else \
	echo "$(1): installing $(3)…"; \
	$(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(3) >/dev/null; \
fi
endef
# Succeeds if all programs are installed: $(call has,PROGRAMS)
has = (for tool in $(1); do command -v $$tool || exit 1; done)
# Installs services without starting them, by a policy for the time of the installation (invoke-rc.d(8)):
# $(call install_stopped,PURPOSE,COMMAND,PACKAGES)
define install_stopped
@if { $(2); } >/dev/null 2>&1; then \
	echo "$(1): already installed."; \
else \
	echo "$(1): installing $(3)…"; \
	policy=/usr/sbin/policy-rc.d; \
	if [ ! -e $$policy ]; then \
		trap '$(SUDO) rm -f /usr/sbin/policy-rc.d' EXIT; trap 'exit 130' INT TERM; \
		printf '#!/bin/sh\nexit 101\n' | $(SUDO) install -m 755 /dev/stdin $$policy; \
	fi; \
	$(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(3) >/dev/null; \
fi
endef
# Creates a Python virtual environment with the packages of a requirements file: $(call environment,FOLDER,FILE)
define environment
@echo "Installing the packages of $(2)…"
@/usr/bin/python3 -m venv --clear $(1)
@$(1)/bin/pip install --quiet --disable-pip-version-check -r $(2)
@touch $(1)/installed
endef

.PHONY: help deps all-deps docs-deps docs-test-deps docs test-docs recipe-deps test-recipes dist dist-deps dist-test-deps test-dist arm64-deps sdk-arm64 release-arm64 arm64-test-deps test-arm64 test-deps fault-deps client-deps peer-deps build release release-dynamic release-postgres postgres-deps postgres-test-deps postgres-fault-deps test-postgres test-clients-postgres test-clients-postgres-quick faults-postgres faults-postgres-quick demo tour test test-long faults faults-quick model model-deps simulate simulate-salvage simulate-mutants simulate-coverage test-replays \
	bench bench-deps bench-packages bench-quick bench-check bench-thresholds bench-accept bench-instructions bench-profile bench-growth bench-postgres bench-postgres-quick bench-build \
	fuzz fuzz-corpus fuzz-sessions test-clients test-python test-node test-go test-swift test-peers webapp-deps test-webapp test-django test-csv install uninstall shell-deps test-shells hash-vectors clients-figures lint generate released-contract check-generated warnings format

help: ## Lists the targets
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

deps: ## Installs libsodium, libcrypt and pkg-config if they are missing (Debian, Ubuntu)
	$(call install,Build dependencies,pkg-config --exists libsodium libcrypt,$(PACKAGES))

all-deps: ## Installs what the tests of all targets need
	@$(MAKE) --silent test-deps fault-deps model-deps client-deps postgres-test-deps peer-deps webapp-deps recipe-deps docs-test-deps shell-deps \
		.build/hash-vectors/installed dist-test-deps $(DIST)/bookworm/complete

postgres-deps: deps
	$(call install,The library of PostgreSQL,pkg-config --exists libpq,$(POSTGRES_PACKAGES))

postgres-test-deps: postgres-deps test-deps
	$(call install,A PostgreSQL server,ls /usr/lib/postgresql/*/bin/initdb,$(POSTGRES_SERVER_PACKAGES))

postgres-fault-deps: postgres-test-deps
	$(call install,Servers for fault injection,$(call has,$(POSTGRES_FAULT_TOOLS)),$(POSTGRES_FAULT_PACKAGES))

test-deps: deps
	$(call install,Test dependencies,$(call has,jq curl) && /usr/bin/python3 -c 'import jsonschema',$(TEST_PACKAGES))

fault-deps: deps
	$(call install,Tools for fault injection,$(call has,$(FAULT_TOOLS)) && [ -e /usr/include/stdio.h ],$(FAULT_PACKAGES))

model-deps:
	$(call install,A model checker,$(call has,$(MODEL_TOOLS)) && [ -e /usr/include/stdio.h ],$(MODEL_PACKAGES))

client-deps: deps
	$(call install,Tools for the clients,$(call has,$(CLIENT_TOOLS)) && /usr/bin/python3 -c 'import ensurepip',$(CLIENT_PACKAGES))
	$(call install,Node,$(call has,node),nodejs)
	$(call install,TypeScript,$(call has,tsc),node-typescript)
	@$(MAKE) --silent .build/venv/installed

.build/venv/installed: clients/python/requirements.txt
	$(call environment,.build/venv,$<)

peer-deps: deps
	$(call install_stopped,Peers from Debian,$(call has,$(PEER_TOOLS)) && [ -e /usr/share/gocode/src/github.com/sourcegraph/jsonrpc2 ] \
		&& /usr/bin/python3 -c '$(PEER_IMPORTS)',$(PEER_PACKAGES))
	$(call install_stopped,Programs that ask who may sign in,$(call has,$(PROGRAM_TOOLS)) \
		&& [ -e /usr/lib/apache2/modules/mod_authnz_external.so ],$(PROGRAM_PACKAGES))
	@$(MAKE) --silent $(PEER_ENVIRONMENTS)

# Each peer has its own environment, because some of their PyPI packages conflict.
.build/peers/%/installed: Tests/Peers/requirements/%.txt
	$(call environment,.build/peers/$*,$<)

build: deps ## Builds for debugging
	$(SWIFT) build --explicit-target-dependency-import-check error

release: deps ## Builds the release binary, .build/release/postern
	$(SWIFT) $(RELEASE) $(STATIC)

release-postgres: postgres-deps ## Builds the release binary with the PostgreSQL store, which links libpq dynamically
	$(SWIFT) $(RELEASE) $(POSTGRES)

release-dynamic: deps
	$(SWIFT) $(RELEASE) --scratch-path .build/dynamic

# Builds the binary only if there is none, so that `sudo make install` after `make release` builds nothing as root.
$(BINARY):
	$(MAKE) release

install: $(BINARY) ## Copies the release binary, its man page and completions below PREFIX (/usr/local), in DESTDIR
	umask 022; for file in "$(INSTALLED_BINARY)" "$(INSTALLED_MAN)" "$(INSTALLED_BASH)" "$(INSTALLED_ZSH)" "$(INSTALLED_FISH)"; do \
		mkdir -p "$${file%/*}" || exit 1; \
	done
	install -m 755 $(BINARY) "$(INSTALLED_BINARY)"
	umask 022; $(BINARY) man > "$(INSTALLED_MAN)"
	umask 022; $(BINARY) completions bash > "$(INSTALLED_BASH)"
	umask 022; $(BINARY) completions zsh > "$(INSTALLED_ZSH)"
	umask 022; $(BINARY) completions fish > "$(INSTALLED_FISH)"

uninstall: ## Removes what make install has copied
	rm -f "$(INSTALLED_BINARY)" "$(INSTALLED_MAN)" "$(INSTALLED_BASH)" "$(INSTALLED_ZSH)" "$(INSTALLED_FISH)"

demo: release ## Installs dependencies, builds, and plays a transcript of all three APIs
	@echo "Playing examples/tour.jsonl, requests (→) and replies (←), with $(BINARY) $(DETERMINISTIC)"
	@sed 's/^/→ /' examples/tour.jsonl > .build/tour.requests
	@$(BINARY) $(DETERMINISTIC) < examples/tour.jsonl | sed 's/^/← /' | paste -d '\n' .build/tour.requests - | sed '0~2G'

tour: release ## Writes examples/tour.jsonl and its replies
	python3 examples/tour.py $(BINARY)

bench-packages: deps
	$(call install,Benchmark tools,$(call has,$(BENCH_TOOLS)) && [ -e /usr/include/sqlite3.h ] && /usr/bin/python3 -c 'import ensurepip',$(BENCH_PACKAGES))

bench-deps: bench-packages $(BENCH_ENVIRONMENT)/installed

$(BENCH_ENVIRONMENT)/installed: Benchmarks/peers/requirements.txt | bench-packages
	$(call environment,$(BENCH_ENVIRONMENT),$<)

bench: release bench-deps ## Runs all benchmarks with their peers, about half an hour, and writes Benchmarks/RESULTS.md
	$(BENCH)/bench.py full $(BINARY) $(ROWS)

bench-quick: release bench-deps ## Runs the main benchmarks, under one minute; ROWS="start write" selects rows
	@$(BENCH)/bench.py quick $(BINARY) $(ROWS)

bench-check: release bench-packages ## Fails if a request needs more instructions, allocations or system calls than in the kept figures, two minutes
	/usr/bin/python3 Benchmarks/instructions.py check $(BINARY)

bench-thresholds: release bench-deps ## Runs the main benchmarks; fails if a row misses its threshold
	$(BENCH)/bench.py check $(BINARY) $(ROWS)

bench-accept: bench-deps ## Writes the last results to Benchmarks/thresholds.json, for the rows that miss their targets
	$(BENCH)/bench.py accept

bench-instructions: release bench-packages ## Counts the instructions, allocations and system calls of a request, and keeps the figures for bench-check
	/usr/bin/python3 Benchmarks/instructions.py keep $(BINARY)

bench-profile: release bench-deps ## Profiles a read, a create and a sign-in by function and line, and writes Benchmarks/PROFILE.md
	$(BENCH)/profiles.py $(BINARY)

bench-growth: release bench-deps ## Measures the cost of operations as a store grows
	$(BENCH)/growth.py $(BINARY)

bench-postgres: release-postgres postgres-test-deps bench-deps ## Measures the PostgreSQL store beside pgbench and Django, about twenty minutes; ROWS="compare network" selects parts
	$(BENCH)/postgres.py full $(POSTGRES_BINARY) $(ROWS)

bench-postgres-quick: release-postgres postgres-test-deps bench-deps ## Tries the benchmarks of the PostgreSQL store with few accounts, a minute
	$(BENCH)/postgres.py quick $(POSTGRES_BINARY) $(ROWS)

bench-build: bench-deps ## Measures clean builds and the test suite
	SWIFT="$(SWIFT)" RELEASE="$(RELEASE) $(STATIC)" TEST="$(TEST)" $(BENCH)/build.py

test: test-deps ## Installs dependencies, builds, and runs all tests except the long ones and the clients'
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	$(SWIFT) $(TEST)

test-postgres: postgres-test-deps ## Runs the tests of the PostgreSQL store on a private server, five minutes
	$(SWIFT) build --build-tests $(POSTGRES) --explicit-target-dependency-import-check error
	/usr/bin/python3 Tests/Postgres/servers.py $(SWIFT) test --skip-build $(POSTGRES) --filter '$(POSTGRES_TESTS)'
	for class in $(POSTGRES_FAULTS_SHARE); do \
		/usr/bin/python3 Tests/Postgres/postgres_faults.py .build/postgres/debug/postern --quick --only $$class || exit 1; \
	done

test-long: test-deps ## Runs the tests that take minutes: SIGN_INS (10000) sign-ins
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	$(SWIFT) test --skip-build --filter $(LONG_TESTS)

test-clients-postgres: release-postgres postgres-test-deps client-deps peer-deps ## Runs the clients' tests and those of two MCP SDKs on private PostgreSQL servers, several minutes
	$(SWIFT) build --build-tests $(POSTGRES) --explicit-target-dependency-import-check error
	/usr/bin/python3 Tests/Postgres/clients_on_postgres.py $(POSTGRES_BINARY)

test-clients-postgres-quick: postgres-test-deps client-deps peer-deps ## Runs those of the MCP SDKs on PostgreSQL, with the debugging build, under a minute
	$(SWIFT) build $(POSTGRES) --product postern --explicit-target-dependency-import-check error
	/usr/bin/python3 Tests/Postgres/clients_on_postgres.py .build/postgres/debug/postern --only mcp

faults: release-dynamic fault-deps ## Injects faults into the binary: kills, full disks, power cuts; as root, about 25 minutes
	/usr/bin/python3 Tests/Faults/faults.py $(DYNAMIC_BINARY)

faults-quick: release-dynamic fault-deps ## Builds, and injects a sample of the faults, about three minutes
	/usr/bin/python3 Tests/Faults/faults.py $(DYNAMIC_BINARY) --quick

faults-postgres: release-postgres postgres-fault-deps ## Injects faults into PostgreSQL servers, and fails a Patroni cluster over; as root, about 25 minutes
	/usr/bin/python3 Tests/Postgres/postgres_faults.py $(POSTGRES_BINARY)
	/usr/bin/python3 Tests/Postgres/failovers.py $(POSTGRES_BINARY)

faults-postgres-quick: release-postgres postgres-fault-deps ## Builds, and injects a sample of the faults into PostgreSQL servers, about five minutes
	/usr/bin/python3 Tests/Postgres/postgres_faults.py $(POSTGRES_BINARY) --quick
	/usr/bin/python3 Tests/Postgres/failovers.py $(POSTGRES_BINARY) --count 1

# The histories of the simulation start with a random seed, which is printed. HOURS can be a fraction, as in 1/60.
SEED ?= $(shell od -An -N4 -tu4 /dev/urandom | tr -d ' ')
HOURS ?= 1
STORES ?= 2000
SIMULATION := .build/simulation/release/Simulation
BUILD_SIMULATION = $(SWIFT) build -c release --product Simulation --scratch-path .build/simulation --explicit-target-dependency-import-check error
# The first processor that this process may use.
FIRST_PROCESSOR = $$(taskset -cp $$$$ | sed 's/.*: \([0-9]*\).*/\1/')
SECONDS_OF_HOURS = $$(awk 'BEGIN { print int(($(HOURS)) * 3600) }')

simulate: deps ## Runs the store on simulated machines that fail, on one processor, for HOURS (1) from SEED (random)
	$(BUILD_SIMULATION)
	grep -o '^[0-9]*' Tests/Simulation/seeds.txt | xargs -I % $(SIMULATION) --quiet --count 1 --seed %
	taskset -c $(FIRST_PROCESSOR) $(SIMULATION) --seed $(SEED) --seconds $(SECONDS_OF_HOURS)

simulate-salvage: deps ## Damages simulated stores, and compares what a salvage saves with an independent reader, for STORES (2,000) stores from SEED
	$(BUILD_SIMULATION)
	/usr/bin/python3 Tests/Simulation/salvage.py $(SIMULATION) $(SEED) $(STORES)

simulate-mutants: deps ## Takes one safeguard after another out of the store, and shows that the simulation notices it, half an hour
	/usr/bin/python3 Tests/Simulation/mutants.py

simulate-coverage: deps ## Shows which lines of the store the simulation has not run in two minutes, in .build/simulation-coverage/lines.txt
	$(BUILD_SIMULATION:.build/simulation=.build/simulation-coverage) -Xswiftc -profile-coverage-mapping -Xswiftc -profile-generate
	Tests/Simulation/coverage.sh .build/simulation-coverage

model: model-deps ## Checks models of the store's protocol with spin, and that it finds each mutant, under five minutes; MODEL="epochs STOPS" selects
	/usr/bin/python3 Tests/Model/model.py $(MODEL)

fuzz: deps ## Fuzzes the parsers with libFuzzer, FUZZ_SECONDS (60) for each target; FUZZ="scanner base" selects targets
	/usr/bin/python3 Tests/Fuzz/fuzz.py $(FUZZ)

fuzz-corpus: deps ## Minimizes the fuzzers' corpus
	/usr/bin/python3 Tests/Fuzz/fuzz.py --minimise $(FUZZ)

fuzz-sessions: release test-deps ## Runs random sessions against the binary for SESSION_SECONDS (60) and checks every reply
	/usr/bin/python3 Tests/Fuzz/sessions.py $(BINARY)

test-clients: test-python test-node test-go test-swift test-replays ## Installs dependencies, and runs and compares the tests of all clients
	/usr/bin/python3 clients/check_readme.py

test-replays: release client-deps ## Compares the replies through the CLIENTS (all) with those through a bare pipe, two minutes
	$(SWIFT) build --product PosternClientTrials --explicit-target-dependency-import-check error
	/usr/bin/python3 clients/replays.py $(BINARY) $(CLIENTS)

test-python test-node test-go test-swift clients-figures: export POSTERN_BIN := $(CURDIR)/$(BINARY)

test-python: release client-deps ## Runs the Python client's tests and checks, half a minute
	cd clients/python && ../../.build/venv/bin/pytest -q
	cd clients/python && ../../.build/venv/bin/mypy && ../../.build/venv/bin/ruff check && ../../.build/venv/bin/ruff format --check

test-node: release client-deps ## Runs the Node client's tests and checks, half a minute
	cd clients/node && node --test
	cd clients/node && tsc -p . && tsc -p testing/types

test-go: release client-deps ## Runs the Go client's tests and checks, half a minute
	cd clients/go && go test -race -count=1 ./...
	cd clients/go && go vet ./... && test -z "$$(gofmt -l .)"

test-swift: release ## Runs the Swift client's tests, half a minute
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	$(SWIFT) test --skip-build --filter PosternClientTests

clients-figures: release client-deps ## Measures the overhead of the clients, two minutes
	$(SWIFT) build -c release --product PosternClientTrials
	/usr/bin/python3 clients/figures.py $(BINARY)

test-peers: release peer-deps ## Runs the binary with third-party editors, SDKs, libraries and servers, as root, a minute and a half
	/usr/bin/python3 Tests/Peers/peers.py $(BINARY)

webapp-deps:
	$(call install,A browser,$(call has,$(WEBAPP_TOOLS)) && /usr/bin/python3 -c 'import ensurepip',$(WEBAPP_PACKAGES))
	@$(MAKE) --silent $(WEBAPP)/installed

$(WEBAPP)/installed: examples/webapp/tests/requirements.txt examples/webapp/requirements.txt examples/webapp/fastapi_users_peer/requirements.txt
	$(call environment,$(WEBAPP),$<)

test-webapp: export POSTERN_BIN := $(CURDIR)/$(BINARY)
test-webapp: release webapp-deps ## Runs the example web application in Chromium with two workers, a minute and a half
	cd examples/webapp && ../../$(WEBAPP)/bin/pytest -q
	cd examples/webapp && ../../$(WEBAPP)/bin/mypy && ../../$(WEBAPP)/bin/ruff check && ../../$(WEBAPP)/bin/ruff format --check

.build/hash-vectors/installed: Tests/HashVectors/requirements.txt
	$(call environment,.build/hash-vectors,$<)

test-django: release .build/hash-vectors/installed ## Imports 1,000 users of a Django project and signs them in, about half an hour
	.build/hash-vectors/bin/python Tests/HashVectors/django_users.py $(BINARY)

RECIPES := .build/recipes-venv

$(RECIPES)/installed: examples/recipes/requirements.txt
	$(call environment,$(RECIPES),$<)

recipe-deps: client-deps
	$(call install,Express,[ -e /usr/share/nodejs/express ],--no-install-recommends node-express)
	@$(MAKE) --silent $(RECIPES)/installed

test-recipes: release recipe-deps ## Plays one story with a web application in each of four frameworks, under a minute
	/usr/bin/python3 examples/recipes/test.py $(BINARY)

DOCS := .build/docs-venv

$(DOCS)/installed: docs/requirements.txt
	$(call environment,$(DOCS),$<)

docs-deps:
	$(call install,Python environments,/usr/bin/python3 -c 'import ensurepip',python3-venv)
	@$(MAKE) --silent $(DOCS)/installed

docs-test-deps: client-deps docs-deps test-deps
	$(call install,Compose,$(call has,docker-compose),docker-compose)

docs: export NO_MKDOCS_2_WARNING := 1
docs: docs-deps ## Builds the documentation as a site, .build/site
	/usr/bin/python3 docs/pages.py .build/pages
	$(DOCS)/bin/mkdocs build --quiet --strict

test-docs: release docs-test-deps docs ## Runs the blocks of the documentation, follows its links, and builds the site
	/usr/bin/python3 docs/check.py $(BINARY)

# The packages. MACHINES selects for which machines; aarch64 takes long at first.
DIST := .build/dist
DIST_PACKAGES := python3-venv binutils dpkg xz-utils git
# What tries them: package managers, checkers, and a Debian without Swift in a folder.
DIST_TEST_PACKAGES := --no-install-recommends debootstrap lintian skopeo umoci python3-venv golang-go gcc libc6-dev systemd
DIST_TEST_TOOLS := debootstrap lintian skopeo umoci go gcc systemd-analyze
MACHINES ?= x86_64 aarch64
dist test-dist: export MACHINES := $(MACHINES)

dist-deps:
	$(call install,Tools for packages,$(call has,strip dpkg-deb xz git) && /usr/bin/python3 -c 'import ensurepip',$(DIST_PACKAGES))
	@$(MAKE) --silent .build/dist-venv/installed

.build/dist-venv/installed: Packaging/requirements.txt
	$(call environment,.build/dist-venv,$<)

$(DIST)/x86_64/postern: release
	@[ "$$(uname -m)" = x86_64 ] || { echo 'make dist runs on x86-64 machines.'; exit 1; }
	@mkdir -p $(@D)
	strip --remove-section=.note.gnu.build-id -o $@ $(BINARY)

# The release binary for arm64, by Debian's Swift in a chroot (Packaging/arm64/), with the flags of the release binary.
ARM64_PACKAGES := debootstrap debian-archive-keyring
ARM64_SDK := .build/sdk-arm64
ARM64_SCRATCH := .build/arm64
ARM64_BINARY := $(DIST)/aarch64/postern
# A Debian mirror. One of a past date, of snapshot.debian.org, repeats the versions of an earlier record.
DEBIAN_MIRROR ?= http://deb.debian.org/debian
# The binary for arm64 as a program of this machine. It hashes a password in about half a second, so tests run one after
# another; those of times, of memory and of scarce resources would measure the emulator.
ARM64_EMULATED := $(ARM64_SCRATCH)/postern-emulated
# IdempotenceTests plays all transcripts. TranscriptTests does so with postern test, which starts its own program, and so no
# emulator.
ARM64_TESTS := ContractTests\.IdempotenceTests|EndToEndTests\.(WireFaultTests|KillTests|EventKillTests|LifeCycleTests|StoreToolTests)
# The emulator itself needs threads, and does not know the call (TCGETS2) with which the C library finds a terminal.
ARM64_SKIPPED := servesWithoutThreads|showsProgressOnlyOnATerminal|endsTheProgressBarBeforeAnError

arm64-deps:
	$(call install,Tools for the arm64 SDK,[ -e /usr/sbin/debootstrap ] && [ -e /usr/share/keyrings/debian-archive-keyring.gpg ],$(ARM64_PACKAGES))

sdk-arm64: arm64-deps ## Makes the SDK for arm64, .build/sdk-arm64; as root, about 10 minutes and 5 GB the first time
	@$(SUDO) Packaging/arm64/sdk.sh $(ARM64_SDK) $(DEBIAN_MIRROR)

release-arm64: $(ARM64_BINARY) ## Builds the release binary for arm64, .build/dist/aarch64/postern, without symbols; as root

$(ARM64_BINARY): sdk-arm64
	@mkdir -p $(ARM64_SCRATCH) $(@D)
	$(SUDO) Packaging/arm64/build.sh $(ARM64_SDK) $(ARM64_SCRATCH) $(@D) $(RELEASE) $(STATIC)

arm64-test-deps: test-deps
	$(call install,An emulator of arm64,$(call has,qemu-aarch64-static),qemu-user-static)

test-arm64: release-arm64 arm64-test-deps ## Runs the binary for arm64 in an emulator: transcripts, wire faults, kills, the life cycle, store tools
	printf '#!/bin/sh\nexec qemu-aarch64-static %s "$$@"\n' $(CURDIR)/$(ARM64_BINARY) > $(ARM64_EMULATED)
	chmod +x $(ARM64_EMULATED)
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	POSTERN_TEST_BINARY=$(CURDIR)/$(ARM64_EMULATED) $(SWIFT) test --skip-build --no-parallel --filter '$(ARM64_TESTS)' --skip '$(ARM64_SKIPPED)'

dist: dist-deps $(foreach machine,$(MACHINES),$(DIST)/$(machine)/postern) ## Builds all packages into dist/, for the MACHINES x86_64 and aarch64
	/usr/bin/python3 Packaging/dist.py

dist-test-deps: dist-deps $(if $(filter aarch64,$(MACHINES)),arm64-test-deps)
	$(call install,Tools that try packages,$(call has,$(DIST_TEST_TOOLS)),$(DIST_TEST_PACKAGES))
	$(call install,npm,$(call has,node npm),nodejs npm)

test-dist: dist dist-test-deps $(DIST)/bookworm/complete ## Tries each package as its users do, without Swift and this repository; as root, two minutes
	/usr/bin/python3 Packaging/test_dist.py

# A small Debian, in which the Debian package is tried.
$(DIST)/bookworm/complete: | dist-test-deps
	$(SUDO) rm -rf --one-file-system $(@D)
	@mkdir -p $(DIST)
	$(SUDO) debootstrap --variant=minbase --include=systemd,dbus,python3 bookworm $(@D) >/dev/null
	$(SUDO) touch $@

shell-deps:
	$(call install,Shells and formatters of man pages,$(call has,$(SHELL_TOOLS)),$(SHELL_PACKAGES))

test-shells: release shell-deps ## Tests make install, the man page, and the completions in bash, zsh and fish, under a minute
	/usr/bin/python3 Tests/Shells/shells.py $(BINARY)

test-csv: release .build/hash-vectors/installed ## Imports CSV_USERS (1,000) users with bcrypt from a CSV file and signs them in, under a minute
	.build/hash-vectors/bin/python Tests/HashVectors/csv_users.py $(BINARY) $(CSV_USERS)

hash-vectors: .build/hash-vectors/installed ## Makes the password hashes of other programs for the tests
	$(call install,Programs that hash passwords,$(call has,php mkpasswd openssl),php-cli whois openssl)
	.build/hash-vectors/bin/python Tests/HashVectors/make.py

lint: ## Checks the format of the sources
	$(SWIFT) format lint --strict -r -p Package.swift Sources Tests clients/swift

format: ## Formats the sources
	$(SWIFT) format -i -r -p Package.swift Sources Tests clients/swift

warnings: deps ## Builds with warnings as errors
	$(SWIFT) build --scratch-path .build/warnings -Xswiftc -warnings-as-errors --explicit-target-dependency-import-check error

generate: ## Generates code and documents from schema/ and VERSION, and the drawing of the targets
	$(SWIFT) run PosternSchema
	/usr/bin/python3 docs/architecture.py

released-contract: generate ## Writes the contract that later commits are compared with; for a release
	/usr/bin/python3 Tests/ContractTests/Resources/released_contract.py

check-generated: deps ## Fails if a generated file is stale
	$(SWIFT) run PosternSchema --check
	/usr/bin/python3 docs/architecture.py --check
