# The commands a person types. Everything real is in CMakeLists.txt and conf/deploy/.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# How many compilers run at once.
JOBS ?= $(shell nproc)

# make run PORT=8090 ADMIN_PORT=8091 SANDBOX_PORT=9200
export PORT ?= 8080
export ADMIN_PORT ?= 8081
export SANDBOX_PORT ?= 9100

.PHONY: help run build test asan lint bench bench-routing soak clean packages test-packages

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

packages:
	@conf/deploy/install-packages.sh

test-packages:
	@conf/deploy/install-packages.sh --test

build: packages ## the release binary, build/release/turnout
	@[ -f build/release/build.ninja ] || cmake --preset release -DBUILD_TESTING=OFF
	cmake --build build/release -j $(JOBS) --target turnout

run: build ## a demo: simulated gateways, the proxy, a test key and curl commands; Ctrl-C stops it
	@conf/deploy/run-demo.sh

test: test-packages ## build everything and run every test
	cmake --preset release -DBUILD_TESTING=ON
	cmake --build build/release -j $(JOBS)
	ctest --preset release -j2

asan: test-packages ## every test under AddressSanitizer and UndefinedBehaviorSanitizer
	cmake --preset asan -DBUILD_TESTING=ON
	cmake --build build/asan -j $(JOBS)
	ctest --preset asan -j2

lint: test-packages ## formatting, clang-tidy and the rules of the house
	cmake --preset release -DBUILD_TESTING=ON
	conf/deploy/lint.sh build/release

bench: test-packages ## speed, compared with nginx and a bare Beast proxy on this machine
	cmake --preset release -DBUILD_TESTING=ON
	cmake --build build/release -j $(JOBS)
	tests/bench/run.sh build/release

# Which scenarios: 1-20 are for reports, 101-200 for tuning.
SEEDS ?= 1-20
bench-routing: build ## routing algorithms compared in simulated worlds: make bench-routing SEEDS=101-105
	python3 -B tests/bench/routing/bench_routing.py build/release --seeds $(SEEDS)

# Worlds to simulate; 25,000 of them are ten million payments.
WORLDS ?= 25000
soak: test-packages ## simulate payments in faulty worlds for a long time: make soak WORLDS=4000
	cmake --preset release -DBUILD_TESTING=ON
	cmake --build build/release -j $(JOBS) --target simulation
	GLIBC_TUNABLES=glibc.malloc.tcache_count=10000 build/release/simulation --seeds $(WORLDS)

clean: ## remove what was built (not var/: it holds the journal)
	rm -rf build
