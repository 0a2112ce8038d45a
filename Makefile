# SPDX-License-Identifier: Apache-2.0

SWIFT ?= swift
SWIFTLET := .build/release/swiftlet
SOURCES := Package.swift Sources Tests
VENV := .build/conformance-venv

.DEFAULT_GOAL := help
.PHONY: help setup data build demo test bench format lint conformance fuzz docs clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1 | \2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-20s%s\n", $$1, $$2}'

setup: ## installs what is missing to build (Debian, Ubuntu, macOS)
	@scripts/setup.sh

data: setup
	@scripts/data.sh

build: setup ## release build of the command, .build/release/swiftlet
	$(SWIFT) build -c release

demo: build data ## sets up, builds, draws data, trains a small network and quantizes it
	@scripts/demo.sh

test: setup data ## sets up, builds, and runs all tests
	$(SWIFT) test -c release --disable-testable-imports

bench: build data ## latency of float and int8 networks on this machine
	@scripts/bench.sh

format: ## formats the sources in place
	$(SWIFT) format --in-place --parallel --recursive $(SOURCES)

lint: ## checks format and style, changes nothing
	$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)

conformance: build data $(VENV)/ready ## operator cases of the ONNX project; exported files under ONNX Runtime
	$(VENV)/bin/python scripts/conformance.py --json .build/conformance.json
	$(VENV)/bin/python scripts/conformance.py --stored
	$(VENV)/bin/python scripts/conformance.py --exports

$(VENV)/ready: scripts/conformance-requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

fuzz: setup ## made-up input for the readers under AddressSanitizer; SECONDS_EACH=60
	@scripts/fuzz.sh $${SECONDS_EACH:-60}

docs: build ## documentation of the Swift library, .build/docs/html
	@scripts/docs.sh

clean: ## removes everything that was built
	rm -rf .build
